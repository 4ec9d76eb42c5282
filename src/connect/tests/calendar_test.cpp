// When windows take place. The instants were worked out with another implementation (Python's
// zoneinfo), by hand for the days on which clocks are changed.
#include "connect/maintenance/calendar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tributary::connect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Zone zone(const std::string& name) {
  return *Zone::find(name);
}

CalendarRule daily(int hour, int minute, int duration) {
  CalendarRule rule;
  rule.repeats = Repeats::kDaily;
  rule.at_minute = hour * 60 + minute;
  rule.duration_minutes = duration;
  return rule;
}

// "from/to" in UTC, without seconds.
std::vector<std::string> plan(const CalendarRule& rule, const std::string& zone_name,
                              const std::string& after, std::size_t limit) {
  std::vector<std::string> found;
  for (const auto& occurrence : occurrences(rule, zone(zone_name), *parse_utc(after), limit)) {
    found.push_back(format_utc(occurrence.from).substr(0, 16) + "/" +
                    format_utc(occurrence.to).substr(0, 16));
  }
  return found;
}

TEST(Calendar, a_daily_window_follows_the_clock_on_the_wall_through_the_year) {
  const auto night = daily(2, 0, 60);
  EXPECT_THAT(
      plan(night, "Europe/Berlin", "2026-01-15T12:00:00Z", 2),
      ElementsAre("2026-01-16T01:00/2026-01-16T02:00", "2026-01-17T01:00/2026-01-17T02:00"));
  EXPECT_THAT(plan(night, "Europe/Berlin", "2026-07-15T12:00:00Z", 1),
              ElementsAre("2026-07-16T00:00/2026-07-16T01:00"));
}

TEST(Calendar, a_start_in_the_skipped_hour_is_the_moment_after_it) {
  EXPECT_THAT(
      plan(daily(2, 30, 60), "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
      ElementsAre("2026-03-29T01:00/2026-03-29T01:30", "2026-03-30T00:30/2026-03-30T01:30"));
}

TEST(Calendar, a_window_within_the_skipped_hour_takes_place_after_it) {
  EXPECT_THAT(plan(daily(2, 15, 20), "America/New_York", "2026-03-08T00:00:00Z", 1),
              ElementsAre("2026-03-08T07:00/2026-03-08T07:20"));
}

TEST(Calendar, the_repeated_hour_happens_once) {
  EXPECT_THAT(
      plan(daily(2, 30, 30), "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
      ElementsAre("2026-10-25T00:30/2026-10-25T02:00", "2026-10-26T01:30/2026-10-26T02:00"));
  EXPECT_THAT(plan(daily(1, 30, 60), "America/New_York", "2026-11-01T00:00:00Z", 1),
              ElementsAre("2026-11-01T05:30/2026-11-01T07:30"));
}

TEST(Calendar, an_end_in_the_repeated_hour_is_the_second_one) {
  EXPECT_THAT(plan(daily(1, 0, 90), "Europe/Berlin", "2026-10-24T12:00:00Z", 1),
              ElementsAre("2026-10-24T23:00/2026-10-25T01:30"));
}

TEST(Calendar, a_window_across_the_change_keeps_its_local_end) {
  EXPECT_THAT(plan(daily(22, 0, 8 * 60), "Europe/Berlin", "2026-03-28T12:00:00Z", 1),
              ElementsAre("2026-03-28T21:00/2026-03-29T04:00"))
      << "seven hours, until six in the morning";
  EXPECT_THAT(plan(daily(22, 0, 8 * 60), "Europe/Berlin", "2026-10-24T12:00:00Z", 1),
              ElementsAre("2026-10-24T20:00/2026-10-25T05:00"))
      << "nine hours, until six in the morning";
}

TEST(Calendar, clocks_that_change_by_half_an_hour) {
  EXPECT_THAT(plan(daily(2, 15, 60), "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1),
              ElementsAre("2026-10-03T15:30/2026-10-03T16:15"));
  EXPECT_THAT(plan(daily(1, 45, 30), "Australia/Lord_Howe", "2026-04-04T12:00:00Z", 1),
              ElementsAre("2026-04-04T14:45/2026-04-04T15:45"));
}

TEST(Calendar, clocks_that_change_for_a_month_of_fasting) {
  EXPECT_THAT(plan(daily(2, 30, 60), "Africa/Casablanca", "2026-02-14T12:00:00Z", 1),
              ElementsAre("2026-02-15T01:30/2026-02-15T03:30"));
  EXPECT_THAT(plan(daily(2, 30, 60), "Africa/Casablanca", "2026-03-21T12:00:00Z", 1),
              ElementsAre("2026-03-22T02:00/2026-03-22T02:30"));
}

TEST(Calendar, zones_that_are_not_on_the_hour) {
  EXPECT_THAT(plan(daily(2, 0, 60), "Asia/Kathmandu", "2026-05-05T12:00:00Z", 1),
              ElementsAre("2026-05-05T20:15/2026-05-05T21:15"));
}

TEST(Calendar, the_occurrence_under_way_is_the_first) {
  EXPECT_THAT(plan(daily(22, 0, 8 * 60), "Europe/Berlin", "2026-06-02T02:00:00Z", 1),
              ElementsAre("2026-06-01T20:00/2026-06-02T04:00"));
  EXPECT_THAT(plan(daily(22, 0, 8 * 60), "Europe/Berlin", "2026-06-02T04:00:00Z", 1),
              ElementsAre("2026-06-02T20:00/2026-06-03T04:00"))
      << "at its end it is over";
}

TEST(Calendar, a_weekly_window_takes_place_on_its_days) {
  CalendarRule rule = daily(4, 0, 30);
  rule.repeats = Repeats::kWeekly;
  rule.weekdays = 1 << 0 | 1 << 3;  // Monday, Thursday
  EXPECT_THAT(plan(rule, "UTC", "2026-11-25T00:00:00Z", 3),
              ElementsAre("2026-11-26T04:00/2026-11-26T04:30", "2026-11-30T04:00/2026-11-30T04:30",
                          "2026-12-03T04:00/2026-12-03T04:30"));
}

TEST(Calendar, the_31st_is_the_last_day_of_shorter_months) {
  CalendarRule rule = daily(0, 0, 60);
  rule.repeats = Repeats::kMonthly;
  rule.day_of_month = 31;
  EXPECT_THAT(plan(rule, "UTC", "2028-01-31T12:00:00Z", 3),
              ElementsAre("2028-02-29T00:00/2028-02-29T01:00", "2028-03-31T00:00/2028-03-31T01:00",
                          "2028-04-30T00:00/2028-04-30T01:00"));
}

TEST(Calendar, a_weekday_of_a_week_of_the_month) {
  CalendarRule second_tuesday = daily(3, 0, 60);
  second_tuesday.repeats = Repeats::kMonthly;
  second_tuesday.week = 2;
  second_tuesday.weekday = 1;
  EXPECT_THAT(
      plan(second_tuesday, "UTC", "2026-11-25T00:00:00Z", 2),
      ElementsAre("2026-12-08T03:00/2026-12-08T04:00", "2027-01-12T03:00/2027-01-12T04:00"));
  CalendarRule last_sunday = second_tuesday;
  last_sunday.week = kLastWeek;
  last_sunday.weekday = 6;
  EXPECT_THAT(
      plan(last_sunday, "UTC", "2026-11-25T00:00:00Z", 2),
      ElementsAre("2026-11-29T03:00/2026-11-29T04:00", "2026-12-27T03:00/2026-12-27T04:00"));
}

TEST(Calendar, once_is_once) {
  CalendarRule rule;
  rule.once = {*parse_utc("2026-12-01T21:00:00Z"), *parse_utc("2026-12-02T03:00:00Z")};
  EXPECT_THAT(plan(rule, "UTC", "2026-12-02T02:59:59Z", 5),
              ElementsAre("2026-12-01T21:00/2026-12-02T03:00"));
  EXPECT_THAT(plan(rule, "UTC", "2026-12-02T03:00:00Z", 5), ElementsAre());
}

TEST(Calendar, local_times_carry_the_offset_of_their_day) {
  const Zone berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin.format(*parse_utc("2026-03-29T01:00:00Z")), "2026-03-29T03:00:00+02:00");
  EXPECT_EQ(berlin.format(*parse_utc("2026-03-29T00:59:59Z")), "2026-03-29T01:59:59+01:00");
  EXPECT_EQ(zone("America/St_Johns").format(*parse_utc("2026-01-01T00:00:00Z")),
            "2025-12-31T20:30:00-03:30");
}

TEST(Calendar, an_unknown_zone_gets_near_names) {
  EXPECT_THAT(Zone::find("Europe/Berln").error().hint, HasSubstr("Europe/Berlin"));
  EXPECT_THAT(Zone::find("Istanbul").error().hint, HasSubstr("Istanbul"));
  EXPECT_EQ(Zone::find("../etc/passwd").error().code, "unknown_zone");
}

TEST(Calendar, a_time_without_an_offset_is_the_clock_on_the_wall) {
  EXPECT_EQ(parse_wall("1970-01-02T00:01"), WallTime{86'460});
  EXPECT_EQ(parse_wall("1970-01-02T00:01:05"), WallTime{86'465});
  EXPECT_FALSE(parse_wall("1970-01-02T00:01Z"));
  EXPECT_FALSE(parse_wall("1970-13-02T00:01"));
}

}  // namespace
}  // namespace tributary::connect
