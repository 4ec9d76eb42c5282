// Room that runs out is told before it is gone (edge case 28).
#include "orchestrate/delivery/room_watch.hpp"

#include "orchestrate/tests/engine_support.hpp"

namespace tributary::orchestrate {
namespace {

TEST(Watermark, edge_28_IsReachedAtEachMarkAndLeftFivePointsBelow) {
  int level = 0;
  const auto at = [&level](double share) { return level = watermark(share, level); };
  EXPECT_EQ(at(0.79), 0);
  EXPECT_EQ(at(0.80), 1);
  EXPECT_EQ(at(0.76), 1) << "it swings around the mark";
  EXPECT_EQ(at(0.91), 2);
  EXPECT_EQ(at(1.20), 3);
  EXPECT_EQ(at(0.905), 3);
  EXPECT_EQ(at(0.89), 2);
  EXPECT_EQ(at(0.74), 0) << "several marks at once";
}

class RoomWatchTest : public EngineTest {
 protected:
  RoomWatchTest() {
    ask([this] {
      alarms_.emplace(*runtime_, *store_);
      watch_.emplace(*alarms_);
      return true;
    });
  }
  ~RoomWatchTest() override {
    ask([this] {
      watch_.reset();
      alarms_.reset();
      return true;
    });
  }
  // What is active after it has looked: "kind severity", and the message of the last one.
  template <typename What>
  std::vector<std::string> after(const What& what) {
    return ask([&] {
      watch_->look_at(what);
      std::vector<std::string> active;
      for (const auto& alarm : alarms_->active()) {
        active.push_back(alarm.kind + " " + alarm.severity);
        message_ = alarm.message;
      }
      return active;
    });
  }

  using Active = std::vector<std::string>;
  std::optional<connect::Alarms> alarms_;
  std::optional<RoomWatch> watch_;
  std::string message_;
};

TEST_F(RoomWatchTest, AQueueHasOneAlarmUntilThereIsRoomOrItIsGone) {
  QueueRoom room{{"P1", "d"}, "Line 3", "C1", 0, {1000, spool::WhenFull::kDropOldest}};
  const auto filled = [&](std::int64_t bytes) {
    room.bytes = bytes;
    return after(std::vector{room});
  };
  EXPECT_EQ(filled(799), Active{});
  EXPECT_EQ(filled(800), Active{"queue_filling warning"});
  EXPECT_NE(message_.find("80 %"), std::string::npos) << message_;
  EXPECT_NE(message_.find("oldest records are dropped"), std::string::npos) << message_;
  EXPECT_EQ(filled(960), Active{"queue_filling error"});
  EXPECT_EQ(filled(760), Active{"queue_filling warning"});
  EXPECT_EQ(filled(700), Active{});
  EXPECT_EQ(filled(960), Active{"queue_filling error"});
  EXPECT_EQ(after(std::vector<QueueRoom>{}), Active{});
}

TEST_F(RoomWatchTest, AFullDiskIsToldApartFromABrokenOne) {
  spool::Room room{50LL << 30, 1LL << 40, std::nullopt};
  const auto seen = [&] { return after(Result<spool::Room>(room)); };
  EXPECT_EQ(seen(), Active{}) << "50 GiB are room enough, whatever their share of the disk";
  room.free_bytes = 9LL << 30;
  EXPECT_EQ(seen(), Active{"disk_filling warning"});
  room.free_bytes = 0;
  room.trouble = Error(ErrorClass::kInternal, "disk_full", "The disk is full.", "Free some.");
  EXPECT_EQ(seen(), (Active{"disk_filling error", "disk_full error"}));
  EXPECT_EQ(message_, "The disk is full. Free some.");
  room.free_bytes = 900LL << 30;
  room.trouble = Error(ErrorClass::kInternal, "spool_failed", "The disk has failed.");
  EXPECT_EQ(seen(), Active{"spool_failed error"});
  room.trouble.reset();
  EXPECT_EQ(seen(), Active{});
}

}  // namespace
}  // namespace tributary::orchestrate
