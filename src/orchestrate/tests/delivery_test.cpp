// Durable destinations: on disk first, then delivered in order, and nothing lost on the way.
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::string durable(std::string_view function, std::string_view delivery = {}) {
  return std::string(
             R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "d", "type": "function", "settings": {"functionId": ")") +
         std::string(function) +
         R"("}, "delivery": {"mode": "durable", "retry": {"initialDelayMs": 1000, "maxDelayMs": 8000})" +
         std::string(delivery) + R"(}}], "edges": [{"from": "t", "to": "d"}]})";
}

Error absent(std::string code = "connection_disconnected") {
  return Error(ErrorClass::kTransient, std::move(code), "The connection is down.");
}

bool accepted(const std::shared_ptr<std::optional<Result<void>>>& result) {
  return result->has_value() && (*result)->has_value();
}

// offered = delivered + dead letters + dropped + lost + waiting.
void expect_balance(const spool::QueueStats& stats) {
  EXPECT_EQ(stats.accepted,
            stats.delivered + stats.dead + stats.dropped + stats.lost + stats.waiting);
}

std::vector<std::int64_t> delivered_numbers(const FakePort& port) {
  std::vector<std::int64_t> numbers;
  for (const Call& call : port.calls)
    numbers.push_back(get_int(get_member(call.parameters, "payload"), "a", -1));
  return numbers;
}

TEST(Delivery, TheSourceIsAcknowledgedWhenTheRecordIsOnDiskNotWhenItIsDelivered) {
  RunnerWorld world;
  world.start(durable("write"));
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  const auto result = world.deliver(R"([{"a": 1}])");
  EXPECT_TRUE(accepted(result));
  EXPECT_EQ(world.spool.stats_of("d").waiting, 1);
  EXPECT_EQ(world.spool.stats_of("d").delivered, 0);
  world.port.answer = nullptr;
  world.advance(seconds(10));
  EXPECT_EQ(world.spool.stats_of("d").delivered, 1);
  expect_balance(world.spool.stats_of("d"));
}

TEST(Delivery, edge_30_NothingIsAcknowledgedBeforeTheCommit) {
  RunnerWorld world;
  world.start(durable("write"));
  world.spool.refusal = Error(ErrorClass::kInternal, "disk_full", "The disk is full.");
  const auto result = world.deliver(R"([{"a": 1}])");
  world.advance(seconds(30));
  EXPECT_FALSE(result->has_value());
  EXPECT_TRUE(world.port.calls.empty());
  EXPECT_EQ(world.runner->desk()->trouble()->code, "disk_full");
  world.spool.refusal.reset();
  world.advance(seconds(1));
  EXPECT_TRUE(accepted(result));
  EXPECT_EQ(world.port.calls.size(), 1u);
  EXPECT_FALSE(world.runner->desk()->trouble().has_value());
}

TEST(Delivery, ARunByHandThatCannotBeKeptSaysSoAtOnce) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.manual"},
    {"id": "d", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "durable"}}],
    "edges": [{"from": "t", "to": "d"}]})");
  world.spool.refusal = Error(ErrorClass::kInternal, "disk_full", "The disk is full.");
  const auto run = world.run(R"([{"a": 1}])");
  ASSERT_TRUE(run->has_value());
  ASSERT_FALSE((*run)->has_value());
  EXPECT_EQ((*run)->error().code, "disk_full");
  EXPECT_EQ(world.snapshot().flow.errors, 1);
  EXPECT_EQ(world.snapshot().flow.out, 0);
}

TEST(Delivery, AnAbsentConnectionIsWaitedForWithGrowingPauses) {
  RunnerWorld world;
  world.start(durable("write"));
  for (const std::string code :
       {"connection_disconnected", "connection_suspended", "not_running"}) {
    world.port.answer = [code](const Call&) -> Result<Batch> { return fail(absent(code)); };
    const std::size_t before = world.port.calls.size();
    EXPECT_TRUE(accepted(world.deliver(R"([{"a": 1}])")));
    world.advance(seconds(60));
    // 1 + 2 + 4 + 8 + 8 … seconds, half to all of each.
    EXPECT_GE(world.port.calls.size() - before, 8u);
    EXPECT_LE(world.port.calls.size() - before, 20u);
    const DeliveryView waiting = world.runner->desk()->courier(1)->view();
    ASSERT_TRUE(waiting.last_error.has_value());
    EXPECT_EQ(waiting.last_error->code, code);
    EXPECT_EQ(waiting.attempts, static_cast<std::int64_t>(world.port.calls.size() - before));
    EXPECT_TRUE(waiting.next_attempt_at.has_value());
    world.port.answer = nullptr;
    world.advance(seconds(8));
    EXPECT_EQ(world.runner->desk()->courier(1)->view().queue.waiting, 0);
    EXPECT_FALSE(world.runner->desk()->courier(1)->view().last_error.has_value());
  }
}

TEST(Delivery, AConnectionThatIsBackEndsThePauseAtOnce) {
  RunnerWorld world;
  world.start(durable("write"));
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  world.deliver(R"([{"a": 1}])");
  world.advance(seconds(60));
  world.port.answer = nullptr;
  world.runner->connection_is_back("C-write");
  world.timers.settle();
  EXPECT_EQ(world.spool.stats_of("d").delivered, 1);
}

TEST(Delivery, OrderIsKeptAcrossAnOutage) {
  RunnerWorld world;
  world.start(durable("write"));
  for (int i = 0; i < 3; ++i) world.deliver(R"([{"a": )" + std::to_string(i) + "}]");
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  for (int i = 3; i < 1203; ++i) world.deliver(R"([{"a": )" + std::to_string(i) + "}]");
  EXPECT_EQ(world.spool.stats_of("d").waiting, 1200);
  world.port.calls.clear();
  world.port.answer = nullptr;
  world.advance(seconds(20));
  const auto numbers = delivered_numbers(world.port);
  ASSERT_EQ(numbers.size(), 1200u);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
  EXPECT_EQ(numbers.front(), 3);
  EXPECT_EQ(world.spool.stats_of("d").waiting, 0);
  expect_balance(world.spool.stats_of("d"));
}

TEST(Delivery, ADestinationThatKeepsUpCostsNoReading) {
  RunnerWorld world;
  world.start(durable("write"));
  for (int i = 0; i < 100; ++i) world.deliver(R"([{"a": 1}, {"a": 2}])");
  EXPECT_EQ(world.port.calls.size(), 200u);
  EXPECT_EQ(world.spool.reads, 0);
}

TEST(Delivery, edge_25_WhatTheDestinationRefusesBecomesADeadLetterAndTheOthersPass) {
  RunnerWorld world;
  world.start(durable("write"));
  world.port.answer = [](const Call& call) -> Result<Batch> {
    if (get_int(get_member(call.parameters, "payload"), "a", 0) == 2)
      return fail(ErrorClass::kFunction, "refused", "Not this one.");
    return Batch::of(std::vector<Record>{});
  };
  world.deliver(R"([{"a": 1}, {"a": 2}, {"a": 3}])");
  ASSERT_EQ(world.spool.letters().size(), 1u);
  const spool::DeadLetter& letter = world.spool.letters()[0];
  EXPECT_EQ(letter.reason.code, "refused");
  EXPECT_EQ(letter.attempts, 1);
  EXPECT_EQ(letter.queue.node, "d");
  EXPECT_EQ(
      to_text(json(letter.payload).at("record")),
      R"({"a":2,"$meta":{"connection":"Line 3","function":"Read filler","time":"2023-11-14T22:13:20.000Z"}})");
  EXPECT_EQ(world.spool.stats_of("d").delivered, 2);
  expect_balance(world.spool.stats_of("d"));
}

// G8: one bad record among many of a batch.
TEST(Delivery, edge_25_ABatchIsHalvedUntilThePoisonStandsAlone) {
  RunnerWorld world;
  world.start(durable("table"));
  std::vector<std::int64_t> stored;
  std::size_t calls = 0;
  world.port.answer = [&](const Call& call) -> Result<Batch> {
    ++calls;
    const Json& records = call.parameters.at("records");
    for (const Json& record : records.array_range()) {
      if (get_int(record, "a", 0) == 333)
        return fail(ErrorClass::kFunction, "check_violation", "333 is refused.");
    }
    for (const Json& record : records.array_range()) stored.push_back(get_int(record, "a", 0));
    return Batch::of(std::vector<Record>{});
  };
  std::vector<Record> records;
  for (int i = 0; i < 1000; ++i) records.push_back(json(R"({"a": )" + std::to_string(i) + "}"));
  world.deliver(std::move(records));
  EXPECT_EQ(stored.size(), 999u);
  EXPECT_TRUE(std::ranges::is_sorted(stored));
  ASSERT_EQ(world.spool.letters().size(), 1u);
  EXPECT_EQ(world.spool.letters()[0].reason.message, "333 is refused.");
  EXPECT_LE(calls, 2u + 2u * 10u);
  expect_balance(world.spool.stats_of("d"));
}

TEST(Delivery, ADestinationThatNamesTheRecordIsAskedOnlyThreeTimes) {
  RunnerWorld world;
  world.start(durable("table"));
  std::size_t calls = 0;
  world.port.answer = [&](const Call& call) -> Result<Batch> {
    ++calls;
    const Json& records = call.parameters.at("records");
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (get_int(records[i], "a", 0) == 333) {
        return fail(ErrorClass::kFunction, "check_violation", "333 is refused.", "",
                    "/parameters/records/" + std::to_string(i));
      }
    }
    return Batch::of(std::vector<Record>{});
  };
  std::vector<Record> records;
  for (int i = 0; i < 500; ++i) records.push_back(json(R"({"a": )" + std::to_string(i) + "}"));
  world.deliver(std::move(records));
  EXPECT_EQ(world.spool.letters().size(), 1u);
  EXPECT_EQ(world.spool.stats_of("d").delivered, 499);
  EXPECT_EQ(calls, 4u);  // all, the 333 before it, itself, the rest
}

TEST(Delivery, WhatIsWrongWithTheFunctionBuriesNothing) {
  RunnerWorld world;
  world.start(durable("table"));
  world.port.answer = [](const Call&) -> Result<Batch> {
    return fail(ErrorClass::kFunction, "undefined_table", "There is no such table.", "",
                "/settings/table");
  };
  world.deliver(R"([{"a": 1}, {"a": 2}])");
  world.advance(minutes(10));
  EXPECT_TRUE(world.spool.letters().empty());
  EXPECT_EQ(world.spool.stats_of("d").waiting, 2);
  EXPECT_EQ(world.runner->desk()->courier(1)->view().last_error->code, "undefined_table");
}

TEST(Delivery, AttemptsAndAgeAreBounds) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "d", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "durable", "retry": {"maxAttempts": 3}}},
    {"id": "e", "type": "function", "settings": {"functionId": "command"}, "delivery": {"mode": "durable", "deadLetterAfter": "1m"}}],
    "edges": [{"from": "t", "to": "d"}, {"from": "t", "to": "e"}]})");
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  world.deliver(R"([{"a": 1}])");
  world.advance(minutes(3));
  ASSERT_EQ(world.spool.letters().size(), 2u);
  EXPECT_EQ(world.spool.letters()[0].reason.message,
            "The connection is down. Given up after 3 attempts.");
  EXPECT_EQ(world.spool.letters()[0].attempts, 3);
  EXPECT_EQ(world.spool.letters()[1].reason.code, "too_old");
}

// Edge case 39: a write that may have happened is repeated only where twice is as good as once, or
// where at least once is what was asked for; never at a machine.
TEST(Delivery, edge_39_UnknownOutcomesAreNeverRepeatedAtAMachine) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "m", "type": "function", "settings": {"functionId": "plc"}, "delivery": {"mode": "durable"}},
    {"id": "b", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "durable"}}],
    "edges": [{"from": "t", "to": "m"}, {"from": "t", "to": "b"}]})");
  std::map<std::string, int> calls;
  world.port.answer = [&calls](const Call& call) -> Result<Batch> {
    Error error = absent("connection_reset");
    error.outcome_unknown = true;
    if (++calls[call.function] < 3) return fail(error);
    return Batch::of(std::vector<Record>{});
  };
  world.deliver(R"([{"a": 1}])");
  world.advance(seconds(30));
  EXPECT_EQ(calls["plc"], 1);
  EXPECT_EQ(calls["write"], 3);
  ASSERT_EQ(world.spool.letters().size(), 1u);
  EXPECT_TRUE(world.spool.letters()[0].reason.outcome_unknown);
  EXPECT_EQ(world.spool.letters()[0].queue.node, "m");
}

TEST(Delivery, edge_39_AWriteToAMachineThatTheHubDidNotSurviveIsNotRepeated) {
  RunnerWorld world;
  world.start(durable("plc"));
  world.port.hold = std::make_shared<Event>(world.io.get_executor());
  world.deliver(R"([{"a": 1}])");
  EXPECT_EQ(world.port.active, 1u);
  world.port.calls.clear();
  const auto hold = std::exchange(world.port.hold, nullptr);
  // As after a kill: the entry is there, and so is the note that it was being sent.
  MemorySpool& disk = world.spool;
  EXPECT_EQ(disk.stats_of("d").waiting, 1);
  RunnerWorld next(disk);
  next.start(durable("plc"));
  next.advance(seconds(10));
  EXPECT_TRUE(next.port.calls.empty());
  ASSERT_EQ(disk.letters().size(), 1u);
  EXPECT_EQ(disk.letters()[0].reason.code, "outcome_unknown");
  hold->set();
  world.timers.settle();
}

TEST(Delivery, edge_34_StoppingDoesNotWaitForTheDestinationAndLosesNothing) {
  RunnerWorld world;
  world.start(durable("write"));
  world.port.hold = std::make_shared<Event>(world.io.get_executor());
  EXPECT_TRUE(accepted(world.deliver(R"([{"a": 1}, {"a": 2}])")));
  const SteadyTime begun = world.timers.now();
  bool stopped = false;
  const auto runner = world.runner;
  spawn(world.io.get_executor(), [](std::shared_ptr<Runner> stopping, bool& done) -> Task<void> {
    co_await stopping->stop();
    done = true;
  }(runner, stopped));
  world.advance(seconds(1));
  EXPECT_TRUE(stopped);
  EXPECT_LE(world.timers.now() - begun, seconds(2));
  EXPECT_EQ(world.spool.stats_of("d").waiting, 2);
  expect_balance(world.spool.stats_of("d"));
}

TEST(Delivery, edge_34_WhatWaitedIsDeliveredAfterTheNextStart) {
  RunnerWorld world;
  world.start(durable("write"));
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  world.deliver(R"([{"a": 1}, {"a": 2}])");
  world.stop();
  world.port.calls.clear();
  world.port.answer = nullptr;
  world.start(durable("write"));
  EXPECT_EQ(delivered_numbers(world.port), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(world.spool.stats_of("d").delivered, 2);
}

TEST(Delivery, edge_33_AFullQueueHoldsTheSourceBackUntilThereIsRoom) {
  RunnerWorld world;
  world.start(durable("write", R"(, "maxBytes": 65536)"));
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  const std::string big(30'000, 'x');
  std::vector<std::shared_ptr<std::optional<Result<void>>>> results;
  for (int i = 0; i < 4; ++i) results.push_back(world.deliver(R"([{"a": ")" + big + R"("}])"));
  EXPECT_TRUE(accepted(results[1]));
  EXPECT_FALSE(results[2]->has_value());
  EXPECT_EQ(world.runner->desk()->trouble()->code, "spool_full");
  world.port.answer = nullptr;
  world.advance(seconds(20));
  for (const auto& result : results) EXPECT_TRUE(accepted(result));
  EXPECT_EQ(world.spool.stats_of("d").delivered, 4);
  expect_balance(world.spool.stats_of("d"));
}

TEST(Delivery, edge_26_ARecordThatIsTooLargeIsRefusedAtIntake) {
  RunnerWorld world;
  world.start(durable("write"));
  std::vector<Record> records;
  records.push_back(json_object());
  records.back().insert_or_assign("a", std::string(spool::kMaxEntryBytes, 'x'));
  EXPECT_TRUE(accepted(world.deliver(std::move(records))));
  EXPECT_EQ(world.snapshot().flow.errors, 1);
  const Snapshot now = world.snapshot();
  EXPECT_EQ(world.node(now, "d").last_error->code, "record_too_large");
  EXPECT_TRUE(world.port.calls.empty());
}

TEST(Delivery, ARecordThatCouldNotBeReadBackIsRefusedWhereItIsPromised) {
  RunnerWorld world;
  world.start(durable("write"));
  const auto nested = [](int depth) {
    Json record = json(R"({"a": 1})");
    for (int i = 1; i < depth; ++i) {
      Json outer = json_object();
      outer.insert_or_assign("a", std::move(record));
      record = std::move(outer);
    }
    return record;
  };
  world.deliver({nested(kMaxJsonDepth), nested(kMaxJsonDepth - 1)});
  EXPECT_EQ(world.spool.stats_of("d").delivered, 1);
  const Snapshot now = world.snapshot();
  EXPECT_EQ(world.node(now, "d").last_error->code, "record_too_deep");
  EXPECT_TRUE(world.spool.letters().empty());
}

TEST(Delivery, edge_37_WhatWaitedIsMarkedAsBackfillAndKeepsItsTime) {
  RunnerWorld world;
  world.start(durable("table"));
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  world.deliver(R"([{"a": 1}])");
  world.advance(minutes(5));
  world.port.answer = nullptr;
  world.deliver(R"([{"a": 2}])");
  world.port.calls.clear();
  world.advance(seconds(10));
  std::vector<Json> records;
  for (const Call& call : world.port.calls) {
    for (const Json& record : call.parameters.at("records").array_range())
      records.push_back(record);
  }
  ASSERT_EQ(records.size(), 2u);
  EXPECT_TRUE(get_bool(records[0].at("$meta"), "backfill", false));
  EXPECT_EQ(get_string(records[0].at("$meta"), "time"), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(get_int(records[1], "a", 0), 2);
  EXPECT_FALSE(records[1].at("$meta").contains("backfill"));
}

TEST(Delivery, BackfillIsThrottled) {
  RunnerWorld world;
  world.start(durable("write", R"(, "backfillPerSecond": 100)"));
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  std::vector<Record> records(1000, json(R"({"a": 1})"));
  world.deliver(std::move(records));
  world.advance(minutes(5));
  world.port.answer = nullptr;
  world.runner->connection_is_back("C-write");
  world.timers.settle();
  const std::int64_t before = world.spool.stats_of("d").delivered;
  world.advance(seconds(5));
  EXPECT_NEAR(static_cast<double>(world.spool.stats_of("d").delivered - before), 500.0, 20.0);
}

TEST(Delivery, ReleasedDeadLettersAreTriedAgain) {
  RunnerWorld world;
  world.start(durable("write"));
  world.port.answer = [](const Call&) -> Result<Batch> {
    return fail(ErrorClass::kFunction, "refused", "No.");
  };
  world.deliver(R"([{"a": 1}])");
  ASSERT_EQ(world.spool.letters().size(), 1u);
  world.port.answer = nullptr;
  world.port.calls.clear();
  spawn(world.io.get_executor(), [](MemorySpool& spool) -> Task<void> {
    auto released = co_await spool.release("P1", {});
    EXPECT_EQ(released.value_or(0), 1);
  }(world.spool));
  world.timers.settle();
  world.runner->dead_letters_released();
  world.timers.settle();
  EXPECT_EQ(delivered_numbers(world.port), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(world.spool.stats_of("d").dead_letters, 0);
  EXPECT_EQ(world.runner->desk()->courier(1)->view().queue.dead_letters, 0);
}

TEST(Delivery, WhatIsReleasedAlthoughItIsOldHasTheSameTimeOnceMore) {
  RunnerWorld world;
  world.start(durable("table", R"(, "deadLetterAfter": "1m")"));
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  world.deliver(R"([{"a": 1}])");
  world.advance(minutes(3));
  ASSERT_EQ(world.spool.letters().size(), 1u);
  EXPECT_EQ(world.spool.letters()[0].reason.code, "too_old");
  const auto release = [&world] {
    spawn(world.io.get_executor(), [](MemorySpool& spool) -> Task<void> {
      auto released = co_await spool.release("P1", {});
      EXPECT_EQ(released.value_or(0), 1);
    }(world.spool));
    world.timers.settle();
    world.runner->dead_letters_released();
    world.timers.settle();
  };
  release();
  world.advance(seconds(50));
  EXPECT_EQ(world.spool.stats_of("d").waiting, 1) << "the destination is still away";
  world.advance(minutes(3));
  ASSERT_EQ(world.spool.letters().size(), 1u) << "as old as that once more";
  EXPECT_EQ(world.spool.letters()[0].reason.code, "too_old");
  world.port.answer = nullptr;
  world.port.calls.clear();
  release();
  world.advance(seconds(10));
  EXPECT_TRUE(world.spool.letters().empty());
  ASSERT_EQ(world.port.calls.size(), 1u);
  const Json record = world.port.calls[0].parameters.at("records").at(0);
  EXPECT_EQ(get_int(record, "a", 0), 1);
  EXPECT_TRUE(get_bool(record.at("$meta"), "backfill", false)) << "it tells that it is old";
}

TEST(Delivery, WhatWaitsForADestinationThatIsGoneBecomesADeadLetter) {
  RunnerWorld world;
  world.start(durable("write"));
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  world.deliver(R"([{"a": 1}])");
  world.stop();
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "other", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "durable"}}],
    "edges": [{"from": "t", "to": "other"}]})");
  ASSERT_EQ(world.spool.letters().size(), 1u);
  EXPECT_EQ(world.spool.letters()[0].reason.code, "destination_removed");
}

TEST(Delivery, AStoppedPipelineLeavesABatchThatCouldNotBeKeptToItsSource) {
  RunnerWorld world;
  world.start(durable("write"));
  world.spool.refusal = Error(ErrorClass::kInternal, "disk_full", "The disk is full.");
  const auto first = world.deliver(R"([{"a": 1}, {"a": 2}])");
  const auto second = world.deliver(R"([{"a": 3}])");
  world.stop();
  ASSERT_TRUE(first->has_value());
  EXPECT_EQ((*first)->error().code, "pipeline_stopped");
  ASSERT_TRUE(second->has_value());
  EXPECT_EQ((*second)->error().code, "pipeline_stopped");
  EXPECT_EQ(world.last.flow.in, 2);
  EXPECT_EQ(world.last.flow.dropped, 2);
  ASSERT_EQ(world.rows.size(), 1u);
  EXPECT_EQ(world.rows[0].status, "cancelled");
}

TEST(Delivery, TwoDestinationsAreKeptInOneCommit) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "d", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "durable"}},
    {"id": "e", "type": "function", "settings": {"functionId": "table"}, "delivery": {"mode": "durable"}}],
    "edges": [{"from": "t", "to": "d"}, {"from": "t", "to": "e"}]})");
  world.spool.commits = 0;
  world.deliver(R"([{"a": 1}, {"a": 2}])");
  EXPECT_EQ(world.spool.commits, 1);
  EXPECT_EQ(world.spool.stats_of("d").delivered, 2);
  EXPECT_EQ(world.spool.stats_of("e").delivered, 2);
}

TEST(Delivery, BestEffortToADestinationThatTakesBatchesIsOneCall) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "d", "type": "function", "settings": {"functionId": "table", "meta": false}}], "edges": [{"from": "t", "to": "d"}]})");
  world.deliver(R"([{"a": 1}, {"a": 2}, {"a": 3}])");
  ASSERT_EQ(world.port.calls.size(), 1u);
  EXPECT_EQ(to_text(world.port.calls[0].parameters), R"({"records":[{"a":1},{"a":2},{"a":3}]})");
  EXPECT_EQ(world.snapshot().flow.out, 3);
}

}  // namespace
}  // namespace tributary::orchestrate
