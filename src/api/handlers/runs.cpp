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
  auto status = request.query_value("status");
  if (status && !is_run_status(*status)) {
    co_return refuse(Problem(
        400, "invalid_parameter",
        "The query parameter status must be running, completed, completed_with_errors, failed or "
        "cancelled."));
  }
  const std::string id = request.parameter("id");
  if (!services.engine.pipeline(id)) co_return refuse(no_such("pipeline"));
  Json items = json_array();
  std::string before = page->after;
  bool more = true;
  // With a filter a page may take several readings; each is bounded by the limit.
  while (more && items.size() < page->limit) {
    auto rows = co_await services.engine.runs(id, before, page->limit + 1);
    TRIBUTARY_CO_TRY(rows);
    more = rows->size() > page->limit;
    if (more) rows->resize(page->limit);
    for (const auto& row : *rows) {
      before = row.id;
      if (!status || row.status == *status) items.push_back(run_view(row));
      if (items.size() == page->limit) {
        more = more || &row != &rows->back();
        break;
      }
    }
  }
  std::optional<std::string> next;
  if (more) next = before;
  co_return Response::of(page_answer(std::move(items), next));
}

Task<Answer> get_run(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto run = co_await services.engine.find_run(id);
  if (!run && run.error().code == "not_found") co_return refuse(no_such("run"));
  TRIBUTARY_CO_TRY(run);
  co_return Response::of(run_view(*run));
}

}  // namespace tributary::api::handlers
