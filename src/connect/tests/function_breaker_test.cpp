// The breaker of one function: events in, decisions out.
#include "connect/function_breaker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tributary::connect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class Breaker : public testing::Test {
 protected:
  Result<FunctionBreaker::Permit> ask() { return breaker_.ask(now_, now_ + seconds{15}); }
  void succeed() { ask()->succeeded(now_); }
  void fail_once() {
    ask()->failed(Error(ErrorClass::kFunction, "illegal_address", "It has no such address."), now_);
  }
  void open() {
    for (int i = 0; i < policy_.consecutive_failures; ++i) fail_once();
  }
  void pass(Duration time) { now_ += time; }
  FunctionBreakerState state() const { return breaker_.view().state; }

  FunctionBreakerPolicy policy_;
  FunctionBreaker breaker_;
  SteadyTime now_{std::chrono::hours{1}};
};

TEST_F(Breaker, opens_after_five_failures_in_a_row) {
  for (int i = 0; i < 4; ++i) fail_once();
  EXPECT_EQ(state(), FunctionBreakerState::kClosed);
  fail_once();
  EXPECT_EQ(state(), FunctionBreakerState::kOpen);
}

TEST_F(Breaker, a_success_in_between_starts_the_count_again) {
  for (int i = 0; i < 4; ++i) fail_once();
  succeed();
  for (int i = 0; i < 4; ++i) fail_once();
  EXPECT_EQ(state(), FunctionBreakerState::kClosed);
}

TEST_F(Breaker, opens_when_half_of_twenty_calls_in_the_window_failed) {
  for (int i = 0; i < 9; ++i) {
    succeed();
    fail_once();
  }
  succeed();
  EXPECT_EQ(state(), FunctionBreakerState::kClosed) << "19 calls";
  fail_once();
  EXPECT_EQ(state(), FunctionBreakerState::kOpen) << "10 of 20";
}

TEST_F(Breaker, calls_that_left_the_window_do_not_count) {
  for (int i = 0; i < 9; ++i) {
    succeed();
    fail_once();
  }
  pass(seconds{61});
  for (int i = 0; i < 9; ++i) {
    succeed();
    fail_once();
  }
  EXPECT_EQ(state(), FunctionBreakerState::kClosed);
}

TEST_F(Breaker, a_refusal_says_how_long_and_why) {
  open();
  pass(seconds{10});
  const auto refused = ask();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "function_breaker_open");
  EXPECT_EQ(refused.error().error_class, ErrorClass::kBusy);
  EXPECT_EQ(refused.error().retry_after_ms, 20'000);
  EXPECT_THAT(refused.error().message, HasSubstr("It has no such address."));
}

TEST_F(Breaker, lets_exactly_one_probe_through_after_the_rest) {
  open();
  pass(seconds{30});
  auto probe = ask();
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(state(), FunctionBreakerState::kHalfOpen);
  EXPECT_FALSE(ask().has_value());
  probe->succeeded(now_);
  EXPECT_EQ(state(), FunctionBreakerState::kClosed);
  EXPECT_TRUE(ask().has_value());
}

TEST_F(Breaker, a_failed_probe_opens_it_for_another_rest) {
  open();
  pass(seconds{30});
  fail_once();
  EXPECT_EQ(state(), FunctionBreakerState::kOpen);
  pass(seconds{29});
  EXPECT_FALSE(ask().has_value());
  pass(seconds{1});
  EXPECT_TRUE(ask().has_value());
}

// Edge case 23: permits that are swallowed.
TEST_F(Breaker, edge_23_a_probe_that_is_dropped_without_a_word_leaves_half_open) {
  open();
  pass(seconds{30});
  {
    const auto probe = ask();
    ASSERT_TRUE(probe.has_value());
  }
  EXPECT_EQ(state(), FunctionBreakerState::kOpen);
  succeed();
  EXPECT_EQ(state(), FunctionBreakerState::kClosed);
}

TEST_F(Breaker, edge_23_a_probe_that_hangs_has_failed_at_its_deadline) {
  open();
  pass(seconds{30});
  auto probe = ask();
  pass(seconds{15});
  EXPECT_FALSE(ask().has_value());
  EXPECT_EQ(state(), FunctionBreakerState::kOpen);
  probe->succeeded(now_);
  EXPECT_EQ(state(), FunctionBreakerState::kOpen) << "it was told too late";
  pass(seconds{30});
  EXPECT_TRUE(ask().has_value());
}

TEST_F(Breaker, what_began_before_it_opened_counts_for_nothing) {
  auto slow = ask();
  auto slower = ask();
  open();
  slow->succeeded(now_);
  slower->failed(Error(ErrorClass::kFunction, "late", "Late."), now_);
  EXPECT_EQ(state(), FunctionBreakerState::kOpen);
  EXPECT_EQ(breaker_.view().consecutive_failures, 5);
}

TEST_F(Breaker, tells_every_change) {
  std::vector<FunctionBreakerState> seen;
  breaker_ = FunctionBreaker(policy_, [&seen](const FunctionBreaker::View& view) {
    if (seen.empty() || seen.back() != view.state) seen.push_back(view.state);
  });
  succeed();
  EXPECT_TRUE(seen.empty()) << "a success of a healthy function is no news";
  open();
  pass(seconds{30});
  succeed();
  using enum FunctionBreakerState;
  EXPECT_THAT(seen, testing::ElementsAre(kClosed, kOpen, kHalfOpen, kClosed));
}

TEST_F(Breaker, is_closed_by_new_settings) {
  open();
  breaker_.reset();
  EXPECT_TRUE(ask().has_value());
  EXPECT_EQ(breaker_.view().consecutive_failures, 0);
}

Verdict verdict_of(ErrorClass error_class, std::string code, std::string pointer = {}) {
  return judge(fail(error_class, std::move(code), "text", {}, std::move(pointer))).verdict;
}

TEST(Judge, refusals_and_timeouts_of_the_peer_are_failures) {
  EXPECT_EQ(verdict_of(ErrorClass::kFunction, "illegal_address"), Verdict::kFailure);
  EXPECT_EQ(verdict_of(ErrorClass::kTransient, "timeout"), Verdict::kFailure);
}

TEST(Judge, mistakes_of_the_caller_are_not) {
  EXPECT_EQ(verdict_of(ErrorClass::kFunction, "missing_parameter"), Verdict::kNeither);
  EXPECT_EQ(verdict_of(ErrorClass::kFunction, "wrong_type", "/parameters/speed"),
            Verdict::kNeither);
  EXPECT_EQ(verdict_of(ErrorClass::kFunction, "missing_value", "/settings/values"),
            Verdict::kNeither);
}

TEST(Judge, trouble_of_the_connection_is_not) {
  EXPECT_EQ(verdict_of(ErrorClass::kTransient, "connection_lost"), Verdict::kNeither);
  EXPECT_EQ(verdict_of(ErrorClass::kBusy, "call_queue_timeout"), Verdict::kNeither);
  EXPECT_EQ(verdict_of(ErrorClass::kCancelled, "cancelled"), Verdict::kNeither);
}

TEST(Judge, a_scan_failed_only_when_every_point_was_refused) {
  const auto error =
      std::make_shared<const Error>(ErrorClass::kFunction, "illegal_address", "No such address.");
  const auto names = std::make_shared<const PointNames>(PointNames{"a", "b"});
  const Sample good{0, kGood, Value(1.0), std::nullopt, nullptr};
  const Sample bad{1, kBadConfigurationError, Value{}, std::nullopt, error};
  EXPECT_EQ(judge(Batch::of(Scan{names, {}, {good, bad}})).verdict, Verdict::kSuccess);
  EXPECT_EQ(judge(Batch::of(Scan{names, {}, {bad, bad}})).verdict, Verdict::kFailure);
}

}  // namespace
}  // namespace tributary::connect
