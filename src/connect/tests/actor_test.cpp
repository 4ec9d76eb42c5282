// The actor against a scripted peer, on virtual time.
#include "actor_fixture.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

class Actor : public ActorTest {
 protected:
  static lifecycle::Suspend suspend_event() {
    return {Suspension{"valve replacement", "operator1", UtcTime{}, std::nullopt}};
  }

  // Both places at the connection's target, taken by others.
  std::vector<AttemptLimiter::Turn> occupy_target() {
    std::vector<AttemptLimiter::Turn> turns;
    std::vector<AttemptLimiter::Ticket> tickets;
    for (int i = 0; i < 2; ++i) {
      tickets.push_back(limiter_.request(
          config()->target, Haste::kAutomatic, timers_, context_.get_executor(),
          [&turns](AttemptLimiter::Turn turn) { turns.push_back(std::move(turn)); }));
    }
    timers_.settle();
    EXPECT_EQ(turns.size(), 2U);
    return turns;
  }
};

TEST_F(Actor, connects_and_says_who_answered) {
  start();
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_THAT(log_.path(), ElementsAre("Idle", "Connecting", "Connected"));
  EXPECT_EQ(log_.rows.back().note, "Fake PLC at 192.0.2.1:502");
  EXPECT_EQ(peer_.health_checks, 1);
}

TEST_F(Actor, persists_the_intent_before_it_connects) {
  log_.hangs = true;
  const auto answer = command(lifecycle::Start{}, seconds{2});
  EXPECT_FALSE(answer);
  EXPECT_EQ(peer_.opens, 0);
  EXPECT_THAT(log_.intents, ElementsAre("running"));
  log_.hangs = false;
  for (auto& done : log_.waiting) done({});
  advance(milliseconds{20});
  EXPECT_EQ(peer_.opens, 1);
}

// Simulation, seed 1458.
TEST_F(Actor, gets_its_turn_while_a_stop_is_stored_and_does_not_dial) {
  auto turns = occupy_target();
  start();
  log_.hangs = true;
  command(lifecycle::Stop{});
  EXPECT_EQ(log_.rows.back().to, "Idle");
  turns.clear();
  advance(milliseconds{20});
  EXPECT_EQ(peer_.opens, 0);
  log_.hangs = false;
  for (auto& done : log_.waiting) done({});
  advance(milliseconds{20});
  EXPECT_EQ(status(), Status::kIdle);
  EXPECT_EQ(peer_.opens, 0);
}

TEST_F(Actor, a_command_that_cannot_be_stored_has_no_effect) {
  start();
  log_.broken = true;
  const auto answer = command(suspend_event());
  ASSERT_TRUE(answer);
  ASSERT_FALSE(answer->has_value());
  EXPECT_EQ(answer->error().code, "disk_full");
  EXPECT_EQ(status(), Status::kConnected);
  log_.broken = false;
  EXPECT_TRUE(command(suspend_event()).value().has_value());
}

TEST_F(Actor, a_loss_is_shown_within_a_second_even_when_the_disk_hangs) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 100})");
  start();
  advance(milliseconds{200});
  const auto seen = watch("poll");
  log_.hangs = true;
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(milliseconds{900});
  ASSERT_FALSE(seen->empty());
  EXPECT_EQ(seen->back()->scans().front().samples.front().quality, kBadCommunicationError);
  log_.hangs = false;
  for (auto& done : log_.waiting) done({});
}

TEST_F(Actor, rows_that_could_not_be_stored_are_told_later_without_a_gap) {
  start();
  log_.broken = true;
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(milliseconds{20});
  EXPECT_EQ(status(), Status::kDisconnected);
  log_.broken = false;
  advance(seconds{3});
  EXPECT_THAT(log_.path(), ElementsAre("Idle", "Connecting", "Connected", "Disconnected",
                                       "Reconnecting", "Connected"));
}

TEST_F(Actor, reconnects_after_a_loss) {
  start();
  peer_.events->lost(error_of(ErrorClass::kTransient, "connection_reset"));
  advance(milliseconds{1});
  EXPECT_EQ(status(), Status::kDisconnected);
  EXPECT_EQ(actor_->view().cause->error.code, "connection_reset");
  advance(seconds{2});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(peer_.most_live, 1);
}

TEST_F(Actor, a_mute_peer_runs_into_the_connect_deadline) {
  peer_.mute = true;
  start();
  EXPECT_EQ(status(), Status::kConnecting);
  advance(milliseconds{5300});
  EXPECT_EQ(status(), Status::kDisconnected);
  EXPECT_EQ(actor_->view().cause->error.error_class, ErrorClass::kTransient);
}

TEST_F(Actor, a_peer_that_falls_silent_is_noticed_within_fifteen_seconds) {
  start();
  peer_.mute = true;
  advance(seconds{15});
  EXPECT_NE(status(), Status::kConnected);
}

TEST_F(Actor, health_is_only_asked_for_when_nothing_else_was_heard) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 1000})");
  start();
  const int at_open = peer_.health_checks;
  advance(minutes{1});
  EXPECT_EQ(peer_.health_checks, at_open);
}

TEST_F(Actor, stop_while_connecting_takes_no_time_and_leaves_nothing) {
  peer_.mute = true;
  start();
  const auto answer = command(lifecycle::Stop{}, milliseconds{10});
  ASSERT_TRUE(answer && answer->has_value());
  EXPECT_EQ((*answer)->status, Status::kIdle);
  EXPECT_EQ(peer_.pending, 0);
  EXPECT_EQ(timers_.armed(), 0U);
}

TEST_F(Actor, stop_while_connected_says_goodbye_and_leaves_nothing) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"]})");
  start();
  advance(seconds{5});
  const auto answer = command(lifecycle::Stop{});
  ASSERT_TRUE(answer && answer->has_value());
  EXPECT_EQ(peer_.closes, 1);
  EXPECT_EQ(peer_.live, 0);
  EXPECT_EQ(timers_.armed(), 0U);
}

TEST_F(Actor, suspend_is_silent_when_it_answers) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed"], "intervalMs": 100})");
  start();
  advance(seconds{1});
  ASSERT_TRUE(command(suspend_event()).value().has_value());
  const int calls = peer_.calls;
  const int opens = peer_.opens;
  const int checks = peer_.health_checks;
  advance(minutes{10});
  EXPECT_EQ(peer_.calls, calls);
  EXPECT_EQ(peer_.opens, opens);
  EXPECT_EQ(peer_.health_checks, checks);
  EXPECT_EQ(timers_.armed(), 0U);
}

TEST_F(Actor, edge_12_stop_during_backoff_cancels_the_timer_before_it_answers) {
  start();
  peer_.open_errors.assign(100, error_of(ErrorClass::kTransient));
  peer_.events->lost(error_of(ErrorClass::kTransient));
  advance(milliseconds{100});
  ASSERT_EQ(status(), Status::kDisconnected);
  ASSERT_TRUE(command(lifecycle::Stop{}).value().has_value());
  EXPECT_EQ(timers_.armed(), 0U);
  const int opens = peer_.opens;
  advance(minutes{10});
  EXPECT_EQ(peer_.opens, opens);
}

TEST_F(Actor, edge_11_a_start_waits_for_a_place_at_the_target) {
  auto turns = occupy_target();
  start();
  EXPECT_EQ(status(), Status::kConnecting);
  EXPECT_EQ(peer_.opens, 0);
  turns.pop_back();
  advance(milliseconds{10});
  EXPECT_EQ(status(), Status::kConnected);
}

TEST_F(Actor, edge_12_stop_while_waiting_for_a_place_leaves_the_queue) {
  auto turns = occupy_target();
  start();
  command(lifecycle::Stop{"anna"});
  turns.clear();
  advance(seconds{60});
  EXPECT_EQ(status(), Status::kIdle);
  EXPECT_EQ(peer_.opens, 0);
  EXPECT_EQ(timers_.armed(), 0U);
}

TEST_F(Actor, a_start_that_finds_no_place_says_so_and_comes_again_by_itself) {
  auto turns = occupy_target();
  start();
  advance(seconds{6});
  EXPECT_EQ(status(), Status::kDisconnected);
  EXPECT_EQ(actor_->view().cause->error.code, "connect_turn_timeout");
  EXPECT_EQ(actor_->view().breaker.consecutive_failures, 0) << "nobody asked the peer";
  turns.clear();
  advance(seconds{13});
  EXPECT_EQ(status(), Status::kConnected);
}

TEST_F(Actor, edge_10_accept_then_drop_does_not_loop_at_full_speed) {
  start();
  for (int second = 0; second < 300; ++second) {
    if (peer_.events) peer_.events->lost(error_of(ErrorClass::kTransient));
    advance(seconds{1});
  }
  EXPECT_LE(peer_.opens, 12);
}

TEST_F(Actor, edge_16_a_wrong_password_is_tried_twice) {
  peer_.open_errors.assign(100, error_of(ErrorClass::kIdentity));
  start();
  advance(minutes{30});
  EXPECT_EQ(peer_.opens, 2);
  EXPECT_EQ(status(), Status::kFailed);
}

TEST_F(Actor, a_configuration_change_leaves_failed_at_once) {
  peer_.open_errors.assign(1, error_of(ErrorClass::kConfiguration));
  start();
  ASSERT_EQ(status(), Status::kFailed);
  const auto changed = config();
  spawn(context_.get_executor(),
        [](std::shared_ptr<ConnectionActor> actor, std::shared_ptr<const ConnectionConfig> to)
            -> Task<void> { co_await actor->configure(to, true, false, "anna"); }(actor_, changed));
  advance(milliseconds{20});
  EXPECT_EQ(status(), Status::kConnected);
}

TEST_F(Actor, the_breaker_opens_probes_and_closes) {
  set_reconnect(
      R"({"failuresToOpen": 3, "maxDelayMs": 1000, "cooldownMs": 10000, "maxCooldownMs": 20000})");
  peer_.open_errors.assign(4, error_of(ErrorClass::kTransient));
  start();
  advance(seconds{3});
  EXPECT_EQ(status(), Status::kFailed);
  EXPECT_EQ(actor_->view().breaker.state, "open");
  ASSERT_TRUE(actor_->view().next_attempt_at);
  advance(seconds{13});
  EXPECT_EQ(peer_.opens, 4);
  EXPECT_EQ(status(), Status::kFailed);
  advance(seconds{25});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(actor_->view().breaker.state, "closed");
}

TEST_F(Actor, restart_closes_the_old_session_before_it_opens_a_new_one) {
  start();
  ASSERT_TRUE(command(lifecycle::Restart{}).value().has_value());
  advance(milliseconds{20});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_EQ(peer_.most_live, 1);
  EXPECT_EQ(peer_.closes, 1);
}

TEST_F(Actor, a_failed_health_read_is_not_connected) {
  peer_.health_error = error_of(ErrorClass::kTransient);
  start();
  EXPECT_EQ(status(), Status::kDisconnected);
  EXPECT_EQ(peer_.live, 0);
}

TEST_F(Actor, every_change_is_published_after_it_is_stored) {
  start();
  ASSERT_EQ(changes_.size(), 3U);
  EXPECT_EQ(changes_[0].state.status, Status::kIdle);
  EXPECT_EQ(changes_[1].state.status, Status::kConnecting);
  EXPECT_EQ(changes_[1].from, Status::kIdle);
  EXPECT_EQ(changes_[2].state.status, Status::kConnected);
}

TEST_F(Actor, a_random_life_leaves_no_session_and_no_gap) {
  add_function("poll", "fake.subscribe", R"({"points": ["speed", "level"], "intervalMs": 50})");
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    for (int step = 0; step < 40; ++step) {
      switch (random.next() % 10) {
        case 0:
          command(lifecycle::Stop{});
          break;
        case 1:
          command(suspend_event());
          break;
        case 2:
          command(lifecycle::Resume{});
          break;
        case 3:
          command(lifecycle::Restart{});
          break;
        case 4:
          peer_.mute = !peer_.mute;
          break;
        case 5:
          if (peer_.events)
            peer_.events->lost(error_of(static_cast<ErrorClass>(random.next() % 8)));
          break;
        case 6:
          peer_.open_errors.push_back(error_of(static_cast<ErrorClass>(random.next() % 8)));
          break;
        default:
          command(lifecycle::Start{});
      }
      advance(milliseconds{random.next() % 3000});
      ASSERT_LE(peer_.live, 1) << "seed " << seed;
      ASSERT_LE(peer_.live + peer_.pending, 1) << "seed " << seed;
    }
    peer_.mute = false;
    peer_.open_errors.clear();
    command(lifecycle::Resume{});
    command(lifecycle::Stop{}, seconds{6});
    ASSERT_EQ(status(), Status::kIdle) << "seed " << seed;
    ASSERT_EQ(peer_.live, 0) << "seed " << seed;
    ASSERT_EQ(timers_.armed(), 0U) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tributary::connect
