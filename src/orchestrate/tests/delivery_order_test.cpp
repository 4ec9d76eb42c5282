// The order "liveFirst": what is live passes a backlog, and each of the two stays in order (edge
// case 37, G9).
#include <numeric>

#include "orchestrate/delivery/pace.hpp"
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string line_to(std::string_view function, std::string_view delivery) {
  return std::string(
             R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "d", "type": "function", "settings": {"functionId": ")") +
         std::string(function) +
         R"("}, "delivery": {"mode": "durable", "retry": {"initialDelayMs": 100, "maxDelayMs": 1000})" +
         std::string(delivery) + R"(}}], "edges": [{"from": "t", "to": "d"}]})";
}

// 20 records a call: at 20 ms a call, a thousand a second.
constexpr std::string_view kLiveFirst = R"(, "order": "liveFirst", "batchSize": 20)";
constexpr std::string_view kOnlyLiveFirst = R"(, "order": "liveFirst")";

// A table that takes batches, that can be away, and that remembers what came in which order.
class Table {
 public:
  explicit Table(RunnerWorld& world) : world_(world) {
    world.port.timers = &world.timers;
    world.port.answer = [this](const Call& call) { return take(call); };
  }

  // Numbered records, in one batch.
  void offer(int count) {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i)
      records.push_back(json(R"({"a": )" + std::to_string(next++) + R"(, "$meta": {}})"));
    world_.deliver(std::move(records));
  }

  bool away = false;
  std::function<bool(std::int64_t)> refuses;
  std::int64_t next = 0;
  std::vector<std::int64_t> live;
  std::vector<std::int64_t> late;
  std::size_t largest_late = 0;

 private:
  Result<Batch> take(const Call& call) {
    if (away) return fail(ErrorClass::kTransient, "connection_disconnected", "It is away.");
    const Json& records = call.parameters.at("records");
    for (const Json& record : records.array_range()) {
      if (refuses && refuses(get_int(record, "a", -1)))
        return fail(ErrorClass::kFunction, "refused", "Not this one.");
    }
    std::size_t marked = 0;
    for (const Json& record : records.array_range()) {
      const bool backfill = get_bool(record.at("$meta"), "backfill", false);
      if (backfill) ++marked;
      (backfill ? late : live).push_back(get_int(record, "a", -1));
    }
    largest_late = std::max(largest_late, marked);
    return Batch::of(std::vector<Record>{});
  }

  RunnerWorld& world_;
};

void expect_in_order(const Table& table) {
  EXPECT_TRUE(std::ranges::is_sorted(table.live));
  EXPECT_TRUE(std::ranges::is_sorted(table.late));
}

void expect_everything_once(const Table& table) {
  std::vector<std::int64_t> all = table.live;
  all.insert(all.end(), table.late.begin(), table.late.end());
  std::ranges::sort(all);
  std::vector<std::int64_t> expected(static_cast<std::size_t>(table.next));
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

void expect_balance(const spool::QueueStats& stats) {
  EXPECT_EQ(stats.accepted,
            stats.delivered + stats.dead + stats.dropped + stats.lost + stats.waiting);
}

// A backlog of `count`, a minute old, and its destination back again.
void make_backlog(RunnerWorld& world, Table& table, int count) {
  table.away = true;
  table.offer(count);
  world.advance(minutes(1));
  table.away = false;
}

TEST(DeliveryOrder, edge_37_LiveRecordsPassABacklogAndBothStayInOrder) {
  RunnerWorld world;
  Table table(world);
  world.start(line_to("table", kLiveFirst));
  make_backlog(world, table, 3000);
  world.port.takes = milliseconds(20);
  world.advance(milliseconds(1100));  // the pause between two attempts
  const auto before = static_cast<std::int64_t>(table.late.size());
  for (int i = 0; i < 30; ++i) {
    table.offer(1);
    world.advance(milliseconds(50));
    ASSERT_EQ(table.live.size(), static_cast<std::size_t>(i + 1)) << "a live record waited";
    EXPECT_EQ(table.live.back(), table.next - 1);
  }
  EXPECT_LT(table.late.size(), 3000U) << "the backlog was gone: this shows nothing";
  EXPECT_GE(static_cast<std::int64_t>(table.late.size()) - before, 60) << "two for each live one";
  world.advance(minutes(1));
  expect_in_order(table);
  expect_everything_once(table);
  EXPECT_EQ(table.late.size(), 3000U) << "everything that was passed says so";
  EXPECT_EQ(world.spool.stats_of("d").waiting, 0);
  EXPECT_EQ(world.runner->desk()->courier(1)->view().queue.waiting, 0);
  EXPECT_EQ(world.runner->desk()->courier(1)->view().queue.delivered, 3030);
  expect_balance(world.spool.stats_of("d"));
}

TEST(DeliveryOrder, WithoutABacklogItIsAsEver) {
  RunnerWorld world;
  Table table(world);
  world.start(line_to("table", kLiveFirst));
  for (int i = 0; i < 20; ++i) table.offer(3);
  EXPECT_TRUE(table.late.empty());
  expect_everything_once(table);
  EXPECT_EQ(world.spool.reads, 0);
}

TEST(DeliveryOrder, ADestinationThatIsSlowerThanItsSourceStillEndsTheBacklog) {
  RunnerWorld world;
  Table table(world);
  world.start(line_to("table", std::string(kOnlyLiveFirst) + R"(, "batchSize": 10)"));
  make_backlog(world, table, 1000);
  world.port.takes = milliseconds(20);
  world.advance(milliseconds(1100));
  const std::size_t begin = table.late.size();
  // 150 live records a second where 500 can be taken.
  for (int i = 0; i < 50; ++i) {
    table.offer(3);
    world.advance(milliseconds(20));
  }
  EXPECT_GE(table.late.size() - begin, 2U * 150U - 20U);
  EXPECT_GE(table.live.size(), 150U - 30U);
  world.advance(minutes(1));
  expect_everything_once(table);
}

TEST(DeliveryOrder, WhatGrowsOldWhileItWaitsJoinsTheBacklog) {
  RunnerWorld world;
  Table table(world);
  world.start(line_to("table", kLiveFirst));
  make_backlog(world, table, 1000);
  world.port.takes = milliseconds(50);
  world.advance(milliseconds(1200));
  table.offer(1);
  world.advance(milliseconds(200));
  ASSERT_EQ(table.live, (std::vector<std::int64_t>{1000}));
  // Away again, with the first backlog half sent.
  ASSERT_LT(table.late.size(), 1000U);
  table.away = true;
  table.offer(200);
  world.advance(minutes(1));
  table.away = false;
  world.advance(milliseconds(1200));
  table.offer(1);
  world.advance(minutes(1));
  EXPECT_EQ(table.live, (std::vector<std::int64_t>{1000, 1201}));
  expect_in_order(table);
  expect_everything_once(table);
}

TEST(DeliveryOrder, ALiveRecordThatIsRefusedBecomesADeadLetterWhileTheBacklogWaits) {
  RunnerWorld world;
  Table table(world);
  world.start(line_to("table", kLiveFirst));
  make_backlog(world, table, 2000);
  table.refuses = [](std::int64_t number) { return number == 2001; };
  world.port.takes = milliseconds(20);
  world.advance(milliseconds(1100));
  table.offer(3);
  world.advance(milliseconds(300));
  ASSERT_EQ(world.spool.letters().size(), 1U);
  EXPECT_EQ(world.spool.letters()[0].reason.code, "refused");
  EXPECT_EQ(table.live, (std::vector<std::int64_t>{2000, 2002}));
  EXPECT_LT(table.late.size(), 2000U);
  world.advance(minutes(1));
  EXPECT_EQ(table.late.size(), 2000U);
  expect_in_order(table);
  expect_balance(world.spool.stats_of("d"));
}

TEST(DeliveryOrder, AStartInTheMiddleSendsWhatIsLeft) {
  RunnerWorld first;
  Table table(first);
  first.start(line_to("table", kLiveFirst));
  make_backlog(first, table, 2000);
  first.port.takes = milliseconds(20);
  first.advance(milliseconds(1100));
  table.offer(5);
  first.advance(milliseconds(100));
  ASSERT_EQ(table.live.size(), 5U);
  ASSERT_LT(table.late.size(), 2000U);
  table.away = true;
  first.port.takes = {};
  first.advance(milliseconds(500));  // no call is under way
  first.stop();
  RunnerWorld second(first.spool);
  second.clock.advance(minutes(10));
  Table rest(second);
  second.start(line_to("table", kLiveFirst));
  second.advance(minutes(1));
  rest.live.insert(rest.live.begin(), table.live.begin(), table.live.end());
  rest.late.insert(rest.late.begin(), table.late.begin(), table.late.end());
  rest.next = table.next;
  expect_in_order(rest);
  expect_everything_once(rest);
}

TEST(DeliveryOrder, AThrottledBacklogHoldsNothingLiveBack) {
  RunnerWorld world;
  Table table(world);
  world.start(line_to("table", std::string(kLiveFirst) + R"(, "backfillPerSecond": 100)"));
  make_backlog(world, table, 1000);
  world.advance(milliseconds(1100));
  const std::size_t begin = table.late.size();
  for (int i = 0; i < 50; ++i) {
    table.offer(20);
    world.advance(milliseconds(100));
    ASSERT_EQ(table.live.size(), static_cast<std::size_t>(20 * (i + 1)));
  }
  EXPECT_NEAR(static_cast<double>(table.late.size() - begin), 500.0, 20.0);
}

TEST(DeliveryOrder, AnyMixtureOfOutagesAndBatchesKeepsBothOrdersAndLosesNothing) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    RunnerWorld world;
    Table table(world);
    world.start(line_to("table", std::string(kOnlyLiveFirst) + R"(, "batchSize": 7)"));
    for (int step = 0; step < 60; ++step) {
      table.away = random.next() % 3 == 0;
      world.port.takes = milliseconds(random.next() % 3 * 15);
      for (std::uint64_t i = random.next() % 4; i > 0; --i)
        table.offer(static_cast<int>(random.next() % 40));
      world.advance(milliseconds(random.next() % 8000));
    }
    table.away = false;
    world.advance(minutes(10));
    expect_in_order(table);
    expect_everything_once(table);
    EXPECT_EQ(world.spool.stats_of("d").waiting, 0);
    expect_balance(world.spool.stats_of("d"));
  }
}

TEST(DeliveryOrder, WhatOverwritesOrMayNotBeRepeatedIsNotPassed) {
  const RunnerWorld world;
  const auto problems = [&](std::string_view function, std::string_view more) {
    return check_pipeline(json(line_to(function, std::string(kLiveFirst) + std::string(more))),
                          world.catalogue, world.port)
        .problems;
  };
  for (const auto& [function, more] :
       {std::pair("plc", R"(, "repeatUnknown": true)"), {"table", R"(, "repeatUnknown": false)"}}) {
    const auto found = problems(function, more);
    ASSERT_EQ(found.size(), 1U) << function;
    EXPECT_EQ(found[0].pointer, "/nodes/1/delivery/order");
  }
  EXPECT_TRUE(problems("table", "").empty());
}

// What the newest were turned away for must not be taken for numbers of entries.
TEST(DeliveryOrder, edge_33_AQueueThatDroppedTheNewestDeliversWhatComesLater) {
  RunnerWorld world;
  Table table(world);
  world.start(line_to("table", R"(, "maxBytes": 65536, "whenFull": "dropNewest")"));
  table.away = true;
  while (world.spool.stats_of("d").dropped < 50) table.offer(100);
  table.away = false;
  world.advance(seconds(20));
  ASSERT_EQ(world.spool.stats_of("d").waiting, 0);
  table.late.clear();
  table.live.clear();
  table.offer(5);
  world.advance(seconds(1));
  EXPECT_EQ(table.live.size(), 5U);
  expect_balance(world.spool.stats_of("d"));
}

TEST(BacklogPace, CallsWithOlderRecordsTakeNoLongerThanThoseWithLiveOnes) {
  BacklogPace pace(500);
  const auto duration_of = [](std::size_t records) {
    return milliseconds(10) + std::chrono::microseconds(100) * static_cast<int>(records);
  };
  for (int i = 0; i < 200; ++i) {
    pace.live_sent(1, duration_of(1));
    pace.backlog_sent(pace.size(), duration_of(pace.size()));
  }
  EXPECT_GT(pace.size(), 10U);
  EXPECT_LT(duration_of(pace.size()), milliseconds(20));
  pace.live_sent(1, seconds(10));
  pace.backlog_sent(pace.size(), duration_of(pace.size()));
  EXPECT_LT(duration_of(pace.size()), milliseconds(30)) << "one turn that hung is no measure";
  EXPECT_GT(pace.pause(), milliseconds(10)) << "half of the time is for others";
  pace.restart();
  EXPECT_EQ(pace.pause(), Duration{}) << "nothing live: nothing to wait for";
}

TEST(BacklogPace, TwoOlderRecordsAreSentForEachLiveOne) {
  BacklogPace pace(100);
  pace.live_sent(30, milliseconds(1));
  EXPECT_GE(pace.size(), 60U);
  EXPECT_FALSE(pace.is_due());
  pace.live_sent(30, milliseconds(1));
  EXPECT_TRUE(pace.is_due());
  EXPECT_EQ(pace.size(), 100U);
  pace.backlog_sent(100, milliseconds(1));
  EXPECT_FALSE(pace.is_due());
  pace.live_sent(1000, milliseconds(1));
  pace.restart();
  EXPECT_FALSE(pace.is_due());
}

}  // namespace
}  // namespace tributary::orchestrate
