// Bodies of structures as a server sends them: whatever they are, they end where the type says; and
// what became an object can be written, and reads as the same object again.
#include <cstdlib>

#include "connectors/opcua/src/structures.hpp"
#include "connectors/opcua/tests/types.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary;
  using namespace tributary::connectors::opcua;
  if (size == 0) return 0;
  const Namespaces namespaces = {"http://opcfoundation.org/UA/", "urn:one"};
  TypeCatalog catalog;
  const ValueContext context{namespaces, catalog};
  const TestTypes types(catalog);
  const StructureType* const all[] = {
      &types.plain,
      &types.optional,
      &types.choice,
      &types.lists,
      &types.empties,
      &types.endless,
      &types.modes,
      &catalog.standard(UA_TYPES[UA_TYPES_ARGUMENT]),
      &catalog.standard(UA_TYPES[UA_TYPES_NODEREFERENCE]),
      &catalog.standard(UA_TYPES[UA_TYPES_CONTENTFILTER]),
      &catalog.standard(UA_TYPES[UA_TYPES_LITERALOPERAND]),
      &catalog.standard(UA_TYPES[UA_TYPES_MONITOREDITEMNOTIFICATION])};
  constexpr std::size_t kHandmade = 7;
  const std::size_t which = data[0] % std::size(all);
  const auto body = std::as_bytes(std::span(data + 1, size - 1));
  const auto json = decode_structure(body, *all[which], context, 0);
  if (!json || which >= kHandmade) return 0;
  // A text that is not UTF-8, or a list that is null instead of empty, is another on its way back.
  const auto again = encode_structure(*json, *all[which], context);
  if (!again) std::abort();
  const auto same = decode_structure(std::as_bytes(std::span(*again)), *all[which], context, 0);
  if (!same || *same != *json) std::abort();
  return 0;
}
