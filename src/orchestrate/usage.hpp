// Which pipelines depend on which functions, connections and other pipelines: what is hit when one
// of them stops, and the graph of all of it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "orchestrate/engine.hpp"
#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {

struct PipelineUse {
  std::string id;
  std::string name;
  // What the pipeline loses first: "trigger" (it gets no data), "destination" (it cannot deliver),
  // "read" or "command".
  std::string_view uses;
  std::vector<std::string> function_ids;
};

// The enabled ones among `pipelines` that use any of these functions, in their order.
std::vector<PipelineUse> pipelines_using(const std::vector<PipelineView>& pipelines,
                                         const std::map<std::string, sdk::FunctionKind>& functions);

// Something that pipelines need, or a pipeline.
struct DependencyNode {
  std::string id;
  std::string_view kind;  // "pipeline" | "function" | "connection"
  std::string name;       // empty when it is gone
  std::string type;       // of functions: "modbus.read"
  bool missing = false;   // referred to, but not there
  std::string status;     // of pipelines
};

// `from` needs `to`.
struct DependencyEdge {
  std::string from, to;
  // Of a pipeline: "trigger", "destination", "read", "command" (functions), "status" (connections
  // whose status starts it), "pipeline" (whose end starts it). Of a function: "connection".
  std::string_view use;
  std::vector<std::string> node_ids;  // of the pipeline

  friend bool operator<(const DependencyEdge& a, const DependencyEdge& b) {
    return std::tie(a.from, a.to, a.use) < std::tie(b.from, b.to, b.use);
  }
};

struct DependencyGraph {
  std::vector<DependencyNode> nodes;  // pipelines first, then functions, then connections
  std::vector<DependencyEdge> edges;
};

// Every pipeline, enabled or not, with all that its nodes refer to.
DependencyGraph dependencies_of(const std::vector<PipelineView>& pipelines,
                                const NodeCatalogue& catalogue, const FunctionPort& functions);
// What `id` needs and what needs it, however far away.
DependencyGraph around(const DependencyGraph& graph, const std::string& id);
// Names of the pipelines, enabled or not, that need a function or connection themselves, by way of
// a function or not.
std::vector<std::string> names_of_users(const DependencyGraph& graph, const std::string& id);

}  // namespace tributary::orchestrate
