// Trying pipelines out beside everything that runs.
#include "orchestrate/run/trial.hpp"

#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

// t → n (set) → r (read) → d (write, durable)
constexpr std::string_view kPipeline = R"({"name": "x", "nodes": [
    {"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "n", "type": "set", "settings": {"fields": {"b": "{{ $input.a + 1 }}", "at": "{{ $now }}"}}},
    {"id": "r", "type": "function", "settings": {"functionId": "read"}},
    {"id": "d", "type": "function", "settings": {"functionId": "write", "parameters": {"topic": "x/{{ $input.v }}"}},
     "delivery": {"mode": "durable"}}],
  "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "r"}, {"from": "r", "to": "d"}]})";

class TrialTest : public testing::Test {
 protected:
  TrialTest() {
    port_.add("sub", sdk::FunctionKind::kSubscribe);
    port_.add("read", sdk::FunctionKind::kRead, sdk::Family::kFieldDevice);
    port_.add("write", sdk::FunctionKind::kWrite);
    port_.answer = [](const Call& call) -> Result<Batch> {
      if (call.function != "read") return Batch::of(std::vector<Record>{});
      std::vector<Record> records;
      records.push_back(json(R"({"v": 7})"));
      return Batch::of(std::move(records));
    };
  }

  TrialContext context() { return {catalogue_, port_, clock_, timers_, nullptr, nullptr}; }
  std::expected<std::shared_ptr<Trial>, connect::Invalid> prepare(std::string_view body,
                                                                  std::string_view options) {
    std::vector<schema::FieldError> errors;
    TrialOptions wanted = read_trial_options(json(options), errors);
    if (!errors.empty()) return std::unexpected(connect::Invalid{errors});
    return prepare_trial(json(body), json(R"({"id": "P", "name": "x", "version": 1})"),
                         std::move(wanted), context());
  }
  Json run(std::string_view body, std::string_view options) {
    auto trial = prepare(body, options);
    if (!trial) {
      const auto& error = trial.error().errors.front();
      ADD_FAILURE() << error.pointer << " " << error.message;
      return json_object();
    }
    auto report = std::make_shared<Json>();
    spawn(io_.get_executor(), run_task(*trial, io_.get_executor(), report));
    timers_.settle();
    return *report;
  }
  std::string problem(std::string_view body, std::string_view options) {
    auto trial = prepare(body, options);
    if (trial) return "none";
    const auto& error = trial.error().errors.front();
    return error.pointer + " " + error.code;
  }
  static const Json& node(const Json& report, std::string_view id) {
    for (const Json& node : report.at("nodes").array_range()) {
      if (get_string(node, "nodeId") == id) return node;
    }
    ADD_FAILURE() << "no node " << id;
    return report;
  }

  asio::io_context io_;
  ManualClock clock_;
  ManualTimers timers_{clock_, io_};
  NodeCatalogue catalogue_;
  FakePort port_;

 private:
  static Task<void> run_task(std::shared_ptr<Trial> trial, Executor executor,
                             std::shared_ptr<Json> report) {
    *report = co_await run_trial(std::move(trial), executor);
  }
};

TEST_F(TrialTest, DestinationsSayWhatTheyWouldHaveSentAndReadsAreCalled) {
  const Json report = run(kPipeline, R"({"input": [{"a": 1}, {"a": 2}]})");
  EXPECT_TRUE(get_bool(report, "success", false));
  ASSERT_EQ(report.at("wouldHaveSent").size(), 2u);
  const Json& call = report.at("wouldHaveSent")[0];
  EXPECT_EQ(get_string(call, "nodeId"), "d");
  EXPECT_EQ(get_string(call, "connection"), "Line 3");
  EXPECT_EQ(get_string(call.at("parameters"), "topic"), "x/7");
  EXPECT_EQ(node(report, "n").at("in").size(), 2u);
  EXPECT_EQ(get_int(node(report, "n").at("out").at("out")[1], "b", 0), 3);
  for (const Call& made : port_.calls) EXPECT_EQ(made.function, "read");
}

TEST_F(TrialTest, AskedForDestinationsAreCalledAndReadsAreNot) {
  const Json report = run(R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.manual"},
    {"id": "r", "type": "function", "settings": {"functionId": "read"}},
    {"id": "d", "type": "function", "settings": {"functionId": "write"}}],
  "edges": [{"from": "t", "to": "r"}, {"from": "r", "to": "d"}]})",
                          R"({"input": {"a": 1}, "destinations": "call", "reads": "stub"})");
  ASSERT_EQ(port_.calls.size(), 1u);
  EXPECT_EQ(port_.calls[0].function, "write");
  EXPECT_TRUE(get_bool(node(report, "r").at("out").at("out")[0], "stub", false));
  EXPECT_TRUE(report.at("wouldHaveSent").empty());
}

TEST_F(TrialTest, StepByStepOnlyWhatLeadsToTheNodeMustBeRight) {
  std::string body(kPipeline);
  body.replace(body.find("\"write\""), 7, "\"gone\"");
  EXPECT_EQ(problem(body, R"({"input": {"a": 1}})"),
            "/nodes/3/settings/functionId unknown_function");
  const Json report = run(body, R"({"input": {"a": 1}, "until": "n"})");
  EXPECT_EQ(report.at("nodes").size(), 2u);
  ASSERT_EQ(report.at("output").size(), 1u);
  EXPECT_EQ(get_int(report.at("output")[0].at("record"), "b", 0), 2);
  EXPECT_TRUE(port_.calls.empty());
}

TEST_F(TrialTest, PointersOfProblemsAreThoseOfTheWholeDocument) {
  constexpr std::string_view kTwoWays = R"({"name": "x", "nodes": [
      {"id": "t", "type": "trigger.manual"}, {"id": "a", "type": "set", "settings": {"fields": {}}},
      {"id": "b", "type": "set", "settings": {"fields": {"x": "{{ 1 + }}"}}}],
    "edges": [{"from": "t", "to": "a"}, {"from": "t", "to": "b"}]})";
  EXPECT_EQ(problem(kTwoWays, R"({"until": "b"})").substr(0, 27), "/nodes/2/settings/fields/x ");
}

TEST_F(TrialTest, APinnedNodeIsNotRunAndGivesWhatWasPinned) {
  const Json report = run(kPipeline, R"({"input": {"a": 1}, "pins": {"r": [{"v": 1}, {"v": 2}]}})");
  EXPECT_TRUE(port_.calls.empty());
  ASSERT_EQ(report.at("wouldHaveSent").size(), 2u);
  EXPECT_EQ(get_string(report.at("wouldHaveSent")[1].at("parameters"), "topic"), "x/2");
  EXPECT_TRUE(get_bool(node(report, "r"), "pinned", false));
}

TEST_F(TrialTest, APinIsGivenEvenWhenNothingReachesItsNode) {
  constexpr std::string_view kFiltering = R"({"name": "x", "nodes": [
      {"id": "t", "type": "trigger.manual", "pin": [{"a": 5}]},
      {"id": "c", "type": "condition", "settings": {"expression": "{{ false }}"}},
      {"id": "n", "type": "set", "settings": {"fields": {}}, "pin": {"out": [{"p": 1}]}}],
    "edges": [{"from": "t", "to": "c"}, {"from": "c", "port": "true", "to": "n"}]})";
  const Json report = run(kFiltering, "{}");
  EXPECT_EQ(to_text(node(report, "t").at("out").at("out")), R"([{"a":5}])") << "the trigger's pin";
  ASSERT_EQ(report.at("output").size(), 1u);
  EXPECT_EQ(to_text(report.at("output")[0].at("record")), R"({"p":1})");
  EXPECT_TRUE(node(report, "n").at("in").empty());
}

TEST_F(TrialTest, TheClockCanBeSetAndFailuresAreShownWithTheirInput) {
  const Json report =
      run(kPipeline, R"({"input": {"a": 1}, "until": "n", "now": "2026-01-01T00:00:00Z"})");
  EXPECT_EQ(get_string(report.at("output")[0].at("record"), "at"), "2026-01-01T00:00:00.000Z");
  port_.answer = [](const Call&) -> Result<Batch> {
    return fail(ErrorClass::kFunction, "illegal_address", "No such register.");
  };
  const Json failing = run(kPipeline, R"({"input": {"a": 1}})");
  EXPECT_FALSE(get_bool(failing, "success", true));
  const Json& error = node(failing, "r").at("errors")[0];
  EXPECT_EQ(get_string(error, "code"), "illegal_address");
  EXPECT_EQ(get_int(error.at("input"), "b", 0), 2);
}

TEST_F(TrialTest, WhatWaitsForATimeDoesNotWait) {
  const Json report = run(R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.manual"},
      {"id": "w", "type": "wait", "settings": {"delayMs": 3600000}},
      {"id": "n", "type": "set", "settings": {"fields": {"b": 1}}}],
    "edges": [{"from": "t", "to": "w"}, {"from": "w", "to": "n"}]})",
                          R"({"input": [{"a": 1}, {"a": 2}]})");
  ASSERT_EQ(report.at("output").size(), 2u);
  EXPECT_EQ(to_text(report.at("output")[1].at("record")), R"({"a":2,"b":1})");
  EXPECT_EQ(get_int(report.at("counts"), "held", -1), 0);
  EXPECT_EQ(timers_.armed(), 0u);
}

TEST_F(TrialTest, ATestThatHangsIsCutShort) {
  port_.hold = std::make_shared<Event>(io_.get_executor());
  auto trial = prepare(kPipeline, R"({"input": {"a": 1}})");
  ASSERT_TRUE(trial);
  bool over = false;
  auto watch = [](std::shared_ptr<Trial> watched, Executor executor, bool& ended) -> Task<void> {
    const Json report = co_await run_trial(std::move(watched), executor);
    EXPECT_TRUE(get_bool(report, "timedOut", false));
    ended = true;
  };
  spawn(io_.get_executor(), watch(*trial, io_.get_executor(), over));
  timers_.advance(std::chrono::seconds{29});
  EXPECT_FALSE(over);
  timers_.advance(std::chrono::seconds{2});
  EXPECT_TRUE(over);
  port_.hold->set();
  timers_.settle();
}

TEST_F(TrialTest, OptionsThatAreWrongAreNamed) {
  EXPECT_EQ(problem(kPipeline, R"({"until": "nobody"})"), "/until unknown_node");
  EXPECT_EQ(problem(kPipeline, R"({"trigger": "n"})"), "/trigger unknown_node");
  EXPECT_EQ(problem(kPipeline, R"({"pins": {"nobody": []}})"), "/pins/nobody unknown_node");
  EXPECT_EQ(problem(kPipeline, R"({"pins": {"n": 5}})"), "/pins/n wrong_type");
  EXPECT_EQ(problem(kPipeline, R"({"input": [1]})"), "/input/0 wrong_type");
  EXPECT_EQ(problem(kPipeline, R"({"reads": "maybe"})"), "/reads not_allowed");
  EXPECT_EQ(problem(kPipeline, R"({"now": "yesterday"})"), "/now format");
}

}  // namespace
}  // namespace tributary::orchestrate
