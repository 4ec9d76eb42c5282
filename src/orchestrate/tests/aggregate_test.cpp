// Windows: which records are in them, when they end, and what comes out.
#include "nodes_support.hpp"

namespace tributary::orchestrate {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A record with a value at so many milliseconds after the test's start, which is a whole minute…
// plus twenty seconds: windows of ten seconds start with it.
std::string at(std::int64_t ms, std::string_view fields) {
  const UtcTime time = ManualClock().utc_now() + milliseconds(ms);
  return fmt::format(R"({{{}, "$meta": {{"time": "{}"}}}})", fields, format_utc(time));
}

std::string list(const std::vector<std::string>& records) {
  return fmt::format("[{}]", fmt::join(records, ", "));
}

constexpr std::string_view kMean =
    R"({"sizeMs": 10000, "fields": [{"name": "mean", "function": "mean", "value": "{{ $input.t }}"},
                                    {"name": "n", "function": "count"}]})";

TEST(Aggregate, AWindowEndsWhenRecordsAreBeyondItAndTheLateness) {
  NodeWorld world;
  world.start_node("aggregate", kMean);
  world.deliver(list({at(0, R"("t": 1)"), at(9999, R"("t": 3)"), at(10'000, R"("t": 100)")}));
  EXPECT_EQ(world.take(), "[]");
  world.deliver(list({at(10'999, R"("t": 100)")}));
  EXPECT_EQ(world.take(), "[]");
  EXPECT_EQ(world.held(), 4);
  world.deliver(list({at(11'000, R"("t": 100)")}));
  EXPECT_EQ(world.take(), R"([{"mean":2,"n":2}])");
  EXPECT_EQ(to_text(world.last_meta.at("window")),
            R"({"from":"2023-11-14T22:13:20.000Z","to":"2023-11-14T22:13:30.000Z","count":2})");
  EXPECT_EQ(get_string(world.last_meta, "time"), "2023-11-14T22:13:30.000Z");
  EXPECT_EQ(world.held(), 3);
  world.settle_sums();
}

TEST(Aggregate, AWindowEndsByTimeWhenNothingComes) {
  NodeWorld world;
  world.start_node("aggregate", kMean);
  world.deliver(list({at(0, R"("t": 1)"), at(4000, R"("t": 3)")}));
  // Its time goes on from 4 s.
  world.advance(milliseconds(6999));
  EXPECT_EQ(world.take(), "[]");
  world.advance(milliseconds(1));
  EXPECT_EQ(world.take(), R"([{"mean":2,"n":2}])");
  EXPECT_EQ(world.held(), 0);
  world.advance(hours(1));
  EXPECT_EQ(world.take(), "[]");
}

TEST(Aggregate, edge_37_ABackfillOfOldRecordsFillsItsWindows) {
  NodeWorld world;
  world.start_node("aggregate", kMean);
  std::vector<std::string> records;
  for (int i = 0; i < 40; ++i) records.push_back(at(-3'600'000 + i * 1000, R"("t": 1)"));
  world.deliver(list(records));
  EXPECT_EQ(world.take(), R"([{"mean":1,"n":10},{"mean":1,"n":10},{"mean":1,"n":10}])");
  world.advance(seconds(2));
  EXPECT_EQ(world.take(), R"([{"mean":1,"n":10}])");
}

TEST(Aggregate, edge_18_StepsOfTheWallClockDoNotEndWindows) {
  for (const Duration step : {Duration(hours(5)), Duration(-hours(5))}) {
    NodeWorld world;
    world.start_node("aggregate", kMean);
    world.deliver(list({at(0, R"("t": 1)")}));
    world.clock.step_utc(step);
    world.advance(milliseconds(10'999));
    EXPECT_EQ(world.take(), "[]");
    world.advance(milliseconds(1));
    EXPECT_EQ(world.take(), R"([{"mean":1,"n":1}])");
  }
}

TEST(Aggregate, WhatComesTooLateEndsOrLeavesByThePort) {
  NodeWorld world;
  std::string settings(kMean);
  settings.insert(1, R"("late": "port", "latenessMs": 2000, )");
  world.start_node("aggregate", settings, {"out", "late"});
  world.deliver(list({at(0, R"("t": 1)"), at(11'999, R"("t": 5)"), at(9000, R"("t": 3)")}));
  EXPECT_EQ(world.take(), "[]");
  world.deliver(list({at(12'000, R"("t": 5)"), at(9999, R"("t": 9)")}));
  EXPECT_EQ(world.take(), R"([{"mean":2,"n":2}])");
  EXPECT_EQ(world.take("late"), R"([{"t":9}])");
  NodeWorld drops;
  drops.start_node("aggregate", kMean);
  drops.deliver(list({at(0, R"("t": 1)"), at(20'000, R"("t": 5)"), at(1, R"("t": 3)")}));
  EXPECT_EQ(drops.take(), R"([{"mean":1,"n":1}])");
  EXPECT_EQ(drops.snapshot().flow.filtered, 1);
}

TEST(Aggregate, OverlappingWindows) {
  NodeWorld world;
  world.start_node("aggregate", R"({"sizeMs": 10000, "everyMs": 5000, "latenessMs": 0,
      "fields": [{"name": "sum", "function": "sum", "value": "{{ $input.v }}"}]})");
  world.deliver(list({at(1000, R"("v": 1)"), at(6000, R"("v": 10)"), at(11'000, R"("v": 100)")}));
  world.advance(hours(1));
  // [-5, 5) [0, 10) [5, 15) [10, 20)
  EXPECT_EQ(world.take(), R"([{"sum":1},{"sum":11},{"sum":110},{"sum":100}])");
  const Snapshot now = world.snapshot();
  EXPECT_EQ(now.flow.in, 3);
  EXPECT_EQ(now.flow.copied, 1);
  EXPECT_EQ(now.flow.out, 4);
  EXPECT_EQ(now.flow.held, 0);
}

TEST(Aggregate, WindowsWithGaps) {
  NodeWorld world;
  world.start_node("aggregate", R"({"sizeMs": 2000, "everyMs": 10000, "latenessMs": 0,
      "fields": [{"name": "n", "function": "count"}]})");
  world.deliver(list({at(0, R"("v": 1)"), at(1999, R"("v": 1)"), at(2000, R"("v": 1)")}));
  EXPECT_EQ(world.take(), R"([{"n":2}])");
  EXPECT_EQ(world.snapshot().flow.filtered, 2);  // one in the gap, one folded into the result
}

TEST(Aggregate, ByArrival) {
  NodeWorld world;
  world.start_node("aggregate", R"({"sizeMs": 10000, "time": "arrival",
      "fields": [{"name": "n", "function": "count"}]})");
  world.deliver(list({at(-500'000, R"("v": 1)"), at(500'000, R"("v": 1)")}));
  world.advance(milliseconds(9999));
  world.deliver(R"([{"v": 1}])");
  EXPECT_EQ(world.take(), "[]");
  world.advance(milliseconds(1));
  EXPECT_EQ(world.take(), R"([{"n":3}])");
}

TEST(Aggregate, ByCountAndKey) {
  NodeWorld world;
  world.start_node("aggregate", R"({"window": "count", "count": 2, "key": "{{ $input.line }}",
      "fields": [{"name": "max", "function": "max", "value": "{{ $input.v }}"}]})");
  world.deliver(
      R"([{"line": 1, "v": 1}, {"line": 2, "v": 5}, {"line": 1, "v": 3}, {"line": 2, "v": 4}, {"line": 1, "v": 9}])");
  EXPECT_EQ(world.take(), R"([{"key":1,"max":3},{"key":2,"max":5}])");
  EXPECT_EQ(world.held(), 1);
  world.settle_sums();
}

TEST(Aggregate, SlidingByCount) {
  NodeWorld world;
  world.start_node("aggregate", R"({"window": "count", "count": 3, "everyCount": 1,
      "fields": [{"name": "sum", "function": "sum", "value": "{{ $input.v }}"}]})");
  world.deliver(R"([{"v": 1}, {"v": 2}, {"v": 3}, {"v": 4}, {"v": 5}])");
  EXPECT_EQ(world.take(), R"([{"sum":6},{"sum":9},{"sum":12}])");
  world.settle_sums();
}

std::string result_of(std::string_view functions, const std::vector<std::string>& records) {
  std::string fields;
  const Json names = json(functions);
  for (const Json& name : names.array_range()) {
    fields +=
        fmt::format(R"({}{{"name": "{}", "function": "{}", "value": "{{{{ $input.v }}}}"}})",
                    fields.empty() ? "" : ", ", name.as<std::string>(), name.as<std::string>());
  }
  NodeWorld world;
  world.start_node("aggregate",
                   fmt::format(R"({{"sizeMs": 10000, "latenessMs": 0, "fields": [{}]}})", fields));
  world.deliver(list(records));
  world.advance(hours(1));
  EXPECT_EQ(world.snapshot().flow.held, 0);
  return world.take();
}

TEST(Aggregate, EveryFunction) {
  const std::vector<std::string> records = {at(1000, R"("v": 4)"), at(0, R"("v": 2)"),
                                            at(2000, R"("v": null)"), at(3000, R"("v": 9)"),
                                            at(9000, R"("v": 5)")};
  EXPECT_EQ(
      result_of(R"(["count", "sum", "mean", "min", "max", "range", "first", "last", "median"])",
                records),
      R"([{"count":4,"sum":20,"mean":5,"min":2,"max":9,"range":7,"first":2,"last":5,"median":4.5}])");
  const Json spread = json(result_of(R"(["stddev", "timeWeightedMean"])", records))[0];
  // Squared differences from 5: 1, 9, 16, 0; divided by 3.
  EXPECT_NEAR(spread.at("stddev").as_double(), std::sqrt(26.0 / 3), 1e-12);
  // 2 for 1 s, 4 for 2 s, 9 for 6 s, 5 for 1 s.
  EXPECT_NEAR(spread.at("timeWeightedMean").as_double(), (2 + 8 + 54 + 5) / 10.0, 1e-12);
}

TEST(Aggregate, NothingToMakeAResultOf) {
  EXPECT_EQ(
      result_of(
          R"(["count", "sum", "mean", "min", "range", "first", "stddev", "median", "timeWeightedMean"])",
          {at(0, R"("v": null)")}),
      R"([{"count":0,"sum":null,"mean":null,"min":null,"range":null,"first":null,"stddev":null,"median":null,"timeWeightedMean":null}])");
}

TEST(Aggregate, edge_38_SumsOfWholeNumbersAreExact) {
  EXPECT_EQ(result_of(R"(["sum", "max", "range"])",
                      {at(0, R"("v": 9007199254740993)"), at(1, R"("v": 9007199254740994)")}),
            R"([{"sum":18014398509481987,"max":9007199254740994,"range":1}])");
}

TEST(Aggregate, ATimeWeightedMeanBeginsWithWhatHeldBefore) {
  NodeWorld world;
  world.start_node("aggregate", R"({"sizeMs": 10000, "latenessMs": 0,
      "fields": [{"name": "m", "function": "timeWeightedMean", "value": "{{ $input.v }}"}]})");
  world.deliver(list({at(5000, R"("v": 10)"), at(14'000, R"("v": 20)"), at(25'000, R"("v": 0)")}));
  world.advance(seconds(10));
  // [0, 10): 10 since it is known. [10, 20): 10 for 4 s, 20 for 6 s. [20, 30): 20 for 5 s, 0 for 5
  // s.
  EXPECT_EQ(world.take(), R"([{"m":10},{"m":16},{"m":10}])");
}

TEST(Aggregate, RefusesWhatItCannotPlace) {
  NodeWorld world;
  world.start_node("aggregate", kMean);
  world.deliver(R"([{"t": 1, "$meta": {}}])");
  EXPECT_TRUE(world.last_error().starts_with("no_time"));
  world.deliver(R"([{"t": 1, "$meta": {"time": "noon"}}])");
  EXPECT_TRUE(world.last_error().starts_with("no_time"));
  world.deliver(list({at(25LL * 3600 * 1000, R"("t": 1)")}));
  EXPECT_TRUE(world.last_error().starts_with("time_ahead"));
  world.deliver(list({at(0, R"("t": "hot")")}));
  EXPECT_EQ(world.last_error(), "not_a_number: Field 'mean': \"hot\" is not a number.");
  EXPECT_EQ(world.snapshot().flow.errors, 4);
  EXPECT_EQ(world.held(), 0);
}

TEST(Aggregate, KeysAreBoundedAndIdleOnesForgotten) {
  NodeWorld world;
  world.start_node("aggregate",
                   R"({"window": "count", "count": 2, "maxKeys": 2, "key": "{{ $input.k }}",
      "fields": [{"name": "n", "function": "count"}]})");
  world.deliver(R"([{"k": 1}, {"k": 2}, {"k": 3}])");
  EXPECT_TRUE(world.last_error().starts_with("too_many_keys"));
  world.deliver(R"([{"k": 1}, {"k": 3}])");
  EXPECT_EQ(world.take(), R"([{"key":1,"n":2}])");
  EXPECT_EQ(world.snapshot().flow.errors, 1);
  EXPECT_EQ(world.held(), 2);
}

TEST(Aggregate, SaysWhatIsWrongWithItsSettings) {
  const auto problem = [](std::string_view settings) { return problem_of("aggregate", settings); };
  constexpr std::string_view kCount = R"("fields": [{"name": "n", "function": "count"}])";
  EXPECT_EQ(problem(fmt::format("{{{}}}", kCount)), "/nodes/1/settings/sizeMs required");
  EXPECT_EQ(problem(fmt::format(R"({{"window": "count", "count": 5, "sizeMs": 5, {}}})", kCount)),
            "/nodes/1/settings/sizeMs invalid");
  EXPECT_EQ(problem(fmt::format(R"({{"sizeMs": 3600000, "everyMs": 1, {}}})", kCount)),
            "/nodes/1/settings/everyMs out_of_range");
  EXPECT_EQ(problem(R"({"sizeMs": 5, "fields": [{"name": "m", "function": "mean"}]})"),
            "/nodes/1/settings/fields/0/value required");
  EXPECT_EQ(
      problem(
          R"({"sizeMs": 5, "fields": [{"name": "n", "function": "count"}, {"name": "n", "function": "count"}]})"),
      "/nodes/1/settings/fields/1/name duplicate");
  EXPECT_EQ(problem(R"({"sizeMs": 5, "fields": [{"name": "n", "function": "mode"}]})"),
            "/nodes/1/settings/fields/0/function not_allowed");
}

}  // namespace
}  // namespace tributary::orchestrate
