// Expressions that are JavaScript: told from mistakes, found to their end, collected for a worker.
#include <gtest/gtest.h>

#include "orchestrate/expression/template.hpp"

namespace tributary::orchestrate::expression {
namespace {

// What this compiler does not have and JavaScript does: collected, with its place, for a worker.
struct Script {
  std::string_view text;
  std::string_view source;
  int line;
  int column;
};

class ExpressionScript : public testing::TestWithParam<Script> {};

TEST_P(ExpressionScript, IsJavaScript) {
  NodeNames names;
  const auto compiled = Template::compile(GetParam().text, names);
  ASSERT_TRUE(compiled.has_value()) << GetParam().text << compiled.error().message;
  const auto scripts = names.take_scripts();
  ASSERT_EQ(scripts.size(), 1U);
  EXPECT_EQ(scripts[0].text, GetParam().source);
  EXPECT_EQ(scripts[0].line, GetParam().line);
  EXPECT_EQ(scripts[0].column, GetParam().column);
  const Scope without;
  EXPECT_EQ(compiled->evaluate(without).error().code, "script_unavailable");
}

constexpr Script kScripts[] = {
    {"{{ $input.f() }}", " $input.f() ", 1, 3},
    {"{{ $input.name.constructor(\"x\")() }}", " $input.name.constructor(\"x\")() ", 1, 3},
    {"{{ $input?.() }}", " $input?.() ", 1, 3},
    {"{{ a => a }}", " a => a ", 1, 3},
    {"{{ ((a, b) => a)(1) }}", " ((a, b) => a)(1) ", 1, 3},
    {"{{ (() => 1)() }}", " (() => 1)() ", 1, 3},
    {"{{ new Date }}", " new Date ", 1, 3},
    {"{{ typeof $input }}", " typeof $input ", 1, 3},
    {"{{ this }}", " this ", 1, 3},
    {"{{ function(){} }}", " function(){} ", 1, 3},
    {"{{ \"a\" in $input }}", " \"a\" in $input ", 1, 3},
    {"{{ [1] }}", " [1] ", 1, 3},
    {"{{ {a:{b:1}} }}", " {a:{b:1}} ", 1, 3},
    {"{{ {a:{b:1}}}}", " {a:{b:1}}", 1, 3},
    {"{{ `a${ {b:'}}'}.b }}}` }}", " `a${ {b:'}}'}.b }}}` ", 1, 3},
    {"{{ /[/}}]/.test('}}') }}", " /[/}}]/.test('}}') ", 1, 3},
    {"{{ Math.max(1, 4 / 2, 3) /* }} */ }}", " Math.max(1, 4 / 2, 3) /* }} */ ", 1, 3},
    {"{{ 1 & 2 }}", " 1 & 2 ", 1, 3},
    {"{{ ~1 }}", " ~1 ", 1, 3},
    {"{{ 1 >>> 2 }}", " 1 >>> 2 ", 1, 3},
    {"{{ 10n }}", " 10n ", 1, 3},
    {"{{ 1_000 }}", " 1_000 ", 1, 3},
    {"{{ $fn.date.format($now) }}", " $fn.date.format($now) ", 1, 3},
    {"{{ $quality('speed').isGood }}", " $quality('speed').isGood ", 1, 3},
    {"ü {{ 1 }}\n and {{ [1].length }} b", " [1].length ", 2, 8},
};
INSTANTIATE_TEST_SUITE_P(All, ExpressionScript, testing::ValuesIn(kScripts));

TEST(Expression, AScriptsValueComesWithTheScope) {
  NodeNames names;
  const auto typed = Template::compile("{{ $input.list.map(x => x) }}", names);
  const auto text = Template::compile("a {{ [1][0] }} b {{ 2 }} c {{ [1][0] }}", names);
  ASSERT_TRUE(typed && text);
  EXPECT_EQ(names.take_scripts().size(), 2U) << "the same text is evaluated once";
  const std::vector<Computed> values = {std::optional<Json>(*parse_json("[9007199254740993]")),
                                        std::optional<Json>(Json(7))};
  Scope scope;
  scope.scripts = values;
  EXPECT_EQ(to_text(**typed->evaluate_json(scope)), "[9007199254740993]");
  EXPECT_EQ(to_text(**text->evaluate_json(scope)), R"("a 7 b 2 c 7")");
  const std::vector<Computed> failed = {
      fail(ErrorClass::kFunction, "script_timeout", "It took too long."), std::nullopt};
  scope.scripts = failed;
  EXPECT_EQ(typed->evaluate_json(scope).error().code, "script_timeout");
  EXPECT_EQ(text->evaluate(scope).error().code, "expression_failed") << "undefined in a text";
}

TEST(Expression, NodesAndTriggerThatAScriptMentionsAreKept) {
  NodeNames names;
  ASSERT_TRUE(Template::compile(
      R"({{ [$node("n1").a, $node['n2'].b, $node(`n3`), $node(x), $trigger] }})", names));
  EXPECT_EQ(names.names(), (std::vector<std::string>{"n1", "n2", "n3"}));
  EXPECT_TRUE(names.uses_trigger());
}

TEST(Expression, DeclaredVariablesAreFieldsOfEnv) {
  NodeNames names;
  const Json env = *parse_json(R"({"LINE": "3"})");
  const auto compiled = Template::compile("{{ $env.LINE }}/{{ $env.OTHER ?? 'none' }}", names);
  ASSERT_TRUE(compiled.has_value());
  Scope scope;
  scope.env = &env;
  EXPECT_EQ(to_text(**compiled->evaluate_json(scope)), R"("3/none")");
}

}  // namespace
}  // namespace tributary::orchestrate::expression
