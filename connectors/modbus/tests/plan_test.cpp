#include "connectors/modbus/src/plan.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/random.hpp"

namespace tributary::connectors::modbus {
namespace {

Point holding(std::uint16_t address, std::uint16_t quantity = 1, std::uint8_t unit = 1) {
  Point point;
  point.unit = unit;
  point.address = address;
  point.quantity = quantity;
  return point;
}

void expect_valid(const std::vector<Block>& blocks, std::span<const Point> points,
                  const Limits& limits) {
  std::multiset<std::uint32_t> covered;
  for (const Block& block : blocks) {
    ASSERT_FALSE(block.points.empty());
    ASSERT_GE(block.quantity, 1);
    ASSERT_LE(block.quantity, is_bit_area(block.area) ? limits.max_bits : limits.max_registers);
    ASSERT_LE(std::uint32_t{block.address} + block.quantity, 65536U);
    std::uint32_t end = block.address;
    for (const std::uint32_t index : block.points) {
      const Point& point = points[index];
      ASSERT_EQ(point.area, block.area);
      ASSERT_EQ(point.unit, block.unit);
      ASSERT_GE(point.address, block.address);
      ASSERT_LE(point.end(), std::uint32_t{block.address} + block.quantity);
      ASSERT_LE(point.address,
                end + limits.max_gap_registers * (is_bit_area(block.area) ? 16U : 1U));
      end = std::max(end, point.end());
      covered.insert(index);
    }
    ASSERT_EQ(end, std::uint32_t{block.address} + block.quantity)
        << "nothing read behind the last point";
  }
  ASSERT_EQ(covered.size(), points.size());
  ASSERT_EQ(std::set(covered.begin(), covered.end()).size(), points.size()) << "every point once";
}

TEST(Plan, NeighboursShareARequestUpToTheLimit) {
  std::vector<Point> points;
  for (std::uint16_t i = 0; i < 250; ++i) points.push_back(holding(i));
  const auto blocks = make_plan(points, Limits{});
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].quantity, 125);
  EXPECT_EQ(blocks[1].address, 125);
  EXPECT_EQ(blocks[1].quantity, 125);
}

TEST(Plan, ReadsOverSmallGapsOnly) {
  const std::vector<Point> points{holding(0), holding(17), holding(35)};
  const auto blocks = make_plan(points, Limits{});
  ASSERT_EQ(blocks.size(), 2U) << "a gap of 16 is read over, one of 17 is not";
  EXPECT_EQ(blocks[0].quantity, 18);
  EXPECT_EQ(make_plan(points, Limits{.max_gap_registers = 0}).size(), 3U);
}

TEST(Plan, KeepsUnitsAndAreasApart) {
  std::vector<Point> points{holding(0, 1, 1), holding(1, 1, 2), holding(2, 1, 1), holding(3, 1, 2)};
  points.push_back(holding(0));
  points.back().area = Area::kInputRegisters;
  EXPECT_EQ(make_plan(points, Limits{}).size(), 3U);
}

TEST(Plan, NeverCutsAValueInTwo) {
  std::vector<Point> points;
  for (std::uint16_t i = 0; i < 100; ++i)
    points.push_back(holding(static_cast<std::uint16_t>(i * 4), 4));
  const auto blocks = make_plan(points, Limits{});
  expect_valid(blocks, points, Limits{});
  EXPECT_EQ(blocks.front().quantity, 124);
}

TEST(Plan, CoversEveryPointOnceWithinTheLimits) {
  SeededRandom random(3);
  for (int round = 0; round < 3'000; ++round) {
    Limits limits;
    limits.max_registers = static_cast<std::uint16_t>(8 + random.next() % 118);
    limits.max_bits = static_cast<std::uint16_t>(1 + random.next() % 2000);
    limits.max_gap_registers = static_cast<std::uint16_t>(random.next() % 40);
    std::vector<Point> points(random.next() % 60);
    const std::uint64_t spread = 1 + random.next() % 65'000;
    for (Point& point : points) {
      point.area = static_cast<Area>(random.next() % 4);
      point.unit = static_cast<std::uint8_t>(random.next() % 3);
      point.quantity = is_bit_area(point.area) ? std::uint16_t{1}
                                               : static_cast<std::uint16_t>(1 + random.next() % 8);
      point.address = static_cast<std::uint16_t>(
          random.next() % std::min<std::uint64_t>(spread, 65'537U - point.quantity));
    }
    expect_valid(make_plan(points, limits), points, limits);
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(Plan, SplittingEndsAtSinglePointsAndLosesNone) {
  SeededRandom random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<Point> points(1 + random.next() % 40);
    for (Point& point : points) {
      point.quantity = static_cast<std::uint16_t>(1 + random.next() % 4);
      point.address = static_cast<std::uint16_t>(random.next() % 100);
    }
    std::vector<Block> work = make_plan(points, Limits{});
    std::multiset<std::uint32_t> ends;
    std::size_t steps = 0;
    while (!work.empty()) {
      const Block block = work.back();
      work.pop_back();
      const auto parts = split(block, points);
      if (parts.empty()) ends.insert(block.points.begin(), block.points.end());
      work.insert(work.end(), parts.begin(), parts.end());
      ASSERT_LT(++steps, points.size() * 4) << "splitting must end";
    }
    ASSERT_EQ(ends.size(), points.size());
    ASSERT_EQ(std::set(ends.begin(), ends.end()).size(), points.size());
  }
}

TEST(Plan, SplitsAtTheGapsFirst) {
  const std::vector<Point> points{holding(0), holding(1), holding(10), holding(11)};
  const auto blocks = make_plan(points, Limits{});
  ASSERT_EQ(blocks.size(), 1U);
  const auto parts = split(blocks[0], points);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].quantity, 2);
  EXPECT_EQ(parts[1].address, 10);
}

}  // namespace
}  // namespace tributary::connectors::modbus
