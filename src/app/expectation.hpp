// Compares what a test of a pipeline gave with what was expected.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/json.hpp"

namespace tributary::app {

struct Difference {
  std::string place;  // "output[0].celsius"
  std::string expected;
  std::string got;
};

// `report` is what POST /pipelines/test answers. `expected` is a list (of the records that come out
// at the end), or an object with any of
//   output         records that come out at the end
//   wouldHaveSent  what destinations were not sent: {nodeId, connection, function, parameters}
//   nodes          {node id: {in, out, errors, wouldHaveSent}}; out is a list for a node with one
//                  port, else an object of lists
//   success        true or false
// Lists must have the same length. An object must have the members that are expected; further ones
// are not looked at, unless `exact`. Error: kFunction "invalid_document".
Result<std::vector<Difference>> compare_report(const Json& report, const Json& expected,
                                               bool exact);

}  // namespace tributary::app
