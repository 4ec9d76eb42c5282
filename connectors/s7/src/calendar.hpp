// Dates and times of S7 CPUs as texts, and back. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tributary::connectors::s7 {

// A point in time of the CPU's clock. Without a time zone.
struct ClockTime {
  std::chrono::sys_days day;
  std::uint64_t nanoseconds = 0;  // since midnight, below kNanosecondsPerDay
};
inline constexpr std::uint64_t kNanosecondsPerDay = 86'400'000'000'000;
inline constexpr std::chrono::sys_days kFirstDay =
    std::chrono::sys_days(std::chrono::year(1990) / 1 / 1);

// "2026-03-31". Nothing when it is no date.
std::string date_text(std::chrono::sys_days day);
std::optional<std::chrono::sys_days> parse_date(std::string_view text);
// "13:45:12", with as many decimals as it takes: none, 3, 6 or 9.
std::string time_text(std::uint64_t nanoseconds);
std::optional<std::uint64_t> parse_time(std::string_view text);
// "2026-03-31T13:45:12.250"; parsing also takes a blank for the T.
std::string clock_text(const ClockTime& time);
std::optional<ClockTime> parse_clock(std::string_view text);

// DATE_AND_TIME: eight bytes of BCD, 1990 to 2089. Nothing when a digit or a field is none.
std::optional<ClockTime> load_date_and_time(std::span<const std::byte, 8> bytes);
std::optional<std::array<std::byte, 8>> store_date_and_time(const ClockTime& time);
// DTL: twelve bytes, 1970 to 2262.
std::optional<ClockTime> load_dtl(std::span<const std::byte, 12> bytes);
std::optional<std::array<std::byte, 12>> store_dtl(const ClockTime& time);

}  // namespace tributary::connectors::s7
