// When a polled function is scanned: on a fixed grid, so that a slow answer does not shift all
// later scans.
#pragma once

#include "base/time.hpp"

namespace tributary::connect {

class ScanGrid {
 public:
  // The first scan is at `origin`, the others at whole multiples of `interval` after it.
  ScanGrid(SteadyTime origin, Duration interval) : next_(origin), interval_(interval) {}

  SteadyTime next() const { return next_; }
  // The scan that was due at next() is over: goes to the first grid point that is not past. Returns
  // how many grid points were missed: they are merged into one scan, never made up for (edge case
  // 3).
  std::int64_t advance(SteadyTime now) {
    next_ += interval_;
    if (next_ >= now) return 0;
    const std::int64_t missed = (now - next_ + interval_ - Duration{1}) / interval_;
    next_ += missed * interval_;
    return missed;
  }

 private:
  SteadyTime next_;
  Duration interval_;
};

// The scans of the polled functions of one connection are spread over their interval, but the first
// data do not wait longer than a second for that.
inline Duration stagger(Duration interval, std::size_t index, std::size_t count) {
  if (count == 0) return Duration::zero();
  const Duration spread = std::min(interval, Duration{std::chrono::seconds{1}});
  return spread * static_cast<Duration::rep>(index) / static_cast<Duration::rep>(count);
}

}  // namespace tributary::connect
