// The writer thread: commits in groups (all jobs that wait share one transaction and one flush),
// and mends what the disk does to the spool.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/reserve.hpp"
#include "spool/disk.hpp"
#include "spool/jobs.hpp"
#include "spool/transaction.hpp"

namespace tributary::spool {

struct WriteJob {
  // May be called again, when the transaction of its group has to be repeated.
  std::move_only_function<Result<void>(Transaction&)> work;
  std::move_only_function<void(Result<void>)> done;
  std::size_t bytes = 0;
  // Not a job of its own: reads all of the file again, for a reader that found damage. The number
  // is how often the files had been opened when it did.
  std::optional<std::uint64_t> mend;
};

class Writer {
 public:
  Writer(std::unique_ptr<Disk> disk, const Clock& clock, Options options);
  // Commits what is queued, empties the WAL, closes the files.
  ~Writer();

  // Answers it at once, on the caller's thread, when there is no room: kBusy "spool_busy",
  // kInternal "spool_failed".
  void post(WriteJob job);
  Disk& disk() { return *disk_; }
  const Paths& paths() const { return disk_->paths(); }
  std::uint64_t openings() const { return openings_.load(std::memory_order_acquire); }
  // Why nothing is taken; any thread. "disk_full", "spool_failed".
  std::optional<Error> trouble() const;

 private:
  void loop();
  std::optional<std::chrono::milliseconds> patience() const;
  void commit(std::vector<WriteJob> group);
  // One transaction; an error is that of the transaction, each job has its own outcome.
  Result<void> try_group(std::vector<WriteJob>& group, std::vector<Result<void>>& outcomes);
  Result<void> run_jobs(std::vector<WriteJob>& group, std::vector<Result<void>>& outcomes,
                        Transaction& transaction);
  // What a failed transaction means: true when it is worth another try.
  bool take_in(const Error& error, int tries);
  void roll_back();
  void mend(std::vector<WriteJob>& group);
  void reopen();

  // ---- between the groups ----
  void tend();
  void note(const Error& error);
  void keep_wal_short(bool idle);
  void keep_file_small();
  Result<void> in_transaction(std::move_only_function<Result<void>()> work);
  void enter_full();
  void leave_full();
  bool due(SteadyTime& next) const;
  void say_trouble();

  std::unique_ptr<Disk> disk_;
  const Clock& clock_;
  const Options options_;
  Reserve reserve_;
  Jobs<WriteJob> jobs_;
  std::atomic<std::uint64_t> openings_ = 1;
  std::optional<Error> broken_;  // the files are closed: nothing is acknowledged until they open
  bool full_ = false;            // nothing is taken until the reserve is held again
  bool shrinking_ = true;        // there may be space inside the file to give back
  std::int64_t free_pages_ = 0;  // before the last step of that
  bool idle_ = false;
  std::int64_t moved_pages_ = 0;  // of the WAL, by the last checkpoint
  SteadyTime next_try_;
  SteadyTime next_probe_;
  mutable std::mutex trouble_mutex_;
  std::optional<Error> trouble_;  // `full_` or `broken_`, for other threads
  std::thread thread_;
};

}  // namespace tributary::spool
