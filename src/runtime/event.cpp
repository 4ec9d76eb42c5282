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
  struct Race {
    bool over = false;
    bool won = false;
    std::unique_ptr<Timer> timer;
  };
  auto race = std::make_shared<Race>();
  auto start = [state, race, &timers, deadline](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto finish = [shared, race](bool won) {
      if (std::exchange(race->over, true)) return;
      race->won = won;
      race->timer.reset();
      (*shared)();
    };
    auto place = state->waiters.insert(state->waiters.end(), [finish] { finish(true); });
    race->timer =
        timers.at(state->executor, deadline, [finish, place, waited = std::weak_ptr(state)] {
          // Once set, the list was handed over and the place is gone.
          if (auto event = waited.lock(); event && !event->set) event->waiters.erase(place);
          finish(false);
        });
  };
  co_await asio::async_initiate<decltype(use_task), void()>(std::move(start), use_task);
  co_return race->won;
}

}  // namespace tributary
