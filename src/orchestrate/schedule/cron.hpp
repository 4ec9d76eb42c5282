// Schedules as cron writes them: "30 6 * * MON-FRI", with seconds in front when there are six
// fields. Pure, but for the system's zone files (docs/pipelines/triggers.md has the grammar and the
// rules for days on which the clocks change).
#pragma once

#include <bitset>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/maintenance/calendar.hpp"

namespace tributary::orchestrate::schedule {

// What is wrong with the text of a schedule, and where.
struct CronProblem {
  std::size_t column = 1;  // from 1
  std::string message;
};

constexpr std::size_t kMaxCronText = 256;

// The days of a month that a schedule names.
struct DayRule {
  std::uint32_t days = 0;              // bit 1 to 31
  std::uint32_t nearest_weekdays = 0;  // 15W: the working day next to the 15th, in the same month
  std::uint32_t before_last = 0;       // bit n: the last day but n; L is bit 0, L-3 is bit 3
  bool last_weekday = false;           // LW: the last working day
  bool any = false;                    // begins with * or is ?
};

// The days of a week.
struct WeekdayRule {
  std::uint8_t weekdays = 0;          // bit 0 is Sunday
  std::uint8_t last = 0;              // 5L: the last Friday of the month
  std::array<std::uint8_t, 5> nth{};  // 5#3: the third Friday; by week, from 0
  bool any = false;
};

class Cron {
 public:
  // Five fields, six with seconds, or a macro (@daily).
  static std::expected<Cron, CronProblem> parse(std::string_view text);

  // The first start after `after`; nullopt when there is none in the next 12 years.
  std::optional<UtcTime> next(const connect::Zone& zone, UtcTime after) const;
  std::vector<UtcTime> next_n(const connect::Zone& zone, UtcTime after, std::size_t count) const;

  // The hour field begins with *: the schedule follows every real hour. Otherwise it names hours of
  // the day, each of which comes once a day, however the clocks are changed.
  bool follows_real_hours() const { return any_hour_; }

 private:
  friend class CronParser;
  // The first matching time of the clock on the wall at or after `from`, before `until`.
  std::optional<connect::WallTime> next_wall(connect::WallTime from, connect::WallTime until) const;
  bool falls_on(std::int64_t day) const;  // days since 1970-01-01
  std::optional<int> next_second_of_day(int from) const;

  std::bitset<60> seconds_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<13> months_;
  DayRule day_;
  WeekdayRule weekday_;
  bool any_hour_ = false;
};

}  // namespace tributary::orchestrate::schedule
