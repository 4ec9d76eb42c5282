#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "orchestrate/expression/template.hpp"

namespace tributary::orchestrate::expression {
namespace {

constexpr std::string_view kRecord = R"({
  "five": 5, "text5": "5", "neg": -3, "half": 0.5, "zero": 0, "yes": true, "no": false, "nothing": null,
  "empty": "", "name": "filler", "spaced": " 12 ", "hex": "0x1F", "word": "12px",
  "big": 9007199254740993, "bigger": 9007199254740992, "min": -9223372036854775808, "max": 18446744073709551615,
  "list": [1, "two", null, [3, 4]], "none": [], "one": [7],
  "a": {"b": {"c d": [{"x": 42}], "e.f": 1}, "null": null}, "ü": "größer", "smile": "a😀b", "in": 1
})";

struct World {
  Json record = *parse_json(kRecord);
  Json trigger = *parse_json(R"({"temperature": 21.5})");
  Json run = *parse_json(R"({"id": "R1"})");
  Json pipeline = *parse_json(R"({"id": "P1", "name": "filler to broker"})");
  NodeNames names;
  std::vector<std::shared_ptr<const Json>> nodes;

  Scope scope() const {
    Scope scope;
    scope.input = &record;
    scope.trigger = &trigger;
    scope.item = &record;
    scope.run = &run;
    scope.pipeline = &pipeline;
    scope.index = 3;
    scope.now = from_micros(1'700'000'000'123'000);
    scope.nodes = nodes;
    return scope;
  }

  // The value as JavaScript would print it: strings in quotes, "undefined", "NaN", JSON for
  // documents.
  std::string show(std::string_view expression) {
    auto compiled = Template::compile("{{" + std::string(expression) + "}}", names);
    if (!compiled) return "refused: " + compiled.error().message;
    const Scope now = scope();
    auto value = compiled->evaluate(now);
    if (!value) return "failed: " + value.error().message;
    if (const auto text = as_string(*value)) return "\"" + std::string(*text) + "\"";
    if (const auto* json = std::get_if<const Json*>(&*value)) return to_text(**json);
    if (const auto* d = std::get_if<double>(&*value); d && *d == 0 && std::signbit(*d)) return "-0";
    return to_string(*value);
  }
};

struct Case {
  std::string_view expression;
  std::string_view expected;
};

class ExpressionTable : public testing::TestWithParam<Case> {};

TEST_P(ExpressionTable, GivesWhatJavaScriptGives) {
  World world;
  EXPECT_EQ(world.show(GetParam().expression), GetParam().expected) << GetParam().expression;
}

// Expected values come from ECMA-262 and were compared with Node.js.
constexpr Case kArithmetic[] = {
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"7 / 2", "3.5"},
    {"6 / 2", "3"},
    {"1 / 0", "Infinity"},
    {"-1 / 0", "-Infinity"},
    {"0 / 0", "NaN"},
    {"5 % 3", "2"},
    {"-5 % 3", "-2"},
    {"-4 % 2", "-0"},
    {"5 % 0", "NaN"},
    {"5.5 % 2", "1.5"},
    {"2 ** 10", "1024"},
    {"2 ** 3 ** 2", "512"},
    {"2 ** -1", "0.5"},
    {"(-2) ** 2", "4"},
    {"1 ** Infinity", "NaN"},
    {"NaN ** 0", "1"},
    {"0 * -5", "-0"},
    {"0.1 + 0.2", "0.30000000000000004"},
    {"1e21", "1e+21"},
    {"1e21 + 1", "1e+21"},
    {"123456789012345680000", "123456789012345680000"},
    {"0.000001", "0.000001"},
    {"0.0000001", "1e-7"},
    {"1.5e-10", "1.5e-10"},
    {"0xff + 0b11 + 0o17", "273"},
    {".5 + 5.", "5.5"},
    {"- -3", "3"},
    {"-(-3)", "3"},
    {"+true", "1"},
    {"!0", "true"},
    {"!!\"a\"", "true"},
    {"10 - 4 - 3", "3"},
    {"100 / 10 / 2", "5"},
    {"-0", "-0"},
};
INSTANTIATE_TEST_SUITE_P(Arithmetic, ExpressionTable, testing::ValuesIn(kArithmetic));

constexpr Case kCoercion[] = {
    {"\"5\" * 1", "5"},
    {"\"5\" + 1", "\"51\""},
    {"1 + \"5\"", "\"15\""},
    {"\"5\" - 1", "4"},
    {"\"5\" * \"2\"", "10"},
    {"\"abc\" * 1", "NaN"},
    {"\"\" * 1", "0"},
    {"$input.spaced * 1", "12"},
    {"$input.hex * 1", "31"},
    {"$input.word * 1", "NaN"},
    {"\"1e3\" * 1", "1000"},
    {"\"-0x10\" * 1", "NaN"},
    {"\"Infinity\" * 1", "Infinity"},
    {"\"infinity\" * 1", "NaN"},
    {"\"nan\" * 1", "NaN"},
    {"\"1_000\" * 1", "NaN"},
    {"\"+.5\" * 1", "0.5"},
    {"\"5.\" * 1", "5"},
    {"\".\" * 1", "NaN"},
    {"\"1e999\" * 1", "Infinity"},
    {"null + 1", "1"},
    {"undefined + 1", "NaN"},
    {"true + true", "2"},
    {"true + \"\"", "\"true\""},
    {"null + \"\"", "\"null\""},
    {"undefined + \"\"", "\"undefined\""},
    {"$input.missing + 1", "NaN"},
    {"$input.nothing + 1", "1"},
    {"$input.nothing * 1", "0"},
    {"$input.one * 2", "14"},
    {"$input.none * 1", "0"},
    {"$input.list * 1", "NaN"},
    {"$input.list + \"\"", "\"1,two,,3,4\""},
    {"$input.a + \"\"", "\"[object Object]\""},
    {"$input.a * 1", "NaN"},
    {"$input.none + 1", "\"1\""},
    {"-\"5\"", "-5"},
    {"-null", "-0"},
    {"-undefined", "NaN"},
    {"+\"\"", "0"},
    {"+$input.a", "NaN"},
    {"1.0 + \"\"", "\"1\""},
    {"-0 + \"\"", "\"0\""},
    {"0.1 + \"\"", "\"0.1\""},
    {"1e300 * 1e10 + \"\"", "\"Infinity\""},
};
INSTANTIATE_TEST_SUITE_P(Coercion, ExpressionTable, testing::ValuesIn(kCoercion));

constexpr Case kComparison[] = {
    {"1 == 1.0", "true"},
    {"1 == \"1\"", "true"},
    {"1 === \"1\"", "false"},
    {"\"1\" === \"1\"", "true"},
    {"null == undefined", "true"},
    {"null === undefined", "false"},
    {"null == 0", "false"},
    {"null >= 0", "true"},
    {"null > 0", "false"},
    {"undefined == 0", "false"},
    {"undefined >= 0", "false"},
    {"undefined === undefined", "true"},
    {"NaN == NaN", "false"},
    {"NaN != NaN", "true"},
    {"NaN === NaN", "false"},
    {"NaN !== NaN", "true"},
    {"NaN < 1", "false"},
    {"NaN >= 1", "false"},
    {"1 <= NaN", "false"},
    {"$input.missing > 5", "false"},
    {"$input.missing <= 5", "false"},
    {"\"\" == 0", "true"},
    {"\"a\" == 0", "false"},
    {"true == 1", "true"},
    {"true == \"1\"", "true"},
    {"true == \"true\"", "false"},
    {"false == \"\"", "true"},
    {"false == null", "false"},
    {"\"b\" > \"a\"", "true"},
    {"\"10\" < \"9\"", "true"},
    {"\"10\" < 9", "false"},
    {"\"abc\" < \"abcd\"", "true"},
    {"\"Z\" < \"a\"", "true"},
    {"\"\\u{1F600}\" < \"\\uFF5E\"", "true"},  // by UTF-16 units, not by code points
    {"\"\\u00e9\" < \"\\u{1F600}\"", "true"},
    {"$input.a == $input.a", "true"},
    {"$input.a === $input.a", "true"},
    {"$input.a == $input.list", "false"},
    {"$input.one == 7", "true"},
    {"$input.one === 7", "false"},
    {"$input.one < 8", "true"},
    {"$input.a == \"[object Object]\"", "true"},
    {"0 === -0", "true"},
    {"1 < 2 < 3", "true"},
    {"3 > 2 > 1", "false"},
    {"1 == 2 != true", "true"},
};
INSTANTIATE_TEST_SUITE_P(Comparison, ExpressionTable, testing::ValuesIn(kComparison));

constexpr Case kLogic[] = {
    {"1 && 2", "2"},
    {"0 && 2", "0"},
    {"\"\" || \"x\"", "\"x\""},
    {"0 || null", "null"},
    {"0 ?? 5", "0"},
    {"null ?? 5", "5"},
    {"$input.missing ?? \"none\"", "\"none\""},
    {"$input.missing ?? $input.nothing ?? 3", "3"},
    {"(0 || null) ?? 5", "5"},
    {"true ? 1 : 2", "1"},
    {"0 ? 1 : 2", "2"},
    {"NaN ? 1 : 2", "2"},
    {"$input.none ? 1 : 2", "1"},
    {"true ? false ? 1 : 2 : 3", "2"},
    {"false ? 1 : true ? 2 : 3", "2"},
    {"true?.5:1", "0.5"},
    {"!$input.no && $input.yes", "true"},
    {"1 || $input.missing.x", "1"},
    {"0 && $input.missing.x", "0"},
    {"1 ?? $input.missing.x", "1"},
    {"false || 0 || \"last\"", "\"last\""},
    {"1 + 2 == 3 && \"a\" + \"b\" === \"ab\"", "true"},
    {"!NaN", "true"},
    {"!\"0\"", "false"},
};
INSTANTIATE_TEST_SUITE_P(Logic, ExpressionTable, testing::ValuesIn(kLogic));

constexpr Case kReferences[] = {
    {"$input.five", "5"},
    {"$input[\"five\"]", "5"},
    {"$input['a'].b[\"c d\"][0].x", "42"},
    {"$input.a.b['e.f']", "1"},
    {"$input.a.b[\"c d\"][\"0\"].x", "42"},
    {"$input.a.b[\"c d\"][1]", "undefined"},
    {"$input.list[3][1]", "4"},
    {"$input.list[-1]", "undefined"},
    {"$input.list[\"01\"]", "undefined"},
    {"$input.list[1.0]", "\"two\""},
    {"$input.list.length", "4"},
    {"$input.name.length", "6"},
    {"$input.name[0]", "\"f\""},
    {"$input.name[99]", "undefined"},
    {"$input.smile.length", "4"},
    {"$input.smile[3]", "\"b\""},
    {"$input.ü", "\"größer\""},
    {"$input.ü[2]", "\"ö\""},
    {"$input.in", "1"},
    {"$input.missing", "undefined"},
    {"$input.missing?.x", "undefined"},
    {"$input.missing?.x.y.z", "undefined"},
    {"$input.missing?.[\"x\"][0]", "undefined"},
    {"$input.nothing?.x", "undefined"},
    {"$input.a?.b?.[\"c d\"]?.[0]?.x", "42"},
    {"$input.a.null", "null"},
    {"$input[\"na\" + \"me\"]", "\"filler\""},
    {"$input.list[$input.five - 4]", "\"two\""},
    {"$input.five.x", "undefined"},
    {"$input.yes.x", "undefined"},
    {"$input.a", R"({"b":{"c d":[{"x":42}],"e.f":1},"null":null})"},
    {"$trigger.temperature * 2", "43"},
    {"$index + 1", "4"},
    {"$item.name", "\"filler\""},
    {"$run.id", "\"R1\""},
    {"$pipeline.name", "\"filler to broker\""},
    {"$now", "\"2023-11-14T22:13:20.123Z\""},
    {"$now.length", "24"},
    // No property leads out of the record: only own fields exist.
    {"$input.constructor", "undefined"},
    {"$input.__proto__", "undefined"},
    {"$input.name.constructor", "undefined"},
    {"$input.name[\"constructor\"]", "undefined"},
    {"$input.list.push", "undefined"},
    {"$input.toString", "undefined"},
};
INSTANTIATE_TEST_SUITE_P(References, ExpressionTable, testing::ValuesIn(kReferences));

constexpr Case kStrings[] = {
    {"'it''s'", "refused: line 1, column 7: a value follows without an operator between"},
    {"'it\\'s'", "\"it's\""},
    {"\"}}\"", "\"}}\""},
    {"\"{{\"", "\"{{\""},
    {"\"\\x41\\u0042\\u{43}\"", "\"ABC\""},
    {"\"\\uD83D\\uDE00\"", "\"😀\""},
    {"\"\\t\\q\"", "\"\tq\""},
    {"\"a\" + 1 + 2", "\"a12\""},
    {"1 + 2 + \"a\"", "\"3a\""},
};
INSTANTIATE_TEST_SUITE_P(Strings, ExpressionTable, testing::ValuesIn(kStrings));

// 64-bit integers: beyond 2^53 JavaScript rounds, this hub does not (docs/pipelines.md, "Numbers").
constexpr Case kIntegers[] = {
    {"$input.big", "9007199254740993"},
    {"$input.big + 0", "9007199254740993"},
    {"$input.big + 1", "9007199254740994"},
    {"$input.big - $input.bigger", "1"},
    {"$input.big == $input.bigger", "false"},
    {"$input.big > $input.bigger", "true"},
    {"$input.big === 9007199254740993", "true"},
    {"$input.big < 9007199254740993.5", "true"},
    {"$input.max", "18446744073709551615"},
    {"$input.max - 1", "18446744073709551614"},
    {"$input.max + 1", "18446744073709552000"},
    {"$input.min", "-9223372036854775808"},
    {"$input.min - 1", "-9223372036854776000"},
    {"-$input.min", "9223372036854775808"},
    {"$input.max * 2", "36893488147419103000"},
    {"$input.big % 10", "3"},
    {"$input.big / 3", "3002399751580331"},
    {"$input.big / 2", "4503599627370496"},
    {"$input.big * 1.0 + \"\"", "\"9007199254740993\""},
    {"$input.big * 0.5", "4503599627370496"},
    {"$input.big + \"\"", "\"9007199254740993\""},
};
INSTANTIATE_TEST_SUITE_P(Integers, ExpressionTable, testing::ValuesIn(kIntegers));

constexpr Case kThrown[] = {
    {"$input.missing.x",
     "failed: {{$input.missing.x}}: line 1, column 17: cannot read 'x' of undefined; write ?. "
     "where "
     "a field may be missing"},
    {"$input.nothing.x + 1",
     "failed: {{$input.nothing.x + 1}}: line 1, column 17: cannot read 'x' of null; write ?. where "
     "a "
     "field may be missing"},
    {"$input.missing[0]",
     "failed: {{$input.missing[0]}}: line 1, column 17: cannot read '0' of undefined; write ?. "
     "where "
     "a field may be missing"},
    {"($input.missing?.x).y",
     "failed: {{($input.missing?.x).y}}: line 1, column 22: cannot read 'y' of undefined; write ?. "
     "where a field may be missing"},
};
INSTANTIATE_TEST_SUITE_P(Thrown, ExpressionTable, testing::ValuesIn(kThrown));

class ExpressionRefused : public testing::TestWithParam<Case> {};

TEST_P(ExpressionRefused, SaysWhatAndWhere) {
  NodeNames names;
  const auto compiled = Template::compile(GetParam().expression, names);
  ASSERT_FALSE(compiled.has_value()) << GetParam().expression;
  EXPECT_EQ(compiled.error().code, "invalid_expression");
  EXPECT_EQ(compiled.error().error_class, ErrorClass::kConfiguration);
  EXPECT_TRUE(compiled.error().message.starts_with(GetParam().expected))
      << GetParam().expression << " -> " << compiled.error().message;
}

constexpr Case kRefused[] = {
    {"{{}}", "line 1, column 3: there is nothing"},
    {"{{ 1", "line 1, column 5: the expression is not closed"},
    {"{{ 1 }", "line 1, column 6: a single '}'"},
    {"{{ \"a }}", "line 1, column 4: the string is not closed"},
    {"{{ x }}", "line 1, column 4: 'x' is not known; a field of the record is $input.x"},
    {"{{ process.env }}", "line 1, column 4: 'process' is not known"},
    {"{{ globalThis }}", "line 1, column 4: 'globalThis' is not known"},
    {"{{ $foo }}", "line 1, column 4: '$foo' is not known"},
    {"{{ $input.a = 1 }}", "line 1, column 13: an expression cannot assign"},
    {"{{ $input.a += 1 }}", "line 1, column 13: an expression cannot assign"},
    {"{{ $input.a++ }}", "line 1, column 12: an expression cannot assign"},
    {"{{ 1; 2 }}", "line 1, column 5: an expression is one value"},
    {"{{ 1, 2 }}", "line 1, column 5: a comma"},
    {"{{ 1 // x }}", "line 1, column 3: a bracket, a text or a comment is not closed"},
    {"{{ $input.f( }}", "line 1, column 3: a bracket, a text or a comment is not closed"},
    {"{{ temperature + 1 }}", "line 1, column 4: 'temperature' is not known"},
    {"{{ eval('1') }}", "line 1, column 4: 'eval' is JavaScript that"},
    {"{{ let x = 1 }}", "line 1, column 4: 'let' is JavaScript that"},
    {"{{ 12px }}", "line 1, column 4: a number runs into a name"},
    {"{{ f(1) }}", "line 1, column 4: 'f' is not known"},
    {"{{ $fnn.date }}", "line 1, column 4: '$fnn' is not known"},
    {"{{ 1 + }}", "line 1, column 8: the expression ends too early"},
    {"{{ * 1 }}", "line 1, column 4: a value is missing"},
    {"{{ (1 }}", "line 1, column 7: the ')' is missing"},
    {"{{ 1) }}", "line 1, column 5: this ')' closes nothing"},
    {"{{ $input[0 }}", "line 1, column 13: the ']' is missing"},
    {"{{ $input. }}", "line 1, column 12: the name of a field"},
    {"{{ 1 2 }}", "line 1, column 6: a value follows"},
    {"{{ 1 ? 2 }}", "line 1, column 10: the ':'"},
    {"{{ -2 ** 2 }}", "line 1, column 7: put parentheses"},
    {"{{ 1 ?? 2 || 3 }}", "line 1, column 6: '?\?' next to"},
    {"{{ 1 && 2 ?? 3 }}", "line 1, column 11: '?\?' next to"},
    {"{{ 010 }}", "line 1, column 4: a number cannot start with 0"},
    {"{{ 0xZZ }}", "line 1, column 4: '0xZZ' is not a number"},
    {"{{ \"\\u12\" }}", "line 1, column 7: an escape needs"},
    {"{{ \"\\uD800\" }}", "line 1, column 5: half a surrogate"},
    {"{{ \"\\101\" }}", "line 1, column 5: octal"},
    {"{{ $node(n1) }}", "line 1, column 10: $node takes"},
    {"{{ $node.n1 }}", "line 1, column 9: write $node"},
    {"{{ $node(\"n1\" }}", "line 1, column 15: the ')' of $node"},
    {"{{ # }}", "line 1, column 4: '#' is not part"},
    {"{{ \x01 }}", "line 1, column 4: the control character 0x01"},
    {"ä {{ 1 }} \n ü {{ ? }}", "line 2, column 7: a value is missing"},
};
INSTANTIATE_TEST_SUITE_P(All, ExpressionRefused, testing::ValuesIn(kRefused));

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Expression, NestingOfTenThousandIsACleanError) {
  NodeNames names;
  const std::string deep[] = {
      "{{" + repeat("(", 10'000) + "1" + repeat(")", 10'000) + "}}",
      "{{" + repeat("(", 5'000) + "}}",
      "{{" + repeat("!", 10'000) + "1}}",
      "{{" + repeat("- ", 7'000) + "1}}",
      "{{" + repeat("1?", 5'000) + "1" + repeat(":1", 5'000) + "}}",
      "{{" + repeat("$input[", 2'000) + "0" + repeat("]", 2'000) + "}}",
      "{{2" + repeat("**2", 5'000) + "}}",
      "{{Math.max" + repeat("(", 20'000) + "}}",
      "{{" + repeat("`${", 10'000) + "}}",
  };
  for (const std::string& text : deep) {
    const auto started = std::chrono::steady_clock::now();
    const auto compiled = Template::compile(text, names);
    ASSERT_FALSE(compiled.has_value()) << text.substr(0, 20);
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(50));
  }
}

TEST(Expression, LongChainsOfLeftOperatorsNeedNoDepth) {
  World world;
  EXPECT_EQ(world.show("0" + repeat("+1", 5'000)), "5000");
  EXPECT_EQ(world.show("1" + repeat("&&1", 4'000)), "1");
}

TEST(Expression, AMillionCharactersAreRefusedAtOnce) {
  NodeNames names;
  const auto compiled = Template::compile("{{ 1" + std::string(1'000'000, '+') + "1 }}", names);
  ASSERT_FALSE(compiled.has_value());
  EXPECT_NE(compiled.error().message.find("16384 bytes"), std::string::npos);
}

TEST(Expression, TextWithoutBracesMayBeAnyLength) {
  NodeNames names;
  const auto compiled = Template::compile(std::string(1'000'000, 'x'), names);
  ASSERT_TRUE(compiled.has_value());
  EXPECT_TRUE(compiled->is_constant());
}

TEST(Expression, ATextThatGrowsWithoutEndIsAnError) {
  World world;
  world.record = json_object();
  world.record["s"] = std::string(1'000'000, 'x');
  EXPECT_NE(world.show("$input.s" + repeat("+$input.s", 1'000)).find("longer than 16 MiB"),
            std::string::npos);
}

std::string text_of(World& world, std::string_view text) {
  auto compiled = Template::compile(text, world.names);
  if (!compiled) return "refused: " + compiled.error().message;
  const Scope scope = world.scope();
  auto value = compiled->evaluate_json(scope);
  if (!value) return "failed: " + value.error().message;
  return *value ? to_text(**value) : "undefined";
}

TEST(Template, TextAroundBracesMakesAString) {
  World world;
  EXPECT_EQ(text_of(world, "plant/{{ $input.name }}/filler"), R"("plant/filler/filler")");
  EXPECT_EQ(text_of(world, "{{ $input.five }}{{ $input.half }}"), R"("50.5")");
  EXPECT_EQ(text_of(world, " {{ $input.five }}"), R"(" 5")");
  EXPECT_EQ(text_of(world, "{{ $input.nothing }} V"), R"("null V")");
  EXPECT_EQ(text_of(world, "{{ $input.list }};"), R"("[1,\"two\",null,[3,4]];")");
  EXPECT_EQ(text_of(world, "a }} b"), R"("a }} b")");
}

TEST(Template, OneExpressionKeepsItsType) {
  World world;
  EXPECT_EQ(text_of(world, "{{ $input.five }}"), "5");
  EXPECT_EQ(text_of(world, "{{ $input.half * 2 }}"), "1");
  EXPECT_EQ(text_of(world, "{{ $input.list }}"), R"([1,"two",null,[3,4]])");
  EXPECT_EQ(text_of(world, "{{ $input.nothing }}"), "null");
  EXPECT_EQ(text_of(world, "{{ $input.missing }}"), "undefined");
  EXPECT_EQ(text_of(world, "{{ $input.big }}"), "9007199254740993");
  EXPECT_EQ(text_of(world, "{{ 0 / 0 }}"), "null");
  EXPECT_EQ(text_of(world, "{{ -0 }}"), "0");
}

TEST(Template, UndefinedInTextIsAnErrorNotAWord) {
  World world;
  const std::string answer = text_of(world, "plant/{{ $input.missing }}/filler");
  EXPECT_NE(answer.find("line 1, column 7: a value in the text is undefined"), std::string::npos);
  EXPECT_EQ(text_of(world, "plant/{{ $input.missing ?? \"x\" }}/filler"), R"("plant/x/filler")");
}

TEST(Template, NodesAreNamedOnceAndFoundBySlot) {
  World world;
  auto compiled =
      Template::compile("{{ $node(\"n1\").v + $node['n2'].v + $node('n1').v }}", world.names);
  ASSERT_TRUE(compiled.has_value());
  EXPECT_EQ(world.names.names(), (std::vector<std::string>{"n1", "n2"}));
  EXPECT_EQ(world.names.take_uses(), (std::vector<std::size_t>{0, 1, 0}));
  world.nodes = {std::make_shared<const Json>(*parse_json(R"({"v": 10})")),
                 std::make_shared<const Json>(*parse_json(R"({"v": 1})"))};
  const Scope scope = world.scope();
  EXPECT_EQ(to_string(*compiled->evaluate(scope)), "21");
}

TEST(Document, FillsLeavesAndDropsUndefinedFields) {
  World world;
  std::vector<schema::FieldError> errors;
  const Json settings = *parse_json(
      R"({"topic": "plant/{{ $input.name }}", "qos": 1, "gone": "{{ $input.missing }}",
          "list": ["{{ $input.five }}", "{{ $input.missing }}", {"deep": "{{ $input.yes }}"}]})");
  const Document document = Document::compile(settings, "/settings", world.names, errors);
  ASSERT_TRUE(errors.empty());
  const Scope scope = world.scope();
  EXPECT_EQ(to_text(*document.evaluate(scope)),
            R"({"topic":"plant/filler","qos":1,"list":[5,null,{"deep":true}]})");
}

TEST(Document, ErrorsPointAtTheirLeaf) {
  NodeNames names;
  std::vector<schema::FieldError> errors;
  const Json settings = *parse_json(R"({"a/b": ["x", "{{ 1 + }}"], "c": "{{ f() }}"})");
  Document::compile(settings, "/nodes/1/settings", names, errors);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].pointer, "/nodes/1/settings/a~1b/1");
  EXPECT_EQ(errors[1].pointer, "/nodes/1/settings/c");
  EXPECT_EQ(errors[0].code, "invalid_expression");
}

}  // namespace
}  // namespace tributary::orchestrate::expression
