#include "runtime/turns.hpp"

namespace tributary {

bool Turns::try_take() {
  return !std::exchange(taken_, true);
}

Task<bool> Turns::take(bool urgent, Timers& timers, SteadyTime deadline) {
  if (try_take()) co_return true;
  auto& queue = waiting_[urgent ? 0 : 1];
  auto waiter = std::make_shared<Waiter>(executor_);
  queue.push_back(waiter);
  co_await waiter->ready.wait_until(timers, deadline);
  // A turn that was granted just as the deadline came is taken all the same.
  if (!waiter->granted) std::erase(queue, waiter);
  co_return waiter->granted;
}

void Turns::release() {
  for (auto& queue : waiting_) {
    if (queue.empty()) continue;
    const auto next = std::move(queue.front());
    queue.pop_front();
    next->granted = true;
    next->ready.set();
    return;
  }
  taken_ = false;
}

}  // namespace tributary
