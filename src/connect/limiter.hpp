// How many connections may be opened at once: per node by rate, per target by number (lifecycle §5,
// G14, G29).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "runtime/task.hpp"
#include "runtime/timers.hpp"

namespace tributary::connect {

struct LimiterOptions {
  int attempts_per_second = 20;
  int burst = 50;
  int per_target = 2;
};

// Who waits for an attempt. Whatever the answer, a target never sees more than `per_target` of them
// at once.
enum class Haste {
  // Somebody pressed a button: before every automatic one, within the node's rate. The last first:
  // those who come later do not queue behind an import of a thousand connections, and what waits in
  // vain becomes an automatic attempt.
  kPerson,
  kAutomatic,  // a backoff or cool-down is over: in order of coming, within the node's rate
  kSpread,     // the start of the hub, which spreads its connections itself: outside the rate (G29)
};

// Shared by all connections of the node. Thread-safe. Holds one waiter per connection at most.
class AttemptLimiter {
 public:
  explicit AttemptLimiter(LimiterOptions options);
  ~AttemptLimiter();
  AttemptLimiter(const AttemptLimiter&) = delete;
  AttemptLimiter& operator=(const AttemptLimiter&) = delete;

  // One of the places at a target, held while a connection is being opened. Released when it goes.
  using Turn = std::shared_ptr<void>;
  // A place in the queue; dropping it (on the executor given to request) leaves the queue.
  using Ticket = std::shared_ptr<void>;

  // Calls `granted` on `executor` as soon as there is a place at `target` and, unless the start is
  // spread, the node's rate allows one more. Both are taken in the same instant: nobody holds a
  // place while waiting for the rate, and when a target that was away comes back, those who waited
  // for it come at the node's rate.
  // `timers` outlives the ticket.
  [[nodiscard]] Ticket request(const std::string& target, Haste haste, Timers& timers,
                               Executor executor, std::move_only_function<void(Turn)> granted);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tributary::connect
