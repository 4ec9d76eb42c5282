// trigger.schedule at work: times of the calendar, clocks that are set, and hubs that were down.
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using namespace std::chrono_literals;

std::string pipeline(std::string_view settings, std::string_view more = "") {
  return R"({"name": "x", )" + std::string(more) +
         R"("nodes": [{"id": "t", "type": "trigger.schedule", "settings": )" +
         std::string(settings) +
         R"(}, {"id": "d", "type": "function", "settings": {"functionId": "write"}}],
    "edges": [{"from": "t", "to": "d"}]})";
}

// The world begins on 2023-11-14 at 22:13:20 UTC.
class ScheduleTrigger : public testing::Test {
 protected:
  std::vector<std::string> told() const {
    std::vector<std::string> times;
    for (const Call& call : world_.port.calls)
      times.push_back(get_string(get_member(call.parameters, "payload"), "time"));
    return times;
  }

  RunnerWorld world_;
};

using Times = std::vector<std::string>;

TEST_F(ScheduleTrigger, StartsAtItsTimes) {
  world_.start(pipeline(R"({"cron": "0 * * * *"})"));
  world_.advance(2h);
  EXPECT_EQ(told(), (Times{"2023-11-14T23:00:00.000Z", "2023-11-15T00:00:00.000Z"}));
}

TEST_F(ScheduleTrigger, TheRecordHasTheTimeOfTheZone) {
  world_.start(pipeline(R"({"cron": "30 7 * * *", "timeZone": "Europe/Istanbul"})"));
  world_.advance(8h);
  ASSERT_EQ(world_.port.calls.size(), 1u);
  EXPECT_EQ(
      to_text(get_member(world_.port.calls[0].parameters, "payload")),
      R"({"tick":1,"time":"2023-11-15T04:30:00.000Z","localTime":"2023-11-15T07:30:00+03:00",)"
      R"("$meta":{"trigger":"t","time":"2023-11-15T04:30:00.000Z"}})");
}

TEST_F(ScheduleTrigger, EverySecondIsPossible) {
  world_.start(pipeline(R"({"cron": "* * * * * *"})"));
  world_.advance(100s);
  EXPECT_EQ(told().size(), 100u);
  EXPECT_EQ(world_.snapshot().missed_ticks, 0);
}

TEST_F(ScheduleTrigger, edge_18_AClockThatIsSetBackRepeatsNothing) {
  world_.start(pipeline(R"({"cron": "*/10 * * * *"})"));
  world_.advance(30min);  // 22:20, 22:30, 22:40
  EXPECT_EQ(told().size(), 3u);
  world_.clock.step_utc(-1h);
  world_.advance(1h);
  EXPECT_EQ(told().size(), 3u);
  world_.advance(10min);
  EXPECT_EQ(told().back(), "2023-11-14T22:50:00.000Z");
}

TEST_F(ScheduleTrigger, edge_18_AClockThatIsSetForwardStartsTheLastTimeOnce) {
  world_.start(pipeline(R"({"cron": "*/10 * * * *"})"));
  world_.clock.step_utc(1h);
  world_.advance(1min);
  EXPECT_EQ(told(), Times{"2023-11-14T23:10:00.000Z"});
  EXPECT_EQ(world_.snapshot().missed_ticks, 5);
}

TEST_F(ScheduleTrigger, edge_18_AClockThatWasWrongByFarGoesOnWithTheRightTime) {
  world_.start(pipeline(R"({"cron": "0 * * * *"})"));
  world_.clock.step_utc(-24h * 365);
  world_.advance(1h);
  EXPECT_EQ(told(), Times{"2022-11-14T23:00:00.000Z"});
  world_.clock.step_utc(24h * 365);
  world_.advance(1h);
  // The year in between is neither repeated nor made up for.
  EXPECT_EQ(told(), (Times{"2022-11-14T23:00:00.000Z", "2023-11-15T00:00:00.000Z"}));
}

TEST_F(ScheduleTrigger, WhatFindsThePipelineBusyIsMergedIntoTheNext) {
  world_.port.hold = std::make_shared<Event>(world_.io.get_executor());
  world_.start(pipeline(R"({"cron": "* * * * *"})"));
  world_.advance(10min);
  EXPECT_EQ(world_.port.active, 1u);
  EXPECT_EQ(world_.snapshot().missed_ticks, 9);
  std::exchange(world_.port.hold, nullptr)->set();
  world_.advance(1min);
  EXPECT_EQ(told().size(), 2u);
}

TEST_F(ScheduleTrigger, TimesThatWentByWithoutTheHubAreLeftOutUnlessTheySayOtherwise) {
  const UtcTime now = world_.clock.utc_now();
  world_.downtime = Downtime{now - 5h, now};
  world_.start(pipeline(R"({"cron": "0 * * * *"})"));
  EXPECT_EQ(told(), Times{});
  world_.stop();
  world_.start(pipeline(R"({"cron": "0 * * * *", "catchUp": "last"})"));
  EXPECT_EQ(told(), Times{"2023-11-14T22:00:00.000Z"});
  EXPECT_TRUE(get_bool(get_member(world_.port.calls[0].parameters, "payload"), "caughtUp", false));
  EXPECT_EQ(world_.snapshot().missed_ticks, 4);
}

TEST_F(ScheduleTrigger, WhatWasNotMissedIsNotMadeUpFor) {
  const UtcTime now = world_.clock.utc_now();
  world_.downtime = Downtime{now - 10min, now};
  world_.start(pipeline(R"({"cron": "0 * * * *", "catchUp": "last"})"));
  EXPECT_EQ(told(), Times{});
}

TEST_F(ScheduleTrigger, AStopEndsItsTimer) {
  world_.start(pipeline(R"({"cron": "0 0 1 1 *"})"));
  world_.advance(5min);
  world_.stop();
  EXPECT_EQ(world_.timers.armed(), 0u);
}

TEST(ScheduleTriggerCheck, NamesWhatIsWrong) {
  FakePort port;
  port.add("write", sdk::FunctionKind::kWrite);
  const NodeCatalogue catalogue;
  const auto problem = [&](std::string_view settings) {
    const Checked checked = check_pipeline(json(pipeline(settings)), catalogue, port);
    return checked.problems.empty() ? std::string()
                                    : checked.problems[0].pointer + " " + checked.problems[0].code;
  };
  EXPECT_EQ(problem(R"({"cron": "0 6 * * *", "timeZone": "Europe/Berlin", "catchUp": "last"})"),
            "");
  EXPECT_EQ(problem("{}"), "/nodes/0/settings/cron required");
  EXPECT_EQ(problem(R"({"cron": "0 6 * * *", "intervalMs": 100})"),
            "/nodes/0/settings/intervalMs invalid");
  EXPECT_EQ(problem(R"({"cron": "0 25 * * *"})"), "/nodes/0/settings/cron invalid_cron");
  EXPECT_EQ(problem(R"({"cron": "0 6 * * *", "timeZone": "Europe/Berln"})"),
            "/nodes/0/settings/timeZone unknown_zone");
  EXPECT_EQ(problem(R"({"intervalMs": 100, "catchUp": "last"})"),
            "/nodes/0/settings/catchUp invalid");
}

}  // namespace
}  // namespace tributary::orchestrate
