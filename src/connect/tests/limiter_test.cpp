// Who may open a connection, and when (G14).
#include "connect/limiter.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/manual_timers.hpp"

namespace tributary::connect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Limiter : public testing::Test {
 protected:
  // Waits for an attempt; it ends at once when it is granted, or lasts until finish().
  void request(const std::string& name, const std::string& target, Haste haste,
               bool ends_at_once = true) {
    tickets_[name] = limiter_->request(target, haste, timers_, context_.get_executor(),
                                       [this, name, ends_at_once](AttemptLimiter::Turn turn) {
                                         granted_.push_back(name);
                                         if (!ends_at_once) turns_[name] = std::move(turn);
                                       });
  }
  void request_many(int count, Haste haste) {
    for (int i = 0; i < count; ++i) {
      request(fmt::format("{}", i), fmt::format("plc{}", i), haste);
    }
    timers_.settle();
  }
  void finish(const std::string& name) {
    turns_.erase(name);
    timers_.settle();
  }
  void leave(const std::string& name) {
    tickets_.erase(name);
    timers_.settle();
  }

  asio::io_context context_;
  ManualClock clock_;
  ManualTimers timers_{clock_, context_};
  std::unique_ptr<AttemptLimiter> limiter_ =
      std::make_unique<AttemptLimiter>(LimiterOptions{20, 50, 2});
  std::vector<std::string> granted_;
  std::map<std::string, AttemptLimiter::Ticket> tickets_;
  std::map<std::string, AttemptLimiter::Turn> turns_;
};

TEST_F(Limiter, lets_a_burst_through_then_keeps_the_rate) {
  request_many(500, Haste::kAutomatic);
  EXPECT_EQ(granted_.size(), 50U);
  timers_.advance(seconds{1});
  EXPECT_EQ(granted_.size(), 70U);
  timers_.advance(seconds{10});
  EXPECT_EQ(granted_.size(), 270U);
  timers_.advance(milliseconds{11'500});
  EXPECT_EQ(granted_.size(), 500U);
  EXPECT_EQ(timers_.armed(), 0U) << "nobody waits, nothing ticks";
}

TEST_F(Limiter, a_late_alarm_is_not_made_up_for) {
  request_many(500, Haste::kAutomatic);
  clock_.advance(milliseconds{200});  // the machine was busy elsewhere
  granted_.clear();
  timers_.advance({});
  EXPECT_EQ(granted_.size(), 1U);
  timers_.advance(milliseconds{49});
  EXPECT_EQ(granted_.size(), 1U);
  timers_.advance(milliseconds{1});
  EXPECT_EQ(granted_.size(), 2U);
}

TEST_F(Limiter, edge_11_people_who_start_many_at_once_keep_to_the_same_rate) {
  request_many(500, Haste::kPerson);
  timers_.advance(seconds{1});
  EXPECT_EQ(granted_.size(), 70U);
}

TEST_F(Limiter, a_person_is_the_next_however_many_wait) {
  request_many(500, Haste::kAutomatic);
  request("anna", "filler", Haste::kPerson);
  granted_.clear();
  timers_.advance(milliseconds{50});
  EXPECT_THAT(granted_, testing::ElementsAre("anna"));
  timers_.advance(milliseconds{50});
  EXPECT_EQ(granted_.size(), 2U) << "and the others go on";
}

TEST_F(Limiter, a_person_does_not_queue_behind_an_import_of_hundreds) {
  request_many(500, Haste::kPerson);
  request("anna", "filler", Haste::kPerson);
  request("bert", "filler", Haste::kPerson);
  granted_.clear();
  timers_.advance(milliseconds{100});
  EXPECT_THAT(granted_, testing::ElementsAre("bert", "anna"));
}

TEST_F(Limiter, the_start_of_the_hub_is_outside_the_rate) {
  request_many(500, Haste::kSpread);
  EXPECT_EQ(granted_.size(), 500U);
}

TEST_F(Limiter, two_at_a_target_whoever_asks_the_others_wait_in_order) {
  for (const auto* name : {"a", "b", "c", "d"}) request(name, "plc", Haste::kAutomatic, false);
  request("anna", "plc", Haste::kPerson, false);
  request("boot", "plc", Haste::kSpread, false);
  timers_.settle();
  EXPECT_THAT(granted_, testing::ElementsAre("a", "b"));
  finish("a");
  finish("b");
  EXPECT_THAT(granted_, testing::ElementsAre("a", "b", "boot", "anna"));
  leave("c");
  finish("anna");
  EXPECT_EQ(granted_.back(), "d");
}

TEST_F(Limiter, a_turn_granted_to_somebody_who_left_goes_to_the_next) {
  limiter_ = std::make_unique<AttemptLimiter>(LimiterOptions{20, 50, 1});
  request("first", "plc", Haste::kAutomatic);
  request("second", "plc", Haste::kAutomatic);
  leave("first");
  EXPECT_THAT(granted_, testing::ElementsAre("second"));
}

TEST_F(Limiter, the_queue_goes_on_when_the_one_it_would_wake_leaves) {
  request_many(52, Haste::kAutomatic);
  leave("50");
  timers_.advance(milliseconds{50});
  EXPECT_EQ(granted_.size(), 51U);
  EXPECT_EQ(granted_.back(), "51");
}

TEST_F(Limiter, nobody_holds_a_place_while_waiting_for_the_rate) {
  limiter_ = std::make_unique<AttemptLimiter>(LimiterOptions{20, 1, 1});
  request("other", "elsewhere", Haste::kAutomatic);
  request("waits for the rate", "plc", Haste::kAutomatic, false);
  request("anna", "plc", Haste::kPerson, false);
  timers_.advance(milliseconds{50});
  EXPECT_THAT(granted_, testing::ElementsAre("other", "anna"));
}

TEST_F(Limiter, edge_11_when_a_target_comes_back_its_crowd_comes_at_the_nodes_rate) {
  limiter_ = std::make_unique<AttemptLimiter>(LimiterOptions{20, 2, 2});
  request("dead 1", "plc", Haste::kAutomatic, false);
  request("dead 2", "plc", Haste::kAutomatic, false);
  for (int i = 0; i < 100; ++i) request(fmt::format("{}", i), "plc", Haste::kAutomatic);
  timers_.advance(seconds{30});
  EXPECT_EQ(granted_.size(), 2U);
  finish("dead 1");
  finish("dead 2");
  timers_.advance(seconds{1});
  EXPECT_EQ(granted_.size(), 2U + 2U + 20U);
}

TEST_F(Limiter, a_queue_that_outlives_the_limiter_is_harmless) {
  request("a", "plc", Haste::kAutomatic, false);
  timers_.settle();
  limiter_.reset();
  finish("a");
  leave("a");
  EXPECT_EQ(granted_.size(), 1U);
}

}  // namespace
}  // namespace tributary::connect
