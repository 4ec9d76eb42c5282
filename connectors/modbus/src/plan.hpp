// Which requests read a set of points: neighbours together, within the protocol's and the device's
// limits. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "connectors/modbus/src/codec.hpp"
#include "field/format.hpp"

namespace tributary::connectors::modbus {

enum class Area : std::uint8_t { kCoils, kDiscreteInputs, kHoldingRegisters, kInputRegisters };

constexpr bool is_bit_area(Area area) {
  return area == Area::kCoils || area == Area::kDiscreteInputs;
}
// The function that reads an area; `swapped` for devices that have those of holding and input
// registers the wrong way round.
FunctionCode read_function(Area area, bool swapped = false);
// One bit or some bits of a register: written without touching those beside them.
inline bool is_part_of_register(const field::Format& format) {
  return format.type == field::DataType::kBit || format.type == field::DataType::kBits;
}
// "coils", "discrete inputs", "holding registers", "input registers".
std::string_view to_text(Area area);

// Where one value lives. Its name is kept elsewhere, by index.
struct Point {
  Area area = Area::kHoldingRegisters;
  std::uint8_t unit = 1;
  std::uint16_t address = 0;
  std::uint16_t quantity = 1;  // registers, or 1 bit
  field::Format format;

  std::uint32_t end() const { return std::uint32_t{address} + quantity; }
};

struct Limits {
  std::uint16_t max_registers = kMaxReadRegisters;
  std::uint16_t max_bits = kMaxReadBits;
  // Unused registers worth reading to save a request: what a request costs (field::MergeRules). A
  // register costs 2 bytes on the wire; a request costs 21 bytes of headers and, what counts, a
  // round trip: 1 ms to 50 ms on a PLC that answers once per scan cycle. Reading over a gap is
  // therefore nearly always cheaper; the default of 16 bounds the risk of touching an address the
  // device refuses (which splits the block, see split()). Bits are counted alike: 16 bits are the
  // 2 bytes of one register.
  std::uint16_t max_gap_registers = 16;
};

// One read request and the points it answers, in order of address.
struct Block {
  Area area = Area::kHoldingRegisters;
  std::uint8_t unit = 1;
  std::uint16_t address = 0;
  std::uint16_t quantity = 1;
  std::vector<std::uint32_t> points;  // indexes
};

// The cheapest blocks that cover every point once, each within the limits. Each point must fit the
// limits by itself.
std::vector<Block> make_plan(std::span<const Point> points, const Limits& limits);

// The smaller blocks to try when a device refused this one: without the gaps if it has some, else
// its two halves. Empty when it cannot be made smaller: then the device refuses what the points ask
// for.
std::vector<Block> split(const Block& block, std::span<const Point> points);

}  // namespace tributary::connectors::modbus
