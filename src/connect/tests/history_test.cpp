// History in the store: the roll-up that is written with it, its retention, and what a start makes
// of the run before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "actor_fixture.hpp"
#include "connect/flap_watch.hpp"
#include "connect/health/clock_watch.hpp"
#include "connect/history_keeper.hpp"
#include "health_log.hpp"
#include "health_reference.hpp"
#include "store/repositories.hpp"

namespace tributary::connect {
namespace {

using health::Figures;
using health::Log;
using health::Micros;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// A store in a folder of its own, with rows as the hub writes them.
class HistoryTest : public testing::Test {
 protected:
  HistoryTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tributary-history-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    store_ = std::move(*store::Store::open(folder_, clock_));
  }
  ~HistoryTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Result<void> append(health::Rollup& rollup, std::vector<store::HistoryRow> rows) {
    const std::string id = rows.front().connection_id;
    auto stored = store_->write_now([&](soci::session& sql) -> Result<void> {
      for (const auto& row : rows) TRIBUTARY_TRY(store::History::append(sql, row));
      return rollup.append(sql, rows);
    });
    stored ? rollup.committed(id) : rollup.rolled_back(id);
    return stored;
  }
  void append_all(const Log& log, const std::string& id = "c") {
    for (auto row : log.rows()) {
      row.connection_id = id;
      ASSERT_TRUE(append(*rollup_, {row}).has_value());
    }
  }
  Figures figures(const health::Rollup& rollup, UtcTime from, UtcTime to) {
    Figures found;
    auto read = store_->read_now([&](soci::session& sql) -> Result<void> {
      auto ends = rollup.ends(sql, "c", from, to);
      if (!ends) return fail(std::move(ends.error()));
      found = health::figures_of(*ends, from, to);
      return {};
    });
    EXPECT_TRUE(read.has_value());
    return found;
  }
  std::vector<store::HistoryRow> rows(const std::string& id = "c") {
    std::vector<store::HistoryRow> found;
    auto read = store_->read_now([&](soci::session& sql) -> Result<void> {
      found = *store::HistoryEnds::after(sql, id, 0, 100'000);
      return {};
    });
    EXPECT_TRUE(read.has_value());
    return found;
  }
  std::vector<std::string> bodies() {
    std::vector<std::string> found;
    auto read = store_->read_now([&](soci::session& sql) -> Result<void> {
      auto rows = store::HealthBlocks::range(sql, "c", 0, UtcTime::max(), 100'000);
      if (!rows) return fail(std::move(rows.error()));
      for (const auto& row : *rows) found.push_back(row.body);
      return {};
    });
    EXPECT_TRUE(read.has_value());
    return found;
  }
  void make_connection(const std::string& id) {
    store::ConnectionRow row;
    row.id = row.name = id;
    row.type = "fake";
    ASSERT_TRUE(store_->write_now(
        [&](soci::session& sql) { return store::Connections::insert(sql, row); }));
  }
  // Every step of a sweep; answers how many rows each removed.
  std::vector<std::size_t> sweep(UtcTime before) {
    std::vector<std::size_t> removed;
    std::optional<std::string> next = "";
    while (next) {
      const std::size_t count = rows().size();
      auto step = store_->write_now([&](soci::session& sql) -> Result<void> {
        auto trimmed = trim_history(sql, *next, before);
        if (!trimmed) return fail(std::move(trimmed.error()));
        next = *std::move(trimmed);
        return {};
      });
      EXPECT_TRUE(step.has_value());
      if (!step) break;
      removed.push_back(count - rows().size());
    }
    return removed;
  }

  ManualClock clock_;
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<health::Rollup> rollup_ = std::make_unique<health::Rollup>();
};

TEST_F(HistoryTest, the_roll_up_in_the_store_says_what_the_rows_say) {
  Log log;
  SeededRandom random(11);
  const Duration length = health::write_random_history(log, random, 300);
  append_all(log);
  const health::Rollup cold;  // as after a start: nothing in memory
  for (int i = 0; i < 60; ++i) {
    auto [from, to] = std::minmax({Micros{random.next() % 1000} * (length / seconds{1}),
                                   Micros{random.next() % 1000} * (length / seconds{1})});
    from *= 1000;
    to *= 1000;
    const auto expected =
        health::reference::figures_of(log.rows(), health::kStart + from, health::kStart + to);
    ASSERT_TRUE(figures(*rollup_, health::kStart + from, health::kStart + to) == expected);
    ASSERT_TRUE(figures(cold, health::kStart + from, health::kStart + to) == expected);
  }
}

TEST_F(HistoryTest, a_roll_up_is_made_again_from_rows) {
  Log log;
  SeededRandom random(12);
  health::write_random_history(log, random, 200);
  append_all(log);
  const auto written = bodies();
  ASSERT_EQ(written.size(), 4U);
  ASSERT_TRUE(
      store_->write_now([](soci::session& sql) { return store::HealthBlocks::remove(sql, "c"); }));
  // An earlier version of the hub left rows without a roll-up: the next row brings it.
  rollup_ = std::make_unique<health::Rollup>();
  auto next = log.rows().back();
  ++next.seq;
  ASSERT_TRUE(append(*rollup_, {next}).has_value());
  auto again = bodies();
  ASSERT_EQ(again.size(), written.size());
  EXPECT_TRUE(std::equal(written.begin(), written.end() - 1, again.begin()));
  EXPECT_TRUE(again.back().starts_with(written.back()));
}

TEST_F(HistoryTest, rows_that_were_not_stored_are_not_in_the_roll_up) {
  Log log;
  log.row("Idle", {}).row("Connected", seconds{1}).row("Disconnected", minutes{1});
  ASSERT_TRUE(append(*rollup_, {log.rows()[0], log.rows()[1]}).has_value());
  const auto before = bodies();
  auto hole = log.rows()[2];
  hole.seq = 9;
  EXPECT_EQ(append(*rollup_, {hole}).error().code, "history_gap");
  EXPECT_EQ(bodies(), before);
  ASSERT_TRUE(append(*rollup_, {log.rows()[2]}).has_value());
  EXPECT_EQ(figures(*rollup_, health::kStart, health::after_start(hours{1})).failures, 1);
}

TEST_F(HistoryTest, retention_removes_old_rows_and_changes_no_figure) {
  make_connection("c");
  Log log;
  SeededRandom random(13);
  health::write_random_history(log, random, 1200);
  append_all(log);
  const auto times = health::reference::times_of(log.rows());
  const UtcTime cut_off = times[1100] + (times[1101] - times[1100]) / 2;
  const auto anchor = std::ranges::lower_bound(times, cut_off) - times.begin();

  const auto removed = sweep(cut_off);
  for (const auto count : removed) EXPECT_LE(count, kTrimmedRowsPerStep);
  const auto kept = rows();
  EXPECT_EQ(kept.front().seq, anchor) << "the newest row before the cut-off";
  EXPECT_EQ(kept.back().seq, 1200);
  EXPECT_EQ(static_cast<std::int64_t>(kept.size()), 1200 - anchor + 1);

  const health::Rollup cold;
  for (int i = 0; i < 100; ++i) {
    auto [from, to] = std::minmax(
        {times[random.next() % 1200], times[random.next() % 1200] + Micros{random.next() % 1000}});
    const Figures expected = health::reference::figures_of(log.rows(), from, to);
    ASSERT_TRUE(figures(cold, from, to) == expected) << "a window that the rows no longer cover";
  }
}

TEST_F(HistoryTest, a_deleted_connection_is_forgotten_when_all_of_it_is_old) {
  make_connection("c");
  Log log;
  log.row("Idle", {}).row("Connected", minutes{1}).row("Idle", hours{1}, "deleted");
  append_all(log, "gone");
  append_all(log, "c");
  sweep(health::after_start(minutes{30}));
  EXPECT_EQ(rows("gone").size(), 2U) << "a part of it is young: it stays readable";
  sweep(health::after_start(hours{2}));
  EXPECT_TRUE(rows("gone").empty());
  EXPECT_EQ(rows("c").size(), 1U) << "what exists keeps its anchor";
  EXPECT_FALSE(bodies().empty());
}

TEST_F(HistoryTest, edge_21_a_start_without_a_clock_does_not_cost_the_history_before_it) {
  make_connection("c");
  Log log;
  log.row("Idle", {}).row("Connected", minutes{1});
  log.reboot("boot-2")
      .set_clock(UtcTime{}, hours{1})
      .row("Unknown", hours{1})
      .row("Idle", hours{1});
  append_all(log);
  sweep(health::kStart);
  EXPECT_EQ(rows().size(), 4U);
}

TEST_F(HistoryTest, flapping_raises_an_alarm_and_calm_clears_it) {
  auto timers = make_system_timers();
  Runtime runtime(1, clock_, *timers);
  Alarms alarms(runtime, *store_);
  FlapWatch watch(alarms);
  StateChange loss;
  loss.connection_id = "c";
  loss.connection_name = "Line 3";
  loss.from = Status::kConnected;
  loss.state.status = Status::kDisconnected;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(alarms.active().empty()) << i << " losses";
    clock_.advance(minutes{2});
    watch.on_change(loss, clock_.steady_now());
  }
  ASSERT_EQ(alarms.active().size(), 1U);
  EXPECT_EQ(alarms.active()[0].kind, "flapping");
  clock_.advance(minutes{29});
  watch.tick(clock_.steady_now());
  EXPECT_EQ(alarms.active().size(), 1U) << "not calm yet";
  clock_.advance(minutes{1});
  watch.tick(clock_.steady_now());
  EXPECT_TRUE(alarms.active().empty());
  runtime.stop();
  store_.reset();
}

TEST(ClockWatch, a_step_is_seen_and_a_slow_clock_is_not) {
  ManualClock clock;
  health::ClockWatch watch;
  const UtcTime start = clock.utc_now();
  const auto beat = [&] { return watch.beat(clock.utc_now(), clock.steady_now()); };
  EXPECT_FALSE(beat());
  clock.advance(seconds{5});
  clock.step_utc(std::chrono::milliseconds{900});
  EXPECT_FALSE(beat());
  clock.advance(seconds{5});
  clock.step_utc(-hours{1});
  const auto step = beat();
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->by, -hours{1});
  EXPECT_EQ(step->at, start + seconds{10}) << "on the timeline, not on the clock that was set";
  clock.advance(seconds{5});
  EXPECT_FALSE(beat());
}

// The hub is killed ten minutes after its connection came up and starts again ten minutes later; it
// had beaten every five seconds. What the hour after the first start looks like.
class RestartTest : public testing_support::ActorTest {
 protected:
  Figures killed_for_ten_minutes(Micros step) {
    const UtcTime begin = clock_.utc_now();
    start();
    lifecycle::LastRun last;
    last.status = Status::kConnected;
    last.boot_id = log_.boot;
    for (int beat = 0; beat < 120; ++beat) {
      last.ended = clock_.utc_now();
      last.monotonic_ns = clock_.steady_now().time_since_epoch().count();
      advance(std::chrono::milliseconds{beat < 119 ? 5000 : 4999});
    }
    actor_.reset();
    timers_.settle();
    clock_.advance(minutes{10});
    clock_.step_utc(step);

    log_.boot = "boot-2";
    actor_ = make_actor(std::ssize(log_.rows));
    actor_->post(lifecycle::Booted{lifecycle::Intent::kRunning, std::nullopt, last});
    timers_.settle();
    start();
    advance(minutes{10});
    const auto blocks = Log(log_.rows).blocks();
    const UtcTime end = clock_.utc_now();
    return health::figures_of(health::ends_in(blocks, begin, end), begin, end);
  }
};

TEST_F(RestartTest, edge_22_ten_minutes_without_a_hub_are_ten_minutes_unknown) {
  const Figures figures = killed_for_ten_minutes({});
  EXPECT_GE(figures.in(Status::kUnknown), minutes{10});
  EXPECT_LE(figures.in(Status::kUnknown), minutes{10} + seconds{5});
  EXPECT_GE(figures.uptime_percent().value_or(0), 99.9) << "our downtime is not the device's";
  EXPECT_EQ(figures.failures, 0);
}

TEST_F(RestartTest, edge_22_a_clock_that_was_set_meanwhile_is_unknown_too) {
  const Figures figures = killed_for_ten_minutes(hours{1});
  EXPECT_GE(figures.in(Status::kUnknown), minutes{70});
  EXPECT_LE(figures.in(Status::kUnknown), minutes{70} + seconds{5});
  EXPECT_GE(figures.in(Status::kConnected), minutes{19});
}

TEST_F(RestartTest, the_last_run_ends_on_its_own_clock) {
  // The wall clock was set forward while the hub ran: the connection was up no longer for that.
  start();
  advance(minutes{10});
  clock_.step_utc(hours{1});
  lifecycle::LastRun last;
  last.status = Status::kConnected;
  last.ended = clock_.utc_now();
  last.boot_id = log_.boot;
  last.monotonic_ns = clock_.steady_now().time_since_epoch().count();
  actor_.reset();
  timers_.settle();
  clock_.advance(minutes{1});
  log_.boot = "boot-2";
  actor_ = make_actor(std::ssize(log_.rows));
  actor_->post(lifecycle::Booted{lifecycle::Intent::kRunning, std::nullopt, last});
  timers_.settle();
  const auto blocks = Log(log_.rows).blocks();
  const UtcTime end = clock_.utc_now();
  const UtcTime begin = end - hours{2};
  const Figures figures = health::figures_of(health::ends_in(blocks, begin, end), begin, end);
  EXPECT_LE(figures.in(Status::kConnected), minutes{10} + seconds{1});
  EXPECT_GE(figures.in(Status::kConnected), minutes{10} - seconds{1});
}

}  // namespace
}  // namespace tributary::connect
