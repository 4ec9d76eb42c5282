// How each class of error is treated (lifecycle §4), and how long the waits are (§5).
#include <gmock/gmock.h>

#include "connect/lifecycle/backoff.hpp"
#include "lifecycle_support.hpp"
#include "sdk/connector.hpp"

namespace tributary::connect::lifecycle {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kMaxRandom = ~std::uint64_t{0};

TEST(ErrorClasses, busy_and_standby_never_open_the_breaker) {
  for (auto error_class :
       {ErrorClass::kBusy, ErrorClass::kStandby, ErrorClass::kFunction, ErrorClass::kInternal}) {
    Story story;
    story.started();
    for (int attempt = 0; attempt < 40; ++attempt) {
      story.open_failed(error_class);
      ASSERT_EQ(story.state().status, Status::kDisconnected) << to_string(error_class);
      story.wait_out();
    }
    EXPECT_EQ(story.state().breaker.failures, 0);
  }
}

TEST(ErrorClasses, busy_is_visible) {
  Story story;
  story.started().open_failed(ErrorClass::kBusy);
  EXPECT_EQ(story.state().busy_answers, 1U);
}

TEST(ErrorClasses, transient_and_name_open_the_breaker_after_the_set_number) {
  for (auto error_class : {ErrorClass::kTransient, ErrorClass::kName}) {
    Story story;
    story.started();
    for (int attempt = 1; attempt < 10; ++attempt) {
      story.open_failed(error_class);
      ASSERT_EQ(story.state().status, Status::kDisconnected) << attempt;
      story.wait_out();
    }
    story.open_failed(error_class);
    EXPECT_EQ(story.state().status, Status::kFailed);
  }
}

TEST(ErrorClasses, identity_is_tried_twice_a_minute_apart_then_waits_for_a_person) {
  Story story;
  story.started().open_failed(ErrorClass::kIdentity);
  ASSERT_EQ(story.state().status, Status::kDisconnected);
  EXPECT_GE(*story.state().due, kNow + seconds{60});
  story.wait_out().open_failed(ErrorClass::kIdentity);
  EXPECT_EQ(story.state().status, Status::kFailed);
  EXPECT_FALSE(story.state().due);
}

TEST(ErrorClasses, a_restart_with_refused_credentials_is_one_try) {
  Story story;
  story.started().open_failed(ErrorClass::kIdentity).wait_out().open_failed(ErrorClass::kIdentity);
  story.then(Restart{"anna"}).open_failed(ErrorClass::kIdentity);
  EXPECT_EQ(story.state().status, Status::kFailed);
}

TEST(ErrorClasses, new_credentials_count_from_zero) {
  Story story;
  story.started().open_failed(ErrorClass::kIdentity).wait_out().open_failed(ErrorClass::kIdentity);
  story.then(ConfigChanged{"anna", true});
  ASSERT_EQ(story.state().status, Status::kConnecting);
  story.open_failed(ErrorClass::kIdentity);
  EXPECT_EQ(story.state().status, Status::kDisconnected);
}

TEST(ErrorClasses, trust_is_checked_again_every_ten_minutes) {
  Story story;
  story.started().open_failed(ErrorClass::kTrust);
  EXPECT_EQ(story.state().due, kNow + minutes{10});
  story.wait_out().open_failed(ErrorClass::kTrust);
  EXPECT_EQ(story.state().due, kNow + story.clock() + minutes{10});
}

// Two tries a start would be one lock-out for a hub that is restarted a few times.
TEST(ErrorClasses, a_restart_of_the_hub_is_one_more_try_with_refused_credentials) {
  Story story;
  const LastRun last{Status::kFailed, kUtc, true};
  story.then(Booted{Intent::kRunning, std::nullopt, last}).started();
  story.open_failed(ErrorClass::kIdentity);
  EXPECT_EQ(story.state().status, Status::kFailed);
}

TEST(ErrorClasses, a_new_credential_has_its_two_tries_after_a_restart_too) {
  Story story;
  const LastRun last{Status::kFailed, kUtc, true};
  story.then(Booted{Intent::kRunning, std::nullopt, last}).then(ConfigChanged{"anna", true});
  story.started().open_failed(ErrorClass::kIdentity);
  EXPECT_EQ(story.state().status, Status::kDisconnected);
}

TEST(ErrorClasses, a_polite_stop_of_the_hub_keeps_why_it_had_failed) {
  Story story;
  story.failed().then(Shutdown{});
  const auto row = effects_of<RecordHistory>(story.step()).at(0);
  EXPECT_EQ(row.note, "shutdown");
  ASSERT_TRUE(row.cause);
  EXPECT_EQ(row.cause->error.error_class, ErrorClass::kConfiguration);
}

TEST(ErrorClasses, configuration_waits_for_an_edit) {
  Story story;
  story.failed();
  EXPECT_EQ(story.state().status, Status::kFailed);
  EXPECT_FALSE(timer_of(story.step(), TimerKind::kCooldown));
}

// Closes in order, without a reason, as a broker does that gave the session to another client.
Story& closed_without_reason(Story& story) {
  Error error = error_of(ErrorClass::kTransient);
  error.code = sdk::kClosedWithoutReason;
  return story.then(Lost{story.epoch(), error});
}
Story& comes_back(Story& story) {
  return story.wait_out().then(AttemptStarted{story.epoch()}).then(Opened{story.epoch(), {}, {}});
}

TEST(ErrorClasses, edge_09_the_third_close_without_a_reason_in_a_row_is_a_duplicate_client_id) {
  Story story;
  story.connected();
  closed_without_reason(story);
  ASSERT_EQ(story.state().status, Status::kDisconnected);
  comes_back(story);
  closed_without_reason(story);
  ASSERT_EQ(story.state().status, Status::kDisconnected);
  comes_back(story);
  closed_without_reason(story);
  ASSERT_EQ(story.state().status, Status::kFailed);
  EXPECT_EQ(story.state().cause->error.error_class, ErrorClass::kTakeover);
  EXPECT_EQ(story.state().cause->error.code, "duplicate_client_id");
}

TEST(ErrorClasses, a_flaky_network_is_not_taken_for_a_duplicate_client_id) {
  Story story;
  story.connected();
  for (int i = 0; i < 4; ++i) {
    closed_without_reason(story);
    ASSERT_EQ(story.state().status, Status::kDisconnected) << i;
    story.wait_out().then(AttemptStarted{story.epoch()}).open_failed(ErrorClass::kTransient);
    ASSERT_EQ(story.state().status, Status::kDisconnected) << i;
    comes_back(story);
  }
}

TEST(ErrorClasses, closes_without_a_reason_far_apart_are_losses_like_any_other) {
  Story story;
  story.connected();
  for (int i = 0; i < 5; ++i) {
    story.then(Lost{0, {}}, minutes{3});  // of no session: lets time pass
    closed_without_reason(story);
    ASSERT_EQ(story.state().status, Status::kDisconnected) << i;
    comes_back(story);
  }
}

TEST(ErrorClasses, edge_16_credentials_that_changed_behind_their_reference_have_two_tries_again) {
  Story story;
  story.started().open_failed(ErrorClass::kIdentity);
  story.wait_out().then(AttemptStarted{story.epoch(), true}).open_failed(ErrorClass::kIdentity);
  EXPECT_EQ(story.state().status, Status::kDisconnected);
  story.wait_out().then(AttemptStarted{story.epoch()}).open_failed(ErrorClass::kIdentity);
  EXPECT_EQ(story.state().status, Status::kFailed);
}

TEST(Backoff, equal_jitter_never_goes_below_half) {
  const ReconnectPolicy policy;
  const Error error = error_of(ErrorClass::kTransient);
  EXPECT_EQ(backoff_delay(policy, 0, error, 0), milliseconds{500});
  EXPECT_EQ(backoff_delay(policy, 3, error, 0), seconds{4});
  EXPECT_GT(backoff_delay(policy, 3, error, kMaxRandom), milliseconds{7999});
  EXPECT_LE(backoff_delay(policy, 3, error, kMaxRandom), seconds{8});
}

TEST(Backoff, stays_within_the_cap_for_any_step) {
  const ReconnectPolicy policy;
  for (int step : {5, 10, 62, 63, 64, 1000, 1'000'000}) {
    EXPECT_LE(backoff_delay(policy, step, error_of(ErrorClass::kTransient), kMaxRandom),
              seconds{30});
    EXPECT_GE(backoff_delay(policy, step, error_of(ErrorClass::kTransient), 0), seconds{15});
  }
}

TEST(Backoff, floors_of_the_classes) {
  const ReconnectPolicy policy;
  EXPECT_EQ(backoff_delay(policy, 0, error_of(ErrorClass::kName), 0), seconds{10});
  EXPECT_EQ(backoff_delay(policy, 0, error_of(ErrorClass::kBusy), 0), seconds{10});
  EXPECT_EQ(backoff_delay(policy, 0, error_of(ErrorClass::kIdentity), 0), seconds{60});
}

TEST(Backoff, honours_retry_after_within_reason) {
  const ReconnectPolicy policy;
  Error busy = error_of(ErrorClass::kBusy);
  busy.retry_after_ms = 45'000;
  EXPECT_EQ(backoff_delay(policy, 0, busy, 0), seconds{45});
  busy.retry_after_ms = -5;
  EXPECT_EQ(backoff_delay(policy, 0, busy, 0), seconds{10});
  busy.retry_after_ms = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(backoff_delay(policy, 0, busy, 0), kMaxRetryAfter);
}

TEST(Cooldown, stays_within_the_cap) {
  const ReconnectPolicy policy;
  const Error error = error_of(ErrorClass::kTransient);
  EXPECT_EQ(cooldown_delay(policy, 0, error, 0), seconds{48});
  EXPECT_GT(cooldown_delay(policy, 0, error, kMaxRandom), milliseconds{71'999});
  EXPECT_EQ(cooldown_delay(policy, 500, error, kMaxRandom), minutes{5});
}

// Found by the simulation, seed 484: values pushed before the session was complete stayed good.
TEST(Lifecycle, an_attempt_that_ends_leaves_no_good_values_behind) {
  Story stopped;
  stopped.started().then(Stop{});
  EXPECT_TRUE(has_effect<MarkBad>(stopped.step()));
  Story failed;
  failed.started().open_failed(ErrorClass::kTransient);
  EXPECT_TRUE(has_effect<MarkBad>(failed.step()));
  Story replaced;
  replaced.started().then(Restart{});
  EXPECT_TRUE(has_effect<MarkBad>(replaced.step()));
}

}  // namespace
}  // namespace tributary::connect::lifecycle
