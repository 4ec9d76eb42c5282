// Node ids from anywhere: what parses comes back as a text that means the same node.
#include <cstdlib>

#include "connectors/opcua/src/node_id.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary::connectors::opcua;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto name = parse_node_id(text, "/nodeId");
  if (!name) return 0;
  const Namespaces namespaces = {"http://opcfoundation.org/UA/", "urn:one;%", (*name)->uri};
  const auto id = resolve(**name, namespaces);
  if (!id) std::abort();
  const std::string shown = to_text(**id, namespaces);
  const auto again = parse_node_id(shown, "/nodeId");
  if (!again) std::abort();
  const auto same = resolve(**again, namespaces);
  if (!same || !UA_NodeId_equal(&**id, &**same)) std::abort();
  return 0;
}
