// A lane: one worker thread with a bounded queue, for libraries that block. Answers come back on
// the caller's executor.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "runtime/task.hpp"

namespace tributary {

class Lane {
 public:
  // `name` is the thread's name (15 characters). `capacity` bounds waiting jobs.
  Lane(std::string name, std::size_t capacity);
  // Finishes the running job, drops waiting ones (their callers get kCancelled "lane_closed"),
  // joins.
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Runs `work` on the lane and resumes the caller on its own executor. kBusy "lane_full" when the
  // queue is at its bound.
  template <typename T>
  Task<Result<T>> run(std::move_only_function<Result<T>()> work);

  // Queues a job without waiting for it. False when full or closed.
  bool post(std::move_only_function<void(bool run)> job);
  std::size_t waiting() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <typename T>
Task<Result<T>> Lane::run(std::move_only_function<Result<T>()> work) {
  auto executor = co_await asio::this_coro::executor;
  // A named object: GCC 12 destroys temporaries of a co_await expression twice when they have
  // captures.
  auto start = [this, executor](auto handler, auto job) {
    // Shared, because both the queued job and the refusal below must be able to finish.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto finish = [executor, shared](Result<T> result) {
      asio::post(executor,
                 [shared, result = std::move(result)]() mutable { (*shared)(std::move(result)); });
    };
    bool queued = post([finish, job = std::move(job)](bool run) mutable {
      finish(
          run ? job()
              : Result<T>(fail(ErrorClass::kCancelled, "lane_closed", "The worker was stopped.")));
    });
    if (!queued)
      finish(fail(ErrorClass::kBusy, "lane_full", "Too much work is waiting for this worker."));
  };
  co_return co_await asio::async_initiate<decltype(use_task), void(Result<T>)>(
      std::move(start), use_task, std::move(work));
}

}  // namespace tributary
