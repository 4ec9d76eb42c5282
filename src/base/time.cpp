#include "base/time.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace tributary {
namespace {

using std::chrono::microseconds;

// A reader over text that must match exactly; any deviation makes it not ok.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count) return reject();
    for (std::size_t i = 0; i < count; ++i) {
      char c = rest_[i];
      if (c < '0' || c > '9') return reject();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      reject();
      return '\0';
    }
    char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool next_is_digit() const {
    return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
  }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool ok_at_end() const { return ok_ && rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  int reject() {
    ok_ = false;
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

std::int64_t read_fraction_micros(Cursor& cursor) {
  if (!cursor.next_is('.')) return 0;
  cursor.one_of(".");
  std::int64_t micros = 0;
  int seen = 0;
  while (cursor.ok() && cursor.next_is_digit() && seen < 9) {
    int digit = cursor.digits(1);
    if (seen < 6) micros = micros * 10 + digit;
    ++seen;
  }
  if (seen == 0) cursor.digits(1);  // a point without digits
  for (int i = seen; i < 6; ++i) micros *= 10;
  return micros;
}

}  // namespace

SteadyTime SystemClock::steady_now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

UtcTime SystemClock::utc_now() const {
  return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
}

void ManualClock::advance(Duration by) {
  steady_ += by;
  step_utc(by);
}

std::string format_utc(UtcTime time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  auto in_day = std::chrono::floor<std::chrono::milliseconds>(time - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     in_day / 3'600'000, in_day / 60'000 % 60, in_day / 1000 % 60, in_day % 1000);
}

Result<UtcTime> parse_utc(std::string_view text) {
  auto invalid = [&] {
    return fail(
        ErrorClass::kFunction, "invalid_time",
        fmt::format("\"{}\" is not a time such as 2026-11-22T10:00:00Z.", text.substr(0, 40)));
  };
  Cursor cursor(text);
  int year = cursor.digits(4);
  cursor.one_of("-");
  int month = cursor.digits(2);
  cursor.one_of("-");
  int day = cursor.digits(2);
  cursor.one_of("Tt ");
  int hour = cursor.digits(2);
  cursor.one_of(":");
  int minute = cursor.digits(2);
  cursor.one_of(":");
  int second = cursor.digits(2);
  std::int64_t micros = read_fraction_micros(cursor);
  char zone = cursor.one_of("Zz+-");
  int offset_minutes = 0;
  if (zone == '+' || zone == '-') {
    int hours = cursor.digits(2);
    cursor.one_of(":");
    int minutes = cursor.digits(2);
    if (hours > 23 || minutes > 59) return invalid();
    offset_minutes = (hours * 60 + minutes) * (zone == '-' ? -1 : 1);
  }
  std::chrono::year_month_day date(std::chrono::year(year),
                                   std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day)));
  if (!cursor.ok_at_end() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return invalid();
  return UtcTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                 std::chrono::minutes(minute - offset_minutes) + std::chrono::seconds(second) +
                 microseconds(micros));
}

std::int64_t to_micros(UtcTime time) {
  return time.time_since_epoch().count();
}

UtcTime from_micros(std::int64_t micros) {
  return UtcTime(microseconds(micros));
}

double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace tributary
