#include "field/codec.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.hpp"

namespace tributary::field {
namespace {

std::string hex(std::string_view text) {
  std::string bytes;
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits.push_back(c);
  }
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}
std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes)
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", std::to_integer<unsigned>(byte));
  return text;
}

constexpr ByteOrder kOrders[] = {ByteOrder::kAbcd, ByteOrder::kBadc, ByteOrder::kCdab,
                                 ByteOrder::kDcba};

Decoded decode(Format format, std::string_view text) {
  const std::string raw = hex(text);
  return decode_value(format, std::as_bytes(std::span(raw)));
}
Json decoded(Format format, std::string_view text) {
  return to_json(decode(format, text).value);
}

std::string encode(const Format& format, std::string_view json) {
  std::vector<std::byte> out(size_of(format));
  const auto result = encode_value(format, parse_json(json).value(), out);
  if (!result) return result.error().code;
  return to_hex(out);
}

TEST(Values, ReadsEveryTypeInTheStandardOrder) {
  EXPECT_EQ(decoded({.type = DataType::kUint16}, "ffff"), 65535);
  EXPECT_EQ(decoded({.type = DataType::kInt16}, "ffff"), -1);
  EXPECT_EQ(decoded({.type = DataType::kInt16}, "8000"), -32768);
  EXPECT_EQ(decoded({.type = DataType::kUint32}, "ffffffff"), 4294967295U);
  EXPECT_EQ(decoded({.type = DataType::kInt32}, "80000000"), -2147483648LL);
  EXPECT_EQ(decoded({.type = DataType::kInt64}, "8000000000000000"),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(decoded({.type = DataType::kUint64}, "ffffffffffffffff"),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(decoded({.type = DataType::kFloat32}, "41ac0000"), 21.5);
  EXPECT_EQ(decoded({.type = DataType::kFloat64}, "4035800000000000"), 21.5);
  EXPECT_EQ(decoded({.type = DataType::kBcd16}, "1234"), 1234);
  EXPECT_EQ(decoded({.type = DataType::kBcd32}, "12345678"), 12345678);
  EXPECT_EQ(decoded({.type = DataType::kBit, .bit = 3}, "0008"), true);
  EXPECT_EQ(decoded({.type = DataType::kBit, .bit = 4}, "0008"), false);
  EXPECT_EQ(decoded({.type = DataType::kString, .length = 6}, "41424344 4500"), "ABCDE");
}

TEST(Values, ReadsTheFourByteOrders) {
  const auto uint32 = [](ByteOrder order, std::string_view raw) {
    return decoded({.type = DataType::kUint32, .order = order}, raw);
  };
  EXPECT_EQ(uint32(ByteOrder::kAbcd, "0a0b0c0d"), 0x0a0b0c0d);
  EXPECT_EQ(uint32(ByteOrder::kBadc, "0b0a0d0c"), 0x0a0b0c0d);
  EXPECT_EQ(uint32(ByteOrder::kCdab, "0c0d0a0b"), 0x0a0b0c0d);
  EXPECT_EQ(uint32(ByteOrder::kDcba, "0d0c0b0a"), 0x0a0b0c0d);

  const auto uint64 = [](ByteOrder order, std::string_view raw) {
    return decoded({.type = DataType::kUint64, .order = order}, raw);
  };
  EXPECT_EQ(uint64(ByteOrder::kAbcd, "0102030405060708"), 0x0102030405060708);
  EXPECT_EQ(uint64(ByteOrder::kBadc, "0201040306050807"), 0x0102030405060708);
  EXPECT_EQ(uint64(ByteOrder::kCdab, "0708050603040102"), 0x0102030405060708);
  EXPECT_EQ(uint64(ByteOrder::kDcba, "0807060504030201"), 0x0102030405060708);

  EXPECT_EQ(decoded({.type = DataType::kUint16, .order = ByteOrder::kCdab}, "0102"), 0x0102)
      << "one word: nothing to swap";
  EXPECT_EQ(decoded({.type = DataType::kUint16, .order = ByteOrder::kDcba}, "0102"), 0x0201);
  EXPECT_EQ(
      decoded({.type = DataType::kString, .order = ByteOrder::kBadc, .length = 4}, "42414443"),
      "ABCD");
  EXPECT_EQ(
      decoded({.type = DataType::kString, .order = ByteOrder::kCdab, .length = 4}, "41424344"),
      "ABCD");
}

// What is written is what is read, for every type, byte order and a scale that keeps it exact.
TEST(Values, RoundTripForAllTypesAndOrders) {
  constexpr DataType kTypes[] = {DataType::kInt16,   DataType::kUint16,  DataType::kInt32,
                                 DataType::kUint32,  DataType::kInt64,   DataType::kUint64,
                                 DataType::kFloat32, DataType::kFloat64, DataType::kBcd16,
                                 DataType::kBcd32};
  SeededRandom random(11);
  for (const DataType type : kTypes) {
    for (const ByteOrder order : kOrders) {
      const Format format{.type = type, .order = order};
      for (int i = 0; i < 2'000; ++i) {
        std::uint64_t raw = random.next();
        Json value;
        switch (type) {
          case DataType::kInt16:
            value = static_cast<std::int16_t>(raw);
            break;
          case DataType::kUint16:
            value = static_cast<std::uint16_t>(raw);
            break;
          case DataType::kInt32:
            value = static_cast<std::int32_t>(raw);
            break;
          case DataType::kUint32:
            value = static_cast<std::uint32_t>(raw);
            break;
          case DataType::kInt64:
            value = static_cast<std::int64_t>(raw);
            break;
          case DataType::kUint64:
            value = raw;
            break;
          case DataType::kFloat32:
            value = static_cast<double>(static_cast<float>(static_cast<std::int32_t>(raw)) / 7.0F);
            break;
          case DataType::kFloat64:
            value = static_cast<double>(static_cast<std::int64_t>(raw)) / 7.0;
            break;
          case DataType::kBcd16:
            value = raw % 10'000;
            break;
          default:
            value = raw % 100'000'000;
            break;
        }
        std::vector<std::byte> out(size_of(format));
        ASSERT_TRUE(encode_value(format, value, out).has_value())
            << to_string(type) << " " << to_text(value);
        const Decoded back = decode_value(format, out);
        ASSERT_TRUE(back.quality.is_good());
        ASSERT_EQ(to_json(back.value), value)
            << to_string(type) << " order " << static_cast<int>(order);
      }
    }
  }
}

TEST(Values, EveryTypeHasItsLimits) {
  EXPECT_EQ(encode({.type = DataType::kUint16}, "65535"), "ff ff");
  EXPECT_EQ(encode({.type = DataType::kUint16}, "65536"), "out_of_range");
  EXPECT_EQ(encode({.type = DataType::kUint16}, "-1"), "out_of_range");
  EXPECT_EQ(encode({.type = DataType::kInt16}, "-32768"), "80 00");
  EXPECT_EQ(encode({.type = DataType::kInt16}, "32768"), "out_of_range");
  EXPECT_EQ(encode({.type = DataType::kInt64}, "9223372036854775807"), "7f ff ff ff ff ff ff ff");
  EXPECT_EQ(encode({.type = DataType::kInt64}, "9223372036854775808"), "out_of_range");
  EXPECT_EQ(encode({.type = DataType::kInt64}, "-9223372036854775808"), "80 00 00 00 00 00 00 00");
  EXPECT_EQ(encode({.type = DataType::kUint64}, "18446744073709551615"), "ff ff ff ff ff ff ff ff");
  EXPECT_EQ(encode({.type = DataType::kUint64}, "\"18446744073709551615\""),
            "ff ff ff ff ff ff ff ff")
      << "bigint as text";
  EXPECT_EQ(encode({.type = DataType::kUint64}, "-1"), "out_of_range");
  EXPECT_EQ(encode({.type = DataType::kUint64}, "1e30"), "out_of_range");
  EXPECT_EQ(encode({.type = DataType::kBcd16}, "9999"), "99 99");
  EXPECT_EQ(encode({.type = DataType::kBcd16}, "10000"), "out_of_range");
  EXPECT_EQ(encode({.type = DataType::kFloat32}, "1e39"), "out_of_range");
  EXPECT_EQ(encode({.type = DataType::kString, .length = 4}, "\"ABCDE\""), "too_long");
  EXPECT_EQ(encode({.type = DataType::kString, .length = 4}, "\"ABC\""), "41 42 43 00");
}

TEST(Values, WhatIsNoNumberIsRefused) {
  for (const char* value :
       {"true", "null", "\"fast\"", "\"\"", "\"nan\"", "\"inf\"", "[1]", "{}"}) {
    EXPECT_EQ(encode({.type = DataType::kUint16}, value), "wrong_type") << value;
    EXPECT_EQ(encode({.type = DataType::kFloat32}, value), "wrong_type") << value;
  }
  EXPECT_EQ(encode({.type = DataType::kUint16}, "1.5"), "wrong_type");
  EXPECT_EQ(encode({.type = DataType::kUint16}, "1500.0"), "05 dc");
  EXPECT_EQ(encode({.type = DataType::kUint16}, "\"1500\""), "05 dc");
  EXPECT_EQ(encode({.type = DataType::kString, .length = 4}, "12"), "wrong_type");
}

TEST(Values, ScalesBothWays) {
  const Format format{.type = DataType::kInt16, .scaling = Scaling::factor(0.1, -40)};
  EXPECT_DOUBLE_EQ(decoded(format, "0271").as<double>(), 22.5);
  EXPECT_EQ(encode(format, "22.5"), "02 71");
  EXPECT_EQ(encode(format, "22.54"), "02 71") << "rounded to the nearest raw value";
  EXPECT_EQ(encode(format, "5000"), "out_of_range");
}

TEST(Values, WhatMakesNoSenseIsNotGood) {
  const Decoded nan = decode({.type = DataType::kFloat32}, "7fc00000");
  EXPECT_TRUE(nan.quality.is_uncertain());
  EXPECT_TRUE(std::isnan(std::get<double>(nan.value)));
  EXPECT_TRUE(decode({.type = DataType::kFloat64}, "7ff0000000000000").quality.is_uncertain());
  const Decoded bcd = decode({.type = DataType::kBcd16}, "12a4");
  EXPECT_TRUE(bcd.quality.is_bad());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(bcd.value));
  const Decoded latin = decode({.type = DataType::kString, .length = 4}, "3432b043");
  EXPECT_TRUE(latin.quality.is_uncertain());
  EXPECT_EQ(std::get<std::string>(latin.value), "42°C");
  EXPECT_EQ(decoded({.type = DataType::kString, .length = 6}, "3432c2b04320"), "42°C")
      << "UTF-8 is taken as it is";
}

TEST(Values, CoilsTakeTrueFalseOneAndZero) {
  const auto coil = [](std::string_view json) { return encode_bool(parse_json(json).value()); };
  EXPECT_EQ(coil("true"), true);
  EXPECT_EQ(coil("0"), false);
  EXPECT_EQ(coil("1"), true);
  EXPECT_EQ(coil("\"false\""), false);
  EXPECT_EQ(coil("2").error().code, "wrong_type");
  EXPECT_EQ(coil("\"on\"").error().code, "wrong_type");
  EXPECT_EQ(coil("null").error().code, "wrong_type");
}

TEST(Values, ReadsTheOtherOrdersOf64Bits) {
  const auto uint64 = [](ByteOrder order, std::string_view raw) {
    return decoded({.type = DataType::kUint64, .order = order}, raw);
  };
  EXPECT_EQ(uint64(ByteOrder::kCdabGhef, "0304010207080506"), 0x0102030405060708);
  EXPECT_EQ(uint64(ByteOrder::kEfghAbcd, "0506070801020304"), 0x0102030405060708);
  EXPECT_EQ(uint64(ByteOrder::kDcbaHgfe, "0403020108070605"), 0x0102030405060708);
  EXPECT_EQ(uint64(ByteOrder::kFehgBadc, "0605080702010403"), 0x0102030405060708);
}

TEST(Values, ReadsBytesAndRangesOfBits) {
  EXPECT_EQ(decoded({.type = DataType::kInt8}, "ff"), -1);
  EXPECT_EQ(decoded({.type = DataType::kUint8}, "ff"), 255);
  EXPECT_EQ(decoded({.type = DataType::kBits, .bit = 4, .bits = 3}, "0070"), 7);
  EXPECT_EQ(decoded({.type = DataType::kBits, .bit = 4, .bits = 3}, "ff8f"), 0);
  EXPECT_EQ(decoded({.type = DataType::kBits, .bit = 0, .bits = 64, .word = 8}, "ffffffffffffffff"),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(decoded({.type = DataType::kBit, .bit = 7, .word = 1}, "80"), true);
  EXPECT_EQ(decoded({.type = DataType::kBit, .bit = 31, .word = 4}, "80000000"), true);
  EXPECT_EQ(
      decoded({.type = DataType::kBits, .bit = 0, .bits = 8, .scaling = Scaling::factor(0.5, 1)},
              "0003"),
      2.5);
}

TEST(Values, BitsChangeNothingBesideThem) {
  const auto change = encode_bits({.type = DataType::kBits, .bit = 4, .bits = 3}, Json(5)).value();
  EXPECT_EQ(change.mask, 0x70U);
  EXPECT_EQ(change.bits, 0x50U);
  EXPECT_EQ(encode_bits({.type = DataType::kBits, .bit = 4, .bits = 3}, Json(8)).error().code,
            "out_of_range");
  const auto off = encode_bits({.type = DataType::kBit, .bit = 15}, Json(false)).value();
  EXPECT_EQ(off.mask, 0x8000U);
  EXPECT_EQ(off.bits, 0U);
  EXPECT_EQ(encode({.type = DataType::kBit}, "true"), "not_writable");
}

TEST(Values, TextsHaveEncodingsAndPadding) {
  const auto text = [](Encoding encoding, std::string_view raw) {
    return decode({.type = DataType::kString, .length = 4, .encoding = encoding}, raw);
  };
  EXPECT_EQ(to_json(text(Encoding::kLatin1, "3432b043").value), "42°C");
  EXPECT_TRUE(text(Encoding::kLatin1, "3432b043").quality.is_good());
  EXPECT_TRUE(text(Encoding::kAscii, "3432b043").quality.is_uncertain());
  EXPECT_EQ(to_json(text(Encoding::kUtf16, "00b00043").value), "°C");
  EXPECT_EQ(to_json(text(Encoding::kUtf16, "d83ddd27").value), "\xF0\x9F\x94\xA7");
  EXPECT_TRUE(text(Encoding::kUtf16, "d83d0041").quality.is_uncertain()) << "half of a pair";
  const Format swapped{.type = DataType::kString,
                       .order = ByteOrder::kBadc,
                       .length = 4,
                       .encoding = Encoding::kUtf16};
  EXPECT_EQ(decoded(swapped, "b0004300"), "°C");

  Format format{.type = DataType::kString, .length = 6, .padding = Padding::kSpace};
  EXPECT_EQ(encode(format, "\"AB\""), "41 42 20 20 20 20");
  format.encoding = Encoding::kUtf16;
  EXPECT_EQ(encode(format, "\"°\""), "00 b0 00 20 00 20");
  format.encoding = Encoding::kLatin1;
  EXPECT_EQ(encode(format, "\"°\""), "b0 20 20 20 20 20");
  EXPECT_EQ(encode(format, "\"€\""), "not_allowed");
  format.encoding = Encoding::kAscii;
  EXPECT_EQ(encode(format, "\"°\""), "not_allowed");
}

TEST(Values, ClampedValuesAreNotWritten) {
  Format format{.type = DataType::kUint16};
  format.scaling = {.kind = ScalingKind::kLinear, .raw_high = 1000, .high = 100, .clamp = true};
  EXPECT_EQ(encode(format, "50"), "01 f4");
  EXPECT_EQ(encode(format, "101"), "out_of_range");
  EXPECT_EQ(decoded(format, "07d0"), 100);
}

TEST(Values, NamesRoundTrip) {
  for (const char* name :
       {"bool", "int8", "uint8", "bits", "int16", "uint16", "int32", "uint32", "int64", "uint64",
        "float32", "float64", "string", "bit", "bcd16", "bcd32"}) {
    ASSERT_TRUE(parse_data_type(name).has_value()) << name;
    EXPECT_EQ(to_string(*parse_data_type(name)), name);
  }
  EXPECT_FALSE(parse_data_type("float").has_value());
}

}  // namespace
}  // namespace tributary::field
