// Node ids as people write them (OPC 10000-6, 5.3.1.10), and the namespaces of one server. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "connectors/opcua/src/ua.hpp"

namespace tributary::connectors::opcua {

// The namespace array of a server: what stands at an index today may stand at another tomorrow.
using Namespaces = std::vector<std::string>;

// "nsu=http://plant/line3;s=Filler.Speed", "ns=2;i=1001", "i=2258"; g= and b= as well. In a URI,
// "%3B" is ";" and "%25" is "%".
struct NodeName {
  std::string text;     // as it was written
  std::string uri;      // empty: the index counts
  Owned<UA_NodeId> id;  // with index 0 when there is a uri
};
using SharedNodeName = std::shared_ptr<const NodeName>;

// Error: kFunction "invalid_node_id" with `pointer`.
Result<SharedNodeName> parse_node_id(std::string_view text, const std::string& pointer);
// The id at this server now. Error: kFunction "namespace_unknown".
Result<Owned<UA_NodeId>> resolve(const NodeName& name, const Namespaces& namespaces);
// With nsu= when the namespace is known, so that it can be kept.
std::string to_text(const UA_NodeId& id, const Namespaces& namespaces);
std::string to_text(const UA_ExpandedNodeId& id, const Namespaces& namespaces);
// "6b29fc40-ca47-1067-b31d-00dd010662da"
std::string to_text(const UA_Guid& guid);

}  // namespace tributary::connectors::opcua
