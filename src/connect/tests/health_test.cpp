#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "health_log.hpp"
#include "health_reference.hpp"

namespace tributary::connect::health {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Log one_outage() {
  Log log;
  log.row("Idle", {}, "created").row("Connecting", {}).row("Connected", milliseconds{400});
  log.row("Disconnected", seconds{1800})
      .row("Reconnecting", seconds{1806})
      .row("Connected", milliseconds{1'809'500});
  return log;
}

TEST(Health, an_hour_with_one_outage) {
  const Figures figures = one_outage().over({}, hours{1});
  EXPECT_EQ(figures.in(Status::kConnecting), milliseconds{400});
  EXPECT_EQ(figures.in(Status::kConnected), milliseconds{3'590'100});
  EXPECT_EQ(figures.in(Status::kDisconnected), seconds{6});
  EXPECT_EQ(figures.in(Status::kReconnecting), milliseconds{3500});
  EXPECT_NEAR(figures.uptime_percent().value(), 99.725, 0.001);
  EXPECT_EQ(figures.failures, 1);
  EXPECT_DOUBLE_EQ(figures.mean_recovery_seconds().value(), 9.5);
  EXPECT_EQ(figures.longest_outage(), milliseconds{9500});
  EXPECT_EQ(figures.longest.recovery, milliseconds{9500});
  EXPECT_DOUBLE_EQ(figures.mean_time_between_failures_seconds().value(), 3590.1);
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
  const Figures figures = log.over({}, hours{1});
  EXPECT_DOUBLE_EQ(figures.uptime_percent().value(), 100.0);
  EXPECT_EQ(figures.in(Status::kUnknown), minutes{10});
  EXPECT_EQ(figures.in(Status::kSuspended), minutes{20});
  EXPECT_EQ(figures.in(Status::kIdle), minutes{15});
  EXPECT_EQ(figures.failures, 0);
}

TEST(Health, no_data_is_not_a_percentage) {
  EXPECT_FALSE(Log().over({}, hours{1}).uptime_percent());
  EXPECT_FALSE(Log().row("Idle", {}).over({}, hours{1}).uptime_percent());
  EXPECT_FALSE(Log().row("Idle", {}).over(minutes{5}, minutes{5}).uptime_percent());
}

TEST(Health, planned_restarts_are_not_failures) {
  Log log;
  log.row("Idle", {}).row("Connecting", {}).row("Connected", seconds{1});
  log.row("Connecting", minutes{5}, "maintenance: restart")
      .row("Connected", minutes{5} + seconds{2});
  const Figures figures = log.over({}, minutes{10});
  EXPECT_EQ(figures.failures, 0);
  EXPECT_FALSE(figures.mean_recovery_seconds());
  EXPECT_FALSE(figures.mean_time_between_failures_seconds());
}

TEST(Health, entries_into_failed_count) {
  Log log;
  log.row("Idle", {})
      .row("Connecting", {})
      .row("Disconnected", seconds{5})
      .row("Reconnecting", seconds{6});
  log.row("Failed", seconds{7});
  EXPECT_EQ(log.over({}, minutes{1}).failures, 1);
}

TEST(Health, a_flicker_is_not_a_recovery) {
  Log log;
  log.row("Idle", {}).row("Connecting", {}).row("Connected", {}).row("Disconnected", minutes{10});
  log.row("Reconnecting", minutes{11})
      .row("Connected", minutes{12})
      .row("Disconnected", minutes{12} + seconds{20});
  log.row("Reconnecting", minutes{13}).row("Connected", minutes{14});
  const Figures figures = log.over({}, minutes{20});
  EXPECT_DOUBLE_EQ(figures.mean_recovery_seconds().value(), 240.0);
  EXPECT_EQ(figures.failures, 2);
}

TEST(Health, an_open_outage_is_reported_but_not_averaged) {
  Log log;
  log.row("Idle", {}).row("Connecting", {}).row("Connected", {}).row("Disconnected", minutes{10});
  const Figures figures = log.over({}, minutes{30});
  EXPECT_FALSE(figures.mean_recovery_seconds());
  EXPECT_EQ(figures.open_outage, minutes{20});
  EXPECT_EQ(figures.longest_outage(), minutes{20});
}

TEST(Health, an_outage_counts_where_it_ends_with_its_whole_length) {
  Log log;
  log.row("Connected", {}).row("Disconnected", minutes{10}).row("Connected", hours{3});
  EXPECT_EQ(log.over(hours{2}, hours{4}).longest.recovery, minutes{170});
  EXPECT_EQ(log.over({}, hours{2}).recoveries, 0);
}

TEST(Health, a_stop_ends_an_outage_without_a_recovery) {
  Log log;
  log.row("Connected", {}).row("Disconnected", minutes{10}).row("Idle", minutes{15}, "stop");
  const Figures figures = log.over({}, hours{1});
  EXPECT_EQ(figures.recoveries, 0);
  EXPECT_EQ(figures.longest_outage(), minutes{5});
  EXPECT_FALSE(figures.open_outage);
}

TEST(Health, a_window_that_begins_inside_a_status) {
  const auto blocks = one_outage().blocks();
  const UtcTime from = after_start(minutes{10});
  const UtcTime to = after_start(minutes{20});
  EXPECT_THAT(timeline_of(blocks, from, to),
              testing::ElementsAre(Segment{from, to, Status::kConnected}));
}

TEST(Health, time_before_the_connection_existed_is_unknown) {
  EXPECT_EQ(one_outage().over(-hours{1}, minutes{1}).in(Status::kUnknown), hours{1});
}

TEST(Health, five_losses_within_a_quarter_of_an_hour_are_flapping_until_half_an_hour_is_calm) {
  Log log;
  for (int i = 0; i < 5; ++i) {
    log.row("Connected", minutes{3 * i}).row("Disconnected", minutes{3 * i + 1});
  }
  log.row("Connected", minutes{14});
  EXPECT_FALSE(log.over({}, minutes{13}).flapping_since) << "four losses";
  EXPECT_EQ(log.over({}, minutes{42}).flapping_since, after_start(minutes{1}));
  EXPECT_FALSE(log.over({}, minutes{43}).flapping_since) << "half an hour after the last loss";
}

TEST(Health, edge_21_steps_of_the_wall_clock_change_no_duration) {
  for (const Micros step : {Micros{hours{1}}, Micros{-hours{1}}, Micros{-hours{24 * 365}}}) {
    Log log;
    log.row("Idle", {}).row("Connecting", {}).row("Connected", seconds{1}).step_clock(step);
    log.row("Disconnected", minutes{10})
        .row("Reconnecting", minutes{11})
        .row("Connected", minutes{12});
    const Figures figures = log.over({}, minutes{20});
    EXPECT_EQ(figures.in(Status::kDisconnected), minutes{1});
    EXPECT_EQ(figures.in(Status::kReconnecting), minutes{1});
    EXPECT_EQ(figures.in(Status::kConnected), seconds{1200 - 120 - 1});
  }
}

TEST(Health, edge_21_a_start_in_1970_and_a_step_to_now_stay_within_0_and_100) {
  Log log;
  log.row("Idle", {}).row("Connecting", {}).row("Connected", seconds{5});
  log.row("Unknown", hours{1}).reboot("boot-2").set_clock(UtcTime{}, hours{2});
  log.row("Idle", hours{2}).row("Connecting", hours{2}).row("Connected", hours{2} + seconds{1});
  log.set_clock(after_start(hours{3}), hours{3});
  log.row("Disconnected", hours{4}).row("Connected", hours{4} + minutes{1});
  SeededRandom random(21);
  for (int i = 0; i < 1000; ++i) {
    const Duration from = seconds{static_cast<std::int64_t>(random.next() % 30'000) - 10'000};
    const Duration to = from + seconds{static_cast<std::int64_t>(random.next() % 20'000)};
    const Figures figures = log.over(from, to);
    const double uptime = figures.uptime_percent().value_or(0);
    ASSERT_GE(uptime, 0.0);
    ASSERT_LE(uptime, 100.0);
    for (const Micros part : figures.spent) ASSERT_GE(part, Micros::zero());
  }
}

TEST(Health, across_boots_a_clock_set_back_gives_zero_not_less) {
  Log log;
  log.row("Connected", seconds{1}).row("Unknown", minutes{10});
  log.reboot("boot-2").step_clock(-hours{1}).row("Idle", minutes{11});
  const Figures figures = log.over({}, minutes{20});
  EXPECT_EQ(figures.in(Status::kUnknown), seconds{1}) << "before the first row only";
  EXPECT_EQ(figures.in(Status::kIdle), minutes{10});
}

TEST(Health, a_block_comes_back_from_the_store_as_it_went) {
  Log log;
  SeededRandom random(5);
  write_random_history(log, random, 200);
  const auto blocks = log.blocks();
  ASSERT_EQ(blocks.size(), 4U);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto back = from_row(to_row(blocks[i]));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->base, blocks[i].base);
    EXPECT_EQ(back->marks, blocks[i].marks);
    EXPECT_EQ(back->longest, blocks[i].longest);
    EXPECT_EQ(back->seq, static_cast<std::int64_t>(i * kMarksPerBlock) + 1);
  }
}

TEST(Health, a_broken_block_is_an_error_not_a_figure) {
  EXPECT_EQ(from_body("17 nonsense").error().code, "store_damaged");
  EXPECT_EQ(from_body("").error().code, "store_damaged");
}

void expect_timeline_fills(const std::vector<Segment>& timeline, UtcTime from, UtcTime to) {
  UtcTime position = from;
  for (const auto& segment : timeline) {
    ASSERT_EQ(segment.from, position);
    ASSERT_LT(segment.from, segment.to);
    position = segment.to;
  }
  ASSERT_EQ(position, to);
}

void expect_buckets_sum_up(const std::vector<Block>& blocks, UtcTime from, UtcTime to,
                           std::size_t count, const Figures& figures) {
  const auto tally_at = [&](UtcTime time) -> Result<Tally> { return tally_in(blocks, time); };
  const auto buckets = buckets_of(tally_at, from, to, count);
  ASSERT_TRUE(buckets.has_value());
  ASSERT_EQ(buckets->size(), count);
  std::array<Micros, kStatuses> spent{};
  std::int64_t failures = 0;
  UtcTime position = from;
  for (const auto& bucket : *buckets) {
    ASSERT_EQ(bucket.from, position);
    position = bucket.to;
    failures += bucket.failures;
    Micros length{};
    for (std::size_t i = 0; i < kStatuses; ++i) {
      spent[i] += bucket.spent[i];
      length += bucket.spent[i];
    }
    ASSERT_EQ(length, bucket.to - bucket.from);
  }
  ASSERT_EQ(position, to);
  ASSERT_EQ(spent, figures.spent);
  ASSERT_EQ(failures, figures.failures);
}

// G16. Whatever the history and the window: the parts make the whole, every percentage is one, and
// the roll-up says exactly what the rows say.
TEST(Health, property_the_roll_up_equals_the_rows_and_everything_sums_up) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SeededRandom random(seed);
    Log log;
    const Duration length = write_random_history(log, random, random.next() % 300);
    const auto blocks = log.blocks();
    const auto micros = std::max<std::int64_t>(1, std::chrono::floor<Micros>(length).count());
    for (int round = 0; round < 12; ++round) {
      SCOPED_TRACE(fmt::format("seed {} round {}", seed, round));
      const auto somewhere = [&] {
        return Micros{
            static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(2 * micros)) -
            micros / 4};
      };
      auto [from, to] = std::minmax({kStart + somewhere(), kStart + somewhere()});
      const auto times = reference::times_of(log.rows());
      // Ends that fall on a transition are the interesting ones.
      if (!times.empty() && round % 3 == 0) from = times[random.next() % times.size()];
      if (!times.empty() && round % 4 == 0) to = times[random.next() % times.size()];
      if (to < from) std::swap(from, to);

      const Figures figures = figures_of(ends_in(blocks, from, to), from, to);
      const Figures expected = reference::figures_of(log.rows(), from, to);
      ASSERT_EQ(figures.spent, expected.spent);
      ASSERT_EQ(figures.longest, expected.longest);
      ASSERT_EQ(figures.open_outage, expected.open_outage);
      ASSERT_EQ(figures.flapping_since, expected.flapping_since);
      ASSERT_TRUE(figures == expected);
      ASSERT_EQ(std::accumulate(figures.spent.begin(), figures.spent.end(), Micros{}), to - from);
      if (const auto uptime = figures.uptime_percent()) {
        ASSERT_GE(*uptime, 0.0);
        ASSERT_LE(*uptime, 100.0);
      }
      const auto timeline = timeline_of(blocks, from, to);
      ASSERT_EQ(timeline, reference::timeline_of(log.rows(), from, to));
      ASSERT_NO_FATAL_FAILURE(expect_timeline_fills(timeline, from, to));
      ASSERT_NO_FATAL_FAILURE(
          expect_buckets_sum_up(blocks, from, to, 1 + random.next() % 50, figures));
    }
  }
}

}  // namespace
}  // namespace tributary::connect::health
