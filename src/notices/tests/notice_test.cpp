// The pure parts: signature, rule, messages.
#include "notices/notice.hpp"

#include <gtest/gtest.h>

#include "notices/signature.hpp"

namespace tributary::notices {
namespace {

store::NoticeRow row_of(std::string_view body) {
  store::NoticeRow row;
  from_body(*parse_json(body), row);
  return row;
}

// Checked against Python: hmac.new(b"secret", b'1763805600.{"a":1}', "sha256").hexdigest()
TEST(Signature, IsTheHmacOfTimeAndBody) {
  const UtcTime at{std::chrono::seconds{1'763'805'600}};
  EXPECT_EQ(signature(Secret("secret"), at, R"({"a":1})"),
            "t=1763805600,v1=71bd7618f6e46475a3db59fb3f1d683524dc7f4f53904c9fd3a078473acbbf91");
}

TEST(NoticeRule, NamingNothingMeansEveryStatusAndNoAlarm) {
  const Rule rule = read_rule(row_of(R"({"name": "a", "url": "http://x/"})"));
  EXPECT_TRUE(rule.wants_statuses);
  EXPECT_TRUE(rule.statuses.takes(connect::Status::kIdle, connect::Status::kConnecting));
  EXPECT_FALSE(rule.wants_alarm("silent"));
  EXPECT_EQ(rule.digest.hold, Duration::zero());
  EXPECT_EQ(rule.digest.debounce, std::chrono::seconds{10});
}

TEST(NoticeRule, AlarmsAloneMeanNoStatus) {
  const Rule rule =
      read_rule(row_of(R"({"name": "a", "url": "http://x/", "filter": {"alarms": ["silent"]}})"));
  EXPECT_FALSE(rule.wants_statuses);
  EXPECT_TRUE(rule.wants_alarm("silent"));
  EXPECT_FALSE(rule.wants_alarm("flapping"));
}

TEST(NoticeRule, AStarMeansEveryAlarm) {
  const Rule rule = read_rule(row_of(
      R"({"name": "a", "url": "http://x/", "filter": {"to": ["Failed"], "alarms": ["*"]}})"));
  EXPECT_TRUE(rule.wants_statuses);
  EXPECT_TRUE(rule.wants_alarm("whatever_comes"));
}

TEST(NoticeMessage, SaysWhatHappenedToWhom) {
  StatusNews news;
  news.subject = {"C1", "Filler", "modbus", *parse_json(R"({"line": "3"})")};
  news.from = connect::Status::kConnected;
  news.state.status = connect::Status::kDisconnected;
  news.state.since = UtcTime{std::chrono::seconds{1'763'805'600}};
  news.state.cause =
      connect::Cause{Error(ErrorClass::kTransient, "connection_reset", "Reset."), news.state.since};
  const Json message = status_message("M1", UtcTime{std::chrono::seconds{1'763'805'601}}, news, 2);
  EXPECT_EQ(to_text(message),
            R"({"id":"M1","type":"connection.status","at":"2025-11-22T10:00:01.000Z",)"
            R"("connection":{"id":"C1","name":"Filler","type":"modbus","labels":{"line":"3"}},)"
            R"("from":"Connected","to":"Disconnected","since":"2025-11-22T10:00:00.000Z",)"
            R"("cause":{"class":"Transient","code":"connection_reset","message":"Reset.",)"
            R"("at":"2025-11-22T10:00:00.000Z"},"suppressed":2})");
}

TEST(NoticeMessage, AnAlarmSaysWhetherItIsRaisedOrCleared) {
  AlarmNews news;
  news.alarm.kind = "silent";
  news.alarm.message = "Nothing for a minute.";
  const Json raised = alarm_message("M1", {}, news, 0);
  EXPECT_EQ(get_string(raised, "type"), "alarm");
  EXPECT_EQ(get_string(get_member(raised, "alarm"), "state"), "raised");
  EXPECT_TRUE(get_member(raised, "connection").is_null());
  news.alarm.cleared_at = UtcTime{};
  EXPECT_EQ(get_string(get_member(alarm_message("M2", {}, news, 0), "alarm"), "state"), "cleared");
}

}  // namespace
}  // namespace tributary::notices
