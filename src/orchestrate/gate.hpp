// One at a time: coroutines of one executor that change the same thing.
#pragma once

#include <deque>
#include <memory>

#include "runtime/event.hpp"

namespace tributary::orchestrate {

class Gate {
 public:
  explicit Gate(Executor executor) : executor_(executor) {}

  // Waits for its turn, first come, first served. Every enter() needs its leave(): see Held.
  Task<void> enter() {
    if (!busy_) {
      busy_ = true;
      co_return;
    }
    auto turn = std::make_shared<Event>(executor_);
    waiting_.push_back(turn);
    co_await turn->wait();
  }
  void leave() {
    if (waiting_.empty()) {
      busy_ = false;
      return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next->set();
  }

 private:
  Executor executor_;
  bool busy_ = false;
  std::deque<std::shared_ptr<Event>> waiting_;
};

// Leaves a gate that was entered.
class Held {
 public:
  explicit Held(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  ~Held() { gate_->leave(); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  std::shared_ptr<Gate> gate_;
};

}  // namespace tributary::orchestrate
