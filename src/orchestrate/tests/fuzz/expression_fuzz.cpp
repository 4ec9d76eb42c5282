// Any text either compiles or is refused with a place in it; what compiles can be evaluated, and
// gives the same twice.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "orchestrate/expression/template.hpp"

namespace {

using tributary::Json;
using tributary::parse_json;
namespace expression = tributary::orchestrate::expression;

const Json& record() {
  static const Json value = *parse_json(
      R"({"a": 1, "b": {"c": [1, "two", null, {"d": true}]}, "s": "text", "n": null, "f": 0.5, "max": 18446744073709551615})");
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  expression::NodeNames names;
  const auto compiled = expression::Template::compile(text, names);
  if (!compiled) {
    if (compiled.error().code != "invalid_expression") std::abort();
    if (!compiled.error().message.starts_with("line ")) std::abort();
    return 0;
  }
  expression::Scope scope;
  scope.input = &record();
  scope.item = &record();
  scope.trigger = &record();
  const auto first = compiled->evaluate_json(scope);
  const auto second = compiled->evaluate_json(scope);
  if (first.has_value() != second.has_value()) std::abort();
  if (first && first->has_value() && tributary::to_text(**first) != tributary::to_text(**second))
    std::abort();
  return 0;
}
