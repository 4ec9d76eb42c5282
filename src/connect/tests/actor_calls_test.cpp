// Functions of a connection: order, refusals, loss in the middle.
#include "actor_fixture.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class Calls : public ActorTest {
 protected:
  void SetUp() override {
    add_function("read", "fake.read", R"({"points": ["speed"]})");
    add_function("write", "fake.write", R"({"points": ["speed"]})");
  }
  static const Error& error_in(const Pending& answer) { return answer->value().result.error(); }
};

TEST_F(Calls, run_while_connected) {
  start();
  const auto answer = execute("read");
  ASSERT_TRUE(answer->has_value());
  ASSERT_TRUE((*answer)->result.has_value());
  EXPECT_EQ(std::get<double>((*answer)->result->scans().front().samples.front().value), 1.0);
}

TEST_F(Calls, are_rejected_with_the_reason) {
  EXPECT_EQ(error_in(execute("read")).code, "not_running");
  start();
  peer_.open_errors.assign(100, error_of(ErrorClass::kTransient));
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(milliseconds{10});
  const auto disconnected = execute("read");
  EXPECT_EQ(error_in(disconnected).code, "connection_disconnected");
  EXPECT_GT(error_in(disconnected).retry_after_ms.value_or(0), 0);
  command(lifecycle::Suspend{Suspension{"valve replacement", "op", UtcTime{}, std::nullopt}});
  const auto suspended = execute("read");
  EXPECT_EQ(error_in(suspended).code, "connection_suspended");
  EXPECT_THAT(error_in(suspended).message, HasSubstr("valve replacement"));
}

TEST_F(Calls, are_rejected_with_the_cause_when_failed) {
  peer_.open_errors.push_back(error_of(ErrorClass::kConfiguration));
  start();
  const auto answer = execute("read");
  EXPECT_EQ(error_in(answer).code, "connection_failed");
  EXPECT_THAT(error_in(answer).message, HasSubstr("The script says so."));
}

TEST_F(Calls, wait_while_connecting) {
  peer_.mute = true;
  start();
  ASSERT_EQ(status(), Status::kConnecting);
  const auto patient = execute("read");
  const auto hasty = execute("read", json_object(), milliseconds{100});
  EXPECT_FALSE(patient->has_value());
  advance(milliseconds{200});
  ASSERT_TRUE(hasty->has_value());
  EXPECT_EQ(error_in(hasty).code, "connection_disconnected");
  peer_.mute = false;
  command(lifecycle::Restart{});
  advance(milliseconds{20});
  ASSERT_TRUE(patient->has_value());
  EXPECT_TRUE((*patient)->result.has_value());
}

TEST_F(Calls, that_wait_are_rejected_when_the_connection_is_stopped) {
  peer_.mute = true;
  start();
  const auto waiting = execute("read");
  command(lifecycle::Stop{});
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ(error_in(waiting).code, "not_running");
}

TEST_F(Calls, are_made_one_at_a_time_writes_first) {
  start();
  peer_.hold_calls = true;
  const auto first = execute("read");
  const auto read = execute("read");
  const auto write = execute("write");
  peer_.release();
  advance(milliseconds{10});
  EXPECT_THAT(peer_.order, ElementsAre("fake.read", "fake.write", "fake.read"));
  EXPECT_EQ(peer_.most_inside, 1);
  EXPECT_TRUE((*read)->result.has_value() && (*write)->result.has_value() &&
              (*first)->result.has_value());
}

TEST_F(Calls, edge_39_a_write_cut_off_has_an_unknown_outcome_and_is_not_repeated) {
  start();
  peer_.hold_calls = true;
  const auto write = execute("write");
  const int calls = peer_.calls;
  peer_.hold_calls = false;
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(seconds{5});
  ASSERT_TRUE(write->has_value());
  EXPECT_TRUE(error_in(write).outcome_unknown);
  EXPECT_EQ(error_in(write).code, "outcome_unknown");
  EXPECT_EQ(peer_.calls, calls);
  EXPECT_EQ(status(), Status::kConnected);
}

TEST_F(Calls, a_read_cut_off_is_lost_but_not_unknown) {
  start();
  peer_.hold_calls = true;
  const auto read = execute("read");
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(milliseconds{10});
  ASSERT_TRUE(read->has_value());
  EXPECT_FALSE(error_in(read).outcome_unknown);
}

TEST_F(Calls, a_connection_error_of_a_call_ends_the_session) {
  start();
  peer_.call_error = error_of(ErrorClass::kTransient, "connection_reset");
  const auto read = execute("read");
  EXPECT_EQ(error_in(read).code, "connection_reset");
  advance(milliseconds{10});
  EXPECT_EQ(status(), Status::kDisconnected);
}

TEST_F(Calls, edge_24_function_errors_never_touch_the_connection) {
  start();
  peer_.call_error = error_of(ErrorClass::kFunction, "illegal_address");
  for (int i = 0; i < 1000; ++i) execute("read");
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(actor_->view().breaker.consecutive_failures, 0);
}

TEST_F(Calls, stop_lets_a_call_finish) {
  start();
  peer_.call_time = seconds{1};
  const auto read = execute("read");
  const auto stopped = command(lifecycle::Stop{}, seconds{2});
  ASSERT_TRUE(stopped && stopped->has_value());
  ASSERT_TRUE(read->has_value());
  EXPECT_TRUE((*read)->result.has_value());
}

TEST_F(Calls, stop_waits_five_seconds_at_most) {
  start();
  peer_.hold_calls = true;
  const auto write = execute("write");
  const auto stopped = command(lifecycle::Stop{}, seconds{5});
  ASSERT_TRUE(stopped && stopped->has_value());
  ASSERT_TRUE(write->has_value());
  EXPECT_TRUE(error_in(write).outcome_unknown);
}

TEST_F(Calls, placeholders_are_filled_and_checked_again) {
  add_function("counted", "fake.read",
               R"json({"points": ["((which))"], "count": "((count))"})json");
  start();
  Json good = Json::parse(R"({"which": "level", "count": 3})");
  const auto answer = execute("counted", good);
  ASSERT_TRUE(answer->has_value() && (*answer)->result.has_value());
  EXPECT_EQ(std::get<double>((*answer)->result->scans().front().samples.front().value), 2.0);
  EXPECT_EQ(error_in(execute("counted")).code, "missing_parameter");
  Json bad = Json::parse(R"({"which": "level", "count": 300})");
  const Error refused = error_in(execute("counted", bad));
  EXPECT_EQ(refused.code, "invalid_parameters");
  EXPECT_EQ(refused.pointer, "/parameters/count");
}

TEST(BlameParameter, points_at_what_filled_the_setting_and_at_nothing_else) {
  FunctionConfig function;
  function.settings = Json::parse(R"json({
    "values": {"speed": "((speed))", "a/b": "((other))", "mode": 3},
    "points": [{"name": "x"}, {"address": "((at))"}],
    "limits": "((limits))"
  })json");
  function.needs_filling = true;
  const auto pointer = [&function](const std::string& at) {
    return blame_parameter(function, Error(ErrorClass::kFunction, "code", "Text.", {}, at)).pointer;
  };
  EXPECT_EQ(pointer("/settings/values/speed"), "/parameters/speed");
  EXPECT_EQ(pointer("/settings/values/a~1b"), "/parameters/other");
  EXPECT_EQ(pointer("/settings/points/1"), "/parameters/at");
  EXPECT_EQ(pointer("/settings/limits/low/0"), "/parameters/limits");
  for (const auto* own : {"/settings", "/settings/values/mode", "/settings/points/0",
                          "/settings/points/7", "/settings/absent", "/parameters/speed", ""})
    EXPECT_EQ(pointer(own), own);
  function.needs_filling = false;
  EXPECT_EQ(pointer("/settings/values/speed"), "/settings/values/speed");
}

TEST_F(Calls, a_pushed_subscription_cannot_be_executed) {
  add_function("listen", "fake.listen", R"({"points": ["speed"]})");
  start();
  EXPECT_EQ(error_in(execute("listen")).code, "not_executable");
}

TEST_F(Calls, an_unknown_function_is_not_found) {
  EXPECT_EQ(error_in(execute("nothing")).code, "not_found");
}

}  // namespace
}  // namespace tributary::connect
