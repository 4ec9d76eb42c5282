// filter: lets a record pass or ends it.
#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Filter",
  "description": "Lets records pass for which an expression holds; the others end here.",
  "type": "object",
  "required": ["expression"],
  "properties": {
    "expression": {"type": "string", "title": "Condition", "description": "An {{ expression }}; what JavaScript takes for true passes.", "minLength": 1, "x-placeholder": "{{ $input.temperature > 80 }}"}
  }
})";

class FilterLogic final : public NodeLogic {
 public:
  explicit FilterLogic(expression::Template condition) : condition_(std::move(condition)) {}

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      auto value = condition_.evaluate(run.scope(item));
      if (!value) {
        run.fail(std::move(item), std::move(value.error()));
      } else if (expression::to_boolean(*value)) {
        run.pass(0, std::move(item));
      } else {
        run.filter();
      }
    }
    co_return;
  }

 private:
  expression::Template condition_;
};

std::unique_ptr<NodeLogic> build_filter(NodeBuild& build) {
  auto condition = read_expression(build, build.settings, "expression");
  if (!condition) return nullptr;
  return std::make_unique<FilterLogic>(std::move(*condition));
}

}  // namespace

NodeType filter_type() {
  return {"filter", false, kSchema, {"out"}, &build_filter};
}

}  // namespace tributary::orchestrate
