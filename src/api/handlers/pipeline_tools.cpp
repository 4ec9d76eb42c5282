// Pipelines that are looked at without being run: checked, tried out, sent on their way to another
// hub; and what needs what.
#include "api/handlers/common.hpp"
#include "orchestrate/hooks/secrets.hpp"
#include "orchestrate/usage.hpp"

namespace tributary::api::handlers {
namespace {

constexpr std::string_view kExportKind = "tributary.pipeline";

Json pipeline_identity(const orchestrate::PipelineView& pipeline) {
  Json json = json_object();
  json["id"] = pipeline.row.id;
  json["name"] = pipeline.row.name;
  json["version"] = pipeline.row.version;
  return json;
}

std::expected<orchestrate::TrialOptions, Problem> trial_options(const Json& body) {
  std::vector<schema::FieldError> errors;
  orchestrate::TrialOptions options = orchestrate::read_trial_options(body, errors);
  if (!errors.empty()) return refuse(Problem(connect::Invalid{std::move(errors)}));
  return options;
}

Task<Answer> try_out(Services& services, Json body, Json pipeline, Json options,
                     std::string source) {
  auto wanted = trial_options(options);
  TRIBUTARY_CO_TRY(wanted);
  auto tried =
      co_await services.engine.try_out(std::move(body), std::move(pipeline), std::move(*wanted));
  TRIBUTARY_CO_TRY(tried);
  (*tried)["source"] = std::move(source);
  co_return Response::of(std::move(*tried));
}

Json references_view(const std::vector<orchestrate::Reference>& references) {
  Json list = json_array();
  for (const auto& reference : references) {
    Json item = json_object();
    item["kind"] = std::string(to_string(reference.kind));
    item["name"] = text_or_null(reference.name);
    item["id"] = text_or_null(reference.id);
    item["nodeId"] = reference.node_id;
    item["pointer"] = reference.pointer;
    list.push_back(std::move(item));
  }
  return list;
}

std::expected<orchestrate::ImportRequest, Problem> import_request(Json body) {
  TRIBUTARY_TRY(refuse_unknown(
      body, {"document", "conflict", "functions", "connections", "pipelines", "enabled"}));
  using Conflict = orchestrate::ImportRequest::Conflict;
  orchestrate::ImportRequest request;
  const Json& document = get_member(body, "document");
  if (!document.is_object())
    return refuse(invalid_field("/document", "required", "The exported document is missing."));
  // A bare pipeline with names in it does as well.
  const bool wrapped = get_member(document, "pipeline").is_object();
  request.body = wrapped ? document.at("pipeline") : document;
  const std::string conflict = get_string(body, "conflict", "refuse");
  if (conflict == "rename") request.conflict = Conflict::kRename;
  if (conflict == "replace") request.conflict = Conflict::kReplace;
  if (conflict != "refuse" && request.conflict == Conflict::kRefuse) {
    return refuse(
        invalid_field("/conflict", "not_allowed", "It must be refuse, rename or replace."));
  }
  for (const std::string_view member : {"functions", "connections", "pipelines"}) {
    const Json& names = get_member(body, member);
    if (names.is_null()) continue;
    if (!names.is_object()) {
      return refuse(invalid_field("/" + std::string(member), "wrong_type",
                                  "It must be an object: a name there, and the name here."));
    }
    request.names[member] = names;
  }
  request.enabled = get_bool(body, "enabled", false);
  return request;
}

Json import_view(const orchestrate::ImportReport& report, bool dry_run) {
  Json json = json_object();
  json["action"] = report.action;
  json["name"] = report.name;
  json["conflict"] = text_or_null(report.conflict_id);
  json["references"] = references_view(report.references);
  json["problems"] = field_errors_view(report.findings.problems);
  json["warnings"] = field_errors_view(report.findings.warnings);
  const bool made = report.view && !dry_run;
  json["pipeline"] = made ? pipeline_view(*report.view) : Json::null();
  return json;
}

}  // namespace

Task<Answer> validate_pipeline(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  const orchestrate::Findings findings = co_await services.engine.validate_all(*body);
  Json json = json_object();
  json["valid"] = findings.problems.empty();
  json["problems"] = field_errors_view(findings.problems);
  json["warnings"] = field_errors_view(findings.warnings);
  co_return Response::of(std::move(json));
}

Task<Answer> test_unsaved_pipeline(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  TRIBUTARY_CO_TRY(refuse_unknown(
      *body, {"document", "input", "trigger", "until", "pins", "destinations", "reads", "now"}));
  Json document = get_member(*body, "document");
  if (!document.is_object())
    co_return refuse(invalid_field("/document", "required", "The pipeline to test is missing."));
  Json pipeline = json_object();
  pipeline["id"] = Json::null();
  pipeline["name"] = get_string(document, "name");
  pipeline["version"] = 0;
  std::string source = "document";
  co_return co_await try_out(services, std::move(document), std::move(pipeline), std::move(*body),
                             std::move(source));
}

Task<Answer> test_pipeline(Services& services, Request& request) {
  auto body = body_object(request, true);
  TRIBUTARY_CO_TRY(body);
  TRIBUTARY_CO_TRY(refuse_unknown(*body, {"document", "source", "input", "trigger", "until", "pins",
                                          "destinations", "reads", "now"}));
  auto current = services.engine.pipeline(request.parameter("id"));
  if (!current) co_return refuse(no_such("pipeline"));
  std::string source = get_string(*body, "source", current->draft ? "draft" : "deployed");
  if (source != "draft" && source != "deployed")
    co_return refuse(invalid_field("/source", "not_allowed", "It must be draft or deployed."));
  Json document = get_member(*body, "document");
  if (document.is_object()) {
    source = "document";
  } else if (source == "draft") {
    if (!current->draft) co_return refuse(Problem(404, "no_draft", "This pipeline has no draft."));
    document = current->draft->document;
  } else {
    document = pipeline_body(current->row);
  }
  Json pipeline = pipeline_identity(*current);
  co_return co_await try_out(services, std::move(document), std::move(pipeline), std::move(*body),
                             std::move(source));
}

Task<Answer> export_pipeline(Services& services, Request& request) {
  auto pipeline = services.engine.pipeline(request.parameter("id"));
  if (!pipeline) co_return refuse(no_such("pipeline"));
  std::vector<orchestrate::Reference> references;
  Json json = json_object();
  json["kind"] = std::string(kExportKind);
  json["formatVersion"] = 1;
  json["exportedAt"] = format_utc(services.runtime.clock().utc_now());
  json["pipeline"] = services.engine.exported(*pipeline, references);
  json["references"] = references_view(references);
  for (Json& reference : json["references"].array_range()) {
    // Ids mean nothing elsewhere.
    if (!reference.at("name").is_null()) reference.erase("id");
  }
  co_return Response::of(std::move(json));
}

Task<Answer> import_pipeline(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  auto wanted = import_request(std::move(*body));
  TRIBUTARY_CO_TRY(wanted);
  request.audit_detail["body"] = orchestrate::hooks::without_secrets(wanted->body);
  const connect::Actor actor = request.actor();
  auto imported = co_await services.engine.import(std::move(*wanted), actor, request.dry_run);
  TRIBUTARY_CO_TRY(imported);
  if (imported->view) request.audit_target = imported->view->row.id;
  const bool made = imported->action != "replace" && !request.dry_run;
  Response response = Response::of(import_view(*imported, request.dry_run), made ? 201 : 200);
  if (made) response.set("Location", "/api/v1/pipelines/" + imported->view->row.id);
  co_return response;
}

Task<Answer> list_dependencies(Services& services, Request& request) {
  auto graph = orchestrate::dependencies_of(
      services.engine.pipelines(), services.engine.catalogue(), services.engine.functions());
  if (auto id = request.query_value("id")) graph = orchestrate::around(graph, std::string(*id));
  Json nodes = json_array();
  for (const auto& node : graph.nodes) {
    Json item = json_object();
    item["id"] = node.id;
    item["kind"] = std::string(node.kind);
    item["name"] = text_or_null(node.name);
    item["type"] = text_or_null(node.type);
    item["status"] = text_or_null(node.status);
    item["missing"] = node.missing;
    nodes.push_back(std::move(item));
  }
  Json edges = json_array();
  for (const auto& edge : graph.edges) {
    Json item = json_object();
    item["from"] = edge.from;
    item["to"] = edge.to;
    item["use"] = std::string(edge.use);
    item["nodeIds"] = Json(jsoncons::json_array_arg, edge.node_ids.begin(), edge.node_ids.end());
    edges.push_back(std::move(item));
  }
  Json json = json_object();
  json["nodes"] = std::move(nodes);
  json["edges"] = std::move(edges);
  co_return Response::of(std::move(json));
}

}  // namespace tributary::api::handlers
