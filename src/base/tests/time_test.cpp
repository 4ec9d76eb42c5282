#include "base/time.hpp"

#include <gtest/gtest.h>

namespace tributary {
namespace {

using std::chrono::microseconds;

TEST(Utc, FormatsMillisecondsAndZ) {
  EXPECT_EQ(format_utc(from_micros(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_utc(from_micros(1'795'341'600'123'999)), "2026-11-22T10:00:00.123Z");
}

TEST(Utc, FormatsTimesBefore1970) {
  EXPECT_EQ(format_utc(from_micros(-1000)), "1969-12-31T23:59:59.999Z");
}

TEST(Utc, ParsesWhatItFormats) {
  for (std::int64_t micros :
       {0LL, 951'782'399'999'000LL, 1'795'341'600'123'000LL, 4'102'444'800'000'000LL}) {
    auto parsed = parse_utc(format_utc(from_micros(micros)));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(to_micros(*parsed), micros);
  }
}

TEST(Utc, AppliesOffsets) {
  EXPECT_EQ(*parse_utc("2026-11-22T13:00:00+03:00"), *parse_utc("2026-11-22T10:00:00Z"));
  EXPECT_EQ(*parse_utc("2026-11-22T05:30:00.5-04:30"), *parse_utc("2026-11-22T10:00:00.500Z"));
}

TEST(Utc, RefusesWhatIsNotRfc3339) {
  for (auto* text : {"", "yesterday", "2026-11-22", "2026-11-22T10:00:00", "2026-13-01T00:00:00Z",
                     "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T10:00:00.Z",
                     "2026-11-22T10:00:00Zjunk", "2026-11-22T10:00:00+25:00"}) {
    auto parsed = parse_utc(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, "invalid_time");
  }
}

TEST(ManualClock, MovesBothClocksAndStepsOnlyUtc) {
  ManualClock clock;
  auto steady = clock.steady_now();
  auto utc = clock.utc_now();
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(clock.steady_now() - steady, std::chrono::seconds(2));
  EXPECT_EQ(clock.utc_now() - utc, std::chrono::seconds(2));
  clock.step_utc(-std::chrono::hours(1));
  EXPECT_EQ(clock.steady_now() - steady, std::chrono::seconds(2));
  EXPECT_EQ(clock.utc_now() - utc, std::chrono::seconds(2) - std::chrono::hours(1));
}

}  // namespace
}  // namespace tributary
