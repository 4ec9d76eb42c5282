// What wants a person's eye: alarms, and why a connection is down.
#include "connect/alarms.hpp"
#include "api/handlers/common.hpp"
#include "connect/explanation.hpp"

namespace tributary::api::handlers {
namespace {

Json change_view(const connect::ChangeBefore& change) {
  Json json = json_object();
  json["at"] = format_utc(change.at);
  json["kind"] = change.kind;
  json["by"] = text_or_null(change.by);
  json["what"] = change.what;
  return json;
}

Json count_view(const store::CauseCount& cause) {
  Json json = json_object();
  json["class"] = cause.cause_class;
  json["code"] = cause.code;
  json["count"] = cause.count;
  json["firstAt"] = format_utc(cause.first);
  json["lastAt"] = format_utc(cause.last);
  return json;
}

template <typename Items, typename Show>
Json list_of(const Items& items, Show show) {
  Json list = json_array();
  for (const auto& item : items) list.push_back(show(item));
  return list;
}

Json explanation_view(const connect::ConnectionView& connection,
                      const connect::Explanation& explanation, UtcTime now) {
  Json json = json_object();
  json["summary"] = explanation.summary;
  json["down"] = explanation.down;
  json["downSince"] = time_or_null(explanation.since);
  json["state"] = connect::to_json(connection.state);
  json["failures"] = explanation.failures;
  json["occurrences"] = explanation.occurrences;
  json["firstAt"] = time_or_null(explanation.first_at);
  json["lastAt"] = time_or_null(explanation.last_at);
  json["nextAttemptInMs"] = Json::null();
  if (connection.state.next_attempt_at) {
    const auto wait =
        std::chrono::ceil<std::chrono::milliseconds>(*connection.state.next_attempt_at - now);
    json["nextAttemptInMs"] = std::max<std::int64_t>(0, wait.count());
  }
  json["causes"] = list_of(explanation.causes, count_view);
  json["changedBefore"] = list_of(explanation.changes, change_view);
  return json;
}

}  // namespace

Task<Answer> list_alarms(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  auto only_active = query_flag(request, "active", false);
  TRIBUTARY_CO_TRY(only_active);
  const std::string connection(request.query_value("connectionId").value_or(""));
  connect::Alarms& alarms = services.manager.alarms();
  if (*only_active) {
    auto active = connection.empty() ? alarms.active() : alarms.active_of(connection);
    co_return Response::of(make_page(
        std::move(active), *page, [](const store::AlarmRow& row) { return row.id; }, alarm_view));
  }
  const std::size_t limit = page->limit;
  auto rows = co_await alarms.list(connection, page->after, limit + 1);
  TRIBUTARY_CO_TRY(rows);
  std::optional<std::string> next;
  if (rows->size() > limit) {
    rows->resize(limit);
    next = rows->back().id;
  }
  co_return Response::of(page_answer(list_of(*rows, alarm_view), next));
}

Task<Answer> explain_connection(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto connection = services.manager.connection(id);
  if (!connection) co_return refuse(no_such("connection"));
  std::vector<std::string> targets{id};
  for (const auto& function : services.manager.functions(id)) targets.push_back(function.row.id);
  const UtcTime now = services.runtime.clock().utc_now();
  auto explanation = co_await connect::explain_connection(services.store, connection->state,
                                                          std::move(targets), now);
  TRIBUTARY_CO_TRY(explanation);
  Json json = explanation_view(*connection, *explanation, now);
  json["hit"] = impact_of(services, {id});
  json["alarms"] = list_of(services.manager.alarms().active_of(id), alarm_view);
  co_return Response::of(std::move(json));
}

}  // namespace tributary::api::handlers
