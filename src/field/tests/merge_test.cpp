#include "field/merge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/random.hpp"

namespace tributary::field {
namespace {

std::vector<Block> merged(std::span<const Extent> extents, MergeRules rules) {
  return merge(extents, [&](std::uint32_t) { return rules; });
}

std::uint64_t cost_of(const std::vector<Block>& blocks, const MergeRules& rules) {
  std::uint64_t cost = 0;
  for (const Block& block : blocks) cost += rules.request_cost + block.end - block.begin;
  return cost;
}

// The least cost by trying every way to cut the sorted extents.
std::uint64_t cheapest(std::vector<Extent> extents, const MergeRules& rules) {
  std::ranges::sort(extents, {}, [](const Extent& e) { return std::pair(e.begin, e.end); });
  const std::size_t cuts = extents.size() - 1;
  std::uint64_t best = std::numeric_limits<std::uint64_t>::max();
  for (std::uint64_t mask = 0; mask < (std::uint64_t{1} << cuts); ++mask) {
    std::uint64_t cost = 0;
    std::uint32_t begin = extents[0].begin;
    std::uint32_t end = extents[0].end;
    bool fits = true;
    for (std::size_t i = 1; i <= extents.size(); ++i) {
      const bool cut = i == extents.size() || ((mask >> (i - 1)) & 1U) != 0;
      if (cut) {
        fits = fits && end - begin <= rules.longest;
        cost += rules.request_cost + end - begin;
        if (i < extents.size()) begin = extents[i].begin, end = extents[i].end;
      } else {
        end = std::max(end, extents[i].end);
      }
    }
    if (fits) best = std::min(best, cost);
  }
  return best;
}

TEST(Merge, NoOtherCutIsCheaper) {
  SeededRandom random(3);
  for (int round = 0; round < 2'000; ++round) {
    const MergeRules rules{static_cast<std::uint32_t>(8 + random.next() % 30),
                           static_cast<std::uint32_t>(random.next() % 12)};
    std::vector<Extent> extents(1 + random.next() % 9);
    for (Extent& extent : extents) {
      extent.begin = static_cast<std::uint32_t>(random.next() % 80);
      extent.end = extent.begin + 1 + static_cast<std::uint32_t>(random.next() % 8);
    }
    ASSERT_EQ(cost_of(merged(extents, rules), rules), cheapest(extents, rules)) << round;
  }
}

// Filling each request from the left would read 0 … 9 and 20, 21: with the gap in the second one.
TEST(Merge, CutsWhereTheGapIsAndNotWhereARequestIsFull) {
  const std::vector<Extent> extents{{0, 0, 4}, {0, 8, 10}, {0, 10, 12}};
  const auto blocks = merged(extents, {10, 5});
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].end, 4U);
  EXPECT_EQ(blocks[1].begin, 8U);
}

TEST(Merge, NeighboursShareARequestEvenWhenRequestsCostNothing) {
  const auto blocks = merged(std::vector<Extent>{{0, 0, 2}, {0, 2, 4}, {0, 5, 6}}, {100, 0});
  ASSERT_EQ(blocks.size(), 2U) << "a gap is never read";
  EXPECT_EQ(blocks[0].items, (std::vector<std::uint32_t>{0, 1}));
}

TEST(Merge, EverySpaceHasItsOwnRules) {
  const std::vector<Extent> extents{{7, 0, 1}, {7, 4, 5}, {9, 0, 1}, {9, 4, 5}};
  const auto blocks =
      merge(extents, [](std::uint32_t space) { return MergeRules{100, space == 7 ? 3U : 2U}; });
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].space, 7U);
  EXPECT_EQ(blocks[0].items.size(), 2U);
}

TEST(Merge, WhatIsLongerThanARequestStaysAlone) {
  const auto blocks = merged(std::vector<Extent>{{0, 0, 50}, {0, 50, 51}}, {10, 5});
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].end, 50U);
}

TEST(Merge, ManyValuesInOnePlaceAreQuick) {
  std::vector<Extent> extents(10'000, Extent{0, 5, 6});
  const auto blocks = merged(extents, {125, 16});
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].items.size(), 10'000U);
}

TEST(Merge, SplittingEndsAtSinglePlacesAndLosesNone) {
  SeededRandom random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<Extent> extents(1 + random.next() % 40);
    for (Extent& extent : extents) {
      extent.begin = static_cast<std::uint32_t>(random.next() % 100);
      extent.end = extent.begin + 1 + static_cast<std::uint32_t>(random.next() % 4);
    }
    std::vector<Block> work = merged(extents, {125, 16});
    std::multiset<std::uint32_t> ends;
    std::size_t steps = 0;
    while (!work.empty()) {
      const Block block = work.back();
      work.pop_back();
      const auto parts = split(block, extents);
      if (parts.empty()) ends.insert(block.items.begin(), block.items.end());
      work.insert(work.end(), parts.begin(), parts.end());
      ASSERT_LT(++steps, extents.size() * 4) << "splitting must end";
    }
    ASSERT_EQ(ends.size(), extents.size());
    ASSERT_EQ(std::set(ends.begin(), ends.end()).size(), extents.size());
  }
}

}  // namespace
}  // namespace tributary::field
