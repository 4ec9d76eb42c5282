// Nodes that wait, remember and count: wait, buffer, deduplicate, deadband, and what the clock does
// to them.
#include "nodes_support.hpp"

namespace tributary::orchestrate {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(NodeState, WhatIsReadFromDiskIsNoChange) {
  NodeState state;
  state.restore("h:1", json(R"({"record": {}, "bytes": 20})"));
  state.restore("h:2", json(R"({"held": 3, "bytes": 5})"));
  state.restore("k:1", json(R"({"bytes": 100})"));
  EXPECT_EQ(state.held_bytes, 25);
  EXPECT_TRUE(state.take_changes().empty());
  state.edit("k:1")->insert_or_assign("bytes", 1);
  EXPECT_EQ(state.take("h:1").at("bytes"), Json(20));
  EXPECT_EQ(state.take_changes(), (std::set<std::string>{"h:1", "k:1"}));
}

// ---- wait ----

TEST(Wait, DelaysEveryRecord) {
  NodeWorld world;
  world.start_node("wait", R"({"delayMs": 500})");
  world.deliver(R"([{"a": 1}, {"a": 2}])");
  world.advance(milliseconds(300));
  world.deliver(R"([{"a": 3}])");
  world.advance(milliseconds(199));
  EXPECT_EQ(world.take(), "[]");
  EXPECT_EQ(world.held(), 3);
  world.advance(milliseconds(1));
  EXPECT_EQ(world.take(), R"([{"a":1},{"a":2}])");
  world.advance(milliseconds(300));
  EXPECT_EQ(world.take(), R"([{"a":3}])");
  EXPECT_EQ(world.held(), 0);
  world.settle_sums();
}

TEST(Wait, NobodyOvertakes) {
  NodeWorld world;
  world.start_node("wait", R"({"delay": "{{ $input.ms }}"})");
  world.deliver(R"([{"ms": 1000}, {"ms": 10}, {"ms": 0}])");
  world.advance(milliseconds(999));
  EXPECT_EQ(world.take(), "[]");
  world.advance(milliseconds(1));
  EXPECT_EQ(world.take(), R"([{"ms":1000},{"ms":10},{"ms":0}])");
  world.deliver(R"([{"ms": 0}])");
  EXPECT_EQ(world.take(), R"([{"ms":0}])");
}

TEST(Wait, RefusesWhatIsNoDelay) {
  NodeWorld world;
  world.start_node("wait", R"({"delay": "{{ $input.ms }}"})");
  for (const std::string_view bad : {"-1", "\"1\"", "null", "1e300", "true"}) {
    world.deliver(fmt::format(R"([{{"ms": {}}}])", bad));
  }
  EXPECT_EQ(world.snapshot().flow.errors, 5);
  EXPECT_TRUE(world.last_error().starts_with("invalid_delay"));
}

TEST(Wait, IsBoundedByItsPolicy) {
  NodeWorld fails;
  fails.start_node("wait", R"({"delayMs": 500, "maxHeld": 2})");
  fails.deliver(R"([{"a": 1}, {"a": 2}, {"a": 3}])");
  EXPECT_EQ(fails.last_error(), "wait_full: 2 records wait already.");
  fails.advance(seconds(1));
  EXPECT_EQ(fails.take(), R"([{"a":1},{"a":2}])");
  NodeWorld lets_go;
  lets_go.start_node("wait", R"({"delayMs": 500, "maxHeld": 2, "overflow": "oldest"})");
  lets_go.deliver(R"([{"a": 1}, {"a": 2}, {"a": 3}])");
  EXPECT_EQ(lets_go.take(), R"([{"a":1}])");
  lets_go.advance(seconds(1));
  EXPECT_EQ(lets_go.take(), R"([{"a":2},{"a":3}])");
}

TEST(Wait, edge_18_StepsOfTheWallClockDoNotChangeADelay) {
  for (const Duration step :
       {Duration(hours(1)), Duration(-hours(1)), Duration(-hours(24 * 365))}) {
    NodeWorld world;
    world.start_node("wait", R"({"delayMs": 60000})");
    world.deliver(R"([{"a": 1}])");
    world.advance(seconds(20));
    world.clock.step_utc(step);
    world.advance(seconds(39));
    EXPECT_EQ(world.take(), "[]");
    world.advance(seconds(1));
    EXPECT_EQ(world.take(), R"([{"a":1}])");
    world.deliver(R"([{"a": 2}])");
    world.advance(seconds(60));
    EXPECT_EQ(world.take(), R"([{"a":2}])");
  }
}

TEST(Wait, UntilATimeFollowsTheWallClock) {
  NodeWorld world;
  world.start_node("wait", R"({"until": "{{ $input.at }}"})");
  const UtcTime start = world.clock.utc_now();
  world.deliver(fmt::format(R"([{{"at": "{}"}}])", format_utc(start + hours(2))));
  world.advance(hours(1));
  EXPECT_EQ(world.take(), "[]");
  world.clock.step_utc(hours(1));  // it is that time now, and noticed within a minute
  world.advance(minutes(1));
  EXPECT_NE(world.take(), "[]");
  // Back again: the next one waits for the time of day.
  world.clock.step_utc(-hours(1));
  world.deliver(fmt::format(R"([{{"at": {}}}])", to_micros(start + hours(2)) / 1000));
  world.advance(minutes(58));
  EXPECT_EQ(world.take(), "[]");
  world.advance(minutes(1));
  EXPECT_NE(world.take(), "[]");
  EXPECT_EQ(world.held(), 0);
}

TEST(Wait, UntilATimeThatIsOverDoesNotWait) {
  NodeWorld world;
  world.start_node("wait", R"({"until": "{{ $input.at }}"})");
  world.deliver(
      R"([{"at": "2000-01-01T00:00:00Z"}, {"at": "tomorrow"}, {"at": "9999-01-01T00:00:00Z"}])");
  EXPECT_EQ(world.take(), R"([{"at":"2000-01-01T00:00:00Z"}])");
  EXPECT_EQ(world.snapshot().flow.errors, 2);
}

TEST(Wait, SaysWhatIsWrongWithItsSettings) {
  EXPECT_EQ(problem_of("wait", "{}"), "/nodes/1/settings invalid");
  EXPECT_EQ(problem_of("wait", R"({"delayMs": 5, "until": "{{ 1 }}"})"),
            "/nodes/1/settings invalid");
  EXPECT_EQ(problem_of("wait", R"({"delay": "5"})"), "/nodes/1/settings/delay invalid_expression");
  EXPECT_EQ(problem_of("wait", R"({"delayMs": 0})"), "/nodes/1/settings/delayMs out_of_range");
}

// ---- buffer ----

TEST(Buffer, LetsGoByCount) {
  NodeWorld world;
  world.start_node("buffer", R"({"maxCount": 3, "maxAgeMs": 0})");
  world.deliver(R"([{"a": 1}, {"a": 2}])");
  EXPECT_EQ(world.take(), "[]");
  world.deliver(R"([{"a": 3}, {"a": 4}])");
  EXPECT_EQ(world.take(), R"([{"a":1},{"a":2},{"a":3}])");
  EXPECT_EQ(world.held(), 1);
  world.advance(hours(100));
  EXPECT_EQ(world.held(), 1);
}

TEST(Buffer, LetsGoByTimeWhenNothingElseComes) {
  NodeWorld world;
  world.start_node("buffer", R"({"maxCount": 100, "maxAgeMs": 1000})");
  world.deliver(R"([{"a": 1}])");
  world.advance(milliseconds(700));
  world.deliver(R"([{"a": 2}])");
  world.advance(milliseconds(299));
  EXPECT_EQ(world.take(), "[]");
  world.advance(milliseconds(1));
  EXPECT_EQ(world.take(), R"([{"a":1},{"a":2}])");
  world.deliver(R"([{"a": 3}])");
  world.advance(milliseconds(999));
  EXPECT_EQ(world.take(), "[]");
  world.advance(milliseconds(1));
  EXPECT_EQ(world.take(), R"([{"a":3}])");
  world.settle_sums();
}

TEST(Buffer, LetsGoBySize) {
  NodeWorld world;
  world.start_node("buffer", R"({"maxBytes": 300, "maxAgeMs": 0})");
  const std::string text(100, 'x');
  for (int i = 0; i < 3; ++i) world.deliver(fmt::format(R"([{{"t": "{}", "i": {}}}])", text, i));
  // Two would be more than 300 bytes.
  EXPECT_EQ(world.held(), 1);
  const Json sent = json(world.take());
  EXPECT_EQ(sent.size(), 2u);
  world.deliver(fmt::format(R"([{{"t": "{}"}}])", std::string(1000, 'y')));
  EXPECT_EQ(world.held(), 0);  // the one before, and the large one alone
  EXPECT_EQ(json(world.take()).size(), 2u);
}

TEST(Buffer, MakesAListOfEveryKey) {
  NodeWorld world;
  world.start_node("buffer",
                   R"({"maxCount": 2, "maxAgeMs": 1000, "as": "list", "key": "{{ $input.k }}"})");
  world.deliver(R"([{"k": "a", "i": 1}, {"k": "b", "i": 2}, {"k": "a", "i": 3}])");
  EXPECT_EQ(
      world.take(),
      R"([{"items":[{"k":"a","i":1,"$meta":{"connection":"Line 3","function":"Read filler","time":"2023-11-14T22:13:20.000Z"}},)"
      R"({"k":"a","i":3,"$meta":{"connection":"Line 3","function":"Read filler","time":"2023-11-14T22:13:20.000Z"}}],"count":2,"key":"a"}])");
  world.advance(seconds(1));
  EXPECT_EQ(json(world.take())[0].at("count"), Json(1));
  const Snapshot now = world.snapshot();
  EXPECT_EQ(now.flow.in, 3);
  EXPECT_EQ(now.flow.out, 2);
  EXPECT_EQ(now.flow.filtered, 1);
  EXPECT_EQ(now.flow.held, 0);
}

TEST(Buffer, TheOldestKeyGoesEarlyWhenThereAreTooMany) {
  NodeWorld world;
  world.start_node("buffer", R"({"maxKeys": 2, "maxAgeMs": 1000, "key": "{{ $input.k }}"})");
  world.deliver(R"([{"k": 1}, {"k": 2}, {"k": 1}, {"k": 3}])");
  EXPECT_EQ(world.take(), R"([{"k":1},{"k":1}])");
  EXPECT_EQ(world.held(), 2);
}

TEST(Buffer, edge_18_StepsOfTheWallClockDoNotChangeItsTime) {
  for (const Duration step : {Duration(hours(10)), Duration(-hours(10))}) {
    NodeWorld world;
    world.start_node("buffer", R"({"maxAgeMs": 10000})");
    world.deliver(R"([{"a": 1}])");
    world.clock.step_utc(step);
    world.deliver(R"([{"a": 2}])");
    world.advance(milliseconds(9999));
    EXPECT_EQ(world.take(), "[]");
    world.advance(milliseconds(1));
    EXPECT_EQ(world.take(), R"([{"a":1},{"a":2}])");
  }
}

// ---- deduplicate ----

TEST(Deduplicate, EndsWhatWasThereBefore) {
  NodeWorld world;
  world.start_node("deduplicate", R"({"key": "{{ $input.id }}"})");
  world.deliver(R"([{"id": 1}, {"id": 2}, {"id": 1}])");
  world.deliver(R"([{"id": 2}, {"id": "1"}, {"other": 1}, {"other": 2}])");
  EXPECT_EQ(world.take(), R"([{"id":1},{"id":2},{"id":"1"},{"other":1}])");
  EXPECT_EQ(world.snapshot().flow.filtered, 3);
}

TEST(Deduplicate, AKeyIsNewAgainWhenItsTimeIsOver) {
  NodeWorld world;
  world.start_node("deduplicate", R"({"key": "{{ $input.id }}", "withinMs": 1000})");
  world.deliver(R"([{"id": 1}])");
  world.advance(milliseconds(999));
  world.deliver(R"([{"id": 1}])");
  EXPECT_EQ(world.take(), R"([{"id":1}])");
  world.advance(milliseconds(1));
  world.clock.step_utc(-hours(1));
  world.deliver(R"([{"id": 1}])");
  EXPECT_EQ(world.take(), R"([{"id":1}])");
}

TEST(Deduplicate, RemembersABoundedNumberOfKeys) {
  NodeWorld world;
  world.start_node("deduplicate", R"({"key": "{{ $input.id }}", "maxKeys": 2})");
  world.deliver(R"([{"id": 1}])");
  world.advance(milliseconds(1));
  world.deliver(R"([{"id": 2}])");
  world.advance(milliseconds(1));
  world.deliver(R"([{"id": 3}, {"id": 2}, {"id": 1}])");
  EXPECT_EQ(world.take(), R"([{"id":1},{"id":2},{"id":3},{"id":1}])");
}

TEST(Deduplicate, AKeyThatIsTooLongFails) {
  NodeWorld world;
  world.start_node("deduplicate", R"({"key": "{{ $input.id }}"})");
  world.deliver(fmt::format(R"([{{"id": "{}"}}])", std::string(600, 'x')));
  EXPECT_EQ(world.last_error(), "key_too_long: The key has 602 bytes; 512 are allowed.");
}

// ---- deadband ----

TEST(Deadband, PassesWhatIsFurtherAwayThanTheBand) {
  NodeWorld world;
  world.start_node("deadband", R"({"deadband": 2})");
  world.deliver(R"([{"t": 10}, {"t": 12}, {"t": 8}, {"t": 12.5}, {"t": 11}, {"t": 10.4}])");
  EXPECT_EQ(world.take(), R"([{"t":10},{"t":12.5},{"t":10.4}])");
  EXPECT_EQ(world.snapshot().flow.filtered, 3);
}

TEST(Deadband, OtherValuesPassWhenTheyDiffer) {
  NodeWorld world;
  world.start_node("deadband", R"({"deadband": 100})");
  world.deliver(
      R"([{"s": "a"}, {"s": "a"}, {"s": "b"}, {"s": true}, {"s": 1}, {"s": 2}, {"s": null}, {"s": null}, {"s": [1]}])");
  EXPECT_EQ(world.take(), R"([{"s":"a"},{"s":"b"},{"s":true},{"s":1},{"s":null},{"s":[1]}])");
}

TEST(Deadband, PercentOfLastAndOfSpan) {
  NodeWorld last;
  last.start_node("deadband", R"({"type": "percentOfLast", "deadband": 10})");
  last.deliver(R"([{"t": 100}, {"t": 110}, {"t": 111}, {"t": -111}, {"t": 0}, {"t": 0.001}])");
  EXPECT_EQ(last.take(), R"([{"t":100},{"t":111},{"t":-111},{"t":0},{"t":0.001}])");
  NodeWorld span;
  span.start_node("deadband", R"({"fields": [{"field": "t", "type": "percentOfSpan",
      "deadband": 10, "low": 0, "high": 50}]})");
  span.deliver(R"([{"t": 10}, {"t": 15}, {"t": 15.1}])");
  EXPECT_EQ(span.take(), R"([{"t":10},{"t":15.1}])");
}

TEST(Deadband, ListedFieldsDecideForTheWholeRecord) {
  NodeWorld world;
  world.start_node("deadband", R"({"fields": [{"field": "a.b", "deadband": 1}]})");
  world.deliver(
      R"([{"a": {"b": 1}, "n": 1}, {"a": {"b": 2}, "n": 2}, {"a": {"b": 2.5}, "n": 3}, {"n": 4}])");
  EXPECT_EQ(world.take(), R"([{"a":{"b":1},"n":1},{"a":{"b":2.5},"n":3}])");
}

TEST(Deadband, TellsOnlyChanges) {
  NodeWorld world;
  world.start_node("deadband", R"({"deadband": 1, "output": "changes"})");
  world.deliver(R"([{"a": 1, "b": 1}, {"a": 1.5, "b": 5}, {"a": 2.1, "b": 5}])");
  EXPECT_EQ(world.take(), R"([{"a":1,"b":1},{"b":5},{"a":2.1}])");
}

TEST(Deadband, EveryKeyByItself) {
  NodeWorld world;
  world.start_node(
      "deadband",
      R"({"deadband": 1, "fields": [{"field": "v", "deadband": 1}], "key": "{{ $input.tag }}"})");
  world.deliver(
      R"([{"tag": "x", "v": 1}, {"tag": "y", "v": 1}, {"tag": "x", "v": 1.5}, {"tag": "y", "v": 9}])");
  EXPECT_EQ(world.take(), R"([{"tag":"x","v":1},{"tag":"y","v":1},{"tag":"y","v":9}])");
}

TEST(Deadband, AChangeOfQualityAlwaysPasses) {
  NodeWorld world;
  world.start_node("deadband", R"({"deadband": 100, "minIntervalMs": 60000})");
  world.deliver(R"([{"t": 1}])");
  world.deliver(R"([{"t": 1, "$meta": {"points": {"t": {"quality": "uncertain", "code": "U"}}}}])");
  world.deliver(R"([{"t": 2, "$meta": {"points": {"t": {"quality": "uncertain", "code": "U"}}}}])");
  world.deliver(R"([{"t": null, "$meta": {"points": {"t": {"quality": "bad", "code": "B"}}}}])");
  world.deliver(R"([{"t": 3}])");
  EXPECT_EQ(world.take(), R"([{"t":1},{"t":1},{"t":null},{"t":3}])");
}

TEST(Deadband, AChangeThatComesTooSoonGoesWhenItMay) {
  NodeWorld world;
  world.start_node("deadband", R"({"deadband": 1, "minIntervalMs": 1000})");
  world.deliver(R"([{"t": 1}])");
  world.advance(milliseconds(100));
  world.deliver(R"([{"t": 5}, {"t": 7}])");
  EXPECT_EQ(world.take(), R"([{"t":1}])");
  EXPECT_EQ(world.held(), 1);
  world.advance(milliseconds(899));
  EXPECT_EQ(world.take(), "[]");
  world.advance(milliseconds(1));
  EXPECT_EQ(world.take(), R"([{"t":7}])");
  // One that came back is not told.
  world.deliver(R"([{"t": 20}])");
  world.deliver(R"([{"t": 7}])");
  EXPECT_EQ(world.held(), 0);
  world.advance(seconds(5));
  EXPECT_EQ(world.take(), "[]");
  world.settle_sums();
}

TEST(Deadband, AfterTheLongestIntervalARecordPasses) {
  NodeWorld world;
  world.start_node("deadband", R"({"deadband": 1, "maxIntervalMs": 10000, "output": "changes"})");
  world.deliver(R"([{"t": 1, "u": 1}])");
  world.advance(milliseconds(9999));
  world.deliver(R"([{"t": 1, "u": 1}])");
  EXPECT_EQ(world.take(), R"([{"t":1,"u":1}])");
  world.advance(milliseconds(1));
  world.deliver(R"([{"t": 1, "u": 1}])");
  EXPECT_EQ(world.take(), R"([{"t":1,"u":1}])");
}

TEST(Deadband, edge_38_LargeNumbersInfinitiesAndNaN) {
  const auto passes = [](const Json& first, const Json& second, double band) {
    NodeWorld world;
    world.start_node("deadband", fmt::format(R"({{"deadband": {}}})", band));
    for (const Json& value : {first, second}) {
      Json record = json_object();
      record.insert_or_assign("v", value);
      std::vector<Record> records{std::move(record)};
      world.deliver(std::move(records));
    }
    return world.snapshot().flow.out == 2;
  };
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMaxUnsigned = std::numeric_limits<std::uint64_t>::max();
  constexpr double kLargest = std::numeric_limits<double>::max();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr std::int64_t kSafe = std::int64_t{1} << 53;
  // Differences that a double would swallow, and that would overflow 64 bits.
  EXPECT_TRUE(passes(Json(kSafe), Json(kSafe + 1), 0));
  EXPECT_TRUE(passes(Json(kMax), Json(kMax - 1), 0));
  EXPECT_TRUE(passes(Json(kMax), Json(static_cast<std::uint64_t>(kMax) + 1), 0));
  EXPECT_TRUE(passes(Json(kMaxUnsigned), Json(kMaxUnsigned - 1), 0));
  EXPECT_FALSE(passes(Json(kMaxUnsigned), Json(kMaxUnsigned - 1), 1));
  EXPECT_TRUE(passes(Json(kMin), Json(kMax), 1e18));
  EXPECT_TRUE(passes(Json(kMin), Json(kMaxUnsigned), 1.9e19));
  EXPECT_TRUE(passes(Json(-kLargest), Json(kLargest), kLargest));
  EXPECT_TRUE(passes(Json(kLargest), Json(-kLargest), 1e300));
  // NaN is not every other number, and not a change to itself.
  EXPECT_TRUE(passes(Json(1.5), Json(kNaN), 1000));
  EXPECT_TRUE(passes(Json(kNaN), Json(1.5), 1000));
  EXPECT_FALSE(passes(Json(kNaN), Json(kNaN), 0));
  EXPECT_TRUE(passes(Json(1.5), Json(kInfinity), 1000));
  EXPECT_TRUE(passes(Json(kInfinity), Json(1.5), 1000));
  EXPECT_TRUE(passes(Json(kInfinity), Json(-kInfinity), 1000));
  EXPECT_FALSE(passes(Json(kInfinity), Json(kInfinity), 0));
}

TEST(Deadband, SaysWhatIsWrongWithItsSettings) {
  EXPECT_EQ(problem_of("deadband", R"({"fields": [{"field": "a"}, {"field": "a"}]})"),
            "/nodes/1/settings/fields/1/field duplicate");
  EXPECT_EQ(problem_of("deadband", R"({"fields": [{"field": "a", "type": "percentOfSpan"}]})"),
            "/nodes/1/settings/fields/0/high required");
  EXPECT_EQ(
      problem_of("deadband",
                 R"({"fields": [{"field": "a", "type": "percentOfSpan", "low": 5, "high": 5}]})"),
      "/nodes/1/settings/fields/0/high out_of_range");
  EXPECT_EQ(problem_of("deadband", R"({"minIntervalMs": 100, "maxIntervalMs": 50})"),
            "/nodes/1/settings/maxIntervalMs out_of_range");
  EXPECT_EQ(problem_of("deadband", R"({"deadband": -1})"),
            "/nodes/1/settings/deadband out_of_range");
}

}  // namespace
}  // namespace tributary::orchestrate
