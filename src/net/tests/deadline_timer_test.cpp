// Deadlines without a timer per operation.
#include "net/deadline_timer.hpp"

#include <gtest/gtest.h>

#include "runtime/manual_timers.hpp"

namespace tributary::net {
namespace {

using namespace std::chrono_literals;

class DeadlineTimerTest : public testing::Test {
 protected:
  SteadyTime in(Duration time) const { return clock_.steady_now() + time; }

  asio::io_context context_{1};
  ManualClock clock_;
  ManualTimers timers_{clock_, context_};
  std::vector<Slot> expired_;
  DeadlineTimer deadlines_{context_.get_executor(), timers_,
                           [this](Slot slot) { expired_.push_back(slot); }};
};

TEST_F(DeadlineTimerTest, ten_thousand_operations_arm_a_handful_of_timers) {
  for (int i = 0; i < 10'000; ++i) {
    deadlines_.start(Slot::kRead, in(2s));
    timers_.advance(1ms);
    deadlines_.stop(Slot::kRead);
  }
  EXPECT_TRUE(expired_.empty());
  EXPECT_LE(deadlines_.times_armed(), 7U);  // 10 s of operations, one timer for each 2 s
}

TEST_F(DeadlineTimerTest, a_deadline_fires_on_time_after_earlier_ones_were_met) {
  deadlines_.start(Slot::kRead, in(2s));
  timers_.advance(1500ms);
  deadlines_.start(Slot::kRead, in(2s));
  timers_.advance(1999ms);
  EXPECT_TRUE(expired_.empty());
  timers_.advance(1ms);
  EXPECT_EQ(expired_, std::vector{Slot::kRead});
  timers_.advance(10s);
  EXPECT_EQ(expired_.size(), 1U);
}

TEST_F(DeadlineTimerTest, each_slot_has_its_own_deadline) {
  deadlines_.start(Slot::kRead, in(60s));
  deadlines_.start(Slot::kWrite, in(1s));
  timers_.advance(1s);
  EXPECT_EQ(expired_, std::vector{Slot::kWrite});
  timers_.advance(59s);
  EXPECT_EQ(expired_, (std::vector{Slot::kWrite, Slot::kRead}));
}

TEST_F(DeadlineTimerTest, shutting_down_leaves_no_timer) {
  deadlines_.start(Slot::kRead, in(1s));
  deadlines_.shut_down();
  EXPECT_EQ(timers_.armed(), 0U);
  timers_.advance(2s);
  EXPECT_TRUE(expired_.empty());
}

}  // namespace
}  // namespace tributary::net
