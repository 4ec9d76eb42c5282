// Symbol tables as STEP 7 and TIA Portal write them.
#include "connectors/s7/src/symbols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tributary::connectors::s7 {
namespace {

Json json(std::string_view text) {
  return parse_json(text).value();
}

TEST(SymbolsTest, TheSymbolTableOfStep7) {
  const auto result = import_symbols(
      "\"Motor_On                \",\"M       0.3\",\"BOOL      \",\"the main drive\"\r\n"
      "\"Speed                   \",\"MD      4  \",\"REAL      \",\"\"\r\n"
      "\"F\xFCllung                 \",\"PEW   256  \",\"INT       \",\"\"\r\n"
      "\"Wait                    \",\"T       5  \",\"TIMER     \",\"\"\r\n"
      "\"Bottles                 \",\"Z       3  \",\"COUNTER   \",\"\"\r\n"
      "\"Main                    \",\"OB      1  \",\"OB      1 \",\"\"\r\n"
      "\"Control                 \",\"FB     10  \",\"FB     10 \",\"\"\r\n");
  EXPECT_EQ(result.points, json(R"([
      {"name": "Motor_On", "address": "M0.3", "dataType": "BOOL"},
      {"name": "Speed", "address": "MD4", "dataType": "REAL"},
      {"name": "Füllung", "address": "PIW256", "dataType": "INT"},
      {"name": "Wait", "address": "T5"},
      {"name": "Bottles", "address": "C3"}])"));
  ASSERT_EQ(result.problems.size(), 2U);
  EXPECT_EQ(result.problems[0].line, 6U);
  EXPECT_THAT(result.problems[1].message, ::testing::StartsWith("Control: "));
}

TEST(SymbolsTest, TheTagTableOfTiaPortal) {
  const auto result = import_symbols(
      "\xEF\xBB\xBFName;Path;Data Type;Logical Address;Comment;Hmi Visible\n"
      "Running;Default tag table;Bool;%M0.3;;True\n"
      "Setpoint;Default tag table;Real;%MD10;\"a; b\";True\n"
      "Level;Default tag table;Int;%IW64:P;;True\n"
      "Drive;Default tag table;\"Motor\";%Q4.0;;True\n");
  EXPECT_EQ(result.points, json(R"([{"name": "Running", "address": "M0.3", "dataType": "BOOL"},
      {"name": "Setpoint", "address": "MD10", "dataType": "REAL"}, {"name": "Level", "address": "PIW64", "dataType": "INT"}])"));
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(result.problems[0].line, 5U);
  EXPECT_THAT(result.problems[0].message, ::testing::HasSubstr("Motor is not known"));
  EXPECT_THAT(result.lines, ::testing::ElementsAre(2, 3, 4));
}

TEST(SymbolsTest, TabsListsAndTextsOfDataBlocks) {
  const auto result = import_symbols(
      "Profile\tDB10.DBD20\tArray[0..9] of Real\n"
      "Product\tDB10.DBB60\tString[20]\n"
      "Product\tDB10.DBB100\tWString[10]\n"
      "Recipe[1..3]\tDB10.DBW2\tInt\n"
      "Wrong\tDB10.DBW2\tReal\n");
  EXPECT_EQ(result.points, json(R"([
      {"name": "Profile", "address": "DB10.DBD20", "dataType": "REAL", "count": 10},
      {"name": "Product", "address": "DB10.DBB60", "dataType": "STRING", "length": 20},
      {"name": "Product_2", "address": "DB10.DBB100", "dataType": "WSTRING", "length": 10},
      {"name": "Recipe[1_3]", "address": "DB10.DBW2", "dataType": "INT"}])"));
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(result.problems[0].line, 5U);
}

TEST(SymbolsTest, WhatIsNoTableGivesNoPoints) {
  EXPECT_EQ(import_symbols("").points.size(), 0U);
  const auto result = import_symbols("<html>\n<body>M0.3</body>\n");
  EXPECT_EQ(result.points.size(), 0U);
  EXPECT_EQ(result.problems.size(), 2U);
}

}  // namespace
}  // namespace tributary::connectors::s7
