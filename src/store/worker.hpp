// The two threads of the store and the queue in front of each.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/reserve.hpp"
#include "store/session.hpp"

namespace tributary::store {

struct Job {
  std::move_only_function<Result<void>(SessionRef)> work;
  std::move_only_function<void(Result<void>)> done;
};

// Jobs waiting for one thread; bounded.
class JobQueue {
 public:
  explicit JobQueue(std::size_t capacity) : capacity_(capacity) {}
  // Takes the job, or answers it at once, on the caller's thread: kBusy "store_busy" when full,
  // kInternal "store_closed".
  void push(Job job);
  // Waits for at least one job and takes up to `limit`, oldest first. Empty when closed and
  // drained; also empty when `patience` is given and went by.
  std::vector<Job> take(std::size_t limit,
                        std::optional<std::chrono::milliseconds> patience = std::nullopt);
  void close();
  bool finished() const;
  bool empty() const;
  // Called after each job that was taken, on the caller's thread: for a worker without a thread.
  void on_push(std::function<void()> bell) { bell_ = std::move(bell); }

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable not_empty_;
  std::deque<Job> jobs_;
  std::function<void()> bell_;
  bool closed_ = false;
};

// Whether a worker waits for its jobs on a thread of its own, or is told to step().
enum class Threading : std::uint8_t { kOwnThread, kDriven };

// Commits in groups: all jobs that wait share one transaction and one flush. Each has a savepoint,
// so one that fails goes alone. `done` is called after the commit, in the order of the jobs.
class Writer {
 public:
  // Takes the session over; `path` is the database's.
  Writer(std::unique_ptr<soci::session> sql, std::string path, Threading threading);
  ~Writer();  // finishes what is queued, empties the WAL, closes the connection
  JobQueue& queue() { return queue_; }
  // Commits one group of what waits. Without a thread only.
  void step();
  // After stop(): true when everything was closed in order, so that the next start need not check
  // the file.
  bool stop();

 private:
  void loop();
  void commit(std::vector<Job> group);
  // Runs jobs from `first` on in one transaction; answers the index behind the last one it took
  // along.
  std::size_t commit_some(std::vector<Job>& group, std::size_t first);
  Result<void> run_one(Job& job);
  Result<void> finish_transaction();
  void note_flush_failure();
  void keep_wal_short();
  void keep_reserve();

  std::unique_ptr<soci::session> sql_;
  const std::string path_;
  JobQueue queue_;
  Reserve reserve_;              // for the audit log and other small rows when the disk is full
  bool spent_ = false;           // it was released, and is to be held again when there is space
  std::optional<Error> broken_;  // set once a flush failed: nothing is acknowledged from then on
  bool wal_is_long_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

// Runs one job after the other, each in a read transaction of its own.
class Reader {
 public:
  Reader(std::unique_ptr<soci::session> sql, Threading threading);
  ~Reader();
  JobQueue& queue() { return queue_; }
  // Runs one job. Without a thread only.
  void step();

 private:
  void loop();
  void run(Job& job);

  std::unique_ptr<soci::session> sql_;
  JobQueue queue_;
  std::thread thread_;
};

}  // namespace tributary::store
