// trigger.pipeline, trigger.error and trigger.poll.
#include "orchestrate/triggers/references.hpp"
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using namespace std::chrono_literals;

std::string pipeline(std::string_view type, std::string_view settings) {
  return R"({"name": "x", "nodes": [{"id": "t", "type": ")" + std::string(type) +
         R"(", "settings": )" + std::string(settings) +
         R"(}, {"id": "d", "type": "function", "settings": {"functionId": "write"}}],
    "edges": [{"from": "t", "to": "d"}]})";
}

class NewsTrigger : public testing::Test {
 protected:
  static RunEnd ended(std::string status, const std::string& id = "A") {
    RunEnd end;
    end.pipeline_id = id;
    end.pipeline_name = "pipeline " + id;
    end.run_id = "R1";
    end.status = std::move(status);
    end.flow.in = 2;
    end.flow.out = 1;
    end.output.push_back(json(R"({"a": 1})"));
    return end;
  }
  static RunEnd failed(const std::string& node, const std::string& code, std::int64_t count = 1,
                       const std::string& id = "A") {
    RunEnd end = ended("failed", id);
    NodeFailure failure{node, Error(ErrorClass::kFunction, code, "It failed."), json(R"({"n": 1})"),
                        count, false};
    end.failures.push_back(std::move(failure));
    return end;
  }
  void tell(RunEnd end) {
    world_.runner->run_ended(0, std::make_shared<const RunEnd>(std::move(end)));
    world_.timers.settle();
  }
  Json told(std::size_t i) const {
    return get_member(world_.port.calls.at(i).parameters, "payload");
  }
  std::size_t count() const { return world_.port.calls.size(); }

  RunnerWorld world_;
};

// ---- trigger.pipeline ----

TEST_F(NewsTrigger, ARunBecomesOneRecord) {
  world_.start(pipeline("trigger.pipeline", R"({"pipelineId": "A", "output": true})"));
  tell(ended("completed"));
  ASSERT_EQ(count(), 1u);
  EXPECT_EQ(
      to_text(told(0)),
      R"({"pipeline":"pipeline A","pipelineId":"A","runId":"R1","status":"completed",)"
      R"("startedAt":"1970-01-01T00:00:00.000Z","endedAt":"1970-01-01T00:00:00.000Z","runs":1,)"
      R"("counters":{"recordsIn":2,"recordsOut":1,"errors":0,"handledErrors":0,"filtered":0,"dropped":0},)"
      R"("output":[{"a":1}],"$meta":{"trigger":"t","time":"1970-01-01T00:00:00.000Z"}})");
}

TEST_F(NewsTrigger, OnlyEndsOfTheKindThatIsWanted) {
  const auto told_of = [&](std::string_view on) {
    world_.port.calls.clear();
    world_.start(
        pipeline("trigger.pipeline", R"({"pipelineId": "A", "on": ")" + std::string(on) + R"("})"));
    std::string statuses;
    for (const char* status : {"completed", "completed_with_errors", "failed", "cancelled"})
      tell(ended(status));
    tell(ended("completed", "B"));
    for (std::size_t i = 0; i < count(); ++i) statuses += get_string(told(i), "status") + " ";
    world_.stop();
    return statuses;
  };
  EXPECT_EQ(told_of("success"), "completed ");
  EXPECT_EQ(told_of("failure"), "completed_with_errors failed ");
  EXPECT_EQ(told_of("any"), "completed completed_with_errors failed cancelled ");
}

TEST_F(NewsTrigger, ManyRunsAreToldTogetherAndNoneIsLost) {
  world_.port.hold = std::make_shared<Event>(world_.io.get_executor());
  world_.start(pipeline("trigger.pipeline", R"({"pipelineId": "A", "on": "any"})"));
  for (int i = 0; i < 1000; ++i) tell(ended(i % 10 == 0 ? "failed" : "completed"));
  std::exchange(world_.port.hold, nullptr)->set();
  world_.advance(1s);
  std::int64_t runs = 0;
  std::int64_t records = 0;
  for (std::size_t i = 0; i < count(); ++i) {
    runs += get_int(told(i), "runs", 0);
    records += get_int(get_member(told(i), "counters"), "recordsIn", 0);
  }
  EXPECT_LE(count(), 4u);
  EXPECT_EQ(runs, 1000);
  EXPECT_EQ(records, 2000);
}

// ---- trigger.error ----

TEST_F(NewsTrigger, AnErrorBecomesOneRecord) {
  world_.start(pipeline("trigger.error", "{}"));
  tell(failed("d", "refused", 3));
  ASSERT_EQ(count(), 1u);
  EXPECT_EQ(
      to_text(told(0)),
      R"({"pipeline":"pipeline A","pipelineId":"A","node":"d",)"
      R"("error":{"class":"Function","code":"refused","message":"It failed."},"input":{"n":1},)"
      R"("runId":"R1","handled":false,"suppressed":2,"$meta":{"trigger":"t","time":"1970-01-01T00:00:00.000Z"}})");
}

TEST_F(NewsTrigger, ARepeatedErrorIsToldOnceInTheDebounceTimeWithItsNumber) {
  world_.start(pipeline("trigger.error", R"({"debounceMs": 10000})"));
  for (int i = 0; i < 50; ++i) tell(failed("d", "refused"));
  tell(failed("d", "other"));
  tell(failed("e", "refused"));
  EXPECT_EQ(count(), 3u);
  world_.advance(10s);
  ASSERT_EQ(count(), 4u);
  EXPECT_EQ(get_int(told(3), "suppressed", 0), 48);
  world_.advance(60s);
  EXPECT_EQ(count(), 4u);
}

TEST_F(NewsTrigger, OnlyErrorsOfThePipelinesThatAreNamedAndHandledOnesOnRequest) {
  world_.start(pipeline("trigger.error", R"({"pipelineIds": ["A"]})"));
  tell(failed("d", "refused", 1, "B"));
  RunEnd handled = failed("d", "refused");
  handled.failures[0].handled = true;
  tell(handled);
  EXPECT_EQ(count(), 0u);
  world_.stop();
  world_.start(pipeline("trigger.error", R"({"handled": true})"));
  tell(handled);
  EXPECT_EQ(count(), 1u);
}

TEST_F(NewsTrigger, WhatFailsInARunIsToldWithItsInput) {
  world_.port.answer = [](const Call&) {
    return Result<Batch>(fail(ErrorClass::kFunction, "refused", "No."));
  };
  world_.interest->ends = true;
  world_.start(R"({"name": "x", "nodes": [{"id": "m", "type": "trigger.manual"},
    {"id": "d", "type": "function", "settings": {"functionId": "write"}}], "edges": [{"from": "m", "to": "d"}]})");
  world_.run(R"([{"n": 1}, {"n": 2}])");
  ASSERT_EQ(world_.ends.size(), 1u);
  EXPECT_EQ(world_.ends[0].status, "failed");
  ASSERT_EQ(world_.ends[0].failures.size(), 1u);
  EXPECT_EQ(world_.ends[0].failures[0].node_id, "d");
  EXPECT_EQ(world_.ends[0].failures[0].count, 2);
  EXPECT_EQ(get_int(world_.ends[0].failures[0].input, "n", 0), 2);
}

TEST_F(NewsTrigger, WhatFailsInARunThatAnErrorStartedIsToldToNobody) {
  world_.port.answer = [](const Call&) {
    return Result<Batch>(fail(ErrorClass::kFunction, "refused", "No."));
  };
  world_.interest->ends = true;
  world_.start(pipeline("trigger.error", "{}"));
  tell(failed("d", "refused"));
  ASSERT_EQ(world_.ends.size(), 1u);
  EXPECT_TRUE(world_.ends[0].from_error);
}

// ---- references ----

TEST(References, CirclesOfPipelinesAreNamed) {
  const auto waits_for = [](const std::string& id) {
    return json(
        R"({"nodes": [{"id": "t", "type": "trigger.pipeline", "settings": {"pipelineId": ")" + id +
        R"("}}]})");
  };
  const Json b = waits_for("C");
  const Json c = waits_for("A");
  const Json other = json(R"({"nodes": []})");
  const PipelineDocuments others{
      {"B", {"bottling", &b}}, {"C", {"cleaning", &c}}, {"D", {"x", &other}}};
  const auto problem = [&](const std::string& wanted) {
    const Json document = waits_for(wanted);
    const auto problems = check_against_others("A", "alarms", document, others);
    return problems.empty() ? std::string() : problems[0].code + ": " + problems[0].message;
  };
  EXPECT_EQ(problem("D"), "");
  EXPECT_EQ(
      problem("B"),
      "pipeline_circle: The pipelines would start each other in a circle: alarms → cleaning → "
      "bottling → alarms.");
  EXPECT_EQ(problem("A"), "pipeline_circle: A pipeline cannot wait for its own end.");
  EXPECT_EQ(problem("Z"), "unknown_pipeline: There is no pipeline with the id 'Z'.");
}

TEST(References, AnAddressBelongsToOneTrigger) {
  const auto hook = [](std::string_view path, std::string_view methods) {
    return json(R"({"nodes": [{"id": "t", "type": "trigger.webhook", "settings": {"path": ")" +
                std::string(path) + R"(", "methods": )" + std::string(methods) + "}}]}");
  };
  const Json taken = hook("orders", R"(["POST", "PUT"])");
  const PipelineDocuments others{{"B", {"orders", &taken}}};
  const auto problem = [&](std::string_view path, std::string_view methods) {
    const Json document = hook(path, methods);
    const auto problems = check_against_others("", "x", document, others);
    return problems.empty() ? std::string() : problems[0].pointer + " " + problems[0].message;
  };
  EXPECT_EQ(problem("orders", R"(["GET"])"), "");
  EXPECT_EQ(problem("orders/2", R"(["POST"])"), "");
  EXPECT_EQ(problem("orders", R"(["GET", "PUT"])"),
            "/nodes/0/settings/path PUT /hooks/orders belongs to the pipeline 'orders' already.");
}

// ---- trigger.poll ----

class PollTrigger : public NewsTrigger {
 protected:
  // What the function answers from now on.
  void values(double speed, bool running) {
    world_.port.answer = [speed, running](const Call& call) -> Result<Batch> {
      if (call.function != "read") return Batch::of(std::vector<Record>{});
      Scan scan;
      scan.points = std::make_shared<const PointNames>(PointNames{"speed", "running"});
      scan.samples = {Sample{0, {}, Value(speed), {}, {}}, Sample{1, {}, Value(running), {}, {}}};
      return Batch::of(std::move(scan));
    };
  }
  void rows(std::string_view text) {
    world_.port.answer = [list = json(text)](const Call& call) -> Result<Batch> {
      std::vector<Record> records;
      if (call.function == "read") {
        for (const Json& record : list.array_range()) records.push_back(record);
      }
      return Batch::of(std::move(records));
    };
  }
  std::vector<std::string> written() const {
    std::vector<std::string> texts;
    for (const Call& call : world_.port.calls) {
      if (call.function != "write") continue;
      Json record = get_member(call.parameters, "payload");
      record.erase("$meta");
      texts.push_back(to_text(record));
    }
    return texts;
  }
};

using Texts = std::vector<std::string>;

TEST_F(PollTrigger, TellsAllAtFirstAndThenWhatChanged) {
  values(10, true);
  world_.start(
      pipeline("trigger.poll", R"({"functionId": "read", "intervalMs": 1000, "deadband": 1})"));
  world_.advance(3s);
  values(10.9, true);
  world_.advance(1s);
  values(11.5, true);
  world_.advance(1s);
  values(11.5, false);
  world_.advance(1s);
  EXPECT_EQ(written(), (Texts{R"({"speed":10.0,"running":true})", R"({"speed":11.5})",
                              R"({"running":false})"}));
}

TEST_F(PollTrigger, TellsEverythingWhenItShall) {
  values(10, true);
  world_.start(pipeline("trigger.poll",
                        R"({"functionId": "read", "intervalMs": 1000, "reportOn": "always"})"));
  world_.advance(3s);
  EXPECT_EQ(written().size(), 4u);
}

TEST_F(PollTrigger, RowsAreToldWhenAnyOfThemDiffers) {
  rows(R"([{"id": 1}, {"id": 2}])");
  world_.start(pipeline("trigger.poll", R"({"functionId": "read", "intervalMs": 1000})"));
  world_.advance(2s);
  EXPECT_EQ(written().size(), 2u);
  rows(R"([{"id": 1}, {"id": 3}])");
  world_.advance(1s);
  EXPECT_EQ(written().size(), 4u);
}

TEST_F(PollTrigger, ASlowFunctionIsNotOvertakenAndItsTicksAreCounted) {
  values(10, true);
  world_.port.hold = std::make_shared<Event>(world_.io.get_executor());
  world_.start(pipeline("trigger.poll", R"({"functionId": "read", "intervalMs": 100})"));
  world_.advance(1050ms);
  EXPECT_EQ(world_.port.most_active, 1u);
  std::exchange(world_.port.hold, nullptr)->set();
  world_.advance(50ms);
  EXPECT_EQ(world_.snapshot().missed_ticks, 10);
  EXPECT_EQ(written().size(), 1u);
}

TEST_F(PollTrigger, AFailureShowsUntilItIsOver) {
  world_.port.answer = [](const Call&) {
    return Result<Batch>(fail(ErrorClass::kTransient, "connection_refused", "Nobody there."));
  };
  world_.start(pipeline("trigger.poll", R"({"functionId": "read", "intervalMs": 1000})"));
  world_.advance(1s);
  EXPECT_EQ(world_.snapshot().failing_sources, 1u);
  EXPECT_EQ(world_.node(world_.snapshot(), "t").last_error->code, "connection_refused");
  values(10, true);
  world_.advance(1s);
  EXPECT_EQ(world_.snapshot().failing_sources, 0u);
  EXPECT_EQ(written().size(), 1u);
}

TEST(PollTriggerCheck, NamesWhatIsWrong) {
  FakePort port;
  port.add("read", sdk::FunctionKind::kRead);
  port.add("write", sdk::FunctionKind::kWrite);
  const NodeCatalogue catalogue;
  const auto problem = [&](std::string_view settings) {
    const Checked checked =
        check_pipeline(json(pipeline("trigger.poll", settings)), catalogue, port);
    return checked.problems.empty() ? std::string()
                                    : checked.problems[0].pointer + " " + checked.problems[0].code;
  };
  EXPECT_EQ(problem(R"({"functionId": "read", "intervalMs": 10})"), "");
  EXPECT_EQ(problem(R"({"functionId": "write", "intervalMs": 10})"),
            "/nodes/0/settings/functionId wrong_function_kind");
  EXPECT_EQ(problem(R"({"functionId": "gone", "intervalMs": 10})"),
            "/nodes/0/settings/functionId unknown_function");
  EXPECT_EQ(problem(R"({"functionId": "read", "intervalMs": 9})"),
            "/nodes/0/settings/intervalMs out_of_range");
  EXPECT_EQ(
      problem(R"({"functionId": "read", "intervalMs": 10, "reportOn": "always", "deadband": 1})"),
      "/nodes/0/settings/deadband invalid");
}

}  // namespace
}  // namespace tributary::orchestrate
