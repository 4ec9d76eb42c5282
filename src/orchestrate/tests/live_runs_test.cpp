// Runs that are at work: progress, cancelling, running again, turns, and what is kept of failures.
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// t (by hand) and s (a subscription) → n (set) → d (write)
constexpr std::string_view kPipeline = R"({"name": "x", "nodes": [
    {"id": "t", "type": "trigger.manual"},
    {"id": "s", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "n", "type": "set", "settings": {"fields": {"b": "{{ $input.a + 1 }}"}}},
    {"id": "d", "type": "function", "settings": {"functionId": "write"}}],
  "edges": [{"from": "t", "to": "n"}, {"from": "s", "to": "n"}, {"from": "n", "to": "d"}]})";

std::vector<Record> numbered(int count) {
  std::vector<Record> records;
  for (int i = 0; i < count; ++i) {
    Json record = json_object();
    record.insert_or_assign("a", i);
    records.push_back(std::move(record));
  }
  return records;
}

std::string numbered_text(int count) {
  const auto records = numbered(count);
  return to_text(Json(jsoncons::json_array_arg, records.begin(), records.end()));
}

// Calls of the destination wait until they are let go, one by one.
class LiveRunTest : public testing::Test {
 protected:
  void start(std::string_view body = kPipeline) {
    world_.start(body);
    world_.port.hold = std::make_shared<Event>(world_.io.get_executor());
  }
  void let_go() {
    auto held = std::exchange(world_.port.hold, std::make_shared<Event>(world_.io.get_executor()));
    held->set();
    world_.timers.settle();
  }
  bool cancel(const std::string& id) {
    bool cancelled = false;
    spawn(world_.io.get_executor(), cancel_task(world_.runner, id, cancelled));
    world_.timers.settle();
    return cancelled;
  }

  RunnerWorld world_;

 private:
  static Task<void> cancel_task(std::shared_ptr<Runner> runner, std::string id, bool& cancelled) {
    cancelled = co_await runner->cancel(std::move(id));
  }
};

TEST_F(LiveRunTest, ARunByHandIsShownWhileItIsAtWorkWithWhatEachNodeHasDone) {
  start();
  const auto result = world_.run(numbered_text(3));
  EXPECT_TRUE(world_.progress.empty());
  world_.advance(milliseconds{200});
  ASSERT_EQ(world_.progress.size(), 1u);
  const store::RunRow row = world_.progress[0].row;
  EXPECT_EQ(row.status, "running");
  EXPECT_EQ(row.trigger, "t");
  EXPECT_EQ(row.records_in, 3);
  EXPECT_EQ(row.records_out, 0);
  let_go();
  world_.advance(milliseconds{200});
  ASSERT_EQ(world_.progress.size(), 2u);
  EXPECT_EQ(world_.progress[1].row.records_out, 1);
  EXPECT_EQ(world_.progress[1].row.id, row.id);
  const Json& nodes = get_member(world_.progress[1].row.detail, "nodes");
  ASSERT_EQ(nodes.size(), 3u) << "the trigger that did not fire is not there";
  EXPECT_TRUE(get_bool(nodes[1], "done", false));
  EXPECT_FALSE(get_bool(nodes[2], "done", true));
  let_go();
  let_go();
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ((*result)->value().id, row.id);
  EXPECT_EQ((*result)->value().status, "completed");
}

TEST_F(LiveRunTest, ProgressIsToldAtMostFiveTimesASecondAndOnlyWhenThereIsSome) {
  start();
  world_.run(numbered_text(100));
  for (int i = 0; i < 50; ++i) {
    world_.advance(milliseconds{20});
    let_go();
  }
  EXPECT_EQ(world_.progress.size(), 5u);
  world_.advance(seconds{10});
  EXPECT_LE(world_.progress.size(), 7u) << "nothing happened in these ten seconds";
  for (int i = 0; i < 100; ++i) let_go();
}

TEST_F(LiveRunTest, ARunOfASecondIsWrittenDownOnceWhileItIsAtWork) {
  start();
  world_.run(numbered_text(2));
  world_.advance(milliseconds{900});
  const auto stored = [&] {
    return std::ranges::count_if(world_.progress, [](const auto& told) { return told.store; });
  };
  EXPECT_EQ(stored(), 0);
  world_.advance(milliseconds{400});
  EXPECT_EQ(stored(), 1);
  world_.advance(seconds{5});
  EXPECT_EQ(stored(), 1);
  let_go();
  let_go();
}

TEST_F(LiveRunTest, ABatchOfASubscriptionThatWasShownHasItsRowToItself) {
  start();
  world_.deliver(numbered(1));
  let_go();
  ASSERT_EQ(world_.rows.size(), 1u);
  world_.deliver(numbered(1));
  world_.advance(milliseconds{1200});
  ASSERT_FALSE(world_.progress.empty());
  const std::string shown = world_.progress[0].row.id;
  let_go();
  ASSERT_EQ(world_.rows.size(), 2u);
  EXPECT_EQ(world_.rows[1].id, shown);
  EXPECT_EQ(world_.rows[1].status, "completed");
}

TEST_F(LiveRunTest, ACancelledRunCallsNothingMoreAndDropsWhatIsLeft) {
  start();
  const auto result = world_.run(numbered_text(10));
  world_.advance(milliseconds{200});
  let_go();
  EXPECT_EQ(world_.port.calls.size(), 1u);
  const std::string id = world_.progress.at(0).row.id;
  EXPECT_FALSE(cancel("another"));
  EXPECT_TRUE(cancel(id));
  let_go();
  ASSERT_TRUE(result->has_value());
  const store::RunRow& row = (*result)->value();
  EXPECT_EQ(row.status, "cancelled");
  EXPECT_EQ(world_.port.calls.size(), 2u) << "the call that was under way came to its end";
  const Snapshot now = world_.snapshot();
  EXPECT_EQ(now.flow.out, 2);
  EXPECT_EQ(now.flow.dropped, 8);
  EXPECT_EQ(now.flow.errors, 0);
  EXPECT_TRUE(now.flow.adds_up());
  EXPECT_FALSE(cancel(id)) << "it is over";
}

TEST_F(LiveRunTest, TheInputOfARunByHandIsKept) {
  world_.start(kPipeline);
  const auto result = world_.run(numbered_text(2));
  ASSERT_TRUE(result->has_value());
  EXPECT_TRUE((*result)->value().input_kept);
  EXPECT_EQ(to_text((*result)->value().input), R"({"trigger":"t","records":[{"a":0},{"a":1}]})");
}

TEST_F(LiveRunTest, AnInputThatIsTooLongIsNotKeptAndTheRowSaysSo) {
  world_.start(kPipeline);
  Json record = json_object();
  record.insert_or_assign("a", std::string(kMaxRunInputBytes, 'x'));
  const auto result = world_.run("[" + to_text(record) + "]");
  ASSERT_TRUE(result->has_value());
  EXPECT_FALSE((*result)->value().input_kept);
  EXPECT_TRUE((*result)->value().input.is_null());
  EXPECT_TRUE(get_bool((*result)->value().detail, "inputTooLong", false));
}

TEST_F(LiveRunTest, OfASubscriptionOnlyTheInputOfBatchesThatFailedIsKept) {
  world_.start(kPipeline);
  world_.deliver(numbered(1));
  ASSERT_EQ(world_.rows.size(), 1u);
  EXPECT_FALSE(world_.rows[0].input_kept);
  world_.port.answer = [](const Call&) -> Result<Batch> {
    return fail(ErrorClass::kFunction, "refused", "The broker refused the message.");
  };
  world_.advance(seconds{5});
  world_.deliver(numbered(1));
  ASSERT_EQ(world_.rows.size(), 2u);
  ASSERT_TRUE(world_.rows[1].input_kept);
  const Json& input = world_.rows[1].input;
  EXPECT_EQ(get_string(input, "trigger"), "s");
  EXPECT_EQ(get_int(get_member(input, "records")[0], "a", -1), 0);
}

TEST_F(LiveRunTest, FailuresAreHandedOnAtMostOnceASecondAndTheLastOneCounts) {
  world_.start(kPipeline);
  world_.port.answer = [](const Call&) -> Result<Batch> {
    return fail(ErrorClass::kFunction, "refused", "The broker refused the message.");
  };
  for (int i = 0; i < 30; ++i) {
    world_.deliver(numbered(i + 1));
    world_.advance(milliseconds{100});
  }
  EXPECT_LE(world_.failures.size(), 4u);
  world_.advance(seconds{2});
  const store::PipelineFailureRow& last = world_.failures.back();
  EXPECT_EQ(last.node_id, "d");
  EXPECT_EQ(last.code, "refused");
  EXPECT_EQ(get_int(last.input, "a", -1), 29);
}

TEST_F(LiveRunTest, TenThousandBatchesInTenSecondsAreCountedInAHandfulOfRows) {
  world_.start(kPipeline);
  constexpr int kBatches = 10'000;
  for (int i = 0; i < kBatches; ++i) {
    world_.deliver(numbered(1));
    world_.advance(milliseconds{1});
  }
  world_.advance(seconds{2});
  EXPECT_LE(world_.rows.size(), 12u) << "one growing row, written once a second";
  std::set<std::string> ids;
  for (const auto& row : world_.rows) ids.insert(row.id);
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(world_.rows.back().records_in, kBatches);
  EXPECT_EQ(get_int(world_.rows.back().detail, "batches", 0), kBatches);
  EXPECT_TRUE(world_.progress.empty()) << "no batch was at work long enough to be shown";
}

// Several pipelines on one executor.
class TurnsTest : public testing::Test {
 protected:
  std::unique_ptr<Turns::Seat> seat(Priority priority) {
    return std::make_unique<Turns::Seat>(turns_, priority);
  }
  void line_up(Turns::Seat& seat, char name, int batches) {
    for (int i = 0; i < batches; ++i) spawn(io_.get_executor(), begin(seat, name));
  }
  std::string run() {
    io_.restart();
    io_.run();
    return order_;
  }

  asio::io_context io_;
  std::shared_ptr<Turns> turns_ = std::make_shared<Turns>(io_.get_executor());
  std::string order_;

 private:
  Task<void> begin(Turns::Seat& seat, char name) {
    co_await seat.wait();
    order_ += name;
  }
};

TEST_F(TurnsTest, WaitingBatchesBeginInTheOrderOfTheirPriority) {
  const auto low = seat(Priority::kLow);
  const auto normal = seat(Priority::kNormal);
  const auto high = seat(Priority::kHigh);
  line_up(*low, 'l', 3);
  line_up(*normal, 'n', 3);
  line_up(*high, 'h', 2);
  EXPECT_EQ(run(), "hhnnnlll");
}

TEST_F(TurnsTest, NobodyStarvesWhoeverWasPassedOverEightTimesIsNext) {
  const auto low = seat(Priority::kLow);
  const auto high = seat(Priority::kHigh);
  line_up(*high, 'h', 20);
  line_up(*low, 'l', 3);
  EXPECT_EQ(run(), "hhhhhhhhlhhhhhhhhlhhhhl");
}

TEST_F(TurnsTest, APipelineThatIsAloneDoesNotWait) {
  const auto only = seat(Priority::kLow);
  bool begun = false;
  spawn(io_.get_executor(), [](Turns::Seat& seat, bool& begun) -> Task<void> {
    co_await seat.wait();
    begun = true;
  }(*only, begun));
  io_.poll_one();
  EXPECT_TRUE(begun);
}

}  // namespace
}  // namespace tributary::orchestrate
