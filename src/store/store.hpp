// The database: SQLite in the data directory (PostgreSQL later, same repositories). One writer
// thread that groups commits (synchronous=FULL: committed means on disk), one reader thread whose
// connection is query-only. Nobody else opens the file: SQLite before 3.51.3 can damage a WAL that
// two connections write (design §3).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "runtime/task.hpp"
#include "store/session.hpp"

namespace tributary::store {

struct Driven;  // driven.hpp

class Store {
 public:
  // Opens or creates DIR/tributary.db, checks it after an unclean stop, migrates it. Blocking; call
  // before the threads. Errors, kInternal: "data_dir_unwritable", "data_dir_locked" (another server
  // runs on it), "store_damaged", "store_too_new" (made by a later version), "disk_full".
  static Result<std::unique_ptr<Store>> open(const std::string& data_dir, const Clock& clock);
  // The same without threads and without a data directory: somebody else says when jobs run.
  // Errors, kInternal: "store_damaged", "store_too_new", "store_failed", "disk_full".
  static Result<std::unique_ptr<Store>> open_driven(Driven driven, const Clock& clock);
  ~Store();  // commits what is queued, checkpoints, marks the stop as clean

  // Runs `work` inside a transaction on the writer thread and resumes the caller when it is on
  // disk. Work that fails or throws is rolled back alone. Errors: those of `work`; kInternal
  // "disk_full", "store_failed", "store_closed".
  template <typename T>
  Task<Result<T>> write(std::move_only_function<Result<T>(SessionRef)> work);
  // Runs `work` on the reader thread. Keep it short: a long reader keeps the WAL from shrinking
  // (edge case 31).
  template <typename T>
  Task<Result<T>> read(std::move_only_function<Result<T>(SessionRef)> work);
  // As write(), without waiting; `done` is called on the writer thread after the commit.
  void post_write(std::move_only_function<Result<void>(SessionRef)> work,
                  std::move_only_function<void(Result<void>)> done);
  // Blocking forms, for start-up, command line tools and tests; never on an executor's thread.
  Result<void> write_now(std::move_only_function<Result<void>(SessionRef)> work);
  Result<void> read_now(std::move_only_function<Result<void>(SessionRef)> work);

  // True when the last run ended without closing the store (power loss, kill -9).
  bool was_unclean() const;
  // A new random id on every start; rows of one boot share it.
  const std::string& boot_id() const;
  const std::string& data_dir() const;

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  void post_read(std::move_only_function<Result<void>(SessionRef)> work,
                 std::move_only_function<void(Result<void>)> done);
  std::unique_ptr<Impl> impl_;

  template <typename T, typename Post>
  static Task<Result<T>> await_job(std::move_only_function<Result<T>(SessionRef)> work, Post post);
};

template <typename T, typename Post>
Task<Result<T>> Store::await_job(std::move_only_function<Result<T>(SessionRef)> work, Post post) {
  auto executor = co_await asio::this_coro::executor;
  co_return co_await asio::async_initiate<decltype(use_task), void(Result<T>)>(
      [executor](auto handler, auto job, auto submit) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        auto result = std::make_shared<std::optional<Result<T>>>();
        submit(
            [result, job = std::move(job)](SessionRef sql) mutable -> Result<void> {
              result->emplace(job(sql));
              if (!result->value()) return fail(result->value().error());
              return {};
            },
            [executor, shared, result](Result<void> done) mutable {
              Result<T> answer =
                  done ? std::move(result->value()) : Result<T>(fail(std::move(done.error())));
              asio::post(executor, [shared, answer = std::move(answer)]() mutable {
                (*shared)(std::move(answer));
              });
            });
      },
      use_task, std::move(work), std::move(post));
}

template <typename T>
Task<Result<T>> Store::write(std::move_only_function<Result<T>(SessionRef)> work) {
  return await_job<T>(std::move(work),
                      [this](auto job, auto done) { post_write(std::move(job), std::move(done)); });
}

template <typename T>
Task<Result<T>> Store::read(std::move_only_function<Result<T>(SessionRef)> work) {
  return await_job<T>(std::move(work),
                      [this](auto job, auto done) { post_read(std::move(job), std::move(done)); });
}

}  // namespace tributary::store
