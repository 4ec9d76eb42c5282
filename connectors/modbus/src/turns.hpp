// One at a time, writes first: who may ask next.
#pragma once

#include <array>
#include <deque>
#include <memory>

#include "runtime/event.hpp"

namespace tributary::connectors::modbus {

// Lives on one executor.
class Turns {
 public:
  explicit Turns(Executor executor) : executor_(executor) {}

  // Takes the turn when nobody has it and nobody waits: the way of nearly every request, without a
  // coroutine.
  bool try_take();
  // Waits for it; false when `deadline` came first. True: release() once.
  Task<bool> take(bool urgent, Timers& timers, SteadyTime deadline);
  void release();
  // Somebody urgent waits: who has the turn for long gives it back soon.
  bool urgent_waits() const { return !waiting_.front().empty(); }

 private:
  struct Waiter {
    explicit Waiter(Executor executor) : ready(executor) {}
    Event ready;
    bool granted = false;
  };
  Executor executor_;
  bool taken_ = false;
  std::array<std::deque<std::shared_ptr<Waiter>>, 2> waiting_;  // urgent, others
};

}  // namespace tributary::connectors::modbus
