#include "orchestrate/usage.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "orchestrate/model/portable.hpp"

namespace tributary::orchestrate {
namespace {

// In the order of what a pipeline loses first.
constexpr std::array<std::string_view, 4> kUses = {"trigger", "destination", "read", "command"};

std::size_t use_of(const Json& node, sdk::FunctionKind kind) {
  if (get_string(node, "type").starts_with("trigger.")) return 0;
  if (kind == sdk::FunctionKind::kWrite) return 1;
  return kind == sdk::FunctionKind::kCommand ? 3 : 2;
}

class GraphBuilder {
 public:
  GraphBuilder(const NodeCatalogue& catalogue, const FunctionPort& functions)
      : catalogue_(catalogue), functions_(functions) {}

  DependencyGraph build(const std::vector<PipelineView>& pipelines) {
    for (const PipelineView& pipeline : pipelines) {
      add({pipeline.row.id, "pipeline", pipeline.row.name, {}, false, pipeline.status});
    }
    for (const PipelineView& pipeline : pipelines) {
      const Json& nodes = get_member(pipeline.row.document, "nodes");
      for (const Reference& reference : references_of(pipeline.row.document, catalogue_)) {
        connect(pipeline.row.id, reference, nodes);
      }
    }
    DependencyGraph graph;
    for (const std::string_view kind : {"pipeline", "function", "connection"}) {
      for (const auto& [id, node] : nodes_) {
        if (node.kind == kind) graph.nodes.push_back(node);
      }
    }
    graph.edges.assign(edges_.begin(), edges_.end());
    return graph;
  }

 private:
  void add(DependencyNode node) { nodes_.emplace(node.id, node); }

  void connect(const std::string& pipeline, const Reference& reference, const Json& nodes) {
    std::string_view use = "pipeline";
    if (reference.kind == ThingKind::kFunction) {
      use = add_function(reference, nodes);
    } else if (reference.kind == ThingKind::kConnection) {
      use = "status";
      add_connection(reference.id, functions_.connection_name(reference.id));
    } else if (!nodes_.contains(reference.id)) {
      add({reference.id, "pipeline", {}, {}, true, {}});
    }
    join({pipeline, reference.id, use, {}}, reference.node_id);
  }

  std::string_view add_function(const Reference& reference, const Json& nodes) {
    const auto function = functions_.find(reference.id);
    if (!function) {
      add({reference.id, "function", {}, {}, true, {}});
      return reference.node_type.starts_with("trigger.") ? "trigger" : "read";
    }
    add({function->id, "function", function->name, function->type, false, {}});
    add_connection(function->connection_id, function->connection_name);
    join({function->id, function->connection_id, "connection", {}}, {});
    for (const Json& node : nodes.array_range()) {
      if (get_string(node, "id") == reference.node_id) return kUses[use_of(node, function->kind)];
    }
    return "read";
  }

  void add_connection(const std::string& id, const std::string& name) {
    add({id, "connection", name, {}, name.empty(), {}});
  }

  void join(DependencyEdge edge, const std::string& node_id) {
    auto node = edges_.extract(edge);
    if (node) edge = std::move(node.value());
    auto& ids = edge.node_ids;
    if (!node_id.empty() && std::ranges::find(ids, node_id) == ids.end()) ids.push_back(node_id);
    edges_.insert(std::move(edge));
  }

  const NodeCatalogue& catalogue_;
  const FunctionPort& functions_;
  std::map<std::string, DependencyNode> nodes_;
  std::set<DependencyEdge> edges_;
};

// Everything that can be reached from `id` along the edges, or against them.
std::set<std::string> reached(const DependencyGraph& graph, const std::string& id, bool along) {
  std::set<std::string> seen{id};
  std::vector<std::string> open{id};
  while (!open.empty()) {
    const std::string at = std::move(open.back());
    open.pop_back();
    for (const DependencyEdge& edge : graph.edges) {
      const std::string& here = along ? edge.from : edge.to;
      const std::string& there = along ? edge.to : edge.from;
      if (here == at && seen.insert(there).second) open.push_back(there);
    }
  }
  return seen;
}

}  // namespace

DependencyGraph dependencies_of(const std::vector<PipelineView>& pipelines,
                                const NodeCatalogue& catalogue, const FunctionPort& functions) {
  return GraphBuilder(catalogue, functions).build(pipelines);
}

DependencyGraph around(const DependencyGraph& graph, const std::string& id) {
  std::set<std::string> wanted = reached(graph, id, true);
  wanted.merge(reached(graph, id, false));
  DependencyGraph part;
  std::ranges::copy_if(graph.nodes, std::back_inserter(part.nodes),
                       [&](const DependencyNode& node) { return wanted.contains(node.id); });
  std::ranges::copy_if(graph.edges, std::back_inserter(part.edges), [&](const auto& edge) {
    return wanted.contains(edge.from) && wanted.contains(edge.to);
  });
  return part;
}

std::vector<std::string> names_of_users(const DependencyGraph& graph, const std::string& id) {
  std::set<std::string> needing{id};
  for (const DependencyEdge& edge : graph.edges) {
    if (edge.use == "connection" && edge.to == id) needing.insert(edge.from);
  }
  std::set<std::string> users;
  for (const DependencyEdge& edge : graph.edges) {
    if (edge.use != "pipeline" && needing.contains(edge.to)) users.insert(edge.from);
  }
  std::vector<std::string> names;
  for (const DependencyNode& node : graph.nodes) {
    if (node.kind == "pipeline" && users.contains(node.id)) names.push_back(node.name);
  }
  return names;
}

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
