// One command for many connections, and what is hit when they stop.
#include "api/handlers/commands.hpp"
#include "api/handlers/common.hpp"
#include "orchestrate/usage.hpp"
#include "runtime/event.hpp"

namespace tributary::api::handlers {
namespace {

// Commands that are under way at the same time; the rest waits its turn.
constexpr std::size_t kAtOnce = 64;

struct Bulk {
  connect::Order order;
  connect::Selection selection;
};

// What one connection answers; `name` is empty when there is no such connection.
struct Item {
  std::string id;
  std::string name;
  std::optional<connect::StateView> state;
  std::optional<Problem> problem;
};

std::expected<Bulk, Problem> parse_bulk(const Json& body) {
  const Json& action = get_member(body, "action");
  const auto command =
      connect::parse_command(action.is_string() ? action.as<std::string>() : std::string());
  if (!command) {
    return refuse(invalid_field("/action", action.is_null() ? "required" : "not_allowed",
                                "It must be start, stop, restart, suspend or resume."));
  }
  Json rest = body;
  for (const char* member : {"action", "connectionIds", "labels", "type", "all"})
    rest.erase(member);
  auto order = parse_order(*command, rest);
  TRIBUTARY_TRY(order);
  std::vector<schema::FieldError> errors;
  Bulk bulk{std::move(*order), connect::parse_selection(body, "", errors)};
  if (!errors.empty()) return refuse(Problem(connect::Invalid{std::move(errors)}));
  return bulk;
}

std::vector<Item> select(const connect::Manager& manager, const connect::Selection& selection) {
  std::vector<Item> items;
  std::set<std::string> missing = selection.ids;
  for (const auto& connection : manager.connections()) {
    missing.erase(connection.row.id);
    if (selection.matches(connection.row))
      items.push_back({connection.row.id, connection.row.name, {}, {}});
  }
  for (const auto& id : missing) items.push_back({id, {}, {}, no_such("connection")});
  return items;
}

// Suspending many leaves alone what a person suspended before, whose reason and end are their own.
bool is_held_by_a_person(const connect::ConnectionView& connection) {
  const auto& suspension = connection.state.suspension;
  return suspension && suspension->window_id.empty();
}

Task<void> carry_out(Services& services, const Request& request, const connect::Order& order,
                     Item& item) {
  const auto current = services.manager.connection(item.id);
  if (!current) {
    item.problem = no_such("connection");
    co_return;
  }
  if (order.command == connect::Command::kSuspend && is_held_by_a_person(*current)) {
    item.state = current->state;
    co_return;
  }
  connect::Order copy = order;
  const connect::Actor actor = request.actor();
  auto after =
      co_await services.manager.carry_out(item.id, std::move(copy), actor, request.dry_run);
  if (after) {
    item.state = std::move(after->state);
  } else {
    item.problem = Problem(after.error());
  }
}

void audit(Services& services, const Request& request, const connect::Order& order,
           const Item& item) {
  Json detail = order_detail(order);
  detail["bulk"] = true;
  detail["via"] = std::string(to_string(request.via));
  if (!request.remote.empty()) detail["from"] = request.remote;
  detail["result"] = item.problem ? "refused" : "done";
  if (item.problem) detail["code"] = item.problem->code;
  services.auth.audit(request.principal,
                      fmt::format("connection.{}", connect::to_string(order.command)), item.id,
                      std::move(detail));
}

struct Work {
  explicit Work(const Executor& executor) : done(executor) {}
  std::vector<Item> items;
  std::size_t next = 0;
  std::size_t active = 0;
  Event done;
};

// One of several that share the items. The handler waits for all of them, so what it refers to
// stays.
Task<void> take_turns(Services& services, const Request& request, const connect::Order& order,
                      std::shared_ptr<Work> work) {
  while (work->next < work->items.size()) {
    Item& item = work->items[work->next++];
    if (!item.problem) co_await carry_out(services, request, order, item);
    if (!request.dry_run) audit(services, request, order, item);
  }
  if (--work->active == 0) work->done.set();
}

Json item_view(const Item& item) {
  Json json = json_object();
  json["id"] = item.id;
  json["name"] = text_or_null(item.name);
  json["ok"] = !item.problem;
  if (item.state) json["state"] = connect::to_json(*item.state);
  if (item.problem) {
    Json error = json_object();
    error["code"] = item.problem->code;
    error["message"] = item.problem->detail.empty() ? item.problem->title : item.problem->detail;
    if (!item.problem->hint.empty()) error["hint"] = item.problem->hint;
    json["error"] = std::move(error);
  }
  return json;
}

bool goes_down(connect::Command command) {
  return command == connect::Command::kStop || command == connect::Command::kSuspend ||
         command == connect::Command::kRestart;
}

Json bulk_view(const Services& services, const Bulk& bulk, const std::vector<Item>& items,
               bool dry_run) {
  Json list = json_array();
  std::int64_t failed = 0;
  std::vector<std::string> hit;
  for (const auto& item : items) {
    list.push_back(item_view(item));
    if (item.problem) ++failed;
    if (!item.problem && goes_down(bulk.order.command)) hit.push_back(item.id);
  }
  Json json = json_object();
  json["items"] = std::move(list);
  json["succeeded"] = std::ssize(items) - failed;
  json["failed"] = failed;
  if (dry_run) json["impact"] = impact_of(services, hit);
  return json;
}

}  // namespace

Json impact_of(const Services& services, const std::vector<std::string>& connection_ids) {
  std::map<std::string, sdk::FunctionKind> kinds;
  Json functions = json_array();
  for (const auto& connection_id : connection_ids) {
    for (const auto& function : services.manager.functions(connection_id)) {
      const sdk::FunctionKind kind = kind_of(services.manager.registry(), function.row.type);
      kinds[function.row.id] = kind;
      Json item = json_object();
      item["id"] = function.row.id;
      item["name"] = function.row.name;
      item["kind"] = std::string(to_string(kind));
      item["type"] = function.row.type;
      item["connectionId"] = connection_id;
      functions.push_back(std::move(item));
    }
  }
  Json pipelines = json_array();
  for (const auto& use : orchestrate::pipelines_using(services.engine.pipelines(), kinds)) {
    Json item = json_object();
    item["id"] = use.id;
    item["name"] = use.name;
    item["enabled"] = true;
    item["uses"] = std::string(use.uses);
    item["functionIds"] =
        Json(jsoncons::json_array_arg, use.function_ids.begin(), use.function_ids.end());
    pipelines.push_back(std::move(item));
  }
  Json json = json_object();
  json["functions"] = std::move(functions);
  json["pipelines"] = std::move(pipelines);
  return json;
}

Task<Answer> command_connections(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  auto bulk = parse_bulk(*body);
  TRIBUTARY_CO_TRY(bulk);
  auto errors = connect::check_order(bulk->order, services.runtime.clock().utc_now());
  if (!errors.empty()) co_return refuse(Problem(connect::Invalid{std::move(errors)}));
  auto work = std::make_shared<Work>(services.runtime.control());
  work->items = select(services.manager, bulk->selection);
  work->active = std::min(kAtOnce, work->items.size());
  const std::size_t workers = work->active;
  for (std::size_t i = 0; i < workers; ++i)
    spawn(services.runtime.control(), take_turns(services, request, bulk->order, work));
  if (workers > 0) co_await work->done.wait();
  request.audit_detail["action"] = get_member(*body, "action");
  request.audit_detail["connections"] = work->items.size();
  co_return Response::of(bulk_view(services, *bulk, work->items, request.dry_run));
}

Task<Answer> get_connection_impact(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  if (!services.manager.connection(id)) co_return refuse(no_such("connection"));
  co_return Response::of(impact_of(services, {id}));
}

}  // namespace tributary::api::handlers
