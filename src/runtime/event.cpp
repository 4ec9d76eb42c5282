#include "runtime/event.hpp"

#include <list>

namespace tributary {

// A waiter is resumed once: by set(), by its deadline, or when the event goes (as if set).
struct Event::State {
  explicit State(Executor executor_) : executor(executor_) {}
  Executor executor;
  bool set = false;
  std::list<std::move_only_function<void()>> waiters;

  void release() {
    set = true;
    for (auto& waiter : std::exchange(waiters, {})) asio::post(executor, std::move(waiter));
  }
};

Event::Event(Executor executor) : state_(std::make_shared<State>(executor)) {}

Event::~Event() {
  state_->release();
}

void Event::set() {
  state_->release();
}

bool Event::is_set() const {
  return state_->set;
}

// The initiations below are named objects, not temporaries inside the co_await expression: GCC 12
// destroys such temporaries twice when they have captures.
Task<void> Event::wait() {
  auto state = state_;
  if (state->set) co_return;
  auto start = [state](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    state->waiters.push_back([shared] { (*shared)(); });
  };
  co_await asio::async_initiate<decltype(use_task), void()>(std::move(start), use_task);
}

Task<bool> Event::wait_until(Timers& timers, SteadyTime deadline) {
  auto state = state_;
  if (state->set) co_return true;
  // Owned by the list of waiters alone; the timer only looks at it, so that neither keeps the other
  // alive when everything is torn down.
  struct Race {
    std::move_only_function<void(bool won)> resume;
    std::unique_ptr<Timer> timer;
    void finish(bool won) {
      timer.reset();
      if (auto call = std::exchange(resume, nullptr)) call(won);
    }
  };
  auto answer = std::make_shared<bool>(false);
  auto start = [state, answer, &timers, deadline](auto handler) {
    auto race = std::make_shared<Race>();
    race->resume = [answer,
                    handler = std::make_shared<decltype(handler)>(std::move(handler))](bool won) {
      *answer = won;
      (*handler)();
    };
    auto place = state->waiters.insert(state->waiters.end(), [race] { race->finish(true); });
    race->timer = timers.at(state->executor, deadline,
                            [weak = std::weak_ptr(race), place, waited = std::weak_ptr(state)] {
                              auto racing = weak.lock();
                              if (!racing) return;
                              // Once set, the list was handed over and the place is gone.
                              auto event = waited.lock();
                              if (event && !event->set) event->waiters.erase(place);
                              racing->finish(false);
                            });
  };
  co_await asio::async_initiate<decltype(use_task), void()>(std::move(start), use_task);
  co_return *answer;
}

}  // namespace tributary
