// How one value of a field device is laid out in bytes, and what the number stands for. Shared by
// all connectors of registers and data blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "field/scaling.hpp"

namespace tributary::field {

enum class DataType : std::uint8_t {
  kBool,  // one bit of its own: a coil
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat32,
  kFloat64,
  kString,
  kBit,   // one bit of a word
  kBits,  // neighbouring bits of a word, as an unsigned number
  kBcd16,
  kBcd32,
};

// Which byte of a value travels where; A is the most significant. The first four are what devices
// do with 32 bits, and mean for 64 bits: CDAB the lowest word first, BADC the bytes of each word
// swapped, DCBA both. The last four are the remaining orders of 64 bits; of 32 bits they say what
// their first four letters say, of 16 bits whether the two bytes are swapped. Within a text only
// the bytes of a word can be swapped.
enum class ByteOrder : std::uint8_t {
  kAbcd,
  kBadc,
  kCdab,
  kDcba,
  kCdabGhef,
  kEfghAbcd,
  kDcbaHgfe,
  kFehgBadc,
};

enum class Encoding : std::uint8_t {
  kUtf8,    // what is not UTF-8 is read as Latin-1, and uncertain
  kAscii,   // as kUtf8, but beyond 7 bits nothing is written
  kLatin1,  // every byte is a character
  kUtf16,   // two bytes for each unit, the high one first unless the byte order swaps them
};

// What fills up a text when it is written. When one is read, it ends at a zero, and blanks at its
// end are dropped, whatever the device uses.
enum class Padding : std::uint8_t { kZero, kSpace };

struct Format {
  DataType type = DataType::kUint16;
  ByteOrder order = ByteOrder::kAbcd;
  std::uint8_t bit = 0;      // kBit, kBits: the (lowest) bit; 0 is the lowest of the word
  std::uint8_t bits = 1;     // kBits: how many
  std::uint8_t word = 2;     // kBit, kBits: bytes of the word that holds them: 1, 2, 4 or 8
  std::uint16_t length = 2;  // kString: bytes
  Encoding encoding = Encoding::kUtf8;
  Padding padding = Padding::kZero;
  Scaling scaling{};  // of numbers
};

// Names as in the function schemas: "float32", "CDAB", "latin1", "space". Nothing when the name is
// unknown.
std::optional<DataType> parse_data_type(std::string_view name);
std::string_view to_string(DataType type);
std::optional<ByteOrder> parse_byte_order(std::string_view name);
std::string_view to_string(ByteOrder order);
std::optional<Encoding> parse_encoding(std::string_view name);
std::optional<Padding> parse_padding(std::string_view name);

// Bytes that a value takes; 1 for bool.
std::size_t size_of(const Format& format);
// Whether it has a scaling: everything but bool, bit and text.
bool is_numeric(DataType type);
bool swaps_bytes(ByteOrder order);

}  // namespace tributary::field
