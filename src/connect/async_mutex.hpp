// Mutual exclusion between coroutines of one executor that wait for the disk in between.
#pragma once

#include <deque>
#include <memory>

#include "runtime/event.hpp"

namespace tributary::connect {

class AsyncMutex {
 public:
  // Held until it goes.
  class Lock {
   public:
    explicit Lock(AsyncMutex* mutex) : mutex_(mutex) {}
    Lock(Lock&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Lock& operator=(Lock&&) = delete;
    ~Lock() {
      if (mutex_) mutex_->unlock();
    }

   private:
    AsyncMutex* mutex_;
  };

  explicit AsyncMutex(Executor executor) : executor_(executor) {}

  Task<Lock> lock() {
    if (std::exchange(held_, true)) {
      auto turn = std::make_shared<Event>(executor_);
      waiting_.push_back(turn);
      co_await turn->wait();
    }
    co_return Lock(this);
  }

 private:
  // The next one in line holds it without it ever being free in between.
  void unlock() {
    if (waiting_.empty()) {
      held_ = false;
      return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next->set();
  }

  Executor executor_;
  std::deque<std::shared_ptr<Event>> waiting_;
  bool held_ = false;
};

}  // namespace tributary::connect
