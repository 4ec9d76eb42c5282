// Versions of a pipeline, what is different between them, and drafts.
#include "api/handlers/common.hpp"
#include "orchestrate/hooks/secrets.hpp"
#include "orchestrate/model/diff.hpp"

namespace tributary::api::handlers {
namespace {

// A version by its number, or "draft".
Task<std::expected<Json, Problem>> document_of(Services& services, std::string id,
                                               std::string name) {
  if (name == "draft") {
    auto draft = services.engine.draft(id);
    if (!draft) co_return refuse(Problem(404, "no_draft", "This pipeline has no draft."));
    Json document = draft->row.document;
    // Whether it is enabled is no part of a version.
    if (document.is_object()) document.erase("enabled");
    co_return document;
  }
  auto version = version_number(name);
  TRIBUTARY_CO_TRY(version);
  auto row = co_await services.engine.version(id, *version);
  if (!row && row.error().code == "not_found") co_return refuse(no_such("version"));
  TRIBUTARY_CO_TRY(row);
  Json view = pipeline_version_view(*row);
  co_return std::move(view.at("document"));
}

Response draft_answer(const orchestrate::DraftView& draft) {
  return edited(draft_view(draft), draft.row.version);
}

// The version of the draft that If-Match allows; of the pipeline, where there is no draft.
std::expected<std::int64_t, Problem> expected_draft(const Request& request,
                                                    const orchestrate::PipelineView& pipeline) {
  return expected_version(request, pipeline.draft ? pipeline.draft->version : pipeline.row.version);
}

}  // namespace

Task<Answer> get_pipeline_version(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  if (!services.engine.pipeline(id)) co_return refuse(no_such("pipeline"));
  auto version = version_number(request.parameter("version"));
  TRIBUTARY_CO_TRY(version);
  auto row = co_await services.engine.version(id, *version);
  if (!row && row.error().code == "not_found") co_return refuse(no_such("version"));
  TRIBUTARY_CO_TRY(row);
  co_return Response::of(pipeline_version_view(*row));
}

Task<Answer> diff_pipeline_versions(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  if (!services.engine.pipeline(id)) co_return refuse(no_such("pipeline"));
  const std::string from = request.parameter("version");
  const std::string to = request.parameter("other");
  auto before = co_await document_of(services, id, from);
  TRIBUTARY_CO_TRY(before);
  auto after = co_await document_of(services, id, to);
  TRIBUTARY_CO_TRY(after);
  Json json = json_object();
  json["from"] = from;
  json["to"] = to;
  const Json diff = orchestrate::diff_documents(*before, *after);
  for (const auto& member : diff.object_range()) json[member.key()] = member.value();
  co_return Response::of(std::move(json));
}

Task<Answer> restore_pipeline_version(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto current = services.engine.pipeline(id);
  if (!current) co_return refuse(no_such("pipeline"));
  auto version = version_number(request.parameter("version"));
  TRIBUTARY_CO_TRY(version);
  auto expected = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(expected);
  request.audit_detail["version"] = *version;
  const connect::Actor actor = request.actor();
  auto restored = co_await services.engine.restore(id, *version, *expected, actor, request.dry_run);
  TRIBUTARY_CO_TRY(restored);
  co_return edited(pipeline_view(*restored), restored->row.version);
}

Task<Answer> get_pipeline_draft(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  if (!services.engine.pipeline(id)) co_return refuse(no_such("pipeline"));
  auto draft = services.engine.draft(id);
  if (!draft) co_return refuse(Problem(404, "no_draft", "This pipeline has no draft."));
  co_return draft_answer(*draft);
}

Task<Answer> save_pipeline_draft(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  const std::string id = request.parameter("id");
  auto current = services.engine.pipeline(id);
  if (!current) co_return refuse(no_such("pipeline"));
  auto version = expected_draft(request, *current);
  TRIBUTARY_CO_TRY(version);
  request.audit_detail["body"] = orchestrate::hooks::without_secrets(*body);
  const connect::Actor actor = request.actor();
  auto saved =
      co_await services.engine.save_draft(id, std::move(*body), *version, actor, request.dry_run);
  TRIBUTARY_CO_TRY(saved);
  co_return draft_answer(*saved);
}

Task<Answer> delete_pipeline_draft(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto current = services.engine.pipeline(id);
  if (!current) co_return refuse(no_such("pipeline"));
  auto version = expected_draft(request, *current);
  TRIBUTARY_CO_TRY(version);
  auto dropped = co_await services.engine.drop_draft(id, *version, request.dry_run);
  TRIBUTARY_CO_TRY(dropped);
  co_return Response::no_content();
}

Task<Answer> deploy_pipeline(Services& services, Request& request) {
  auto body = body_object(request, true);
  TRIBUTARY_CO_TRY(body);
  TRIBUTARY_CO_TRY(refuse_unknown(*body, {"force"}));
  const Json& force = get_member(*body, "force");
  if (!force.is_null() && !force.is_bool())
    co_return refuse(invalid_field("/force", "wrong_type", "It must be true or false."));
  const std::string id = request.parameter("id");
  auto current = services.engine.pipeline(id);
  if (!current) co_return refuse(no_such("pipeline"));
  auto version = expected_draft(request, *current);
  TRIBUTARY_CO_TRY(version);
  const bool forced = get_bool(*body, "force", false);
  const connect::Actor actor = request.actor();
  auto deployed = co_await services.engine.deploy(id, *version, forced, actor, request.dry_run);
  TRIBUTARY_CO_TRY(deployed);
  request.audit_detail["version"] = deployed->row.version;
  co_return edited(pipeline_view(*deployed), deployed->row.version);
}

}  // namespace tributary::api::handlers
