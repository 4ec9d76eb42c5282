#include "orchestrate/usage.hpp"

#include <algorithm>

namespace tributary::orchestrate {
namespace {

// In the order of what a pipeline loses first.
constexpr std::array<std::string_view, 4> kUses = {"trigger", "destination", "read", "command"};

std::size_t use_of(const Json& node, sdk::FunctionKind kind) {
  const std::string type = get_string(node, "type");
  if (type == "trigger.function" || type == "trigger.poll") return 0;
  if (kind == sdk::FunctionKind::kWrite) return 1;
  return kind == sdk::FunctionKind::kCommand ? 3 : 2;
}

}  // namespace

std::vector<PipelineUse> pipelines_using(
    const std::vector<PipelineView>& pipelines,
    const std::map<std::string, sdk::FunctionKind>& functions) {
  std::vector<PipelineUse> found;
  for (const auto& pipeline : pipelines) {
    const Json& nodes = get_member(pipeline.row.document, "nodes");
    if (!pipeline.row.enabled || !nodes.is_array()) continue;
    PipelineUse use{pipeline.row.id, pipeline.row.name, {}, {}};
    std::size_t first = kUses.size();
    for (const Json& node : nodes.array_range()) {
      const std::string id = get_string(get_member(node, "settings"), "functionId");
      const auto function = functions.find(id);
      if (function == functions.end()) continue;
      first = std::min(first, use_of(node, function->second));
      if (std::ranges::find(use.function_ids, id) == use.function_ids.end())
        use.function_ids.push_back(id);
    }
    if (use.function_ids.empty()) continue;
    use.uses = kUses[first];
    found.push_back(std::move(use));
  }
  return found;
}

}  // namespace tributary::orchestrate
