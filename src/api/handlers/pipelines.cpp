#include "api/handlers/common.hpp"
#include "orchestrate/hooks/secrets.hpp"

namespace tributary::api::handlers {
namespace {

bool wanted(const Request& request, const orchestrate::PipelineView& pipeline,
            std::optional<bool> enabled) {
  auto name = request.query_value("name");
  auto status = request.query_value("status");
  return (!name || contains_ignoring_case(pipeline.row.name, *name)) &&
         (!status || pipeline.status == *status) &&
         (!enabled || pipeline.row.enabled == *enabled) &&
         matches_labels(request, pipeline.row.labels);
}

std::expected<void, Problem> check_status_filter(const Request& request) {
  auto status = request.query_value("status");
  if (!status) return {};
  for (std::string_view known : {"disabled", "running", "waiting", "failing"}) {
    if (*status == known) return {};
  }
  return refuse(
      Problem(400, "invalid_parameter",
              "The query parameter status must be disabled, running, waiting or failing."));
}

Response answer_one(const orchestrate::PipelineView& pipeline) {
  return edited(pipeline_view(pipeline), pipeline.row.version);
}

Task<Answer> apply_patch(Services& services, Request& request, Json patch, std::int64_t version) {
  request.audit_detail["patch"] = orchestrate::hooks::without_secrets(patch);
  const std::string id = request.parameter("id");
  const connect::Actor actor = request.actor();
  auto updated =
      co_await services.engine.update(id, std::move(patch), version, actor, request.dry_run);
  TRIBUTARY_CO_TRY(updated);
  co_return answer_one(*updated);
}

Task<Answer> set_enabled(Services& services, Request& request, bool enabled) {
  const std::string id = request.parameter("id");
  auto current = services.engine.pipeline(id);
  if (!current) co_return refuse(no_such("pipeline"));
  if (request.dry_run) co_return answer_one(*current);
  const connect::Actor actor = request.actor();
  auto after = co_await services.engine.set_enabled(id, enabled, actor);
  TRIBUTARY_CO_TRY(after);
  co_return answer_one(*after);
}

}  // namespace

Task<Answer> list_pipelines(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  TRIBUTARY_CO_TRY(check_status_filter(request));
  std::optional<bool> enabled;
  if (request.query_value("enabled")) {
    auto flag = query_flag(request, "enabled", false);
    TRIBUTARY_CO_TRY(flag);
    enabled = *flag;
  }
  std::vector<orchestrate::PipelineView> pipelines = services.engine.pipelines();
  std::erase_if(pipelines,
                [&](const auto& pipeline) { return !wanted(request, pipeline, enabled); });
  co_return Response::of(make_page(
      std::move(pipelines), *page,
      [](const orchestrate::PipelineView& pipeline) {
        return name_key(pipeline.row.name, pipeline.row.id);
      },
      pipeline_view));
}

Task<Answer> create_pipeline(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  request.audit_detail["body"] = orchestrate::hooks::without_secrets(*body);
  const connect::Actor actor = request.actor();
  auto made = co_await services.engine.create(std::move(*body), actor, request.dry_run);
  TRIBUTARY_CO_TRY(made);
  request.audit_target = made->row.id;
  co_return created(request, "pipelines", made->row.id, pipeline_view(*made), made->row.version);
}

Task<Answer> get_pipeline(Services& services, Request& request) {
  auto pipeline = services.engine.pipeline(request.parameter("id"));
  if (!pipeline) co_return refuse(no_such("pipeline"));
  co_return answer_one(*pipeline);
}

Task<Answer> replace_pipeline(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  auto current = services.engine.pipeline(request.parameter("id"));
  if (!current) co_return refuse(no_such("pipeline"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  Json patch = patch_between(pipeline_body(current->row), *body);
  co_return co_await apply_patch(services, request, std::move(patch), *version);
}

Task<Answer> update_pipeline(Services& services, Request& request) {
  auto patch = body_object(request);
  TRIBUTARY_CO_TRY(patch);
  auto current = services.engine.pipeline(request.parameter("id"));
  if (!current) co_return refuse(no_such("pipeline"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  co_return co_await apply_patch(services, request, std::move(*patch), *version);
}

Task<Answer> delete_pipeline(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto current = services.engine.pipeline(id);
  if (!current) co_return refuse(no_such("pipeline"));
  TRIBUTARY_CO_TRY(expected_version(request, current->row.version));
  request.audit_detail["name"] = current->row.name;
  if (!request.dry_run) {
    const connect::Actor actor = request.actor();
    auto removed = co_await services.engine.remove(id, actor);
    TRIBUTARY_CO_TRY(removed);
  }
  co_return Response::no_content();
}

Task<Answer> list_pipeline_versions(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  const std::string id = request.parameter("id");
  if (!services.engine.pipeline(id)) co_return refuse(no_such("pipeline"));
  auto versions = co_await services.engine.versions(id);
  TRIBUTARY_CO_TRY(versions);
  auto key = [](const store::PipelineVersionRow& row) { return newest_first_key(row.version); };
  co_return Response::of(make_page(std::move(*versions), *page, key, pipeline_version_view));
}

Task<Answer> enable_pipeline(Services& services, Request& request) {
  return set_enabled(services, request, true);
}

Task<Answer> disable_pipeline(Services& services, Request& request) {
  return set_enabled(services, request, false);
}

}  // namespace tributary::api::handlers
