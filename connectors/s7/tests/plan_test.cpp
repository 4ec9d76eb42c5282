// What is read together, and that no request or answer is longer than the CPU granted.
#include "connectors/s7/src/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace tributary::connectors::s7 {
namespace {

Variable at(std::uint32_t begin, Type type = Type::kWord, std::uint16_t count = 1,
            std::uint16_t db = 1) {
  Variable variable{Area::kDataBlocks, db, begin, 0, {}};
  variable.layout.type = type;
  variable.layout.count = count;
  return variable;
}
std::vector<std::uint32_t> all_of(const std::vector<Block>& blocks) {
  std::vector<std::uint32_t> indexes(blocks.size());
  std::iota(indexes.begin(), indexes.end(), 0U);
  return indexes;
}

TEST(PlanTest, NeighboursAreOneItemAndFarOnesAnother) {
  const std::vector<Variable> variables{at(0), at(2), at(18), at(200)};
  const auto blocks = make_blocks(variables, {});
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].begin, 0U);
  EXPECT_EQ(blocks[0].end, 20U) << "a gap of 14 bytes is read over";
  EXPECT_EQ(blocks[1].offset, 20U);
  EXPECT_EQ(pack(blocks, all_of(blocks), {}).size(), 1U) << "both in one request";
  EXPECT_EQ(make_blocks(variables, {.max_gap_bytes = 0}).size(), 3U);
}

TEST(PlanTest, TimersCountInNumbersAndNotInBytes) {
  Variable timer{Area::kTimers, 0, 5, 0, {}};
  timer.layout.type = Type::kS5time;
  Variable next = timer;
  next.begin = 6;
  const auto blocks = make_blocks(std::vector{timer, next}, {});
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].bytes(), 4U);
  const auto requests = pack(blocks, all_of(blocks), {});
  EXPECT_EQ(requests.at(0).at(0).item, (Item{Area::kTimers, 0, 5, 2, -1}));
}

TEST(PlanTest, AValueLongerThanAMessageIsReadInPieces) {
  Variable text = at(0, Type::kString);  // 256 bytes
  const auto blocks = make_blocks(std::vector{text}, {});
  const auto requests = pack(blocks, all_of(blocks), {});
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].at(0).item, (Item{Area::kDataBlocks, 1, 0, 222, -1}));
  EXPECT_EQ(requests[1].at(0).item, (Item{Area::kDataBlocks, 1, 222, 34, -1}));
  EXPECT_EQ(requests[1].at(0).offset, 222U);
}

TEST(PlanTest, SplittingKeepsThePlaceInTheImage) {
  const std::vector<Variable> variables{at(300), at(0), at(2), at(10)};
  const auto blocks = make_blocks(variables, {});
  ASSERT_EQ(blocks.size(), 2U);
  const auto parts = split(blocks[0], variables);
  ASSERT_EQ(parts.size(), 2U) << "the gap goes first";
  EXPECT_EQ(parts[0].variables, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(parts[1].variables, (std::vector<std::uint32_t>{3}));
  EXPECT_EQ(parts[1].offset, 10U);
  const auto halves = split(parts[0], variables);
  ASSERT_EQ(halves.size(), 2U);
  EXPECT_EQ(halves[1].offset, 2U);
  EXPECT_TRUE(split(halves[1], variables).empty());
}

TEST(PlanTest, NoMessageIsLongerThanGrantedAndNothingIsForgotten) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Variable> variables;
    for (int i = 0; i < 100; ++i) {
      variables.push_back(at(static_cast<std::uint32_t>(random() % 3000),
                             i % 7 == 0 ? Type::kString : Type::kDint,
                             static_cast<std::uint16_t>(1 + random() % 4),
                             static_cast<std::uint16_t>(1 + random() % 3)));
      variables.back().layout.length = static_cast<std::uint16_t>(1 + random() % 254);
    }
    const Limits limits{112 + random() % 849, 1 + random() % 20,
                        static_cast<std::uint32_t>(random() % 40)};
    const auto blocks = make_blocks(variables, limits);
    std::vector<bool> covered(variables.size());
    for (const Block& block : blocks) {
      for (const auto index : block.variables) {
        EXPECT_FALSE(covered[index]);
        covered[index] = true;
        EXPECT_LE(block.begin, variables[index].begin);
        EXPECT_GE(block.end, variables[index].end());
      }
    }
    EXPECT_THAT(covered, ::testing::Each(true));
    std::vector<std::size_t> read(blocks.size());
    for (const Chunks& chunks : pack(blocks, all_of(blocks), limits)) {
      ASSERT_LE(chunks.size(), limits.max_items);
      ASSERT_LE(kJobHeaderSize + 2 + chunks.size() * kItemSize, limits.pdu_size);
      std::size_t reply = kAckHeaderSize + 2;
      for (const Chunk& chunk : chunks) {
        reply += kItemReplySize + padded(size_of(chunk.item));
        EXPECT_EQ(chunk.offset, blocks[chunk.block].offset + read[chunk.block]);
        read[chunk.block] += size_of(chunk.item);
      }
      ASSERT_LE(reply, limits.pdu_size);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) EXPECT_EQ(read[i], blocks[i].bytes());
  }
}

}  // namespace
}  // namespace tributary::connectors::s7
