// A wait that one coroutine repeats for ever and that somebody else may cut short.
#pragma once

#include <memory>

#include "runtime/timers.hpp"

namespace tributary::connect {

// One waiter, one executor. Unlike Event it can be waited for again and again without remembering
// earlier waits.
class Pause {
 public:
  Pause(Executor executor, Timers& timers) : state_(std::make_shared<State>(executor, timers)) {}
  ~Pause() { wake(); }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

  // Returns at `when`, or at once after wake(); then every later wait returns at once, too.
  Task<void> until(SteadyTime when) {
    auto state = state_;
    if (state->over) co_return;
    // A named object: GCC 12 destroys temporaries of a co_await expression twice when they have
    // captures.
    auto start = [state, when](auto handler) {
      state->resume = [handler = std::make_shared<decltype(handler)>(std::move(handler))] {
        (*handler)();
      };
      state->timer = state->timers.at(state->executor, when, [state] { state->finish(); });
    };
    co_await asio::async_initiate<decltype(use_task), void()>(std::move(start), use_task);
  }
  void wake() {
    state_->over = true;
    if (state_->resume) asio::post(state_->executor, [state = state_] { state->finish(); });
  }

 private:
  struct State {
    State(Executor executor_, Timers& timers_) : executor(executor_), timers(timers_) {}
    void finish() {
      timer.reset();
      if (auto call = std::exchange(resume, nullptr)) call();
    }
    Executor executor;
    Timers& timers;
    std::move_only_function<void()> resume;
    std::unique_ptr<Timer> timer;
    bool over = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace tributary::connect
