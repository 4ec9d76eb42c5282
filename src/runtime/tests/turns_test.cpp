// Who may ask next.
#include "runtime/turns.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/manual_timers.hpp"

namespace tributary {
namespace {

using namespace std::chrono_literals;

class TurnsTest : public testing::Test {
 protected:
  // Waits for the turn, says so, and has it for a moment.
  static Task<void> ask(TurnsTest& test, std::string name, bool urgent, Duration patience) {
    const SteadyTime deadline = test.timers_.now() + patience;
    const bool taken = co_await test.turns_.take(urgent, test.timers_, deadline);
    test.order_.push_back(taken ? name : name + " gave up");
    if (!taken) co_return;
    const Turns::Turn turn(test.turns_);
    const SteadyTime until = test.timers_.now() + 10ms;
    co_await sleep_until(test.timers_, until);
  }

  asio::io_context context_;
  ManualClock clock_;
  ManualTimers timers_{clock_, context_};
  Executor executor_ = context_.get_executor();
  Turns turns_{executor_};
  std::vector<std::string> order_;
};

TEST_F(TurnsTest, OneAtATimeAndTheUrgentFirst) {
  spawn(executor_, ask(*this, "read 1", false, 1s));
  spawn(executor_, ask(*this, "read 2", false, 1s));
  spawn(executor_, ask(*this, "write", true, 1s));
  timers_.settle();
  EXPECT_EQ(order_, (std::vector<std::string>{"read 1"}));
  EXPECT_TRUE(turns_.urgent_waits());
  timers_.advance(10ms);
  EXPECT_EQ(order_, (std::vector<std::string>{"read 1", "write"}));
  EXPECT_FALSE(turns_.urgent_waits());
  timers_.advance(30ms);
  EXPECT_EQ(order_, (std::vector<std::string>{"read 1", "write", "read 2"}));
  EXPECT_FALSE(turns_.taken());
}

TEST_F(TurnsTest, WhoGaveUpHasNoTurnAndKeepsNobodyFromIt) {
  ASSERT_TRUE(turns_.try_take());
  EXPECT_FALSE(turns_.try_take());
  spawn(executor_, ask(*this, "impatient", true, 5ms));
  spawn(executor_, ask(*this, "patient", false, 1s));
  timers_.advance(20ms);
  EXPECT_EQ(order_, (std::vector<std::string>{"impatient gave up"}));
  {
    const Turns::Turn mine(turns_);
  }
  timers_.settle();
  EXPECT_EQ(order_.back(), "patient");
  timers_.advance(20ms);
  EXPECT_TRUE(turns_.try_take()) << "nobody has it any more";
  const Turns::Turn mine(turns_);
}

}  // namespace
}  // namespace tributary
