// How many mails a connection sends in a minute, over all its sessions.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace tributary::connectors::smtp {

// Any thread.
class Throttle {
 public:
  // Takes a place, or says how long it is until there is one. `most` 0: there always is.
  std::optional<Duration> take(const std::string& connection_id, std::int64_t most, SteadyTime now);

 private:
  static constexpr std::size_t kMaxConnections =
      10'000;  // those that were idle for a minute are forgotten

  std::mutex mutex_;
  std::map<std::string, std::deque<SteadyTime>> sent_;
};

}  // namespace tributary::connectors::smtp
