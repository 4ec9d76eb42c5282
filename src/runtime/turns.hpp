// One at a time, the urgent first: who may ask next, where a peer answers one question after the
// other.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <utility>

#include "runtime/event.hpp"

namespace tributary {

// Lives on one executor, and longer than every Turn.
class Turns {
 public:
  // Has the turn, which was taken before, while it lives.
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->release();
    }

   private:
    Turns* turns_;
  };

  explicit Turns(Executor executor) : executor_(executor) {}

  // Takes the turn when nobody has it and nobody waits: the way of nearly every request, without a
  // coroutine. True: make a Turn of it.
  bool try_take();
  // Waits for it; false when `deadline` came first. True: make a Turn of it.
  Task<bool> take(bool urgent, Timers& timers, SteadyTime deadline);
  bool taken() const { return taken_; }
  // Somebody urgent waits: who has the turn for long gives it back soon.
  bool urgent_waits() const { return !waiting_.front().empty(); }

 private:
  struct Waiter {
    explicit Waiter(Executor executor) : ready(executor) {}
    Event ready;
    bool granted = false;
  };
  void release();

  Executor executor_;
  bool taken_ = false;
  std::array<std::deque<std::shared_ptr<Waiter>>, 2> waiting_;  // urgent, others
};

}  // namespace tributary
