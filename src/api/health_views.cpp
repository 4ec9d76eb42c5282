#include "api/health_views.hpp"

#include <cmath>

#include "api/csv.hpp"
#include "api/views.hpp"

namespace tributary::api {
namespace {

using connect::Status;
using connect::health::Figures;
using connect::health::Micros;

// To the microsecond: the seconds of all statuses add up to the window.
double seconds(Micros duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

Json seconds_or_null(const std::optional<Micros>& duration) {
  return duration ? Json(seconds(*duration)) : Json::null();
}

Json number_or_null(const std::optional<double>& number) {
  return number ? Json(std::round(*number * 1000.0) / 1000.0) : Json::null();
}

Json durations_view(const std::array<Micros, connect::health::kStatuses>& spent) {
  Json durations = json_object();
  for (std::size_t i = 0; i < spent.size(); ++i)
    durations[std::string(to_string(static_cast<Status>(i)))] = seconds(spent[i]);
  return durations;
}

void add_figures(Json& json, const Figures& figures) {
  json["durations"] = durations_view(figures.spent);
  const auto uptime = figures.uptime_percent();
  json["uptimePercent"] = number_or_null(uptime);
  json["uptimeReason"] = uptime ? Json::null() : Json("no data");
  json["connectedSeconds"] = seconds(figures.in(Status::kConnected));
  json["countedSeconds"] = seconds(figures.counted());
  json["downSeconds"] = seconds(figures.down());
  Json excluded = json_object();
  excluded["idleSeconds"] = seconds(figures.in(Status::kIdle));
  excluded["suspendedSeconds"] = seconds(figures.in(Status::kSuspended));
  excluded["unknownSeconds"] = seconds(figures.in(Status::kUnknown));
  json["excluded"] = std::move(excluded);
  json["failureCount"] = figures.failures;
  json["recoveries"] = figures.recoveries;
  json["meanRecoverySeconds"] = number_or_null(figures.mean_recovery_seconds());
  json["meanTimeBetweenFailuresSeconds"] =
      number_or_null(figures.mean_time_between_failures_seconds());
}

// What is of one connection only.
void add_own_figures(Json& json, const Figures& figures, std::int64_t changes_in_last_hour) {
  add_figures(json, figures);
  json["longestRecoverySeconds"] = seconds_or_null(figures.longest.recovery);
  json["longestOutageSeconds"] = seconds_or_null(figures.longest_outage());
  json["openOutageSeconds"] = seconds_or_null(figures.open_outage);
  Json flapping = json_object();
  flapping["active"] = figures.flapping_since.has_value();
  flapping["since"] = time_or_null(figures.flapping_since);
  flapping["changesPerHour"] = changes_in_last_hour;
  json["flapping"] = std::move(flapping);
}

void add_clock(Json& json, const std::vector<store::ClockStepRow>& steps) {
  json["clockUncertain"] = !steps.empty();
  Json list = json_array();
  for (const auto& step : steps) {
    Json item = json_object();
    item["at"] = format_utc(step.at);
    item["seconds"] = seconds(Micros{step.step_us});
    list.push_back(std::move(item));
  }
  json["clockSteps"] = std::move(list);
}

Json subject_view(const connect::HealthSubject& subject) {
  Json json = json_object();
  json["id"] = subject.id;
  json["name"] = subject.name;
  json["type"] = subject.type;
  json["status"] = std::string(to_string(subject.status));
  return json;
}

Json ranking_view(const std::vector<connect::RankedHealth>& ranking) {
  Json list = json_array();
  for (const auto& ranked : ranking) {
    Json item = subject_view(ranked.subject);
    add_own_figures(item, ranked.figures, ranked.changes_in_last_hour);
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace

Json connection_health_view(const connect::ConnectionHealth& health) {
  Json json = json_object();
  json["from"] = format_utc(health.from);
  json["to"] = format_utc(health.to);
  Json timeline = json_array();
  for (const auto& segment : health.timeline) {
    Json item = json_object();
    item["from"] = format_utc(segment.from);
    item["to"] = format_utc(segment.to);
    item["status"] = std::string(to_string(segment.status));
    timeline.push_back(std::move(item));
  }
  json["timeline"] = std::move(timeline);
  json["timelineComplete"] = health.timeline_complete;
  Json buckets = json_array();
  for (const auto& bucket : health.buckets) {
    Json item = json_object();
    item["from"] = format_utc(bucket.from);
    item["to"] = format_utc(bucket.to);
    item["seconds"] = durations_view(bucket.spent);
    item["failures"] = bucket.failures;
    buckets.push_back(std::move(item));
  }
  json["buckets"] = std::move(buckets);
  add_own_figures(json, health.figures, health.changes_in_last_hour);
  add_clock(json, health.clock_steps);
  return json;
}

Json system_health_view(const connect::SystemHealth& health) {
  Json json = json_object();
  json["from"] = format_utc(health.from);
  json["to"] = format_utc(health.to);
  json["connections"] = health.connections;
  Json totals = json_object();
  for (std::size_t i = 0; i < health.totals.size(); ++i) {
    const auto status = static_cast<Status>(i);
    if (status != Status::kUnknown) totals[std::string(to_string(status))] = health.totals[i];
  }
  json["totals"] = std::move(totals);
  add_figures(json, health.figures);
  json["items"] = ranking_view(health.page);
  json["mostFailures"] = ranking_view(health.most_failures);
  json["mostDowntime"] = ranking_view(health.most_downtime);
  json["flapping"] = ranking_view(health.flapping);
  json["issueCount"] = health.issue_count;
  Json issues = json_array();
  for (const auto& issue : health.issues) {
    Json item = subject_view(issue.subject);
    item["state"] = connect::to_json(issue.state);
    issues.push_back(std::move(item));
  }
  json["currentIssues"] = std::move(issues);
  add_clock(json, health.clock_steps);
  return json;
}

std::string event_csv_head() {
  return csv_line({"seq", "at", "from", "to", "epoch", "causeClass", "causeCode", "causeMessage",
                   "note", "actor", "monotonicNs", "bootId"});
}

std::string event_csv(const store::HistoryRow& row) {
  return csv_line({std::to_string(row.seq), format_utc(row.at), csv_text(row.from),
                   csv_text(row.to), std::to_string(row.epoch), csv_text(row.cause_class),
                   csv_text(row.cause_code), csv_text(row.cause_message), csv_text(row.note),
                   csv_text(row.actor),
                   row.monotonic_ns != 0 ? std::to_string(row.monotonic_ns) : std::string(),
                   csv_text(row.boot_id)});
}

}  // namespace tributary::api
