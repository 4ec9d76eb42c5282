// How a hub that comes up begins (G29).
#include "connect/start_spread.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tributary::connect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(StartSpread, two_hundred_fill_two_seconds_evenly) {
  SeededRandom random(7);
  auto delays = spread_starts(200, seconds{2}, random);
  std::ranges::sort(delays);
  EXPECT_EQ(delays.front(), Duration::zero());
  EXPECT_EQ(delays.back(), seconds{2});
  for (std::size_t i = 10; i < delays.size(); ++i) {
    EXPECT_GE(delays[i] - delays[i - 10], milliseconds{80}) << "ten within a hundred milliseconds";
  }
}

TEST(StartSpread, the_order_is_left_to_chance) {
  SeededRandom random(7);
  const auto delays = spread_starts(200, seconds{2}, random);
  EXPECT_FALSE(std::ranges::is_sorted(delays));
  EXPECT_NE(delays, spread_starts(200, seconds{2}, random));
}

TEST(StartSpread, one_connection_alone_may_begin_at_any_moment) {
  SeededRandom random(7);
  const auto once = spread_starts(1, seconds{2}, random);
  const auto again = spread_starts(1, seconds{2}, random);
  EXPECT_NE(once, again);
  EXPECT_THAT(once, testing::ElementsAre(
                        testing::AllOf(testing::Ge(Duration::zero()), testing::Lt(seconds{2}))));
}

TEST(StartSpread, none_at_all) {
  SeededRandom random(7);
  EXPECT_THAT(spread_starts(0, seconds{2}, random), testing::IsEmpty());
}

}  // namespace
}  // namespace tributary::connect
