#include "orchestrate/schedule/cron.hpp"

#include <date/date.h>

#include <algorithm>

namespace tributary::orchestrate::schedule {
namespace {

using connect::WallTime;
using connect::Zone;

// 29 February is up to eight years away, and once more when it must also be a certain weekday.
constexpr std::int64_t kHorizonDays = 12 * 366;
constexpr std::int64_t kSecondsOfDay = 86'400;
constexpr unsigned kSaturday = 6;
constexpr unsigned kSunday = 0;
// A clock is never set back by more: what it showed before that is behind it.
constexpr std::chrono::hours kLongestFold{26};

struct Day {
  date::year_month_day date;
  unsigned weekday = 0;  // 0 is Sunday
  unsigned day = 1;
  unsigned last = 31;  // of the month
};

Day describe(std::int64_t number) {
  const date::sys_days day{date::days{number}};
  Day found;
  found.date = date::year_month_day(day);
  found.weekday = date::weekday(day).c_encoding();
  found.day = static_cast<unsigned>(found.date.day());
  found.last = static_cast<unsigned>((found.date.year() / found.date.month() / date::last).day());
  return found;
}

unsigned weekday_of(const Day& day, unsigned day_of_month) {
  const unsigned back = (day.day + 7 * 5 - day_of_month) % 7;
  return (day.weekday + 7 - back) % 7;
}

// The working day next to a day of the month, without leaving the month.
unsigned nearest_weekday(const Day& day, unsigned wanted) {
  const unsigned weekday = weekday_of(day, wanted);
  if (weekday == kSaturday) return wanted > 1 ? wanted - 1 : wanted + 2;
  if (weekday == kSunday) return wanted < day.last ? wanted + 1 : wanted - 2;
  return wanted;
}

bool matches(const DayRule& rule, const Day& day) {
  if ((rule.days >> day.day & 1) != 0) return true;
  if ((rule.before_last >> (day.last - day.day) & 1) != 0) return true;
  if (rule.last_weekday && nearest_weekday(day, day.last) == day.day) return true;
  for (unsigned wanted = 1; wanted <= day.last; ++wanted) {
    const bool named = (rule.nearest_weekdays >> wanted & 1) != 0;
    if (named && nearest_weekday(day, wanted) == day.day) return true;
  }
  return false;
}

bool matches(const WeekdayRule& rule, const Day& day) {
  const unsigned bit = 1u << day.weekday;
  if ((rule.weekdays & bit) != 0) return true;
  if ((rule.last & bit) != 0 && day.day + 7 > day.last) return true;
  return (rule.nth[(day.day - 1) / 7] & bit) != 0;
}

template <std::size_t Size>
std::optional<int> next_bit(const std::bitset<Size>& bits, int from) {
  for (auto i = static_cast<std::size_t>(from); i < Size; ++i) {
    if (bits.test(i)) return static_cast<int>(i);
  }
  return std::nullopt;
}

// The furthest that the clock had shown before a span began: what is shown again is not new.
WallTime shown_before(const Zone& zone, const Zone::Span& span) {
  WallTime furthest = WallTime::min();
  UtcTime at = span.from;
  while (span.from - at < kLongestFold) {
    const Zone::Span before = zone.span(at - std::chrono::seconds{1});
    if (before.from >= at) break;  // the beginning of the table
    furthest = std::max(
        furthest, std::chrono::duration_cast<WallTime>(at.time_since_epoch()) + before.offset);
    at = before.from;
  }
  return furthest;
}

}  // namespace

bool Cron::falls_on(std::int64_t number) const {
  const Day day = describe(number);
  if (!months_.test(static_cast<unsigned>(day.date.month()))) return false;
  const bool by_day = matches(day_, day);
  const bool by_weekday = matches(weekday_, day);
  // As cron has it: when both are named, either will do.
  return day_.any || weekday_.any ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<int> Cron::next_second_of_day(int from) const {
  int hour = from / 3600;
  int minute = from / 60 % 60;
  int second = from % 60;
  while (hour < 24) {
    const auto found_hour = next_bit(hours_, hour);
    if (!found_hour) return std::nullopt;
    if (*found_hour > hour) minute = second = 0;
    hour = *found_hour;
    const auto found_minute = next_bit(minutes_, minute);
    if (!found_minute) {
      ++hour;
      minute = second = 0;
      continue;
    }
    if (*found_minute > minute) second = 0;
    minute = *found_minute;
    if (const auto found_second = next_bit(seconds_, second))
      return hour * 3600 + minute * 60 + *found_second;
    ++minute;
    second = 0;
    if (minute == 60) {
      ++hour;
      minute = 0;
    }
  }
  return std::nullopt;
}

std::optional<WallTime> Cron::next_wall(WallTime from, WallTime until) const {
  std::int64_t day = from.count() / kSecondsOfDay;
  if (from.count() % kSecondsOfDay < 0) --day;
  int second = static_cast<int>(from.count() - day * kSecondsOfDay);
  const std::int64_t end = std::min(day + kHorizonDays, until.count() / kSecondsOfDay + 1);
  for (; day <= end; ++day, second = 0) {
    if (!falls_on(day)) continue;
    const auto found = next_second_of_day(second);
    if (!found) continue;
    const WallTime time{day * kSecondsOfDay + *found};
    if (time < until) return time;
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<UtcTime> Cron::next(const Zone& zone, UtcTime after) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(after).time_since_epoch();
  const UtcTime begin{seconds + std::chrono::seconds{1}};
  const UtcTime horizon = begin + std::chrono::hours{24 * kHorizonDays};
  Zone::Span span = zone.span(begin);
  while (true) {
    const WallTime starts = std::chrono::duration_cast<WallTime>(span.from.time_since_epoch());
    const WallTime ends =
        std::chrono::duration_cast<WallTime>(std::min(span.until, horizon).time_since_epoch());
    WallTime from =
        std::chrono::duration_cast<WallTime>(std::max(span.from, begin).time_since_epoch()) +
        span.offset;
    if (!any_hour_) {
      const WallTime shown = shown_before(zone, span);
      const bool skipped = shown != WallTime::min() && shown < starts + span.offset;
      if (skipped && span.from >= begin && next_wall(shown, starts + span.offset)) return span.from;
      from = std::max(from, shown);
    }
    if (const auto wall = next_wall(from, ends + span.offset)) return UtcTime(*wall - span.offset);
    if (span.until >= horizon) return std::nullopt;
    span = zone.span(span.until);
  }
}

std::vector<UtcTime> Cron::next_n(const Zone& zone, UtcTime after, std::size_t count) const {
  std::vector<UtcTime> found;
  while (found.size() < count) {
    const auto time = next(zone, found.empty() ? after : found.back());
    if (!time) break;
    found.push_back(*time);
  }
  return found;
}

}  // namespace tributary::orchestrate::schedule
