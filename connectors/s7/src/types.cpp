#include "connectors/s7/src/types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "connectors/s7/src/calendar.hpp"
#include "connectors/s7/src/codec.hpp"
#include "field/text.hpp"

namespace tributary::connectors::s7 {
namespace {

using field::DataType;
using field::Decoded;
using View = std::span<const std::byte>;

struct Known {
  std::string_view name;
  std::uint8_t size;               // bytes of a value; texts say theirs elsewhere
  std::optional<DataType> number;  // how its bytes are a number
};
constexpr auto kNone = std::optional<DataType>();
// In the order of Type.
constexpr std::array<Known, 31> kTypes{{
    {"BOOL", 1, kNone},
    {"BYTE", 1, DataType::kUint8},
    {"CHAR", 1, kNone},
    {"WCHAR", 2, kNone},
    {"SINT", 1, DataType::kInt8},
    {"USINT", 1, DataType::kUint8},
    {"INT", 2, DataType::kInt16},
    {"UINT", 2, DataType::kUint16},
    {"WORD", 2, DataType::kUint16},
    {"DINT", 4, DataType::kInt32},
    {"UDINT", 4, DataType::kUint32},
    {"DWORD", 4, DataType::kUint32},
    {"LINT", 8, DataType::kInt64},
    {"ULINT", 8, DataType::kUint64},
    {"LWORD", 8, DataType::kUint64},
    {"REAL", 4, DataType::kFloat32},
    {"LREAL", 8, DataType::kFloat64},
    {"STRING", 0, kNone},
    {"WSTRING", 0, kNone},
    {"S5TIME", 2, kNone},
    {"TIME", 4, DataType::kInt32},
    {"LTIME", 8, DataType::kInt64},
    {"DATE", 2, kNone},
    {"TOD", 4, kNone},
    {"LTOD", 8, kNone},
    {"DATE_AND_TIME", 8, kNone},
    {"DTL", 12, kNone},
    {"LDT", 8, kNone},
    {"BCD16", 2, DataType::kBcd16},
    {"BCD32", 4, DataType::kBcd32},
    {"COUNTER", 2, kNone},
}};
const Known& known(Type type) {
  return kTypes[static_cast<std::size_t>(type)];
}

std::uint64_t load(View bytes) {
  return field::load_word(field::ByteOrder::kAbcd, bytes);
}
void store(std::uint64_t value, std::span<std::byte> out) {
  field::store_word(field::ByteOrder::kAbcd, value, out);
}

field::Format number_format(const Layout& layout) {
  field::Format format;
  format.type = known(layout.type).number.value_or(DataType::kUint8);
  format.scaling = layout.scaling;
  return format;
}

Decoded bad(const char* problem) {
  return {std::monostate{}, kBadOutOfRange, problem};
}

// --- texts ---

field::Format text_format(bool wide, std::size_t bytes) {
  field::Format format;
  format.type = DataType::kString;
  format.encoding = wide ? field::Encoding::kUtf16 : field::Encoding::kLatin1;
  format.length = static_cast<std::uint16_t>(bytes);
  return format;
}

// STRING: most and actual characters in a byte each; WSTRING: in a word each.
Decoded decode_string(const Layout& layout, View bytes) {
  const bool wide = layout.type == Type::kWstring;
  const std::size_t header = wide ? 4 : 2;
  const std::size_t most = wide ? load_u16(bytes.data()) : std::to_integer<std::size_t>(bytes[0]);
  std::size_t length = wide ? load_u16(&bytes[2]) : std::to_integer<std::size_t>(bytes[1]);
  const bool lies = length > most || length > layout.length;
  length = std::min<std::size_t>(length, layout.length);
  const auto text = bytes.subspan(header, length * (wide ? 2U : 1U));
  Decoded decoded = length == 0 ? Decoded{std::string(), kGood, nullptr}
                                : field::decode_text(text_format(wide, text.size()), text);
  if (lies) {
    decoded.quality = kUncertain;
    decoded.problem = "The text says that it is longer than it is declared.";
  }
  return decoded;
}

Result<void> encode_string(const Layout& layout, std::string_view text, std::span<std::byte> out) {
  const bool wide = layout.type == Type::kWstring;
  const std::size_t header = wide ? 4 : 2;
  const std::size_t room = layout.length * (wide ? std::size_t{2} : std::size_t{1});
  const auto characters = out.subspan(header, room);
  std::ranges::fill(characters, std::byte{0});
  TRIBUTARY_TRY(field::encode_text(text_format(wide, room), text, characters));
  // Its end is where the zeros begin: a text has none inside.
  std::size_t length = layout.length;
  const auto is_zero = [&](std::size_t i) {
    return wide ? load_u16(&characters[i * 2]) == 0 : characters[i] == std::byte{0};
  };
  while (length > 0 && is_zero(length - 1)) --length;
  if (wide) {
    store_u16(out.data(), layout.length);
    store_u16(&out[2], static_cast<std::uint16_t>(length));
  } else {
    out[0] = static_cast<std::byte>(layout.length);
    out[1] = static_cast<std::byte>(length);
  }
  return {};
}

bool is_character(Type type) {
  return type == Type::kChar || type == Type::kWchar;
}

// --- times ---

Decoded decode_s5time(View bytes) {
  const std::uint64_t raw = load(bytes);
  const std::uint64_t hundreds = (raw >> 8) & 0xF;
  const std::uint64_t tens = (raw >> 4) & 0xF;
  const std::uint64_t ones = raw & 0xF;
  if (hundreds > 9 || tens > 9 || ones > 9) return bad("The time is not BCD: a digit is above 9.");
  constexpr std::array<std::int64_t, 4> kBases{10, 100, 1000, 10'000};
  return {static_cast<std::int64_t>(hundreds * 100 + tens * 10 + ones) * kBases[(raw >> 12) & 3],
          kGood, nullptr};
}

Decoded decode_counter(View bytes) {
  const std::uint64_t raw = load(bytes);
  if (((raw >> 8) & 0xF) > 9 || ((raw >> 4) & 0xF) > 9 || (raw & 0xF) > 9)
    return bad("The counter is not BCD: a digit is above 9.");
  return {
      static_cast<std::int64_t>(((raw >> 8) & 0xF) * 100 + ((raw >> 4) & 0xF) * 10 + (raw & 0xF)),
      kGood, nullptr};
}

Decoded of_clock(const std::optional<ClockTime>& time) {
  if (!time) return bad("These bytes are no date and time.");
  return {clock_text(*time), kGood, nullptr};
}

Decoded decode_time_of_day(std::uint64_t nanoseconds) {
  if (nanoseconds >= kNanosecondsPerDay) return bad("The time of day is beyond 24 hours.");
  return {time_text(nanoseconds), kGood, nullptr};
}

Decoded decode_ldt(View bytes) {
  const auto raw = static_cast<std::int64_t>(load(bytes));
  const std::chrono::sys_time<std::chrono::nanoseconds> time{std::chrono::nanoseconds(raw)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {clock_text({day, static_cast<std::uint64_t>((time - day).count())}), kGood, nullptr};
}

Decoded decode_one(const Layout& layout, View bytes) {
  if (known(layout.type).number) return field::decode_value(number_format(layout), bytes);
  switch (layout.type) {
    case Type::kChar:
    case Type::kWchar:
      return field::decode_text(text_format(layout.type == Type::kWchar, bytes.size()), bytes);
    case Type::kString:
    case Type::kWstring:
      return decode_string(layout, bytes);
    case Type::kS5time:
      return decode_s5time(bytes);
    case Type::kCounter:
      return decode_counter(bytes);
    case Type::kDate:
      return {date_text(kFirstDay + std::chrono::days(load(bytes))), kGood, nullptr};
    case Type::kTod:
      return decode_time_of_day(load(bytes) * 1'000'000);
    case Type::kLtod:
      return decode_time_of_day(load(bytes));
    case Type::kDateAndTime:
      return of_clock(load_date_and_time(bytes.first<8>()));
    case Type::kDtl:
      return of_clock(load_dtl(bytes.first<12>()));
    case Type::kLdt:
      return decode_ldt(bytes);
    default:
      return bad("The data type is not known.");
  }
}

// --- writing ---

std::unexpected<Error> wrong_type(const Json& value, std::string_view wanted) {
  return fail(ErrorClass::kFunction, "wrong_type",
              fmt::format("{} is not {}.", to_text(value), wanted));
}
std::unexpected<Error> out_of_range(const Json& value, Type type, std::string_view range) {
  return fail(ErrorClass::kFunction, "out_of_range",
              fmt::format("{} does not fit {} ({}).", to_text(value), to_string(type), range));
}

Result<std::int64_t> whole_number(const Json& value, Type type, std::string_view range,
                                  std::int64_t most) {
  if (value.is<std::int64_t>() && !value.is_string()) {
    const auto number = value.as<std::int64_t>();
    if (number >= 0 && number <= most) return number;
    return out_of_range(value, type, range);
  }
  if (value.is_number()) return out_of_range(value, type, range);
  return wrong_type(value, fmt::format("a whole number ({})", range));
}

// The finest base that holds it; what it cannot say exactly is refused.
Result<void> encode_s5time(const Json& value, std::span<std::byte> out) {
  constexpr std::string_view kRange = "0 to 9990000 ms, three digits of 10 ms, 100 ms, 1 s or 10 s";
  const auto wanted = whole_number(value, Type::kS5time, kRange, 9'990'000);
  if (!wanted) return std::unexpected(wanted.error());
  std::int64_t unit = 10;
  for (std::uint64_t base = 0; base < 4; ++base, unit *= 10) {
    if (*wanted > 999 * unit) continue;
    if (*wanted % unit != 0) break;
    const auto digits = static_cast<std::uint64_t>(*wanted / unit);
    store((base << 12) | (digits / 100 << 8) | (digits / 10 % 10 << 4) | digits % 10, out);
    return {};
  }
  return out_of_range(value, Type::kS5time, kRange);
}

Result<void> encode_counter(const Json& value, std::span<std::byte> out) {
  const auto wanted = whole_number(value, Type::kCounter, "0 to 999", 999);
  if (!wanted) return std::unexpected(wanted.error());
  const auto digits = static_cast<std::uint64_t>(*wanted);
  store((digits / 100 << 8) | (digits / 10 % 10 << 4) | digits % 10, out);
  return {};
}

Result<void> encode_date(const Json& value, std::string_view text, std::span<std::byte> out) {
  const auto day = parse_date(text);
  if (!day) return wrong_type(value, "a date such as \"2026-03-31\"");
  const auto days = (*day - kFirstDay).count();
  if (days < 0 || days > std::numeric_limits<std::uint16_t>::max())
    return out_of_range(value, Type::kDate, "1990-01-01 to 2169-06-06");
  store(static_cast<std::uint64_t>(days), out);
  return {};
}

Result<void> encode_time_of_day(Type type, const Json& value, std::string_view text,
                                std::span<std::byte> out) {
  const auto time = parse_time(text);
  if (!time) return wrong_type(value, "a time of day such as \"13:45:12.250\"");
  const std::uint64_t unit = type == Type::kTod ? 1'000'000 : 1;
  if (*time % unit != 0) return out_of_range(value, type, "whole milliseconds");
  store(*time / unit, out);
  return {};
}

Result<void> encode_clock(Type type, const Json& value, std::string_view text,
                          std::span<std::byte> out) {
  const auto time = parse_clock(text);
  if (!time) return wrong_type(value, "a date and time such as \"2026-03-31T13:45:12.250\"");
  if (type == Type::kLdt) {
    // 64 bits of nanoseconds around 1970.
    const auto days = time->day.time_since_epoch().count();
    constexpr int kMostDays = 106'751;
    if (days < -kMostDays || days >= kMostDays)
      return out_of_range(value, type, "1677-09-22 to 2262-04-10");
    store(static_cast<std::uint64_t>(days * static_cast<std::int64_t>(kNanosecondsPerDay)) +
              time->nanoseconds,
          out);
    return {};
  }
  if (type == Type::kDtl) {
    const auto bytes = store_dtl(*time);
    if (!bytes) return out_of_range(value, type, "the years 1970 to 2262");
    std::ranges::copy(*bytes, out.begin());
    return {};
  }
  if (time->nanoseconds % 1'000'000 != 0) return out_of_range(value, type, "whole milliseconds");
  const auto bytes = store_date_and_time(*time);
  if (!bytes) return out_of_range(value, type, "the years 1990 to 2089");
  std::ranges::copy(*bytes, out.begin());
  return {};
}

Result<void> encode_text_type(const Layout& layout, const Json& value, std::span<std::byte> out) {
  if (!value.is_string()) return wrong_type(value, "a text");
  const auto text = value.as<std::string_view>();
  switch (layout.type) {
    case Type::kChar:
    case Type::kWchar:
      return field::encode_text(text_format(layout.type == Type::kWchar, out.size()), text, out);
    case Type::kString:
    case Type::kWstring:
      return encode_string(layout, text, out);
    case Type::kDate:
      return encode_date(value, text, out);
    case Type::kTod:
    case Type::kLtod:
      return encode_time_of_day(layout.type, value, text, out);
    default:
      return encode_clock(layout.type, value, text, out);
  }
}

Result<void> encode_one(const Layout& layout, const Json& value, std::span<std::byte> out) {
  if (known(layout.type).number) return field::encode_value(number_format(layout), value, out);
  switch (layout.type) {
    case Type::kBool: {
      const auto on = field::encode_bool(value);
      if (!on) return std::unexpected(on.error());
      out[0] = std::byte{*on};
      return {};
    }
    case Type::kS5time:
      return encode_s5time(value, out);
    case Type::kCounter:
      return encode_counter(value, out);
    default:
      return encode_text_type(layout, value, out);
  }
}

// Where the next element of a list stands: texts begin at even bytes.
std::size_t stride_of(const Layout& layout) {
  const std::size_t size = element_size(layout);
  return layout.type == Type::kString ? padded(size) : size;
}

bool is_one_text(const Layout& layout) {
  return is_character(layout.type) && layout.count > 1;
}

}  // namespace

std::optional<Type> parse_type(std::string_view name) {
  constexpr std::pair<std::string_view, Type> kShort[] = {
      {"DT", Type::kDateAndTime}, {"TIME_OF_DAY", Type::kTod}, {"LTIME_OF_DAY", Type::kLtod}};
  std::string upper(name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i].name == upper) return static_cast<Type>(i);
  }
  for (const auto& [text, type] : kShort) {
    if (text == upper) return type;
  }
  return std::nullopt;
}

std::string_view to_string(Type type) {
  return known(type).name;
}

bool is_number(Type type) {
  return known(type).number.has_value();
}

std::size_t element_size(const Layout& layout) {
  if (layout.type == Type::kString) return std::size_t{2} + layout.length;
  if (layout.type == Type::kWstring) return 4 + std::size_t{2} * layout.length;
  return known(layout.type).size;
}

std::size_t size_of(const Layout& layout, std::uint8_t bit) {
  if (layout.type == Type::kBool) return (std::size_t{bit} + layout.count + 7) / 8;
  return stride_of(layout) * (layout.count - std::size_t{1}) + element_size(layout);
}

Decoded decode(const Layout& layout, std::uint8_t bit, View bytes) {
  const auto is_set = [&](std::size_t i) {
    return ((std::to_integer<unsigned>(bytes[(bit + i) / 8]) >> ((bit + i) % 8)) & 1U) != 0;
  };
  if (layout.count == 1) {
    if (layout.type == Type::kBool) return {is_set(0), kGood, nullptr};
    return decode_one(layout, bytes);
  }
  if (is_one_text(layout))
    return field::decode_text(text_format(layout.type == Type::kWchar, bytes.size()), bytes);
  Decoded all;
  Json list = json_array();
  list.reserve(layout.count);
  const std::size_t stride = stride_of(layout);
  const std::size_t size = element_size(layout);
  for (std::size_t i = 0; i < layout.count; ++i) {
    if (layout.type == Type::kBool) {
      list.push_back(is_set(i));
      continue;
    }
    Decoded one = decode_one(layout, bytes.subspan(i * stride, size));
    if (!one.quality.is_good() && !all.quality.is_bad()) {
      all.quality = one.quality;
      all.problem = one.problem;
    }
    list.push_back(tributary::to_json(one.value));
  }
  all.value = std::move(list);
  return all;
}

Result<void> encode(const Layout& layout, const Json& value, std::span<std::byte> out) {
  if (layout.count == 1) return encode_one(layout, value, out);
  if (is_one_text(layout)) return encode_text_type(layout, value, out);
  if (!value.is_array() || value.size() != layout.count) {
    return fail(ErrorClass::kFunction, "wrong_type",
                fmt::format("{} is not a list of {} values.", to_text(value), layout.count));
  }
  const std::size_t stride = stride_of(layout);
  const std::size_t size = element_size(layout);
  for (std::size_t i = 0; i < layout.count; ++i)
    TRIBUTARY_TRY(encode_one(layout, value.at(i), out.subspan(i * stride, size)));
  return {};
}

}  // namespace tributary::connectors::s7
