// Waiting for something that another coroutine of the same executor does.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "base/time.hpp"
#include "runtime/task.hpp"
#include "runtime/timers.hpp"

namespace tributary {

// One value, set once. Any number of coroutines of one executor may wait; each sees the value. Not
// thread-safe. set() never runs a waiter inside itself: it posts.
class Event {
 public:
  explicit Event(Executor executor);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void set();
  bool is_set() const;
  Task<void> wait();
  // True when set before the deadline, false when the deadline came first.
  Task<bool> wait_until(Timers& timers, SteadyTime deadline);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// A queue with a declared bound, for producers and one consumer on the same executor. Not
// thread-safe: post() first.
template <typename T>
class BoundedQueue {
 public:
  BoundedQueue(Executor executor, std::size_t capacity)
      : executor_(executor), capacity_(capacity) {}

  // False when full: the caller applies its policy and counts.
  bool try_push(T item) {
    if (items_.size() >= capacity_ || closed_) return false;
    items_.push_back(std::move(item));
    wake(not_empty_);
    return true;
  }
  // Waits for room; false when closed.
  Task<bool> push(T item) {
    while (items_.size() >= capacity_ && !closed_) co_await wait(not_full_);
    co_return try_push(std::move(item));
  }
  // Waits for an item; nullopt when closed and empty.
  Task<std::optional<T>> pop() {
    while (items_.empty() && !closed_) co_await wait(not_empty_);
    if (items_.empty()) co_return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    wake(not_full_);
    co_return item;
  }
  void close() {
    closed_ = true;
    wake(not_empty_);
    wake(not_full_);
  }
  std::size_t size() const { return items_.size(); }
  bool closed() const { return closed_; }

 private:
  Task<void> wait(std::shared_ptr<Event>& slot) {
    if (!slot) slot = std::make_shared<Event>(executor_);
    auto event = slot;
    co_await event->wait();
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

}  // namespace tributary
