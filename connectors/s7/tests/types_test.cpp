// Every data type in both directions.
#include "connectors/s7/src/types.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scripted_peer.hpp"

namespace tributary::connectors::s7 {
namespace {

Json json(std::string_view text) {
  return parse_json(text).value();
}
std::vector<std::byte> bytes(std::string_view hex) {
  const std::string raw = test::hex(hex);
  const auto view = std::as_bytes(std::span(raw));
  return {view.begin(), view.end()};
}
std::string to_hex(std::span<const std::byte> from) {
  return test::to_hex({reinterpret_cast<const char*>(from.data()), from.size()});
}

struct Case {
  const char* name;
  Layout layout;
  const char* wire;
  const char* value;
};
class Types : public ::testing::TestWithParam<Case> {};

TEST_P(Types, AreReadAndWrittenBack) {
  const Case& c = GetParam();
  const auto wire = bytes(c.wire);
  ASSERT_EQ(wire.size(), size_of(c.layout));
  const auto decoded = decode(c.layout, 0, wire);
  EXPECT_TRUE(decoded.quality.is_good()) << (decoded.problem ? decoded.problem : "");
  EXPECT_EQ(to_json(decoded.value), json(c.value));
  std::vector<std::byte> out(wire.size());
  const auto encoded = encode(c.layout, json(c.value), out);
  ASSERT_TRUE(encoded.has_value()) << encoded.error().message;
  EXPECT_EQ(to_hex(out), to_hex(wire));
}
INSTANTIATE_TEST_SUITE_P(
    All, Types,
    ::testing::Values(
        Case{"byte", {Type::kByte}, "ff", "255"}, Case{"sint", {Type::kSint}, "80", "-128"},
        Case{"usint", {Type::kUsint}, "80", "128"}, Case{"int_", {Type::kInt}, "8000", "-32768"},
        Case{"uint", {Type::kUint}, "8000", "32768"}, Case{"word", {Type::kWord}, "ffff", "65535"},
        Case{"dint", {Type::kDint}, "80000000", "-2147483648"},
        Case{"udint", {Type::kUdint}, "ffffffff", "4294967295"},
        Case{"dword", {Type::kDword}, "00000001", "1"},
        Case{"lint_lowest", {Type::kLint}, "8000000000000000", "-9223372036854775808"},
        Case{"lint_beyond_2_53", {Type::kLint}, "0020000000000001", "9007199254740993"},
        Case{"ulint_highest", {Type::kUlint}, "ffffffffffffffff", "18446744073709551615"},
        Case{"lword", {Type::kLword}, "8000000000000000", "9223372036854775808"},
        Case{"real", {Type::kReal}, "41ac0000", "21.5"},
        Case{"lreal", {Type::kLreal}, "4035800000000000", "21.5"},
        Case{"char_", {Type::kChar}, "e4", "\"ä\""}, Case{"wchar", {Type::kWchar}, "20ac", "\"€\""},
        Case{"chars", {.type = Type::kChar, .count = 5}, "4142430000", "\"ABC\""},
        Case{"string", {.type = Type::kString, .length = 5}, "05034142e40000", "\"ABä\""},
        Case{"empty_string", {.type = Type::kString, .length = 2}, "02000000", "\"\""},
        Case{"wstring", {.type = Type::kWstring, .length = 3}, "00030002004120ac0000", "\"A€\""},
        Case{"s5time_10ms", {Type::kS5time}, "0123", "1230"},
        Case{"s5time_10s", {Type::kS5time}, "3999", "9990000"},
        Case{"time", {Type::kTime}, "ffffffff", "-1"},
        Case{"ltime", {Type::kLtime}, "00000000000003e8", "1000"},
        Case{"date", {Type::kDate}, "0000", "\"1990-01-01\""},
        Case{"date_last", {Type::kDate}, "ffff", "\"2169-06-06\""},
        Case{"tod", {Type::kTod}, "05265bff", "\"23:59:59.999\""},
        Case{"ltod", {Type::kLtod}, "0000000000000001", "\"00:00:00.000000001\""},
        Case{"date_and_time",
             {Type::kDateAndTime},
             "2603311345122503",
             "\"2026-03-31T13:45:12.250\""},
        Case{"date_and_time_1990",
             {Type::kDateAndTime},
             "9001010000000002",
             "\"1990-01-01T00:00:00\""},
        Case{"dtl", {Type::kDtl}, "07ea031f030d2d0c0ee6b280", "\"2026-03-31T13:45:12.250\""},
        Case{"ldt", {Type::kLdt}, "0000000000000000", "\"1970-01-01T00:00:00\""},
        Case{"ldt_before", {Type::kLdt}, "ffffffffffffffff", "\"1969-12-31T23:59:59.999999999\""},
        Case{"bcd16", {Type::kBcd16}, "1234", "1234"},
        Case{"bcd32", {Type::kBcd32}, "12345678", "12345678"},
        Case{"counter", {Type::kCounter}, "0456", "456"},
        Case{"list", {.type = Type::kInt, .count = 3}, "0001fffe0003", "[1, -2, 3]"},
        Case{"list_of_strings",
             {.type = Type::kString, .length = 1, .count = 2},
             "01014100010142",
             "[\"A\", \"B\"]"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TypesTest, Edge38_SixtyFourBitsAreExact) {
  for (const char* value : {"9007199254740991", "9007199254740992", "9007199254740993",
                            "9223372036854775807", "-9223372036854775808"}) {
    std::vector<std::byte> out(8);
    ASSERT_TRUE(encode({Type::kLint}, json(value), out).has_value()) << value;
    EXPECT_EQ(to_text(to_json(decode({Type::kLint}, 0, out).value)), value);
  }
  std::vector<std::byte> out(8);
  EXPECT_EQ(encode({Type::kLint}, json("9223372036854775808"), out).error().code, "out_of_range");
}

TEST(TypesTest, BitsAreTakenFromTheirPlace) {
  EXPECT_EQ(to_json(decode({Type::kBool}, 3, bytes("08")).value), json("true"));
  EXPECT_EQ(to_json(decode({Type::kBool}, 2, bytes("08")).value), json("false"));
  const Layout list{.type = Type::kBool, .count = 4};
  EXPECT_EQ(size_of(list, 6), 2U);
  EXPECT_EQ(to_json(decode(list, 6, bytes("4001")).value), json("[true, false, true, false]"));
}

struct Wrong {
  const char* name;
  Layout layout;
  const char* wire;
  bool uncertain;
};
class WrongBytes : public ::testing::TestWithParam<Wrong> {};
TEST_P(WrongBytes, AreNoGoodValue) {
  const auto decoded = decode(GetParam().layout, 0, bytes(GetParam().wire));
  EXPECT_EQ(decoded.quality.is_uncertain(), GetParam().uncertain);
  EXPECT_EQ(decoded.quality.is_bad(), !GetParam().uncertain);
  EXPECT_NE(decoded.problem, nullptr);
}
INSTANTIATE_TEST_SUITE_P(
    All, WrongBytes,
    ::testing::Values(Wrong{"s5time", {Type::kS5time}, "00a0", false},
                      Wrong{"counter", {Type::kCounter}, "0a00", false},
                      Wrong{"month_13", {Type::kDateAndTime}, "2613010000000000", false},
                      Wrong{"no_bcd", {Type::kDateAndTime}, "26f3010000000000", false},
                      Wrong{"dtl_of_zeros", {Type::kDtl}, "000000000000000000000000", false},
                      Wrong{"tod_beyond_a_day", {Type::kTod}, "05265c00", false},
                      Wrong{"ltod_beyond_a_day", {Type::kLtod}, "ffffffffffffffff", false},
                      Wrong{"string_longer_than_declared",
                            {.type = Type::kString, .length = 2},
                            "02ff4142",
                            true},
                      Wrong{"wstring_longer_than_its_most",
                            {.type = Type::kWstring, .length = 2},
                            "0001000200410042",
                            true},
                      Wrong{"nan", {Type::kReal}, "7fc00000", true}),
    [](const auto& info) { return std::string(info.param.name); });

struct Refused {
  const char* name;
  Layout layout;
  const char* value;
  const char* code;
};
class RefusedValues : public ::testing::TestWithParam<Refused> {};
TEST_P(RefusedValues, AreNotWritten) {
  std::vector<std::byte> out(std::max<std::size_t>(size_of(GetParam().layout), 16));
  const auto encoded = encode(GetParam().layout, json(GetParam().value),
                              std::span(out).first(size_of(GetParam().layout)));
  ASSERT_FALSE(encoded.has_value());
  EXPECT_EQ(encoded.error().code, GetParam().code) << encoded.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    All, RefusedValues,
    ::testing::Values(
        Refused{"int_high", {Type::kInt}, "32768", "out_of_range"},
        Refused{"usint_negative", {Type::kUsint}, "-1", "out_of_range"},
        Refused{"text_for_number", {Type::kInt}, "\"x\"", "wrong_type"},
        Refused{"number_for_text", {.type = Type::kString, .length = 4}, "1", "wrong_type"},
        Refused{"text_too_long", {.type = Type::kString, .length = 2}, "\"ABC\"", "too_long"},
        Refused{"euro_in_string", {.type = Type::kString, .length = 2}, "\"€\"", "not_allowed"},
        Refused{"s5time_not_exact", {Type::kS5time}, "12345", "out_of_range"},
        Refused{"s5time_high", {Type::kS5time}, "9990010", "out_of_range"},
        Refused{"s5time_text", {Type::kS5time}, "\"5s\"", "wrong_type"},
        Refused{"counter_high", {Type::kCounter}, "1000", "out_of_range"},
        Refused{"date_before", {Type::kDate}, "\"1989-12-31\"", "out_of_range"},
        Refused{"no_date", {Type::kDate}, "\"2026-02-30\"", "wrong_type"},
        Refused{"tod_too_fine", {Type::kTod}, "\"01:02:03.0001\"", "out_of_range"},
        Refused{"tod_25", {Type::kTod}, "\"25:00:00\"", "wrong_type"},
        Refused{"dt_beyond", {Type::kDateAndTime}, "\"2090-01-01T00:00:00\"", "out_of_range"},
        Refused{"dtl_without_time", {Type::kDtl}, "\"2026-01-01\"", "wrong_type"},
        Refused{"list_too_short", {.type = Type::kInt, .count = 3}, "[1, 2]", "wrong_type"},
        Refused{"value_for_list", {.type = Type::kInt, .count = 3}, "1", "wrong_type"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TypesTest, NamesAreKnownInBothDirections) {
  for (int i = 0; i <= static_cast<int>(Type::kCounter); ++i) {
    const auto type = static_cast<Type>(i);
    EXPECT_EQ(parse_type(to_string(type)), type);
  }
  EXPECT_EQ(parse_type("dt"), Type::kDateAndTime);
  EXPECT_EQ(parse_type("FLOAT"), std::nullopt);
}

}  // namespace
}  // namespace tributary::connectors::s7
