// Mutual exclusion between coroutines of one executor that wait for the disk in between.
#pragma once

#include <deque>
#include <memory>

#include "runtime/event.hpp"

namespace tributary::connect {

// Held by one, or shared by any number; in the order of asking.
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

  Task<Lock> lock() { return acquire(false); }
  Task<Lock> lock_shared() { return acquire(true); }

 private:
  struct Waiter {
    explicit Waiter(const Executor& executor, bool shares) : shared(shares), turn(executor) {}
    bool shared;
    Event turn;
  };

  bool may_enter(bool shared) const { return holders_ == 0 || (shared && shared_); }
  void enter(bool shared) {
    ++holders_;
    shared_ = shared;
  }

  Task<Lock> acquire(bool shared) {
    if (waiting_.empty() && may_enter(shared)) {
      enter(shared);
    } else {
      auto waiter = std::make_shared<Waiter>(executor_, shared);
      waiting_.push_back(waiter);
      co_await waiter->turn.wait();
    }
    co_return Lock(this);
  }

  // Who is next holds it without it ever being free in between.
  void unlock() {
    --holders_;
    while (!waiting_.empty() && may_enter(waiting_.front()->shared)) {
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      enter(next->shared);
      next->turn.set();
    }
  }

  Executor executor_;
  std::deque<std::shared_ptr<Waiter>> waiting_;
  std::size_t holders_ = 0;
  bool shared_ = false;  // by those who hold it now
};

}  // namespace tributary::connect
