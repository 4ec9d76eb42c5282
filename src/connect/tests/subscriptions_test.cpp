// Values: scanned on a grid, reported on change, bad as soon as the connection is gone.
#include "actor_fixture.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Subscribe : public ActorTest {
 protected:
  static std::size_t samples_in(const Seen& seen) {
    std::size_t count = 0;
    for (const auto& batch : *seen) count += batch->size();
    return count;
  }
  static const Sample& last_sample(const Seen& seen) {
    return seen->back()->scans().back().samples.back();
  }
  void poll(std::string_view extra = "") {
    add_function("poll", "fake.subscribe",
                 fmt::format(R"({{"points": ["speed", "level"], "intervalMs": 100{}}})", extra));
  }
};

TEST_F(Subscribe, the_first_scan_reports_everything_then_only_changes) {
  poll();
  const auto seen = watch("poll");
  start();
  advance(seconds{1});
  EXPECT_EQ(samples_in(seen), 2U);
  EXPECT_GE(peer_.calls, 10);
  peer_.points["speed"] = 7.0;
  advance(milliseconds{100});
  ASSERT_EQ(samples_in(seen), 3U);
  EXPECT_EQ(std::get<double>(last_sample(seen).value), 7.0);
}

TEST_F(Subscribe, report_always) {
  poll(R"(, "reportOn": "always")");
  const auto seen = watch("poll");
  start();
  advance(milliseconds{950});
  EXPECT_EQ(samples_in(seen), 2U * static_cast<std::size_t>(peer_.calls));
}

// Found by the simulation, seed 99: the viewer went on seeing the last value as good.
TEST_F(Subscribe, values_turn_bad_when_their_function_is_disabled) {
  poll();
  const auto seen = watch("poll");
  start();
  advance(seconds{1});
  ASSERT_TRUE(last_sample(seen).quality.is_good());
  add_function("poll", "fake.subscribe", R"({"points": ["speed", "level"]})", false);
  advance(seconds{1});
  EXPECT_EQ(last_sample(seen).quality, kBadOutOfService);
}

TEST_F(Subscribe, a_deadband_holds_back_small_moves) {
  poll(R"(, "deadband": 0.5)");
  const auto seen = watch("poll");
  start();
  advance(seconds{1});
  peer_.points["speed"] = 1.5;  // exactly the deadband: not more than it
  advance(seconds{1});
  EXPECT_EQ(samples_in(seen), 2U);
  peer_.points["speed"] = 1.6;
  advance(seconds{1});
  EXPECT_EQ(samples_in(seen), 3U);
}

TEST_F(Subscribe, a_deadband_in_percent_goes_by_the_value_that_was_reported) {
  peer_.points["speed"] = 200.0;
  poll(R"(, "deadband": 10, "deadbandType": "percent")");
  const auto seen = watch("poll");
  start();
  advance(seconds{1});
  const auto first = samples_in(seen);
  for (const double value : {219.0, 181.0, 220.0}) {
    peer_.points["speed"] = value;
    advance(seconds{1});
  }
  EXPECT_EQ(samples_in(seen), first);
  peer_.points["speed"] = 220.5;
  advance(seconds{1});
  EXPECT_EQ(samples_in(seen), first + 1);
}

TEST_F(Subscribe, edge_03_a_slow_device_never_has_two_requests_and_overruns_are_counted) {
  poll();
  start();
  peer_.call_time = milliseconds{300};
  const int before = peer_.calls;
  advance(seconds{3});
  EXPECT_EQ(peer_.most_inside, 1);
  EXPECT_LE(peer_.calls - before, 11);
  EXPECT_GE(stats_["poll"]->overruns.load(), 18);
}

TEST_F(Subscribe, edge_40_a_loss_turns_every_point_bad_within_a_second) {
  poll();
  const auto seen = watch("poll");
  start();
  advance(seconds{1});
  peer_.open_errors.assign(100, error_of(ErrorClass::kTransient));
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(milliseconds{100});
  ASSERT_EQ(samples_in(seen), 4U);
  EXPECT_EQ(last_sample(seen).quality, kBadCommunicationError);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(last_sample(seen).value));
  const auto values = actor_->last_values("poll");
  ASSERT_TRUE(values.has_value());
  for (const auto& sample : values->scans().front().samples) EXPECT_TRUE(sample.quality.is_bad());
}

TEST_F(Subscribe, a_stop_turns_every_point_out_of_service) {
  poll();
  const auto seen = watch("poll");
  start();
  advance(seconds{1});
  command(lifecycle::Stop{});
  EXPECT_EQ(last_sample(seen).quality, kBadOutOfService);
}

TEST_F(Subscribe, after_a_reconnect_everything_is_reported_again) {
  poll();
  const auto seen = watch("poll");
  start();
  advance(seconds{1});
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(seconds{3});
  ASSERT_EQ(status(), Status::kConnected);
  EXPECT_EQ(samples_in(seen), 6U);  // two good, two bad, two good
  EXPECT_TRUE(last_sample(seen).quality.is_good());
}

TEST_F(Subscribe, no_good_sample_comes_after_the_bad_mark) {
  poll();
  const auto seen = watch("poll");
  start();
  advance(milliseconds{50});
  peer_.call_time = milliseconds{80};
  advance(milliseconds{70});  // in the middle of a scan
  peer_.open_errors.assign(100, error_of(ErrorClass::kTransient));
  peer_.points["speed"] = 99.0;
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(seconds{1});
  EXPECT_TRUE(last_sample(seen).quality.is_bad());
}

TEST_F(Subscribe, a_function_error_turns_the_points_bad_and_polling_goes_on) {
  poll();
  const auto seen = watch("poll");
  start();
  advance(seconds{1});
  peer_.call_error = error_of(ErrorClass::kFunction, "illegal_address");
  advance(seconds{1});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(samples_in(seen), 4U);
  ASSERT_TRUE(last_sample(seen).error);
  EXPECT_EQ(last_sample(seen).error->code, "illegal_address");
  EXPECT_EQ(stats_["poll"]->error()->code, "illegal_address");
  peer_.call_error.reset();
  advance(seconds{31});  // the rest that the function got
  EXPECT_TRUE(last_sample(seen).quality.is_good());
  EXPECT_FALSE(stats_["poll"]->error());
}

TEST_F(Subscribe, stale_values_are_not_good) {
  add_function("slow", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 1000})");
  start();
  advance(seconds{2});
  add_function("read", "fake.read", R"({"points": ["speed"]})");
  peer_.hold_calls = true;
  execute("read", json_object(), minutes{5});  // keeps the device busy
  advance(seconds{7});
  const auto values = actor_->last_values("slow");
  ASSERT_TRUE(values.has_value());
  EXPECT_FALSE(values->scans().front().samples.front().quality.is_good());
  peer_.release();
}

TEST_F(Subscribe, values_are_known_by_name_before_the_first_connection) {
  poll();
  const auto values = actor_->last_values("poll");
  ASSERT_TRUE(values.has_value());
  ASSERT_EQ(values->scans().front().samples.size(), 2U);
  EXPECT_EQ(values->scans().front().samples[0].quality, kBadOutOfService);
}

TEST_F(Subscribe, a_consumer_holds_the_next_scan_back) {
  poll(R"(, "reportOn": "always")");
  auto gate = std::make_shared<Event>(context_.get_executor());
  int accepted = 0;
  actor_->add_consumer("poll", std::make_shared<Consumer>(
                                   context_.get_executor(),
                                   [gate, &accepted](std::shared_ptr<const Batch>,
                                                     const Origin& origin) -> Task<Result<void>> {
                                     EXPECT_EQ(origin.function, "poll");
                                     co_await gate->wait();
                                     ++accepted;
                                     co_return Result<void>{};
                                   }));
  start();
  advance(seconds{1});
  EXPECT_EQ(peer_.calls, 1);
  EXPECT_EQ(accepted, 0);
  gate->set();
  advance(milliseconds{500});
  EXPECT_GE(accepted, 5);
  EXPECT_GE(stats_["poll"]->overruns.load(), 8);
}

TEST_F(Subscribe, pushed_values_reach_viewers_and_are_acknowledged) {
  add_function("listen", "fake.listen", R"({"points": ["speed"]})");
  const auto seen = watch("listen");
  start();
  ASSERT_NE(peer_.sink, nullptr);
  auto acknowledged = std::make_shared<bool>(false);
  const auto names = std::make_shared<const PointNames>(PointNames{"speed"});
  Scan scan{names, clock_.utc_now(), {{0, kGood, Value(5.0), std::nullopt, nullptr}}};
  spawn(context_.get_executor(),
        [](sdk::Sink* sink, Batch batch, std::shared_ptr<bool> done) -> Task<void> {
          auto result = co_await sink->deliver(std::move(batch));
          *done = result.has_value();
        }(peer_.sink, Batch::of(std::move(scan)), acknowledged));
  timers_.settle();
  EXPECT_TRUE(*acknowledged);
  EXPECT_EQ(samples_in(seen), 1U);
  EXPECT_EQ(stats_["listen"]->state.load(), SubscriptionState::kActive);
}

TEST_F(Subscribe, edge_08_pushed_subscriptions_are_made_again_after_a_reconnect) {
  add_function("listen", "fake.listen", R"({"points": ["speed"]})");
  start();
  sdk::Sink* first = peer_.sink;
  ASSERT_NE(first, nullptr);
  peer_.sink = nullptr;
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(seconds{2});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_NE(peer_.sink, nullptr);
}

TEST_F(Subscribe, edge_06_a_refused_subscription_leaves_connected_degraded_and_is_tried_again) {
  add_function("listen", "fake.listen", R"({"points": ["speed"]})");
  poll();
  peer_.subscribe_error = error_of(ErrorClass::kFunction, "no_such_node");
  start();
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(actor_->view().degraded, "1 of 2 subscriptions refused");
  EXPECT_EQ(stats_["listen"]->state.load(), SubscriptionState::kFailed);
  peer_.subscribe_error.reset();
  advance(seconds{6});
  EXPECT_FALSE(actor_->view().degraded);
  EXPECT_EQ(stats_["listen"]->state.load(), SubscriptionState::kActive);
}

TEST_F(Subscribe, functions_can_be_added_changed_and_removed_while_connected) {
  start();
  poll();
  const auto seen = watch("poll");
  advance(seconds{1});
  EXPECT_GE(peer_.calls, 9);
  add_function("poll", "fake.subscribe", R"({"points": ["level"], "intervalMs": 500})");
  const int before = peer_.calls;
  advance(milliseconds{1100});
  EXPECT_LE(peer_.calls - before, 3);
  EXPECT_EQ(seen->back()->scans().back().name_of(last_sample(seen)), "level");
  actor_->remove_function("poll");
  timers_.settle();
  const int after = peer_.calls;
  advance(seconds{5});
  EXPECT_EQ(peer_.calls, after);
}

TEST_F(Subscribe, a_disabled_function_is_not_polled) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"]})", false);
  start();
  advance(seconds{5});
  EXPECT_EQ(peer_.calls, 0);
}

}  // namespace
}  // namespace tributary::connect
