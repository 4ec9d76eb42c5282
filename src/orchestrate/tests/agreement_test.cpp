// Expressions mean the same whether they run natively or as JavaScript: random expressions of the
// native subset over random records, evaluated by both. Left out is what docs/pipelines.md names as
// different: whole numbers beyond 2^53, and whether two names are the same object.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>

#include "base/random.hpp"
#include "orchestrate/expression/template.hpp"
#include "script/script.hpp"

namespace tributary::orchestrate::expression {
namespace {

constexpr std::string_view kRecords = R"([
  {"a": 5, "b": "5", "c": -3, "d": 0.5, "e": null, "f": true, "s": "größer 😀", "l": [1, "two", null, [3]], "o": {"x": {"y": 2}}},
  {"a": 0, "b": "", "c": 1e300, "d": -0.25, "f": false, "s": " 12 ", "l": [], "o": {}},
  {"a": 1024, "b": "0x1F", "c": 7, "d": 1.5e-7, "e": "x", "f": null, "s": "b", "l": [7], "o": {"x": null}}])";

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::string expression(int depth) {
    if (depth <= 0 || pick(4) == 0) return value();
    switch (pick(8)) {
      case 0:
        return fmt::format("({} ? {} : {})", expression(depth - 1), expression(depth - 1),
                           expression(depth - 1));
      case 1:
        return fmt::format("({} {} {})", expression(depth - 1), one_of({"&&", "||", "??"}),
                           expression(depth - 1));
      case 2:
        return fmt::format("{}({})", one_of({"!", "-", "+"}), expression(depth - 1));
      case 3:
        return fmt::format("({}){}", expression(depth - 1),
                           one_of({"?.x", "?.[0]", ".length", "?.x?.y", "[\"s\"]", "?.length"}));
      default:
        return fmt::format(
            "({} {} {})", expression(depth - 1),
            one_of({"+", "-", "*", "/", "%", "==", "!=", "===", "!==", "<", "<=", ">", ">=", "+"}),
            expression(depth - 1));
    }
  }

 private:
  std::string value() {
    return one_of({"$input.a",      "$input.b",       "$input.c",  "$input.d",    "$input.e",
                   "$input.f",      "$input.s",       "$input.l",  "$input.l[1]", "$input.o.x",
                   "$input.o.x.y",  "$input.missing", "$index",    "1",           "0",
                   "2.5",           "'text'",         "\"7\"",     "''",          "true",
                   "false",         "null",           "undefined", "NaN",         "Infinity",
                   "$input[\"b\"]", "0xff",           "1e3"});
  }
  std::uint64_t pick(std::uint64_t below) { return random_.next() % below; }
  std::string one_of(std::initializer_list<const char*> choices) {
    return *(choices.begin() + pick(choices.size()));
  }
  SeededRandom random_;
};

std::string shown(const Computed& value) {
  if (!value) return "error";
  return *value ? to_text(**value) : "undefined";
}

// Beyond 2^53 the native form is exact and JavaScript is not.
bool is_exact_in_javascript(const Computed& value) {
  if (!value || !*value || !(*value)->is_number()) return true;
  return std::abs((*value)->as<double>()) <= 9007199254740992.0;
}

TEST(Agreement, native_and_javascript_give_the_same) {
  SystemClock clock;
  auto timers = make_system_timers();
  Runtime runtime(1, clock, *timers);
  const auto program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "script_worker";
  script::Scripts scripts(runtime, program.string(), 2);
  const Json records = *parse_json(kRecords);
  Maker maker(4);
  int compared = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<script::Source> sources;
    std::vector<Template> natives;
    while (sources.size() < 50) {
      const std::string text = maker.expression(4);
      NodeNames names;
      auto native = Template::compile("{{" + text + "}}", names);
      ASSERT_TRUE(native.has_value()) << text << native.error().message;
      ASSERT_TRUE(names.take_scripts().empty()) << text;
      natives.push_back(std::move(*native));
      sources.push_back({script::Source::Kind::kExpression, text, 1, 1});
    }
    std::vector<script::Names> given;
    for (const Json& record : records.array_range()) {
      script::Names names;
      names.input = &record;
      names.index = static_cast<std::int64_t>(given.size());
      given.push_back(std::move(names));
    }
    auto results =
        asio::co_spawn(runtime.worker(0), scripts.run(sources, given), asio::use_future).get();
    ASSERT_TRUE(results.has_value()) << results.error().message;
    for (std::size_t r = 0; r < records.size(); ++r) {
      for (std::size_t i = 0; i < sources.size(); ++i) {
        Scope scope;
        scope.input = &records[r];
        scope.index = static_cast<std::int64_t>(r);
        const Computed native = natives[i].evaluate_json(scope);
        if (!is_exact_in_javascript(native)) continue;
        auto& outcome = (*results)[r][i];
        const Computed javascript =
            outcome ? Computed(outcome->value) : Computed(fail(outcome.error()));
        EXPECT_EQ(shown(native), shown(javascript)) << sources[i].text << " of record " << r;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 2500);
}

}  // namespace
}  // namespace tributary::orchestrate::expression
