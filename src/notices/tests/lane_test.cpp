// Deliveries on virtual time: order, retries, giving up, making room.
#include "notices/lane.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "runtime/manual_timers.hpp"

namespace tributary::notices {
namespace {

using namespace std::chrono_literals;

Error refused() {
  return Error(ErrorClass::kTransient, "connection_refused", "Refused.");
}

class LaneTest : public testing::Test {
 protected:
  LaneTest() {
    Lane::Services services{io_.get_executor(), clock_, timers_, random_, {}, {}, {}};
    services.send = [this](store::OutboxRow row) -> Task<Result<void>> {
      attempts_.push_back(row.id);
      attempted_at_.push_back(clock_.steady_now());
      const std::shared_ptr<Event> held = hold_;
      if (held) co_await held->wait();
      co_return answer_ ? answer_(row) : Result<void>{};
    };
    services.ended = [this](const store::OutboxRow& row, Lane::Ending ending) {
      endings_.push_back(row.id +
                         (ending == Lane::Ending::kDelivered ? " delivered" : " given up"));
    };
    services.attempted = [this](const std::optional<Error>&, int failures) {
      failures_ = failures;
    };
    lane_ = std::make_shared<Lane>(std::move(services));
    lane_->start(true);
    timers_.settle();
  }
  ~LaneTest() override {
    lane_->stop();
    if (hold_) hold_->set();
    timers_.settle();
  }
  void push(const std::string& id) {
    lane_->push({id, "N", "{}", clock_.utc_now()});
    timers_.settle();
  }

  asio::io_context io_;
  ManualClock clock_;
  ManualTimers timers_{clock_, io_};
  SeededRandom random_{1};
  std::shared_ptr<Event> hold_;
  std::function<Result<void>(const store::OutboxRow&)> answer_;
  std::vector<std::string> attempts_;
  std::vector<SteadyTime> attempted_at_;
  std::vector<std::string> endings_;
  int failures_ = 0;
  std::shared_ptr<Lane> lane_;
};

using Texts = std::vector<std::string>;

TEST_F(LaneTest, MessagesAreDeliveredInOrder) {
  push("a");
  push("b");
  EXPECT_EQ(endings_, (Texts{"a delivered", "b delivered"}));
  EXPECT_EQ(lane_->pending(), 0u);
}

TEST_F(LaneTest, AFailureHoldsUpThoseBehindSoThatOrderIsKept) {
  answer_ = [](const auto&) -> Result<void> { return fail(refused()); };
  push("a");
  push("b");
  EXPECT_EQ(attempts_, Texts{"a"});
  answer_ = nullptr;
  timers_.advance(1s);
  EXPECT_EQ(endings_, (Texts{"a delivered", "b delivered"}));
  EXPECT_EQ(attempts_, (Texts{"a", "a", "b"}));
}

TEST_F(LaneTest, WaitsGrowFromOneSecondToFiveMinutesAndTheMessageIsGivenUpAfterADay) {
  answer_ = [](const auto&) -> Result<void> { return fail(refused()); };
  const SteadyTime begin = clock_.steady_now();
  push("a");
  timers_.advance(25h);
  EXPECT_EQ(endings_, Texts{"a given up"});
  for (std::size_t i = 1; i < attempted_at_.size(); ++i) {
    const Duration wait = attempted_at_[i] - attempted_at_[i - 1];
    EXPECT_GE(wait, 500ms);
    EXPECT_LE(wait, kLongestRetry);
  }
  EXPECT_LE(attempted_at_.back() - begin, kGiveUpAfter);
  EXPECT_GT(attempted_at_.size(), 288u) << "at least one attempt in five minutes";
}

TEST_F(LaneTest, ABusyReceiverIsLeftAloneAsLongAsItAsks) {
  answer_ = [](const auto&) -> Result<void> {
    Error busy(ErrorClass::kBusy, "receiver_busy", "Busy.");
    busy.retry_after_ms = 60'000;
    return fail(std::move(busy));
  };
  push("a");
  timers_.advance(59s);
  EXPECT_EQ(attempts_.size(), 1u);
  timers_.advance(1s);
  EXPECT_EQ(attempts_.size(), 2u);
}

TEST_F(LaneTest, AMessageThatTheReceiverRefusesDoesNotHoldUpTheNext) {
  answer_ = [](const auto& row) -> Result<void> {
    if (row.id == "a") return fail(ErrorClass::kConfiguration, "message_refused", "Status 422.");
    return {};
  };
  push("a");
  push("b");
  timers_.advance(1s);
  EXPECT_EQ(endings_, (Texts{"a given up", "b delivered"}));
}

TEST_F(LaneTest, RoomIsMadeByTheOldestThatIsNotUnderWay) {
  hold_ = std::make_shared<Event>(io_.get_executor());
  push("a");
  push("b");
  push("c");
  const auto dropped = lane_->drop_oldest();
  ASSERT_TRUE(dropped);
  EXPECT_EQ(dropped->id, "b");
  std::exchange(hold_, nullptr)->set();
  timers_.settle();
  EXPECT_EQ(endings_, (Texts{"a delivered", "c delivered"}));
}

TEST_F(LaneTest, NothingIsSentWhileItIsNotActive) {
  lane_->set_active(false);
  push("a");
  timers_.advance(1h);
  EXPECT_TRUE(attempts_.empty());
  lane_->set_active(true);
  timers_.settle();
  EXPECT_EQ(endings_, Texts{"a delivered"});
}

TEST_F(LaneTest, AnEditTriesAgainAtOnce) {
  answer_ = [](const auto&) -> Result<void> { return fail(refused()); };
  push("a");
  timers_.advance(1h);
  answer_ = nullptr;
  lane_->retry_now();
  timers_.settle();
  EXPECT_EQ(endings_, Texts{"a delivered"});
  EXPECT_EQ(failures_, 0);
}

TEST_F(LaneTest, AMessageOfAnEarlierRunIsAsOldAsItIs) {
  answer_ = [](const auto&) -> Result<void> { return fail(refused()); };
  lane_->push({"old", "N", "{}", clock_.utc_now() - 23h});
  timers_.advance(50min);
  EXPECT_TRUE(endings_.empty());
  timers_.advance(10min);
  EXPECT_EQ(endings_, Texts{"old given up"});
}

TEST_F(LaneTest, AStepOfTheWallClockGivesNothingUp) {
  answer_ = [](const auto&) -> Result<void> { return fail(refused()); };
  push("a");
  clock_.step_utc(48h);
  timers_.advance(1h);
  EXPECT_TRUE(endings_.empty());
}

TEST_F(LaneTest, NothingIsSentAfterTheStop) {
  answer_ = [](const auto&) -> Result<void> { return fail(refused()); };
  push("a");
  lane_->stop();
  timers_.advance(1h);
  EXPECT_EQ(attempts_.size(), 1u);
  EXPECT_EQ(timers_.armed(), 0u);
}

}  // namespace
}  // namespace tributary::notices
