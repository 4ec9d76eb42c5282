#include "field/codec.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "field/text.hpp"

namespace tributary::field {
namespace {

// What has to be exchanged to come from the standard order to another one, and back.
struct Swaps {
  bool bytes = false;   // of each 16 bits
  bool words = false;   // of each 32 bits
  bool halves = false;  // of 64 bits
};
constexpr Swaps kSwaps[] = {
    {false, false, false},  // ABCD
    {true, false, false},   // BADC
    {false, true, true},    // CDAB: the lowest word first
    {true, true, true},     // DCBA
    {false, true, false},   // CDABGHEF
    {false, false, true},   // EFGHABCD
    {true, true, false},    // DCBAHGFE
    {true, false, true},    // FEHGBADC
};

// `size` bytes of `word`, exchanged; its own inverse.
std::uint64_t reorder(ByteOrder order, std::uint64_t word, std::size_t size) {
  const Swaps swaps = kSwaps[static_cast<std::size_t>(order)];
  if (swaps.bytes && size > 1) {
    word = ((word & 0x00FF00FF00FF00FFU) << 8) | ((word >> 8) & 0x00FF00FF00FF00FFU);
  }
  if (swaps.words && size > 2) {
    word = ((word & 0x0000FFFF0000FFFFU) << 16) | ((word >> 16) & 0x0000FFFF0000FFFFU);
  }
  if (swaps.halves && size > 4) word = std::rotl(word, 32);
  return word;
}

Decoded number(const Format& format, double raw) {
  Decoded decoded;
  const double value = to_engineering(format.scaling, raw);
  decoded.value = value;
  if (!std::isfinite(value)) {
    decoded.quality = kUncertain;
    decoded.problem = "The device gave a number that is not finite.";
  }
  return decoded;
}
Decoded integer(const Format& format, std::int64_t value) {
  if (format.scaling.active()) return number(format, static_cast<double>(value));
  return {value, kGood, nullptr};
}
Decoded unsigned_integer(const Format& format, std::uint64_t value) {
  if (format.scaling.active()) return number(format, static_cast<double>(value));
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return {static_cast<std::int64_t>(value), kGood, nullptr};
  }
  return {value, kGood, nullptr};
}

Decoded bcd(const Format& format, std::uint64_t raw, int digits) {
  std::int64_t value = 0;
  for (int digit = digits - 1; digit >= 0; --digit) {
    const auto nibble = static_cast<std::int64_t>((raw >> (4 * digit)) & 0xF);
    if (nibble > 9)
      return {std::monostate{}, kBadOutOfRange, "The number is not BCD: a digit is above 9."};
    value = value * 10 + nibble;
  }
  return integer(format, value);
}

std::uint64_t low_bits(unsigned count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

std::string shown(const Json& value) {
  return to_text(value);
}

std::unexpected<Error> not_a_number(const Json& value, DataType type) {
  return fail(ErrorClass::kFunction, "wrong_type",
              fmt::format("{} is not a number; {} needs one.", shown(value), to_string(type)));
}
std::unexpected<Error> out_of_range(const Json& value, std::string_view low, std::string_view high,
                                    const Format& format) {
  return fail(ErrorClass::kFunction, "out_of_range",
              fmt::format("{} does not fit {} ({} to {}{}).", shown(value), to_string(format.type),
                          low, high, format.scaling.active() ? " before scaling" : ""));
}

// A JSON number or a text that holds one (parameters of the API may be texts).
std::optional<double> as_double(const Json& value) {
  if (value.is_bool()) return std::nullopt;
  if (value.is_number()) return value.as<double>();
  if (!value.is_string()) return std::nullopt;
  const auto text = value.as<std::string_view>();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  // "nan" and "inf" are no set points.
  if (!whole || !std::isfinite(number)) return std::nullopt;
  return number;
}

// The raw number that stands for a value. Errors: "wrong_type", "out_of_range" (clamp).
Result<double> raw_number(const Format& format, const Json& value) {
  const auto wanted = as_double(value);
  if (!wanted) return not_a_number(value, format.type);
  if (!may_write(format.scaling, *wanted)) {
    return fail(ErrorClass::kFunction, "out_of_range",
                fmt::format("{} is beyond the range of the point ({} to {}).", shown(value),
                            format.scaling.low, format.scaling.high));
  }
  return to_raw(format.scaling, *wanted);
}

// Exact integers keep all their bits; everything else goes through double.
template <typename T>
std::optional<T> as_exact(const Json& value) {
  if (value.is_bool()) return std::nullopt;
  if (value.is_string()) {
    const auto text = value.as<std::string_view>();
    T number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size()) return number;
    return std::nullopt;
  }
  if (value.is<T>() && !value.is_double()) return value.as<T>();
  return std::nullopt;
}

template <typename T>
Result<T> to_integer(const Format& format, const Json& value, T low, T high) {
  if (!format.scaling.active()) {
    if (const auto exact = as_exact<T>(value)) {
      if (*exact < low || *exact > high)
        return out_of_range(value, fmt::to_string(low), fmt::to_string(high), format);
      return *exact;
    }
  }
  const auto number = raw_number(format, value);
  if (!number) return std::unexpected(number.error());
  const double raw = std::round(*number);
  if (!format.scaling.active() && raw != *number) {
    return fail(ErrorClass::kFunction, "wrong_type",
                fmt::format("{} is not a whole number; {} needs one.", shown(value),
                            to_string(format.type)));
  }
  // 2^63 and 2^64 are exact doubles and the first that do not fit, so the upper bound is compared
  // below them.
  const double first_above = std::ldexp(1.0, std::numeric_limits<T>::digits);
  const bool fits =
      raw >= static_cast<double>(low) && raw < first_above && static_cast<T>(raw) <= high;
  if (!fits) return out_of_range(value, fmt::to_string(low), fmt::to_string(high), format);
  return static_cast<T>(raw);
}

template <typename T>
Result<std::uint64_t> integer_bits(const Format& format, const Json& value) {
  using Limits = std::numeric_limits<T>;
  using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  const auto number = to_integer<Wide>(format, value, Limits::min(), Limits::max());
  if (!number) return std::unexpected(number.error());
  return static_cast<std::uint64_t>(*number);
}

Result<std::uint64_t> bcd_bits(const Format& format, const Json& value, std::uint64_t highest) {
  const auto number = to_integer<std::uint64_t>(format, value, 0, highest);
  if (!number) return std::unexpected(number.error());
  std::uint64_t bits = 0;
  std::uint64_t rest = *number;
  for (int shift = 0; rest > 0; shift += 4, rest /= 10) bits |= (rest % 10) << shift;
  return bits;
}

Result<std::uint64_t> float_bits(const Format& format, const Json& value) {
  const auto raw = raw_number(format, value);
  if (!raw) return std::unexpected(raw.error());
  if (format.type == DataType::kFloat64) return std::bit_cast<std::uint64_t>(*raw);
  const double highest = std::numeric_limits<float>::max();
  if (std::isfinite(*raw) && std::abs(*raw) > highest)
    return out_of_range(value, "-3.4e38", "3.4e38", format);
  return std::bit_cast<std::uint32_t>(static_cast<float>(*raw));
}

Result<std::uint64_t> raw_bits(const Format& format, const Json& value) {
  switch (format.type) {
    case DataType::kInt8:
      return integer_bits<std::int8_t>(format, value);
    case DataType::kUint8:
      return integer_bits<std::uint8_t>(format, value);
    case DataType::kInt16:
      return integer_bits<std::int16_t>(format, value);
    case DataType::kUint16:
      return integer_bits<std::uint16_t>(format, value);
    case DataType::kInt32:
      return integer_bits<std::int32_t>(format, value);
    case DataType::kUint32:
      return integer_bits<std::uint32_t>(format, value);
    case DataType::kInt64:
      return integer_bits<std::int64_t>(format, value);
    case DataType::kUint64:
      return integer_bits<std::uint64_t>(format, value);
    case DataType::kFloat32:
    case DataType::kFloat64:
      return float_bits(format, value);
    case DataType::kBcd16:
      return bcd_bits(format, value, 9'999);
    case DataType::kBcd32:
      return bcd_bits(format, value, 99'999'999);
    case DataType::kBool:
    case DataType::kString:
    case DataType::kBit:
    case DataType::kBits:
      break;
  }
  return fail(ErrorClass::kFunction, "not_writable",
              fmt::format("A {} does not fill the memory it is in.", to_string(format.type)));
}

}  // namespace

std::uint64_t load_word(ByteOrder order, std::span<const std::byte> bytes) {
  std::uint64_t word = 0;
  for (const std::byte byte : bytes) word = (word << 8) | std::to_integer<std::uint64_t>(byte);
  return reorder(order, word, bytes.size());
}

void store_word(ByteOrder order, std::uint64_t word, std::span<std::byte> bytes) {
  word = reorder(order, word, bytes.size());
  for (std::size_t i = bytes.size(); i-- > 0; word >>= 8) bytes[i] = static_cast<std::byte>(word);
}

Decoded decode_value(const Format& format, std::span<const std::byte> bytes) {
  if (format.type == DataType::kString) return decode_text(format, bytes);
  const std::uint64_t raw = load_word(format.order, bytes);
  switch (format.type) {
    case DataType::kInt8:
      return integer(format, static_cast<std::int8_t>(raw));
    case DataType::kInt16:
      return integer(format, static_cast<std::int16_t>(raw));
    case DataType::kInt32:
      return integer(format, static_cast<std::int32_t>(raw));
    case DataType::kInt64:
      return integer(format, static_cast<std::int64_t>(raw));
    case DataType::kUint8:
    case DataType::kUint16:
    case DataType::kUint32:
    case DataType::kUint64:
      return unsigned_integer(format, raw);
    case DataType::kFloat32:
      return number(format, std::bit_cast<float>(static_cast<std::uint32_t>(raw)));
    case DataType::kFloat64:
      return number(format, std::bit_cast<double>(raw));
    case DataType::kBit:
      return {((raw >> format.bit) & 1U) != 0, kGood, nullptr};
    case DataType::kBits:
      return unsigned_integer(format, (raw >> format.bit) & low_bits(format.bits));
    case DataType::kBool:
      return {raw != 0, kGood, nullptr};
    case DataType::kBcd16:
      return bcd(format, raw, 4);
    case DataType::kBcd32:
      return bcd(format, raw, 8);
    case DataType::kString:
      break;
  }
  return {std::monostate{}, kBadConfigurationError, "The data type is not known."};
}

Result<void> encode_value(const Format& format, const Json& value, std::span<std::byte> out) {
  if (format.type == DataType::kString) {
    if (!value.is_string()) {
      return fail(ErrorClass::kFunction, "wrong_type",
                  fmt::format("{} is not a text.", shown(value)));
    }
    return encode_text(format, value.as<std::string_view>(), out);
  }
  const auto raw = raw_bits(format, value);
  if (!raw) return std::unexpected(raw.error());
  store_word(format.order, *raw, out);
  return {};
}

Result<BitChange> encode_bits(const Format& format, const Json& value) {
  if (format.type == DataType::kBit) {
    const auto on = encode_bool(value);
    if (!on) return std::unexpected(on.error());
    const std::uint64_t bit = std::uint64_t{1} << format.bit;
    return BitChange{bit, *on ? bit : 0};
  }
  const std::uint64_t highest = low_bits(format.bits);
  const auto number = to_integer<std::uint64_t>(format, value, 0, highest);
  if (!number) return std::unexpected(number.error());
  return BitChange{highest << format.bit, *number << format.bit};
}

Result<bool> encode_bool(const Json& value) {
  if (value.is_bool()) return value.as<bool>();
  if (value.is_string()) {
    const auto text = value.as<std::string_view>();
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
  } else if (value.is_number()) {
    const double number = value.as<double>();
    if (number == 0 || number == 1) return number == 1;
  }
  return fail(ErrorClass::kFunction, "wrong_type",
              fmt::format("{} is not true or false; a bit needs one of them.", shown(value)));
}

}  // namespace tributary::field
