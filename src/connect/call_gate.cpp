#include "connect/call_gate.hpp"

namespace tributary::connect {

CallGate::CallGate(Executor executor, std::size_t places, bool write_lane)
    : executor_(executor), places_(std::max<std::size_t>(1, places)), write_lane_(write_lane) {}

bool CallGate::try_enter(Priority priority) {
  if (closed_) return false;
  if (in_lane(priority)) {
    // Those who wait for the lane wait because it is taken.
    return !std::exchange(lane_taken_, true);
  }
  if (inside_ >= places_) return false;
  for (const auto& queue : waiting_) {
    if (!queue.empty() && !(write_lane_ && &queue == &waiting_.front())) return false;
  }
  ++inside_;
  return true;
}

Task<bool> CallGate::enter(Priority priority, Timers& timers, SteadyTime deadline) {
  if (try_enter(priority)) co_return true;
  if (closed_) co_return false;
  auto waiter = std::make_shared<Waiter>(executor_);
  waiting_[static_cast<std::size_t>(priority)].push_back(waiter);
  co_await waiter->ready.wait_until(timers, deadline);
  // A place that was granted just as the deadline came is taken all the same.
  if (!waiter->granted) std::erase(waiting_[static_cast<std::size_t>(priority)], waiter);
  co_return waiter->granted;
}

void CallGate::leave(Priority priority) {
  if (in_lane(priority)) {
    lane_taken_ = false;
  } else {
    --inside_;
  }
  if (inside() == 0 && empty_) std::exchange(empty_, nullptr)->set();
  if (closed_) return;
  auto& writes = waiting_.front();
  if (in_lane(priority)) {
    if (!writes.empty()) {
      lane_taken_ = true;
      let_in(writes);
    }
    return;
  }
  if (inside_ >= places_) return;
  for (auto& queue : waiting_) {
    if (queue.empty() || (write_lane_ && &queue == &writes)) continue;
    ++inside_;
    let_in(queue);
    return;
  }
}

void CallGate::let_in(std::deque<std::shared_ptr<Waiter>>& queue) {
  auto next = std::move(queue.front());
  queue.pop_front();
  next->granted = true;
  next->ready.set();
}

void CallGate::close() {
  closed_ = true;
  for (auto& queue : waiting_) {
    for (auto& waiter : std::exchange(queue, {})) waiter->ready.set();
  }
}

Task<bool> CallGate::drained(Timers& timers, SteadyTime deadline) {
  if (inside() == 0) co_return true;
  if (!empty_) empty_ = std::make_shared<Event>(executor_);
  auto empty = empty_;
  co_return co_await empty->wait_until(timers, deadline);
}

}  // namespace tributary::connect
