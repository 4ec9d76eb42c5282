#include "api/handlers/common.hpp"

#include <charconv>

#include "api/health_views.hpp"
#include "connect/alarms.hpp"

namespace tributary::api::handlers {
namespace {

constexpr std::size_t kMaxAlarms = 1000;
constexpr std::size_t kExportPage = 1000;

// A row's number, from the cursor of the page before.
std::expected<std::int64_t, Problem> sequence_of(const PageRequest& page) {
  std::int64_t after = 0;
  if (page.after.empty()) return after;
  const char* last = page.after.data() + page.after.size();
  const auto [parsed, error] = std::from_chars(page.after.data(), last, after);
  if (error == std::errc() && parsed == last) return after;
  return refuse(Problem(400, "invalid_cursor", "Use the value of next from the page before."));
}

// ?format=, or what the client accepts.
std::expected<bool, Problem> wants_csv(const Request& request) {
  if (const auto format = request.query_value("format"); format && !format->empty()) {
    if (*format == "csv") return true;
    if (*format == "json") return false;
    return refuse(Problem(400, "invalid_parameter", "format is json or csv."));
  }
  return request.header("accept").starts_with("text/csv");
}

// All rows of the period, page by page from the disk to the client.
Response export_events(Services& services, const std::string& id, UtcTime from, UtcTime to) {
  Response response;
  response.set("Content-Type", "text/csv; charset=utf-8; header=present");
  response.set("Content-Disposition",
               fmt::format("attachment; filename=\"events-{}.csv\"", percent_encode(id)));
  struct Progress {
    std::int64_t after = 0;
    bool head = true;
    bool end = false;
  };
  response.parts = [&services, id, from, to,
                    progress = Progress()]() mutable -> Task<Result<std::optional<std::string>>> {
    if (progress.end) co_return std::nullopt;
    auto rows = co_await services.manager.events(id, from, to, progress.after, kExportPage);
    if (!rows) co_return fail(std::move(rows.error()));
    std::string part = std::exchange(progress.head, false) ? event_csv_head() : std::string();
    for (const auto& row : *rows) part += event_csv(row);
    if (!rows->empty()) progress.after = rows->back().seq;
    progress.end = rows->size() < kExportPage;
    co_return std::optional<std::string>(std::move(part));
  };
  return response;
}

Json alarms_view(Services& services, const Request& request) {
  Json list = json_array();
  for (const auto& alarm : services.manager.alarms().active()) {
    const auto connection = services.manager.connection(alarm.connection_id);
    if (!connection || !matches_labels(request, connection->row.labels)) continue;
    if (const auto type = request.query_value("type"); type && connection->row.type != *type)
      continue;
    if (list.size() == kMaxAlarms) break;
    list.push_back(alarm_view(alarm));
  }
  return list;
}

std::expected<connect::HealthRank, Problem> rank_of(const Request& request) {
  const std::string_view sort = request.query_value("sort").value_or("failures");
  if (sort == "failures") return connect::HealthRank::kFailures;
  if (sort == "downtime") return connect::HealthRank::kDowntime;
  if (sort == "flapping") return connect::HealthRank::kFlapping;
  return refuse(
      Problem(400, "invalid_parameter", "sort is one of failures, downtime and flapping."));
}

}  // namespace

Task<Answer> list_connection_events(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  auto from = query_time(request, "from");
  TRIBUTARY_CO_TRY(from);
  auto to = query_time(request, "to");
  TRIBUTARY_CO_TRY(to);
  auto after = sequence_of(*page);
  TRIBUTARY_CO_TRY(after);
  auto csv = wants_csv(request);
  TRIBUTARY_CO_TRY(csv);
  const std::string id = request.parameter("id");
  auto known = co_await services.manager.health_desk().knows(id);
  TRIBUTARY_CO_TRY(known);
  if (!*known) co_return refuse(no_such("connection"));
  const UtcTime begin = from->value_or(UtcTime{});
  // Without an end everything is wanted, rows from before the clock was set back as well.
  const UtcTime end = to->value_or(UtcTime::max());
  if (*csv) {
    if (request.query_value("limit") || request.query_value("cursor")) {
      co_return refuse(Problem(400, "invalid_parameter",
                               "A CSV file holds the whole period: use from and to, without limit "
                               "and cursor."));
    }
    co_return export_events(services, id, begin, end);
  }
  // One more than asked for tells whether there is a next page.
  auto rows = co_await services.manager.events(id, begin, end, *after, page->limit + 1);
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
  auto buckets = query_integer(request, "buckets", 0, 0, connect::kMaxBuckets);
  TRIBUTARY_CO_TRY(buckets);
  const std::string id = request.parameter("id");
  auto health = co_await services.manager.health_desk().health(id, period->from, period->to,
                                                               static_cast<std::size_t>(*buckets));
  TRIBUTARY_CO_TRY(health);
  co_return Response::of(connection_health_view(*health));
}

Task<Answer> get_system_health(Services& services, Request& request) {
  auto period = query_period(request, services.runtime.clock().utc_now());
  TRIBUTARY_CO_TRY(period);
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  auto rank = rank_of(request);
  TRIBUTARY_CO_TRY(rank);
  connect::SystemHealthQuery query;
  query.from = period->from;
  query.to = period->to;
  query.rank = *rank;
  query.limit = page->limit;
  query.after = page->after;
  query.wanted = [&request](const store::ConnectionRow& row) {
    const auto type = request.query_value("type");
    return (!type || row.type == *type) && matches_labels(request, row.labels);
  };
  auto health = co_await services.manager.health_desk().system(std::move(query));
  TRIBUTARY_CO_TRY(health);
  Json json = system_health_view(*health);
  json["next"] = health->next ? Json(encode_cursor(*health->next)) : Json::null();
  json["alarms"] = alarms_view(services, request);
  co_return Response::of(std::move(json));
}

}  // namespace tributary::api::handlers
