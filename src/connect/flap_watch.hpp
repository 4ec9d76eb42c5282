// Raises an alarm for a connection that is lost again and again, and clears it when it is calm. The
// rule is the one of the health figures (health::Flapping), on the monotonic clock.
#pragma once

#include <map>

#include "connect/alarms.hpp"
#include "connect/health/tally.hpp"
#include "connect/manager.hpp"

namespace tributary::connect {

inline constexpr std::string_view kFlappingAlarm = "flapping";

// Lives on the control executor.
class FlapWatch {
 public:
  explicit FlapWatch(Alarms& alarms) : alarms_(alarms) {}
  void on_change(const StateChange& change, SteadyTime now);
  // Now and then: nothing happens to a connection that has become calm.
  void tick(SteadyTime now);

 private:
  Alarms& alarms_;
  std::map<std::string, health::Flapping> watched_;  // those with a loss lately
};

}  // namespace tributary::connect
