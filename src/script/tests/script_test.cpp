// What scripts can say, and what comes back.
#include "script/tests/script_support.hpp"

namespace tributary::script {
namespace {

TEST_F(ScriptsTest, an_expression_sees_the_record) {
  const Json record = parsed(R"({"a": [1, 2, 3], "b": {"c": "x"}})");
  EXPECT_EQ(value(expression("$input.a.map(x => x * 2)"), record), "[2,4,6]");
  EXPECT_EQ(value(expression("`${$input.b.c}-${$item.a.length}`"), record), R"("x-3")");
  EXPECT_EQ(value(expression("$index"), record), "0");
  EXPECT_EQ(value(expression("$input.missing"), record), "undefined");
}

TEST_F(ScriptsTest, every_name_of_a_call_is_there) {
  const Json input = parsed(R"({"n": 1})");
  const Json run = parsed(R"({"id": "R"})");
  const Json pipeline = parsed(R"({"name": "P"})");
  const Json trigger = parsed(R"({"t": 2})");
  const Json env = parsed(R"({"LINE": "3"})");
  const Json seen = parsed(R"({"s": 4})");
  Names names;
  names.input = names.item = &input;
  names.run = &run;
  names.pipeline = &pipeline;
  names.trigger = &trigger;
  names.env = &env;
  names.nodes = {{"n1", &seen}};
  names.index = 7;
  const std::string text =
      "[$input.n, $item.n, $run.id, $pipeline.name, $trigger.t, $env.LINE, $env.OTHER === "
      "undefined, "
      "$node('n1').s, $node['n1'].s, $node('n2') === undefined, $index, $now, $items === "
      "undefined]";
  std::vector<Source> sources = {expression(text)};
  std::vector<Names> records = {names};
  auto results = wait(scripts.run(std::move(sources), std::move(records)));
  ASSERT_TRUE(results.has_value());
  ASSERT_TRUE(results->at(0)[0].has_value()) << results->at(0)[0].error().message;
  EXPECT_EQ(to_text(*results->at(0)[0]->value),
            R"([1,1,"R","P",2,"3",true,4,4,true,7,"1970-01-01T00:00:00.000Z",true])");
}

TEST_F(ScriptsTest, a_function_gives_a_record_a_list_or_nothing) {
  const Json record = parsed(R"({"speed": 4})");
  EXPECT_EQ(value(function("$input.double = $input.speed * 2;\nreturn $input;"), record),
            R"({"speed":4,"double":8})");
  EXPECT_EQ(value(function("return [1, 2].map(i => ({i}))"), record), R"([{"i":1},{"i":2}])");
  EXPECT_EQ(value(function("if ($input.speed > 3) return null; return $input"), record), "null");
  EXPECT_EQ(value(function("const x = 1;"), record), "undefined");
}

TEST_F(ScriptsTest, promises_are_waited_for_and_one_that_never_ends_is_an_error) {
  EXPECT_EQ(value(function("const x = await Promise.resolve(5); return {x};")), R"({"x":5})");
  EXPECT_EQ(value(function("return Promise.all([1, Promise.resolve(2)])")), "[1,2]");
  EXPECT_EQ(value(function("await Promise.reject(new Error('no'))")).find("script_failed"), 0U);
  EXPECT_NE(value(function("await new Promise(() => {})")).find("never settled"),
            std::string::npos);
}

TEST_F(ScriptsTest, edge_38_whole_numbers_of_64_bits_pass_exactly) {
  for (const char* number :
       {"9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993",
        "9223372036854775807", "-9223372036854775808", "9223372036854775808",
        "18446744073709551615", "340282366920938463463374607431768211456"}) {
    const Json record = parsed(fmt::format(R"({{"n": {}}})", number));
    EXPECT_EQ(value(expression("$input"), record), fmt::format(R"({{"n":{}}})", number));
    EXPECT_EQ(value(expression("$input.n"), record), number);
  }
  EXPECT_EQ(value(expression("$input.n + 1n"), parsed(R"({"n": 9007199254740993})")),
            "9007199254740994");
  EXPECT_EQ(value(expression("1e15 + 0.0")), "1000000000000000");
  auto nan = one(expression("[0/0, 1/0, -1/0, -0]"));
  ASSERT_TRUE(nan.has_value());
  EXPECT_TRUE(std::isnan(nan->value->at(0).as<double>()));
  EXPECT_EQ(to_text(*nan->value), "[null,null,null,0]") << "NaN has no JSON form";
}

TEST_F(ScriptsTest, what_json_stringify_leaves_out_is_left_out) {
  EXPECT_EQ(
      value(expression("({a: undefined, b: () => 1, c: [undefined, Symbol()], d: new Date(0)})")),
      R"({"c":[null,null],"d":"1970-01-01T00:00:00.000Z"})");
  EXPECT_EQ(value(expression("new Uint8Array([1, 2])")), "[1,2]");
  EXPECT_EQ(value(expression("({toJSON: () => ({x: 1})})")), R"({"x":1})");
  EXPECT_EQ(value(expression("'\\ud800x'")), "\"\xEF\xBF\xBDx\"") << "half a pair is no character";
  EXPECT_EQ(value(expression("$input"), parsed(R"({"__proto__": {"x": 1}})")),
            R"({"__proto__":{"x":1}})");
}

TEST_F(ScriptsTest, errors_name_line_and_column_of_the_persons_text) {
  EXPECT_EQ(value(function("const a = 1;\n  return $input.x.y;")),
            "script_failed: line 2, column 18: TypeError: cannot read property 'y' of undefined");
  EXPECT_EQ(value(function("\n\nthrow new RangeError('too hot')")),
            "script_failed: line 3, column 21: RangeError: too hot");
  EXPECT_EQ(value(function("throw {code: 7}")), R"(script_failed: the script threw {"code":7})");
  Source inside = expression("nope()");
  inside.line = 3;
  inside.column = 10;
  EXPECT_EQ(value(inside),
            "script_failed: line 3, column 10: ReferenceError: 'nope' is not defined");
}

TEST_F(ScriptsTest, text_is_checked_without_being_run) {
  EXPECT_EQ(check(expression("$input.a.map(x => x)")), "");
  EXPECT_EQ(check(function("for (;;) {}")), "");
  EXPECT_EQ(check(function("let x = 1;\nlet y = ;")),
            "invalid_script: line 2, column 9: SyntaxError: unexpected token in expression: ';'");
  EXPECT_EQ(check(expression("1 +")).find("invalid_expression: line 1, column 4"), 0U)
      << check(expression("1 +"));
  for (const char* text : {"1) + (2", "1] + [2", "}) (function() {", "return 1", "", "let x = 1"}) {
    EXPECT_EQ(check(expression(text)).find("invalid_expression"), 0U) << text;
  }
  EXPECT_EQ(check(function("}, function() {")).find("invalid_script"), 0U);
  EXPECT_EQ(check(function(std::string(100'000, ' '))).find("invalid_script"), 0U);
}

TEST_F(ScriptsTest, a_source_that_is_wrong_fails_alone) {
  auto results = run({expression("1"), expression("]"), expression("$input.x.y"), expression("4")},
                     {parsed("{}"), parsed(R"({"x": {"y": 5}})")});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_TRUE(results[0][0].has_value());
  EXPECT_EQ(results[0][1].error().code, "script_failed");
  EXPECT_EQ(results[0][2].error().code, "script_failed");
  EXPECT_TRUE(results[0][3].has_value());
  EXPECT_EQ(to_text(*results[1][2]->value), "5");
}

TEST_F(ScriptsTest, many_records_pass_in_order_through_several_frames) {
  std::vector<Json> inputs;
  for (int i = 0; i < 1000; ++i) inputs.push_back(Json(i));
  const auto results = run({expression("$input + $index")}, inputs);
  ASSERT_EQ(results.size(), 1000U);
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(*results[static_cast<std::size_t>(i)][0]->value, Json(2 * i));
}

TEST_F(ScriptsTest, the_log_comes_with_the_record_and_is_bounded) {
  auto said = one(function("console.log('a', 1, {b: 2}); console.warn(null); return 1"));
  ASSERT_TRUE(said.has_value());
  EXPECT_EQ(said->log, (std::vector<std::string>{R"(a 1 {"b":2})", "null"}));
  auto much = one(function("for (let i = 0; i < 1e4; ++i) console.log('x'.repeat(3000))"));
  ASSERT_TRUE(much.has_value());
  EXPECT_LE(much->log.size(), kMaxLogLines);
  std::size_t bytes = 0;
  for (const std::string& line : much->log) bytes += line.size();
  EXPECT_LE(bytes, kMaxLogBytes);
}

TEST_F(ScriptsTest, frozen_built_ins_can_still_be_used_as_names) {
  EXPECT_EQ(value(function("const r = {}; r.toString = 1; r.constructor = 2; return r")),
            R"({"toString":1,"constructor":2})");
  EXPECT_NE(value(function("const e = new Error('x'); e.name = 'Mine'; throw e")).find("Mine: x"),
            std::string::npos);
  EXPECT_EQ(
      value(function("class A extends Error { constructor() { super('m'); this.name = 'A'; } }\n"
                     "return String(new A())")),
      R"("A: m")");
}

TEST_F(ScriptsTest, without_a_program_scripts_are_unavailable) {
  Scripts none(runtime, "/nowhere/tributary", 1);
  const Json input = json_object();
  Names names;
  names.input = &input;
  std::vector<Source> sources = {expression("1")};
  std::vector<Names> records = {names};
  auto results = wait(none.run(std::move(sources), std::move(records)));
  ASSERT_FALSE(results.has_value());
  EXPECT_EQ(results.error().code, "script_unavailable");
  Scripts wrong(runtime, "/bin/true", 1);
  auto checked = wait(wrong.check(expression("1")));
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, "script_unavailable");
}

}  // namespace
}  // namespace tributary::script
