// What is different between two documents of a pipeline.
#pragma once

#include "model/json.hpp"

namespace tributary::orchestrate {

// Nodes are matched by their ids, wherever they stand in the list:
//   {"same", "layoutOnly",
//    "nodes": {"added": [node], "removed": [node],
//              "changed": [{"id", "changes": [{"pointer", "from", "to", "layout"}]}]},
//    "edges": {"added": [edge], "removed": [edge]},
//    "members": [{"pointer", "from", "to", "layout"}]}
// A pointer of a node begins at the node, one of a member at the document. `from` or `to` is absent
// where there was nothing, or is nothing. `layout` marks what moves a node on the canvas and
// changes nothing else.
Json diff_documents(const Json& before, const Json& after);

}  // namespace tributary::orchestrate
