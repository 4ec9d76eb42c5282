// Notices that the wall clock was set while the hub runs: two readings of both clocks tell.
#pragma once

#include <optional>

#include "base/time.hpp"

namespace tributary::connect::health {

// Slewing and the reading itself stay far below.
inline constexpr std::chrono::microseconds kClockStep = std::chrono::seconds{1};

struct ClockStep {
  UtcTime at;  // on the timeline of the status: where the clock would stand without any step
  std::chrono::microseconds by;  // positive: set forward
};

class ClockWatch {
 public:
  // Each heartbeat's readings, in order.
  std::optional<ClockStep> beat(UtcTime utc, SteadyTime steady);

 private:
  struct Reading {
    UtcTime utc;
    SteadyTime steady;
  };
  std::optional<Reading> first_;
  std::optional<Reading> last_;
};

}  // namespace tributary::connect::health
