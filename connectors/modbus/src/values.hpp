// Typed values in registers: data types, byte orders, scaling. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "model/quality.hpp"
#include "model/value.hpp"

namespace tributary::connectors::modbus {

enum class DataType : std::uint8_t {
  kBool,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat32,
  kFloat64,
  kString,
  kBit,
  kBcd16,
  kBcd32,
};

// Which byte of a value travels where; A is the most significant. ABCD is what the standard says
// for one register and what most devices do for several. CDAB sends the lowest register first, BADC
// swaps the bytes inside each register, DCBA does both. A 64-bit value is the same with four
// registers. Within a text only the bytes of a register can be swapped.
enum class ByteOrder : std::uint8_t { kAbcd, kBadc, kCdab, kDcba };

// How one value is laid out.
struct Format {
  DataType type = DataType::kUint16;
  ByteOrder order = ByteOrder::kAbcd;
  std::uint8_t bit = 0;     // kBit: 0 is the lowest
  std::uint8_t length = 1;  // kString: registers
  double scale = 1.0;       // value = raw × scale + offset
  double offset = 0.0;

  bool scaled() const { return scale != 1.0 || offset != 0.0; }
};

// Names as in the function schemas. Nothing when the name is unknown.
std::optional<DataType> parse_data_type(std::string_view name);
std::string_view to_string(DataType type);
std::optional<ByteOrder> parse_byte_order(std::string_view name);

// Registers a value takes; 1 for a bit of a register, and for bool (one coil).
std::uint16_t register_count(const Format& format);
bool is_numeric(DataType type);

struct Decoded {
  Value value;
  Quality quality;
  const char* problem = nullptr;  // why the quality is not good: a sentence; null when good
};
// `registers` are register_count() × 2 bytes as they came over the wire. Never fails: what makes no
// sense is a value with its quality. NaN and infinities are uncertain; BCD with a digit above 9 is
// bad; a text that is not UTF-8 is read as Latin-1 and uncertain. Integers stay integers unless
// scaled.
Decoded decode_value(const Format& format, std::span<const std::byte> registers);

// The inverse, for register types that can be written (not kBool, not kBit). `out` has
// register_count() × 2 bytes. Errors: kFunction "wrong_type", "out_of_range", "too_long". The
// message names the value and the bounds, the caller sets the pointer. Scaled integers are rounded
// to the nearest raw value.
Result<void> encode_value(const Format& format, const Json& value, std::span<std::byte> out);
// True, false, 0, 1 and their texts. Error: kFunction "wrong_type".
Result<bool> encode_coil(const Json& value);

}  // namespace tributary::connectors::modbus
