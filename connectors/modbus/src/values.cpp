#include "connectors/modbus/src/values.hpp"

#include <fmt/format.h>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "connectors/modbus/src/codec.hpp"

namespace tributary::connectors::modbus {
namespace {

constexpr std::array<std::string_view, 13> kTypeNames = {
    "bool",    "int16",   "uint16", "int32", "uint32", "int64", "uint64",
    "float32", "float64", "string", "bit",   "bcd16",  "bcd32"};
constexpr std::array<std::string_view, 4> kOrderNames = {"ABCD", "BADC", "CDAB", "DCBA"};

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names,
                                    std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return i;
  }
  return std::nullopt;
}

bool swaps_bytes(ByteOrder order) {
  return order == ByteOrder::kBadc || order == ByteOrder::kDcba;
}
bool swaps_words(ByteOrder order) {
  return order == ByteOrder::kCdab || order == ByteOrder::kDcba;
}

// The raw number, most significant register first.
std::uint64_t load_raw(ByteOrder order, std::span<const std::byte> registers) {
  const std::size_t count = registers.size() / 2;
  std::uint64_t raw = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = swaps_words(order) ? count - 1 - i : i;
    std::uint16_t word = load_u16(&registers[at * 2]);
    if (swaps_bytes(order)) word = static_cast<std::uint16_t>((word << 8) | (word >> 8));
    raw = (raw << 16) | word;
  }
  return raw;
}

void store_raw(ByteOrder order, std::uint64_t raw, std::span<std::byte> registers) {
  const std::size_t count = registers.size() / 2;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = swaps_words(order) ? i : count - 1 - i;
    auto word = static_cast<std::uint16_t>(raw & 0xFFFF);
    if (swaps_bytes(order)) word = static_cast<std::uint16_t>((word << 8) | (word >> 8));
    store_u16(&registers[at * 2], word);
    raw >>= 16;
  }
}

Decoded number(const Format& format, double value) {
  Decoded decoded;
  if (format.scaled()) value = value * format.scale + format.offset;
  decoded.value = value;
  if (!std::isfinite(value)) {
    decoded.quality = kUncertain;
    decoded.problem = "The device gave a number that is not finite.";
  }
  return decoded;
}
Decoded integer(const Format& format, std::int64_t value) {
  if (format.scaled()) return number(format, static_cast<double>(value));
  return {value, kGood, nullptr};
}
Decoded unsigned_integer(const Format& format, std::uint64_t value) {
  if (format.scaled()) return number(format, static_cast<double>(value));
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
      return {std::monostate{}, kBadOutOfRange, "The register is not BCD: a digit is above 9."};
    value = value * 10 + nibble;
  }
  return integer(format, value);
}

// Length of the UTF-8 sequence at `at`, 0 when it is not one (RFC 3629: no overlong forms,
// surrogates or > U+10FFFF).
std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(at + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!tail(at + 1) || !tail(at + 2)) return 0;
    if (first == 0xE0 && byte(at + 1) < 0xA0) return 0;
    if (first == 0xED && byte(at + 1) > 0x9F) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!tail(at + 1) || !tail(at + 2) || !tail(at + 3)) return 0;
    if (first == 0xF0 && byte(at + 1) < 0x90) return 0;
    if (first == 0xF4 && byte(at + 1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_sequence(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

Decoded text(const Format& format, std::span<const std::byte> registers) {
  std::string raw;
  raw.reserve(registers.size());
  for (std::size_t i = 0; i < registers.size(); ++i) {
    const std::size_t at = swaps_bytes(format.order) ? (i ^ 1U) : i;
    raw.push_back(static_cast<char>(registers[at]));
  }
  // Devices pad with zeros, or with blanks.
  raw.resize(std::min(raw.find('\0'), raw.size()));
  raw.resize(raw.find_last_not_of(' ') + 1);
  if (is_utf8(raw)) return {std::move(raw), kGood, nullptr};
  std::string latin;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      latin.push_back(c);
    } else {
      latin.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      latin.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return {std::move(latin), kUncertain, "The text is not UTF-8; it was read as Latin-1."};
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
                          low, high, format.scaled() ? " before scaling" : ""));
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
  if (!format.scaled()) {
    if (const auto exact = as_exact<T>(value)) {
      if (*exact < low || *exact > high)
        return out_of_range(value, fmt::to_string(low), fmt::to_string(high), format);
      return *exact;
    }
  }
  const auto number = as_double(value);
  if (!number) return not_a_number(value, format.type);
  const double raw = std::round((*number - format.offset) / format.scale);
  if (!format.scaled() && raw != *number) {
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
  const auto number = as_double(value);
  if (!number) return not_a_number(value, format.type);
  const double raw = format.scaled() ? (*number - format.offset) / format.scale : *number;
  if (format.type == DataType::kFloat64) return std::bit_cast<std::uint64_t>(raw);
  const double highest = std::numeric_limits<float>::max();
  if (std::isfinite(raw) && std::abs(raw) > highest)
    return out_of_range(value, "-3.4e38", "3.4e38", format);
  return std::bit_cast<std::uint32_t>(static_cast<float>(raw));
}

Result<void> encode_text(const Format& format, const Json& value, std::span<std::byte> out) {
  if (!value.is_string()) {
    return fail(ErrorClass::kFunction, "wrong_type",
                fmt::format("{} is not a text.", shown(value)));
  }
  const auto text = value.as<std::string_view>();
  if (text.size() > out.size()) {
    return fail(ErrorClass::kFunction, "too_long",
                fmt::format("The text has {} bytes; {} registers hold {}.", text.size(),
                            format.length, out.size()));
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t at = swaps_bytes(format.order) ? (i ^ 1U) : i;
    out[at] = i < text.size() ? static_cast<std::byte>(text[i]) : std::byte{0};
  }
  return {};
}

Result<std::uint64_t> raw_bits(const Format& format, const Json& value) {
  switch (format.type) {
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
      break;
  }
  return fail(ErrorClass::kFunction, "not_writable",
              fmt::format("A {} cannot be written to a register.", to_string(format.type)));
}

}  // namespace

std::optional<DataType> parse_data_type(std::string_view name) {
  const auto index = index_of(kTypeNames, name);
  if (!index) return std::nullopt;
  return static_cast<DataType>(*index);
}
std::string_view to_string(DataType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}
std::optional<ByteOrder> parse_byte_order(std::string_view name) {
  const auto index = index_of(kOrderNames, name);
  if (!index) return std::nullopt;
  return static_cast<ByteOrder>(*index);
}

std::uint16_t register_count(const Format& format) {
  switch (format.type) {
    case DataType::kInt32:
    case DataType::kUint32:
    case DataType::kFloat32:
    case DataType::kBcd32:
      return 2;
    case DataType::kInt64:
    case DataType::kUint64:
    case DataType::kFloat64:
      return 4;
    case DataType::kString:
      return format.length;
    case DataType::kBool:
    case DataType::kInt16:
    case DataType::kUint16:
    case DataType::kBit:
    case DataType::kBcd16:
      return 1;
  }
  return 1;
}

bool is_numeric(DataType type) {
  return type != DataType::kBool && type != DataType::kBit && type != DataType::kString;
}

Decoded decode_value(const Format& format, std::span<const std::byte> registers) {
  if (format.type == DataType::kString) return text(format, registers);
  const std::uint64_t raw = load_raw(format.order, registers);
  switch (format.type) {
    case DataType::kInt16:
      return integer(format, static_cast<std::int16_t>(raw));
    case DataType::kInt32:
      return integer(format, static_cast<std::int32_t>(raw));
    case DataType::kInt64:
      return integer(format, static_cast<std::int64_t>(raw));
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
  if (format.type == DataType::kString) return encode_text(format, value, out);
  const auto raw = raw_bits(format, value);
  if (!raw) return std::unexpected(raw.error());
  store_raw(format.order, *raw, out);
  return {};
}

Result<bool> encode_coil(const Json& value) {
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
              fmt::format("{} is not true or false; a coil needs one of them.", shown(value)));
}

}  // namespace tributary::connectors::modbus
