// Addresses: what is understood, what is refused, and that both directions agree.
#include "connectors/s7/src/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tributary::connectors::s7 {
namespace {

struct Case {
  const char* text;
  const char* canonical;
};
class Addresses : public ::testing::TestWithParam<Case> {};

TEST_P(Addresses, AreUnderstoodAndWrittenBack) {
  const auto address = parse_address(GetParam().text);
  ASSERT_TRUE(address.has_value()) << address.error().message;
  EXPECT_EQ(to_string(*address), GetParam().canonical);
  EXPECT_EQ(parse_address(to_string(*address)).value(), *address);
}
INSTANTIATE_TEST_SUITE_P(
    All, Addresses,
    ::testing::Values(
        Case{"DB1.DBX0.3", "DB1.DBX0.3"}, Case{"db1.dbx 0.3", "DB1.DBX0.3"},
        Case{"%DB1.DBW2", "DB1.DBW2"}, Case{"DB65535.DBD2097148", "DB65535.DBD2097148"},
        Case{"DB1,REAL8", "DB1,REAL8"}, Case{"DB1.REAL8", "DB1,REAL8"},
        Case{"DB1,X0.3", "DB1.DBX0.3"}, Case{"DB1,BOOL0.3", "DB1.DBX0.3"},
        Case{"DB1,STRING20.30", "DB1,STRING20.30"}, Case{"DB1,INT4.10", "DB1,INT4.10"},
        Case{"DB1,S5TIME4", "DB1,S5TIME4"}, Case{"DB1,DT4", "DB1,DATE_AND_TIME4"},
        Case{"DB1,DTL4", "DB1,DTL4"}, Case{"DB1,BCD164", "DB1,BCD164"}, Case{"DB1,D4", "DB1.DBD4"},
        Case{"DB1.DBX0.3.16", "DB1.DBX0.3.16"}, Case{"M0.3", "M0.3"}, Case{"MX0.3", "M0.3"},
        Case{"MB4", "MB4"}, Case{"MW4", "MW4"}, Case{"MD4", "MD4"}, Case{"M,REAL4", "M,REAL4"},
        Case{"I0.0", "I0.0"}, Case{"E0.0", "I0.0"}, Case{"EB7", "IB7"}, Case{"Q1.7", "Q1.7"},
        Case{"A1.7", "Q1.7"}, Case{"AW2", "QW2"}, Case{"PIW256", "PIW256"},
        Case{"PEW256", "PIW256"}, Case{"PQW256", "PQW256"}, Case{"PAW256", "PQW256"},
        Case{"%IW64:P", "PIW64"}, Case{"%Q4.0:P", "PQ4.0"}, Case{"T5", "T5"}, Case{"C7", "C7"},
        Case{"Z7", "C7"}, Case{"MW4.10", "MW4.10"}));

class NoAddresses : public ::testing::TestWithParam<const char*> {};
TEST_P(NoAddresses, AreRefusedWithAReason) {
  const auto address = parse_address(GetParam());
  ASSERT_FALSE(address.has_value()) << to_string(*address);
  EXPECT_EQ(address.error().code, "bad_address");
  EXPECT_EQ(address.error().error_class, ErrorClass::kFunction);
  EXPECT_NE(address.error().hint, "");
}
INSTANTIATE_TEST_SUITE_P(All, NoAddresses,
                         ::testing::Values("", "DB", "DB1", "DB1.", "DB1,", "DB1.DBX0",
                                           "DB1.DBX0.8", "DB1.DBW", "DB70000.DBW0",
                                           "DB1.DBW2097152", "DB1,FOO4", "M0", "M0.9", "X0.0",
                                           "MW4x", "T", "T70000", "DB1.DBW0.0", "DB1,REAL", "40001",
                                           "DB1.DBW99999999999999999999"));

TEST(Address, EveryCombinationSurvivesBothDirections) {
  for (const Area area :
       {Area::kMerkers, Area::kInputs, Area::kOutputs, Area::kPeripheral, Area::kDataBlocks}) {
    for (int type = -1; type <= static_cast<int>(Type::kCounter); ++type) {
      for (const Width width : {Width::kBit, Width::kByte, Width::kWord, Width::kDouble}) {
        Address address{area, false, 0, 77, 0, width, {}, 0};
        if (area == Area::kDataBlocks) address.db = 42;
        if (width == Width::kBit) address.bit = 5;
        if (type > 0 && width == Width::kByte) {
          address.type = static_cast<Type>(type);
          address.width = Width::kNone;
          address.extra = 12;
        }
        const auto again = parse_address(to_string(address));
        ASSERT_TRUE(again.has_value()) << to_string(address);
        EXPECT_EQ(*again, address) << to_string(address);
      }
    }
  }
}

}  // namespace
}  // namespace tributary::connectors::s7
