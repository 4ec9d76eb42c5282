#include "field/scaling.hpp"

#include <gtest/gtest.h>

namespace tributary::field {
namespace {

Scaling range(ScalingKind kind, double raw_low, double raw_high, double low, double high,
              bool clamp = false) {
  Scaling scaling;
  scaling.kind = kind;
  scaling.raw_low = raw_low;
  scaling.raw_high = raw_high;
  scaling.low = low;
  scaling.high = high;
  scaling.clamp = clamp;
  return scaling;
}

TEST(Scaling, AFactorThatChangesNothingIsNone) {
  EXPECT_FALSE(Scaling::factor(1, 0).active());
  EXPECT_TRUE(Scaling::factor(2, 0).active());
  EXPECT_TRUE(Scaling::factor(1, -1).active());
  EXPECT_EQ(to_engineering(Scaling::factor(0.5, -40), 200), 60);
  EXPECT_EQ(to_raw(Scaling::factor(0.5, -40), 60), 200);
}

TEST(Scaling, LinearMapsTheRawRangeToTheRangeOfTheValue) {
  const Scaling milliamperes = range(ScalingKind::kLinear, 4000, 20000, -50, 150);
  EXPECT_EQ(to_engineering(milliamperes, 4000), -50);
  EXPECT_EQ(to_engineering(milliamperes, 12000), 50);
  EXPECT_EQ(to_engineering(milliamperes, 20000), 150);
  EXPECT_EQ(to_engineering(milliamperes, 22000), 175) << "beyond the range it goes on";
  EXPECT_EQ(to_raw(milliamperes, 50), 12000);
  const Scaling falling = range(ScalingKind::kLinear, 0, 100, 100, 0);
  EXPECT_EQ(to_engineering(falling, 25), 75);
  EXPECT_EQ(to_raw(falling, 75), 25);
}

TEST(Scaling, SquareRootMakesFlowOfPressure) {
  const Scaling flow = range(ScalingKind::kSquareRoot, 0, 10000, 0, 200);
  EXPECT_EQ(to_engineering(flow, 0), 0);
  EXPECT_EQ(to_engineering(flow, 2500), 100) << "a quarter of the pressure is half of the flow";
  EXPECT_EQ(to_engineering(flow, 10000), 200);
  EXPECT_EQ(to_engineering(flow, -3), 0) << "noise below zero has no root";
  EXPECT_EQ(to_raw(flow, 100), 2500);
}

TEST(Scaling, ClampHoldsWhatIsReadAndRefusesWhatIsWritten) {
  for (const auto& [low, high] : {std::pair{0.0, 100.0}, std::pair{100.0, 0.0}}) {
    const Scaling clamped = range(ScalingKind::kLinear, 0, 1000, low, high, true);
    EXPECT_EQ(to_engineering(clamped, -20), low);
    EXPECT_EQ(to_engineering(clamped, 1020), high);
    EXPECT_TRUE(may_write(clamped, 100));
    EXPECT_FALSE(may_write(clamped, 100.5));
    EXPECT_FALSE(may_write(clamped, -0.5));
  }
  EXPECT_TRUE(may_write(range(ScalingKind::kLinear, 0, 1000, 0, 100), 101));
}

TEST(Scaling, WhatHasNoInverseIsRefused) {
  EXPECT_EQ(check(Scaling::factor(0, 1)).error().pointer, "scale");
  EXPECT_EQ(check(range(ScalingKind::kLinear, 4, 4, 0, 1)).error().pointer, "rawHigh");
  EXPECT_EQ(check(range(ScalingKind::kSquareRoot, 0, 4, 7, 7)).error().pointer, "high");
  EXPECT_TRUE(check(range(ScalingKind::kLinear, 4, 20, 0, 1)).has_value());
}

}  // namespace
}  // namespace tributary::field
