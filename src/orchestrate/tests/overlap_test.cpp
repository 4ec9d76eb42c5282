// What happens to a batch that comes while the one before it is at work; and calls of webhooks,
// which wait, are refused or are answered.
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using namespace std::chrono_literals;
using Answered = CallResult::Outcome;

std::string pipeline(std::string_view overlap, bool durable = false) {
  return R"({"name": "x", "overlap": )" + std::string(overlap) +
         R"(, "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "m", "type": "trigger.manual"},
    {"id": "n", "type": "set", "settings": {"fields": {"seen": true}}},
    {"id": "d", "type": "function", "settings": {"functionId": "write"})" +
         (durable ? R"(, "delivery": {"mode": "durable"})" : "") +
         R"(}], "edges": [{"from": "t", "to": "n"}, {"from": "m", "to": "n"}, {"from": "n", "to": "d"}]})";
}

class OverlapTest : public testing::Test {
 protected:
  void hold() { world_.port.hold = std::make_shared<Event>(world_.io.get_executor()); }
  void let_go() {
    std::exchange(world_.port.hold, nullptr)->set();
    world_.timers.settle();
  }
  std::vector<std::int64_t> written() const {
    std::vector<std::int64_t> numbers;
    for (const Call& call : world_.port.calls)
      numbers.push_back(get_int(get_member(call.parameters, "payload"), "n", -1));
    return numbers;
  }
  RunnerWorld world_;
};

using Numbers = std::vector<std::int64_t>;

TEST_F(OverlapTest, AQueueHoldsAsManyAsItSaysAndThenTheSource) {
  hold();
  world_.start(pipeline(R"({"policy": "queue", "size": 2})"));
  std::vector<std::shared_ptr<std::optional<Result<void>>>> taken;
  for (int i = 0; i < 5; ++i) taken.push_back(world_.deliver(fmt::format(R"([{{"n": {}}}])", i)));
  EXPECT_TRUE(taken[2]->has_value());   // at work, and two that wait
  EXPECT_FALSE(taken[3]->has_value());  // held back
  let_go();
  EXPECT_TRUE(taken[4]->has_value());
  EXPECT_EQ(written(), (Numbers{0, 1, 2, 3, 4}));
}

TEST_F(OverlapTest, SkipRefusesWhatComesMeanwhileAndCountsIt) {
  hold();
  world_.start(pipeline(R"({"policy": "skip"})"));
  world_.deliver(R"([{"n": 1}])");
  const auto refused = world_.deliver(R"([{"n": 2}, {"n": 3}])");
  ASSERT_TRUE(refused->has_value());
  EXPECT_TRUE((*refused)->has_value());  // the source goes on
  const auto by_hand = world_.run(R"([{"n": 4}])");
  ASSERT_TRUE(by_hand->has_value());
  EXPECT_EQ((*by_hand)->error().code, "pipeline_busy");
  let_go();
  world_.deliver(R"([{"n": 5}])");
  EXPECT_EQ(written(), (Numbers{1, 5}));
  EXPECT_EQ(world_.snapshot().skipped, 3);
  EXPECT_EQ(world_.snapshot().flow.in, 2);
  EXPECT_TRUE(world_.snapshot().flow.adds_up());
}

TEST_F(OverlapTest, RestartCancelsTheOneAtWorkAndRefusesWhatWaited) {
  hold();
  world_.start(pipeline(R"({"policy": "restart"})"));
  world_.deliver(R"([{"n": 1}, {"n": 2}])");
  const auto second = world_.run(R"([{"n": 3}])");
  const auto third = world_.run(R"([{"n": 4}])");
  ASSERT_TRUE(second->has_value());
  EXPECT_EQ((*second)->error().code, "superseded");
  let_go();
  ASSERT_TRUE(third->has_value());
  EXPECT_EQ((**third)->status, "completed");
  EXPECT_EQ(written().back(), 4);
  EXPECT_EQ(world_.snapshot().skipped, 1);
  EXPECT_TRUE(world_.snapshot().flow.adds_up());
}

TEST_F(OverlapTest, TheRestOfACancelledBatchIsCountedAsDropped) {
  hold();
  world_.start(R"({"name": "x", "overlap": {"policy": "restart"},
    "nodes": [{"id": "m", "type": "trigger.manual"},
      {"id": "a", "type": "function", "settings": {"functionId": "command"}},
      {"id": "d", "type": "function", "settings": {"functionId": "write"}}],
    "edges": [{"from": "m", "to": "a"}, {"from": "a", "to": "d"}]})");
  const auto first = world_.run(R"([{"n": 1}])");
  const auto second = world_.run(R"([{"n": 2}])");
  let_go();
  ASSERT_TRUE(first->has_value() && (*first)->has_value());
  EXPECT_EQ((**first)->status, "cancelled");
  EXPECT_EQ((**second)->status, "completed");
  EXPECT_EQ(written().back(), 2);
  EXPECT_EQ(world_.snapshot().flow.dropped, 1);
  EXPECT_EQ(world_.node(world_.snapshot(), "d").dropped, 1);
}

TEST_F(OverlapTest, ParallelHasSoManyAtWorkAndNoMore) {
  hold();
  world_.start(pipeline(R"({"policy": "parallel", "max": 3})"));
  for (int i = 0; i < 5; ++i) world_.deliver(fmt::format(R"([{{"n": {}}}])", i));
  EXPECT_EQ(world_.port.active, 3u);
  let_go();
  EXPECT_EQ(world_.port.most_active, 3u);
  Numbers all = written();
  std::ranges::sort(all);
  EXPECT_EQ(all, (Numbers{0, 1, 2, 3, 4}));
  EXPECT_EQ(world_.snapshot().flow.out, 5);
}

TEST_F(OverlapTest, AStopEndsAllThatAreAtWork) {
  hold();
  world_.start(pipeline(R"({"policy": "parallel", "max": 4})"));
  for (int i = 0; i < 8; ++i) world_.deliver(R"([{"n": 1}])");
  world_.stop();
  EXPECT_EQ(world_.last.flow.in, 8);
  EXPECT_TRUE(world_.last.flow.adds_up());
}

TEST(OverlapCheck, NamesWhatDoesNotGoTogether) {
  FakePort port;
  port.add("sub", sdk::FunctionKind::kSubscribe);
  port.add("write", sdk::FunctionKind::kWrite);
  const NodeCatalogue catalogue;
  const auto problem = [&](std::string_view overlap, bool durable = false) {
    const Checked checked = check_pipeline(json(pipeline(overlap, durable)), catalogue, port);
    return checked.problems.empty() ? std::string()
                                    : checked.problems[0].pointer + " " + checked.problems[0].code;
  };
  for (const char* fine : {"{}", R"({"policy": "queue", "size": 1000})", R"({"policy": "skip"})",
                           R"({"policy": "restart"})", R"({"policy": "parallel", "max": 64})"}) {
    EXPECT_EQ(problem(fine), "") << fine;
  }
  EXPECT_EQ(problem(R"({"policy": "drop"})"), "/overlap/policy not_allowed");
  EXPECT_EQ(problem(R"({"size": 0})"), "/overlap/size out_of_range");
  EXPECT_EQ(problem(R"({"policy": "skip", "size": 3})"), "/overlap/size invalid");
  EXPECT_EQ(problem(R"({"policy": "parallel"})"), "/overlap/max required");
  EXPECT_EQ(problem(R"({"max": 2})"), "/overlap/max invalid");
  EXPECT_EQ(problem("{}", true), "");
  EXPECT_EQ(problem(R"({"policy": "skip"})", true), "/overlap/policy invalid");
  EXPECT_EQ(problem(R"({"policy": "restart"})", true), "/overlap/policy invalid");
  EXPECT_EQ(problem(R"({"policy": "parallel", "max": 2})", true), "/overlap/policy invalid");
}

// ---- calls ----

std::string hook(std::string_view settings, std::string_view nodes = "",
                 std::string_view edges = "", std::string_view more = "") {
  return R"({"name": "x", )" + std::string(more) +
         R"("nodes": [{"id": "t", "type": "trigger.webhook", "settings": )" +
         std::string(settings) + "}" + std::string(nodes) + R"(], "edges": [)" +
         std::string(edges) + "]}";
}
const std::string kAnswering =
    hook(R"({"path": "a", "answerTimeoutMs": 5000})",
         R"(, {"id": "d", "type": "function", "settings": {"functionId": "write"}},
       {"id": "r", "type": "respond", "settings": {"status": 201, "headers": {"X-Order": "{{ $input.body.n }}"},
        "body": {"order": "{{ $input.body.n }}"}}})",
         R"({"from": "t", "to": "d"}, {"from": "d", "to": "r"})");

class CallTest : public OverlapTest {
 protected:
  std::shared_ptr<std::optional<CallResult>> call(int n) {
    auto result = std::make_shared<std::optional<CallResult>>();
    Json record = json(fmt::format(R"({{"body": {{"n": {}}}}})", n));
    auto task = [](std::shared_ptr<Runner> on, Json made,
                   std::shared_ptr<std::optional<CallResult>> into) -> Task<void> {
      auto calling = on->call(0, std::move(made));
      into->emplace(co_await std::move(calling));
    };
    spawn(world_.io.get_executor(), task(world_.runner, std::move(record), result));
    world_.timers.settle();
    return result;
  }
};

TEST_F(CallTest, IsAcceptedWithTheIdOfItsRun) {
  world_.start(hook(R"({"path": "a"})"));
  const auto result = call(1);
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ((*result)->outcome, Answered::kAccepted);
  ASSERT_EQ(world_.rows.size(), 1u);
  EXPECT_EQ(world_.rows[0].id, (*result)->run_id);
  EXPECT_EQ(world_.rows[0].status, "completed");
}

TEST_F(CallTest, ARespondNodeAnswers) {
  world_.start(kAnswering);
  const auto result = call(7);
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ((*result)->outcome, Answered::kAnswered);
  EXPECT_EQ((*result)->answer.status, 201);
  EXPECT_EQ((*result)->answer.body, R"({"order":7})");
  EXPECT_EQ((*result)->answer.headers,
            (hooks::Pairs{{"X-Order", "7"}, {"Content-Type", "application/json"}}));
  EXPECT_EQ(world_.snapshot().flow.out, 1);
}

TEST_F(CallTest, GetsNoAnswerInTimeAndTheRunGoesOn) {
  hold();
  world_.start(kAnswering);
  const auto result = call(1);
  world_.advance(4s);
  EXPECT_FALSE(result->has_value());
  world_.advance(1s);
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ((*result)->outcome, Answered::kTimedOut);
  let_go();
  EXPECT_EQ(written().size(), 1u);
}

TEST_F(CallTest, ARunThatEndsWithoutAnAnswerSaysSo) {
  world_.port.answer = [](const Call&) {
    return Result<Batch>(fail(ErrorClass::kFunction, "refused", "No."));
  };
  world_.start(kAnswering);
  const auto result = call(1);
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ((*result)->outcome, Answered::kUnanswered);
}

TEST_F(CallTest, WaitsForRoomForAMomentOnly) {
  hold();
  world_.start(hook(R"({"path": "a"})",
                    R"(, {"id": "d", "type": "function", "settings": {"functionId": "write"}})",
                    R"({"from": "t", "to": "d"})", R"("overlap": {"size": 1}, )"));
  call(1);
  call(2);
  const auto third = call(3);
  EXPECT_FALSE(third->has_value());
  world_.advance(2s);
  ASSERT_TRUE(third->has_value());
  EXPECT_EQ((*third)->outcome, Answered::kFull);
  const auto fourth = call(4);
  let_go();
  ASSERT_TRUE(fourth->has_value());
  EXPECT_EQ((*fourth)->outcome, Answered::kAccepted);
  EXPECT_EQ(world_.snapshot().flow.in, 3);
}

TEST_F(CallTest, OfADurablePipelineIsTakenWhenItIsOnDiskHoweverLongTheDeliveryTakes) {
  hold();
  world_.start(hook(
      R"({"path": "a"})",
      R"(, {"id": "d", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "durable"}})",
      R"({"from": "t", "to": "d"})"));
  const auto result = call(1);
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ((*result)->outcome, Answered::kAccepted);
  EXPECT_TRUE(written().empty());
  let_go();
  EXPECT_EQ(written().size(), 1u);
}

TEST_F(CallTest, IsRefusedWhenThePipelineStops) {
  hold();
  world_.start(kAnswering);
  const auto first = call(1);
  const auto runner = world_.runner;
  world_.stop();
  EXPECT_TRUE(first->has_value());
  world_.runner = runner;
  const auto late = call(2);
  ASSERT_TRUE(late->has_value());
  EXPECT_EQ((*late)->outcome, Answered::kStopped);
  world_.runner.reset();
}

TEST_F(CallTest, AHeaderThatWouldBeginAnotherFailsTheRecord) {
  world_.start(hook(
      R"({"path": "a"})",
      R"(, {"id": "r", "type": "respond", "settings": {"headers": {"X-A": "{{ $input.body.text }}"}}})",
      R"({"from": "t", "to": "r"})"));
  auto result = std::make_shared<std::optional<CallResult>>();
  Json record = json(R"({"body": {"text": "a\r\nSet-Cookie: stolen=1"}})");
  auto task = [](std::shared_ptr<Runner> on, Json made,
                 std::shared_ptr<std::optional<CallResult>> into) -> Task<void> {
    auto calling = on->call(0, std::move(made));
    into->emplace(co_await std::move(calling));
  };
  spawn(world_.io.get_executor(), task(world_.runner, std::move(record), result));
  world_.timers.settle();
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ((*result)->outcome, Answered::kUnanswered);
  EXPECT_EQ(world_.node(world_.snapshot(), "r").last_error->code, "invalid_header");
}

TEST(WebhookCheck, NamesWhatIsWrong) {
  FakePort port;
  const NodeCatalogue catalogue;
  const auto problem = [&](std::string_view settings, std::string_view nodes = "",
                           std::string_view edges = "") {
    const Checked checked = check_pipeline(json(hook(settings, nodes, edges)), catalogue, port);
    return checked.problems.empty() ? std::string()
                                    : checked.problems[0].pointer + " " + checked.problems[0].code;
  };
  const auto with = [](std::string_view authentication, std::string_view secret = "") {
    return R"({"path": "a", "authentication": )" + std::string(authentication) +
           (secret.empty() ? "" : R"(, "secret": )" + std::string(secret)) + "}";
  };
  EXPECT_EQ(problem(R"({"path": "a/b"})"), "");
  EXPECT_EQ(problem("{}"), "/nodes/0/settings/path required");
  EXPECT_EQ(problem(R"({"path": "../a"})"), "/nodes/0/settings/path invalid");
  EXPECT_EQ(problem(R"({"path": "a", "methods": ["TRACE"]})"),
            "/nodes/0/settings/methods/0 not_allowed");
  EXPECT_EQ(problem(R"({"path": "a", "allow": ["192.0.2.7/24"]})"),
            "/nodes/0/settings/allow/0 invalid");
  EXPECT_EQ(problem(R"({"path": "a", "maxBytes": 4194305})"),
            "/nodes/0/settings/maxBytes out_of_range");
  EXPECT_EQ(problem(R"({"path": "a", "secret": {"set": true}})"),
            "/nodes/0/settings/secret invalid");
  EXPECT_EQ(problem(with(R"({"type": "header", "header": "X-Key"})", R"({"set": true})")), "");
  EXPECT_EQ(problem(with(R"({"type": "header", "header": "X-Key"})")),
            "/nodes/0/settings/secret required");
  EXPECT_EQ(problem(with(R"({"type": "hmac"})", R"({"set": true})")),
            "/nodes/0/settings/authentication/header required");
  EXPECT_EQ(problem(with(R"({"type": "hmac", "header": "X S"})", R"({"set": true})")),
            "/nodes/0/settings/authentication/header invalid");
  EXPECT_EQ(problem(with(R"({"type": "hmac", "header": "X-S", "timestampHeader": "X-T",
                             "signedText": "{body}"})",
                         R"({"set": true})")),
            "/nodes/0/settings/authentication/signedText invalid");
  EXPECT_EQ(
      problem(R"({"path": "a"})",
              R"(, {"id": "r", "type": "respond", "settings": {"headers": {"Set-Cookie": "a=1"}}})",
              R"({"from": "t", "to": "r"})"),
      "/nodes/1/settings/headers/Set-Cookie not_allowed");
  EXPECT_EQ(
      problem(R"({"path": "a"})", R"(, {"id": "r", "type": "respond", "settings": {"status": 99}})",
              R"({"from": "t", "to": "r"})"),
      "/nodes/1/settings/status out_of_range");
  EXPECT_EQ(problem(R"({"path": "a"})",
                    R"(, {"id": "m", "type": "trigger.manual"}, {"id": "r", "type": "respond"})",
                    R"({"from": "m", "to": "r"})"),
            "/nodes/2/type no_webhook");
}

}  // namespace
}  // namespace tributary::orchestrate
