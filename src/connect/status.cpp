#include "connect/status.hpp"

namespace tributary::connect {

namespace {

constexpr std::array<std::string_view, 8> kNames = {"Idle",         "Connecting",   "Connected",
                                                    "Disconnected", "Reconnecting", "Failed",
                                                    "Suspended",    "Unknown"};

Json time_or_null(const std::optional<UtcTime>& time) {
  return time ? Json(format_utc(*time)) : Json::null();
}

}  // namespace

std::string_view to_string(Status status) {
  return kNames[static_cast<std::size_t>(status)];
}

std::optional<Status> parse_status(std::string_view text) {
  const auto found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Status>(found - kNames.begin());
}

std::string_view to_string(AfterSuspension then) {
  return then == AfterSuspension::kResume ? "resume" : "resumeAndStart";
}

std::optional<AfterSuspension> parse_after_suspension(std::string_view text) {
  for (auto then : {AfterSuspension::kResume, AfterSuspension::kResumeAndStart}) {
    if (to_string(then) == text) return then;
  }
  return std::nullopt;
}

Json to_json(const Cause& cause) {
  Json json = json_object();
  json["class"] = std::string(to_string(cause.error.error_class));
  json["code"] = cause.error.code;
  json["message"] = cause.error.message;
  if (!cause.error.hint.empty()) json["hint"] = cause.error.hint;
  if (!cause.error.pointer.empty()) json["pointer"] = cause.error.pointer;
  json["at"] = format_utc(cause.at);
  return json;
}

Json to_json(const BreakerView& breaker) {
  Json json = json_object();
  json["state"] = breaker.state;
  json["consecutiveFailures"] = breaker.consecutive_failures;
  json["openUntil"] = time_or_null(breaker.open_until);
  return json;
}

Json to_json(const StateView& state) {
  Json json = json_object();
  json["status"] = std::string(to_string(state.status));
  json["since"] = format_utc(state.since);
  json["epoch"] = state.epoch;
  json["attempt"] = state.attempt;
  json["cause"] = state.cause ? to_json(*state.cause) : Json::null();
  json["nextAttemptAt"] = time_or_null(state.next_attempt_at);
  json["degraded"] = state.degraded ? Json(*state.degraded) : Json::null();
  json["breaker"] = to_json(state.breaker);
  if (state.suspension) {
    Json suspension = json_object();
    suspension["reason"] = state.suspension->reason;
    suspension["by"] = state.suspension->by;
    suspension["at"] = format_utc(state.suspension->at);
    suspension["until"] = time_or_null(state.suspension->until);
    suspension["then"] = state.suspension->until
                             ? Json(std::string(to_string(state.suspension->then)))
                             : Json::null();
    json["suspension"] = std::move(suspension);
  } else {
    json["suspension"] = Json::null();
  }
  return json;
}

}  // namespace tributary::connect
