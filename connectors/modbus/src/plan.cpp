#include "connectors/modbus/src/plan.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <tuple>

namespace tributary::connectors::modbus {
namespace {

auto order_key(const Point& point) {
  return std::tuple(point.unit, point.area, point.address, point.quantity);
}

Block block_of(std::span<const std::uint32_t> indexes, std::span<const Point> points) {
  const Point& first = points[indexes.front()];
  Block block{first.area, first.unit, first.address, 0, {indexes.begin(), indexes.end()}};
  std::uint32_t end = first.end();
  for (const std::uint32_t index : indexes) end = std::max(end, points[index].end());
  block.quantity = static_cast<std::uint16_t>(end - first.address);
  return block;
}

// Indexes sorted by order_key → blocks. Greedy from the lowest address is optimal here: the first
// point must be in some block, and no block that holds it can reach further than one that starts at
// it.
std::vector<Block> merge(std::span<const std::uint32_t> sorted, std::span<const Point> points,
                         const Limits& limits) {
  std::vector<Block> blocks;
  std::size_t from = 0;
  std::uint32_t end = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const Point& first = points[sorted[from]];
    const Point& next = points[sorted[i]];
    const bool bits = is_bit_area(next.area);
    const std::uint32_t longest = bits ? limits.max_bits : limits.max_registers;
    const std::uint32_t gap = std::uint32_t{limits.max_gap_registers} * (bits ? 16U : 1U);
    const bool joins = i > from && next.unit == first.unit && next.area == first.area &&
                       next.address <= end + gap && next.end() <= first.address + longest;
    if (i > from && !joins) {
      blocks.push_back(block_of(sorted.subspan(from, i - from), points));
      from = i;
    }
    end = i == from ? next.end() : std::max(end, next.end());
  }
  if (!sorted.empty()) blocks.push_back(block_of(sorted.subspan(from), points));
  return blocks;
}

}  // namespace

FunctionCode read_function(Area area) {
  switch (area) {
    case Area::kCoils:
      return FunctionCode::kReadCoils;
    case Area::kDiscreteInputs:
      return FunctionCode::kReadDiscreteInputs;
    case Area::kHoldingRegisters:
      return FunctionCode::kReadHoldingRegisters;
    case Area::kInputRegisters:
      return FunctionCode::kReadInputRegisters;
  }
  return FunctionCode::kReadHoldingRegisters;
}

std::string_view to_text(Area area) {
  switch (area) {
    case Area::kCoils:
      return "coils";
    case Area::kDiscreteInputs:
      return "discrete inputs";
    case Area::kHoldingRegisters:
      return "holding registers";
    case Area::kInputRegisters:
      return "input registers";
  }
  return "registers";
}

std::vector<Block> make_plan(std::span<const Point> points, const Limits& limits) {
  std::vector<std::uint32_t> sorted(points.size());
  std::iota(sorted.begin(), sorted.end(), 0U);
  std::ranges::stable_sort(sorted, {},
                           [&](std::uint32_t index) { return order_key(points[index]); });
  return merge(sorted, points, limits);
}

std::vector<Block> split(const Block& block, std::span<const Point> points) {
  const bool whole = std::ranges::all_of(block.points, [&](std::uint32_t index) {
    return points[index].address == block.address && points[index].quantity == block.quantity;
  });
  if (whole) return {};
  const std::span<const std::uint32_t> indexes = block.points;
  const Limits no_gaps{kMaxReadRegisters, kMaxReadBits, 0};
  std::vector<Block> parts = merge(indexes, points, no_gaps);
  if (parts.size() > 1) return parts;
  assert(indexes.size() > 1);
  const std::size_t middle = indexes.size() / 2;
  parts.clear();
  parts.push_back(block_of(indexes.first(middle), points));
  parts.push_back(block_of(indexes.subspan(middle), points));
  return parts;
}

}  // namespace tributary::connectors::modbus
