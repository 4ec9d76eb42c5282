// Whatever a text says, it says the same to both of the libraries that read it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "model/json.hpp"

namespace tributary {
namespace {

std::optional<Json> reference(std::string_view text) {
  std::error_code error;
  jsoncons::json_decoder<Json> decoder;
  auto options = jsoncons::json_options{}.max_nesting_depth(kMaxJsonDepth);
  jsoncons::json_string_reader reader(text, decoder, options);
  reader.read(error);
  if (error || !decoder.is_valid()) return std::nullopt;
  return decoder.get_result();
}

// Values, the types of their numbers, and the order of members.
bool is_same(const Json& a, const Json& b) {
  if (a.is_double() && b.is_double() && std::isinf(a.as_double()))
    return a.as_double() == b.as_double();
  const bool integers = a.is_integer<std::int64_t>() && b.is_integer<std::int64_t>();
  if (a.tag() != b.tag() || (a.type() != b.type() && !integers)) return false;
  if (!a.is_object() && !a.is_array()) return a == b;
  if (a.size() != b.size()) return false;
  if (a.is_array()) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!is_same(a[i], b[i])) return false;
    }
    return true;
  }
  auto other = b.object_range().begin();
  for (const auto& member : a.object_range()) {
    if (member.key() != other->key() || !is_same(member.value(), other->value())) return false;
    ++other;
  }
  return true;
}

void expect_same(const std::string& text) {
  const auto expected = reference(text);
  const auto got = parse_json(text);
  const std::string shown = text.substr(0, 200);
  ASSERT_EQ(got.has_value(), expected.has_value()) << shown;
  if (!expected) return;
  EXPECT_TRUE(is_same(*got, *expected)) << shown << " gave " << to_text(*got).substr(0, 200);
}

TEST(ParseJson, what_is_hard_to_read_is_read_the_same_by_both_libraries) {
  const std::vector<std::string> texts{"0",
                                       "-0",
                                       "1",
                                       "-1",
                                       "1.0",
                                       "-0.0",
                                       "1e5",
                                       "1E-7",
                                       "0.1",
                                       "1e308",
                                       "1e309",
                                       "-1e400",
                                       "123456789012345678901234567890",
                                       "-9223372036854775808",
                                       "-9223372036854775809",
                                       "9223372036854775807",
                                       "9223372036854775808",
                                       "18446744073709551615",
                                       "18446744073709551616",
                                       "9007199254740993",
                                       "0.30000000000000004",
                                       "2.2250738585072011e-308",
                                       "4.9e-324",
                                       "1e-400",
                                       "3.1415926535897932384626433832795028841971",
                                       "01",
                                       "1.",
                                       ".5",
                                       "+1",
                                       "1e",
                                       "--1",
                                       "NaN",
                                       "Infinity",
                                       "nul",
                                       "true",
                                       "false",
                                       "null",
                                       R"("")",
                                       R"("a\u00e9\n\t\"\\\/")",
                                       R"("\ud83d\ude00")",
                                       R"("\ud83d")",
                                       R"("\ude00\ud83d")",
                                       R"("\u0000")",
                                       R"("\x")",
                                       "\"\x01\"",
                                       "\"tab\there\"",
                                       "\"\xC3\xA9\"",
                                       "\"\xC3\"",
                                       "\"\xED\xA0\x80\"",
                                       "\"\xF4\x90\x80\x80\"",
                                       "\"\xFF\"",
                                       "\"open",
                                       "",
                                       " ",
                                       "\n\n",
                                       "{",
                                       "}",
                                       "[",
                                       "]",
                                       "[1,]",
                                       "[,1]",
                                       "[1 2]",
                                       R"({"a":1,})",
                                       R"({"a"})",
                                       R"({a:1})",
                                       R"({"a":1 "b":2})",
                                       R"({"a":1,"a":2})",
                                       R"({"b":1,"a":{"x":[]},"b":[1]})",
                                       R"({"":0})",
                                       "{} {}",
                                       "[] x",
                                       "// note\n1",
                                       "/* note */ 1",
                                       "\xEF\xBB\xBF{}",
                                       " \t\r\n{ \"a\" : [ 1 , 2.5 , \"x\" ] } \n",
                                       "1 1",
                                       std::string("\"a\0b\"", 5),
                                       std::string("{}\0", 3)};
  for (const std::string& text : texts) expect_same(text);
}

TEST(ParseJson, nesting_and_many_members_are_the_same) {
  for (const int depth : {1, 2, 63, 64, 65, 66, 2000}) {
    const auto levels = static_cast<std::size_t>(depth);
    expect_same(std::string(levels, '[') + std::string(levels, ']'));
    std::string objects = "1";
    for (int i = 0; i < depth; ++i) objects = R"({"a":)" + objects + "}";
    expect_same(objects);
  }
  for (const int count : {1, 23, 24, 25, 26, 300}) {
    std::string members;
    for (int i = 0; i < count; ++i) {
      members += fmt::format(R"({}"m{}":{})", i == 0 ? "" : ",", i, i);
    }
    expect_same("{" + members + "}");
    expect_same("[{" + members + "},{" + members + "}]");
  }
}

// jsoncons promises nothing there.
TEST(ParseJson, of_members_with_one_name_the_first_counts_in_its_place) {
  for (const int count : {2, 24, 25, 300}) {
    std::string text = R"({"twice":"first")";
    for (int i = 0; i < count; ++i) text += fmt::format(R"(,"m{0}":{0},"twice":{0})", i);
    const auto parsed = parse_json(text + "}");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->size(), static_cast<std::size_t>(count) + 1);
    EXPECT_EQ(parsed->object_range().begin()->key(), "twice");
    EXPECT_EQ(parsed->at("twice"), "first");
  }
}

std::string random_document(std::mt19937_64& random, int levels) {
  const auto below = [&random](int limit) {
    return static_cast<int>(random() % static_cast<std::uint64_t>(limit));
  };
  const int kind = below(levels > 0 ? 9 : 7);
  if (kind == 0) return std::to_string(static_cast<std::int64_t>(random()));
  if (kind == 1) return std::to_string(random());
  if (kind == 2)
    return fmt::format("{}", std::ldexp(static_cast<double>(random()), below(200) - 130));
  if (kind == 3) return fmt::format("{}.{}e{}", below(10), random(), below(40) - 20);
  if (kind == 4) return below(2) == 0 ? "true" : "null";
  if (kind < 7) return fmt::format(R"("t\u{:04x}{}")", below(0xD800), random());
  std::string text = kind == 7 ? "[" : "{";
  const int count = below(30);
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    if (kind == 8) text += fmt::format(R"("k{}\\u0041":)", i);
    text += random_document(random, levels - 1);
  }
  return text + (kind == 7 ? "]" : "}");
}

TEST(ParseJson, random_documents_whole_and_cut_and_damaged_are_the_same) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string text = random_document(random, 3);
    expect_same(text);
    expect_same(text.substr(0, random() % (text.size() + 1)));
    text[random() % text.size()] = static_cast<char>(random());
    expect_same(text);
  }
}

TEST(ParseJson, a_fault_is_told_by_line_and_column) {
  const auto parsed = parse_json("{\n  \"a\": }");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, "invalid_json");
  EXPECT_NE(parsed.error().message.find("line 2, column 8"), std::string::npos)
      << parsed.error().message;
}

}  // namespace
}  // namespace tributary
