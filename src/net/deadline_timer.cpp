#include "net/deadline_timer.hpp"

#include <algorithm>

namespace tributary::net {

DeadlineTimer::DeadlineTimer(Executor executor, Timers& timers,
                             std::move_only_function<void(Slot)> expired)
    : executor_(executor), timers_(timers), expired_(std::move(expired)) {}

void DeadlineTimer::start(Slot slot, SteadyTime deadline) {
  at(slot) = deadline;
  if (deadline < armed_for_) arm(deadline);
}

void DeadlineTimer::shut_down() {
  deadlines_.fill(SteadyTime::max());
  armed_for_ = SteadyTime::max();
  timer_.reset();
}

void DeadlineTimer::arm(SteadyTime when) {
  armed_for_ = when;
  ++times_armed_;
  timer_ = timers_.at(executor_, when, [this] { fired(); });
}

void DeadlineTimer::fired() {
  armed_for_ = SteadyTime::max();
  const SteadyTime now = timers_.now();
  std::array<bool, 2> due{};
  for (const Slot slot : {Slot::kRead, Slot::kWrite}) {
    if (at(slot) > now) continue;
    due[static_cast<std::size_t>(slot)] = true;
    stop(slot);
  }
  const SteadyTime next = *std::ranges::min_element(deadlines_);
  if (next != SteadyTime::max()) arm(next);
  // Last, because an owner that hears of an expiry shuts this timer down.
  for (const Slot slot : {Slot::kRead, Slot::kWrite}) {
    if (due[static_cast<std::size_t>(slot)]) expired_(slot);
  }
}

}  // namespace tributary::net
