// Jobs waiting for one thread; bounded in number and in bytes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace tributary::spool {

// `Job` has `std::size_t bytes`.
template <typename Job>
class Jobs {
 public:
  Jobs(std::size_t capacity, std::size_t max_bytes) : capacity_(capacity), max_bytes_(max_bytes) {}

  // Gives the job back when there is no room for it, or no thread any more. The first one that
  // waits may have any size.
  std::optional<Job> push(Job job) {
    {
      const std::lock_guard lock(mutex_);
      const bool fits =
          jobs_.empty() || (jobs_.size() < capacity_ && bytes_ + job.bytes <= max_bytes_);
      if (closed_ || !fits) return job;
      bytes_ += job.bytes;
      jobs_.push_back(std::move(job));
    }
    not_empty_.notify_one();
    return std::nullopt;
  }
  // Waits for at least one job and takes up to `limit`, oldest first. Empty when closed and
  // drained, or when `patience` went by.
  std::vector<Job> take(std::size_t limit, std::optional<std::chrono::milliseconds> patience) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return closed_ || !jobs_.empty(); };
    if (patience) {
      not_empty_.wait_for(lock, *patience, ready);
    } else {
      not_empty_.wait(lock, ready);
    }
    std::vector<Job> taken;
    while (!jobs_.empty() && taken.size() < limit) {
      bytes_ -= jobs_.front().bytes;
      taken.push_back(std::move(jobs_.front()));
      jobs_.pop_front();
    }
    return taken;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    not_empty_.notify_all();
  }
  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }
  bool finished() const {
    const std::lock_guard lock(mutex_);
    return closed_ && jobs_.empty();
  }

 private:
  const std::size_t capacity_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable not_empty_;
  std::deque<Job> jobs_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace tributary::spool
