// Connected but silent: noticed, shown, and ended with a new session.
#include "actor_fixture.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class Silence : public ActorTest {
 protected:
  void listen(std::int64_t expect_ms) {
    store::FunctionRow function;
    function.id = function.name = "listen";
    function.type = "fake.listen";
    function.settings = Json::parse(R"({"points": ["speed"]})");
    function.expect_ms = expect_ms;
    add_function(function);
  }
  void deliver(Batch batch) {
    spawn(context_.get_executor(), [](sdk::Sink* sink, Batch what) -> Task<void> {
      auto accepted = co_await sink->deliver(std::move(what));
      EXPECT_TRUE(accepted.has_value());
    }(peer_.sink, std::move(batch)));
    timers_.settle();
  }
  void push() {
    const auto names = std::make_shared<const PointNames>(PointNames{"speed"});
    deliver(
        Batch::of(Scan{names, clock_.utc_now(), {{0, kGood, Value(5.0), std::nullopt, nullptr}}}));
  }
  void push_message(bool retained) {
    Json record = Json::parse(R"({"payload": 21.5, "topic": "plant/filler"})");
    record["retained"] = retained;
    deliver(Batch::of(std::vector<Record>{record}));
  }
  void learn_pace() {
    for (int i = 0; i < 30; ++i) {
      push();
      advance(seconds{5});
    }
  }
  Json meta() { return actor_->last_values("listen")->records().front().at("$meta"); }
  SubscriptionState state() { return stats_["listen"]->state; }
  bool alarmed() const { return alarms_.contains(AlarmKey{"01TEST", "silent", "listen"}); }
  Quality quality() {
    return actor_->last_values("listen")->scans().front().samples.front().quality;
  }
};

TEST_F(Silence, a_subscription_is_back_only_when_a_value_arrived) {
  listen(0);
  start();
  EXPECT_EQ(state(), SubscriptionState::kActive);
  EXPECT_FALSE(stats_["listen"]->restored.load());
  push();
  EXPECT_TRUE(stats_["listen"]->restored.load());
  EXPECT_EQ(from_micros(stats_["listen"]->last_value_us), clock_.utc_now());
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(seconds{3});
  ASSERT_EQ(status(), Status::kConnected);
  EXPECT_FALSE(stats_["listen"]->restored.load());
}

TEST_F(Silence, is_shown_in_the_note_the_view_and_an_alarm) {
  listen(2000);
  start();
  push();
  const std::string since = format_utc(clock_.utc_now());
  advance(milliseconds{1999});
  EXPECT_EQ(state(), SubscriptionState::kActive);
  advance(milliseconds{2});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(state(), SubscriptionState::kSilent);
  EXPECT_EQ(actor_->view().degraded, "silent since " + since + ": 1 of 1 subscriptions");
  ASSERT_TRUE(alarmed());
  EXPECT_THAT((alarms_[AlarmKey{"01TEST", "silent", "listen"}]),
              HasSubstr("listen of Line 3 PLC is silent since " + since));
}

TEST_F(Silence, what_was_said_before_it_is_not_good_any_more) {
  listen(2000);
  start();
  push();
  EXPECT_TRUE(quality().is_good());
  advance(seconds{3});
  EXPECT_EQ(quality(), kUncertainLastUsableValue);
  EXPECT_EQ(actor_->last_values("listen")->scans().front().age, seconds{3});
}

TEST_F(Silence, ends_with_the_next_value) {
  listen(2000);
  start();
  advance(seconds{3});
  ASSERT_TRUE(alarmed());
  push();
  EXPECT_EQ(state(), SubscriptionState::kActive);
  EXPECT_FALSE(alarmed());
  advance(milliseconds{1});
  EXPECT_FALSE(actor_->view().degraded);
}

TEST_F(Silence, a_pace_is_learnt_and_missed) {
  listen(0);
  start();
  learn_pace();
  EXPECT_EQ(state(), SubscriptionState::kActive);
  EXPECT_EQ(stats_["listen"]->expected_ms.load(), 15'000);
  advance(seconds{15});
  EXPECT_EQ(state(), SubscriptionState::kSilent);
}

TEST_F(Silence, a_link_that_comes_back_without_its_data_is_noticed) {
  listen(0);
  start();
  learn_pace();
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(seconds{3});
  ASSERT_EQ(status(), Status::kConnected);
  EXPECT_FALSE(actor_->view().degraded);
  advance(seconds{15});
  EXPECT_EQ(state(), SubscriptionState::kSilent);
  EXPECT_TRUE(alarmed());
}

TEST_F(Silence, nothing_is_said_about_one_whose_pace_nobody_knows) {
  listen(0);
  start();
  push();
  advance(hours{24});
  EXPECT_EQ(state(), SubscriptionState::kActive);
  EXPECT_FALSE(alarmed());
}

TEST_F(Silence, makes_the_session_anew_and_history_says_why) {
  listen(2000);
  start();
  push();
  advance(seconds{59});
  EXPECT_EQ(peer_.opens, 1);
  advance(seconds{4});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(peer_.opens, 2);
  const auto lost = std::ranges::find(log_.rows, "silent", &store::HistoryRow::cause_code);
  ASSERT_NE(lost, log_.rows.end());
  EXPECT_EQ(lost->from, "Connected");
  EXPECT_EQ(lost->to, "Disconnected");
  EXPECT_EQ(lost->cause_class, "Transient");
}

TEST_F(Silence, new_sessions_that_bring_nothing_follow_ever_more_slowly) {
  listen(2000);
  start();
  push();
  advance(seconds{63});
  ASSERT_EQ(peer_.opens, 2);
  EXPECT_TRUE(alarmed()) << "one silence, one alarm";
  advance(seconds{110});
  EXPECT_EQ(peer_.opens, 2);
  advance(seconds{15});
  EXPECT_EQ(peer_.opens, 3);
  advance(hours{24});
  EXPECT_LE(peer_.opens, 32);
}

TEST_F(Silence, makes_no_new_session_when_that_is_off) {
  set_reconnect(R"({"rebuildSilentAfterMs": 0})");
  listen(2000);
  start();
  advance(hours{1});
  EXPECT_EQ(state(), SubscriptionState::kSilent);
  EXPECT_EQ(peer_.opens, 1);
}

TEST_F(Silence, a_learnt_pace_makes_a_new_session_only_when_that_is_set) {
  listen(0);
  start();
  learn_pace();
  advance(hours{1});
  EXPECT_EQ(peer_.opens, 1);
  set_reconnect(R"({"rebuildSilentAfterMs": 20000})");
  advance(seconds{3});
  EXPECT_EQ(peer_.opens, 2);
}

TEST_F(Silence, a_short_setting_does_not_make_sessions_at_full_speed) {
  set_reconnect(R"({"rebuildSilentAfterMs": 1000})");
  listen(100);
  start();
  advance(minutes{10});
  EXPECT_LE(peer_.opens, 12);
}

TEST_F(Silence, is_over_when_the_connection_is_stopped) {
  listen(2000);
  start();
  advance(seconds{3});
  ASSERT_TRUE(alarmed());
  command(lifecycle::Stop{});
  EXPECT_FALSE(alarmed());
  EXPECT_EQ(state(), SubscriptionState::kWaiting);
  EXPECT_EQ(timers_.armed(), 0U);
}

TEST_F(Silence, is_over_when_the_function_goes) {
  listen(2000);
  start();
  advance(seconds{3});
  ASSERT_TRUE(alarmed());
  actor_->remove_function("listen");
  advance(milliseconds{1});
  EXPECT_FALSE(alarmed());
  EXPECT_FALSE(actor_->view().degraded);
}

TEST_F(Silence, a_polled_function_that_fails_is_not_silent) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 1000})");
  peer_.call_error = error_of(ErrorClass::kFunction, "illegal_address");
  start();
  advance(minutes{5});
  EXPECT_EQ(stats_["poll"]->state.load(), SubscriptionState::kActive);
  EXPECT_FALSE(stats_["poll"]->restored.load());
  EXPECT_EQ(peer_.opens, 1);
}

TEST_F(Silence, a_polled_function_that_gets_no_turn_is_silent) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 1000})");
  add_function("read", "fake.read", R"({"points": ["speed"]})");
  start();
  advance(seconds{2});
  peer_.hold_calls = true;
  execute("read", json_object(), minutes{5});
  advance(seconds{6});
  EXPECT_EQ(stats_["poll"]->state.load(), SubscriptionState::kSilent);
  peer_.release();
  advance(seconds{2});
  EXPECT_EQ(stats_["poll"]->state.load(), SubscriptionState::kActive);
}

TEST_F(Silence, a_busy_consumer_is_not_the_silence_of_the_device) {
  add_function("poll", "fake.subscribe",
               R"({"points": ["speed"], "intervalMs": 1000, "reportOn": "always"})");
  auto gate = std::make_shared<Event>(context_.get_executor());
  actor_->add_consumer(
      "poll", std::make_shared<Consumer>(
                  context_.get_executor(),
                  [gate](std::shared_ptr<const Batch>, const Origin&) -> Task<Result<void>> {
                    co_await gate->wait();
                    co_return Result<void>{};
                  }));
  start();
  advance(minutes{10});
  EXPECT_EQ(stats_["poll"]->state.load(), SubscriptionState::kActive);
  EXPECT_EQ(peer_.opens, 1);
  gate->set();
  advance(seconds{1});
}

TEST_F(Silence, edge_40_a_retained_message_is_shown_as_stale_with_its_age) {
  listen(0);
  start();
  push_message(true);
  advance(hours{48});
  const auto values = actor_->last_values("listen");
  EXPECT_TRUE(values->records().front().at("retained").as<bool>());
  EXPECT_EQ(meta().at("quality").as<std::string>(), "uncertain");
  EXPECT_EQ(meta().at("ageMs").as<std::int64_t>(), 48LL * 3600 * 1000);
  EXPECT_FALSE(stats_["listen"]->restored.load()) << "it proves nothing about its publisher";
}

TEST_F(Silence, edge_40_a_message_is_good_bad_after_the_loss_and_stale_until_the_next_one) {
  listen(0);
  start();
  push_message(false);
  EXPECT_FALSE(meta().contains("quality"));
  peer_.open_errors.push_back(error_of(ErrorClass::kTransient));
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(milliseconds{100});
  EXPECT_EQ(meta().at("quality").as<std::string>(), "bad");
  advance(seconds{10});
  ASSERT_EQ(status(), Status::kConnected);
  EXPECT_EQ(meta().at("quality").as<std::string>(), "uncertain");
  push_message(false);
  EXPECT_FALSE(meta().contains("quality"));
}

}  // namespace
}  // namespace tributary::connect
