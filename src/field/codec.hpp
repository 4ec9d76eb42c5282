// Typed values in the bytes of a device: every data type in every byte order, scaled. Pure.
#pragma once

#include <cstddef>
#include <span>

#include "base/error.hpp"
#include "field/format.hpp"
#include "model/json.hpp"
#include "model/quality.hpp"
#include "model/value.hpp"

namespace tributary::field {

struct Decoded {
  Value value;
  Quality quality;
  const char* problem = nullptr;  // why the quality is not good: a sentence; null when good
};
// `bytes` are size_of(format) bytes as they came over the wire. Never fails: what makes no sense is
// a value with its quality. NaN and infinities are uncertain; BCD with a digit above 9 is bad; a
// text that is not in its encoding is read as Latin-1 and uncertain. Integers stay integers unless
// scaled.
Decoded decode_value(const Format& format, std::span<const std::byte> bytes);

// The inverse, for types that fill their bytes: not kBit and kBits, of which encode_bits says what
// to change. `out` has size_of(format) bytes. Errors: kFunction "wrong_type", "out_of_range",
// "too_long", "not_allowed". The message names the value and the bounds, the caller sets the
// pointer. Scaled integers are rounded to the nearest raw value.
Result<void> encode_value(const Format& format, const Json& value, std::span<std::byte> out);

// What a value changes in the word that holds its bits. Bytes as they travel.
struct BitChange {
  std::uint64_t mask = 0;  // the bits that are written
  std::uint64_t bits = 0;  // what they become, within mask
};
// Of kBit and kBits. Errors: as encode_value.
Result<BitChange> encode_bits(const Format& format, const Json& value);
// The word that `bytes` hold, and back, by the format's byte order.
std::uint64_t load_word(ByteOrder order, std::span<const std::byte> bytes);
void store_word(ByteOrder order, std::uint64_t word, std::span<std::byte> bytes);

// True, false, 0, 1 and their texts. Error: kFunction "wrong_type".
Result<bool> encode_bool(const Json& value);

}  // namespace tributary::field
