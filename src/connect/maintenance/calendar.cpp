#include "connect/maintenance/calendar.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include "schema/suggest.hpp"

namespace tributary::connect {

namespace {

// From one occurrence of a rule to the next at most.
constexpr int kMaxGapDays = 36;
constexpr int kMinutesOfDay = 24 * 60;

date::local_seconds local(WallTime wall) {
  return date::local_seconds(wall);
}

UtcTime utc(date::sys_seconds time) {
  return UtcTime(time.time_since_epoch());
}

// The same last part, or one that is nearly the same: "Berlin", "Europe/Berln".
std::vector<std::string> near_zones(const std::string& name) {
  const auto city = [](const std::string& zone) {
    return std::string_view(zone).substr(zone.rfind('/') + 1);
  };
  std::vector<std::string> all;
  std::vector<std::string> found;
  for (const auto& zone : date::get_tzdb().zones) {
    if (city(zone.name()) == city(name)) found.push_back(zone.name());
    all.push_back(zone.name());
  }
  if (auto nearest = schema::nearest_name(name, all);
      nearest && std::ranges::find(found, *nearest) == found.end()) {
    found.push_back(*std::move(nearest));
  }
  constexpr std::size_t kMaxSuggestions = 3;
  if (found.size() > kMaxSuggestions) found.resize(kMaxSuggestions);
  return found;
}

bool falls_on(const CalendarRule& rule, date::local_days day) {
  const int weekday = static_cast<int>(date::weekday(day).iso_encoding()) - 1;
  const date::year_month_day ymd(day);
  const int number = static_cast<int>(static_cast<unsigned>(ymd.day()));
  const int last =
      static_cast<int>(static_cast<unsigned>((ymd.year() / ymd.month() / date::last).day()));
  switch (rule.repeats) {
    case Repeats::kOnce:
      return false;
    case Repeats::kDaily:
      return true;
    case Repeats::kWeekly:
      return (rule.weekdays >> weekday & 1) != 0;
    case Repeats::kMonthly:
      break;
  }
  if (rule.day_of_month > 0) return number == std::min(rule.day_of_month, last);
  if (weekday != rule.weekday) return false;
  return rule.week == kLastWeek ? number + 7 > last : (number - 1) / 7 + 1 == rule.week;
}

Occurrence occurrence_on(const CalendarRule& rule, const Zone& zone, date::local_days day) {
  const WallTime start = std::chrono::duration_cast<WallTime>(day.time_since_epoch()) +
                         std::chrono::minutes{rule.at_minute};
  const std::chrono::minutes duration{rule.duration_minutes};
  Occurrence found{zone.first(start), zone.last(start + duration)};
  if (found.to <= found.from) found.to = found.from + duration;
  return found;
}

}  // namespace

Result<Zone> Zone::find(const std::string& name) {
  try {
    return Zone(name, date::locate_zone(name));
  } catch (const std::exception&) {
    const auto near = near_zones(name);
    return fail(ErrorClass::kFunction, "unknown_zone",
                fmt::format("There is no time zone \"{}\".", name),
                near.empty() ? "Use a name of the IANA list, such as Europe/Berlin."
                             : fmt::format("Did you mean {}?", fmt::join(near, " or ")));
  }
}

UtcTime Zone::first(WallTime wall) const {
  const auto info = zone_->get_info(local(wall));
  if (info.result == date::local_info::nonexistent) return utc(info.first.end);
  return utc(date::sys_seconds(wall - info.first.offset));
}

UtcTime Zone::last(WallTime wall) const {
  const auto info = zone_->get_info(local(wall));
  if (info.result == date::local_info::nonexistent) return utc(info.first.end);
  const bool twice = info.result == date::local_info::ambiguous;
  return utc(date::sys_seconds(wall - (twice ? info.second : info.first).offset));
}

WallTime Zone::wall(UtcTime time) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto offset = zone_->get_info(date::sys_seconds(seconds.time_since_epoch())).offset;
  return seconds.time_since_epoch() + offset;
}

Zone::Span Zone::span(UtcTime time) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch();
  const auto info = zone_->get_info(date::sys_seconds(seconds));
  // The ends of a zone's table are thousands of years away, more than microseconds can count.
  constexpr std::chrono::seconds kFar = std::chrono::hours{24 * 365 * 2000};
  const auto bounded = [&](date::sys_seconds end) {
    return UtcTime(std::clamp(end.time_since_epoch(), -kFar, kFar));
  };
  return {bounded(info.begin), bounded(info.end), info.offset};
}

std::string Zone::format(UtcTime time) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch();
  const WallTime shown = wall(time);
  const std::string utc_form = format_utc(UtcTime(shown));
  const auto offset = std::chrono::duration_cast<std::chrono::minutes>(shown - seconds).count();
  // The label of that clock, with its own offset in place of "Z".
  return fmt::format("{}{}{:02}:{:02}", utc_form.substr(0, 19), offset < 0 ? '-' : '+',
                     std::abs(offset) / 60, std::abs(offset) % 60);
}

std::vector<Occurrence> occurrences(const CalendarRule& rule, const Zone& zone, UtcTime after,
                                    std::size_t limit) {
  std::vector<Occurrence> found;
  if (rule.repeats == Repeats::kOnce) {
    if (rule.once.to > after && limit > 0) found.push_back(rule.once);
    return found;
  }
  // One day more than the longest that may still be under way: zones shift days by one at most.
  const int back = rule.duration_minutes / kMinutesOfDay + 2;
  const auto today = date::floor<date::days>(local(zone.wall(after)));
  const int days = back + kMaxGapDays * static_cast<int>(limit + 1);
  for (int i = -back; i < days && found.size() < limit; ++i) {
    const auto day = today + date::days{i};
    if (!falls_on(rule, day)) continue;
    const Occurrence occurrence = occurrence_on(rule, zone, day);
    if (occurrence.to > after) found.push_back(occurrence);
  }
  return found;
}

std::optional<WallTime> parse_wall(std::string_view text) {
  // A time of day without an offset: read as if the clock on the wall were a UTC one.
  const bool minutes = text.size() == std::string_view("2026-12-01T22:00").size();
  const bool seconds = text.size() == std::string_view("2026-12-01T22:00:00").size();
  if (!minutes && !seconds) return std::nullopt;
  const auto time = parse_utc(fmt::format("{}{}", text, minutes ? ":00Z" : "Z"));
  if (!time) return std::nullopt;
  return std::chrono::duration_cast<WallTime>(time->time_since_epoch());
}

}  // namespace tributary::connect
