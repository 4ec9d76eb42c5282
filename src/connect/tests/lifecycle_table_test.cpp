// One case per transition of the specification, named after it.
#include <gmock/gmock.h>

#include "lifecycle_support.hpp"

namespace tributary::connect::lifecycle {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

Suspend suspend_event() {
  return {Suspension{"valve replacement", "operator1", kUtc, std::nullopt}};
}

Policy policy_opening_after(int failures) {
  Policy policy;
  policy.reconnect.failures_to_open = failures;
  return policy;
}

TEST(Lifecycle, T1_created_is_idle) {
  Story story;
  story.then(Created{"anna"});
  EXPECT_EQ(story.state().status, Status::kIdle);
  const auto rows = effects_of<RecordHistory>(story.step());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].note, "created");
  EXPECT_EQ(rows[0].actor, "anna");
  EXPECT_FALSE(rows[0].from.has_value());
}

TEST(Lifecycle, T2_start_raises_the_epoch_and_arms_the_deadline) {
  Story story;
  story.then(Start{"anna", seconds{1}, true});
  EXPECT_EQ(story.state().status, Status::kConnecting);
  EXPECT_EQ(story.state().intent, Intent::kRunning);
  EXPECT_EQ(story.epoch(), 1U);
  const auto opened = effects_of<OpenSession>(story.step());
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0].delay, seconds{1});
  EXPECT_TRUE(opened[0].automatic);
  const auto deadline = timer_of(story.step(), TimerKind::kDeadline);
  ASSERT_TRUE(deadline);
  EXPECT_EQ(deadline->at, kNow + seconds{6} + kDeadlineGrace);
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Idle>Connecting"));
}

TEST(Lifecycle, T3_opened_flushes_calls_and_starts_the_stability_timer) {
  Story story;
  story.started().then(Opened{story.epoch(), "Plant PLC 2.1", "1 of 3 subscriptions refused"});
  EXPECT_EQ(story.state().status, Status::kConnected);
  EXPECT_EQ(story.state().degraded, "1 of 3 subscriptions refused");
  EXPECT_TRUE(has_effect<FlushCalls>(story.step()));
  const auto stable = timer_of(story.step(), TimerKind::kStable);
  ASSERT_TRUE(stable);
  EXPECT_EQ(stable->at, kNow + seconds{30});
  EXPECT_EQ(effects_of<RecordHistory>(story.step())[0].note, "Plant PLC 2.1");
}

TEST(Lifecycle, T4_transient_error_arms_the_backoff) {
  Story story;
  story.started().open_failed(ErrorClass::kTransient);
  EXPECT_EQ(story.state().status, Status::kDisconnected);
  EXPECT_EQ(story.state().breaker.failures, 1);
  ASSERT_TRUE(story.state().cause);
  EXPECT_EQ(story.state().cause->error.code, "Transient");
  const auto backoff = timer_of(story.step(), TimerKind::kBackoff);
  ASSERT_TRUE(backoff);
  EXPECT_EQ(backoff->at, kNow + std::chrono::milliseconds{500});  // B/2 with no random part
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Connecting>Disconnected"));
}

TEST(Lifecycle, T4_the_deadline_is_a_transient_failure_while_talking) {
  Story story;
  story.started().then(TimerFired{TimerKind::kDeadline, story.epoch()});
  EXPECT_EQ(story.state().status, Status::kDisconnected);
  EXPECT_EQ(story.state().cause->error.code, "connect_timeout");
  EXPECT_EQ(story.state().breaker.failures, 1);
}

TEST(Lifecycle, T4_waiting_for_a_turn_too_long_does_not_count) {
  Story story;
  story.then(Start{}).then(TimerFired{TimerKind::kDeadline, story.epoch()});
  EXPECT_EQ(story.state().status, Status::kDisconnected);
  EXPECT_EQ(story.state().cause->error.error_class, ErrorClass::kBusy);
  EXPECT_EQ(story.state().breaker.failures, 0);
}

TEST(Lifecycle, T5_permanent_errors_fail_at_once) {
  for (auto error_class : {ErrorClass::kConfiguration, ErrorClass::kTrust}) {
    Story story;
    story.started().open_failed(error_class);
    EXPECT_EQ(story.state().status, Status::kFailed);
    EXPECT_EQ(story.state().breaker.state, BreakerState::kOpen);
    EXPECT_THAT(rows_of(story.step()), ElementsAre("Connecting>Failed"));
  }
}

TEST(Lifecycle, T5_the_failure_that_trips_the_breaker) {
  Story story(policy_opening_after(1));
  story.started().open_failed(ErrorClass::kTransient);
  EXPECT_EQ(story.state().status, Status::kFailed);
  EXPECT_TRUE(timer_of(story.step(), TimerKind::kCooldown));
}

TEST(Lifecycle, T6_stop_while_connecting_closes_hard) {
  Story story;
  const auto before = story.started().epoch();
  story.then(Stop{"anna"});
  EXPECT_EQ(story.state().status, Status::kIdle);
  EXPECT_GT(story.epoch(), before);
  EXPECT_TRUE(has_effect<CancelTimers>(story.step()));
  const auto closed = effects_of<CloseSession>(story.step());
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_FALSE(closed[0].graceful);
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Connecting>Idle"));
}

TEST(Lifecycle, T7_suspend_while_connecting_records_the_reason) {
  Story story;
  story.started().then(suspend_event());
  EXPECT_EQ(story.state().status, Status::kSuspended);
  EXPECT_EQ(story.state().intent, Intent::kSuspended);
  EXPECT_EQ(effects_of<RecordHistory>(story.step())[0].note, "suspended: valve replacement");
  EXPECT_EQ(story.state().suspension->by, "operator1");
}

TEST(Lifecycle, T8_loss_marks_bad_and_backs_off) {
  Story story;
  const auto before = story.connected().epoch();
  story.lost(ErrorClass::kTransient);
  EXPECT_EQ(story.state().status, Status::kDisconnected);
  EXPECT_GT(story.epoch(), before);
  const auto marked = effects_of<MarkBad>(story.step());
  ASSERT_EQ(marked.size(), 1U);
  EXPECT_EQ(marked[0].quality, kBadCommunicationError);
  EXPECT_FALSE(effects_of<CloseSession>(story.step())[0].graceful);
  EXPECT_TRUE(timer_of(story.step(), TimerKind::kBackoff));
}

// The attempt's failure was on its way while the row "Connected" was being written.
TEST(Lifecycle, T8_a_failure_of_the_adopted_attempt_is_a_loss) {
  Story story;
  const auto before = story.connected().epoch();
  story.open_failed(ErrorClass::kTransient);
  EXPECT_EQ(story.state().status, Status::kDisconnected);
  EXPECT_GT(story.epoch(), before);
  EXPECT_EQ(effects_of<MarkBad>(story.step()).size(), 1U);
  EXPECT_TRUE(timer_of(story.step(), TimerKind::kBackoff));
}

TEST(Lifecycle, T9_revocation_fails_without_a_backoff) {
  for (auto error_class : {ErrorClass::kIdentity, ErrorClass::kTrust}) {
    Story story;
    story.connected().lost(error_class);
    EXPECT_EQ(story.state().status, Status::kFailed);
    EXPECT_THAT(rows_of(story.step()), ElementsAre("Connected>Failed"));
    EXPECT_FALSE(timer_of(story.step(), TimerKind::kBackoff));
  }
}

TEST(Lifecycle, T9_third_takeover_in_five_minutes_fails_as_duplicate_client_id) {
  Story story;
  story.connected();
  for (int takeover = 1; takeover <= 2; ++takeover) {
    story.lost(ErrorClass::kTakeover);
    ASSERT_EQ(story.state().status, Status::kDisconnected);
    EXPECT_EQ(story.state().breaker.failures, 0);
    story.wait_out().then(Opened{story.epoch(), {}, {}});
  }
  story.lost(ErrorClass::kTakeover);
  EXPECT_EQ(story.state().status, Status::kFailed);
  EXPECT_EQ(story.state().cause->error.code, "duplicate_client_id");
}

TEST(Lifecycle, T9_takeovers_far_apart_do_not_add_up) {
  Story story;
  story.connected();
  for (int takeover = 1; takeover <= 5; ++takeover) {
    story.lost(ErrorClass::kTakeover);
    ASSERT_EQ(story.state().status, Status::kDisconnected) << takeover;
    story.wait_out().then(Opened{story.epoch(), {}, {}}, minutes{3});
  }
}

TEST(Lifecycle, T10_stop_while_connected_says_goodbye) {
  Story story;
  story.connected().then(Stop{"anna"});
  EXPECT_EQ(story.state().status, Status::kIdle);
  EXPECT_TRUE(effects_of<CloseSession>(story.step())[0].graceful);
  EXPECT_EQ(effects_of<MarkBad>(story.step())[0].quality, kBadOutOfService);
}

TEST(Lifecycle, T10_shutdown_keeps_the_intent) {
  Story story;
  story.connected().then(Shutdown{});
  EXPECT_EQ(story.state().status, Status::kIdle);
  EXPECT_EQ(story.state().intent, Intent::kRunning);
  EXPECT_EQ(effects_of<RecordHistory>(story.step())[0].note, "shutdown");
}

TEST(Lifecycle, T11_suspend_while_connected) {
  Story story;
  story.connected().then(suspend_event());
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Connected>Suspended"));
  EXPECT_TRUE(effects_of<CloseSession>(story.step())[0].graceful);
}

TEST(Lifecycle, T12_restart_is_maintenance) {
  Story story;
  story.connected().then(Restart{"anna"});
  EXPECT_EQ(story.state().status, Status::kConnecting);
  const auto rows = effects_of<RecordHistory>(story.step());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0].note.starts_with(kMaintenanceNote));
  // The old session ends before the new one begins.
  const auto& effects = story.step().effects;
  const auto position = [&](auto is) {
    return std::ranges::find_if(effects, is) - effects.begin();
  };
  EXPECT_LT(position([](const Effect& e) { return std::holds_alternative<CloseSession>(e); }),
            position([](const Effect& e) { return std::holds_alternative<OpenSession>(e); }));
}

TEST(Lifecycle, T12_configuration_change_while_connected) {
  Story story;
  story.connected().then(ConfigChanged{"anna", false});
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Connected>Connecting"));
}

TEST(Lifecycle, T13_backoff_elapsed) {
  Story story;
  const auto before = story.disconnected().epoch();
  story.wait_out();
  EXPECT_EQ(story.state().status, Status::kReconnecting);
  EXPECT_GT(story.epoch(), before);
  EXPECT_TRUE(effects_of<OpenSession>(story.step())[0].automatic);
  EXPECT_TRUE(timer_of(story.step(), TimerKind::kDeadline));
}

TEST(Lifecycle, T14_a_loss_that_trips_the_breaker_is_two_rows) {
  Story story(policy_opening_after(1));
  story.connected().lost(ErrorClass::kTransient);
  EXPECT_EQ(story.state().status, Status::kFailed);
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Connected>Disconnected", "Disconnected>Failed"));
  EXPECT_FALSE(timer_of(story.step(), TimerKind::kBackoff));
  EXPECT_TRUE(timer_of(story.step(), TimerKind::kCooldown));
}

TEST(Lifecycle, T15_connect_now_starts_the_backoff_again_and_keeps_the_failures) {
  Story story;
  story.reconnecting().open_failed(ErrorClass::kTransient);
  ASSERT_EQ(story.state().backoff_step, 2);
  const int failures = story.state().breaker.failures;
  story.then(Restart{"anna"});
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Disconnected>Connecting"));
  EXPECT_EQ(story.state().backoff_step, 0);
  EXPECT_EQ(story.state().breaker.failures, failures);
  EXPECT_TRUE(has_effect<CancelTimers>(story.step()));
}

TEST(Lifecycle, T16_stop_and_suspend_while_disconnected) {
  Story stopped;
  stopped.disconnected().then(Stop{});
  EXPECT_THAT(rows_of(stopped.step()), ElementsAre("Disconnected>Idle"));
  EXPECT_TRUE(has_effect<CancelTimers>(stopped.step()));
  Story suspended;
  suspended.disconnected().then(suspend_event());
  EXPECT_THAT(rows_of(suspended.step()), ElementsAre("Disconnected>Suspended"));
  EXPECT_FALSE(suspended.state().due);
}

TEST(Lifecycle, T17_backoff_returns_to_the_start_only_after_a_stable_connection) {
  Story story;
  story.reconnecting().then(Opened{story.epoch(), {}, {}});
  EXPECT_EQ(story.state().status, Status::kConnected);
  EXPECT_EQ(story.state().backoff_step, 1);
  EXPECT_EQ(story.state().breaker.failures, 1);
  story.then(TimerFired{TimerKind::kStable, story.epoch()}, seconds{30});
  EXPECT_EQ(story.state().backoff_step, 0);
  EXPECT_EQ(story.state().breaker.failures, 0);
  EXPECT_TRUE(rows_of(story.step()).empty());
}

TEST(Lifecycle, T17_accept_then_drop_keeps_growing_the_wait) {
  Story story;
  story.disconnected();
  std::vector<Duration> waits;
  for (int round = 0; round < 4; ++round) {
    waits.push_back(*story.state().due - (kNow + story.clock()));
    story.wait_out().then(Opened{story.epoch(), {}, {}}).lost(ErrorClass::kTransient);
  }
  EXPECT_TRUE(std::ranges::is_sorted(waits, std::less_equal<>{}));
  EXPECT_EQ(waits.back(), 8 * waits.front());
}

TEST(Lifecycle, T18_transient_failure_takes_the_next_step) {
  Story story;
  story.reconnecting().open_failed(ErrorClass::kTransient);
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Reconnecting>Disconnected"));
  EXPECT_EQ(timer_of(story.step(), TimerKind::kBackoff)->at, kNow + story.clock() + seconds{1});
}

TEST(Lifecycle, T19_a_failed_probe_doubles_the_cooldown) {
  Story story(policy_opening_after(1));
  story.started().open_failed(ErrorClass::kTransient);
  std::vector<Duration> rests;
  for (int probe = 0; probe < 5; ++probe) {
    rests.push_back(*story.state().due - (kNow + story.clock()));
    story.wait_out();
    ASSERT_EQ(story.state().breaker.state, BreakerState::kHalfOpen);
    story.open_failed(ErrorClass::kTransient);
    ASSERT_EQ(story.state().status, Status::kFailed);
    EXPECT_THAT(rows_of(story.step()), ElementsAre("Reconnecting>Failed"));
  }
  // 60 s, 120 s, 240 s less 20 % (random part 0), then the cap of 300 s less 20 %.
  EXPECT_THAT(rests,
              ElementsAre(seconds{48}, seconds{96}, seconds{192}, seconds{240}, seconds{240}));
}

TEST(Lifecycle, T19_a_probe_that_times_out_fails_whatever_the_threshold) {
  Story story(policy_opening_after(2));
  story.disconnected().wait_out().open_failed(ErrorClass::kTransient);
  ASSERT_EQ(story.state().status, Status::kFailed);
  story.wait_out()
      .then(AttemptStarted{story.epoch()})
      .then(TimerFired{TimerKind::kDeadline, story.epoch()});
  EXPECT_EQ(story.state().status, Status::kFailed);
  EXPECT_EQ(story.state().breaker.state, BreakerState::kOpen);
}

TEST(Lifecycle, T20_a_late_success_is_discarded) {
  Story story;
  const auto attempt = story.reconnecting().epoch();
  story.then(Stop{});
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Reconnecting>Idle"));
  story.then(Opened{attempt, {}, {}});
  EXPECT_EQ(story.state().status, Status::kIdle);
  EXPECT_EQ(effects_of<DiscardSession>(story.step())[0].epoch, attempt);
  EXPECT_TRUE(rows_of(story.step()).empty());
}

TEST(Lifecycle, T21_cooldown_over_makes_exactly_one_probe_with_a_deadline) {
  Story story(policy_opening_after(1));
  story.started().open_failed(ErrorClass::kTransient).wait_out();
  EXPECT_EQ(story.state().status, Status::kReconnecting);
  EXPECT_EQ(story.state().breaker.state, BreakerState::kHalfOpen);
  EXPECT_EQ(story.state().breaker.probe, story.epoch());
  EXPECT_EQ(effects_of<OpenSession>(story.step()).size(), 1U);
  EXPECT_TRUE(timer_of(story.step(), TimerKind::kDeadline));
}

TEST(Lifecycle, T21_needs_automatic_reset) {
  Policy policy = policy_opening_after(1);
  policy.reconnect.automatic_reset = false;
  Story story(policy);
  story.started().open_failed(ErrorClass::kTransient);
  EXPECT_EQ(story.state().status, Status::kFailed);
  EXPECT_FALSE(timer_of(story.step(), TimerKind::kCooldown));
}

TEST(Lifecycle, T22_restart_after_failed_starts_with_clean_counters) {
  Story story(policy_opening_after(1));
  story.started().open_failed(ErrorClass::kTransient).then(Restart{"anna"});
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Failed>Connecting"));
  EXPECT_EQ(story.state().breaker, Breaker{});
  EXPECT_EQ(story.state().backoff_step, 0);
}

TEST(Lifecycle, T22_a_configuration_change_leaves_failed) {
  Story story;
  story.failed().then(ConfigChanged{"anna", false});
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Failed>Connecting"));
}

TEST(Lifecycle, T23_stop_and_suspend_cancel_the_cooldown) {
  Story stopped(policy_opening_after(1));
  stopped.started().open_failed(ErrorClass::kTransient).then(Stop{});
  EXPECT_THAT(rows_of(stopped.step()), ElementsAre("Failed>Idle"));
  EXPECT_TRUE(has_effect<CancelTimers>(stopped.step()));
  Story suspended;
  suspended.failed().then(suspend_event());
  EXPECT_THAT(rows_of(suspended.step()), ElementsAre("Failed>Suspended"));
}

TEST(Lifecycle, T24_resume_is_idle_with_clean_counters_and_does_not_start) {
  Story story;
  story.reconnecting().open_failed(ErrorClass::kTransient).then(suspend_event());
  const auto before = story.epoch();
  story.then(Resume{"anna"});
  EXPECT_EQ(story.state().status, Status::kIdle);
  EXPECT_EQ(story.state().intent, Intent::kStopped);
  EXPECT_EQ(story.state().breaker, Breaker{});
  EXPECT_GT(story.epoch(), before);
  EXPECT_FALSE(has_effect<OpenSession>(story.step()));
  story.then(Start{"anna"});
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Idle>Connecting"));
}

TEST(Lifecycle, T25_stale_events_are_counted_and_change_nothing) {
  Story story;
  story.connected();
  const auto epoch = story.epoch();
  const std::vector<Event> stale = {OpenFailed{epoch - 1, error_of(ErrorClass::kTransient)},
                                    Lost{epoch - 1, error_of(ErrorClass::kTransient)},
                                    TimerFired{TimerKind::kBackoff, epoch - 1},
                                    TimerFired{TimerKind::kDeadline, epoch - 1}};
  for (const auto& event : stale) {
    story.then(event);
    EXPECT_EQ(story.state().status, Status::kConnected) << describe(event);
    EXPECT_TRUE(story.step().effects.empty()) << describe(event);
  }
  EXPECT_EQ(story.state().stale_events, stale.size());
}

TEST(Lifecycle, T25_a_duplicate_command_answers_already_so) {
  Story story;
  story.then(Stop{});
  EXPECT_EQ(story.step().answer, Answer::kAlreadySo);
  story.connected().then(Start{});
  EXPECT_EQ(story.step().answer, Answer::kAlreadySo);
  EXPECT_EQ(story.state().status, Status::kConnected);
}

TEST(Lifecycle, T25_start_of_a_suspended_connection_is_refused) {
  Story story;
  story.connected().then(suspend_event()).then(Start{});
  EXPECT_EQ(story.step().answer, Answer::kRefused);
  EXPECT_EQ(story.step().refusal->code, "connection_suspended");
  EXPECT_EQ(story.state().status, Status::kSuspended);
}

TEST(Lifecycle, T25_suspending_an_idle_connection_is_not_a_transition) {
  Story story;
  story.then(suspend_event());
  EXPECT_EQ(story.step().answer, Answer::kRefused);
  EXPECT_EQ(story.state().status, Status::kIdle);
}

TEST(Lifecycle, T26_a_deletion_that_was_not_stored_is_taken_back) {
  Story story;
  story.connected().then(Delete{"anna", true}).then(Start{"anna"});
  EXPECT_EQ(story.state().status, Status::kIdle) << "what is gone does not start";
  story.then(Undeleted{}).then(Start{"anna"});
  EXPECT_EQ(story.state().status, Status::kConnecting);
}

TEST(Lifecycle, T26_delete_needs_rest_or_force) {
  Story running;
  running.connected().then(Delete{"anna", false});
  EXPECT_EQ(running.step().answer, Answer::kRefused);
  EXPECT_EQ(running.step().refusal->code, "connection_running");
  running.then(Delete{"anna", true});
  EXPECT_TRUE(running.state().gone);
  EXPECT_THAT(rows_of(running.step()), ElementsAre("Connected>Idle"));
  EXPECT_TRUE(has_effect<CloseSession>(running.step()));
  running.then(Start{});
  EXPECT_TRUE(running.step().effects.empty());
}

TEST(Lifecycle, T27_boot_inserts_unknown_from_the_last_heartbeat) {
  Story story;
  const UtcTime ended = kUtc - minutes{10};
  LastRun last{Status::kConnected, ended};
  last.epoch = 7;
  story.then(Booted{Intent::kRunning, std::nullopt, last});
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Connected>Unknown", "Unknown>Idle"));
  const auto rows = effects_of<RecordHistory>(story.step());
  EXPECT_EQ(rows[0].at, ended);
  EXPECT_EQ(rows[0].epoch, 7U) << "a row of that run's boot does not fall behind its epochs";
  EXPECT_EQ(rows[1].at, kUtc);
  EXPECT_EQ(rows[1].note, "boot");
}

TEST(Lifecycle, T27_a_suspended_connection_stays_suspended_over_a_restart) {
  Story story;
  const Suspension suspension{"valve replacement", "operator1", kUtc, std::nullopt};
  story.then(Booted{Intent::kSuspended, suspension, LastRun{Status::kSuspended, kUtc}});
  EXPECT_EQ(story.state().status, Status::kSuspended);
  EXPECT_EQ(story.state().suspension->reason, "valve replacement");
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Suspended>Unknown", "Unknown>Suspended"));
}

}  // namespace
}  // namespace tributary::connect::lifecycle
