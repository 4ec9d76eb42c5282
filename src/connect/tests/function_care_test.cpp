// What is done for functions: a rest for those that fail, a deadline that holds, one name for
// writes that may have happened.
#include "actor_fixture.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class FunctionCare : public ActorTest {
 protected:
  void SetUp() override {
    add_function("read", "fake.read", R"({"points": ["speed"]})");
    add_function("write", "fake.write", R"({"points": ["speed"]})");
    start();
  }
  static const Error& error_in(const Pending& answer) { return answer->value().result.error(); }
  void open_breaker() {
    peer_.call_error = error_of(ErrorClass::kFunction, "illegal_address");
    for (int i = 0; i < 5; ++i) execute("read");
  }
  std::string breaker_of(const std::string& id) { return stats_[id]->breaker().state; }
};

TEST_F(FunctionCare, a_function_that_fails_five_times_rests) {
  open_breaker();
  const int calls = peer_.calls;
  const auto refused = execute("read");
  EXPECT_EQ(error_in(refused).code, "function_breaker_open");
  EXPECT_GT(error_in(refused).retry_after_ms.value_or(0), 29'000);
  EXPECT_THAT(error_in(refused).message, HasSubstr("The script says so."));
  EXPECT_EQ(peer_.calls, calls) << "the device is left alone";
}

TEST_F(FunctionCare, the_rest_is_shown_with_its_end) {
  open_breaker();
  const BreakerView shown = stats_["read"]->breaker();
  EXPECT_EQ(shown.state, "open");
  EXPECT_EQ(shown.consecutive_failures, 5);
  EXPECT_EQ(shown.open_until, clock_.utc_now() + seconds{30});
}

TEST_F(FunctionCare, other_functions_and_the_connection_go_on) {
  open_breaker();
  peer_.call_error.reset();
  EXPECT_TRUE((*execute("write"))->result.has_value());
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(actor_->view().breaker.consecutive_failures, 0);
}

TEST_F(FunctionCare, after_the_rest_one_good_call_ends_it) {
  open_breaker();
  advance(seconds{30});
  peer_.call_error.reset();
  EXPECT_TRUE((*execute("read"))->result.has_value());
  EXPECT_EQ(breaker_of("read"), "closed");
}

TEST_F(FunctionCare, a_probe_whose_session_is_lost_does_not_hang_the_breaker) {
  open_breaker();
  advance(seconds{30});
  peer_.hold_calls = true;
  const auto probe = execute("read");
  EXPECT_EQ(breaker_of("read"), "half-open");
  peer_.hold_calls = false;
  peer_.call_error.reset();
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(seconds{3});
  EXPECT_EQ(error_in(probe).code, "connection_lost");
  ASSERT_EQ(status(), Status::kConnected);
  EXPECT_TRUE((*execute("read"))->result.has_value());
}

TEST_F(FunctionCare, mistakes_of_the_caller_give_it_no_rest) {
  add_function("filled", "fake.read", R"json({"points": ["((which))"]})json");
  for (int i = 0; i < 50; ++i) execute("filled");
  EXPECT_EQ(breaker_of("filled"), "closed");
}

TEST_F(FunctionCare, a_connection_that_is_not_there_gives_it_no_rest) {
  command(lifecycle::Stop{});
  for (int i = 0; i < 50; ++i) EXPECT_EQ(error_in(execute("read")).code, "not_running");
  EXPECT_EQ(breaker_of("read"), "closed");
}

TEST_F(FunctionCare, an_edit_ends_the_rest) {
  open_breaker();
  add_function("read", "fake.read", R"({"points": ["level"]})");
  peer_.call_error.reset();
  EXPECT_TRUE((*execute("read"))->result.has_value());
}

TEST_F(FunctionCare, the_rest_can_be_set) {
  set_reconnect(R"({"functionBreaker": {"consecutiveFailures": 2, "openMs": 1000}})");
  peer_.call_error = error_of(ErrorClass::kFunction, "illegal_address");
  execute("read");
  execute("read");
  EXPECT_EQ(error_in(execute("read")).code, "function_breaker_open");
  advance(seconds{1});
  EXPECT_EQ(error_in(execute("read")).code, "illegal_address");
}

TEST_F(FunctionCare, a_polled_function_is_scanned_once_per_rest_and_its_points_say_why) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 100})");
  peer_.call_error = error_of(ErrorClass::kFunction, "illegal_address");
  advance(seconds{2});
  const int calls = peer_.calls;
  EXPECT_EQ(calls, 5);
  advance(seconds{60});
  EXPECT_EQ(peer_.calls - calls, 2);
  const auto values = actor_->last_values("poll");
  ASSERT_TRUE(values.has_value());
  const Sample& sample = values->scans().front().samples.front();
  EXPECT_TRUE(sample.quality.is_bad());
  ASSERT_TRUE(sample.error);
  EXPECT_EQ(sample.error->code, "illegal_address");
  EXPECT_EQ(stats_["poll"]->overruns.load(), 0);
}

TEST_F(FunctionCare, a_resting_function_says_why_in_a_new_session_too) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 100})");
  peer_.call_error = error_of(ErrorClass::kFunction, "illegal_address");
  advance(seconds{1});
  peer_.events->lost(error_of(ErrorClass::kTransient, "connection_reset"));
  advance(seconds{3});
  ASSERT_EQ(status(), Status::kConnected);
  const auto values = actor_->last_values("poll");
  ASSERT_TRUE(values->scans().front().samples.front().error);
  EXPECT_EQ(values->scans().front().samples.front().error->code, "illegal_address");
}

TEST_F(FunctionCare, a_scan_that_lets_its_time_pass_and_costs_the_session_rests_too) {
  set_reconnect(R"({"maxDelayMs": 1000})");
  add_function("poll", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 100})");
  peer_.call_error = error_of(ErrorClass::kTransient, "timeout");
  advance(seconds{20});
  EXPECT_EQ(breaker_of("poll"), "open");
  EXPECT_EQ(peer_.calls, 5);
  EXPECT_EQ(status(), Status::kConnected);
}

TEST_F(FunctionCare, edge_24_a_device_polled_once_a_minute_fails_after_ten_attempts) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 60000})");
  advance(minutes{2});
  const int opens = peer_.opens;
  peer_.open_errors.assign(100, error_of(ErrorClass::kTransient, "connection_refused"));
  peer_.events->lost(error_of(ErrorClass::kTransient, "connection_reset"));
  for (int i = 0; i < 300 && status() != Status::kFailed; ++i) advance(seconds{1});
  EXPECT_EQ(status(), Status::kFailed);
  EXPECT_EQ(actor_->view().breaker.consecutive_failures, 10);
  EXPECT_EQ(peer_.opens - opens, 9) << "the loss was the first failure";
}

TEST_F(FunctionCare, edge_24_a_thousand_bad_calls_leave_the_connection_alone) {
  peer_.call_error = error_of(ErrorClass::kFunction, "bad_query");
  set_reconnect(R"({"functionBreaker": {"consecutiveFailures": 1000, "minimumCalls": 100000}})");
  const int calls = peer_.calls;
  for (int i = 0; i < 1000; ++i) execute("read");
  EXPECT_EQ(peer_.calls - calls, 1000) << "every one reached the device";
  EXPECT_EQ(breaker_of("read"), "open");
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(actor_->view().breaker.state, "closed");
  EXPECT_EQ(actor_->view().breaker.consecutive_failures, 0);
}

TEST_F(FunctionCare, the_deadline_holds_while_waiting_for_a_turn) {
  peer_.hold_calls = true;
  execute("write");
  const auto waiting = execute("read", json_object(), milliseconds{300});
  advance(milliseconds{299});
  EXPECT_FALSE(waiting->has_value());
  advance(milliseconds{1});
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ(error_in(waiting).code, "call_queue_timeout");
  EXPECT_GT(error_in(waiting).retry_after_ms.value_or(0), 0);
  peer_.release();
}

TEST_F(FunctionCare, the_deadline_holds_while_the_device_is_at_work_and_costs_no_session) {
  peer_.call_time = milliseconds{1500};
  const auto read = execute("read", json_object(), milliseconds{100});
  advance(milliseconds{100});
  ASSERT_TRUE(read->has_value());
  EXPECT_EQ(error_in(read).code, "call_timeout");
  EXPECT_FALSE(error_in(read).outcome_unknown);
  advance(seconds{3});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(peer_.opens, 1);
  EXPECT_EQ(breaker_of("read"), "closed") << "the device did answer";
}

TEST_F(FunctionCare, a_call_with_time_enough_gets_its_answer) {
  peer_.call_time = milliseconds{500};
  const auto read = execute("read", json_object(), milliseconds{600});
  advance(milliseconds{500});
  ASSERT_TRUE(read->has_value());
  EXPECT_TRUE((*read)->result.has_value());
}

TEST_F(FunctionCare, edge_39_a_write_whose_caller_goes_is_unknown_and_made_once) {
  peer_.call_time = milliseconds{1500};
  const int calls = peer_.calls;
  const auto write = execute("write", json_object(), milliseconds{100});
  advance(seconds{5});
  ASSERT_TRUE(write->has_value());
  EXPECT_EQ(error_in(write).code, "outcome_unknown");
  EXPECT_TRUE(error_in(write).outcome_unknown);
  EXPECT_EQ(peer_.calls - calls, 1);
}

TEST_F(FunctionCare, a_write_that_never_got_its_turn_is_known_not_to_have_happened) {
  peer_.hold_calls = true;
  execute("read");
  const auto write = execute("write", json_object(), milliseconds{100});
  advance(milliseconds{100});
  ASSERT_TRUE(write->has_value());
  EXPECT_FALSE(error_in(write).outcome_unknown);
  peer_.release();
}

}  // namespace
}  // namespace tributary::connect
