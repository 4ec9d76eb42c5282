// What survives when the process, the disk or the space on it goes away in the middle of writes.
#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include "store/query.hpp"
#include "store/tests/backend.hpp"

namespace tributary::store {
namespace {

constexpr const char* kConnection = "c1";

Result<void> append(soci::session& sql, std::int64_t seq) {
  HistoryRow row;
  row.connection_id = kConnection;
  row.seq = seq;
  row.cause_message = std::string(300, 'x');
  return History::append(sql, row);
}

struct Found {
  std::int64_t count = 0;
  std::int64_t last = 0;
};

Found stored_rows(Store& store) {
  Found found;
  auto done = store.read_now([&](soci::session& sql) -> Result<void> {
    auto count = select_number(sql, "select count(*) from history");
    auto last = select_number(sql, "select max(seq) from history");
    if (!count || !last) return fail((count ? last : count).error());
    found = {count->value_or(0), last->value_or(0)};
    return {};
  });
  EXPECT_TRUE(done) << done.error().message;
  return found;
}

// The child: appends rows as fast as it can and says each acknowledged number on the pipe, until it
// is killed.
[[noreturn]] void write_until_killed(const std::string& directory, int acknowledgements) {
  const SystemClock clock;
  auto opened = Store::open(directory, clock);
  if (!opened) ::_exit(1);
  Store& store = **opened;
  std::int64_t seq = stored_rows(store).last;
  for (;;) {
    for (int i = 0; i < 20; ++i) {
      ++seq;
      store.post_write([seq](soci::session& sql) { return append(sql, seq); },
                       [seq, acknowledgements](Result<void> result) {
                         if (!result || ::write(acknowledgements, &seq, sizeof seq) != sizeof seq)
                           ::_exit(2);
                       });
    }
    if (!store.write_now([](soci::session&) -> Result<void> { return {}; })) ::_exit(3);
  }
}

TEST(CrashTest, EverythingAcknowledgedIsThereAfterAKillInTheMiddleOfWrites) {
  const TemporaryDirectory directory;
  const SystemClock clock;
  for (int round = 0; round < 15; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(directory.path(), ends[1]);
    }
    ::close(ends[1]);
    std::int64_t acknowledged = 0;
    std::int64_t number = 0;
    const int patience = 1 + round * 37;  // another moment of the group each time
    for (int seen = 0; ::read(ends[0], &number, sizeof number) == sizeof number; ++seen) {
      acknowledged = number;
      if (seen == patience) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);

    auto opened = Store::open(directory.path(), clock);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE((*opened)->was_unclean());
    const Found found = stored_rows(**opened);
    EXPECT_GE(found.last, acknowledged);
    EXPECT_EQ(found.count, found.last) << "no hole";
  }
}

// ---- disk full ----

// No file of this process may grow beyond `bytes`, as on a disk without room.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit before_{};
  void (*old_handler_)(int);
};

// Writes rows until one is refused; answers "disk_full" or the whole sentence, and counts what was
// acknowledged.
std::string fill(Store& store, std::int64_t& acknowledged) {
  for (int i = 0; i < 100'000; ++i) {
    auto done =
        store.write_now([seq = acknowledged + 1](soci::session& sql) { return append(sql, seq); });
    if (!done) return done.error().code == "disk_full" ? "disk_full" : done.error().message;
    ++acknowledged;
  }
  return "never full";
}

// Full, then space, then on: empty when all went well, else what did not.
std::string survive_full_disk(const std::string& directory, const std::function<void()>& take_space,
                              const std::function<void()>& give_space) {
  const SystemClock clock;
  std::int64_t acknowledged = 0;
  {
    auto opened = Store::open(directory, clock);
    if (!opened) return "open: " + opened.error().message;
    Store& store = **opened;
    take_space();
    if (const std::string code = fill(store, acknowledged); code != "disk_full")
      return "refused with " + code;
    if (stored_rows(store).last != acknowledged)
      return "rows cannot be read while the disk is full";
    give_space();
    if (!store.write_now([&](soci::session& sql) { return append(sql, acknowledged + 1); }))
      return "does not recover";
    ++acknowledged;
  }
  auto reopened = Store::open(directory, clock);
  if (!reopened) return "reopen: " + reopened.error().message;
  const Found found = stored_rows(**reopened);
  return found.last == acknowledged && found.count == acknowledged ? "" : "rows are missing";
}

TEST(DiskFullTest, WritesAreRefusedReadsGoOnAndSpaceHealsIt) {
  const TemporaryDirectory directory;
  std::optional<FileSizeLimit> limit;
  EXPECT_EQ(survive_full_disk(
                directory.path(), [&] { limit.emplace(512 << 10); }, [&] { limit.reset(); }),
            "");
}

constexpr int kNoMount = 77;

// In a process and a mount namespace of its own: the same on a real file system that is full.
int survive_full_tmpfs(const std::string& directory) {
  const bool alone = ::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
  if (!alone || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kNoMount;
  if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=2m,mode=0700") != 0) return kNoMount;
  const std::string ballast = directory + "/ballast";
  const auto take = [&] {
    const int file = ::open(ballast.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (::posix_fallocate(file, 0, 1 << 20) != 0) ::_exit(3);
    ::close(file);
  };
  const std::string failure =
      survive_full_disk(directory, take, [&] { ::unlink(ballast.c_str()); });
  if (!failure.empty()) fmt::print(stderr, "{}\n", failure);
  return failure.empty() ? 0 : 1;
}

TEST(DiskFullTest, AFullFileSystemHealsToo) {
  const TemporaryDirectory directory;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(survive_full_tmpfs(directory.path()));
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoMount) {
    GTEST_SKIP()
        << "mounting a tmpfs is not allowed here; the same scenario ran with a file size limit";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(DiskFullTest, AStoreThatCannotEvenBeMadeSaysSo) {
  const TemporaryDirectory directory;
  const SystemClock clock;
  const FileSizeLimit limit(2048);
  auto opened = Store::open(directory.path(), clock);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "disk_full") << opened.error().message;
}

// ---- the n-th call fails ----

// Makes the n-th write or flush of SQLite fail, once. Flushes do not reach the disk, which makes
// the loops fast.
class FaultyDisk {
 public:
  enum class Call { kWrite, kSync };

  FaultyDisk(Call call, int nth, int result) : real_(::sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    current = this;
    call_ = call;
    countdown_ = nth;
    result_ = result;
    vfs_.zName = "faulty";
    vfs_.xOpen = &FaultyDisk::open;
    ::sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultyDisk() {
    ::sqlite3_vfs_unregister(&vfs_);
    ::sqlite3_vfs_register(real_, 1);
    current = nullptr;
  }
  bool fired() const { return countdown_ <= 0; }

 private:
  static int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
    const int result = current->real_->xOpen(current->real_, name, file, flags, out);
    if (result == SQLITE_OK && file->pMethods != nullptr)
      file->pMethods = current->patched(file->pMethods);
    return result;
  }
  // SQLite uses one table for the database and another for its journals; each keeps everything but
  // these two calls.
  const sqlite3_io_methods* patched(const sqlite3_io_methods* original) {
    const auto [entry, made] = patched_.try_emplace(original, *original);
    if (made) {
      write_ = original->xWrite;
      entry->second.xWrite = &FaultyDisk::write;
      entry->second.xSync = &FaultyDisk::sync;
    }
    return &entry->second;
  }
  static int write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
    if (current->fails(Call::kWrite)) return current->result_;
    return current->write_(file, data, bytes, offset);
  }
  static int sync(sqlite3_file*, int) {
    return current->fails(Call::kSync) ? current->result_ : SQLITE_OK;
  }
  bool fails(Call call) {
    if (call != call_ || --countdown_ != 0) return false;
    errno = EIO;
    return true;
  }

  static FaultyDisk* current;
  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
  std::map<const sqlite3_io_methods*, sqlite3_io_methods> patched_;
  int (*write_)(sqlite3_file*, const void*, int, sqlite3_int64) = nullptr;
  Call call_{};
  std::atomic<int> countdown_ = 0;
  int result_ = 0;
};
FaultyDisk* FaultyDisk::current = nullptr;

struct Outcome {
  std::int64_t acknowledged = 0;
  bool acknowledged_after_failure = false;
  std::string code;  // of the first refusal
};

Outcome run_scenario(const std::string& directory) {
  const ManualClock clock;
  Outcome outcome;
  auto opened = Store::open(directory, clock);
  if (!opened) {
    outcome.code = opened.error().code;
    return outcome;
  }
  for (int i = 0; i < 12; ++i) {
    auto done = (*opened)->write_now(
        [&](soci::session& sql) { return append(sql, outcome.acknowledged + 1); });
    if (done) {
      ++outcome.acknowledged;
      outcome.acknowledged_after_failure |= !outcome.code.empty();
    } else if (outcome.code.empty()) {
      outcome.code = done.error().code;
    }
  }
  return outcome;
}

// Fails call 1, 2, 3 … until the scenario ends without meeting the fault.
void fail_each_call(FaultyDisk::Call call, int result, const std::string& expected_code,
                    bool may_go_on) {
  for (int nth = 1;; ++nth) {
    SCOPED_TRACE(fmt::format("call {} fails", nth));
    const TemporaryDirectory directory{fast_parent()};
    Outcome outcome;
    bool fired = false;
    {
      const FaultyDisk disk(call, nth, result);
      outcome = run_scenario(directory.path());
      fired = disk.fired();
    }
    EXPECT_THAT(outcome.code, testing::AnyOf("", expected_code));
    EXPECT_TRUE(may_go_on || !outcome.acknowledged_after_failure);
    const ManualClock clock;
    auto reopened = Store::open(directory.path(), clock);
    ASSERT_TRUE(reopened) << reopened.error().message;
    const Found found = stored_rows(**reopened);
    EXPECT_GE(found.last, outcome.acknowledged);
    EXPECT_EQ(found.count, found.last);
    if (!fired) {
      EXPECT_GT(nth, 10) << "the scenario meets the disk often enough to mean something";
      EXPECT_EQ(outcome.acknowledged, 12);
      return;
    }
  }
}

TEST(FaultTest, AnyWriteThatFindsNoRoomLosesNothingAcknowledged) {
  fail_each_call(FaultyDisk::Call::kWrite, SQLITE_FULL, "disk_full", true);
}

TEST(FaultTest, AnyWriteThatFailsLosesNothingAcknowledged) {
  fail_each_call(FaultyDisk::Call::kWrite, SQLITE_IOERR_WRITE, "store_failed", true);
}

TEST(FaultTest, EdgeCase29AfterARefusedFlushNothingIsAcknowledged) {
  fail_each_call(FaultyDisk::Call::kSync, SQLITE_IOERR_FSYNC, "store_failed", false);
}

}  // namespace
}  // namespace tributary::store
