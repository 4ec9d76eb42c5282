// Values of nodes that nobody has made a function for: what a person sees while browsing.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/batch.hpp"
#include "runtime/task.hpp"

namespace tributary::sdk {

// As many nodes as are looked at in one call.
inline constexpr std::size_t kMaxNodesRead = 200;

// Sessions that are a Browser implement this, too, when they can read a node by its id.
class NodeReader {
 public:
  virtual ~NodeReader() = default;
  // The values now of up to kMaxNodesRead nodes, named as browse() names them: one sample for each,
  // whose point is the node's id. What the peer refuses is a bad sample. Error: kFunction with
  // pointer "/nodes/N" for what is no id.
  virtual Task<Result<Batch>> read_nodes(std::vector<std::string> nodes, SteadyTime deadline) = 0;
};

}  // namespace tributary::sdk
