// enrich, and calls that are tried again.
#include "nodes_support.hpp"

namespace tributary::orchestrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kLookup =
    R"({"functionId": "read", "parameters": {"id": "{{ $input.id }}"}, "into": "article"})";

// Answers with a record for ids from 1, with nothing for others.
void answer_articles(NodeWorld& world, std::vector<std::int64_t>* asked) {
  world.port.answer = [asked](const Call& call) -> Result<Batch> {
    if (call.function != "read") return Batch::of(std::vector<Record>{});
    const std::int64_t id = get_int(call.parameters, "id", 0);
    asked->push_back(id);
    std::vector<Record> rows;
    if (id > 0) {
      Json row = json_object();
      row.insert_or_assign("name", fmt::format("A{}", id));
      rows.push_back(row);
      rows.push_back(row);
    }
    return Batch::of(std::move(rows));
  };
}

Error reset() {
  return Error(ErrorClass::kTransient, "connection_reset", "It reset the connection.");
}

TEST(Enrich, PutsTheAnswerIntoTheRecordWithOneCallForEveryKey) {
  NodeWorld world;
  std::vector<std::int64_t> asked;
  answer_articles(world, &asked);
  world.start_node("enrich", kLookup);
  world.deliver(R"([{"id": 1}, {"id": 2}, {"id": 1}, {"id": 0}])");
  EXPECT_EQ(world.take(), R"([{"id":1,"article":{"name":"A1"}},{"id":2,"article":{"name":"A2"}},)"
                          R"({"id":1,"article":{"name":"A1"}},{"id":0,"article":null}])");
  EXPECT_EQ(asked, (std::vector<std::int64_t>{1, 2, 0}));
}

TEST(Enrich, RemembersAnswersForTheirTime) {
  NodeWorld world;
  std::vector<std::int64_t> asked;
  answer_articles(world, &asked);
  world.start_node("enrich",
                   R"({"functionId": "read", "parameters": {"id": "{{ $input.id }}"}, "into": "a",
                       "ttlMs": 60000, "negativeTtlMs": 5000})");
  world.deliver(R"([{"id": 1}, {"id": 0}])");
  world.advance(milliseconds(4999));
  world.deliver(R"([{"id": 1}, {"id": 0}])");
  EXPECT_EQ(asked.size(), 2u);
  world.advance(milliseconds(1));
  world.deliver(R"([{"id": 1}, {"id": 0}])");
  EXPECT_EQ(asked, (std::vector<std::int64_t>{1, 0, 0}));
  world.advance(seconds(55));
  world.deliver(R"([{"id": 1}])");
  EXPECT_EQ(asked.back(), 1);
}

TEST(Enrich, RemembersABoundedNumber) {
  NodeWorld world;
  std::vector<std::int64_t> asked;
  answer_articles(world, &asked);
  world.start_node("enrich",
                   R"({"functionId": "read", "parameters": {"id": "{{ $input.id }}"}, "into": "a",
                       "maxEntries": 2})");
  for (const int id : {1, 2, 3}) {
    world.deliver(fmt::format(R"([{{"id": {}}}])", id));
    world.advance(milliseconds(1));
  }
  world.deliver(R"([{"id": 3}, {"id": 2}, {"id": 1}])");
  EXPECT_EQ(asked, (std::vector<std::int64_t>{1, 2, 3, 1}));
}

TEST(Enrich, NothingFoundCanBeAnErrorAndAllRecordsAList) {
  NodeWorld world;
  std::vector<std::int64_t> asked;
  answer_articles(world, &asked);
  world.start_node("enrich",
                   R"({"functionId": "read", "parameters": {"id": "{{ $input.id }}"}, "into": "a.b",
                       "as": "list", "onMissing": "error"})");
  world.deliver(R"([{"id": 0}, {"id": 1}])");
  EXPECT_EQ(world.take(), R"([{"id":1,"a":{"b":[{"name":"A1"},{"name":"A1"}]}}])");
  EXPECT_EQ(world.last_error(), "nothing_found: 'read' found nothing.");
}

TEST(Enrich, AFailedCallFailsItsRecordsAndIsNotRemembered) {
  NodeWorld world;
  int calls = 0;
  world.port.answer = [&calls](const Call& call) -> Result<Batch> {
    if (call.function != "read") return Batch::of(std::vector<Record>{});
    ++calls;
    return fail(ErrorClass::kFunction, "refused", "No.");
  };
  world.start_node("enrich", kLookup, {"out", "error"}, R"(, "onError": "errorPort")");
  world.deliver(R"([{"id": 1}, {"id": 1}])");
  world.deliver(R"([{"id": 1}])");
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(json(world.take("error")).size(), 3u);
  EXPECT_EQ(world.snapshot().flow.handled, 3);
}

TEST(Enrich, CallsAtOnceKeepTheOrder) {
  NodeWorld world;
  std::vector<std::int64_t> asked;
  answer_articles(world, &asked);
  world.start_node("enrich",
                   R"({"functionId": "read", "parameters": {"id": "{{ $input.id }}"}, "into": "a",
                       "concurrency": 3})");
  world.port.hold = std::make_shared<Event>(world.io.get_executor());
  world.deliver(R"([{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}, {"id": 5}])");
  EXPECT_EQ(world.port.active, 3u);
  std::exchange(world.port.hold, nullptr)->set();
  world.timers.settle();
  const Json sent = json(world.take());
  ASSERT_EQ(sent.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(sent[i].at("id"), Json(i + 1));
    EXPECT_EQ(sent[i].at("a").at("name"), Json(fmt::format("A{}", i + 1)));
  }
}

TEST(Enrich, SaysWhatIsWrongWithItsSettings) {
  EXPECT_EQ(problem_of("enrich", R"({"functionId": "gone", "into": "a"})"),
            "/nodes/1/settings/functionId unknown_function");
  EXPECT_EQ(problem_of("enrich", R"({"functionId": "write", "into": "a"})"),
            "/nodes/1/settings/functionId wrong_function_kind");
  EXPECT_EQ(problem_of("enrich", R"({"functionId": "read", "into": "a..b"})"),
            "/nodes/1/settings/into invalid");
  EXPECT_EQ(problem_of("enrich",
                       R"({"functionId": "read", "into": "a", "parameters": {"x": "{{ ( }}"}})"),
            "/nodes/1/settings/parameters/x invalid_expression");
}

// ---- retry ----

TEST(Retry, ACallThatMayPassIsTriedAgainWithGrowingPauses) {
  for (const std::string_view type : {"enrich", "function"}) {
    NodeWorld world;
    std::vector<double> times;
    const SteadyTime begun = world.timers.now();
    world.port.answer = [&](const Call& call) -> Result<Batch> {
      if (call.function != "read") return Batch::of(std::vector<Record>{});
      times.push_back(to_seconds(world.timers.now() - begun));
      if (times.size() < 4) return fail(reset());
      return Batch::of(std::vector<Record>{json_object()});
    };
    const std::string settings =
        type == "enrich" ? std::string(kLookup) : R"({"functionId": "read"})";
    world.start_node(type, settings, {"out"},
                     R"(, "retry": {"maxAttempts": 4, "initialDelayMs": 1000, "multiplier": 3,
                                    "maxDelayMs": 5000})");
    world.deliver(R"([{"id": 1}])");
    world.advance(seconds(60));
    ASSERT_EQ(times.size(), 4u) << type;
    // Pauses of 1, 3 and 5 s, each between half and all of it.
    EXPECT_GE(times[1], 0.5);
    EXPECT_LE(times[1], 1.01);
    EXPECT_GE(times[2] - times[1], 1.5);
    EXPECT_LE(times[2] - times[1], 3.01);
    EXPECT_GE(times[3] - times[2], 2.5);
    EXPECT_LE(times[3] - times[2], 5.01);
    EXPECT_EQ(world.snapshot().flow.out, 1);
    EXPECT_EQ(world.snapshot().flow.errors, 0);
  }
}

TEST(Retry, EndsAfterItsAttemptsAndOnErrorsThatStay) {
  for (const std::string_view type : {"enrich", "function"}) {
    NodeWorld world;
    int calls = 0;
    Error error = reset();
    world.port.answer = [&](const Call&) -> Result<Batch> {
      ++calls;
      return fail(error);
    };
    const std::string settings =
        type == "enrich" ? std::string(kLookup) : R"({"functionId": "read"})";
    world.start_node(type, settings, {}, R"(, "retry": {"maxAttempts": 3})");
    world.deliver(R"([{"id": 1}])");
    world.advance(seconds(60));
    EXPECT_EQ(calls, 3) << type;
    EXPECT_EQ(world.last_error(),
              "connection_reset: It reset the connection. Given up after 3 attempts.");
    error = Error(ErrorClass::kFunction, "refused", "No.");
    world.deliver(R"([{"id": 1}])");
    world.advance(seconds(60));
    EXPECT_EQ(calls, 4);
    error = reset();
    error.outcome_unknown = true;
    world.deliver(R"([{"id": 1}])");
    world.advance(seconds(60));
    EXPECT_EQ(calls, 5) << "a call that may have happened is not repeated";
    EXPECT_EQ(world.snapshot().flow.errors, 3);
  }
}

TEST(Retry, AStopEndsThePause) {
  for (const std::string_view type : {"enrich", "function"}) {
    NodeWorld world;
    world.port.answer = [](const Call&) -> Result<Batch> { return fail(reset()); };
    const std::string settings =
        type == "enrich" ? std::string(kLookup) : R"({"functionId": "read"})";
    world.start_node(type, settings, {}, R"(, "retry": {"maxAttempts": 100})");
    world.deliver(R"([{"id": 1}, {"id": 1}])");
    world.stop();
    EXPECT_EQ(world.last.flow.dropped + world.last.flow.errors, 2) << type;
    EXPECT_GE(world.last.flow.dropped, 1) << type;
  }
}

TEST(Retry, BelongsToCallsWithoutDurableDelivery) {
  EXPECT_EQ(problem_of("filter", R"({"expression": "{{ 1 }}"})", R"(, "retry": {})"),
            "/nodes/1/retry invalid");
  EXPECT_EQ(problem_of("function", R"({"functionId": "write"})",
                       R"(, "retry": {}, "delivery": {"mode": "durable"})"),
            "/nodes/1/retry invalid");
  EXPECT_EQ(problem_of("function", R"({"functionId": "write"})",
                       R"(, "retry": {"initialDelayMs": 5000, "maxDelayMs": 1000})"),
            "/nodes/1/retry/initialDelayMs out_of_range");
  EXPECT_EQ(
      problem_of("function", R"({"functionId": "write"})", R"(, "retry": {"maxAttempts": 3})"), "");
}

}  // namespace
}  // namespace tributary::orchestrate
