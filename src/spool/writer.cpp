#include "spool/writer.hpp"

#include <pthread.h>

#include "runtime/log.hpp"

namespace tributary::spool {

namespace {

constexpr std::size_t kMaxQueuedWrites = 65536;
constexpr std::size_t kMaxQueuedBytes = 64U << 20;
// Bounds how long the first job of a group waits for the others.
constexpr std::size_t kMaxGroup = 1000;
constexpr std::int64_t kReserveBytes = 8 << 20;
constexpr std::chrono::milliseconds kRetry{500};
constexpr std::chrono::milliseconds kIdle{1000};
// Pages in the WAL before they are moved into the database.
constexpr std::int64_t kCheckpointPages = (4 << 20) / kPageBytes;
// Beyond this the WAL is cut, and whoever reads waits for it (edge case 31).
constexpr std::int64_t kMaxWalPages = (64 << 20) / kPageBytes;
constexpr std::int64_t kIdleWalPages = (1 << 20) / kPageBytes;
// Free space inside the file is given back when it is more than this and a quarter of it; in steps,
// so that the commits in between do not wait for long.
constexpr std::int64_t kMinFreePages = (8 << 20) / kPageBytes;
constexpr const char* kShrinkStep = "pragma incremental_vacuum(512)";
constexpr int kMaxTries = 3;

}  // namespace

Writer::Writer(std::unique_ptr<Disk> disk, const Clock& clock, Options options)
    : disk_(std::move(disk)),
      clock_(clock),
      options_(options),
      reserve_(disk_->paths().reserve, kReserveBytes),
      jobs_(kMaxQueuedWrites, kMaxQueuedBytes) {
  if (is_out_of_space(reserve_.hold())) enter_full();
  say_trouble();
  thread_ = std::thread([this] { loop(); });
  pthread_setname_np(thread_.native_handle(), "spool-writer");
}

Writer::~Writer() {
  jobs_.close();
  thread_.join();
  if (!broken_) (void)disk_->checkpoint(Database::Checkpoint::kTruncate);
  disk_->close();
}

void Writer::post(WriteJob job) {
  auto refused = jobs_.push(std::move(job));
  if (!refused) return;
  refused->done(jobs_.closed()
                    ? fail(ErrorClass::kInternal, "spool_failed",
                           "The spool is closed: the server is stopping.")
                    : fail(ErrorClass::kBusy, "spool_busy",
                           fmt::format("The spool is behind: {} bytes are waiting to be written.",
                                       kMaxQueuedBytes)));
}

std::optional<std::chrono::milliseconds> Writer::patience() const {
  if (broken_ || full_) return kRetry;
  if (shrinking_ || !disk_->swept()) return std::chrono::milliseconds{0};
  if (disk_->database().wal_pages() > kIdleWalPages) return kIdle;
  return std::nullopt;
}

void Writer::loop() {
  while (!jobs_.finished()) {
    auto group = jobs_.take(kMaxGroup, patience());
    idle_ = group.empty();
    if (!group.empty()) commit(std::move(group));
    tend();
    say_trouble();
  }
}

// ---- groups ----

void Writer::commit(std::vector<WriteJob> group) {
  if (broken_ && due(next_try_)) reopen();
  mend(group);
  std::vector<Result<void>> outcomes;
  Result<void> done;
  for (int tries = 1;; ++tries) {
    done = broken_ ? fail(*broken_) : try_group(group, outcomes);
    if (done || broken_ || !take_in(done.error(), tries)) break;
  }
  outcomes.resize(group.size());
  if (!done && done.error().code == kDamaged) done.error().code = "spool_failed";
  // Answered only now: nothing is acknowledged before it is on the disk.
  for (std::size_t i = 0; i < group.size(); ++i) {
    const bool refused = !outcomes[i] && outcomes[i].error().code != kDamaged;
    group[i].done(done || refused ? std::move(outcomes[i]) : done);
  }
}

Result<void> Writer::try_group(std::vector<WriteJob>& group, std::vector<Result<void>>& outcomes) {
  Database& database = disk_->database();
  (void)database.take_failure();
  outcomes.assign(group.size(), Result<void>());
  TRIBUTARY_TRY(database.run("begin immediate"));
  Transaction transaction(
      disk_->rows(), disk_->numbers(),
      {options_, disk_->dead_ids(), clock_.utc_now(), disk_->next_generation(), !full_});
  const std::int64_t generation = disk_->next_generation();
  Result<void> done = run_jobs(group, outcomes, transaction);
  if (done) done = transaction.finish();
  if (done) done = database.run("commit");
  if (!done) {
    roll_back();
    return done;
  }
  disk_->acknowledge(transaction.changes(), generation);
  return {};
}

Result<void> Writer::run_jobs(std::vector<WriteJob>& group, std::vector<Result<void>>& outcomes,
                              Transaction& transaction) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!group[i].work) continue;
    outcomes[i] = group[i].work(transaction);
    if (auto failure = disk_->database().take_failure()) return fail(*std::move(failure));
    // Wrong checksums are no failure of a statement.
    if (!outcomes[i] && outcomes[i].error().code == kDamaged) return outcomes[i];
  }
  return {};
}

void Writer::roll_back() {
  if (disk_->database().in_transaction()) (void)disk_->database().run("rollback");
  disk_->rows().forget_kept();
}

bool Writer::take_in(const Error& error, int tries) {
  if (error.code == "disk_full") {
    // Once more, without intake and with the space of the reserve.
    const bool first = !full_;
    enter_full();
    return first && tries < kMaxTries;
  }
  if (error.code == kDamaged) {
    reopen();
    return tries < kMaxTries;
  }
  note(error);
  return false;
}

void Writer::note(const Error& error) {
  if (error.code == "disk_full") return enter_full();
  log::error("spool", error.message);
  // After a refused flush the page cache may show what the disk does not have, so nothing is
  // acknowledged until the files were read back from the disk (edge case 29).
  broken_ = Error(error.error_class, "spool_failed", error.message, error.hint);
  disk_->close();
  next_try_ = clock_.steady_now();
}

void Writer::mend(std::vector<WriteJob>& group) {
  const auto asked = [this](const WriteJob& job) {
    return job.mend && *job.mend == openings_.load(std::memory_order_relaxed);
  };
  if (!broken_ && std::ranges::any_of(group, asked)) reopen();
}

void Writer::reopen() {
  auto opened = disk_->reopen();
  openings_.fetch_add(1, std::memory_order_release);
  moved_pages_ = 0;
  shrinking_ = true;
  if (opened) {
    if (broken_) log::info("spool", "the spool works again");
    broken_.reset();
    return;
  }
  disk_->close();
  if (!broken_) log::error("spool", opened.error().message);
  broken_ = std::move(opened.error());
  next_try_ = clock_.steady_now() + kRetry;
}

// ---- between the groups ----

bool Writer::due(SteadyTime& next) const {
  const SteadyTime now = clock_.steady_now();
  if (now < next) return false;
  next = now + kRetry;
  return true;
}

void Writer::tend() {
  if (broken_) {
    if (due(next_try_)) reopen();
    if (broken_) return;
  }
  if (full_ && due(next_probe_)) leave_full();
  keep_wal_short(idle_);
  if (broken_) return;
  if (!disk_->swept() && !in_transaction([this] { return disk_->sweep(); })) return;
  if (shrinking_ || idle_) keep_file_small();
}

// Work of the spool's own, with nobody to answer to.
Result<void> Writer::in_transaction(std::move_only_function<Result<void>()> work) {
  Result<void> done = disk_->database().run("begin immediate");
  if (done) done = work();
  if (done) done = disk_->database().run("commit");
  if (done) {
    disk_->acknowledge({}, disk_->next_generation());
    return done;
  }
  roll_back();
  shrinking_ = false;  // until the next occasion
  (void)take_in(done.error(), kMaxTries);
  return done;
}

void Writer::keep_wal_short(bool idle) {
  const std::int64_t pages = disk_->database().wal_pages();
  if (pages < moved_pages_) moved_pages_ = 0;  // it began anew
  Result<void> done;
  if (pages > kMaxWalPages || (idle && pages > kIdleWalPages)) {
    done = disk_->checkpoint(Database::Checkpoint::kTruncate);
    moved_pages_ = 0;
  } else if (pages - moved_pages_ > (full_ ? 0 : kCheckpointPages)) {
    // On a full disk at once: the WAL then begins anew in the space that it has.
    done = disk_->checkpoint(Database::Checkpoint::kPassive);
    moved_pages_ = pages;
    shrinking_ = true;  // looks whether there is anything to give back
  }
  if (!done) (void)take_in(done.error(), kMaxTries);
}

void Writer::keep_file_small() {
  const auto free = disk_->database().number("pragma freelist_count");
  const auto all = disk_->database().number("pragma page_count");
  if (!free || !all) return (void)take_in(free ? all.error() : free.error(), kMaxTries);
  // A step that gave nothing back is the last one.
  const bool helped = free_pages_ == 0 || *free < free_pages_;
  shrinking_ = helped && *free > kMinFreePages && *free > *all / 4;
  free_pages_ = shrinking_ ? *free : 0;
  if (!shrinking_) return;
  (void)in_transaction([this] { return disk_->database().run(kShrinkStep); });
}

void Writer::enter_full() {
  if (!std::exchange(full_, true))
    log::warning("spool", "the disk is full: nothing more is taken",
                 {{"path", disk_->paths().dir}});
  reserve_.release();
  next_probe_ = clock_.steady_now() + kRetry;
}

void Writer::leave_full() {
  // As much again for the others: the hub's database has a reserve of its own, and may live on it.
  if (is_out_of_space(reserve_.hold(kReserveBytes))) return;
  full_ = false;
  log::info("spool", "there is space on the disk again", {{"path", disk_->paths().dir}});
}

std::optional<Error> Writer::trouble() const {
  const std::lock_guard lock(trouble_mutex_);
  return trouble_;
}

void Writer::say_trouble() {
  std::optional<Error> trouble = broken_;
  if (full_ && !trouble) trouble = intake_refused();
  const std::lock_guard lock(trouble_mutex_);
  trouble_ = std::move(trouble);
}

}  // namespace tributary::spool
