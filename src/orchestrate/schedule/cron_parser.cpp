// The text of a schedule, read field by field.
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "orchestrate/schedule/cron.hpp"
#include "schema/suggest.hpp"

namespace tributary::orchestrate::schedule {
namespace {

using Names = std::vector<std::string>;

struct Field {
  std::string_view name;
  int first = 0;
  int last = 0;
  Names names{};      // of first, first + 1 …
  bool wraps = true;  // FRI-MON, 22-2
};

const Field kSecond{"second", 0, 59};
const Field kMinute{"minute", 0, 59};
const Field kHour{"hour", 0, 23};
const Field kDay{"day of the month", 1, 31, {}, false};
const Field kMonth{
    "month",
    1,
    12,
    {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}};
const Field kWeekday{"day of the week", 0, 7, {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}};

struct Macro {
  std::string_view name;
  std::string_view text;
};
constexpr std::array<Macro, 7> kMacros = {{{"@yearly", "0 0 1 1 *"},
                                           {"@annually", "0 0 1 1 *"},
                                           {"@monthly", "0 0 1 * *"},
                                           {"@weekly", "0 0 * * 0"},
                                           {"@daily", "0 0 * * *"},
                                           {"@midnight", "0 0 * * *"},
                                           {"@hourly", "0 * * * *"}}};

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string upper_case(std::string_view text) {
  std::string copy(text);
  for (char& c : copy) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return copy;
}

// A piece of the text and where it stands.
struct Piece {
  std::string text;  // in capitals
  std::size_t column = 1;

  Piece cut(std::size_t begin, std::size_t size = std::string::npos) const {
    return {text.substr(begin, size), column + begin};
  }
};

template <typename T>
using Parsed = std::expected<T, CronProblem>;

std::unexpected<CronProblem> wrong(const Piece& piece, std::string message) {
  return std::unexpected(CronProblem{piece.column, std::move(message)});
}

std::vector<Piece> split_words(std::string_view text) {
  std::vector<Piece> words;
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_blank(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && !is_blank(text[end])) ++end;
    words.push_back({upper_case(text.substr(at, end - at)), at + 1});
    at = end;
  }
  return words;
}

std::vector<Piece> split_list(const Piece& field) {
  std::vector<Piece> items;
  std::size_t at = 0;
  while (true) {
    const std::size_t comma = field.text.find(',', at);
    items.push_back(field.cut(at, comma == std::string::npos ? comma : comma - at));
    if (comma == std::string::npos) return items;
    at = comma + 1;
  }
}

std::optional<int> read_number(std::string_view text) {
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = read.ec == std::errc{} && read.ptr == text.data() + text.size();
  if (!whole || text.starts_with('-') || text.size() > 4) return std::nullopt;
  return number;
}

Parsed<int> read_value(const Piece& piece, const Field& field) {
  if (piece.text.empty()) return wrong(piece, fmt::format("Here a {} is missing.", field.name));
  const auto named = std::find(field.names.begin(), field.names.end(), piece.text);
  if (named != field.names.end())
    return field.first + static_cast<int>(named - field.names.begin());
  const auto number = read_number(piece.text);
  if (!number) {
    std::string hint;
    if (const auto near = schema::nearest_name(piece.text, field.names))
      hint = fmt::format(" Did you mean {}?", *near);
    return wrong(piece, fmt::format("'{}' is not a {}.{}", piece.text, field.name, hint));
  }
  if (*number < field.first || *number > field.last) {
    return wrong(piece, fmt::format("{} is not a {}: it is {} to {}.", *number, field.name,
                                    field.first, field.last));
  }
  return *number;
}

struct Range {
  int from = 0;
  int to = 0;
  int step = 1;
};

Parsed<int> read_step(const Piece& piece, const Field& field) {
  const auto step = read_number(piece.text);
  const int most = field.last - field.first;
  if (!step || *step < 1 || *step > most) {
    return wrong(piece, fmt::format("'{}' is not a step: for a {} it is 1 to {}.", piece.text,
                                    field.name, most));
  }
  return *step;
}

// "*", "3", "3-7", each perhaps with "/step".
Parsed<Range> read_range(const Piece& item, const Field& field) {
  const std::size_t slash = item.text.find('/');
  const Piece body = item.cut(0, slash);
  Range range{field.first, field.last, 1};
  const bool stepped = slash != std::string::npos;
  if (stepped) {
    auto step = read_step(item.cut(slash + 1), field);
    TRIBUTARY_TRY(step);
    range.step = *step;
  }
  if (body.text == "*" || (body.text == "?" && !stepped)) return range;
  const std::size_t dash = body.text.find('-');
  auto from = read_value(body.cut(0, dash), field);
  TRIBUTARY_TRY(from);
  range.from = *from;
  if (dash == std::string::npos) {
    if (!stepped) range.to = *from;
    return range;
  }
  auto to = read_value(body.cut(dash + 1), field);
  TRIBUTARY_TRY(to);
  range.to = *to;
  if (range.to < range.from && !field.wraps) {
    return wrong(item, fmt::format("The range {} ends before it begins.", body.text));
  }
  return range;
}

template <typename Set>
void fill(const Range& range, const Field& field, Set set) {
  const int size = field.last - field.first + 1;
  // Sunday is 0 and 7: a range round the end of the week goes on with Monday.
  const int round = &field == &kWeekday ? 7 : size;
  const int end = range.to < range.from ? range.to + round : range.to;
  for (int value = range.from; value <= end; value += range.step)
    set(value > field.last ? value - round : value);
}

template <std::size_t Size>
Parsed<std::monostate> read_bits(const Piece& text, const Field& field, std::bitset<Size>& bits) {
  for (const Piece& item : split_list(text)) {
    if (item.text == "?") return wrong(item, "A ? stands only for a day.");
    auto range = read_range(item, field);
    TRIBUTARY_TRY(range);
    fill(*range, field, [&bits](int value) { bits.set(static_cast<std::size_t>(value)); });
  }
  return std::monostate{};
}

// "L", "L-3", "LW", "15W"; false: it is none of these.
Parsed<bool> read_special_day(const Piece& item, DayRule& rule) {
  const std::string& text = item.text;
  if (text == "L") {
    rule.before_last |= 1u;
  } else if (text == "LW" || text == "WL") {
    rule.last_weekday = true;
  } else if (text.starts_with("L-")) {
    const auto before = read_number(std::string_view(text).substr(2));
    if (!before || *before < 1 || *before > 30)
      return wrong(item.cut(2), "Behind L- stands how many days before the last one: 1 to 30.");
    rule.before_last |= 1u << static_cast<unsigned>(*before);
  } else if (text.size() > 1 && text.ends_with('W')) {
    auto day = read_value(item.cut(0, text.size() - 1), kDay);
    TRIBUTARY_TRY(day);
    rule.nearest_weekdays |= 1u << static_cast<unsigned>(*day);
  } else {
    return false;
  }
  return true;
}

Parsed<DayRule> read_days(const Piece& text) {
  DayRule rule;
  rule.any = text.text.starts_with('*') || text.text == "?";
  for (const Piece& item : split_list(text)) {
    auto special = read_special_day(item, rule);
    TRIBUTARY_TRY(special);
    if (*special) continue;
    auto range = read_range(item, kDay);
    TRIBUTARY_TRY(range);
    fill(*range, kDay, [&rule](int day) { rule.days |= 1u << static_cast<unsigned>(day); });
  }
  return rule;
}

std::uint8_t weekday_bit(int weekday) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(weekday % 7));
}

// "5L", "FRI#3"; false: it is none of these.
Parsed<bool> read_special_weekday(const Piece& item, WeekdayRule& rule) {
  const std::string& text = item.text;
  if (text == "L") {
    return wrong(item, "L needs a day of the week in front of it: 5L or FRIL is the last Friday.");
  }
  const std::size_t hash = text.find('#');
  if (hash != std::string::npos) {
    auto weekday = read_value(item.cut(0, hash), kWeekday);
    TRIBUTARY_TRY(weekday);
    const auto week = read_number(std::string_view(text).substr(hash + 1));
    if (!week || *week < 1 || *week > 5)
      return wrong(item.cut(hash + 1), "Behind # stands which of the month: 1 to 5.");
    rule.nth[static_cast<std::size_t>(*week - 1)] |= weekday_bit(*weekday);
    return true;
  }
  if (!text.ends_with('L')) return false;
  auto weekday = read_value(item.cut(0, text.size() - 1), kWeekday);
  TRIBUTARY_TRY(weekday);
  rule.last |= weekday_bit(*weekday);
  return true;
}

Parsed<WeekdayRule> read_weekdays(const Piece& text) {
  WeekdayRule rule;
  rule.any = text.text.starts_with('*') || text.text == "?";
  for (const Piece& item : split_list(text)) {
    auto special = read_special_weekday(item, rule);
    TRIBUTARY_TRY(special);
    if (*special) continue;
    auto range = read_range(item, kWeekday);
    TRIBUTARY_TRY(range);
    fill(*range, kWeekday, [&rule](int weekday) { rule.weekdays |= weekday_bit(weekday); });
  }
  return rule;
}

}  // namespace

class CronParser {
 public:
  static Parsed<Cron> parse(const std::vector<Piece>& words) {
    Cron cron;
    const std::size_t first = words.size() == 6 ? 1 : 0;
    if (first == 0) {
      cron.seconds_.set(0);
    } else {
      TRIBUTARY_TRY(read_bits(words[0], kSecond, cron.seconds_));
    }
    TRIBUTARY_TRY(read_bits(words[first], kMinute, cron.minutes_));
    TRIBUTARY_TRY(read_bits(words[first + 1], kHour, cron.hours_));
    cron.any_hour_ = words[first + 1].text.starts_with('*');
    auto day = read_days(words[first + 2]);
    TRIBUTARY_TRY(day);
    cron.day_ = *day;
    TRIBUTARY_TRY(read_bits(words[first + 3], kMonth, cron.months_));
    auto weekday = read_weekdays(words[first + 4]);
    TRIBUTARY_TRY(weekday);
    cron.weekday_ = *weekday;
    // Any 12 years have all days that there are.
    const connect::WallTime begin{0};
    if (!cron.next_wall(begin, connect::WallTime::max()))
      return wrong(words[first + 2], "There is no such day in any month that is named.");
    return cron;
  }
};

std::expected<Cron, CronProblem> Cron::parse(std::string_view text) {
  if (text.size() > kMaxCronText) {
    return std::unexpected(CronProblem{
        kMaxCronText + 1, fmt::format("A schedule has at most {} characters.", kMaxCronText)});
  }
  std::vector<Piece> words = split_words(text);
  if (words.size() == 1 && words[0].text.starts_with('@')) {
    Names names;
    for (const Macro& macro : kMacros) {
      if (words[0].text == upper_case(macro.name))
        return CronParser::parse(split_words(macro.text));
      names.emplace_back(macro.name);
    }
    return wrong(words[0], fmt::format("There is no '{}'; there are {}.",
                                       text.substr(words[0].column - 1, words[0].text.size()),
                                       fmt::join(names, ", ")));
  }
  if (words.size() != 5 && words.size() != 6) {
    const std::size_t column = words.size() > 6 ? words[6].column : text.size() + 1;
    return std::unexpected(CronProblem{
        column,
        fmt::format("A schedule has five fields (minute, hour, day, month, weekday), or six with "
                    "the second in front; this one has {}.",
                    words.size())});
  }
  return CronParser::parse(words);
}

}  // namespace tributary::orchestrate::schedule
