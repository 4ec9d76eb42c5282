// The small parts: grid, last values, gate, limiter, policy, targets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "connect/call_gate.hpp"
#include "connect/profile.hpp"
#include "connect/subscriptions/last_values.hpp"
#include "connect/subscriptions/scan_grid.hpp"
#include "runtime/manual_timers.hpp"

namespace tributary::connect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const SteadyTime kStart{seconds{100}};

TEST(ScanGrid, keeps_to_the_grid) {
  ScanGrid grid(kStart, milliseconds{100});
  EXPECT_EQ(grid.advance(kStart + milliseconds{30}), 0);
  EXPECT_EQ(grid.next(), kStart + milliseconds{100});
}

TEST(ScanGrid, merges_what_was_missed) {
  ScanGrid grid(kStart, milliseconds{100});
  EXPECT_EQ(grid.advance(kStart + milliseconds{350}), 3);
  EXPECT_EQ(grid.next(), kStart + milliseconds{400});
}

TEST(ScanGrid, an_answer_that_comes_with_the_next_tick_is_not_late) {
  ScanGrid grid(kStart, milliseconds{100});
  EXPECT_EQ(grid.advance(kStart + milliseconds{100}), 0);
  EXPECT_EQ(grid.next(), kStart + milliseconds{100});
}

TEST(ScanGrid, functions_are_spread_over_the_interval_but_at_most_a_second) {
  EXPECT_EQ(stagger(milliseconds{400}, 1, 4), milliseconds{100});
  EXPECT_EQ(stagger(std::chrono::hours{1}, 1, 4), milliseconds{250});
}

Sample sample(Value value, Quality quality = kGood) {
  return {0, quality, std::move(value), std::nullopt, nullptr};
}

TEST(HasChanged, by_value_type_and_quality) {
  EXPECT_FALSE(has_changed(sample(1.0), sample(1.0), 0.0));
  EXPECT_TRUE(has_changed(sample(1.0), sample(1.5), 0.0));
  EXPECT_TRUE(has_changed(sample(std::int64_t{1}), sample(1.0), 0.0));
  EXPECT_TRUE(has_changed(sample(1.0), sample(1.0, kBad), 0.0));
  EXPECT_TRUE(has_changed(sample(std::string("a")), sample(std::string("b")), 5.0));
}

TEST(HasChanged, nan_equals_itself_and_nothing_else) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(has_changed(sample(nan), sample(nan), 1.0));
  EXPECT_TRUE(has_changed(sample(nan), sample(1.0), 1.0));
  EXPECT_TRUE(has_changed(sample(1.0), sample(nan), 1.0));
}

TEST(HasChanged, edge_38_extreme_integers_and_deadbands) {
  const auto low = std::numeric_limits<std::int64_t>::min();
  const auto high = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(has_changed(sample(low), sample(high), 1000.0));
  EXPECT_FALSE(has_changed(sample(high), sample(high - 1), 1.0));
}

TEST(LastValues, slow_drift_is_reported_against_what_was_told_last) {
  LastValues values;
  values.reset(std::make_shared<const PointNames>(PointNames{"p"}));
  const ReportRule rule{true, 1.0};
  int told = 0;
  for (int i = 0; i <= 10; ++i) {
    Scan scan{values.points(), {}, {sample(0.4 * i)}};
    values.apply(scan, rule, kStart);
    told += static_cast<int>(scan.samples.size());
  }
  EXPECT_EQ(told, 4);  // 0.0, 1.2, 2.4, 3.6
}

TEST(LastValues, bad_marks_are_told_once) {
  LastValues values;
  values.reset(std::make_shared<const PointNames>(PointNames{"p"}));
  EXPECT_EQ(values.mark_all(kBadCommunicationError, nullptr, {}).samples.size(), 1U);
  EXPECT_TRUE(values.mark_all(kBadCommunicationError, nullptr, {}).samples.empty());
}

TEST(LastValues, a_deadband_may_be_a_share_of_the_value_that_was_reported) {
  LastValues values;
  values.reset(std::make_shared<const PointNames>(PointNames{"p"}));
  const ReportRule rule{true, 10.0, true};
  const auto reported = [&](Value value) {
    Scan scan;
    Sample sample;
    sample.value = std::move(value);
    scan.samples.push_back(std::move(sample));
    values.apply(scan, rule, {});
    return !scan.samples.empty();
  };
  EXPECT_TRUE(reported(200.0));
  EXPECT_FALSE(reported(220.0)) << "ten percent of 200";
  EXPECT_FALSE(reported(180.0)) << "of what was reported, not of what was read last";
  EXPECT_TRUE(reported(221.0));
  EXPECT_FALSE(reported(std::int64_t{200}));
  EXPECT_TRUE(reported(-5.0));
  EXPECT_FALSE(reported(-5.5));
  EXPECT_TRUE(reported(0.0));
  EXPECT_TRUE(reported(0.001)) << "of nothing, everything is more";
  EXPECT_TRUE(reported(std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(reported(5.0)) << "nothing is a share of infinity";
  EXPECT_TRUE(reported(std::numeric_limits<std::int64_t>::min()));
  EXPECT_FALSE(reported(std::numeric_limits<std::int64_t>::min() + 1));
  EXPECT_TRUE(reported(std::string("a text has no share")));
  EXPECT_TRUE(reported(std::string("it is the same, or another one")));
}

TEST(CallGate, turns_away_at_the_deadline_and_when_closed) {
  asio::io_context context;
  ManualClock clock;
  ManualTimers timers(clock, context);
  CallGate gate(context.get_executor(), 1);
  ASSERT_TRUE(gate.try_enter());
  std::vector<bool> answers;
  const auto enter = [&](Duration patience) {
    spawn(context.get_executor(),
          [](CallGate& at, Timers& with, SteadyTime until, std::vector<bool>& into) -> Task<void> {
            const bool entered = co_await at.enter(Priority::kRead, with, until);
            into.push_back(entered);
          }(gate, timers, timers.now() + patience, answers));
  };
  enter(seconds{1});
  enter(seconds{10});
  timers.advance(seconds{2});
  EXPECT_THAT(answers, testing::ElementsAre(false));
  gate.close();
  timers.settle();
  EXPECT_THAT(answers, testing::ElementsAre(false, false));
}

TEST(CallGate, a_write_passes_a_long_read_and_reads_stay_one_at_a_time) {
  asio::io_context context;
  ManualClock clock;
  ManualTimers timers(clock, context);
  CallGate gate(context.get_executor(), 1, true);
  ASSERT_TRUE(gate.try_enter(Priority::kPoll));
  EXPECT_FALSE(gate.try_enter(Priority::kRead));
  ASSERT_TRUE(gate.try_enter(Priority::kWrite));
  EXPECT_FALSE(gate.try_enter(Priority::kWrite)) << "writes keep their order";
  EXPECT_EQ(gate.inside(), 2U);
  std::vector<std::string> entered;
  const auto enter = [&](Priority priority, std::string name) {
    spawn(context.get_executor(),
          [](CallGate& at, Timers& with, Priority as, std::string who,
             std::vector<std::string>& into) -> Task<void> {
            const SteadyTime until = with.now() + seconds{10};
            const bool in = co_await at.enter(as, with, until);
            into.push_back(in ? who : "late " + who);
          }(gate, timers, priority, std::move(name), entered));
  };
  enter(Priority::kWrite, "write");
  enter(Priority::kPoll, "poll");
  timers.settle();
  gate.leave(Priority::kPoll);
  timers.settle();
  EXPECT_THAT(entered, testing::ElementsAre("poll"));
  gate.leave(Priority::kWrite);
  timers.settle();
  EXPECT_THAT(entered, testing::ElementsAre("poll", "write"));
  gate.leave(Priority::kWrite);
  EXPECT_EQ(gate.inside(), 1U);
  gate.leave(Priority::kPoll);
  EXPECT_EQ(gate.inside(), 0U);
}

TEST(Policy, defaults_by_family) {
  using lifecycle::default_policy;
  EXPECT_EQ(default_policy(sdk::Family::kFieldDevice).connect_timeout, seconds{5});
  EXPECT_EQ(default_policy(sdk::Family::kBroker).reconnect.max_delay, seconds{60});
  EXPECT_EQ(default_policy(sdk::Family::kCloud).reconnect.max_cooldown, std::chrono::minutes{15});
}

TEST(Policy, errors_have_pointers) {
  const auto errors = lifecycle::validate_reconnect(
      Json::parse(R"({"initialDelayMs": 5, "multiplier": "x", "retries": 3})"));
  std::vector<std::string> pointers;
  for (const auto& error : errors) pointers.push_back(error.pointer);
  EXPECT_THAT(pointers,
              testing::UnorderedElementsAre("/reconnect/initialDelayMs", "/reconnect/multiplier",
                                            "/reconnect/retries"));
}

TEST(Policy, bounds_that_contradict_each_other_are_refused) {
  const auto errors =
      lifecycle::validate_reconnect(Json::parse(R"({"initialDelayMs": 5000, "maxDelayMs": 1000})"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].pointer, "/reconnect/maxDelayMs");
}

TEST(Policy, what_is_given_overrides_the_family) {
  const auto policy =
      lifecycle::make_policy(sdk::Family::kFieldDevice, Json::parse(R"({"failuresToOpen": 3})"),
                             Json::parse(R"({"connectTimeoutMs": 1234})"));
  EXPECT_EQ(policy.reconnect.failures_to_open, 3);
  EXPECT_EQ(policy.reconnect.max_delay, seconds{30});
  EXPECT_EQ(policy.connect_timeout, milliseconds{1234});
}

TEST(Policy, an_absent_bound_follows_the_given_one) {
  const auto policy = lifecycle::make_policy(
      sdk::Family::kFieldDevice, Json::parse(R"({"cooldownMs": 900000})"), json_object());
  EXPECT_EQ(policy.reconnect.max_cooldown, seconds{900});
}

TEST(Policy, as_json_and_back) {
  auto policy = lifecycle::default_policy(sdk::Family::kBroker);
  policy.rebuild_silent_after = seconds{90};
  const Json json = lifecycle::to_json(policy);
  EXPECT_TRUE(lifecycle::validate_reconnect(json).empty());
  const auto back = lifecycle::make_policy(sdk::Family::kFieldDevice, json, json_object());
  EXPECT_EQ(lifecycle::to_json(back), json);
}

TEST(Policy, keep_alive_and_the_rest_of_functions_can_be_set_member_by_member) {
  const auto policy = lifecycle::make_policy(
      sdk::Family::kCloud,
      Json::parse(R"({"keepAlive": {"count": 5}, "functionBreaker": {"openMs": 1000},
                      "healthIntervalMs": 2000, "rebuildSilentAfterMs": 0})"),
      json_object());
  EXPECT_EQ(policy.keepalive.count, 5);
  EXPECT_EQ(policy.keepalive.idle, seconds{15}) << "of the family";
  EXPECT_EQ(policy.function_breaker.open, seconds{1});
  EXPECT_EQ(policy.function_breaker.consecutive_failures, 5);
  EXPECT_EQ(policy.health_interval, seconds{2});
  EXPECT_EQ(policy.rebuild_silent_after, Duration::zero());
}

TEST(Policy, the_connectors_own_timeouts_go_first) {
  const auto policy =
      lifecycle::make_policy(sdk::Family::kFieldDevice,
                             Json::parse(R"({"connectTimeoutMs": 7000, "requestTimeoutMs": 700})"),
                             Json::parse(R"({"requestTimeoutMs": 900})"));
  EXPECT_EQ(policy.connect_timeout, milliseconds{7000});
  EXPECT_EQ(policy.request_timeout, milliseconds{900});
}

TEST(Policy, errors_inside_point_inside) {
  const auto errors = lifecycle::validate_reconnect(Json::parse(
      R"({"keepAlive": {"count": 0}, "functionBreaker": {"failureRatio": 1.5, "half": 1},
          "rebuildSilentAfterMs": 5})"));
  std::vector<std::string> pointers;
  for (const auto& error : errors) pointers.push_back(error.pointer);
  EXPECT_THAT(pointers, testing::UnorderedElementsAre("/reconnect/keepAlive/count",
                                                      "/reconnect/functionBreaker/failureRatio",
                                                      "/reconnect/functionBreaker/half"));
}

TEST(Policy, a_wait_for_silence_is_never_or_a_second_at_least) {
  EXPECT_TRUE(lifecycle::validate_reconnect(Json::parse(R"({"rebuildSilentAfterMs": 0})")).empty());
  const auto errors =
      lifecycle::validate_reconnect(Json::parse(R"({"rebuildSilentAfterMs": 999})"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].pointer, "/reconnect/rebuildSilentAfterMs");
}

TEST(TargetOf, host_and_port_or_the_authority_of_the_url) {
  EXPECT_EQ(target_of(Json::parse(R"({"host": "plc", "port": 502})"), "x"), "plc:502");
  EXPECT_EQ(target_of(Json::parse(R"({"endpointUrl": "opc.tcp://server:4840/path"})"), "x"),
            "server:4840");
  EXPECT_EQ(target_of(json_object(), "x"), "x");
}

}  // namespace
}  // namespace tributary::connect
