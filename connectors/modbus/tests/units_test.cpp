#include "connectors/modbus/src/units.hpp"

#include <gtest/gtest.h>

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;

class UnitsTest : public ::testing::Test {
 protected:
  static UnitPolicy policy(std::initializer_list<int> known, std::size_t patience = 1) {
    UnitPolicy made;
    for (const int unit : known) made.known.set(static_cast<std::size_t>(unit));
    made.rest_after = 2;
    made.rest = 10s;
    made.patience = patience;
    return made;
  }
  SteadyTime now_{1h};
  std::shared_ptr<const Error> why_ =
      std::make_shared<const Error>(ErrorClass::kFunction, "timeout", "no answer");
};

TEST_F(UnitsTest, TheOnlyUnitStandsForTheConnection) {
  Units units(policy({1}));
  EXPECT_FALSE(units.may_be_silent(1));
  units.answered(1);
  EXPECT_FALSE(units.may_be_silent(1));
  EXPECT_TRUE(units.silent(1, now_, why_)) << "nobody else could show that the connection works";
}

TEST_F(UnitsTest, WhereBytesGetLostItTakesSeveralSilences) {
  Units units(policy({1}, 3));
  EXPECT_TRUE(units.may_be_silent(1));
  EXPECT_FALSE(units.silent(1, now_, why_));
  EXPECT_FALSE(units.silent(1, now_, why_));
  EXPECT_FALSE(units.rests(1)) << "the only one is not left alone";
  EXPECT_TRUE(units.silent(1, now_, why_));
}

TEST_F(UnitsTest, ASilentUnitRestsAndIsTriedAgain) {
  Units units(policy({1, 5}));
  units.answered(1);
  EXPECT_TRUE(units.may_be_silent(5));
  EXPECT_FALSE(units.silent(5, now_, why_));
  EXPECT_EQ(units.resting(5, now_), nullptr) << "once is no reason yet";
  units.answered(1);
  EXPECT_FALSE(units.silent(5, now_, why_));
  EXPECT_EQ(units.resting(5, now_), why_);
  EXPECT_EQ(units.resting(5, now_ + 10s), nullptr);
  EXPECT_TRUE(units.take_try(5, now_ + 10s));
  EXPECT_FALSE(units.take_try(5, now_ + 11s)) << "one try for each rest";
  units.answered(5);
  EXPECT_FALSE(units.rests(5));
}

TEST_F(UnitsTest, WhenTheLastOneThatAnsweredIsSilentTheConnectionIsLost) {
  Units units(policy({1, 5, 6}));
  units.answered(5);
  units.answered(6);
  EXPECT_FALSE(units.silent(1, now_, why_)) << "it has never answered";
  EXPECT_FALSE(units.silent(5, now_, why_));
  EXPECT_TRUE(units.silent(6, now_, why_));
}

TEST_F(UnitsTest, WithoutAnyAnswerAllKnownUnitsAreTriedBeforeItIsLost) {
  Units units(policy({1, 5}));
  EXPECT_EQ(units.candidates(), (std::vector<std::uint8_t>{1, 5}));
  EXPECT_FALSE(units.silent(1, now_, why_));
  EXPECT_EQ(units.candidates().front(), 5);
  EXPECT_FALSE(units.may_be_silent(5));
  EXPECT_TRUE(units.silent(5, now_, why_));
}

TEST_F(UnitsTest, ThreeInARowThatHadAnsweredAreTheConnection) {
  Units units(policy({1, 2, 3, 4, 5}));
  for (std::uint8_t unit = 1; unit <= 5; ++unit) units.answered(unit);
  EXPECT_FALSE(units.silent(1, now_, why_));
  EXPECT_FALSE(units.silent(2, now_, why_));
  EXPECT_TRUE(units.silent(3, now_, why_));
}

TEST_F(UnitsTest, AGatewayThatCannotReachAUnitIsThereItself) {
  Units units(policy({5}));
  units.away(5, now_, why_);
  units.away(5, now_, why_);
  EXPECT_EQ(units.resting(5, now_), why_);
  units.answered(5);
  EXPECT_EQ(units.resting(5, now_), nullptr);
}

}  // namespace
}  // namespace tributary::connectors::modbus
