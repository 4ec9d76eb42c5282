#include "api/handlers/common.hpp"

namespace tributary::api::handlers {
namespace {

using Command = Task<Result<connect::ConnectionView>> (connect::Manager::*)(std::string,
                                                                            connect::Actor);

Task<Answer> command(Services& services, Request& request, Command run) {
  const std::string id = request.parameter("id");
  const connect::Actor actor = request.actor();
  auto current = services.manager.connection(id);
  if (!current) co_return refuse(no_such("connection"));
  if (request.dry_run) co_return edited(connection_view(*current), current->row.version);
  auto after = co_await (services.manager.*run)(id, actor);
  TRIBUTARY_CO_TRY(after);
  co_return edited(connection_view(*after), after->row.version);
}

}  // namespace

Task<Answer> start_connection(Services& services, Request& request) {
  return command(services, request, &connect::Manager::start);
}

Task<Answer> stop_connection(Services& services, Request& request) {
  return command(services, request, &connect::Manager::stop);
}

Task<Answer> restart_connection(Services& services, Request& request) {
  return command(services, request, &connect::Manager::restart);
}

Task<Answer> suspend_connection(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  TRIBUTARY_CO_TRY(refuse_unknown(*body, {"reason", "until"}));
  const Json& reason = get_member(*body, "reason");
  if (!reason.is_string() ||
      reason.as<std::string>().find_first_not_of(" \t\r\n") == std::string::npos) {
    co_return refuse(invalid_field("/reason", "required", "Say why the connection is suspended."));
  }
  std::optional<UtcTime> until;
  const Json& until_text = get_member(*body, "until");
  if (!until_text.is_null()) {
    auto time = parse_utc(until_text.is_string() ? until_text.as<std::string>() : std::string());
    if (!time)
      co_return refuse(
          invalid_field("/until", "format", "It must be a time such as 2026-11-22T10:00:00Z."));
    until = *time;
  }
  const std::string id = request.parameter("id");
  const connect::Actor actor = request.actor();
  auto current = services.manager.connection(id);
  if (!current) co_return refuse(no_such("connection"));
  if (request.dry_run) co_return edited(connection_view(*current), current->row.version);
  request.audit_detail["reason"] = reason;
  std::string text = reason.as<std::string>();
  auto after = co_await services.manager.suspend(id, std::move(text), until, actor);
  TRIBUTARY_CO_TRY(after);
  co_return edited(connection_view(*after), after->row.version);
}

Task<Answer> resume_connection(Services& services, Request& request) {
  auto body = body_object(request, true);
  TRIBUTARY_CO_TRY(body);
  TRIBUTARY_CO_TRY(refuse_unknown(*body, {"start"}));
  const Json& start = get_member(*body, "start");
  if (!start.is_null() && !start.is_bool()) {
    co_return refuse(invalid_field("/start", "wrong_type", "It must be true or false."));
  }
  const std::string id = request.parameter("id");
  const connect::Actor actor = request.actor();
  auto current = services.manager.connection(id);
  if (!current) co_return refuse(no_such("connection"));
  if (request.dry_run) co_return edited(connection_view(*current), current->row.version);
  const bool start_now = get_bool(*body, "start", false);
  auto after = co_await services.manager.resume(id, start_now, actor);
  TRIBUTARY_CO_TRY(after);
  co_return edited(connection_view(*after), after->row.version);
}

Task<Answer> test_connection(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  if (!services.manager.connection(id)) co_return refuse(no_such("connection"));
  if (request.dry_run) co_return Response::of(diagnosis_view({.success = true, .stages = {}}));
  auto diagnosis = co_await services.manager.test(id);
  TRIBUTARY_CO_TRY(diagnosis);
  co_return Response::of(diagnosis_view(*diagnosis));
}

Task<Answer> test_unsaved_connection(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  request.audit_detail["body"] = without_secrets(*body);
  if (request.dry_run) co_return Response::of(diagnosis_view({.success = true, .stages = {}}));
  auto diagnosis = co_await services.manager.test_unsaved(std::move(*body));
  TRIBUTARY_CO_TRY(diagnosis);
  co_return Response::of(diagnosis_view(*diagnosis));
}

Task<Answer> browse_connection(Services& services, Request& request) {
  // The peer pages by itself: its cursor travels inside ours.
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  const std::string id = request.parameter("id");
  if (!services.manager.connection(id)) co_return refuse(no_such("connection"));
  std::string node(request.query_value("node").value_or(""));
  auto found = co_await services.manager.browse(id, std::move(node), page->after);
  TRIBUTARY_CO_TRY(found);
  Json items = json_array();
  for (const auto& entry : found->nodes) {
    Json item = json_object();
    item["id"] = entry.id;
    item["name"] = entry.name;
    item["hasChildren"] = entry.has_children;
    item["details"] = entry.details;
    items.push_back(std::move(item));
  }
  std::optional<std::string> next;
  if (!found->next.empty()) next = found->next;
  co_return Response::of(page_answer(std::move(items), next));
}

}  // namespace tributary::api::handlers
