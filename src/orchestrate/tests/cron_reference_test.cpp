// Schedules against a second program that knows only how to step: minute by minute, with the C
// library's clock on the wall instead of ours, over all zones and ten years and more.
#include <date/tz.h>
#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <set>

#include "orchestrate/schedule/cron.hpp"

namespace tributary::orchestrate::schedule {
namespace {

using Fires = std::vector<std::time_t>;

struct Schedule {
  const char* text;
  bool real_hours;
  bool (*falls_on)(const std::tm& wall, int last_day);
};

// Each text with what it means, written by hand.
const Schedule kSchedules[] = {
    {"0 * * * *", true, [](const std::tm& t, int) { return t.tm_min == 0; }},
    {"*/7 * * * *", true, [](const std::tm& t, int) { return t.tm_min % 7 == 0; }},
    {"15 */6 * * *", true,
     [](const std::tm& t, int) { return t.tm_min == 15 && t.tm_hour % 6 == 0; }},
    {"0 0 * * *", false, [](const std::tm& t, int) { return t.tm_min == 0 && t.tm_hour == 0; }},
    {"30 1 * * *", false, [](const std::tm& t, int) { return t.tm_min == 30 && t.tm_hour == 1; }},
    {"30 2 * * *", false, [](const std::tm& t, int) { return t.tm_min == 30 && t.tm_hour == 2; }},
    {"*/20 0-3 * * *", false,
     [](const std::tm& t, int) { return t.tm_min % 20 == 0 && t.tm_hour <= 3; }},
    {"5 2,3 * * SUN", false,
     [](const std::tm& t, int) {
       return t.tm_min == 5 && (t.tm_hour == 2 || t.tm_hour == 3) && t.tm_wday == 0;
     }},
    {"59 23 L * *", false,
     [](const std::tm& t, int last) {
       return t.tm_min == 59 && t.tm_hour == 23 && t.tm_mday == last;
     }},
    {"45 1 1-7 MAR,OCT MON", false,
     [](const std::tm& t, int) {
       return t.tm_min == 45 && t.tm_hour == 1 && (t.tm_mon == 2 || t.tm_mon == 9) &&
              (t.tm_mday <= 7 || t.tm_wday == 1);
     }},
    {"0 12 * * 0L", false,
     [](const std::tm& t, int last) {
       return t.tm_min == 0 && t.tm_hour == 12 && t.tm_wday == 0 && t.tm_mday + 7 > last;
     }},
    {"10 1 * * SUN#1", false,
     [](const std::tm& t, int) {
       return t.tm_min == 10 && t.tm_hour == 1 && t.tm_wday == 0 && t.tm_mday <= 7;
     }},
};

int last_day(const std::tm& wall) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int year = wall.tm_year + 1900;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[wall.tm_mon] + (leap && wall.tm_mon == 1 ? 1 : 0);
}

std::tm wall_at(std::time_t time) {
  std::tm wall{};
  ::localtime_r(&time, &wall);
  return wall;
}
// What the wall shows as one number: minutes since 1970 on that clock.
std::time_t wall_minutes(std::time_t time) {
  return (time + wall_at(time).tm_gmtoff) / 60;
}

// Steps through [from, to) and tells at which minutes each schedule starts. The clock has run since
// `begin`: what it shows once more is not new, and what it leaves out starts when it has jumped.
std::vector<Fires> step(std::time_t begin, std::time_t from, std::time_t to) {
  std::vector<Fires> fires(std::size(kSchedules));
  std::time_t furthest = wall_minutes(begin) - 1;
  for (std::time_t time = begin; time < to; time += 60) {
    const std::tm shown = wall_at(time);
    const std::time_t minutes = (time + shown.tm_gmtoff) / 60;
    std::vector<std::tm> fresh;
    for (std::time_t minute = furthest + 1; minute < minutes; ++minute) {
      const std::time_t seconds = minute * 60;
      std::tm skipped{};
      ::gmtime_r(&seconds, &skipped);
      fresh.push_back(skipped);
    }
    if (minutes > furthest) fresh.push_back(shown);
    furthest = std::max(furthest, minutes);
    if (time < from) continue;
    for (std::size_t i = 0; i < fires.size(); ++i) {
      const Schedule& schedule = kSchedules[i];
      bool starts = false;
      if (schedule.real_hours) {
        starts = schedule.falls_on(shown, last_day(shown));
      } else {
        for (const std::tm& wall : fresh)
          starts = starts || schedule.falls_on(wall, last_day(wall));
      }
      if (starts) fires[i].push_back(time);
    }
  }
  return fires;
}

Fires ours(const Cron& cron, const connect::Zone& zone, std::time_t from, std::time_t to) {
  Fires fires;
  UtcTime after{std::chrono::seconds{from - 1}};
  while (const auto next = cron.next(zone, after)) {
    const auto time = std::chrono::duration_cast<std::chrono::seconds>(next->time_since_epoch());
    if (time.count() >= to) break;
    fires.push_back(time.count());
    after = *next;
  }
  return fires;
}

std::time_t at(std::string_view text) {
  return std::chrono::duration_cast<std::chrono::seconds>(parse_utc(text)->time_since_epoch())
      .count();
}

// The instants at which the clock of the C library's zone changes.
std::vector<std::pair<std::time_t, long>> changes(std::time_t from, std::time_t to) {
  constexpr std::time_t kStep = 6 * 3600;
  std::vector<std::pair<std::time_t, long>> found;
  for (std::time_t time = from; time < to; time += kStep) {
    std::time_t low = time;
    std::time_t high = time + kStep;
    if (wall_at(low).tm_gmtoff == wall_at(high).tm_gmtoff) continue;
    const long before = wall_at(low).tm_gmtoff;
    while (high - low > 1) {
      const std::time_t middle = low + (high - low) / 2;
      (wall_at(middle).tm_gmtoff == before ? low : high) = middle;
    }
    found.emplace_back(high, wall_at(high).tm_gmtoff - before);
  }
  return found;
}

class CronReference : public testing::Test {
 protected:
  CronReference() {
    for (const Schedule& schedule : kSchedules) crons_.push_back(*Cron::parse(schedule.text));
    if (const char* set = std::getenv("TZ")) before_ = set;
  }
  ~CronReference() override {
    if (before_) {
      ::setenv("TZ", before_->c_str(), 1);
    } else {
      ::unsetenv("TZ");
    }
    ::tzset();
  }

  static void enter(const std::string& name) {
    ::setenv("TZ", name.c_str(), 1);
    ::tzset();
  }

  // How many starts were compared.
  std::size_t compare(const std::string& name, std::time_t begin, std::time_t from,
                      std::time_t to) {
    const auto zone = connect::Zone::find(name);
    const auto expected = step(begin, from, to);
    std::size_t compared = 0;
    for (std::size_t i = 0; i < crons_.size(); ++i) {
      const Fires found = ours(crons_[i], *zone, from, to);
      compared += expected[i].size();
      if (found == expected[i]) continue;
      const auto differ =
          std::mismatch(found.begin(), found.end(), expected[i].begin(), expected[i].end());
      ADD_FAILURE() << name << " '" << kSchedules[i].text << "' ours "
                    << (differ.first == found.end() ? 0 : *differ.first) << " reference "
                    << (differ.second == expected[i].end() ? 0 : *differ.second);
    }
    return compared;
  }

  std::vector<Cron> crons_;
  std::optional<std::string> before_;
};

// Every zone of the list, around each of its changes in thirty years. Zones that change alike are
// tried once.
TEST_F(CronReference, AllZonesAroundAllTheirChanges) {
  constexpr std::time_t kAround = 15 * 3600;
  const std::time_t from = at("2006-01-01T00:00:00Z");
  const std::time_t to = at("2036-01-01T00:00:00Z");
  std::set<std::pair<long, std::vector<std::pair<std::time_t, long>>>> tried;
  std::size_t compared = 0;
  std::size_t moments = 0;
  for (const auto& zone : date::get_tzdb().zones) {
    enter(zone.name());
    const auto when = changes(from, to);
    if (!tried.emplace(wall_at(from).tm_gmtoff, when).second) continue;
    for (const auto& [change, by] : when) {
      const std::time_t middle = change - change % 60;
      compared += compare(zone.name(), middle - 2 * kAround, middle - kAround, middle + kAround);
      ++moments;
    }
  }
  RecordProperty("zones", static_cast<int>(tried.size()));
  RecordProperty("changes", static_cast<int>(moments));
  RecordProperty("starts", static_cast<int>(compared));
  EXPECT_GT(tried.size(), 100u);
  EXPECT_GT(moments, 2000u);
}

// Ten years without a gap where the clocks are oddest.
TEST_F(CronReference, TenYearsInOddZones) {
  const std::time_t from = at("2026-01-01T00:00:00Z");
  const std::time_t to = at("2036-01-01T00:00:00Z");
  for (const char* name : {"Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca"}) {
    enter(name);
    EXPECT_GT(compare(name, from - 86'400 * 2, from, to), 500'000u) << name;
  }
}

TEST_F(CronReference, TheDecadeInWhichSamoaChangedSides) {
  enter("Pacific/Apia");
  EXPECT_GT(compare("Pacific/Apia", at("2007-12-30T00:00:00Z"), at("2008-01-01T00:00:00Z"),
                    at("2018-01-01T00:00:00Z")),
            500'000u);
}

}  // namespace
}  // namespace tributary::orchestrate::schedule
