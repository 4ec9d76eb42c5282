// Silence, judged by what was declared, by the interval, or by what was seen.
#include "connect/subscriptions/freshness.hpp"

#include <gtest/gtest.h>

namespace tributary::connect {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr FreshnessRule kDeclared{seconds{2}, {}};
constexpr FreshnessRule kPushed{};

FreshnessRule polled(Duration interval) {
  return {{}, interval};
}

class Fresh : public testing::Test {
 protected:
  void use(FreshnessRule rule) {
    fresh_ = Freshness(rule);
    fresh_.begin(now_);
  }
  void arrive(Duration after) {
    now_ += after;
    fresh_.value(now_);
  }
  bool silent_after(Duration time) const { return fresh_.silent_since(now_ + time).has_value(); }
  std::optional<Duration> rebuild_after(std::optional<Duration> setting = {}) const {
    const auto at = fresh_.rebuild_at(setting);
    return at ? std::optional<Duration>(*at - now_) : std::nullopt;
  }

  SteadyTime now_{hours{1}};
  Freshness fresh_;
};

TEST_F(Fresh, what_was_declared_is_expected) {
  use(kDeclared);
  arrive(seconds{1});
  EXPECT_FALSE(silent_after(milliseconds{1999}));
  EXPECT_TRUE(silent_after(seconds{2}));
  EXPECT_EQ(fresh_.silent_since(now_ + seconds{9}), now_) << "since the last value";
}

TEST_F(Fresh, a_declared_one_that_never_delivered_is_silent) {
  use(kDeclared);
  EXPECT_TRUE(silent_after(seconds{2}));
  EXPECT_FALSE(fresh_.restored());
}

TEST_F(Fresh, a_polled_one_may_miss_one_scan_and_five_seconds) {
  use(polled(seconds{1}));
  EXPECT_FALSE(silent_after(milliseconds{4999}));
  EXPECT_TRUE(silent_after(seconds{5}));
  use(polled(seconds{60}));
  EXPECT_FALSE(silent_after(milliseconds{119'999}));
  EXPECT_TRUE(silent_after(seconds{120}));
}

TEST_F(Fresh, nothing_is_expected_of_a_pushed_one_before_its_pace_is_known) {
  use(kPushed);
  for (int i = 0; i < 20; ++i) arrive(seconds{30});
  EXPECT_FALSE(fresh_.expected()) << "19 gaps";
  EXPECT_FALSE(silent_after(hours{24}));
  arrive(seconds{30});
  EXPECT_EQ(fresh_.expected(), seconds{90});
  EXPECT_TRUE(silent_after(seconds{90}));
}

TEST_F(Fresh, one_freak_gap_among_many_does_not_set_the_pace) {
  use(kPushed);
  arrive(seconds{1});
  arrive(hours{6});
  for (int i = 0; i < 200; ++i) arrive(seconds{10});
  EXPECT_EQ(fresh_.expected(), seconds{30});
}

TEST_F(Fresh, a_burst_counts_as_one_arrival) {
  use(kPushed);
  for (int i = 0; i < 25; ++i) {
    arrive(minutes{10});
    for (int j = 0; j < 100; ++j) arrive(milliseconds{5});
  }
  EXPECT_GE(fresh_.expected().value(), minutes{29});
}

TEST_F(Fresh, a_quick_one_may_still_pause_for_ten_seconds) {
  use(kPushed);
  for (int i = 0; i < 500; ++i) arrive(milliseconds{100});
  EXPECT_EQ(fresh_.expected(), seconds{10});
}

TEST_F(Fresh, the_pace_learnt_in_one_session_judges_the_next) {
  use(kPushed);
  for (int i = 0; i < 30; ++i) arrive(seconds{5});
  now_ += minutes{10};
  fresh_.begin(now_);
  EXPECT_FALSE(fresh_.restored());
  EXPECT_EQ(fresh_.expected(), seconds{15}) << "the outage is no gap";
  EXPECT_TRUE(silent_after(seconds{15}));
  arrive(seconds{20});
  EXPECT_TRUE(fresh_.restored());
  EXPECT_FALSE(silent_after(seconds{14}));
}

TEST_F(Fresh, a_peer_that_answers_without_values_is_not_silent) {
  use(polled(seconds{1}));
  fresh_.answered(now_ + seconds{20});
  EXPECT_FALSE(silent_after(seconds{21}));
  EXPECT_FALSE(fresh_.restored());
}

TEST_F(Fresh, while_consumers_are_busy_nothing_is_missed) {
  use(kDeclared);
  arrive(seconds{1});
  fresh_.hold();
  EXPECT_FALSE(silent_after(minutes{5}));
  EXPECT_FALSE(rebuild_after());
  now_ += minutes{5};
  fresh_.release(now_);
  EXPECT_FALSE(silent_after(seconds{1}));
  EXPECT_TRUE(silent_after(seconds{2}));
}

TEST_F(Fresh, the_session_is_made_anew_after_ten_times_the_expected_and_a_minute_at_least) {
  use(kDeclared);
  EXPECT_EQ(rebuild_after(), seconds{60});
  use(polled(seconds{60}));
  EXPECT_EQ(rebuild_after(), seconds{1200});
}

TEST_F(Fresh, a_learnt_pace_never_ends_a_session_unless_set) {
  use(kPushed);
  for (int i = 0; i < 30; ++i) arrive(seconds{5});
  EXPECT_FALSE(rebuild_after());
  EXPECT_EQ(rebuild_after(seconds{40}), seconds{40});
}

TEST_F(Fresh, zero_means_never_and_a_setting_is_not_shorter_than_what_is_expected) {
  use(kDeclared);
  EXPECT_FALSE(rebuild_after(Duration{}));
  EXPECT_EQ(rebuild_after(seconds{1}), seconds{2});
}

TEST_F(Fresh, sessions_that_bring_nothing_are_made_anew_ever_more_rarely) {
  use(kDeclared);
  fresh_.rebuilt();
  fresh_.begin(now_);
  EXPECT_EQ(rebuild_after(), seconds{120});
  for (int i = 0; i < 50; ++i) fresh_.rebuilt();
  EXPECT_EQ(rebuild_after(), hours{1});
  arrive(Duration{});
  EXPECT_EQ(rebuild_after(), seconds{60});
}

}  // namespace
}  // namespace tributary::connect
