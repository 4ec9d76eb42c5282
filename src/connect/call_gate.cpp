#include "connect/call_gate.hpp"

namespace tributary::connect {

CallGate::CallGate(Executor executor, std::size_t places)
    : executor_(executor), places_(std::max<std::size_t>(1, places)) {}

bool CallGate::try_enter() {
  if (closed_ || inside_ >= places_) return false;
  for (const auto& queue : waiting_) {
    if (!queue.empty()) return false;
  }
  ++inside_;
  return true;
}

Task<bool> CallGate::enter(Priority priority, Timers& timers, SteadyTime deadline) {
  if (try_enter()) co_return true;
  if (closed_) co_return false;
  auto waiter = std::make_shared<Waiter>(executor_);
  waiting_[static_cast<std::size_t>(priority)].push_back(waiter);
  co_await waiter->ready.wait_until(timers, deadline);
  // A place that was granted just as the deadline came is taken all the same.
  if (!waiter->granted) std::erase(waiting_[static_cast<std::size_t>(priority)], waiter);
  co_return waiter->granted;
}

void CallGate::leave() {
  --inside_;
  if (inside_ == 0 && empty_) std::exchange(empty_, nullptr)->set();
  if (closed_ || inside_ >= places_) return;
  for (auto& queue : waiting_) {
    if (queue.empty()) continue;
    auto next = std::move(queue.front());
    queue.pop_front();
    ++inside_;
    next->granted = true;
    next->ready.set();
    return;
  }
}

void CallGate::close() {
  closed_ = true;
  for (auto& queue : waiting_) {
    for (auto& waiter : std::exchange(queue, {})) waiter->ready.set();
  }
}

Task<bool> CallGate::drained(Timers& timers, SteadyTime deadline) {
  if (inside_ == 0) co_return true;
  if (!empty_) empty_ = std::make_shared<Event>(executor_);
  auto empty = empty_;
  co_return co_await empty->wait_until(timers, deadline);
}

}  // namespace tributary::connect
