#include "connectors/s7/src/calendar.hpp"

#include <fmt/format.h>

#include "connectors/s7/src/codec.hpp"

namespace tributary::connectors::s7 {
namespace {

using std::chrono::sys_days;
using std::chrono::weekday;
using std::chrono::year_month_day;

constexpr std::uint64_t kSecond = 1'000'000'000;

// Digits of exactly this many places at the start of `text`, which they leave.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t places) {
  if (text.size() < places) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, places)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(places);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<unsigned> from_bcd(std::byte byte) {
  const auto raw = std::to_integer<unsigned>(byte);
  if ((raw & 0xF) > 9 || (raw >> 4) > 9) return std::nullopt;
  return (raw >> 4) * 10 + (raw & 0xF);
}
std::byte to_bcd(unsigned value) {
  return static_cast<std::byte>((value / 10 % 10 << 4) | (value % 10));
}

std::optional<ClockTime> clock_of(int year, unsigned month, unsigned day, unsigned hour,
                                  unsigned minute, unsigned second, std::uint64_t nanoseconds) {
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59 || nanoseconds >= kSecond)
    return std::nullopt;
  return ClockTime{sys_days(date),
                   ((hour * std::uint64_t{60} + minute) * 60 + second) * kSecond + nanoseconds};
}

struct Fields {
  int year;
  unsigned month, day, hour, minute, second, nanosecond, weekday;  // Sunday is 1
};
Fields fields_of(const ClockTime& time) {
  const year_month_day date(time.day);
  const std::uint64_t seconds = time.nanoseconds / kSecond;
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<unsigned>(seconds / 3600),
          static_cast<unsigned>(seconds / 60 % 60),
          static_cast<unsigned>(seconds % 60),
          static_cast<unsigned>(time.nanoseconds % kSecond),
          weekday(time.day).c_encoding() + 1};
}

}  // namespace

std::string date_text(sys_days day) {
  const year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::optional<sys_days> parse_date(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !text.empty()) return std::nullopt;
  const year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                            std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

std::string time_text(std::uint64_t nanoseconds) {
  const std::uint64_t seconds = nanoseconds / kSecond;
  std::string text =
      fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  const std::uint64_t rest = nanoseconds % kSecond;
  if (rest == 0) return text;
  if (rest % 1'000'000 == 0) return text + fmt::format(".{:03}", rest / 1'000'000);
  if (rest % 1'000 == 0) return text + fmt::format(".{:06}", rest / 1'000);
  return text + fmt::format(".{:09}", rest);
}

std::optional<std::uint64_t> parse_time(std::string_view text) {
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute) return std::nullopt;
  std::optional<unsigned> second = 0;
  std::uint64_t rest = 0;
  if (take(text, ':')) {
    second = take_digits(text, 2);
    if (second && take(text, '.')) {
      if (text.empty() || text.size() > 9) return std::nullopt;
      std::uint64_t unit = kSecond;
      while (!text.empty()) {
        const auto digit = take_digits(text, 1);
        if (!digit) return std::nullopt;
        unit /= 10;
        rest += *digit * unit;
      }
    }
  }
  if (!second || !text.empty() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return ((*hour * std::uint64_t{60} + *minute) * 60 + *second) * kSecond + rest;
}

std::string clock_text(const ClockTime& time) {
  return date_text(time.day) + "T" + time_text(time.nanoseconds);
}

std::optional<ClockTime> parse_clock(std::string_view text) {
  if (text.size() < 11 || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
  const auto day = parse_date(text.substr(0, 10));
  const auto time = parse_time(text.substr(11));
  if (!day || !time) return std::nullopt;
  return ClockTime{*day, *time};
}

std::optional<ClockTime> load_date_and_time(std::span<const std::byte, 8> bytes) {
  std::array<unsigned, 7> fields{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto field = from_bcd(bytes[i]);
    if (!field) return std::nullopt;
    fields[i] = *field;
  }
  const auto last =
      std::to_integer<unsigned>(bytes[7]) >> 4;  // the low half is the day of the week
  if (last > 9) return std::nullopt;
  const std::uint64_t milliseconds = fields[6] * 10 + last;
  const int year = static_cast<int>(fields[0]) + (fields[0] >= 90 ? 1900 : 2000);
  return clock_of(year, fields[1], fields[2], fields[3], fields[4], fields[5],
                  milliseconds * 1'000'000);
}

std::optional<std::array<std::byte, 8>> store_date_and_time(const ClockTime& time) {
  const Fields fields = fields_of(time);
  if (fields.year < 1990 || fields.year > 2089) return std::nullopt;
  const unsigned milliseconds = fields.nanosecond / 1'000'000;
  return std::array<std::byte, 8>{
      to_bcd(static_cast<unsigned>(fields.year)),
      to_bcd(fields.month),
      to_bcd(fields.day),
      to_bcd(fields.hour),
      to_bcd(fields.minute),
      to_bcd(fields.second),
      to_bcd(milliseconds / 10),
      static_cast<std::byte>((milliseconds % 10 << 4) | fields.weekday)};
}

std::optional<ClockTime> load_dtl(std::span<const std::byte, 12> bytes) {
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
  const std::uint64_t nanoseconds =
      (std::uint64_t{load_u16(&bytes[8])} << 16) | load_u16(&bytes[10]);
  return clock_of(load_u16(bytes.data()), at(2), at(3), at(5), at(6), at(7), nanoseconds);
}

std::optional<std::array<std::byte, 12>> store_dtl(const ClockTime& time) {
  const Fields fields = fields_of(time);
  if (fields.year < 1970 || fields.year > 2262) return std::nullopt;
  std::array<std::byte, 12> bytes{};
  store_u16(bytes.data(), static_cast<std::uint16_t>(fields.year));
  const std::array<unsigned, 6> small{fields.month, fields.day,    fields.weekday,
                                      fields.hour,  fields.minute, fields.second};
  for (std::size_t i = 0; i < small.size(); ++i) bytes[2 + i] = static_cast<std::byte>(small[i]);
  store_u16(&bytes[8], static_cast<std::uint16_t>(fields.nanosecond >> 16));
  store_u16(&bytes[10], static_cast<std::uint16_t>(fields.nanosecond & 0xFFFF));
  return bytes;
}

}  // namespace tributary::connectors::s7
