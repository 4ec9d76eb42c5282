#include "model/difference.hpp"

#include <gtest/gtest.h>

namespace tributary {
namespace {

std::string changes(std::string_view before, std::string_view after) {
  return to_text(differences(parse_json(before).value(), parse_json(after).value()));
}

TEST(Difference, EqualDocumentsHaveNone) {
  EXPECT_EQ(changes(R"({"a":[1,{"b":null}]})", R"({"a":[1,{"b":null}]})"), "[]");
}

TEST(Difference, WhatCameChangedAndWentIsNamedWithItsEscapedPointer) {
  EXPECT_EQ(changes(R"({"a/b":1,"c~d":{"e":true}})", R"({"c~d":{"e":false},"f":null})"),
            R"([{"pointer":"/c~0d/e","from":true,"to":false},{"pointer":"/f","to":null},)"
            R"({"pointer":"/a~1b","from":1}])");
}

TEST(Difference, ListsOfOneLengthAreComparedPlaceByPlaceAndOthersAsAWhole) {
  EXPECT_EQ(changes("[1,2]", "[1,3]"), R"([{"pointer":"/1","from":2,"to":3}])");
  EXPECT_EQ(changes("[1]", "[1,3]"), R"([{"pointer":"","from":[1],"to":[1,3]}])");
}

TEST(Difference, AnotherKindOfValueIsOneChange) {
  EXPECT_EQ(changes(R"({"a":{"b":1}})", R"({"a":[1]})"),
            R"([{"pointer":"/a","from":{"b":1},"to":[1]}])");
}

}  // namespace
}  // namespace tributary
