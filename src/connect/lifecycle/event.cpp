#include "connect/lifecycle/event.hpp"

namespace tributary::connect::lifecycle {

std::string_view to_string(TimerKind kind) {
  switch (kind) {
    case TimerKind::kBackoff:
      return "backoff";
    case TimerKind::kCooldown:
      return "cooldown";
    case TimerKind::kDeadline:
      return "deadline";
    case TimerKind::kStable:
      return "stable";
  }
  return "backoff";
}

namespace {

std::string with_class(std::string_view name, const Error& error) {
  return fmt::format("{}({})", name, to_string(error.error_class));
}

struct Describe {
  std::string operator()(const Created&) const { return "Created"; }
  std::string operator()(const Booted& event) const {
    return fmt::format("Booted({})", to_string(event.intent));
  }
  std::string operator()(const Shutdown&) const { return "Shutdown"; }
  std::string operator()(const Start&) const { return "Start"; }
  std::string operator()(const Stop&) const { return "Stop"; }
  std::string operator()(const Restart&) const { return "Restart"; }
  std::string operator()(const Suspend&) const { return "Suspend"; }
  std::string operator()(const Resume&) const { return "Resume"; }
  std::string operator()(const ConfigChanged& event) const {
    return event.credentials ? "ConfigChanged(credentials)" : "ConfigChanged";
  }
  std::string operator()(const Delete& event) const {
    return event.forced ? "Delete(forced)" : "Delete";
  }
  std::string operator()(const Undeleted&) const { return "Undeleted"; }
  std::string operator()(const AttemptStarted&) const { return "AttemptStarted"; }
  std::string operator()(const Opened&) const { return "Opened"; }
  std::string operator()(const OpenFailed& event) const {
    return with_class("OpenFailed", event.error);
  }
  std::string operator()(const Lost& event) const { return with_class("Lost", event.error); }
  std::string operator()(const DegradedChanged&) const { return "DegradedChanged"; }
  std::string operator()(const TimerFired& event) const {
    return fmt::format("TimerFired({})", to_string(event.kind));
  }
};

}  // namespace

std::string describe(const Event& event) {
  return std::visit(Describe{}, event);
}

}  // namespace tributary::connect::lifecycle
