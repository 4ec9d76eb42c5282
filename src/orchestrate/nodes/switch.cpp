// switch: sends each record to the first case that holds, or to all of them.
#include <fmt/format.h>

#include <set>

#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Switch",
  "description": "Sends a record to the port of the first case that holds, or of all that do; to default when none does.",
  "type": "object",
  "required": ["cases"],
  "properties": {
    "cases": {"type": "array", "title": "Cases", "description": "Looked at in this order.", "minItems": 1, "maxItems": 50, "items": {
      "type": "object",
      "required": ["expression"],
      "properties": {
        "name": {"type": "string", "title": "Port", "description": "Name of the port; case1, case2 … when it is not given.", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "expression": {"type": "string", "title": "Condition", "description": "An {{ expression }}; what JavaScript takes for true holds.", "minLength": 1, "x-placeholder": "{{ $input.level > 80 }}"}
      }
    }},
    "mode": {"type": "string", "title": "Mode", "description": "First: one port takes the record. All: every case that holds gets a copy.", "enum": ["first", "all"], "default": "first", "x-enumTitles": {"first": "First", "all": "All"}}
  }
})";

constexpr std::string_view kDefault = "default";

std::string case_name(const Json& one, std::size_t index) {
  return get_string(one, "name", fmt::format("case{}", index + 1));
}

std::vector<std::string> ports_of(const Json& settings) {
  std::vector<std::string> ports;
  const Json& cases = get_member(settings, "cases");
  for (std::size_t i = 0; cases.is_array() && i < cases.size(); ++i) {
    ports.push_back(case_name(cases[i], i));
  }
  ports.emplace_back(kDefault);
  return ports;
}

class SwitchLogic final : public NodeLogic {
 public:
  std::vector<expression::Template> cases;
  bool all = false;

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      auto ports = choose(run.scope(item));
      if (!ports) {
        run.fail(std::move(item), std::move(ports.error()));
        continue;
      }
      for (std::size_t i = 1; i < ports->size(); ++i) run.emit((*ports)[i], item);
      run.pass(ports->front(), std::move(item));
    }
    co_return;
  }

 private:
  Result<std::vector<std::size_t>> choose(const expression::Scope& scope) const {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      auto value = cases[i].evaluate(scope);
      if (!value) return tributary::fail(std::move(value.error()));
      if (!expression::to_boolean(*value)) continue;
      chosen.push_back(i);
      if (!all) break;
    }
    if (chosen.empty()) chosen.push_back(cases.size());
    return chosen;
  }
};

std::unique_ptr<NodeLogic> build_switch(NodeBuild& build) {
  auto logic = std::make_unique<SwitchLogic>();
  logic->all = get_string(build.settings, "mode") == "all";
  std::set<std::string> names = {std::string(kDefault), "error"};
  const Json& cases = build.settings.at("cases");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string below = fmt::format("/settings/cases/{}", i);
    const std::string name = case_name(cases[i], i);
    if (!names.insert(name).second) {
      build.error(below + "/name", "duplicate",
                  fmt::format("There is another port '{}' already.", name));
    }
    auto condition = read_expression(build, cases[i], "expression", below);
    if (condition) logic->cases.push_back(std::move(*condition));
  }
  return logic;
}

}  // namespace

NodeType switch_type() {
  return {"switch", false, kSchema, {}, &build_switch, &ports_of};
}

}  // namespace tributary::orchestrate
