#include "field/range.hpp"

#include <gmock/gmock.h>

namespace tributary::field {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> expand(std::string_view pattern) {
  auto names = expand_ranges(pattern, 1000);
  if (!names) return {names.error().code};
  return *names;
}

TEST(Range, BracketsStayAndBracesGo) {
  EXPECT_THAT(expand("Motor[1..3].Speed"),
              ElementsAre("Motor[1].Speed", "Motor[2].Speed", "Motor[3].Speed"));
  EXPECT_THAT(expand("Motor{1..3}"), ElementsAre("Motor1", "Motor2", "Motor3"));
}

TEST(Range, StepsAndCountsDown) {
  EXPECT_THAT(expand("t{0..25..10}"), ElementsAre("t0", "t10", "t20"));
  EXPECT_THAT(expand("t{3..1}"), ElementsAre("t3", "t2", "t1"));
  EXPECT_THAT(expand("t{5..5}"), ElementsAre("t5"));
}

TEST(Range, KeepsTheWidthWithZeros) {
  EXPECT_THAT(expand("P{08..11}"), ElementsAre("P08", "P09", "P10", "P11"));
  EXPECT_THAT(expand("P{8..011}"), ElementsAre("P008", "P009", "P010", "P011"));
  EXPECT_THAT(expand("P{0..2}"), ElementsAre("P0", "P1", "P2"));
}

TEST(Range, TheLastOfSeveralCountsFastest) {
  EXPECT_THAT(expand("L{1..2}.M[1..2]"), ElementsAre("L1.M[1]", "L1.M[2]", "L2.M[1]", "L2.M[2]"));
}

TEST(Range, OtherBracketsAreText) {
  EXPECT_THAT(expand("Array[5].x"), ElementsAre("Array[5].x"));
  EXPECT_THAT(expand("{a}"), ElementsAre("{a}"));
  EXPECT_THAT(expand("open["), ElementsAre("open["));
  EXPECT_THAT(expand("a..b"), ElementsAre("a..b"));
  EXPECT_THAT(expand(""), ElementsAre(""));
}

TEST(Range, WhatIsNoRangeOfNumbersIsRefused) {
  for (const char* pattern : {"[a..b]", "[1..]", "[..2]", "[1..5..0]", "[-1..3]", "[1..2..x]",
                              "{1...3}", "[1..1234567890]", "[1 .. 3]"})
    EXPECT_THAT(expand(pattern), ElementsAre("bad_range")) << pattern;
}

TEST(Range, ThereIsAMost) {
  EXPECT_EQ(expand("[1..1000]").size(), 1000U);
  EXPECT_THAT(expand("[1..1001]"), ElementsAre("too_many"));
  EXPECT_THAT(expand("[1..100][1..100][1..100000000]"), ElementsAre("too_many"));
}

}  // namespace
}  // namespace tributary::field
