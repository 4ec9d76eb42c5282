#include "schema/suggest.hpp"

#include <gtest/gtest.h>

namespace tributary::schema {
namespace {

const std::vector<std::string> kNames = {"host", "port", "unitId", "requestTimeoutMs"};

TEST(NearestName, FindsSlips) {
  EXPECT_EQ(nearest_name("hots", kNames), "host");
  EXPECT_EQ(nearest_name("unitID", kNames), "unitId");
  EXPECT_EQ(nearest_name("requestTimeout", kNames), "requestTimeoutMs");
  EXPECT_EQ(nearest_name("reqestTimeoutMs", kNames), "requestTimeoutMs");
  EXPECT_EQ(nearest_name("porrt", kNames), "port");
}

TEST(NearestName, SuggestsNothingFarAway) {
  EXPECT_EQ(nearest_name("colour", kNames), std::nullopt);
  EXPECT_EQ(nearest_name("p", kNames), std::nullopt);
  EXPECT_EQ(nearest_name("", kNames), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(1000, 'a'), kNames), std::nullopt);
  EXPECT_EQ(nearest_name("host", {}), std::nullopt);
}

}  // namespace
}  // namespace tributary::schema
