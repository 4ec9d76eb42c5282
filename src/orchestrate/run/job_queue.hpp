// What waits in front of a pipeline: bounded, in the order in which it came.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/event.hpp"

namespace tributary::orchestrate {

// For producers and takers on one executor; every taker gets jobs of its own. Not thread-safe.
template <typename T>
class JobQueue {
 public:
  JobQueue(Executor executor, std::size_t capacity) : executor_(executor), capacity_(capacity) {}

  // False when it is full or closed.
  bool try_push(T item) {
    if (items_.size() >= capacity_ || closed_) return false;
    items_.push_back(std::move(item));
    wake(not_empty_);
    return true;
  }
  // Waits for room; false when the queue was closed meanwhile.
  Task<bool> push(T item) {
    while (items_.size() >= capacity_ && !closed_) {
      const auto room = event(not_full_);
      co_await room->wait();
    }
    co_return try_push(std::move(item));
  }
  // As push(), but not beyond a time.
  Task<bool> push_until(T item, Timers& timers, SteadyTime limit) {
    while (items_.size() >= capacity_ && !closed_) {
      const auto room = event(not_full_);
      const bool in_time = co_await room->wait_until(timers, limit);
      if (!in_time) break;
    }
    co_return try_push(std::move(item));
  }
  // Waits for an item; nullopt when the queue is closed and empty.
  Task<std::optional<T>> pop() {
    while (items_.empty() && !closed_) {
      const auto more = event(not_empty_);
      co_await more->wait();
    }
    if (items_.empty()) co_return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    wake(not_full_);
    co_return item;
  }
  // Takes out everything that waits.
  std::vector<T> clear() {
    std::vector<T> taken(std::make_move_iterator(items_.begin()),
                         std::make_move_iterator(items_.end()));
    items_.clear();
    wake(not_full_);
    return taken;
  }
  void close() {
    closed_ = true;
    wake(not_empty_);
    wake(not_full_);
  }
  bool has_room() const { return items_.size() < capacity_ && !closed_; }
  std::size_t size() const { return items_.size(); }
  bool closed() const { return closed_; }

 private:
  // One event for all who wait at the moment; each looks again when it is set.
  std::shared_ptr<Event> event(std::shared_ptr<Event>& slot) {
    if (!slot) slot = std::make_shared<Event>(executor_);
    return slot;
  }
  void wake(std::shared_ptr<Event>& slot) {
    if (slot) std::exchange(slot, nullptr)->set();
  }

  Executor executor_;
  std::size_t capacity_;
  std::deque<T> items_;
  std::shared_ptr<Event> not_empty_;
  std::shared_ptr<Event> not_full_;
  bool closed_ = false;
};

}  // namespace tributary::orchestrate
