#include "tests/simulation/oracle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace tributary::simulation {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The table of the lifecycle page, section 2, typed from there.
const std::set<std::string, std::less<>> kListed = {
    ">Idle",                      // T1
    "Idle>Connecting",            // T2
    "Connecting>Connected",       // T3
    "Connecting>Disconnected",    // T4
    "Connecting>Failed",          // T5
    "Connecting>Idle",            // T6
    "Connecting>Suspended",       // T7
    "Connected>Disconnected",     // T8
    "Connected>Failed",           // T9
    "Connected>Idle",             // T10
    "Connected>Suspended",        // T11
    "Connected>Connecting",       // T12
    "Disconnected>Reconnecting",  // T13
    "Disconnected>Failed",        // T14
    "Disconnected>Connecting",    // T15
    "Disconnected>Idle",
    "Disconnected>Suspended",     // T16
    "Reconnecting>Connected",     // T17
    "Reconnecting>Disconnected",  // T18
    "Reconnecting>Failed",        // T19
    "Reconnecting>Idle",
    "Reconnecting>Suspended",  // T20
    "Failed>Reconnecting",     // T21
    "Failed>Connecting",       // T22
    "Failed>Idle",
    "Failed>Suspended",  // T23
    "Suspended>Idle",    // T24
    "Unknown>Idle",
    "Unknown>Suspended",  // T27
};

bool is_listed(const Row& row) {
  if (row.to == "Unknown") return !row.from.empty() && row.from != "Unknown";  // T27
  return kListed.contains(fmt::format("{}>{}", row.from, row.to));
}

bool counts(const std::string& error_class) {
  return error_class == "Transient" || error_class == "Name";
}

Duration floor_of(const std::string& error_class) {
  if (error_class == "Name" || error_class == "Busy") return seconds{10};
  if (error_class == "Identity") return seconds{60};
  return {};
}

}  // namespace

std::string describe(const Row& row) {
  return fmt::format("#{} {}>{} epoch {}{}{}", row.seq, row.from, row.to, row.epoch,
                     row.cause_code.empty() ? "" : " " + row.cause_code,
                     row.note.empty() ? "" : " (" + row.note + ")");
}

std::string Oracle::take(const Row& row) {
  std::string wrong = check_link(row);
  if (wrong.empty()) wrong = check_cause(row);
  if (wrong.empty()) wrong = check_wait(row);
  count(row);
  if (wrong.empty() && row.to == "Disconnected" && row.from != "Connected" && should_be_failed())
    wrong = "breaker: Disconnected although the failures should have opened it";
  last_ = row;
  late_ = false;
  return wrong;
}

void Oracle::blur() {
  sure_ = false;
}

bool Oracle::should_be_failed() const {
  return sure_ && failures_ >= patience_.failures_to_open && last_ && counts(last_->cause_class);
}

Duration Oracle::since_last(const Row& row) const {
  return Duration{row.monotonic_ns - last_->monotonic_ns};
}

// Invariant 5, and the table.
std::string Oracle::check_link(const Row& row) const {
  if (row.seq != (last_ ? last_->seq + 1 : 1)) return "invariant 5: the numbers have a hole";
  if (row.from != (last_ ? last_->to : "")) return "invariant 5: from is not the previous to";
  if (!is_listed(row)) return "a transition that is not listed";
  if (last_ && row.epoch < last_->epoch && row.boot == last_->boot) return "the epoch went back";
  return {};
}

// Invariant 8, and what opens the breaker.
std::string Oracle::check_cause(const Row& row) const {
  const bool down = row.to == "Disconnected" || row.to == "Failed";
  if (!down) return {};
  if (row.cause_class.empty()) return "down without a cause";
  if (row.cause_class == "Function" || row.cause_class == "Cancelled")
    return "invariant 8: something else than a connection error took the connection down";
  const bool trips = row.to == "Failed" && counts(row.cause_class) && !probing_;
  const int failures = failures_ + (row.from == "Disconnected" ? 0 : 1);
  if (trips && sure_ && failures < patience_.failures_to_open)
    return "breaker: opened before its time";
  if (row.to == "Failed" && row.cause_class == "Standby" && !probing_)
    return "breaker: opened by a standby";
  return {};
}

// Invariants 7 and 9: how long it waited before it tried again.
std::string Oracle::check_wait(const Row& row) const {
  if (!last_ || row.boot != last_->boot || late_) return {};
  if (row.to == "Reconnecting" && row.from == "Disconnected") {
    const double step = sure_ ? std::max(0, steps_ - 1) : 0;
    const double grown =
        static_cast<double>(patience_.initial.count()) * std::pow(patience_.multiplier, step);
    const double base = std::min(grown, static_cast<double>(patience_.longest.count()));
    const Duration least =
        std::max(Duration{static_cast<Duration::rep>(base / 2)}, floor_of(last_->cause_class));
    if (since_last(row) + milliseconds{1} < least)
      return fmt::format("invariant 9: waited {} ms, at least {} were due",
                         since_last(row) / milliseconds{1}, least / milliseconds{1});
  }
  if (row.to == "Reconnecting" && row.from == "Failed") {
    const Duration least = std::min(patience_.cooldown, patience_.longest_cooldown) * 8 / 10;
    if (since_last(row) + milliseconds{1} < least)
      return "invariant 7: the cool-down was cut short";
    if (last_->cause_class == "Identity" || last_->cause_class == "Configuration")
      return "a cause that waits for a person was tried again";
  }
  return {};
}

void Oracle::reset() {
  failures_ = 0;
  steps_ = 0;
  sure_ = true;
}

void Oracle::count(const Row& row) {
  if (row.to == "Unknown" || row.from == "Unknown") reset();    // a new process counts from zero
  if (row.note == "resume") reset();                            // T24
  if (row.from == "Failed" && row.to == "Connecting") reset();  // T22
  if (row.from == "Disconnected" && row.to == "Connecting") steps_ = 0;  // T15
  if (row.from == "Connected" && last_) {
    // Around the stable time it may or may not have been stable.
    const Duration held = since_last(row);
    const Duration slack = seconds{3};
    // After a sleep of the machine the loss and the end of the stable time are due at once, and
    // which of them comes first is nobody's promise.
    if (late_ || (held + slack > patience_.stable && held <= patience_.stable + slack)) {
      sure_ = false;
    } else if (held > patience_.stable + slack) {
      reset();
    }
  }
  if (row.to == "Reconnecting") probing_ = row.from == "Failed";
  const bool down = row.to == "Disconnected" || row.to == "Failed";
  if (down && row.from != "Disconnected" && counts(row.cause_class)) ++failures_;
  if (row.to == "Disconnected") ++steps_;
  // The loss tripped the breaker: the row in between had no wait of its own.
  if (row.from == "Disconnected" && row.to == "Failed") --steps_;
  if (row.to != "Reconnecting" && row.to != "Failed") probing_ = false;
}

std::optional<Duration> Oracle::longest_rest() const {
  if (!last_) return std::nullopt;
  const std::string& error_class = last_->cause_class;
  if (last_->to == "Failed") {
    const bool person = error_class == "Identity" || error_class == "Configuration";
    if (!patience_.automatic_reset || person) return std::nullopt;
    if (error_class == "Trust") return minutes{10};
    return std::max(patience_.longest_cooldown, floor_of(error_class) * 5 / 4);
  }
  return std::max(patience_.longest, std::max(floor_of(error_class), Duration{seconds{75}}));
}

}  // namespace tributary::simulation
