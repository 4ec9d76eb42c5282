#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Error absent(std::string code = "connection_disconnected") {
  return Error(ErrorClass::kTransient, std::move(code), "Line 3 is disconnected.");
}

// t1 → n1 (set) → n2 (condition) → d1 (write)
constexpr std::string_view kExample = R"({"name": "x", "history": "standard",
  "nodes": [ {"id": "t1", "type": "trigger.function", "settings": {"functionId": "sub"}},
             {"id": "n1", "type": "set", "settings": {"fields": {"line": 3, "celsius": "{{ ($input.temperature - 32) / 1.8 }}"}}},
             {"id": "n2", "type": "condition", "settings": {"expression": "{{ $input.running }}"}},
             {"id": "d1", "type": "function", "settings": {"functionId": "write", "parameters": {"topic": "plant/{{ $input.line }}/filler"}}} ],
  "edges": [ {"from": "t1", "to": "n1"}, {"from": "n1", "to": "n2"}, {"from": "n2", "port": "true", "to": "d1"} ]})";

TEST(Runner, TheExampleOfTheApiWritesTheRecordToItsTopic) {
  RunnerWorld world;
  world.start(kExample);
  const auto accepted = world.deliver(
      R"([{"temperature": 212, "running": true}, {"temperature": 50, "running": false}])");
  ASSERT_TRUE(accepted->has_value());
  EXPECT_TRUE((*accepted)->has_value());
  ASSERT_EQ(world.port.calls.size(), 1u);
  const Json& parameters = world.port.calls[0].parameters;
  EXPECT_EQ(get_string(parameters, "topic"), "plant/3/filler");
  const Json& payload = get_member(parameters, "payload");
  EXPECT_EQ(get_int(payload, "celsius", 0), 100);
  EXPECT_EQ(get_int(payload, "line", 0), 3);
  EXPECT_EQ(get_string(get_member(payload, "$meta"), "connection"), "Line 3");
  const Snapshot now = world.snapshot();
  EXPECT_EQ(now.flow.in, 2);
  EXPECT_EQ(now.flow.out, 1);
  EXPECT_EQ(now.flow.filtered, 1);
  EXPECT_TRUE(now.flow.adds_up());
  EXPECT_EQ(world.node(now, "n2").in, 2);
  EXPECT_EQ(world.node(now, "d1").out, 1);
}

TEST(Runner, AnErrorEndsOneRecordAndTheOthersGoOn) {
  RunnerWorld world;
  world.start(kExample);
  world.port.answer = [](const Call& call) -> Result<Batch> {
    if (get_int(get_member(call.parameters, "payload"), "celsius", 0) == 0)
      return fail(ErrorClass::kFunction, "refused", "The broker refused the message.");
    return Batch::of(std::vector<Record>{});
  };
  world.deliver(R"([{"temperature": 32, "running": true}, {"temperature": 212, "running": true}])");
  const Snapshot now = world.snapshot();
  EXPECT_EQ(now.flow.errors, 1);
  EXPECT_EQ(now.flow.out, 1);
  EXPECT_TRUE(now.last_failed);
  const NodeCounts& node = world.node(now, "d1");
  ASSERT_TRUE(node.last_error);
  EXPECT_EQ(node.last_error->code, "refused");
  EXPECT_EQ(get_int(node.last_failed_input, "temperature", 0), 32);
  world.port.answer = nullptr;
  world.deliver(R"([{"temperature": 212, "running": true}])");
  EXPECT_FALSE(world.snapshot().last_failed);
}

TEST(Runner, AFailingExpressionSaysWhichFieldAndKeepsItsInput) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "n", "type": "set", "settings": {"fields": {"a.b": "{{ $input.x.y }}"}}}], "edges": [{"from": "t", "to": "n"}]})");
  world.deliver(R"([{"z": 1}])");
  const Snapshot now = world.snapshot();
  const NodeCounts& node = world.node(now, "n");
  ASSERT_TRUE(node.last_error);
  EXPECT_EQ(node.last_error->code, "expression_failed");
  EXPECT_TRUE(
      node.last_error->message.starts_with("Field 'a.b': {{ $input.x.y }}: line 1, column 12"))
      << node.last_error->message;
  EXPECT_EQ(get_int(node.last_failed_input, "z", 0), 1);
}

TEST(Runner, OnErrorContinueAndErrorPortKeepTheRecord) {
  for (const std::string_view mode : {"continue", "errorPort"}) {
    RunnerWorld world;
    const bool port = mode == "errorPort";
    world.start(
        std::string(
            R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
      {"id": "n", "type": "function", "settings": {"functionId": "plc"}, "onError": ")") +
        std::string(mode) + R"("},
      {"id": "d", "type": "function", "settings": {"functionId": "write"}}],
      "edges": [{"from": "t", "to": "n"}, {"from": "n", "port": ")" +
        (port ? "error" : "out") + R"(", "to": "d"}]})");
    world.port.answer = [](const Call& call) -> Result<Batch> {
      if (call.function == "plc")
        return fail(ErrorClass::kFunction, "illegal_address", "No such register.");
      return Batch::of(std::vector<Record>{});
    };
    world.deliver(R"([{"a": 1}])");
    const Snapshot now = world.snapshot();
    EXPECT_EQ(now.flow.errors, 0);
    EXPECT_EQ(now.flow.handled, 1);
    EXPECT_EQ(now.flow.out, 1);
    EXPECT_EQ(world.node(now, "n").errors, 1);
    ASSERT_EQ(world.port.calls.size(), 2u);
    const Json& payload = get_member(world.port.calls[1].parameters, "payload");
    EXPECT_EQ(payload.contains("$error"), port);
    if (port) {
      EXPECT_EQ(get_string(get_member(payload, "$error"), "code"), "illegal_address");
    }
  }
}

TEST(Runner, FieldDevicesGetTheFieldsAndNoPayload) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "d", "type": "function", "settings": {"functionId": "plc", "meta": false}}], "edges": [{"from": "t", "to": "d"}]})");
  world.deliver(R"([{"speed": 1500}])");
  ASSERT_EQ(world.port.calls.size(), 1u);
  EXPECT_EQ(to_text(world.port.calls[0].parameters), R"({"speed":1500})");
}

TEST(Runner, APointThatWasRefusedIsAnError) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "d", "type": "function", "settings": {"functionId": "plc"}}], "edges": [{"from": "t", "to": "d"}]})");
  world.port.answer = [](const Call&) -> Result<Batch> {
    Scan scan;
    scan.points = std::make_shared<const PointNames>(PointNames{"speed"});
    Sample sample;
    sample.quality = kBad;
    sample.error = std::make_shared<const Error>(ErrorClass::kFunction, "illegal_address",
                                                 "No such register.");
    scan.samples.push_back(sample);
    return Batch::of(scan);
  };
  world.deliver(R"([{"speed": 1}])");
  EXPECT_EQ(world.snapshot().flow.errors, 1);
}

TEST(Runner, AReadAnswersWithItsRecordAndEarlierNodesStayReachable) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "s", "type": "set", "settings": {"fields": {"double": "{{ $input.a * 2 }}"}}},
    {"id": "r", "type": "function", "settings": {"functionId": "read", "parameters": {"start": "{{ $input.double }}"}}},
    {"id": "e", "type": "set", "settings": {"include": "none", "fields": {"v": "{{ $input.speed }}", "d": "{{ $node('s').double }}", "t": "{{ $trigger.a }}",
       "i": "{{ $index }}", "p": "{{ $pipeline.name }}", "r": "{{ $run.trigger }}", "n": "{{ $now }}"}}},
    {"id": "d", "type": "function", "settings": {"functionId": "write", "meta": false}}],
    "edges": [{"from": "t", "to": "s"}, {"from": "s", "to": "r"}, {"from": "r", "to": "e"}, {"from": "e", "to": "d"}]})");
  world.port.answer = [&world](const Call& call) -> Result<Batch> {
    if (call.function != "read") return Batch::of(std::vector<Record>{});
    Scan scan;
    scan.points = std::make_shared<const PointNames>(PointNames{"speed"});
    scan.receive_time = world.clock.utc_now();
    Sample sample;
    sample.value = get_int(call.parameters, "start", 0) + 1;
    scan.samples.push_back(sample);
    return Batch::of(scan);
  };
  world.deliver(R"([{"a": 1}, {"a": 10}])");
  ASSERT_EQ(world.port.calls.size(), 4u);
  const Json payload = get_member(world.port.calls[3].parameters, "payload");
  EXPECT_EQ(to_text(payload),
            R"({"v":21,"d":20,"t":10,"i":1,"p":"test","r":"t","n":"2023-11-14T22:13:20.000Z"})");
  EXPECT_EQ(world.snapshot().flow.out, 2);
}

TEST(Runner, AnAnswerOfSeveralRecordsAndOfNoneAddUp) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "r", "type": "function", "settings": {"functionId": "read", "parameters": {"n": "{{ $input.n }}"}}}], "edges": [{"from": "t", "to": "r"}]})");
  world.port.answer = [](const Call& call) -> Result<Batch> {
    return Batch::of(std::vector<Record>(static_cast<std::size_t>(get_int(call.parameters, "n", 0)),
                                         json_object()));
  };
  world.deliver(R"([{"n": 3}, {"n": 0}, {"n": 1}])");
  const FlowCounts flow = world.snapshot().flow;
  EXPECT_EQ(flow.out, 4);
  EXPECT_EQ(flow.copied, 2);
  EXPECT_EQ(flow.filtered, 1);
  EXPECT_TRUE(flow.adds_up());
}

TEST(Runner, SetSelectsFieldsAndMakesNestedOnes) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "n", "type": "set", "settings": {"include": "selected", "selected": ["a", "gone"],
       "fields": {"b.c": "{{ $input.b }}", "x\\.y": 1, "a": "{{ $input.missing }}", "swap": "{{ $input.a }}", "deep": {"k": ["{{ $input.b }}"]}}}},
    {"id": "d", "type": "function", "settings": {"functionId": "write", "meta": false}}], "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "d"}]})");
  world.deliver(R"([{"a": 1, "b": 2, "c": 3}])");
  ASSERT_EQ(world.port.calls.size(), 1u);
  EXPECT_EQ(to_text(get_member(world.port.calls[0].parameters, "payload")),
            R"({"b":{"c":2},"x.y":1,"swap":1,"deep":{"k":[2]}})");
}

TEST(Delivery, BestEffortDoesNotRepeat) {
  RunnerWorld world;
  world.start(kExample);
  world.port.answer = [](const Call&) -> Result<Batch> { return fail(absent()); };
  world.deliver(R"([{"temperature": 1, "running": true}])");
  world.advance(seconds(60));
  EXPECT_EQ(world.port.calls.size(), 1u);
  EXPECT_EQ(world.snapshot().flow.errors, 1);
}

TEST(Runner, AFullQueueHoldsTheSourceBack) {
  RunnerWorld world;
  world.start(kExample);
  world.port.hold = std::make_shared<Event>(world.io.get_executor());
  std::vector<std::shared_ptr<std::optional<Result<void>>>> accepted;
  for (int i = 0; i < 12; ++i)
    accepted.push_back(world.deliver(R"([{"temperature": 1, "running": true}])"));
  std::size_t taken = 0;
  for (const auto& result : accepted) taken += result->has_value() ? 1 : 0;
  EXPECT_EQ(taken, 1 + kMaxWaitingBatches);
  world.port.hold->set();
  world.timers.settle();
  for (const auto& result : accepted) EXPECT_TRUE(result->has_value());
  EXPECT_EQ(world.port.calls.size(), 12u);
}

TEST(Runner, WhatWasAcceptedIsFinishedBeforeTheStop) {
  RunnerWorld world;
  world.start(kExample);
  world.port.hold = std::make_shared<Event>(world.io.get_executor());
  for (int i = 0; i < 4; ++i) world.deliver(R"([{"temperature": 1, "running": true}])");
  world.stop();
  EXPECT_EQ(world.port.calls.size(), 4u);
  EXPECT_EQ(world.last.flow.out, 4);
}

TEST(Runner, CallsAtOnceAreBounded) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "d", "type": "function", "settings": {"functionId": "write", "concurrency": 3}}], "edges": [{"from": "t", "to": "d"}]})");
  world.port.hold = std::make_shared<Event>(world.io.get_executor());
  world.deliver(std::vector<Record>(20, json_object()));
  EXPECT_EQ(world.port.active, 3u);
  world.port.hold->set();
  world.timers.settle();
  EXPECT_EQ(world.port.most_active, 3u);
  EXPECT_EQ(world.snapshot().flow.out, 20);
}

constexpr std::string_view kScheduled =
    R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.schedule", "settings": {"intervalMs": 100}},
  {"id": "d", "type": "function", "settings": {"functionId": "write"}}], "edges": [{"from": "t", "to": "d"}]})";

TEST(Schedule, TicksOnAFixedGrid) {
  RunnerWorld world;
  world.start(kScheduled);
  world.advance(milliseconds(1050));
  ASSERT_EQ(world.port.calls.size(), 10u);
  EXPECT_EQ(get_int(world.port.calls[9].parameters, "tick", 0), 10);
  EXPECT_EQ(world.snapshot().missed_ticks, 0);
}

TEST(Schedule, edge_03_TicksThatFindThePipelineBusyAreMergedAndCounted) {
  RunnerWorld world;
  world.start(kScheduled);
  world.port.hold = std::make_shared<Event>(world.io.get_executor());
  world.advance(milliseconds(1000));
  EXPECT_EQ(world.port.active, 1u);
  EXPECT_EQ(world.snapshot().missed_ticks, 9);
  std::exchange(world.port.hold, nullptr)->set();
  world.timers.settle();
  world.advance(milliseconds(100));
  ASSERT_EQ(world.port.calls.size(), 2u);
  EXPECT_EQ(get_int(world.port.calls[1].parameters, "tick", 0), 11);
}

constexpr std::string_view kManual =
    R"({"name": "x", "history": "full", "nodes": [{"id": "t", "type": "trigger.manual"},
  {"id": "n", "type": "set", "settings": {"fields": {"b": "{{ $input.a + 1 }}"}}},
  {"id": "d", "type": "function", "settings": {"functionId": "write", "meta": false}}], "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "d"}]})";

TEST(History, AManualRunAnswersWithItsRow) {
  RunnerWorld world;
  world.start(kManual);
  const auto row = world.run(R"([{"a": 1}, {"a": 2}])");
  ASSERT_TRUE(row->has_value());
  ASSERT_TRUE((*row)->has_value());
  const store::RunRow& run = ***row;
  EXPECT_EQ(run.status, "completed");
  EXPECT_EQ(run.trigger, "t");
  EXPECT_EQ(run.records_in, 2);
  EXPECT_EQ(run.records_out, 2);
  const Json& set = run.detail.at("nodes")[1];
  EXPECT_EQ(to_text(set.at("input")), R"({"a":1})");
  EXPECT_EQ(to_text(set.at("output")), R"({"a":1,"b":2})");
}

TEST(History, RapidBatchesShareARowWrittenOnceASecond) {
  RunnerWorld world;
  world.start(kScheduled);
  world.advance(seconds(10));
  ASSERT_GE(world.rows.size(), 9u);
  EXPECT_LE(world.rows.size(), 11u);
  for (const auto& row : world.rows) EXPECT_EQ(row.id, world.rows[0].id);
  EXPECT_GE(world.rows.back().records_in, 90);
  world.advance(seconds(100));
  std::set<std::string> ids;
  for (const auto& row : world.rows) ids.insert(row.id);
  EXPECT_EQ(ids.size(), 2u);  // a row spans a minute at most
}

TEST(History, SlowPipelinesHaveARowForEveryRun) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "history": "minimal", "nodes": [{"id": "t", "type": "trigger.schedule", "settings": {"intervalMs": 5000}}]})");
  world.advance(seconds(21));
  ASSERT_EQ(world.rows.size(), 4u);
  EXPECT_NE(world.rows[0].id, world.rows[1].id);
  EXPECT_FALSE(world.rows[0].detail.contains("nodes"));
}

TEST(History, OffWritesNothing) {
  RunnerWorld world;
  world.start(
      R"({"name": "x", "history": "off", "nodes": [{"id": "t", "type": "trigger.schedule", "settings": {"intervalMs": 1000}}]})");
  world.advance(seconds(10));
  EXPECT_TRUE(world.rows.empty());
  EXPECT_EQ(world.snapshot().flow.in, 10);
}

TEST(History, FailingRunsSayWhichNodeAndKeepABoundedInput) {
  RunnerWorld world;
  world.start(kManual);
  world.port.answer = [](const Call&) -> Result<Batch> {
    return fail(ErrorClass::kFunction, "refused", "No.");
  };
  Json big = json_object();
  big.insert_or_assign("a", 1);
  big.insert_or_assign("text", std::string(100'000, 'x'));
  const auto row = world.run("[" + to_text(big) + "]");
  ASSERT_TRUE(row->has_value() && (*row)->has_value());
  EXPECT_EQ((***row).status, "failed");
  const Json& node = (***row).detail.at("nodes")[2];
  EXPECT_EQ(get_string(node.at("error"), "code"), "refused");
  EXPECT_TRUE(get_bool(node.at("failedInput"), "truncated", false));
  EXPECT_LE(to_text(node.at("failedInput")).size(), kMaxKeptInputBytes + 100);
}

}  // namespace
}  // namespace tributary::orchestrate
