// When a maintenance window takes place: rules of the calendar in a time zone. Pure, but for the
// system's zone files, which are read once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace date {
class time_zone;
}

namespace tributary::connect {

// What a clock on the wall shows, counted from 1970-01-01T00:00:00 on that clock. Skipped hours
// have such times too, repeated hours have them once.
using WallTime = std::chrono::duration<std::int64_t>;

class Zone {
 public:
  // An IANA name such as "Europe/Berlin". Error: kFunction "unknown_zone", with near names in the
  // hint.
  static Result<Zone> find(const std::string& name);

  const std::string& name() const { return name_; }
  // The first instant at which the clock shows `wall` or, when it skips it, a later time.
  UtcTime first(WallTime wall) const;
  // The last instant of that kind: in the repeated hour the second one.
  UtcTime last(WallTime wall) const;
  WallTime wall(UtcTime time) const;
  // The stretch around an instant in which the clock is ahead of UTC by the same `offset`.
  struct Span {
    UtcTime from;
    UtcTime until;  // the first instant that is not part of it
    WallTime offset;
  };
  Span span(UtcTime time) const;
  // "2026-03-29T03:00:00+02:00"
  std::string format(UtcTime time) const;

 private:
  Zone(std::string name, const date::time_zone* zone) : name_(std::move(name)), zone_(zone) {}

  std::string name_;
  const date::time_zone* zone_;
};

struct Occurrence {
  UtcTime from;
  UtcTime to;

  friend bool operator==(const Occurrence&, const Occurrence&) = default;
};

enum class Repeats : std::uint8_t { kOnce, kDaily, kWeekly, kMonthly };

constexpr int kLastWeek = 5;

struct CalendarRule {
  Repeats repeats = Repeats::kOnce;
  Occurrence once;            // of kOnce; the rest is of the others
  std::uint8_t weekdays = 0;  // kWeekly: bit 0 is Monday
  // kMonthly: a day (the last one of months that are shorter) …
  int day_of_month = 0;
  // … or, when it is 0, a weekday (0 is Monday) of the first to fourth or the last week.
  int week = 0;
  int weekday = 0;
  int at_minute = 0;  // of the day
  int duration_minutes = 0;
};

// The occurrences that end after `after`, in order of their start, at most `limit`. An occurrence
// lasts from the first moment at which the clock on the wall shows the start to the last at which
// it shows the end, so it keeps its local end when the clock is changed meanwhile; one that lies
// wholly in a skipped hour takes place right after it, as long as planned.
std::vector<Occurrence> occurrences(const CalendarRule& rule, const Zone& zone, UtcTime after,
                                    std::size_t limit);

// "2026-12-01T22:00" or with seconds, as the clock on the wall shows it. nullopt: not such a time.
std::optional<WallTime> parse_wall(std::string_view text);

}  // namespace tributary::connect
