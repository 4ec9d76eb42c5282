// Retention of history, the roll-up's blocks, boots and steps of the clock.
#include <gmock/gmock.h>

#include "backend.hpp"
#include "store/health_rows.hpp"

namespace tributary::store {
namespace {

using testing::ElementsAre;

UtcTime at(std::int64_t second) {
  return UtcTime{std::chrono::seconds{second}};
}

HistoryRow history(const std::string& id, std::int64_t seq) {
  HistoryRow row;
  row.connection_id = id;
  row.seq = seq;
  row.to = "Idle";
  row.at = at(seq);
  return row;
}

HealthBlockRow block(const std::string& id, std::int64_t start, std::int64_t seq) {
  HealthBlockRow row;
  row.connection_id = id;
  row.start = at(start);
  row.seq = seq;
  row.through_seq = seq + 9;
  row.boot_id = "boot";
  row.monotonic_ns = 7;
  row.longest_outage_us = seq * 10;
  row.body = fmt::format("body of {} {}", id, seq);
  return row;
}

class HealthContract : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(Databases, HealthContract, testing::Values("sqlite"));

TEST_P(HealthContract, ABlockIsReplacedByItsLaterSelfAndFoundByTime) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(HealthBlocks::put(sql, block("c1", 10, 1)));
              TRIBUTARY_TRY(HealthBlocks::put(sql, block("c1", 20, 11)));
              auto later = block("c1", 20, 11);
              later.body = "later";
              return HealthBlocks::put(sql, later);
            }),
            "");
  const auto before = [&](std::int64_t time) {
    const auto found =
        read([time](soci::session& sql) { return HealthBlocks::before(sql, "c1", at(time)); });
    return found ? found->body : "none";
  };
  EXPECT_EQ(before(10), "none") << "strictly before";
  EXPECT_EQ(before(11), "body of c1 1");
  EXPECT_EQ(before(99), "later");
  const auto newest = read([](soci::session& sql) { return HealthBlocks::newest(sql, "c1"); });
  EXPECT_EQ(newest->through_seq, 20);
  EXPECT_EQ(newest->longest_outage_us, 110);
  EXPECT_EQ(newest->longest_recovery_us, kNoLength);
}

TEST_P(HealthContract, BlocksBetweenTwoGiveTheirLongest) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              for (std::int64_t i = 0; i < 5; ++i)
                TRIBUTARY_TRY(HealthBlocks::put(sql, block("c1", i * 10, i * 10 + 1)));
              return HealthBlocks::put(sql, block("c2", 15, 5000));
            }),
            "");
  const auto between =
      read([](soci::session& sql) { return HealthBlocks::between(sql, "c1", 1, 31); });
  EXPECT_EQ(between.longest_outage_us, 210);
  EXPECT_EQ(between.longest_recovery_us, kNoLength);
  EXPECT_EQ(between.first_start, at(10));
  const auto none =
      read([](soci::session& sql) { return HealthBlocks::between(sql, "c1", 1, 11); });
  EXPECT_EQ(none.longest_outage_us, kNoLength);
  EXPECT_EQ(none.first_start, std::nullopt);
}

TEST_P(HealthContract, OneQuestionGivesTheBlockOfEveryConnection) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              for (const auto* id : {"c1", "c2", "c3"}) {
                ConnectionRow row;
                row.id = row.name = id;
                row.type = "modbus";
                TRIBUTARY_TRY(Connections::insert(sql, row));
              }
              TRIBUTARY_TRY(HealthBlocks::put(sql, block("c1", 10, 1)));
              TRIBUTARY_TRY(HealthBlocks::put(sql, block("c1", 20, 11)));
              TRIBUTARY_TRY(HealthBlocks::put(sql, block("c2", 30, 1)));
              return HealthBlocks::put(sql, block("gone", 10, 1));
            }),
            "");
  std::vector<std::string> bodies;
  ASSERT_TRUE(store_->read_now([&](soci::session& sql) {
    return HealthBlocks::before_for_all(
        sql, at(25), [&](const std::string&, const std::string& body) { bodies.push_back(body); });
  }));
  EXPECT_THAT(bodies, ElementsAre("body of c1 11"));
}

TEST_P(HealthContract, OldRowsGoInBoundedStepsAndTheRestStaysDense) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              for (std::int64_t i = 1; i <= 10; ++i)
                TRIBUTARY_TRY(History::append(sql, history("c1", i)));
              return History::append(sql, history("c2", 1));
            }),
            "");
  std::vector<std::int64_t> removed;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(write([&](soci::session& sql) -> Result<void> {
                auto count = HistoryEnds::remove_before(sql, "c1", 8, 4);
                if (!count) return fail(std::move(count.error()));
                removed.push_back(*count);
                return {};
              }),
              "");
  }
  EXPECT_THAT(removed, ElementsAre(4, 3, 0));
  const auto rest = read([](soci::session& sql) { return HistoryEnds::after(sql, "c1", 0, 10); });
  ASSERT_EQ(rest.size(), 3u);
  EXPECT_EQ(rest.front().seq, 8);
  EXPECT_EQ(write([](soci::session& sql) { return History::append(sql, history("c1", 11)); }), "");
  EXPECT_EQ(read([](soci::session& sql) { return HistoryEnds::next_connection(sql, "c1"); }), "c2");
}

TEST_P(HealthContract, BootsComeInTheirOrderAndTheNewestTwoStay) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(History::heartbeat(sql, "b1", at(1000), 1));
              TRIBUTARY_TRY(History::heartbeat(sql, "b1", at(1005), 2));
              TRIBUTARY_TRY(History::heartbeat(sql, "b2", at(3), 1));
              TRIBUTARY_TRY(History::heartbeat(sql, "b3", at(4), 1));
              return Boots::expire(sql, at(2000));
            }),
            "");
  const auto boots = read([](soci::session& sql) { return Boots::all(sql); });
  ASSERT_EQ(boots.size(), 2u);
  EXPECT_EQ(boots[0].boot_id, "b2");
  EXPECT_EQ(boots[1].boot_id, "b3");
  EXPECT_EQ(boots[1].at, at(4));
}

TEST_P(HealthContract, StepsOfTheClockAreFoundByTimeAndExpire) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(ClockSteps::append(sql, {at(10), 3'600'000'000, "b1"}));
              return ClockSteps::append(sql, {at(20), -5, "b1"});
            }),
            "");
  const auto range = [&](std::int64_t from, std::int64_t to) {
    const auto rows = read(
        [from, to](soci::session& sql) { return ClockSteps::range(sql, at(from), at(to), 10); });
    std::vector<std::int64_t> steps;
    for (const auto& row : rows) steps.push_back(row.step_us);
    return steps;
  };
  EXPECT_THAT(range(10, 20), ElementsAre(3'600'000'000));
  EXPECT_THAT(range(0, 21), ElementsAre(3'600'000'000, -5));
  ASSERT_EQ(write([](soci::session& sql) { return ClockSteps::expire(sql, at(15)); }), "");
  EXPECT_THAT(range(0, 21), ElementsAre(-5));
}

}  // namespace
}  // namespace tributary::store
