#include "connect/maintenance/definition.hpp"

#include <charconv>

namespace tributary::connect {

namespace {

using FieldErrors = std::vector<schema::FieldError>;

constexpr std::size_t kMaxName = 100;
constexpr std::size_t kMaxDescription = 2000;
constexpr std::size_t kMaxReason = 300;
constexpr int kMinutesOfDay = 24 * 60;
constexpr std::chrono::hours kLongestOnce{366 * 24};
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::array<std::string_view, 5> kWeeks = {"first", "second", "third", "fourth", "last"};
constexpr std::array<std::string_view, 4> kKinds = {"once", "daily", "weekly", "monthly"};

class Parser {
 public:
  explicit Parser(FieldErrors& errors) : errors_(errors) {}

  void wrong(std::string pointer, std::string code, std::string message) {
    errors_.push_back({std::move(pointer), std::move(code), std::move(message)});
  }

  void known_members(const Json& object, const std::string& base,
                     std::initializer_list<std::string_view> known) {
    for (const auto& member : object.object_range()) {
      const std::string_view name = member.key();
      if (std::ranges::find(known, name) == known.end())
        wrong(base + "/" + escape_pointer(name), "unknown_property",
              fmt::format("There is no member \"{}\".", name));
    }
  }

  std::string text(const Json& body, std::string_view name, std::size_t longest, bool needed) {
    const std::string pointer = fmt::format("/{}", name);
    const Json& member = get_member(body, name);
    if (member.is_null()) {
      if (needed) wrong(pointer, "required", fmt::format("A {} is needed.", name));
      return {};
    }
    if (!member.is_string()) {
      wrong(pointer, "wrong_type", fmt::format("The {} must be a string.", name));
      return {};
    }
    auto found = member.as<std::string>();
    if (needed && found.find_first_not_of(" \t\r\n") == std::string::npos) {
      wrong(pointer, "too_short", fmt::format("The {} must not be empty.", name));
    } else if (found.size() > longest) {
      wrong(pointer, "too_long", fmt::format("At most {} bytes are allowed.", longest));
    }
    return found;
  }

  // The index of a word in a list; nullopt, with an error, when it is none of them.
  template <std::size_t N>
  std::optional<int> word(const Json& value, const std::string& pointer,
                          const std::array<std::string_view, N>& words) {
    const std::string given = value.is_string() ? value.as<std::string>() : std::string();
    const auto found = std::ranges::find(words, given);
    if (found != words.end()) return static_cast<int>(found - words.begin());
    wrong(pointer, value.is_null() ? "required" : "not_allowed",
          fmt::format("It must be one of {}.", fmt::join(words, ", ")));
    return std::nullopt;
  }

  int whole_number(const Json& object, std::string_view name, const std::string& base, int lowest,
                   int highest) {
    const std::string pointer = fmt::format("{}/{}", base, name);
    const Json& value = get_member(object, name);
    if (!value.is_int64()) {
      wrong(pointer, value.is_null() ? "required" : "wrong_type",
            fmt::format("It must be a whole number from {} to {}.", lowest, highest));
      return lowest;
    }
    const auto number = value.as<std::int64_t>();
    if (number < lowest || number > highest) {
      wrong(pointer, "out_of_range",
            fmt::format("{} is not between {} and {}.", number, lowest, highest));
      return lowest;
    }
    return static_cast<int>(number);
  }

  // "02:00" → 120.
  int time_of_day(const Json& schedule) {
    const Json& value = get_member(schedule, "at");
    const std::string text = value.is_string() ? value.as<std::string>() : std::string();
    int hour = -1;
    int minute = -1;
    if (text.size() == 5 && text[2] == ':') {
      const auto read = [&text](std::size_t at, int& into) {
        const char* begin = text.data() + at;
        return std::from_chars(begin, begin + 2, into).ptr == begin + 2;
      };
      if (!read(0, hour) || !read(3, minute)) hour = -1;
    }
    if (hour >= 0 && hour < 24 && minute >= 0 && minute < 60) return hour * 60 + minute;
    wrong("/schedule/at", value.is_null() ? "required" : "format",
          "It must be a time of day such as 02:00.");
    return 0;
  }

  UtcTime instant(const Json& schedule, std::string_view name, const Zone& zone) {
    const Json& value = get_member(schedule, name);
    const std::string text = value.is_string() ? value.as<std::string>() : std::string();
    if (const auto wall = parse_wall(text))
      return name == "from" ? zone.first(*wall) : zone.last(*wall);
    if (const auto time = parse_utc(text)) return *time;
    wrong(fmt::format("/schedule/{}", name), value.is_null() ? "required" : "format",
          "It must be a time such as 2026-12-01T22:00 (in the window's time zone) or "
          "2026-12-01T21:00:00Z.");
    return {};
  }

  bool clean() const { return errors_.empty(); }

 private:
  FieldErrors& errors_;
};

void parse_once(const Json& schedule, const Zone& zone, CalendarRule& rule, Parser& parser) {
  parser.known_members(schedule, "/schedule", {"kind", "from", "to"});
  rule.once = {parser.instant(schedule, "from", zone), parser.instant(schedule, "to", zone)};
  if (!parser.clean()) return;
  if (rule.once.to <= rule.once.from) {
    parser.wrong("/schedule/to", "out_of_range", "The window ends before it begins.");
  } else if (rule.once.to - rule.once.from > kLongestOnce) {
    parser.wrong("/schedule/to", "out_of_range", "A window lasts a year at most.");
  }
}

void parse_weekdays(const Json& schedule, CalendarRule& rule, Parser& parser) {
  const Json& days = get_member(schedule, "days");
  if (!days.is_array() || days.empty()) {
    parser.wrong("/schedule/days", days.is_null() ? "required" : "wrong_type",
                 "It must be a list of days such as [\"mon\", \"thu\"].");
    return;
  }
  for (std::size_t i = 0; i < days.size(); ++i) {
    const auto day = parser.word(days[i], fmt::format("/schedule/days/{}", i), kDays);
    if (day) rule.weekdays = static_cast<std::uint8_t>(rule.weekdays | 1 << *day);
  }
}

void parse_month(const Json& schedule, CalendarRule& rule, Parser& parser) {
  const bool by_day = schedule.contains("dayOfMonth");
  const bool by_week = schedule.contains("week") || schedule.contains("day");
  if (by_day == by_week) {
    parser.wrong("/schedule", by_day ? "invalid" : "required",
                 "A monthly window needs either dayOfMonth, or week and day.");
  } else if (by_day) {
    rule.day_of_month = parser.whole_number(schedule, "dayOfMonth", "/schedule", 1, 31);
  } else {
    const auto week = parser.word(get_member(schedule, "week"), "/schedule/week", kWeeks);
    const auto day = parser.word(get_member(schedule, "day"), "/schedule/day", kDays);
    rule.week = week.value_or(0) + 1;
    rule.weekday = day.value_or(0);
  }
}

CalendarRule parse_schedule(const Json& body, const Zone& zone, Parser& parser) {
  CalendarRule rule;
  const Json& schedule = get_member(body, "schedule");
  if (!schedule.is_object()) {
    parser.wrong("/schedule", schedule.is_null() ? "required" : "wrong_type",
                 "It must be an object that says when, with kind once, daily, weekly or monthly.");
    return rule;
  }
  const auto kind = parser.word(get_member(schedule, "kind"), "/schedule/kind", kKinds);
  if (!kind) return rule;
  rule.repeats = static_cast<Repeats>(*kind);
  int longest = kMinutesOfDay;
  switch (rule.repeats) {
    case Repeats::kOnce:
      parse_once(schedule, zone, rule, parser);
      return rule;
    case Repeats::kDaily:
      parser.known_members(schedule, "/schedule", {"kind", "at", "durationMinutes"});
      break;
    case Repeats::kWeekly:
      longest = 7 * kMinutesOfDay;
      parser.known_members(schedule, "/schedule", {"kind", "days", "at", "durationMinutes"});
      parse_weekdays(schedule, rule, parser);
      break;
    case Repeats::kMonthly:
      longest = 28 * kMinutesOfDay;
      parser.known_members(schedule, "/schedule",
                           {"kind", "dayOfMonth", "week", "day", "at", "durationMinutes"});
      parse_month(schedule, rule, parser);
      break;
  }
  rule.at_minute = parser.time_of_day(schedule);
  rule.duration_minutes = parser.whole_number(schedule, "durationMinutes", "/schedule", 1, longest);
  return rule;
}

Selection parse_targets(const Json& body, Parser& parser, FieldErrors& errors) {
  const Json& targets = get_member(body, "targets");
  if (!targets.is_object()) {
    parser.wrong("/targets", targets.is_null() ? "required" : "wrong_type",
                 "Say which connections: connectionIds, labels or type; or all: true.");
    return {};
  }
  parser.known_members(targets, "/targets", {"connectionIds", "labels", "type", "all"});
  return parse_selection(targets, "/targets", errors);
}

bool parse_enabled(const Json& body, Parser& parser) {
  const Json& enabled = get_member(body, "enabled");
  if (enabled.is_null()) return true;
  if (enabled.is_bool()) return enabled.as<bool>();
  parser.wrong("/enabled", "wrong_type", "enabled must be true or false.");
  return true;
}

AfterSuspension parse_then(const Json& body, Parser& parser) {
  const Json& then = get_member(body, "then");
  if (then.is_null()) return AfterSuspension::kResumeAndStart;
  if (then.is_string()) {
    if (const auto known = parse_after_suspension(then.as<std::string>())) return *known;
  }
  parser.wrong("/then", "not_allowed", "It must be resume or resumeAndStart.");
  return AfterSuspension::kResumeAndStart;
}

}  // namespace

std::string WindowDefinition::suspension_reason() const {
  return fmt::format("maintenance \"{}\": {}", name, reason);
}

std::string WindowDefinition::actor() const {
  return "maintenance window " + name;
}

std::optional<WindowDefinition> parse_window(const Json& body, FieldErrors& errors) {
  Parser parser(errors);
  if (!body.is_object()) {
    parser.wrong("", "wrong_type", "The body must be a JSON object.");
    return std::nullopt;
  }
  parser.known_members(
      body, "",
      {"name", "description", "reason", "timeZone", "schedule", "targets", "then", "enabled"});
  std::string name = parser.text(body, "name", kMaxName, true);
  parser.text(body, "description", kMaxDescription, false);
  std::string reason = parser.text(body, "reason", kMaxReason, true);
  const bool enabled = parse_enabled(body, parser);
  const AfterSuspension then = parse_then(body, parser);
  Selection targets = parse_targets(body, parser, errors);
  const std::string zone_name = parser.text(body, "timeZone", kMaxName, true);
  if (zone_name.empty()) return std::nullopt;
  auto zone = Zone::find(zone_name);
  if (!zone) {
    parser.wrong("/timeZone", "not_allowed", zone.error().message + " " + zone.error().hint);
    return std::nullopt;
  }
  CalendarRule rule = parse_schedule(body, *zone, parser);
  if (!errors.empty()) return std::nullopt;
  return WindowDefinition{
      std::move(name), std::move(reason), *std::move(zone), rule, std::move(targets), then,
      enabled};
}

}  // namespace tributary::connect
