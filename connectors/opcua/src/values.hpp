// Values of OPC UA as values of the hub, and back: exact, or a clear error. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "connectors/opcua/src/node_id.hpp"
#include "connectors/opcua/src/ua.hpp"
#include "model/batch.hpp"

namespace tributary::connectors::opcua {

// Integers, floating-point numbers, Booleans and texts as themselves; ByteStrings as bytes; times
// as RFC 3339; node ids, GUIDs and names as texts; a LocalizedText as its text; arrays and matrices
// as lists; structures that the standard defines as objects, others as {"typeId", "body"} with the
// encoded bytes in base64.
Value to_value(const UA_Variant& variant, const Namespaces& namespaces);

// One answer of a read or a notification. A bad status without a value has none.
Sample to_sample(std::uint32_t point, const UA_DataValue& value, const Namespaces& namespaces,
                 std::string_view what, const NodeName& node);

// What a server wants at a node.
struct TargetType {
  const UA_DataType* type = nullptr;  // of one element
  bool array = false;
  bool scalar = true;  // both: the value decides
};
// `json` as a value of that type. Errors, kFunction: "wrong_type", "value_out_of_range",
// "not_an_integer", "invalid_base64", "invalid_time", "invalid_node_id", "type_not_supported".
Result<Owned<UA_Variant>> to_variant(const Json& json, const TargetType& target,
                                     const Namespaces& namespaces);

// "2026-11-22T10:00:00.123Z", with up to seven digits when they are needed.
std::string time_text(UA_DateTime time);

}  // namespace tributary::connectors::opcua
