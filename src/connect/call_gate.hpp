// Who may use a session next: as many calls at a time as the connector allows, writes before reads
// before polls. With a write lane one write more may enter: it does not wait for a long read, but
// for the one request of it that is under way.
#pragma once

#include <array>
#include <deque>
#include <memory>

#include "runtime/event.hpp"

namespace tributary::connect {

enum class Priority : std::uint8_t { kWrite, kRead, kPoll };

// Lives on one executor.
class CallGate {
 public:
  CallGate(Executor executor, std::size_t places, bool write_lane = false);

  // Enters when nobody is waiting and a place is free: the way of nearly every call, without a
  // coroutine.
  bool try_enter(Priority priority = Priority::kRead);
  // Waits for a place. False when closed, or when `deadline` came first. True: call leave() once,
  // with the same priority.
  Task<bool> enter(Priority priority, Timers& timers, SteadyTime deadline);
  void leave(Priority priority = Priority::kRead);
  // Everybody who waits, and everybody who comes, is turned away. Those inside stay until they
  // leave().
  void close();

  bool closed() const { return closed_; }
  std::size_t inside() const { return inside_ + (lane_taken_ ? 1 : 0); }
  // Nobody inside any more; false when `deadline` came first.
  Task<bool> drained(Timers& timers, SteadyTime deadline);

 private:
  struct Waiter {
    explicit Waiter(Executor executor) : ready(executor) {}
    Event ready;
    bool granted = false;
  };

  bool in_lane(Priority priority) const { return write_lane_ && priority == Priority::kWrite; }
  void let_in(std::deque<std::shared_ptr<Waiter>>& queue);

  Executor executor_;
  std::size_t places_;
  bool write_lane_;
  bool lane_taken_ = false;
  std::size_t inside_ = 0;
  bool closed_ = false;
  std::array<std::deque<std::shared_ptr<Waiter>>, 3> waiting_;
  std::shared_ptr<Event> empty_;
};

}  // namespace tributary::connect
