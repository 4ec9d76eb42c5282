// What a webhook remembers of its calls: how many lately, and which signatures. Pure: time comes
// in.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>

#include "base/time.hpp"

namespace tributary::orchestrate::hooks {

// A bucket that fills evenly: bursts of a sixth of a minute's calls, at least ten.
class RateLimit {
 public:
  // nullopt: go on. Otherwise how long to wait.
  std::optional<Duration> take(std::int64_t calls_per_minute, SteadyTime now);

 private:
  double tokens_ = 0;
  std::optional<SteadyTime> filled_at_;
};

// Calls that were taken, by their signatures, as long as their times would be accepted again.
class ReplayGuard {
 public:
  static constexpr std::size_t kMostRemembered = 50'000;  // beyond this the oldest are forgotten

  // False: this call was taken before.
  bool remember(const std::string& signature, SteadyTime now, Duration keep);
  // It was not taken after all: it may be sent again.
  void forget(const std::string& signature) { known_.erase(signature); }

 private:
  struct Entry {
    SteadyTime until;
    std::string signature;
  };
  std::set<std::string> known_;
  std::deque<Entry> order_;
};

}  // namespace tributary::orchestrate::hooks
