// The store itself: grouping, isolation of jobs, threads, what it makes on disk and what it refuses
// to open.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fstream>
#include <latch>
#include <thread>

#include "store/migrations.hpp"
#include "store/query.hpp"
#include "store/tests/backend.hpp"

namespace tributary::store {
namespace {

Result<void> note(soci::session& sql, const std::string& action) {
  AuditRow row;
  row.action = action;
  return Audit::append(sql, row);
}

class StoreTest : public testing::Test {
 protected:
  std::unique_ptr<Store> open() {
    auto opened = Store::open(directory_.path(), clock_);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  Error refusal(const std::string& path) {
    auto opened = Store::open(path, clock_);
    EXPECT_FALSE(opened);
    return opened ? Error() : opened.error();
  }
  // What is in the audit table, oldest first.
  static std::vector<std::string> notes(Store& store) {
    std::vector<std::string> actions;
    auto done = store.read_now([&](soci::session& sql) -> Result<void> {
      auto rows = Audit::list(sql, 0, 100'000);
      if (!rows) return fail(rows.error());
      for (const auto& row : *rows) actions.insert(actions.begin(), row.action);
      return {};
    });
    EXPECT_TRUE(done) << done.error().message;
    return actions;
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
};

// Holds the writer thread inside a job, so that everything posted meanwhile lands in one group.
class HeldWriter {
 public:
  explicit HeldWriter(Store& store) {
    store.post_write(
        [gate = gate_](soci::session&) -> Result<void> {
          gate->held.count_down();
          gate->release.wait();
          return {};
        },
        [](Result<void>) {});
    gate_->held.wait();
  }
  ~HeldWriter() { gate_->release.count_down(); }

 private:
  // Shared: the writer may still be leaving the latch when the test goes on.
  struct Gate {
    std::latch held{1};
    std::latch release{1};
  };
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

TEST_F(StoreTest, AJobThatFailsIsRolledBackAloneAndItsGroupIsKept) {
  auto store = open();
  std::vector<std::string> codes;
  std::latch finished(4);
  const auto done = [&](Result<void> result) {
    codes.push_back(result ? "" : result.error().code);
    finished.count_down();
  };
  {
    const HeldWriter held(*store);
    store->post_write([](soci::session& sql) { return note(sql, "first"); }, done);
    store->post_write(
        [](soci::session& sql) -> Result<void> {
          TRIBUTARY_TRY(note(sql, "undone"));
          return fail(ErrorClass::kFunction, "not_today", "The job changed its mind.");
        },
        done);
    store->post_write(
        [](soci::session& sql) -> Result<void> {
          TRIBUTARY_TRY(note(sql, "thrown away"));
          throw std::runtime_error("a defect");
        },
        done);
    store->post_write([](soci::session& sql) { return note(sql, "last"); }, done);
  }
  finished.wait();
  EXPECT_EQ(codes, (std::vector<std::string>{"", "not_today", "store_failed", ""}));
  EXPECT_EQ(notes(*store), (std::vector<std::string>{"first", "last"}));
}

TEST_F(StoreTest, DoneIsCalledInOrderAndOnlyWhenOthersCanReadTheRows) {
  constexpr int kJobs = 2500;  // more than one group
  auto store = open();
  std::vector<int> order;
  std::size_t visible_at_first_done = 0;
  std::latch finished(kJobs);
  {
    const HeldWriter held(*store);
    for (int i = 0; i < kJobs; ++i) {
      store->post_write([i](soci::session& sql) { return note(sql, fmt::format("{}", i)); },
                        [&, i](Result<void> result) {
                          if (i == 0 && result) visible_at_first_done = notes(*store).size();
                          if (result) order.push_back(i);
                          finished.count_down();
                        });
    }
  }
  finished.wait();
  ASSERT_EQ(order.size(), static_cast<std::size_t>(kJobs));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_GT(visible_at_first_done, 1u)
      << "the first of a group hears of it after the whole group is on disk";
}

TEST_F(StoreTest, ACoroutineGetsItsValueBackOnItsOwnExecutor) {
  auto store = open();
  asio::io_context context;
  std::optional<Result<std::int64_t>> answer;
  std::thread::id resumed_on;
  const auto work = [](Store& target, std::optional<Result<std::int64_t>>& out,
                       std::thread::id& thread) -> Task<void> {
    std::move_only_function<Result<int>(SessionRef)> insert =
        [](soci::session& sql) -> Result<int> {
      TRIBUTARY_TRY(note(sql, "from a coroutine"));
      return 7;
    };
    auto written = co_await target.write<int>(std::move(insert));
    thread = std::this_thread::get_id();
    std::move_only_function<Result<std::int64_t>(SessionRef)> count =
        [](soci::session& sql) -> Result<std::int64_t> {
      auto found = select_number(sql, "select count(*) from audit");
      if (!found) return fail(found.error());
      return found->value_or(0);
    };
    auto counted = co_await target.read<std::int64_t>(std::move(count));
    out = written && *written == 7 ? std::move(counted) : Result<std::int64_t>(-1);
  };
  asio::co_spawn(context.get_executor(), work(*store, answer, resumed_on), asio::detached);
  context.run();
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ(**answer, 1);
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

TEST_F(StoreTest, TheReaderCannotWrite) {
  auto store = open();
  auto done = store->read_now([](soci::session& sql) { return note(sql, "smuggled"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "store_failed");
  EXPECT_TRUE(notes(*store).empty());
}

TEST_F(StoreTest, WhatIsQueuedAtTheEndIsCommittedBeforeTheStoreGoes) {
  int answered = 0;
  {
    auto store = open();
    for (int i = 0; i < 100; ++i) {
      store->post_write([](soci::session& sql) { return note(sql, "queued"); },
                        [&](Result<void> result) { answered += result ? 1 : 0; });
    }
  }
  EXPECT_EQ(answered, 100);
  EXPECT_EQ(notes(*open()).size(), 100u);
}

TEST_F(StoreTest, AFullQueueRefusesAtOnceInsteadOfGrowing) {
  auto store = open();
  int busy = 0;
  {
    const HeldWriter held(*store);
    for (int i = 0; i < 70'000; ++i) {
      store->post_write([](soci::session&) -> Result<void> { return {}; },
                        [&busy](Result<void> result) {
                          if (!result && result.error().code == "store_busy") ++busy;
                        });
    }
    EXPECT_EQ(busy, 70'000 - 65'536);
  }
}

TEST_F(StoreTest, EdgeCase31TheLogShrinksAgainAfterALongReader) {
  constexpr std::uintmax_t kLimit = std::uintmax_t{64} << 20;
  auto store = open();
  std::latch reading(1);
  std::latch release(1);
  std::thread reader([&] {
    auto done = store->read_now([&](soci::session& sql) -> Result<void> {
      auto rows = Audit::list(sql, 0, 1);  // the snapshot begins with the first query
      reading.count_down();
      release.wait();
      if (!rows) return fail(rows.error());
      return {};
    });
    EXPECT_TRUE(done);
  });
  reading.wait();
  const auto wal = [&] {
    return std::filesystem::file_size(directory_.path() + "/tributary.db-wal");
  };
  const std::string megabyte(1 << 20, 'x');
  while (wal() <= kLimit) {
    ASSERT_TRUE(store->write_now([&](soci::session& sql) { return note(sql, megabyte); }));
  }
  release.count_down();
  reader.join();
  // The writer tidies up after a group; the second job comes behind that.
  ASSERT_TRUE(store->write_now([](soci::session& sql) { return note(sql, "next"); }));
  ASSERT_TRUE(store->write_now([](soci::session& sql) { return note(sql, "after"); }));
  EXPECT_LT(wal(), kLimit);
}

TEST_F(StoreTest, EveryStartHasItsOwnBootId) {
  std::string first = open()->boot_id();
  EXPECT_FALSE(first.empty());
  EXPECT_NE(open()->boot_id(), first);
}

TEST_F(StoreTest, DirectoriesAndFilesArePrivate) {
  const std::string path = directory_.path() + "/a/b";
  const mode_t before = ::umask(022);
  auto opened = Store::open(path, clock_);
  ::umask(before);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_TRUE((*opened)->write_now([](soci::session& sql) { return note(sql, "fills the WAL"); }));
  const auto mode_of = [](const std::string& name) {
    struct stat status{};
    EXPECT_EQ(::stat(name.c_str(), &status), 0) << name;
    return status.st_mode & 0777;
  };
  EXPECT_EQ(mode_of(directory_.path() + "/a"), 0700u);
  EXPECT_EQ(mode_of(path), 0700u);
  for (const char* file :
       {"/tributary.db", "/tributary.db-wal", "/tributary.db-shm", "/tributary.lock"}) {
    EXPECT_EQ(mode_of(path + file), 0600u) << file;
  }
}

TEST_F(StoreTest, ASecondServerIsRefusedAndToldWhoHoldsTheDirectory) {
  auto store = open();
  const Error error = refusal(directory_.path());
  EXPECT_EQ(error.code, "data_dir_locked");
  EXPECT_NE(error.message.find(fmt::format("process {}", ::getpid())), std::string::npos)
      << error.message;
}

TEST_F(StoreTest, TheDirectoryIsFreeAgainAfterTheStoreIsClosed) {
  open().reset();
  EXPECT_TRUE(open());
}

// Runs `body` in a child process and answers its exit code.
template <typename Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(StoreTest, ADirectoryThatMayNotBeWrittenIsRefused) {
  const std::string path = directory_.path() + "/read-only";
  ASSERT_EQ(::mkdir(path.c_str(), 0555), 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
  constexpr uid_t kNobody = 65534;
  const int exit_code = in_child([&] {
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) return 3;  // root may write anywhere
    auto opened = Store::open(path, clock_);
    if (opened) return 1;
    return opened.error().code == "data_dir_unwritable" && opened.error().message.contains(path)
               ? 0
               : 2;
  });
  EXPECT_EQ(exit_code, 0);
}

TEST_F(StoreTest, APathThroughAFileIsRefused) {
  std::ofstream(directory_.path() + "/file") << "no directory";
  EXPECT_EQ(refusal(directory_.path() + "/file").code, "data_dir_unwritable");
  EXPECT_EQ(refusal(directory_.path() + "/file/below").code, "data_dir_unwritable");
}

TEST_F(StoreTest, ALaterVersionsDatabaseIsRefusedAndLeftAlone) {
  {
    auto store = open();
    ASSERT_TRUE(store->write_now([](soci::session& sql) -> Result<void> {
      TRIBUTARY_TRY(
          execute(sql, "insert into schema_version (number, at) values (:number, :at)", {99, 0}));
      return {};
    }));
  }
  const Error error = refusal(directory_.path());
  EXPECT_EQ(error.code, "store_too_new");
  EXPECT_NE(error.message.find("99"), std::string::npos) << error.message;
}

TEST_F(StoreTest, AFileThatIsNoDatabaseIsReportedAsDamaged) {
  std::ofstream(directory_.path() + "/tributary.db") << std::string(8192, 'x');
  EXPECT_EQ(refusal(directory_.path()).code, "store_damaged");
}

class DamageTest : public StoreTest {
 protected:
  void SetUp() override {
    auto store = open();
    for (int i = 0; i < 300; ++i) {
      store->post_write([](soci::session& sql) { return note(sql, std::string(200, 'a')); },
                        [](Result<void>) {});
    }
    ASSERT_TRUE(store->write_now([](soci::session& sql) { return note(sql, "end"); }));
  }
  void erase_last_page() {
    std::fstream file(directory_.path() + "/tributary.db",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-4096, std::ios::end);
    file << std::string(4096, '\xff');
  }
  void pretend_crash() { std::ofstream(directory_.path() + "/tributary.lock") << "4711\n"; }
};

TEST_F(DamageTest, AfterACrashADamagedPageIsFoundAtTheStart) {
  erase_last_page();
  pretend_crash();
  const Error error = refusal(directory_.path());
  EXPECT_EQ(error.code, "store_damaged");
  EXPECT_FALSE(error.hint.empty());
}

TEST_F(DamageTest, ACopyWithoutItsLockFileIsCheckedToo) {
  erase_last_page();
  std::filesystem::remove(directory_.path() + "/tributary.lock");
  EXPECT_EQ(refusal(directory_.path()).code, "store_damaged");
}

TEST_F(DamageTest, AnOrderlyStopIsToldFromACrash) {
  EXPECT_FALSE(open()->was_unclean());
  pretend_crash();
  EXPECT_TRUE(open()->was_unclean());
  EXPECT_FALSE(open()->was_unclean()) << "the check passed and the stop was in order";
}

class MigrationTest : public StoreTest {
 protected:
  Result<void> apply(std::span<const Migration> steps) {
    auto store = open();
    // Runs beside the store's own transaction, as the real migration does at the start.
    return store->write_now([&](soci::session& sql) -> Result<void> {
      TRIBUTARY_TRY(execute(sql, "release job"));
      TRIBUTARY_TRY(execute(sql, "commit"));
      auto applied = migrate(sql, steps, clock_.utc_now());
      TRIBUTARY_TRY(execute(sql, "begin immediate"));
      TRIBUTARY_TRY(execute(sql, "savepoint job"));
      return applied;
    });
  }
  std::optional<std::int64_t> number(const std::string& query) {
    std::optional<std::int64_t> found;
    auto done = open()->read_now([&](soci::session& sql) -> Result<void> {
      auto answer = select_number(sql, query);
      if (!answer) return fail(answer.error());
      found = *answer;
      return {};
    });
    return done ? found : std::nullopt;
  }
  const int next_ = migrations().back().number + 1;
};

TEST_F(MigrationTest, StepsAreNumberedFromOneWithoutGaps) {
  int expected = 1;
  for (const Migration& step : migrations()) EXPECT_EQ(step.number, expected++);
}

TEST_F(MigrationTest, ConnectionsOfBeforeBeginTheirHistoryWithWhatTheyAre) {
  const auto step = std::ranges::find(migrations(), 9, &Migration::number);
  std::vector<std::string> statements{
      "drop table connection_versions",
      "insert into connections (id, version, name, type, description, labels, settings, "
      "reconnect, autostart, intent, suspend_reason, suspended_by, created_at, updated_at) values "
      "('c1', 7, 'a', 'modbus', '', '{}', '{}', '{}', 1, 'stopped', '', '', 1, 2)"};
  statements.insert(statements.end(), step->statements.begin(), step->statements.end());
  ASSERT_TRUE(open()->write_now([&](soci::session& sql) -> Result<void> {
    for (const std::string& statement : statements) TRIBUTARY_TRY(execute(sql, statement));
    return {};
  }));
  EXPECT_EQ(number("select version from connection_versions where connection_id = 'c1'"), 7);
  EXPECT_EQ(number("select at from connection_versions where connection_id = 'c1'"), 2);
}

TEST_F(MigrationTest, AStepThatFailsHalfwayLeavesNothingBehind) {
  std::vector<Migration> steps = migrations();
  steps.push_back({next_, {"create table half (a bigint)", "this is not SQL"}});
  auto applied = apply(steps);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "store_failed");
  EXPECT_EQ(number("select max(number) from schema_version"), next_ - 1);
  EXPECT_EQ(number("select count(*) from sqlite_master where name = 'half'"), 0);
}

TEST_F(MigrationTest, OnlyMissingStepsAreApplied) {
  std::vector<Migration> steps = migrations();
  steps.push_back({next_, {"create table extra (a bigint)", "insert into extra (a) values (1)"}});
  ASSERT_TRUE(apply(steps));
  // The store itself does not know the step: the real start refuses, as for any later version.
  EXPECT_EQ(refusal(directory_.path()).code, "store_too_new");
}

}  // namespace
}  // namespace tributary::store
