// Values of OPC UA as values of the hub, and back: exact, or a clear error. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "connectors/opcua/src/catalog.hpp"
#include "connectors/opcua/src/node_id.hpp"
#include "connectors/opcua/src/ua.hpp"
#include "model/batch.hpp"

namespace tributary::connectors::opcua {

// How values of enumerations are shown: 2, "Running", or {"value": 2, "name": "Running"}. A value
// without a name is its number.
enum class EnumerationForm : std::uint8_t { kNumber, kName, kObject };

// What the values of one server are read and written with.
struct ValueContext {
  const Namespaces& namespaces;
  TypeCatalog& catalog;
  EnumerationForm enumerations = EnumerationForm::kNumber;
};

// Integers, floating-point numbers, Booleans and texts as themselves; ByteStrings as bytes; times
// as RFC 3339; node ids, GUIDs and names as texts; a LocalizedText as its text; arrays and matrices
// as lists; structures as objects. A structure that the catalogue does not know, or whose body is
// not what its type says, is {"typeId", "body"} with the encoded bytes in base64; the former is
// noted in the catalogue.
Value to_value(const UA_Variant& variant, const ValueContext& context,
               const Enumeration* enumeration = nullptr);

// One answer of a read or a notification. A bad status without a value has none.
Sample to_sample(std::uint32_t point, const UA_DataValue& value, const ValueContext& context,
                 std::string_view what, const NodeName& node,
                 const Enumeration* enumeration = nullptr);

// What a server wants at a node.
struct TargetType {
  const UA_DataType* type = nullptr;  // of one element, on the wire
  bool array = false;
  bool scalar = true;  // both: the value decides
  const StructureType* structure = nullptr;
  const Enumeration* enumeration = nullptr;
};
// `json` as a value of that type. Structures come from objects with all their fields but optional
// ones, or from {"typeId", "body"}; enumerations from numbers, names, or the object of both.
// Errors, kFunction, with a pointer into `json`: "wrong_type", "value_out_of_range",
// "not_an_integer", "invalid_base64", "invalid_time", "invalid_node_id", "type_not_supported",
// "unknown_field", "missing_field", "unknown_name".
Result<Owned<UA_Variant>> to_variant(const Json& json, const TargetType& target,
                                     const ValueContext& context);
// By what a value looks like, for what takes any.
const UA_DataType& natural_type(const Json& json);

// "2026-11-22T10:00:00.123Z", with up to seven digits when they are needed.
std::string time_text(UA_DateTime time);

}  // namespace tributary::connectors::opcua
