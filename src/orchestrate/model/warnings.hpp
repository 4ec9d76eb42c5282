// What is allowed in a pipeline and may still surprise: said when it is checked, in the way of
// nobody.
#pragma once

#include <vector>

#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {

// Codes: "no_destination" (nothing leaves the pipeline), "open_port" (a switch has a port
// that leads nowhere: records that take it end there), "pinned" (a node has pinned data: used
// in tests only), "order" (calls at once give up the order of records), "connection_down" (a
// function's connection is not Connected at the moment). On the control executor.
std::vector<schema::FieldError> warnings_of(const Json& body, const NodeCatalogue& catalogue,
                                            const FunctionPort& functions);

}  // namespace tributary::orchestrate
