// The data types of S7 CPUs: bytes to values and back. Pure.
//
// Durations are whole numbers: S5TIME and TIME in ms, LTIME in ns. Points in time are texts in the
// CPU's own clock, which knows no time zone: DATE "2026-03-31", TOD and LTOD "13:45:12.250",
// DATE_AND_TIME, DTL and LDT "2026-03-31T13:45:12.250". A list of CHAR or WCHAR is one text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "field/codec.hpp"
#include "field/scaling.hpp"

namespace tributary::connectors::s7 {

enum class Type : std::uint8_t {
  kBool,
  kByte,
  kChar,
  kWchar,
  kSint,
  kUsint,
  kInt,
  kUint,
  kWord,
  kDint,
  kUdint,
  kDword,
  kLint,
  kUlint,
  kLword,
  kReal,
  kLreal,
  kString,
  kWstring,
  kS5time,
  kTime,
  kLtime,
  kDate,
  kTod,
  kLtod,
  kDateAndTime,
  kDtl,
  kLdt,
  kBcd16,
  kBcd32,
  kCounter,  // three BCD digits, as C areas hold them
};

// "REAL", "DATE_AND_TIME"; parsing also takes lower case and the short forms DT, TIME_OF_DAY,
// LTIME_OF_DAY.
std::optional<Type> parse_type(std::string_view name);
std::string_view to_string(Type type);

// How a point's bytes are laid out.
struct Layout {
  Type type = Type::kByte;
  std::uint16_t length = 254;  // kString, kWstring: characters it is declared for
  std::uint16_t count = 1;     // more: a list
  field::Scaling scaling{};    // of numbers
};
// Longest declared texts: what STRING's length byte and one WSTRING of a data block hold.
inline constexpr std::uint16_t kMaxString = 254;
inline constexpr std::uint16_t kMaxWstring = 16382;

bool is_number(Type type);
// Bytes of one value, without what follows in a list. kBool: 1.
std::size_t element_size(const Layout& layout);
// Bytes of all. `bit` matters for lists of BOOL, which are packed from it on.
std::size_t size_of(const Layout& layout, std::uint8_t bit = 0);

// `bytes` has size_of(layout, bit) bytes. Never fails: what makes no sense is a value with its
// quality, as in field::decode_value.
field::Decoded decode(const Layout& layout, std::uint8_t bit, std::span<const std::byte> bytes);

// The inverse. Of BOOL only single bits: 0 or 1 in one byte for each. `out` has size_of(layout)
// bytes, of BOOL layout.count. Of texts what is behind the last character is left as it is. Errors:
// kFunction "wrong_type", "out_of_range", "too_long", "not_allowed".
Result<void> encode(const Layout& layout, const Json& value, std::span<std::byte> out);

// "2026-03-31T13:45:12.250" ↔ the eight bytes of DATE_AND_TIME: what clocks are read and set with.
inline constexpr std::size_t kDateAndTimeSize = 8;

}  // namespace tributary::connectors::s7
