#include <charconv>

#include "api/handlers/common.hpp"

namespace tributary::api::handlers {
namespace {

using connect::Status;

constexpr std::size_t kMaxRanked = 1000;

bool is_issue(const connect::StateView& state) {
  switch (state.status) {
    case Status::kDisconnected:
    case Status::kReconnecting:
    case Status::kFailed:
      return true;
    case Status::kConnecting:
      return state.cause.has_value();
    case Status::kConnected:
      return state.degraded.has_value();
    default:
      return false;
  }
}

Json totals_of(const std::vector<connect::ConnectionView>& connections) {
  Json totals = json_object();
  for (auto status : {Status::kIdle, Status::kConnecting, Status::kConnected, Status::kDisconnected,
                      Status::kReconnecting, Status::kFailed, Status::kSuspended}) {
    totals[std::string(to_string(status))] = std::ranges::count_if(
        connections,
        [status](const auto& connection) { return connection.state.status == status; });
  }
  return totals;
}

Json issues_of(std::vector<connect::ConnectionView> connections) {
  std::erase_if(connections, [](const auto& connection) { return !is_issue(connection.state); });
  std::ranges::sort(connections, {}, [](const auto& connection) { return connection.state.since; });
  Json issues = json_array();
  for (const auto& connection : connections) {
    Json item = json_object();
    item["id"] = connection.row.id;
    item["name"] = connection.row.name;
    item["type"] = connection.row.type;
    item["state"] = connect::to_json(connection.state);
    issues.push_back(std::move(item));
  }
  return issues;
}

struct Ranked {
  connect::ConnectionView connection;
  connect::Health health;
};

Json ranking_of(std::vector<Ranked> ranked) {
  std::ranges::stable_sort(ranked, [](const Ranked& a, const Ranked& b) {
    if (a.health.failure_count != b.health.failure_count)
      return a.health.failure_count > b.health.failure_count;
    return a.health.uptime_percent.value_or(100) < b.health.uptime_percent.value_or(100);
  });
  Json list = json_array();
  for (const Ranked& entry : ranked) {
    Json item = json_object();
    item["id"] = entry.connection.row.id;
    item["name"] = entry.connection.row.name;
    item["type"] = entry.connection.row.type;
    item["status"] = std::string(to_string(entry.connection.state.status));
    Json figures = health_figures(entry.health);
    for (const auto& member : figures.object_range()) item[member.key()] = member.value();
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace

Task<Answer> list_connection_events(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  auto from = query_time(request, "from");
  TRIBUTARY_CO_TRY(from);
  auto to = query_time(request, "to");
  TRIBUTARY_CO_TRY(to);
  std::int64_t after = 0;
  if (!page->after.empty()) {
    const char* last = page->after.data() + page->after.size();
    auto [parsed, error] = std::from_chars(page->after.data(), last, after);
    if (error != std::errc() || parsed != last) {
      co_return refuse(
          Problem(400, "invalid_cursor", "Use the value of next from the page before."));
    }
  }
  const std::string id = request.parameter("id");
  if (!services.manager.connection(id)) co_return refuse(no_such("connection"));
  // One more than asked for tells whether there is a next page.
  const UtcTime begin = from->value_or(UtcTime{});
  // Without an end everything is wanted, rows from before the clock was set back as well.
  const UtcTime end = to->value_or(UtcTime::max());
  auto rows = co_await services.manager.events(id, begin, end, after, page->limit + 1);
  TRIBUTARY_CO_TRY(rows);
  std::optional<std::string> next;
  if (rows->size() > page->limit) {
    rows->resize(page->limit);
    next = std::to_string(rows->back().seq);
  }
  Json items = json_array();
  for (const auto& row : *rows) items.push_back(event_view(row));
  co_return Response::of(page_answer(std::move(items), next));
}

Task<Answer> get_connection_health(Services& services, Request& request) {
  auto period = query_period(request, services.runtime.clock().utc_now());
  TRIBUTARY_CO_TRY(period);
  const std::string id = request.parameter("id");
  if (!services.manager.connection(id)) co_return refuse(no_such("connection"));
  auto health = co_await services.manager.health(id, period->from, period->to);
  TRIBUTARY_CO_TRY(health);
  Json json = json_object();
  json["from"] = format_utc(health->from);
  json["to"] = format_utc(health->to);
  json["timeline"] = timeline_view(*health);
  Json figures = health_figures(*health);
  for (const auto& member : figures.object_range()) json[member.key()] = member.value();
  co_return Response::of(std::move(json));
}

Task<Answer> get_system_health(Services& services, Request& request) {
  auto period = query_period(request, services.runtime.clock().utc_now());
  TRIBUTARY_CO_TRY(period);
  std::vector<connect::ConnectionView> connections = services.manager.connections();
  Json json = json_object();
  json["from"] = format_utc(period->from);
  json["to"] = format_utc(period->to);
  json["totals"] = totals_of(connections);
  Json issues = issues_of(connections);
  std::vector<Ranked> ranked;
  for (auto& connection : connections) {
    if (ranked.size() == kMaxRanked) break;
    const std::string id = connection.row.id;
    auto health = co_await services.manager.health(id, period->from, period->to);
    // A connection that was deleted since the list was made is left out.
    if (health) ranked.push_back({std::move(connection), std::move(*health)});
  }
  json["mostFailures"] = ranking_of(std::move(ranked));
  json["currentIssues"] = std::move(issues);
  co_return Response::of(std::move(json));
}

}  // namespace tributary::api::handlers
