// What schedules mean, on ordinary days and on those on which the clocks change.
#include <gtest/gtest.h>

#include "orchestrate/schedule/cron.hpp"

namespace tributary::orchestrate::schedule {
namespace {

using connect::Zone;
using Texts = std::vector<std::string>;

Zone zone(const std::string& name) {
  auto found = Zone::find(name);
  EXPECT_TRUE(found.has_value()) << name;
  return *found;
}

UtcTime utc(std::string_view text) {
  auto time = parse_utc(text);
  EXPECT_TRUE(time.has_value()) << text;
  return time.value_or(UtcTime{});
}

Cron cron(std::string_view text) {
  auto parsed = Cron::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << (parsed ? "" : parsed.error().message);
  return *parsed;
}

// The next starts as the clock of the zone shows them.
Texts starts(std::string_view text, const std::string& in, std::string_view after,
             std::size_t count) {
  const Zone where = zone(in);
  Texts shown;
  for (const UtcTime time : cron(text).next_n(where, utc(after), count))
    shown.push_back(where.format(time));
  return shown;
}
std::string first(std::string_view text, std::string_view after = "2026-01-01T00:00:00Z") {
  const Texts shown = starts(text, "UTC", after, 1);
  return shown.empty() ? "never" : shown[0].substr(0, 19);
}

// "3: what is wrong"
std::string problem(std::string_view text) {
  const auto parsed = Cron::parse(text);
  if (parsed) return "";
  return std::to_string(parsed.error().column) + ": " + parsed.error().message;
}

TEST(Cron, FiveFieldsAreMinutesSixHaveSeconds) {
  EXPECT_EQ(first("5 4 * * *"), "2026-01-01T04:05:00");
  EXPECT_EQ(first("30 5 4 * * *"), "2026-01-01T04:05:30");
  EXPECT_EQ(first("* * * * *", "2026-01-01T00:00:59Z"), "2026-01-01T00:01:00");
  EXPECT_EQ(first("* * * * * *", "2026-01-01T00:00:59.5Z"), "2026-01-01T00:01:00");
}

TEST(Cron, TheStartItselfIsNotAfterItself) {
  EXPECT_EQ(first("0 0 * * *", "2026-01-01T00:00:00Z"), "2026-01-02T00:00:00");
  EXPECT_EQ(first("0 0 * * *", "2025-12-31T23:59:59.999Z"), "2026-01-01T00:00:00");
}

TEST(Cron, ListsRangesAndSteps) {
  EXPECT_EQ(starts("0,20,40 8-9 * * *", "UTC", "2026-01-01T00:00:00Z", 7).back(),
            "2026-01-02T08:00:00+00:00");
  EXPECT_EQ(starts("*/25 * * * *", "UTC", "2026-01-01T00:00:00Z", 3),
            (Texts{"2026-01-01T00:25:00+00:00", "2026-01-01T00:50:00+00:00",
                   "2026-01-01T01:00:00+00:00"}));
  EXPECT_EQ(starts("10/20 0 * * *", "UTC", "2026-01-01T00:00:00Z", 3),
            (Texts{"2026-01-01T00:10:00+00:00", "2026-01-01T00:30:00+00:00",
                   "2026-01-01T00:50:00+00:00"}));
  EXPECT_EQ(starts("0 22-2/2 * * *", "UTC", "2026-01-01T00:00:00Z", 3),
            (Texts{"2026-01-01T02:00:00+00:00", "2026-01-01T22:00:00+00:00",
                   "2026-01-02T00:00:00+00:00"}));
}

TEST(Cron, NamesInAnyCaseAndRangesRoundTheWeek) {
  EXPECT_EQ(first("0 6 * jan mon"), "2026-01-05T06:00:00");
  EXPECT_EQ(first("0 6 * Dec *"), "2026-12-01T06:00:00");
  EXPECT_EQ(starts("0 6 * * FRI-MON", "UTC", "2026-01-05T12:00:00Z", 2),
            (Texts{"2026-01-09T06:00:00+00:00", "2026-01-10T06:00:00+00:00"}));
  EXPECT_EQ(first("0 6 * * 7"), first("0 6 * * 0"));
  EXPECT_EQ(first("0 6 * * 5-7", "2026-01-03T12:00:00Z"), "2026-01-04T06:00:00");
}

TEST(Cron, DayAndWeekdayTogetherAreEither) {
  EXPECT_EQ(starts("0 0 13 * FRI", "UTC", "2026-01-01T00:00:00Z", 3),
            (Texts{"2026-01-02T00:00:00+00:00", "2026-01-09T00:00:00+00:00",
                   "2026-01-13T00:00:00+00:00"}));
  EXPECT_EQ(starts("0 0 13 * ?", "UTC", "2026-01-01T00:00:00Z", 1),
            Texts{"2026-01-13T00:00:00+00:00"});
  // A field that begins with * holds back the other: every second day, if it is a Monday.
  EXPECT_EQ(first("0 0 */2 * MON"), "2026-01-05T00:00:00");
}

TEST(Cron, LastDaysAndWorkingDays) {
  EXPECT_EQ(first("0 0 L * *", "2028-02-01T00:00:00Z"), "2028-02-29T00:00:00");
  EXPECT_EQ(first("0 0 L-2 * *"), "2026-01-29T00:00:00");
  EXPECT_EQ(first("0 0 LW * *", "2026-02-01T00:00:00Z"), "2026-02-27T00:00:00");   // 28 is Saturday
  EXPECT_EQ(first("0 0 15W * *", "2026-02-01T00:00:00Z"), "2026-02-16T00:00:00");  // Sunday → 16
  EXPECT_EQ(first("0 0 1W * *", "2026-07-31T00:00:00Z"), "2026-08-03T00:00:00");   // Saturday → 3
  EXPECT_EQ(first("0 0 31W * *", "2026-05-30T00:00:00Z"),
            "2026-07-31T00:00:00");  // May: Sunday → 29
  EXPECT_EQ(first("0 0 * * 5L"), "2026-01-30T00:00:00");
  EXPECT_EQ(first("0 0 * * FRIL"), "2026-01-30T00:00:00");
  EXPECT_EQ(first("0 0 * * TUE#2"), "2026-01-13T00:00:00");
  EXPECT_EQ(first("0 0 * * 6#5"), "2026-01-31T00:00:00");
}

TEST(Cron, RareDaysAreFound) {
  EXPECT_EQ(first("0 0 29 2 *"), "2028-02-29T00:00:00");
  EXPECT_EQ(first("0 0 29 2 *", "2096-03-01T00:00:00Z"), "2104-02-29T00:00:00");
}

TEST(Cron, Macros) {
  const auto same = [](std::string_view a, std::string_view b) {
    const Zone berlin = zone("Europe/Berlin");
    const UtcTime after = utc("2026-01-15T10:30:00Z");
    return cron(a).next_n(berlin, after, 5) == cron(b).next_n(berlin, after, 5);
  };
  EXPECT_TRUE(same("@hourly", "0 * * * *"));
  EXPECT_TRUE(same("@daily", "0 0 * * *"));
  EXPECT_TRUE(same("@midnight", "0 0 * * *"));
  EXPECT_TRUE(same("@weekly", "0 0 * * SUN"));
  EXPECT_TRUE(same("@monthly", "0 0 1 * *"));
  EXPECT_TRUE(same("@YEARLY", "0 0 1 JAN *"));
  EXPECT_TRUE(same("@annually", "0 0 1 1 *"));
  EXPECT_TRUE(same("  @daily ", "0  0\t* * *"));
}

TEST(Cron, EveryProblemHasItsColumn) {
  EXPECT_EQ(problem("60 * * * *"), "1: 60 is not a minute: it is 0 to 59.");
  EXPECT_EQ(problem("0 0 1,32 * *"), "7: 32 is not a day of the month: it is 1 to 31.");
  EXPECT_EQ(problem("0 0 * * MON-FRY"), "13: 'FRY' is not a day of the week. Did you mean FRI?");
  EXPECT_EQ(problem("*/0 * * * *"), "3: '0' is not a step: for a minute it is 1 to 59.");
  EXPECT_EQ(problem("0 0 20-10 * *"), "5: The range 20-10 ends before it begins.");
  EXPECT_EQ(problem("0 0 , * *"), "5: Here a day of the month is missing.");
  EXPECT_EQ(problem("0 0 30 2 ?"), "5: There is no such day in any month that is named.");
  EXPECT_EQ(problem("0 0 * * L"),
            "9: L needs a day of the week in front of it: 5L or FRIL is the last Friday.");
  EXPECT_EQ(problem("0 0 * * 2#6"), "11: Behind # stands which of the month: 1 to 5.");
  EXPECT_EQ(problem("? * * * *"), "1: A ? stands only for a day.");
  EXPECT_EQ(problem("0 0 -1 * *"), "5: Here a day of the month is missing.");
  EXPECT_EQ(problem("@dayly").substr(0, 24), "1: There is no '@dayly';");
  EXPECT_EQ(problem("* * *").substr(0, 2), "6:");
  EXPECT_EQ(problem("0 0 0 * * * 2026").substr(0, 3), "13:");
  EXPECT_EQ(problem("").substr(0, 2), "1:");
  EXPECT_EQ(problem(std::string(300, '*')).substr(0, 4), "257:");
  EXPECT_EQ(problem("1.5 * * * *"), "1: '1.5' is not a minute.");
  EXPECT_EQ(problem("99999999999 * * * *"), "1: '99999999999' is not a minute.");
}

// ---- days on which the clocks change ----

TEST(CronClockChange, ASkippedTimeStartsOnceAtTheJump) {
  EXPECT_EQ(starts("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
            (Texts{"2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00",
                   "2026-03-30T02:30:00+02:00"}));
  // Many skipped times are one start.
  EXPECT_EQ(starts("*/10 2 * * *", "Europe/Berlin", "2026-03-28T01:50:00Z", 2),
            (Texts{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}));
  // And one with the start that lies at the jump itself.
  EXPECT_EQ(starts("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
            (Texts{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}));
}

TEST(CronClockChange, ARepeatedTimeStartsOnce) {
  EXPECT_EQ(starts("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            (Texts{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}));
  EXPECT_EQ(starts("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2),
            (Texts{"2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"}));
}

TEST(CronClockChange, SchedulesOfEveryHourFollowRealHours) {
  EXPECT_EQ(starts("0 * * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", 3),
            (Texts{"2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00",
                   "2026-03-29T04:00:00+02:00"}));
  EXPECT_EQ(starts("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 3),
            (Texts{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00",
                   "2026-10-25T03:00:00+01:00"}));
}

TEST(CronClockChange, HalfAnHourOnLordHowe) {
  EXPECT_EQ(starts("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
            (Texts{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"}));
  EXPECT_EQ(starts("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2),
            (Texts{"2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"}));
  EXPECT_EQ(starts("45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:40:00Z", 3),
            (Texts{"2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30",
                   "2026-04-05T02:45:00+10:30"}));
}

TEST(CronClockChange, TwoHoursAtTroll) {
  EXPECT_EQ(starts("30 1,2 * * *", "Antarctica/Troll", "2026-03-28T12:00:00Z", 2),
            (Texts{"2026-03-29T03:00:00+02:00", "2026-03-30T01:30:00+02:00"}));
  EXPECT_EQ(starts("30 1,2 * * *", "Antarctica/Troll", "2026-10-24T12:00:00Z", 3),
            (Texts{"2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+02:00",
                   "2026-10-26T01:30:00+00:00"}));
}

TEST(CronClockChange, TheDayThatSamoaLeftOut) {
  EXPECT_EQ(starts("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 3),
            (Texts{"2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00",
                   "2011-12-31T12:00:00+14:00"}));
  EXPECT_EQ(starts("0 0 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 1),
            Texts{"2011-12-31T00:00:00+14:00"});
}

TEST(CronClockChange, MidnightThatDoesNotExist) {
  EXPECT_EQ(starts("0 0 * * *", "Africa/Cairo", "2026-04-23T00:00:00Z", 2),
            (Texts{"2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"}));
  EXPECT_EQ(starts("@daily", "America/Santiago", "2026-09-05T12:00:00Z", 2),
            (Texts{"2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"}));
}

TEST(CronClockChange, RamadanInCasablancaAndSummerInGaza) {
  // Morocco's clocks go back for Ramadan, 03:00 becomes 02:00 on 2026-02-15, and forward after it.
  EXPECT_EQ(starts("30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00:00Z", 2),
            (Texts{"2026-02-15T02:30:00+01:00", "2026-02-16T02:30:00+00:00"}));
  EXPECT_EQ(starts("30 2 * * *", "Africa/Casablanca", "2026-03-21T12:00:00Z", 2),
            (Texts{"2026-03-22T03:00:00+01:00", "2026-03-23T02:30:00+01:00"}));
  EXPECT_EQ(starts("30 2 * * *", "Asia/Gaza", "2026-03-27T12:00:00Z", 2),
            (Texts{"2026-03-28T03:00:00+03:00", "2026-03-29T02:30:00+03:00"}));
}

TEST(CronClockChange, ZonesThatChangedForGood) {
  EXPECT_EQ(starts("15 0 * * *", "Asia/Pyongyang", "2015-08-14T00:00:00Z", 2),
            (Texts{"2015-08-15T00:15:00+08:30", "2015-08-16T00:15:00+08:30"}));
  EXPECT_EQ(starts("45 23 * * *", "Asia/Pyongyang", "2018-05-03T16:00:00Z", 2),
            (Texts{"2018-05-05T00:00:00+09:00", "2018-05-05T23:45:00+09:00"}));
  EXPECT_EQ(starts("15 3 * * *", "America/Caracas", "2016-05-01T00:00:00Z", 2),
            (Texts{"2016-05-01T03:15:00-04:00", "2016-05-02T03:15:00-04:00"}));
}

}  // namespace
}  // namespace tributary::orchestrate::schedule
