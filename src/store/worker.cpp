#include "store/worker.hpp"

#include <pthread.h>
#include <soci/soci.h>

#include "runtime/log.hpp"
#include "store/sqlite.hpp"

namespace tributary::store {

namespace {

// A start of 10 000 connections queues a few history rows for each.
constexpr std::size_t kMaxQueuedWrites = 65536;
constexpr std::size_t kMaxQueuedReads = 4096;
// Bounds how long the first job of a group waits for the others.
constexpr std::size_t kMaxGroup = 1000;
// A long reader keeps the WAL from being reused (edge case 31): beyond this it is reported and cut
// as soon as it can be.
constexpr std::uint64_t kWalAlarmBytes = std::uint64_t{64} << 20;
constexpr std::chrono::milliseconds kWalRetry{5000};
constexpr std::int64_t kReserveBytes = 8 << 20;

Error closed_error() {
  return {ErrorClass::kInternal, "store_closed", "The database is closed: the server is stopping."};
}

// Whatever a job throws is that job's failure, nobody else's.
Result<void> call(Job& job, soci::session& sql) {
  try {
    return job.work(sql);
  } catch (const std::exception& exception) {
    return fail(sqlite::to_error(sql, exception));
  }
}

}  // namespace

void JobQueue::push(Job job) {
  std::unique_lock lock(mutex_);
  if (!closed_ && jobs_.size() < capacity_) {
    jobs_.push_back(std::move(job));
    lock.unlock();
    not_empty_.notify_one();
    if (bell_) bell_();
    return;
  }
  Error error = closed_
                    ? closed_error()
                    : Error(ErrorClass::kBusy, "store_busy",
                            fmt::format("The database is behind: {} jobs are waiting.", capacity_));
  lock.unlock();
  job.done(fail(std::move(error)));
}

std::vector<Job> JobQueue::take(std::size_t limit,
                                std::optional<std::chrono::milliseconds> patience) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return closed_ || !jobs_.empty(); };
  if (patience) {
    not_empty_.wait_for(lock, *patience, ready);
  } else {
    not_empty_.wait(lock, ready);
  }
  std::vector<Job> taken;
  const std::size_t count = std::min(limit, jobs_.size());
  taken.reserve(count);
  std::move(jobs_.begin(), jobs_.begin() + static_cast<std::ptrdiff_t>(count),
            std::back_inserter(taken));
  jobs_.erase(jobs_.begin(), jobs_.begin() + static_cast<std::ptrdiff_t>(count));
  return taken;
}

void JobQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  not_empty_.notify_all();
}

bool JobQueue::finished() const {
  const std::lock_guard lock(mutex_);
  return closed_ && jobs_.empty();
}

bool JobQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return jobs_.empty();
}

Writer::Writer(std::unique_ptr<soci::session> sql, std::string path, Threading threading)
    : sql_(std::move(sql)),
      path_(std::move(path)),
      queue_(kMaxQueuedWrites),
      reserve_(path_ + ".reserve", kReserveBytes) {
  if (threading == Threading::kDriven) return;
  spent_ = reserve_.hold() != 0;
  thread_ = std::thread([this] { loop(); });
  pthread_setname_np(thread_.native_handle(), "store-writer");
}

Writer::~Writer() {
  stop();
}

bool Writer::stop() {
  if (std::exchange(stopped_, true)) return false;
  queue_.close();
  if (thread_.joinable()) thread_.join();
  while (!queue_.finished()) step();
  bool in_order = !broken_ && sqlite::truncate_wal(*sql_).has_value();
  sql_.reset();
  return in_order;
}

void Writer::loop() {
  while (!queue_.finished()) {
    auto patience = wal_is_long_ || spent_ ? std::optional(kWalRetry) : std::nullopt;
    std::vector<Job> group = queue_.take(kMaxGroup, patience);
    if (!group.empty()) commit(std::move(group));
    keep_wal_short();
    keep_reserve();
  }
}

void Writer::step() {
  std::vector<Job> group = queue_.take(kMaxGroup, std::chrono::milliseconds{0});
  if (!group.empty()) commit(std::move(group));
  keep_wal_short();
}

void Writer::commit(std::vector<Job> group) {
  for (std::size_t first = 0; first < group.size();) first = commit_some(group, first);
}

std::size_t Writer::commit_some(std::vector<Job>& group, std::size_t first) {
  std::vector<Result<void>> outcomes;
  Result<void> begun = broken_ ? fail(*broken_) : sqlite::run(*sql_, "begin immediate");
  // An error such as a full disk can end the whole transaction; the jobs behind it then get one of
  // their own.
  Result<void> kept = begun;
  std::size_t next = first;
  while (next < group.size() && kept) {
    outcomes.push_back(run_one(group[next++]));
    if (!sqlite::in_transaction(*sql_)) {
      kept = outcomes.back() ? fail(ErrorClass::kInternal, "store_failed",
                                    "A job ended the transaction of its group.")
                             : outcomes.back();
    }
  }
  if (!begun) {
    next = group.size();
    outcomes.assign(next - first, begun);
  } else if (kept) {
    kept = finish_transaction();
  }
  for (std::size_t i = first; i < next; ++i) {
    Result<void>& outcome = outcomes[i - first];
    if (outcome && !kept) outcome = kept;
    // What comes next has the space of the reserve.
    if (!outcome && outcome.error().code == "disk_full") {
      reserve_.release();
      spent_ = true;
    }
    group[i].done(std::move(outcome));
  }
  return next;
}

Result<void> Writer::run_one(Job& job) {
  TRIBUTARY_TRY(sqlite::run(*sql_, "savepoint job"));
  Result<void> result = call(job, *sql_);
  if (result) return sqlite::run(*sql_, "release job");
  if (!sqlite::in_transaction(*sql_)) return result;
  // When even undoing fails the commit fails too, and everything of the group with it.
  (void)sqlite::run(*sql_, "rollback to job");
  (void)sqlite::run(*sql_, "release job");
  return result;
}

Result<void> Writer::finish_transaction() {
  Result<void> done = sqlite::run(*sql_, "commit");
  if (done) return done;
  if (done.error().code != "disk_full") note_flush_failure();
  if (sqlite::in_transaction(*sql_)) (void)sqlite::run(*sql_, "rollback");
  return done;
}

void Writer::note_flush_failure() {
  if (!sqlite::flush_failed(*sql_)) return;
  // After a refused flush the page cache may show what the disk does not have; the next flush would
  // succeed and acknowledge it. So nothing is acknowledged until a new process has read the file
  // back from the disk.
  broken_ = Error(
      ErrorClass::kInternal, "store_failed",
      fmt::format("The disk refused to flush {}; nothing more is stored by this process.", path_),
      "Check the disk, then restart the server.");
  log::error("store", broken_->message);
}

void Writer::keep_wal_short() {
  const bool was_long = wal_is_long_;
  wal_is_long_ = !broken_ && sqlite::wal_bytes(path_) > kWalAlarmBytes;
  if (!wal_is_long_) return;
  if (!was_long)
    log::warning("store", "the write-ahead log grows: something reads the database for long",
                 {{"path", path_}});
  (void)sqlite::truncate_wal(*sql_);
  wal_is_long_ = sqlite::wal_bytes(path_) > kWalAlarmBytes;
}

void Writer::keep_reserve() {
  if (spent_) spent_ = reserve_.hold(kReserveBytes) != 0;
}

Reader::Reader(std::unique_ptr<soci::session> sql, Threading threading)
    : sql_(std::move(sql)), queue_(kMaxQueuedReads) {
  if (threading == Threading::kDriven) return;
  thread_ = std::thread([this] { loop(); });
  pthread_setname_np(thread_.native_handle(), "store-reader");
}

Reader::~Reader() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
  while (!queue_.finished()) step();
}

void Reader::loop() {
  while (!queue_.finished()) {
    for (Job& job : queue_.take(1)) run(job);
  }
}

void Reader::step() {
  for (Job& job : queue_.take(1, std::chrono::milliseconds{0})) run(job);
}

void Reader::run(Job& job) {
  Result<void> result = sqlite::run(*sql_, "begin");
  if (result) result = call(job, *sql_);
  if (sqlite::in_transaction(*sql_)) (void)sqlite::run(*sql_, "rollback");
  job.done(std::move(result));
}

}  // namespace tributary::store
