// Documents as values of OPC UA: to_variant.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "connectors/opcua/src/structures.hpp"

namespace tributary::connectors::opcua {

std::unexpected<Error> refuse(std::string code, std::string message, std::string hint) {
  return fail(ErrorClass::kFunction, std::move(code), std::move(message), std::move(hint));
}

std::string shown(const Json& json) {
  constexpr std::size_t kLongest = 100;
  std::string text = tributary::to_text(json);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

namespace {

std::unexpected<Error> wrong_type(const Json& json, const UA_DataType& type) {
  return refuse("wrong_type", fmt::format("{} is no {}", shown(json), type.typeName));
}

// A whole number of 64 bits, also written as a text: {negative, magnitude}.
struct Whole {
  std::int64_t low = 0;
  std::uint64_t high = 0;  // when it is not negative
  bool negative = false;
};

Result<Whole> whole_number(const Json& json, const UA_DataType& type) {
  Whole whole;
  if (json.is_bool() || json.is_null() || json.is_object() || json.is_array())
    return wrong_type(json, type);
  if (json.is<std::uint64_t>() && !json.is_string()) {
    whole.high = json.as<std::uint64_t>();
    return whole;
  }
  if (json.is<std::int64_t>() && !json.is_string()) {
    whole.low = json.as<std::int64_t>();
    whole.negative = whole.low < 0;
    if (!whole.negative) whole.high = static_cast<std::uint64_t>(whole.low);
    return whole;
  }
  if (json.is_string()) {
    const auto text = json.as_string_view();
    const auto* const end = text.data() + text.size();
    const auto unsigned_end = std::from_chars(text.data(), end, whole.high);
    if (!text.empty() && unsigned_end.ec == std::errc{} && unsigned_end.ptr == end) return whole;
    const auto signed_end = std::from_chars(text.data(), end, whole.low);
    if (signed_end.ec == std::errc{} && signed_end.ptr == end && !text.empty()) {
      whole.negative = true;
      return whole;
    }
    if (unsigned_end.ec == std::errc::result_out_of_range ||
        signed_end.ec == std::errc::result_out_of_range)
      return refuse("value_out_of_range",
                    fmt::format("{} does not fit {}", shown(json), type.typeName));
    return wrong_type(json, type);
  }
  const double number = json.as<double>();
  if (!std::isfinite(number) || number != std::trunc(number)) {
    return refuse(
        "not_an_integer",
        fmt::format("{} is no whole number, but the node is {}", shown(json), type.typeName),
        "Round it before it is written.");
  }
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (std::fabs(number) > kExact) {
    return refuse(
        "value_out_of_range",
        fmt::format("{} is a floating-point number that stands for several integers", shown(json)),
        "Write it as an integer or as a text.");
  }
  whole.negative = number < 0;
  whole.low = static_cast<std::int64_t>(number);
  if (!whole.negative) whole.high = static_cast<std::uint64_t>(number);
  return whole;
}

template <typename Integer>
Result<void> put_integer(const Json& json, const UA_DataType& type, void* at) {
  const auto whole = whole_number(json, type);
  TRIBUTARY_TRY(whole);
  const bool fits =
      whole->negative ? std::in_range<Integer>(whole->low) : std::in_range<Integer>(whole->high);
  if (!fits)
    return refuse("value_out_of_range",
                  fmt::format("{} does not fit {}", shown(json), type.typeName));
  *static_cast<Integer*>(at) =
      whole->negative ? static_cast<Integer>(whole->low) : static_cast<Integer>(whole->high);
  return {};
}

Result<double> number_of(const Json& json, const UA_DataType& type) {
  if (json.is_number()) return json.as<double>();
  if (json.is_string()) {
    const auto text = json.as_string_view();
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    double number = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc{} && rest == end && !text.empty()) return number;
  }
  return wrong_type(json, type);
}

Result<void> put_float(const Json& json, const UA_DataType& type, void* at) {
  const auto number = number_of(json, type);
  TRIBUTARY_TRY(number);
  if (std::isfinite(*number) && std::fabs(*number) > std::numeric_limits<float>::max())
    return refuse("value_out_of_range",
                  fmt::format("{} does not fit {}", shown(json), type.typeName));
  *static_cast<UA_Float*>(at) = static_cast<UA_Float>(*number);
  return {};
}

Result<void> put_text(const Json& json, const UA_DataType& type, void* at) {
  if (!json.is_string()) return wrong_type(json, type);
  *static_cast<UA_String*>(at) = copy_of(json.as_string_view());
  return {};
}

Result<void> put_bytes(const Json& json, const UA_DataType& type, void* at) {
  if (!json.is_string()) return wrong_type(json, type);
  const UA_String base64 = borrow(json.as_string_view());
  auto* bytes = static_cast<UA_ByteString*>(at);
  if (base64.length == 0) return {};
  if (UA_ByteString_fromBase64(bytes, &base64) == UA_STATUSCODE_GOOD) return {};
  return refuse("invalid_base64", fmt::format("{} is no base64", shown(json)));
}

Result<void> put_time(const Json& json, const UA_DataType& type, void* at) {
  if (!json.is_string()) return wrong_type(json, type);
  const auto time = parse_utc(json.as_string_view());
  if (!time) return fail(time.error());
  *static_cast<UA_DateTime*>(at) = from_utc(*time);
  return {};
}

Result<void> put_localized(const Json& json, const UA_DataType& type, void* at) {
  auto* text = static_cast<UA_LocalizedText*>(at);
  if (json.is_string()) {
    text->text = copy_of(json.as_string_view());
    return {};
  }
  if (!json.is_object() || !get_member(json, "text").is_string()) return wrong_type(json, type);
  text->text = copy_of(get_string(json, "text"));
  text->locale = copy_of(get_string(json, "locale"));
  return {};
}

Result<void> put_name(const Json& json, const UA_DataType& type, void* at) {
  if (!json.is_string()) return wrong_type(json, type);
  auto* name = static_cast<UA_QualifiedName*>(at);
  std::string_view text = json.as_string_view();
  const auto colon = text.find(':');
  if (colon != std::string_view::npos) {
    const auto [rest, error] =
        std::from_chars(text.data(), text.data() + colon, name->namespaceIndex);
    if (error == std::errc{} && rest == text.data() + colon) text.remove_prefix(colon + 1);
  }
  name->name = copy_of(text);
  return {};
}

Result<void> put_node_id(const Json& json, const UA_DataType& type, const Namespaces& namespaces,
                         UA_NodeId& id) {
  if (!json.is_string()) return wrong_type(json, type);
  const auto name = parse_node_id(json.as_string_view(), {});
  TRIBUTARY_TRY(name);
  auto resolved = resolve(**name, namespaces);
  TRIBUTARY_TRY(resolved);
  std::swap(id, **resolved);
  return {};
}

// "Running", {"name": "Running"}, {"value": 2, "name": "Running"}, "2".
Result<void> put_named(const Json& json, const Enumeration& enumeration, const UA_DataType& type,
                       void* at) {
  if (json.is_object() && json.contains("value"))
    return put_integer<UA_Int32>(json.at("value"), type, at);
  const Json& name = json.is_object() ? get_member(json, "name") : json;
  if (!name.is_string()) return wrong_type(json, type);
  if (const auto value = enumeration.value_of(name.as_string_view()))
    return put_integer<UA_Int32>(Json(*value), type, at);
  if (put_integer<UA_Int32>(name, type, at)) return {};
  std::string names;
  for (const auto& each : enumeration.values) names += (names.empty() ? "" : ", ") + each.second;
  return refuse("unknown_name", fmt::format("{} has no value {}", enumeration.name, shown(name)),
                fmt::format("Its names: {}.", names));
}

// {"typeId", "body"}: what reading gives for a structure that nobody knows.
bool is_encoded(const Json& json) {
  return json.is_object() && json.size() == 2 && get_member(json, "typeId").is_string() &&
         get_member(json, "body").is_string();
}

Result<void> put_structure(const Json& json, const TargetType& target, const ValueContext& context,
                           UA_ExtensionObject& object) {
  auto& encoded = object.content.encoded;
  if (json.is_null()) return {};
  if (json.is_object() && json.contains(kTypeMember)) {
    const std::string name = get_string(json, kTypeMember);
    const StructureType* const type = context.catalog.by_name(name);
    if (type == nullptr) {
      return refuse("type_not_supported",
                    fmt::format("The type {} is not known", shown(Json(name))),
                    "Read a value of this type first: the server is then asked what it is.");
    }
    Json fields = json;
    fields.erase(kTypeMember);
    return put_structure(fields, {.type = target.type, .structure = type}, context, object);
  }
  if (target.structure != nullptr && !UA_NodeId_isNull(&*target.structure->encoding)) {
    auto body = encode_structure(json, *target.structure, context);
    if (body) {
      object.encoding = UA_EXTENSIONOBJECT_ENCODED_BYTESTRING;
      UA_NodeId_copy(&*target.structure->encoding, &encoded.typeId);
      encoded.body = copy_of(*body);
      return {};
    }
    if (!is_encoded(json)) return fail(std::move(body.error()));
  }
  if (!is_encoded(json)) {
    return refuse("type_not_supported",
                  "The server does not say how this structure is put together",
                  "Write it as reading shows it: {\"typeId\", \"body\"}.");
  }
  TRIBUTARY_TRY(put_node_id(json.at("typeId"), UA_TYPES[UA_TYPES_NODEID], context.namespaces,
                            encoded.typeId));
  object.encoding = UA_EXTENSIONOBJECT_ENCODED_BYTESTRING;
  return put_bytes(json.at("body"), UA_TYPES[UA_TYPES_BYTESTRING], &encoded.body);
}

}  // namespace

Result<void> put(const Json& json, const TargetType& target, const ValueContext& context,
                 void* at) {
  const UA_DataType& type = *target.type;
  if (target.enumeration != nullptr && !json.is_number())
    return put_named(json, *target.enumeration, type, at);
  switch (type.typeKind) {
    case UA_DATATYPEKIND_BOOLEAN:
      if (!json.is_bool()) return wrong_type(json, type);
      *static_cast<UA_Boolean*>(at) = json.as_bool();
      return {};
    case UA_DATATYPEKIND_SBYTE:
      return put_integer<UA_SByte>(json, type, at);
    case UA_DATATYPEKIND_BYTE:
      return put_integer<UA_Byte>(json, type, at);
    case UA_DATATYPEKIND_INT16:
      return put_integer<UA_Int16>(json, type, at);
    case UA_DATATYPEKIND_UINT16:
      return put_integer<UA_UInt16>(json, type, at);
    case UA_DATATYPEKIND_INT32:
    case UA_DATATYPEKIND_ENUM:
      return put_integer<UA_Int32>(json, type, at);
    case UA_DATATYPEKIND_UINT32:
    case UA_DATATYPEKIND_STATUSCODE:
      return put_integer<UA_UInt32>(json, type, at);
    case UA_DATATYPEKIND_INT64:
      return put_integer<UA_Int64>(json, type, at);
    case UA_DATATYPEKIND_UINT64:
      return put_integer<UA_UInt64>(json, type, at);
    case UA_DATATYPEKIND_FLOAT:
      return put_float(json, type, at);
    case UA_DATATYPEKIND_DOUBLE: {
      const auto number = number_of(json, type);
      TRIBUTARY_TRY(number);
      *static_cast<UA_Double*>(at) = *number;
      return {};
    }
    case UA_DATATYPEKIND_STRING:
    case UA_DATATYPEKIND_XMLELEMENT:
      return put_text(json, type, at);
    case UA_DATATYPEKIND_BYTESTRING:
      return put_bytes(json, type, at);
    case UA_DATATYPEKIND_DATETIME:
      return put_time(json, type, at);
    case UA_DATATYPEKIND_LOCALIZEDTEXT:
      return put_localized(json, type, at);
    case UA_DATATYPEKIND_QUALIFIEDNAME:
      return put_name(json, type, at);
    case UA_DATATYPEKIND_GUID:
      if (!json.is_string() || UA_Guid_parse(static_cast<UA_Guid*>(at),
                                             borrow(json.as_string_view())) != UA_STATUSCODE_GOOD)
        return wrong_type(json, type);
      return {};
    case UA_DATATYPEKIND_NODEID:
      return put_node_id(json, type, context.namespaces, *static_cast<UA_NodeId*>(at));
    case UA_DATATYPEKIND_EXPANDEDNODEID:
      return put_node_id(json, type, context.namespaces,
                         static_cast<UA_ExpandedNodeId*>(at)->nodeId);
    case UA_DATATYPEKIND_EXTENSIONOBJECT:
      return put_structure(json, target, context, *static_cast<UA_ExtensionObject*>(at));
    case UA_DATATYPEKIND_VARIANT: {
      auto any = to_variant(json, {&natural_type(json), true, true}, context);
      TRIBUTARY_TRY(any);
      std::swap(*static_cast<UA_Variant*>(at), **any);
      return {};
    }
    default:
      return refuse("type_not_supported",
                    fmt::format("Values of the type {} cannot be written", type.typeName));
  }
}

bool flatten(const Json& json, std::size_t depth, std::vector<const Json*>& flat,
             std::vector<UA_UInt32>& dimensions) {
  if (!json.is_array()) {
    flat.push_back(&json);
    return depth == dimensions.size();
  }
  if (depth == dimensions.size()) {
    if (!flat.empty()) return false;
    dimensions.push_back(static_cast<UA_UInt32>(json.size()));
  }
  if (dimensions[depth] != json.size()) return false;
  for (const Json& each : json.array_range()) {
    if (!flatten(each, depth + 1, flat, dimensions)) return false;
  }
  return true;
}

Result<Owned<UA_Variant>> to_variant(const Json& json, const TargetType& target,
                                     const ValueContext& context) {
  Owned<UA_Variant> variant;
  if (!json.is_array()) {
    if (!target.scalar)
      return refuse("wrong_type", fmt::format("{} is no list, but the node is one", shown(json)));
    void* const scalar = UA_new(target.type);
    UA_Variant_setScalar(&*variant, scalar, target.type);
    TRIBUTARY_TRY(put(json, target, context, scalar));
    return variant;
  }
  std::vector<const Json*> flat;
  std::vector<UA_UInt32> dimensions;
  if (!target.array)
    return refuse("wrong_type",
                  fmt::format("{} is a list, but the node is one value", shown(json)));
  if (!flatten(json, 0, flat, dimensions))
    return refuse("wrong_type", fmt::format("The rows of {} differ in length", shown(json)));
  auto* const array = UA_Array_new(flat.size(), target.type);
  UA_Variant_setArray(&*variant, array, flat.size(), target.type);
  auto* at = static_cast<std::byte*>(array);
  for (std::size_t i = 0; i < flat.size(); ++i, at += target.type->memSize) {
    if (auto done = put(*flat[i], target, context, at); !done) {
      Error error = std::move(done.error());
      if (dimensions.size() == 1) error.pointer = fmt::format("/{}{}", i, error.pointer);
      return fail(std::move(error));
    }
  }
  if (dimensions.size() > 1) {
    variant->arrayDimensions =
        static_cast<UA_UInt32*>(UA_Array_new(dimensions.size(), &UA_TYPES[UA_TYPES_UINT32]));
    std::memcpy(variant->arrayDimensions, dimensions.data(), dimensions.size() * sizeof(UA_UInt32));
    variant->arrayDimensionsSize = dimensions.size();
  }
  return variant;
}

const UA_DataType& natural_type(const Json& json) {
  const Json* leaf = &json;
  while (leaf->is_array() && !leaf->empty()) leaf = &leaf->at(0);
  if (leaf->is_bool()) return UA_TYPES[UA_TYPES_BOOLEAN];
  if (leaf->is_string()) return UA_TYPES[UA_TYPES_STRING];
  if (leaf->is<std::int64_t>()) return UA_TYPES[UA_TYPES_INT64];
  if (leaf->is<std::uint64_t>()) return UA_TYPES[UA_TYPES_UINT64];
  return UA_TYPES[UA_TYPES_DOUBLE];
}

}  // namespace tributary::connectors::opcua
