// A function made ready: points checked and placed once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "connectors/s7/settings.hpp"
#include "connectors/s7/src/calendar.hpp"
#include "connectors/s7/src/plan.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::s7 {

struct ReadWork {
  std::vector<Variable> variables;
  // Called again and again by the framework: a refused variable is not asked for in every scan.
  bool polled = false;
};
struct WriteWork {
  std::vector<Variable> variables;
  Json values;  // by point name; parameters of the call go first
  bool one_by_one = false;
  bool verify = false;
};
struct SystemWork {
  SystemSettings::Question question = SystemSettings::Question::kInfo;
};
struct ControlWork {
  ControlSettings::Action action = ControlSettings::Action::kStop;
  std::optional<ClockTime> time;  // kSetClock: absent is now, in UTC
};
using Work = std::variant<ReadWork, WriteWork, SystemWork, ControlWork>;

class S7Operation final : public sdk::Operation {
 public:
  S7Operation(std::uint64_t id, std::shared_ptr<const PointNames> names, Work work,
              std::size_t round_trips)
      : id_(id), names_(std::move(names)), work_(std::move(work)), round_trips_(round_trips) {}

  std::shared_ptr<const PointNames> points() const override { return names_; }
  std::size_t round_trips() const override { return round_trips_; }
  // Never used twice by one connector, so that what a session learns about an operation cannot be
  // taken for another's.
  std::uint64_t id() const { return id_; }
  const PointNames& names() const { return *names_; }
  const Work& work() const { return work_; }

 private:
  std::uint64_t id_;
  std::shared_ptr<const PointNames> names_;  // null for commands
  Work work_;
  std::size_t round_trips_;
};

// A point's place and type. Errors: kFunction "bad_address", "not_allowed", "out_of_range", with
// the member as pointer ("address").
Result<Variable> resolve(const Point& point);

// Checks what the schema cannot: addresses, types that fit them, values that fit. Errors: kFunction
// "bad_address", "not_allowed", "wrong_type", "out_of_range", "too_long", "unknown_point",
// "bad_range", "too_many", with a pointer below "/settings"; kConfiguration "unknown_function".
Result<std::shared_ptr<const S7Operation>> prepare_operation(const Json& connection_settings,
                                                             const sdk::FunctionSpec& function,
                                                             std::uint64_t id);

// The limits that settings and CPU agree on.
Limits limits_of(const ConnectionSettings& settings, std::size_t granted_pdu);

}  // namespace tributary::connectors::s7
