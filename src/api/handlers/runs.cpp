#include "api/handlers/common.hpp"

namespace tributary::api::handlers {
namespace {

bool is_run_status(std::string_view text) {
  for (std::string_view known :
       {"running", "completed", "completed_with_errors", "failed", "cancelled"}) {
    if (text == known) return true;
  }
  return false;
}

}  // namespace

Task<Answer> run_pipeline(Services& services, Request& request) {
  auto body = body_object(request, true);
  TRIBUTARY_CO_TRY(body);
  TRIBUTARY_CO_TRY(refuse_unknown(*body, {"input"}));
  const std::string id = request.parameter("id");
  if (!services.engine.pipeline(id)) co_return refuse(no_such("pipeline"));
  Json input = get_member(*body, "input");
  if (!input.is_null() && !input.is_object() && !input.is_array()) {
    co_return refuse(invalid_field("/input", "wrong_type",
                                   "It must be an object, an array of objects, or null."));
  }
  if (request.dry_run) co_return Response::of(Json::null());
  const connect::Actor actor = request.actor();
  auto run = co_await services.engine.run(id, std::move(input), actor);
  TRIBUTARY_CO_TRY(run);
  request.audit_detail["runId"] = run->id;
  co_return Response::of(run_view(*run));
}

Task<Answer> list_pipeline_runs(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  store::RunFilter filter;
  filter.status = request.query_value("status").value_or("");
  if (!filter.status.empty() && !is_run_status(filter.status)) {
    co_return refuse(Problem(
        400, "invalid_parameter",
        "The query parameter status must be running, completed, completed_with_errors, failed or "
        "cancelled."));
  }
  filter.trigger = request.query_value("trigger").value_or("");
  auto from = query_time(request, "from");
  TRIBUTARY_CO_TRY(from);
  auto to = query_time(request, "to");
  TRIBUTARY_CO_TRY(to);
  filter.from = *from;
  filter.to = *to;
  const std::string id = request.parameter("id");
  if (!services.engine.pipeline(id)) co_return refuse(no_such("pipeline"));
  const std::string before = page->after;
  auto rows = co_await services.engine.runs(id, before, page->limit + 1, filter);
  TRIBUTARY_CO_TRY(rows);
  const bool more = rows->size() > page->limit;
  if (more) rows->resize(page->limit);
  Json items = json_array();
  for (const auto& row : *rows) items.push_back(run_view(row));
  std::optional<std::string> next;
  if (more) next = rows->back().id;
  co_return Response::of(page_answer(std::move(items), next));
}

Task<Answer> get_run(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto run = co_await services.engine.find_run(id);
  if (!run && run.error().code == "not_found") co_return refuse(no_such("run"));
  TRIBUTARY_CO_TRY(run);
  Json view = run_view(*run);
  if (run->input_kept) {
    auto input = co_await services.engine.run_input(id);
    TRIBUTARY_CO_TRY(input);
    view["input"] = get_member(*input, "records");
  }
  co_return Response::of(std::move(view));
}

Task<Answer> cancel_run(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto run = co_await services.engine.find_run(id);
  if (!run && run.error().code == "not_found") co_return refuse(no_such("run"));
  TRIBUTARY_CO_TRY(run);
  request.audit_detail["pipelineId"] = run->pipeline_id;
  if (request.dry_run) co_return Response::of(run_view(*run), 202);
  const connect::Actor actor = request.actor();
  auto cancelled = co_await services.engine.cancel_run(id, actor);
  TRIBUTARY_CO_TRY(cancelled);
  co_return Response::of(run_view(*cancelled), 202);
}

Task<Answer> rerun(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto run = co_await services.engine.find_run(id);
  if (!run && run.error().code == "not_found") co_return refuse(no_such("run"));
  TRIBUTARY_CO_TRY(run);
  request.audit_detail["pipelineId"] = run->pipeline_id;
  if (request.dry_run) co_return Response::of(Json::null());
  const connect::Actor actor = request.actor();
  auto again = co_await services.engine.rerun(id, actor);
  TRIBUTARY_CO_TRY(again);
  request.audit_detail["runId"] = again->id;
  co_return Response::of(run_view(*again));
}

}  // namespace tributary::api::handlers
