// condition: sends each record one of two ways.
#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Condition",
  "description": "Sends a record to the port true or false.",
  "type": "object",
  "required": ["expression"],
  "properties": {
    "expression": {"type": "string", "title": "Condition", "description": "An {{ expression }}; what JavaScript takes for true goes to the port true.", "minLength": 1, "x-placeholder": "{{ $input.temperature > 80 }}", "examples": ["{{ $input.running }}"]}
  }
})";

constexpr std::size_t kTrue = 0;
constexpr std::size_t kFalse = 1;

class ConditionLogic final : public NodeLogic {
 public:
  explicit ConditionLogic(expression::Template condition) : condition_(std::move(condition)) {}

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      const expression::Scope scope = run.scope(item);
      auto value = condition_.evaluate(scope);
      if (!value) {
        run.fail(std::move(item), std::move(value.error()));
        continue;
      }
      const bool holds = expression::to_boolean(*value);
      run.pass(holds ? kTrue : kFalse, std::move(item));
    }
    co_return;
  }

 private:
  expression::Template condition_;
};

std::unique_ptr<NodeLogic> build_condition(NodeBuild& build) {
  auto condition =
      expression::Template::compile(get_string(build.settings, "expression"), build.names);
  if (!condition) {
    build.error("/settings/expression", condition.error().code, condition.error().message);
    return nullptr;
  }
  if (!condition->is_single_expression()) {
    build.error(
        "/settings/expression", "invalid_expression",
        "A condition is exactly one expression between '{{' and '}}', without text around it; "
        "text would always be true.");
    return nullptr;
  }
  return std::make_unique<ConditionLogic>(std::move(*condition));
}

}  // namespace

NodeType condition_type() {
  return {"condition", false, kSchema, {"true", "false"}, &build_condition};
}

}  // namespace tributary::orchestrate
