#include "connectors/s7/src/turns.hpp"

namespace tributary::connectors::s7 {

Task<std::optional<Turns::Turn>> Turns::take(Urgency urgency, Timers& timers, SteadyTime deadline) {
  if (!std::exchange(taken_, true)) co_return std::optional<Turn>(std::in_place, *this);
  auto& queue = waiting_[static_cast<std::size_t>(urgency)];
  const auto waiter = std::make_shared<Waiter>(executor_);
  queue.push_back(waiter);
  co_await waiter->ready.wait_until(timers, deadline);
  // A turn that was granted just as the deadline came is taken all the same.
  if (waiter->granted) co_return std::optional<Turn>(std::in_place, *this);
  std::erase(queue, waiter);
  co_return std::nullopt;
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

}  // namespace tributary::connectors::s7
