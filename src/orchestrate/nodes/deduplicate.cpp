// deduplicate: ends records whose key was there before. State: "k:KEY" says when a key passed,
// "a:TIME:KEY" the order in which keys are forgotten.
#include <fmt/format.h>

#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Deduplicate",
  "description": "Lets the first record of a key pass and ends those that repeat it.",
  "type": "object",
  "required": ["key"],
  "properties": {
    "key": {"type": "string", "title": "Key", "description": "An {{ expression }}; records with the same value are the same.", "minLength": 1, "x-placeholder": "{{ $input.messageId }}"},
    "withinMs": {"type": "integer", "title": "Within", "description": "A key is the same for this long after the record that passed; 0: as long as it is remembered.", "minimum": 0, "maximum": 2592000000, "default": 0, "x-unit": "ms"},
    "maxKeys": {"type": "integer", "title": "Keys", "description": "So many are remembered; beyond it the one that passed longest ago is forgotten.", "minimum": 1, "maximum": 1000000, "default": 10000}
  }
})";

constexpr std::string_view kKey = "k:";
constexpr std::string_view kPassed = "a:";

class DeduplicateLogic final : public NodeLogic {
 public:
  std::optional<expression::Template> key;
  std::chrono::microseconds within{};
  std::size_t max_keys = 0;

  Task<void> process(NodeRun& run, Items items) const override {
    forget(run.state(), run.now());
    for (Item& item : items) {
      auto value = key_of(key, run.scope(item));
      if (!value) {
        run.fail(std::move(item), std::move(value.error()));
      } else if (is_new(run.state(), *value, run.now())) {
        run.pass(0, std::move(item));
      } else {
        run.filter();
      }
    }
    co_return;
  }

 private:
  // Two documents for each key.
  static std::size_t keys(const NodeState& state) { return state.entries().size() / 2; }

  void forget(NodeState& state, UtcTime now) const {
    if (within.count() == 0) return;
    while (const auto passed = first_time(state, kPassed)) {
      if (*passed + within > now) break;
      forget_oldest(state);
    }
  }

  static void forget_oldest(NodeState& state) {
    const std::string oldest = state.first(kPassed)->first;
    state.erase(fmt::format("{}{}", kKey, rest_of(oldest, kPassed)));
    state.erase(oldest);
  }

  bool is_new(NodeState& state, const std::string& value, UtcTime now) const {
    const std::string name = fmt::format("{}{}", kKey, value);
    if (const Json* passed = state.find(name)) {
      const UtcTime at = from_micros(passed->as<std::int64_t>());
      if (within.count() == 0 || now < at + within) return false;
      state.erase(time_key(kPassed, at, value));
    } else if (keys(state) >= max_keys) {
      forget_oldest(state);
    }
    state.put(name, Json(to_micros(now)));
    state.put(time_key(kPassed, now, value), Json::null());
    return true;
  }
};

std::unique_ptr<NodeLogic> build_deduplicate(NodeBuild& build) {
  auto logic = std::make_unique<DeduplicateLogic>();
  logic->key = read_expression(build, build.settings, "key");
  logic->within = std::chrono::milliseconds(get_int(build.settings, "withinMs", 0));
  logic->max_keys = static_cast<std::size_t>(get_int(build.settings, "maxKeys", 0));
  return logic;
}

}  // namespace

NodeType deduplicate_type() {
  return {"deduplicate", false, kSchema, {"out"}, &build_deduplicate, nullptr, true};
}

}  // namespace tributary::orchestrate
