#include "connectors/opcua/src/values.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "connectors/opcua/src/errors.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr int kDeepest = 16;  // variants within variants

Json element(const void* at, const UA_DataType& type, const Namespaces& namespaces, int depth);

std::string base64_of(const UA_ByteString& bytes) {
  UA_String base64 = UA_STRING_NULL;
  UA_ByteString_toBase64(&bytes, &base64);
  std::string text = to_std(base64);
  UA_String_clear(&base64);
  return text;
}

// The rows of a matrix, the last dimension innermost.
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

Json variant_json(const UA_Variant& variant, const Namespaces& namespaces, int depth) {
  if (variant.type == nullptr || depth > kDeepest) return Json::null();
  if (UA_Variant_isScalar(&variant)) return element(variant.data, *variant.type, namespaces, depth);
  std::vector<Json> flat;
  flat.reserve(variant.arrayLength);
  const auto* at = static_cast<const std::byte*>(variant.data);
  for (std::size_t i = 0; i < variant.arrayLength; ++i, at += variant.type->memSize)
    flat.push_back(element(at, *variant.type, namespaces, depth));
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

Json structure(const UA_ExtensionObject& object, const Namespaces& namespaces) {
  if (object.encoding >= UA_EXTENSIONOBJECT_DECODED) {
    UA_ByteString text = UA_BYTESTRING_NULL;
    const auto status =
        UA_encodeJson(object.content.decoded.data, object.content.decoded.type, &text, nullptr);
    auto json = status == UA_STATUSCODE_GOOD ? parse_json(view(text)) : Result<Json>(Json::null());
    UA_ByteString_clear(&text);
    return json.value_or(Json::null());
  }
  if (object.encoding == UA_EXTENSIONOBJECT_ENCODED_NOBODY) return Json::null();
  Json json = json_object();
  json["typeId"] = to_text(object.content.encoded.typeId, namespaces);
  json["body"] = base64_of(object.content.encoded.body);
  return json;
}

Json data_value(const UA_DataValue& value, const Namespaces& namespaces, int depth) {
  Json json = json_object();
  json["value"] = value.hasValue ? variant_json(value.value, namespaces, depth + 1) : Json::null();
  json["status"] = status_name(value.hasStatus ? value.status : UA_STATUSCODE_GOOD);
  if (value.hasSourceTimestamp) json["sourceTime"] = time_text(value.sourceTimestamp);
  return json;
}

template <typename T>
const T& as(const void* at) {
  return *static_cast<const T*>(at);
}

Json element(const void* at, const UA_DataType& type, const Namespaces& namespaces, int depth) {
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
      return to_text(as<UA_NodeId>(at), namespaces);
    case UA_DATATYPEKIND_EXPANDEDNODEID:
      return to_text(as<UA_ExpandedNodeId>(at), namespaces);
    case UA_DATATYPEKIND_STATUSCODE:
      return status_name(as<UA_StatusCode>(at));
    case UA_DATATYPEKIND_QUALIFIEDNAME:
      return fmt::format("{}:{}", as<UA_QualifiedName>(at).namespaceIndex,
                         view(as<UA_QualifiedName>(at).name));
    case UA_DATATYPEKIND_LOCALIZEDTEXT:
      return to_std(as<UA_LocalizedText>(at).text);
    case UA_DATATYPEKIND_EXTENSIONOBJECT:
      return structure(as<UA_ExtensionObject>(at), namespaces);
    case UA_DATATYPEKIND_DATAVALUE:
      return data_value(as<UA_DataValue>(at), namespaces, depth);
    case UA_DATATYPEKIND_VARIANT:
      return variant_json(as<UA_Variant>(at), namespaces, depth + 1);
    case UA_DATATYPEKIND_STRUCTURE:
    case UA_DATATYPEKIND_OPTSTRUCT:
    case UA_DATATYPEKIND_UNION: {
      // A structure that the library has taken out of its wrapping.
      UA_ExtensionObject object;
      UA_ExtensionObject_setValueNoDelete(&object, const_cast<void*>(at), &type);
      return structure(object, namespaces);
    }
    default:
      return Json::null();
  }
}

// ---- back ----

std::unexpected<Error> refuse(std::string code, std::string message, std::string hint = {}) {
  return fail(ErrorClass::kFunction, std::move(code), std::move(message), std::move(hint));
}

std::string shown(const Json& json) {
  constexpr std::size_t kLongest = 100;
  std::string text = tributary::to_text(json);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

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

Result<void> put(const Json& json, const UA_DataType& type, const Namespaces& namespaces,
                 void* at) {
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
      return put_node_id(json, type, namespaces, *static_cast<UA_NodeId*>(at));
    case UA_DATATYPEKIND_EXPANDEDNODEID:
      return put_node_id(json, type, namespaces, static_cast<UA_ExpandedNodeId*>(at)->nodeId);
    default:
      return refuse("type_not_supported",
                    fmt::format("Values of the type {} cannot be written", type.typeName));
  }
}

// The elements of nested lists in the order of the wire, and how many there are
// in each dimension. False when rows differ in length.
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

}  // namespace

Value to_value(const UA_Variant& variant, const Namespaces& namespaces) {
  if (variant.type == nullptr) return std::monostate{};
  if (!UA_Variant_isScalar(&variant)) return variant_json(variant, namespaces, 0);
  switch (variant.type->typeKind) {
    case UA_DATATYPEKIND_BYTESTRING: {
      const auto& bytes = as<UA_ByteString>(variant.data);
      const auto* begin = reinterpret_cast<const std::byte*>(bytes.data);
      return Bytes(begin, begin + bytes.length);
    }
    case UA_DATATYPEKIND_UINT64:
      return std::uint64_t{as<UA_UInt64>(variant.data)};
    default:
      return from_json(element(variant.data, *variant.type, namespaces, 0));
  }
}

Sample to_sample(std::uint32_t point, const UA_DataValue& value, const Namespaces& namespaces,
                 std::string_view what, const NodeName& node) {
  Sample sample;
  sample.point = point;
  const std::uint32_t status = value.hasStatus ? value.status : UA_STATUSCODE_GOOD;
  sample.quality = Quality(status);
  if (value.hasValue) sample.value = to_value(value.value, namespaces);
  if (value.hasSourceTimestamp && value.sourceTimestamp != 0)
    sample.source_time = to_utc(value.sourceTimestamp);
  else if (value.hasServerTimestamp && value.serverTimestamp != 0)
    sample.source_time = to_utc(value.serverTimestamp);
  if (sample.quality.is_bad()) sample.error = shared_node_error(status, what, node.text);
  return sample;
}

Result<Owned<UA_Variant>> to_variant(const Json& json, const TargetType& target,
                                     const Namespaces& namespaces) {
  Owned<UA_Variant> variant;
  if (!json.is_array()) {
    if (!target.scalar)
      return refuse("wrong_type", fmt::format("{} is no list, but the node is one", shown(json)));
    void* const scalar = UA_new(target.type);
    UA_Variant_setScalar(&*variant, scalar, target.type);
    TRIBUTARY_TRY(put(json, *target.type, namespaces, scalar));
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
  for (const Json* each : flat) {
    TRIBUTARY_TRY(put(*each, *target.type, namespaces, at));
    at += target.type->memSize;
  }
  if (dimensions.size() > 1) {
    variant->arrayDimensions =
        static_cast<UA_UInt32*>(UA_Array_new(dimensions.size(), &UA_TYPES[UA_TYPES_UINT32]));
    std::memcpy(variant->arrayDimensions, dimensions.data(), dimensions.size() * sizeof(UA_UInt32));
    variant->arrayDimensionsSize = dimensions.size();
  }
  return variant;
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
