// How many connections may be opened at once: per node by rate, per target by number (lifecycle §5,
// G14, G29).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/time.hpp"
#include "runtime/task.hpp"

namespace tributary::connect {

struct LimiterOptions {
  int attempts_per_second = 20;
  int burst = 50;
  int per_target = 2;
};

// Shared by all connections of the node. Thread-safe.
class AttemptLimiter {
 public:
  explicit AttemptLimiter(LimiterOptions options);
  ~AttemptLimiter();
  AttemptLimiter(const AttemptLimiter&) = delete;
  AttemptLimiter& operator=(const AttemptLimiter&) = delete;

  // One of the places at a target, held while a connection is being opened. Released when it goes.
  using Turn = std::shared_ptr<void>;
  // A place in the queue of a target; dropping it (on the executor given to request) leaves the
  // queue.
  using Ticket = std::shared_ptr<void>;

  // When the next automatic attempt may begin: now, or later when the node's rate is used up. Takes
  // the place.
  SteadyTime reserve(SteadyTime now);
  // Calls `granted` on `executor` as soon as there is a place at `target`.
  [[nodiscard]] Ticket request(const std::string& target, Executor executor,
                               std::move_only_function<void(Turn)> granted);
  // A place at once, for people who do not want to wait; it counts all the same.
  [[nodiscard]] Turn take(const std::string& target);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tributary::connect
