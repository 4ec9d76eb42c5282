#include "connect/health.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/random.hpp"

namespace tributary::connect {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const UtcTime kStart{seconds{1'800'000'000}};

// Rows written by a hub whose clocks behave, unless told otherwise.
class Log {
 public:
  Log& row(std::string_view to, Duration at, std::string note = {}) {
    store::HistoryRow row;
    row.connection_id = "c";
    row.seq = static_cast<std::int64_t>(rows_.size()) + 1;
    row.from = rows_.empty() ? "" : rows_.back().to;
    row.to = std::string(to);
    row.note = std::move(note);
    row.at = kStart + std::chrono::duration_cast<std::chrono::microseconds>(at) + utc_offset_;
    row.monotonic_ns = (at + seconds{100}).count();
    row.boot_id = boot_;
    rows_.push_back(row);
    return *this;
  }
  Log& step_clock(std::chrono::microseconds by) {
    utc_offset_ += by;
    return *this;
  }
  Log& reboot(std::string boot) {
    boot_ = std::move(boot);
    return *this;
  }
  Health over(Duration from, Duration to) const {
    const auto at = [](Duration d) {
      return kStart + std::chrono::duration_cast<std::chrono::microseconds>(d);
    };
    return compute_health(rows_, {at(from), at(to), at(to)});
  }
  const std::vector<store::HistoryRow>& rows() const { return rows_; }

 private:
  std::vector<store::HistoryRow> rows_;
  std::chrono::microseconds utc_offset_{};
  std::string boot_ = "boot-1";
};

double seconds_in(const Health& health, Status status) {
  return health.seconds[static_cast<std::size_t>(status)];
}

Log one_outage() {
  Log log;
  log.row("Idle", {}, "created").row("Connecting", {}).row("Connected", milliseconds{400});
  log.row("Disconnected", seconds{1800})
      .row("Reconnecting", seconds{1806})
      .row("Connected", milliseconds{1'809'500});
  return log;
}

TEST(Health, an_hour_with_one_outage) {
  const Health health = one_outage().over({}, hours{1});
  EXPECT_DOUBLE_EQ(seconds_in(health, Status::kConnecting), 0.4);
  EXPECT_DOUBLE_EQ(seconds_in(health, Status::kConnected), 3590.1);
  EXPECT_DOUBLE_EQ(seconds_in(health, Status::kDisconnected), 6.0);
  EXPECT_DOUBLE_EQ(seconds_in(health, Status::kReconnecting), 3.5);
  ASSERT_TRUE(health.uptime_percent);
  EXPECT_NEAR(*health.uptime_percent, 99.725, 0.001);
  EXPECT_EQ(health.failure_count, 1);
  EXPECT_DOUBLE_EQ(*health.mean_recovery_seconds, 9.5);
  EXPECT_DOUBLE_EQ(*health.longest_outage_seconds, 9.5);
  EXPECT_DOUBLE_EQ(*health.mean_time_between_failures_seconds, 3590.1);
}

TEST(Health, idle_suspended_and_unknown_are_not_held_against_the_target) {
  Log log;
  log.row("Idle", {}).row("Connecting", minutes{10}).row("Connected", minutes{10});
  log.row("Suspended", minutes{20}, "suspended: maintenance")
      .row("Unknown", minutes{30})
      .reboot("boot-2");
  log.row("Suspended", minutes{40})
      .row("Idle", minutes{50})
      .row("Connecting", minutes{55})
      .row("Connected", minutes{55});
  const Health health = log.over({}, hours{1});
  EXPECT_DOUBLE_EQ(*health.uptime_percent, 100.0);
  EXPECT_DOUBLE_EQ(seconds_in(health, Status::kUnknown), 600.0);
  EXPECT_DOUBLE_EQ(seconds_in(health, Status::kSuspended), 1200.0);
  EXPECT_DOUBLE_EQ(seconds_in(health, Status::kIdle), 900.0);
  EXPECT_EQ(health.failure_count, 0);
}

TEST(Health, no_data_is_not_a_percentage) {
  EXPECT_FALSE(Log().over({}, hours{1}).uptime_percent);
  EXPECT_FALSE(Log().row("Idle", {}).over({}, hours{1}).uptime_percent);
  const Health empty = Log().row("Idle", {}).over(minutes{5}, minutes{5});
  EXPECT_FALSE(empty.uptime_percent);
  EXPECT_TRUE(empty.timeline.empty());
}

TEST(Health, planned_restarts_are_not_failures) {
  Log log;
  log.row("Idle", {}).row("Connecting", {}).row("Connected", seconds{1});
  log.row("Connecting", minutes{5}, "maintenance: restart")
      .row("Connected", minutes{5} + seconds{2});
  const Health health = log.over({}, minutes{10});
  EXPECT_EQ(health.failure_count, 0);
  EXPECT_FALSE(health.mean_recovery_seconds);
  EXPECT_FALSE(health.mean_time_between_failures_seconds);
}

TEST(Health, entries_into_failed_count) {
  Log log;
  log.row("Idle", {})
      .row("Connecting", {})
      .row("Disconnected", seconds{5})
      .row("Reconnecting", seconds{6});
  log.row("Failed", seconds{7});
  EXPECT_EQ(log.over({}, minutes{1}).failure_count, 1);
}

TEST(Health, a_flicker_is_not_a_recovery) {
  Log log;
  log.row("Idle", {}).row("Connecting", {}).row("Connected", {}).row("Disconnected", minutes{10});
  log.row("Reconnecting", minutes{11})
      .row("Connected", minutes{12})
      .row("Disconnected", minutes{12} + seconds{20});
  log.row("Reconnecting", minutes{13}).row("Connected", minutes{14});
  const Health health = log.over({}, minutes{20});
  EXPECT_DOUBLE_EQ(*health.mean_recovery_seconds, 240.0);
  EXPECT_EQ(health.failure_count, 2);
}

TEST(Health, an_open_outage_is_reported_but_not_averaged) {
  Log log;
  log.row("Idle", {}).row("Connecting", {}).row("Connected", {}).row("Disconnected", minutes{10});
  const Health health = log.over({}, minutes{30});
  EXPECT_FALSE(health.mean_recovery_seconds);
  EXPECT_DOUBLE_EQ(*health.longest_outage_seconds, 1200.0);
}

TEST(Health, a_window_that_begins_inside_a_status) {
  const Health health = one_outage().over(minutes{10}, minutes{20});
  ASSERT_EQ(health.timeline.size(), 1U);
  EXPECT_EQ(health.timeline[0].status, Status::kConnected);
  EXPECT_DOUBLE_EQ(*health.uptime_percent, 100.0);
}

TEST(Health, time_before_the_connection_existed_is_unknown) {
  const Health health = one_outage().over(-hours{1}, minutes{1});
  EXPECT_DOUBLE_EQ(seconds_in(health, Status::kUnknown), 3600.0);
}

TEST(Health, the_future_is_not_part_of_the_window) {
  const auto log = one_outage();
  const Health health = compute_health(log.rows(), {kStart, kStart + hours{24}, kStart + hours{1}});
  EXPECT_EQ(health.to, kStart + hours{1});
}

TEST(Health, edge_21_steps_of_the_wall_clock_change_no_duration) {
  for (auto step : {std::chrono::microseconds{hours{1}}, std::chrono::microseconds{-hours{1}},
                    std::chrono::microseconds{-hours{24 * 365}}}) {
    Log log;
    log.row("Idle", {}).row("Connecting", {}).row("Connected", seconds{1}).step_clock(step);
    log.row("Disconnected", minutes{10})
        .row("Reconnecting", minutes{11})
        .row("Connected", minutes{12});
    const Health health = log.over({}, minutes{20});
    EXPECT_DOUBLE_EQ(seconds_in(health, Status::kDisconnected), 60.0);
    EXPECT_DOUBLE_EQ(seconds_in(health, Status::kReconnecting), 60.0);
    EXPECT_DOUBLE_EQ(seconds_in(health, Status::kConnected), 1200.0 - 120.0 - 1.0);
  }
}

TEST(Health, across_boots_a_clock_set_back_gives_zero_not_less) {
  Log log;
  log.row("Idle", {})
      .row("Connecting", {})
      .row("Connected", seconds{1})
      .row("Unknown", minutes{10});
  log.reboot("boot-2")
      .step_clock(-hours{1})
      .row("Idle", minutes{11})
      .row("Connecting", minutes{12});
  const auto times = effective_times(log.rows());
  EXPECT_TRUE(std::ranges::is_sorted(times));
}

// Property: whatever the rows, the parts make the whole and every percentage is one.
TEST(Health, property_seconds_sum_up_to_the_window) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SeededRandom random(seed);
    Log log;
    Duration at{};
    const auto count = random.next() % 40;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (random.next() % 8 == 0) log.reboot("boot-" + std::to_string(i));
      if (random.next() % 8 == 0) {
        log.step_clock(std::chrono::microseconds{
            static_cast<std::int64_t>(random.next() % 7'200'000'000ULL) - 3'600'000'000LL});
      }
      log.row(to_string(static_cast<Status>(random.next() % 8)), at);
      at += std::chrono::microseconds{random.next() % 100'000'000ULL};
    }
    const Duration from = std::chrono::microseconds{
        static_cast<std::int64_t>(random.next() % 2'000'000'000ULL) - 1'000'000'000LL};
    const Duration length = std::chrono::microseconds{random.next() % 4'000'000'000ULL};
    const Health health = log.over(from, from + length);
    std::chrono::microseconds sum{};
    UtcTime position = health.from;
    for (const auto& segment : health.timeline) {
      ASSERT_EQ(segment.from, position) << "seed " << seed;
      ASSERT_LT(segment.from, segment.to) << "seed " << seed;
      sum += segment.to - segment.from;
      position = segment.to;
    }
    ASSERT_EQ(sum, health.to - health.from) << "seed " << seed;
    ASSERT_NEAR(std::accumulate(health.seconds.begin(), health.seconds.end(), 0.0),
                to_seconds(length), 1e-6);
    if (health.uptime_percent) {
      ASSERT_GE(*health.uptime_percent, 0.0) << "seed " << seed;
      ASSERT_LE(*health.uptime_percent, 100.0) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace tributary::connect
