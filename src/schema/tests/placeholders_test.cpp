#include "schema/placeholders.hpp"

#include <gtest/gtest.h>

namespace tributary::schema {
namespace {

std::string filled(std::string_view settings, std::string_view parameters,
                   const std::vector<std::string>& bound = {}) {
  auto result = fill_placeholders(Json::parse(settings), Json::parse(parameters), bound);
  return result ? to_text(*result) : result.error().code + " " + result.error().pointer;
}

TEST(PlaceholderNames, EachOnceInOrderOfAppearance) {
  const auto json = Json::parse(
      R"J({"b": "x ((two)) ((one))", "a": [{"c": "((two))"}, "((_3))", 4], "((key))": "no"})J");
  EXPECT_EQ(placeholder_names(json), (std::vector<std::string>{"two", "one", "_3"}));
}

TEST(PlaceholderNames, OnlyNamesInDoubleParentheses) {
  for (const auto* text :
       {"(a)", "((a)", "(a))", "(( a ))", "((1a))", "(())", "((a-b))", "((ä))", "(("}) {
    EXPECT_EQ(placeholder_names(Json(text)), std::vector<std::string>{}) << text;
    EXPECT_FALSE(has_placeholder(text)) << text;
  }
  EXPECT_EQ(placeholder_names(Json("(((a)))((b)((c))")), (std::vector<std::string>{"a", "c"}));
}

TEST(FillPlaceholders, AWholeStringTakesTheType) {
  constexpr auto kParameters =
      R"({"n": 3, "d": 0.5, "t": true, "s": "x", "l": [1, {"a": 2}], "z": null})";
  EXPECT_EQ(
      filled(
          R"J({"a": "((n))", "b": ["((d))", "((t))"], "c": "((s))", "d": "((l))", "e": "((z))"})J",
          kParameters),
      R"({"a":3,"b":[0.5,true],"c":"x","d":[1,{"a":2}],"e":null})");
}

TEST(FillPlaceholders, InsideTextItIsText) {
  EXPECT_EQ(filled(R"({"topic": "plant/((line))/((name))!"})", R"({"line": 3, "name": "filler"})"),
            R"({"topic":"plant/3/filler!"})");
  EXPECT_EQ(filled(R"J(["((a))((a))", "x((b))"])J", R"({"a": 1, "b": {"c": [true]}})"),
            R"(["11","x{\"c\":[true]}"])");
}

TEST(FillPlaceholders, WhatWasFilledInIsNotFilledAgain) {
  EXPECT_EQ(filled(R"J(["((a))", "x((a))"])J", R"J({"a": "((b))", "b": "secret"})J"),
            R"J(["((b))","x((b))"])J");
}

TEST(FillPlaceholders, AMissingParameterIsNamed) {
  EXPECT_EQ(filled(R"J({"a": "((one))"})J", "{}"), "missing_parameter /parameters/one");
  EXPECT_EQ(filled(R"J({"a": ["x((two))"]})J", R"({"one": 1})"),
            "missing_parameter /parameters/two");
  EXPECT_EQ(filled(R"J({"a": "((one))"})J", "null"), "missing_parameter /parameters/one");
}

TEST(FillPlaceholders, BoundMembersAreLeftAlone) {
  EXPECT_EQ(filled(R"J({"query": "select ((a))", "limit": "((n))", "inner": {"query": "((n))"}})J",
                   R"({"n": 1})", {"query"}),
            R"J({"query":"select ((a))","limit":1,"inner":{"query":1}})J");
}

TEST(FillPlaceholders, WithoutPlaceholdersNothingChanges) {
  constexpr auto kText = R"J({"a":[1,2.5,null,"(x)"],"b":{"c":false}})J";
  EXPECT_EQ(filled(kText, "{}"), kText);
}

}  // namespace
}  // namespace tributary::schema
