// Slows guessing down: a number of attempts a minute for each account and address, so that an
// attacker locks out nobody but himself.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace tributary::auth {

class AttemptLimiter {
 public:
  static constexpr std::size_t kAttempts = 10;
  static constexpr Duration kWindow = std::chrono::minutes{1};
  // Pairs of account and address that are remembered; beyond it new ones wait until old ones are
  // forgotten.
  static constexpr std::size_t kMaxKeys = 10'000;

  // Counts an attempt and answers nullopt, or how long to wait when there were too many in the last
  // minute.
  std::optional<Duration> try_attempt(const std::string& account, const std::string& address,
                                      SteadyTime now);
  // After a success: the right person's typing errors do not count.
  void forget(const std::string& account, const std::string& address);

 private:
  using Key = std::pair<std::string, std::string>;
  void drop_old(SteadyTime now);

  std::map<Key, std::deque<SteadyTime>> attempts_;
};

}  // namespace tributary::auth
