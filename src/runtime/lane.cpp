#include "runtime/lane.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace tributary {

struct Lane::Impl {
  std::size_t capacity;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::move_only_function<void(bool)>> jobs;
  bool closed = false;
  std::thread thread;

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return closed || !jobs.empty(); });
      if (closed) break;
      auto job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      job(true);
      job = nullptr;
      lock.lock();
    }
    auto dropped = std::exchange(jobs, {});
    lock.unlock();
    for (auto& job : dropped) job(false);
  }
};

Lane::Lane(std::string name, std::size_t capacity) : impl_(std::make_unique<Impl>()) {
  impl_->capacity = capacity;
  impl_->thread = std::thread([impl = impl_.get()] { impl->work(); });
  pthread_setname_np(impl_->thread.native_handle(), name.substr(0, 15).c_str());
}

Lane::~Lane() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->closed = true;
  }
  impl_->changed.notify_one();
  impl_->thread.join();
}

bool Lane::post(std::move_only_function<void(bool run)> job) {
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->closed || impl_->jobs.size() >= impl_->capacity) return false;
    impl_->jobs.push_back(std::move(job));
  }
  impl_->changed.notify_one();
  return true;
}

std::size_t Lane::waiting() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->jobs.size();
}

}  // namespace tributary
