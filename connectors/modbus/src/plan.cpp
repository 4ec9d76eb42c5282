#include "connectors/modbus/src/plan.hpp"

#include "field/merge.hpp"

namespace tributary::connectors::modbus {
namespace {

std::uint32_t space_of(Area area, std::uint8_t unit) {
  return (std::uint32_t{unit} << 8) | static_cast<std::uint32_t>(area);
}

std::vector<field::Extent> extents_of(std::span<const Point> points) {
  std::vector<field::Extent> extents;
  extents.reserve(points.size());
  for (const Point& point : points)
    extents.push_back({space_of(point.area, point.unit), point.address, point.end()});
  return extents;
}

std::vector<Block> to_blocks(std::vector<field::Block> merged) {
  std::vector<Block> blocks;
  blocks.reserve(merged.size());
  for (field::Block& from : merged) {
    blocks.push_back({static_cast<Area>(from.space & 0xFF),
                      static_cast<std::uint8_t>(from.space >> 8),
                      static_cast<std::uint16_t>(from.begin),
                      static_cast<std::uint16_t>(from.end - from.begin), std::move(from.items)});
  }
  return blocks;
}

}  // namespace

FunctionCode read_function(Area area, bool swapped) {
  if (swapped && area == Area::kHoldingRegisters) return FunctionCode::kReadInputRegisters;
  if (swapped && area == Area::kInputRegisters) return FunctionCode::kReadHoldingRegisters;
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
  return to_blocks(field::merge(extents_of(points), [&](std::uint32_t space) {
    const bool bits = is_bit_area(static_cast<Area>(space & 0xFF));
    return field::MergeRules{bits ? limits.max_bits : limits.max_registers,
                             std::uint32_t{limits.max_gap_registers} * (bits ? 16U : 1U)};
  }));
}

std::vector<Block> split(const Block& block, std::span<const Point> points) {
  const field::Block whole{space_of(block.area, block.unit), block.address,
                           std::uint32_t{block.address} + block.quantity, block.points};
  return to_blocks(field::split(whole, extents_of(points)));
}

}  // namespace tributary::connectors::modbus
