#include "http/retry_after.hpp"

#include <gtest/gtest.h>

namespace tributary::http {
namespace {

const UtcTime kNow = parse_utc("2026-11-26T10:00:00Z").value();

TEST(RetryAfter, SecondsAndDatesAreUnderstood) {
  EXPECT_EQ(parse_retry_after("120", kNow), 120'000);
  EXPECT_EQ(parse_retry_after(" 0 ", kNow), 0);
  EXPECT_EQ(parse_retry_after("Thu, 26 Nov 2026 10:01:30 GMT", kNow), 90'000);
  EXPECT_EQ(parse_retry_after("Thursday, 26-Nov-26 10:01:30 GMT", kNow), 90'000);
  EXPECT_EQ(parse_retry_after("Thu Nov 26 10:01:30 2026", kNow), 90'000);
}

TEST(RetryAfter, WhatIsOverIsNowAndWhatIsFarIsADay) {
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 1999 23:59:59 GMT", kNow), 0);
  EXPECT_EQ(parse_retry_after("99999999999999999999", kNow), kMaxRetryAfterMs);
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 2099 23:59:59 GMT", kNow), kMaxRetryAfterMs);
}

TEST(RetryAfter, TheRestIsNothing) {
  for (const char* text : {"", " ", "soon", "-1", "1.5", "12 s", "0x10"})
    EXPECT_EQ(parse_retry_after(text, kNow), std::nullopt) << text;
  EXPECT_EQ(parse_retry_after(std::string(1000, '1'), kNow), std::nullopt);
}

}  // namespace
}  // namespace tributary::http
