// Values as a server sends them (the binary encoding of a DataValue): whatever it is, it becomes a
// sample; and what the hub makes of it can be written back where its type allows that.
#include <open62541/types.h>

#include "connectors/opcua/src/values.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary;
  using namespace tributary::connectors::opcua;
  const UA_ByteString bytes{size, const_cast<UA_Byte*>(data)};
  Owned<UA_DataValue> value;
  if (UA_decodeBinary(&bytes, &*value, type_of<UA_DataValue>(), nullptr) != UA_STATUSCODE_GOOD)
    return 0;
  const Namespaces namespaces = {"http://opcfoundation.org/UA/", "urn:one"};
  TypeCatalog catalog;
  const ValueContext context{namespaces, catalog};
  const auto node = parse_node_id("ns=1;s=x", {}).value();
  const Sample sample = to_sample(0, *value, context, "Reading", *node);
  const Json json = to_json(sample.value);
  if (value->hasValue && value->value.type != nullptr)
    static_cast<void>(to_variant(json, {value->value.type, true, true}, context));
  return 0;
}
