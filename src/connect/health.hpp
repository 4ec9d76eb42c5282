// Uptime and its relatives, computed from rows of history (lifecycle §6). Pure: rows and a window
// in, numbers out.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "connect/manager.hpp"

namespace tributary::connect {

// A window in UTC. The end is cut to `now` by compute_health: nothing is said about the future.
struct HealthWindow {
  UtcTime from, to;
  UtcTime now;
};

// `rows` in order of seq: the last row before the window, when there is one, and those inside. The
// time before the first row counts as Unknown. Within one boot a duration is the difference of
// monotonic times, so a step of the wall clock neither shortens nor lengthens anything; across
// boots it is the difference of UTC times, never below zero. The seconds of all statuses sum up to
// the window exactly.
Health compute_health(std::span<const store::HistoryRow> rows, const HealthWindow& window);

// The UTC time at which each row took effect, corrected for steps of the wall clock: never
// decreasing.
std::vector<UtcTime> effective_times(std::span<const store::HistoryRow> rows);

}  // namespace tributary::connect
