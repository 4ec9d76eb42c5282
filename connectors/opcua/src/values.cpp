#include "connectors/opcua/src/values.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/structures.hpp"

namespace tributary::connectors::opcua {
namespace {

std::string base64_of(const UA_ByteString& bytes) {
  UA_String base64 = UA_STRING_NULL;
  UA_ByteString_toBase64(&bytes, &base64);
  std::string text = to_std(base64);
  UA_String_clear(&base64);
  return text;
}

Json variant_json(const UA_Variant& variant, const ValueContext& context, int depth) {
  if (variant.type == nullptr || depth > kDeepestValue) return Json::null();
  if (UA_Variant_isScalar(&variant)) return element(variant.data, *variant.type, context, depth);
  std::vector<Json> flat;
  flat.reserve(variant.arrayLength);
  const auto* at = static_cast<const std::byte*>(variant.data);
  for (std::size_t i = 0; i < variant.arrayLength; ++i, at += variant.type->memSize)
    flat.push_back(element(at, *variant.type, context, depth));
  // The dimensions come from a stranger: they count only when they say what
  // came.
  std::size_t all = flat.empty() ? 0 : 1;
  const std::span<const UA_UInt32> dimensions{variant.arrayDimensions, variant.arrayDimensionsSize};
  for (const UA_UInt32 each : dimensions) {
    all *= each;
    if (all > flat.size()) break;
  }
  const bool matrix = dimensions.size() > 1 && all == flat.size() && all != 0;
  return nested(flat, matrix ? dimensions : std::span<const UA_UInt32>{});
}

std::span<const std::byte> bytes_of(const UA_ByteString& bytes) {
  return std::as_bytes(std::span(bytes.data, bytes.length));
}

// A structure that the library has taken out of its wrapping.
Json standard_structure(const void* at, const UA_DataType& type, const ValueContext& context,
                        int depth) {
  UA_ByteString body = UA_BYTESTRING_NULL;
  std::optional<Json> json;
  if (UA_encodeBinary(at, &type, &body) == UA_STATUSCODE_GOOD)
    json = decode_structure(bytes_of(body), context.catalog.standard(type), context, depth);
  UA_ByteString_clear(&body);
  return json.value_or(Json::null());
}

Json structure(const UA_ExtensionObject& object, const ValueContext& context, int depth) {
  if (object.encoding >= UA_EXTENSIONOBJECT_DECODED) {
    return standard_structure(object.content.decoded.data, *object.content.decoded.type, context,
                              depth);
  }
  if (object.encoding == UA_EXTENSIONOBJECT_ENCODED_NOBODY) return Json::null();
  const auto& encoded = object.content.encoded;
  if (object.encoding == UA_EXTENSIONOBJECT_ENCODED_BYTESTRING) {
    if (const StructureType* const type = context.catalog.by_encoding(encoded.typeId)) {
      if (auto json = decode_structure(bytes_of(encoded.body), *type, context, depth))
        return *std::move(json);
    }
  }
  Json json = json_object();
  json["typeId"] = to_text(encoded.typeId, context.namespaces);
  json["body"] = base64_of(encoded.body);
  return json;
}

Json data_value(const UA_DataValue& value, const ValueContext& context, int depth) {
  Json json = json_object();
  json["value"] = value.hasValue ? variant_json(value.value, context, depth + 1) : Json::null();
  json["status"] = status_name(value.hasStatus ? value.status : UA_STATUSCODE_GOOD);
  if (value.hasSourceTimestamp) json["sourceTime"] = time_text(value.sourceTimestamp);
  return json;
}

template <typename T>
const T& as(const void* at) {
  return *static_cast<const T*>(at);
}

}  // namespace

Json nested(std::span<const Json> flat, std::span<const UA_UInt32> dimensions) {
  Json list = json_array();
  if (dimensions.size() <= 1) {
    for (const Json& each : flat) list.push_back(each);
    return list;
  }
  const std::size_t rows = dimensions.front();
  const std::size_t width = rows == 0 ? 0 : flat.size() / rows;
  for (std::size_t i = 0; i < rows; ++i)
    list.push_back(nested(flat.subspan(i * width, width), dimensions.subspan(1)));
  return list;
}

void show_names(Json& numbers, const Enumeration* enumeration, const ValueContext& context) {
  if (enumeration == nullptr || context.enumerations == EnumerationForm::kNumber) return;
  if (numbers.is_array()) {
    for (Json& each : numbers.array_range()) show_names(each, enumeration, context);
    return;
  }
  if (!numbers.is<std::int64_t>()) return;
  const std::string* const name = enumeration->name_of(numbers.as<std::int64_t>());
  if (context.enumerations == EnumerationForm::kName) {
    if (name != nullptr) numbers = *name;
    return;
  }
  Json both = json_object();
  both["value"] = numbers;
  if (name != nullptr) both["name"] = *name;
  numbers = std::move(both);
}

Json element(const void* at, const UA_DataType& type, const ValueContext& context, int depth) {
  switch (type.typeKind) {
    case UA_DATATYPEKIND_BOOLEAN:
      return as<UA_Boolean>(at);
    case UA_DATATYPEKIND_SBYTE:
      return static_cast<std::int64_t>(as<UA_SByte>(at));
    case UA_DATATYPEKIND_BYTE:
      return static_cast<std::int64_t>(as<UA_Byte>(at));
    case UA_DATATYPEKIND_INT16:
      return static_cast<std::int64_t>(as<UA_Int16>(at));
    case UA_DATATYPEKIND_UINT16:
      return static_cast<std::int64_t>(as<UA_UInt16>(at));
    case UA_DATATYPEKIND_INT32:
    case UA_DATATYPEKIND_ENUM:
      return static_cast<std::int64_t>(as<UA_Int32>(at));
    case UA_DATATYPEKIND_UINT32:
      return static_cast<std::int64_t>(as<UA_UInt32>(at));
    case UA_DATATYPEKIND_INT64:
      return as<UA_Int64>(at);
    case UA_DATATYPEKIND_UINT64:
      return as<UA_UInt64>(at);
    case UA_DATATYPEKIND_FLOAT:
      return static_cast<double>(as<UA_Float>(at));
    case UA_DATATYPEKIND_DOUBLE:
      return as<UA_Double>(at);
    case UA_DATATYPEKIND_STRING:
    case UA_DATATYPEKIND_XMLELEMENT:
      return to_std(as<UA_String>(at));
    case UA_DATATYPEKIND_BYTESTRING:
      return base64_of(as<UA_ByteString>(at));
    case UA_DATATYPEKIND_DATETIME:
      return time_text(as<UA_DateTime>(at));
    case UA_DATATYPEKIND_GUID:
      return to_text(as<UA_Guid>(at));
    case UA_DATATYPEKIND_NODEID:
      return to_text(as<UA_NodeId>(at), context.namespaces);
    case UA_DATATYPEKIND_EXPANDEDNODEID:
      return to_text(as<UA_ExpandedNodeId>(at), context.namespaces);
    case UA_DATATYPEKIND_STATUSCODE:
      return status_name(as<UA_StatusCode>(at));
    case UA_DATATYPEKIND_QUALIFIEDNAME:
      return fmt::format("{}:{}", as<UA_QualifiedName>(at).namespaceIndex,
                         view(as<UA_QualifiedName>(at).name));
    case UA_DATATYPEKIND_LOCALIZEDTEXT:
      return to_std(as<UA_LocalizedText>(at).text);
    case UA_DATATYPEKIND_EXTENSIONOBJECT:
      return structure(as<UA_ExtensionObject>(at), context, depth);
    case UA_DATATYPEKIND_DATAVALUE:
      return data_value(as<UA_DataValue>(at), context, depth);
    case UA_DATATYPEKIND_VARIANT:
      return variant_json(as<UA_Variant>(at), context, depth + 1);
    case UA_DATATYPEKIND_STRUCTURE:
    case UA_DATATYPEKIND_OPTSTRUCT:
    case UA_DATATYPEKIND_UNION:
      return standard_structure(at, type, context, depth);
    default:
      return Json::null();
  }
}

Value to_value(const UA_Variant& variant, const ValueContext& context,
               const Enumeration* enumeration) {
  if (variant.type == nullptr) return std::monostate{};
  if (enumeration != nullptr && context.enumerations != EnumerationForm::kNumber) {
    Json json = variant_json(variant, context, 0);
    show_names(json, enumeration, context);
    return from_json(json);
  }
  if (!UA_Variant_isScalar(&variant)) return variant_json(variant, context, 0);
  switch (variant.type->typeKind) {
    case UA_DATATYPEKIND_BYTESTRING: {
      const auto& bytes = as<UA_ByteString>(variant.data);
      const auto* begin = reinterpret_cast<const std::byte*>(bytes.data);
      return Bytes(begin, begin + bytes.length);
    }
    case UA_DATATYPEKIND_UINT64:
      return std::uint64_t{as<UA_UInt64>(variant.data)};
    default:
      return from_json(element(variant.data, *variant.type, context, 0));
  }
}

Sample to_sample(std::uint32_t point, const UA_DataValue& value, const ValueContext& context,
                 std::string_view what, const NodeName& node, const Enumeration* enumeration) {
  Sample sample;
  sample.point = point;
  const std::uint32_t status = value.hasStatus ? value.status : UA_STATUSCODE_GOOD;
  sample.quality = Quality(status);
  if (value.hasValue) sample.value = to_value(value.value, context, enumeration);
  if (value.hasSourceTimestamp && value.sourceTimestamp != 0)
    sample.source_time = to_utc(value.sourceTimestamp);
  else if (value.hasServerTimestamp && value.serverTimestamp != 0)
    sample.source_time = to_utc(value.serverTimestamp);
  if (sample.quality.is_bad()) sample.error = shared_node_error(status, what, node.text);
  return sample;
}

std::string time_text(UA_DateTime time) {
  const UA_DateTimeStruct parts = UA_DateTime_toStruct(time);
  const int fraction = parts.milliSec * 10'000 + parts.microSec * 10 + parts.nanoSec / 100;
  std::string digits = fmt::format("{:07}", fraction);
  constexpr std::size_t kFewest = 3;
  while (digits.size() > kFewest && digits.back() == '0') digits.pop_back();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{}Z", parts.year, parts.month, parts.day,
                     parts.hour, parts.min, parts.sec, digits);
}

}  // namespace tributary::connectors::opcua
