#include "api/handlers/commands.hpp"
#include "api/handlers/common.hpp"
#include "sdk/node_reader.hpp"

namespace tributary::api::handlers {
namespace {

std::expected<std::optional<UtcTime>, Problem> parse_until(const Json& body) {
  const Json& text = get_member(body, "until");
  if (text.is_null()) return std::nullopt;
  auto time = parse_utc(text.is_string() ? text.as<std::string>() : std::string());
  if (time) return *time;
  return refuse(
      invalid_field("/until", "format", "It must be a time such as 2026-11-22T10:00:00Z."));
}

std::expected<connect::AfterSuspension, Problem> parse_then(const Json& body, bool has_end) {
  const Json& text = get_member(body, "then");
  if (text.is_null()) return connect::AfterSuspension::kResumeAndStart;
  const auto then =
      connect::parse_after_suspension(text.is_string() ? text.as<std::string>() : std::string());
  if (!then)
    return refuse(invalid_field("/then", "not_allowed", "It must be resume or resumeAndStart."));
  if (!has_end) {
    return refuse(
        invalid_field("/then", "not_allowed",
                      "It says what follows at the end of the suspension: give until as well."));
  }
  return *then;
}

connect::Order plain(connect::Command command) {
  connect::Order order;
  order.command = command;
  return order;
}

Task<Answer> carry_out(Services& services, Request& request, connect::Order order) {
  const std::string id = request.parameter("id");
  const connect::Actor actor = request.actor();
  auto current = services.manager.connection(id);
  if (!current) co_return refuse(no_such("connection"));
  request.audit_detail = order_detail(order);
  if (request.dry_run) {
    auto errors = connect::check_order(order, services.runtime.clock().utc_now());
    if (!errors.empty()) co_return refuse(Problem(connect::Invalid{std::move(errors)}));
    co_return edited(connection_answer(services, *current), current->row.version);
  }
  auto after = co_await services.manager.carry_out(id, std::move(order), actor, false);
  TRIBUTARY_CO_TRY(after);
  co_return edited(connection_answer(services, *after), after->row.version);
}

}  // namespace

std::expected<connect::Order, Problem> parse_order(connect::Command command, const Json& body) {
  connect::Order order;
  order.command = command;
  if (command == connect::Command::kSuspend) {
    TRIBUTARY_TRY(refuse_unknown(body, {"reason", "until", "then"}));
    const Json& reason = get_member(body, "reason");
    if (!reason.is_string() ||
        reason.as<std::string>().find_first_not_of(" \t\r\n") == std::string::npos) {
      return refuse(invalid_field("/reason", "required", "Say why the connection is suspended."));
    }
    order.reason = reason.as<std::string>();
    auto until = parse_until(body);
    TRIBUTARY_TRY(until);
    order.until = *until;
    auto then = parse_then(body, order.until.has_value());
    TRIBUTARY_TRY(then);
    order.then = *then;
  } else if (command == connect::Command::kResume) {
    TRIBUTARY_TRY(refuse_unknown(body, {"start"}));
    const Json& start = get_member(body, "start");
    if (!start.is_null() && !start.is_bool())
      return refuse(invalid_field("/start", "wrong_type", "It must be true or false."));
    order.start = get_bool(body, "start", false);
  } else {
    TRIBUTARY_TRY(refuse_unknown(body, {}));
  }
  return order;
}

Json order_detail(const connect::Order& order) {
  Json detail = json_object();
  if (order.command == connect::Command::kSuspend) {
    detail["reason"] = order.reason;
    detail["until"] = time_or_null(order.until);
    if (order.until) detail["then"] = std::string(to_string(order.then));
  }
  if (order.command == connect::Command::kResume) detail["start"] = order.start;
  return detail;
}

Task<Answer> start_connection(Services& services, Request& request) {
  return carry_out(services, request, plain(connect::Command::kStart));
}

Task<Answer> stop_connection(Services& services, Request& request) {
  return carry_out(services, request, plain(connect::Command::kStop));
}

Task<Answer> restart_connection(Services& services, Request& request) {
  return carry_out(services, request, plain(connect::Command::kRestart));
}

Task<Answer> suspend_connection(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  auto order = parse_order(connect::Command::kSuspend, *body);
  TRIBUTARY_CO_TRY(order);
  co_return co_await carry_out(services, request, std::move(*order));
}

Task<Answer> resume_connection(Services& services, Request& request) {
  auto body = body_object(request, true);
  TRIBUTARY_CO_TRY(body);
  auto order = parse_order(connect::Command::kResume, *body);
  TRIBUTARY_CO_TRY(order);
  co_return co_await carry_out(services, request, std::move(*order));
}

Task<Answer> test_connection(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  if (!services.manager.connection(id)) co_return refuse(no_such("connection"));
  if (request.dry_run)
    co_return Response::of(diagnosis_view({.success = true, .stages = {}}, Json::null()));
  auto diagnosis = co_await services.manager.test(id);
  TRIBUTARY_CO_TRY(diagnosis);
  co_return Response::of(diagnosis_view(*diagnosis, refused_certificate(services, *diagnosis)));
}

Task<Answer> test_unsaved_connection(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  request.audit_detail["body"] = without_secrets(*body);
  if (request.dry_run)
    co_return Response::of(diagnosis_view({.success = true, .stages = {}}, Json::null()));
  auto diagnosis = co_await services.manager.test_unsaved(std::move(*body), request.actor());
  TRIBUTARY_CO_TRY(diagnosis);
  co_return Response::of(diagnosis_view(*diagnosis, refused_certificate(services, *diagnosis)));
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

Task<Answer> read_browsed_nodes(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  TRIBUTARY_CO_TRY(refuse_unknown(*body, {"nodes"}));
  auto big = query_bigint(request);
  TRIBUTARY_CO_TRY(big);
  const Json& list = get_member(*body, "nodes");
  if (!list.is_array() || list.empty() || list.size() > sdk::kMaxNodesRead) {
    co_return refuse(invalid_field(
        "/nodes", "wrong_type",
        fmt::format("It must be a list of 1 to {} ids of nodes.", sdk::kMaxNodesRead)));
  }
  std::vector<std::string> nodes;
  for (const Json& node : list.array_range()) {
    if (!node.is_string()) {
      co_return refuse(invalid_field(fmt::format("/nodes/{}", nodes.size()), "wrong_type",
                                     "It must be the id of a node."));
    }
    nodes.push_back(node.as<std::string>());
  }
  const std::string id = request.parameter("id");
  if (!services.manager.connection(id)) co_return refuse(no_such("connection"));
  auto batch = co_await services.manager.read_nodes(id, std::move(nodes));
  TRIBUTARY_CO_TRY(batch);
  co_return Response::of(batch_view(*batch, *big));
}

}  // namespace tributary::api::handlers
