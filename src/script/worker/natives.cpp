// What scripts can do that JavaScript alone cannot: zones, digests, JMESPath, encodings, the
// documents of the record. The bootstrap script wraps these and checks arguments.
#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <jsoncons_ext/jmespath/jmespath.hpp>
#include <list>

#include "script/worker/digests.hpp"
#include "script/worker/javascript.hpp"
#include "script/worker/zones.hpp"

namespace tributary::script {
namespace {

JSClassID node_class = 0;  // given out by QuickJS once for the process

JavaScript& javascript(JSContext* context) {
  return *static_cast<JavaScript*>(JS_GetRuntimeOpaque(JS_GetRuntime(context)));
}

JSValue make_text(JSContext* context, std::string_view text) {
  return JS_NewStringLen(context, text.data(), text.size());
}

JSValue make_bytes(JSContext* context, std::string_view bytes) {
  const Held buffer(
      context, JS_NewArrayBufferCopy(context, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                     bytes.size()));
  if (JS_IsException(buffer.get())) return JS_EXCEPTION;
  // Buffer, offset, length: it looks at all three.
  std::array<JSValueConst, 3> arguments = {buffer.get(), JS_UNDEFINED, JS_UNDEFINED};
  return JS_NewTypedArray(context, 3, arguments.data(), JS_TYPED_ARRAY_UINT8);
}

// A text as UTF-8, or the elements of a list of bytes. False: an exception.
bool get_bytes(JSContext* context, JSValueConst value, std::string& bytes) {
  if (!JS_IsObject(value)) return to_text(context, value, bytes);
  const ClassIds& classes = javascript(context).classes();
  const JSClassID id = JS_GetClassID(value);
  if (id >= classes.first_typed_array && id <= classes.last_typed_array) {
    std::size_t offset = 0;
    std::size_t size = 0;
    std::size_t each = 0;
    const Held buffer(context, JS_GetTypedArrayBuffer(context, value, &offset, &size, &each));
    std::size_t whole = 0;
    const std::uint8_t* data =
        JS_IsException(buffer.get()) ? nullptr : JS_GetArrayBuffer(context, &whole, buffer.get());
    if (data == nullptr || offset + size > whole) return false;
    bytes.assign(reinterpret_cast<const char*>(data) + offset, size);
    return true;
  }
  const Held length(context, JS_GetPropertyStr(context, value, "length"));
  std::uint32_t count = 0;
  if (JS_ToUint32(context, &count, length.get()) < 0) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Held element(context, JS_GetPropertyUint32(context, value, i));
    std::uint32_t byte = 0;
    if (JS_ToUint32(context, &byte, element.get()) < 0) return false;
    bytes.push_back(static_cast<char>(byte));
  }
  return true;
}

JSValue log(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string line;
  if (!to_text(context, values[0], line)) return JS_EXCEPTION;
  javascript(context).log(std::move(line));
  return JS_UNDEFINED;
}

JSValue input(JSContext* context, JSValueConst, int, JSValueConst*) {
  JavaScript& script = javascript(context);
  const RecordRequest* record = script.current().record;
  return record == nullptr ? JS_UNDEFINED : script.document(context, record->input);
}

// ---- zones ----

const Zone* zone_of(JSContext* context, JSValueConst value) {
  std::string name;
  if (!to_text(context, value, name)) return nullptr;
  const Zone* zone = Zone::find(name);
  if (zone == nullptr) JS_ThrowRangeError(context, "there is no time zone \"%.60s\"", name.c_str());
  return zone;
}

// offset(ms, zone): seconds east of Greenwich at an instant.
JSValue offset(JSContext* context, JSValueConst, int, JSValueConst* values) {
  double ms = 0;
  const Zone* zone = zone_of(context, values[1]);
  if (zone == nullptr || JS_ToFloat64(context, &ms, values[0]) < 0) return JS_EXCEPTION;
  return JS_NewInt32(context, zone->offset_seconds(ms));
}

JSValue abbreviation(JSContext* context, JSValueConst, int, JSValueConst* values) {
  double ms = 0;
  const Zone* zone = zone_of(context, values[1]);
  if (zone == nullptr || JS_ToFloat64(context, &ms, values[0]) < 0) return JS_EXCEPTION;
  return make_text(context, zone->abbreviation(ms));
}

// instant(wall ms, zone): the instant at which the clocks of the zone show it.
JSValue instant(JSContext* context, JSValueConst, int, JSValueConst* values) {
  double ms = 0;
  const Zone* zone = zone_of(context, values[1]);
  if (zone == nullptr || JS_ToFloat64(context, &ms, values[0]) < 0) return JS_EXCEPTION;
  return JS_NewFloat64(context, zone->instant_ms(ms));
}

// ---- digests ----

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string to_hex(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    hex += kHexDigits[byte >> 4];
    hex += kHexDigits[byte & 15];
  }
  return hex;
}

// digest(name, data): bytes.
JSValue digest(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string name;
  std::string bytes;
  if (!to_text(context, values[0], name) || !get_bytes(context, values[1], bytes)) {
    return JS_EXCEPTION;
  }
  const Digest* found = find_digest(name);
  if (found == nullptr) return JS_ThrowTypeError(context, "there is no such digest");
  return make_bytes(context, found->hash(bytes));
}

// hmac(name, key, data): bytes.
JSValue hmac(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string name;
  std::string key;
  std::string bytes;
  if (!to_text(context, values[0], name) || !get_bytes(context, values[1], key) ||
      !get_bytes(context, values[2], bytes)) {
    return JS_EXCEPTION;
  }
  const Digest* found = find_digest(name);
  if (found == nullptr) return JS_ThrowTypeError(context, "there is no such digest");
  return make_bytes(context, found->hmac(key, bytes));
}

// CRC with reflected bits (IEEE 802.3 for 32, Modbus over serial line 6.2.2 for 16).
std::uint32_t crc_of(std::string_view bytes, std::uint32_t polynomial, std::uint32_t start) {
  std::uint32_t crc = start;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = (crc & 1) != 0 ? (crc >> 1) ^ polynomial : crc >> 1;
  }
  return crc;
}

JSValue crc(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::int32_t bits = 0;
  std::string bytes;
  if (JS_ToInt32(context, &bits, values[0]) < 0 || !get_bytes(context, values[1], bytes)) {
    return JS_EXCEPTION;
  }
  const std::uint32_t made =
      bits == 32 ? ~crc_of(bytes, 0xEDB88320U, 0xFFFFFFFFU) : crc_of(bytes, 0xA001U, 0xFFFFU);
  return JS_NewUint32(context, made);
}

// ---- encodings ----

JSValue hex_encode(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string bytes;
  if (!get_bytes(context, values[0], bytes)) return JS_EXCEPTION;
  return make_text(context, to_hex(bytes));
}

JSValue hex_decode(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string text;
  if (!to_text(context, values[0], text)) return JS_EXCEPTION;
  std::string bytes(text.size() / 2, '\0');
  std::size_t size = 0;
  const int done = sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                  text.data(), text.size(), nullptr, &size, nullptr);
  if (done != 0 || size * 2 != text.size()) {
    return JS_ThrowTypeError(context, "the text is not hexadecimal");
  }
  return make_bytes(context, bytes);
}

JSValue base64_encode(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string bytes;
  const int url = JS_ToBool(context, values[1]);
  if (!get_bytes(context, values[0], bytes)) return JS_EXCEPTION;
  const int variant =
      url > 0 ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL;
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), variant);
  text.pop_back();  // the terminator
  return make_text(context, text);
}

// Either alphabet, with or without padding.
JSValue base64_decode(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string text;
  if (!to_text(context, values[0], text)) return JS_EXCEPTION;
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  const int done = sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                     text.data(), text.size(), "\r\n", &size, nullptr,
                                     sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  if (done != 0) return JS_ThrowTypeError(context, "the text is not base64");
  bytes.resize(size);
  return make_bytes(context, bytes);
}

// The text that bytes are in UTF-8; what is not becomes U+FFFD.
JSValue utf8(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string bytes;
  if (!get_bytes(context, values[0], bytes)) return JS_EXCEPTION;
  return make_text(context, bytes);
}

// ---- JMESPath ----

JSValue jmespath(JSContext* context, JSValueConst, int, JSValueConst* values) {
  constexpr std::size_t kMaxBytes = 16U << 20;
  std::string expression;
  std::string bytes;
  wire::Writer writer(bytes);
  const ClassIds& classes = javascript(context).classes();
  if (!to_text(context, values[1], expression)) return JS_EXCEPTION;
  const Written written = write_value(context, classes, values[0], writer, kMaxBytes);
  if (written == Written::kException) return JS_EXCEPTION;
  std::optional<Json> document;
  if (written != Written::kDone || !wire::Reader(bytes).value(document)) {
    return JS_ThrowRangeError(context, "the value is too large or too deep for JMESPath");
  }
  std::error_code error;
  try {
    const Json found =
        jsoncons::jmespath::search(document.value_or(Json::null()), expression, error);
    if (error) return JS_ThrowSyntaxError(context, "JMESPath: %s", error.message().c_str());
    std::string out;
    wire::Writer(out).value(found);
    wire::Reader reader(out);
    return read_value(context, reader);
  } catch (const std::exception& problem) {
    return JS_ThrowSyntaxError(context, "JMESPath: %s", problem.what());
  }
}

// ---- $node("id"), $node["id"] ----

JSValue node_call(JSContext* context, JSValueConst, JSValueConst, int count, JSValueConst* values,
                  int) {
  std::string name;
  if (count < 1 || !to_text(context, values[0], name)) {
    return JS_ThrowTypeError(context, "$node takes the id of a node as a string: $node(\"n1\")");
  }
  return javascript(context).node(context, name);
}

int node_property(JSContext* context, JSPropertyDescriptor* found, JSValueConst, JSAtom atom) {
  const Held key(context, JS_AtomToValue(context, atom));
  std::string name;
  if (!JS_IsString(key.get())) return 0;
  if (!to_text(context, key.get(), name)) return -1;
  JavaScript& script = javascript(context);
  if (script.current().record == nullptr) return 0;
  JSValue value = script.node(context, name);
  if (JS_IsException(value)) return -1;
  if (JS_IsUndefined(value)) return 0;
  if (found != nullptr) {
    *found = {JS_PROP_ENUMERABLE | JS_PROP_CONFIGURABLE, value, JS_UNDEFINED, JS_UNDEFINED};
  } else {
    JS_FreeValue(context, value);
  }
  return 1;
}

}  // namespace

bool register_node_class(JSRuntime* runtime) {
  // QuickJS keeps the pointer: for the life of the process.
  static JSClassExoticMethods methods{};
  methods.get_own_property = &node_property;
  JSClassDef definition{};
  definition.class_name = "Node";
  definition.call = &node_call;
  definition.exotic = &methods;
  JS_NewClassID(&node_class);
  return JS_NewClass(runtime, node_class, &definition) == 0;
}

JSValue make_node_access(JSContext* context) {
  return JS_NewObjectProtoClass(context, JS_NULL, node_class);
}

JSValue make_natives(JSContext* context) {
  struct Native {
    const char* name;
    JSCFunction* function;
    int arguments;
  };
  constexpr std::array<Native, 14> kNatives = {{{"log", &log, 1},
                                                {"input", &input, 0},
                                                {"offset", &offset, 2},
                                                {"abbreviation", &abbreviation, 2},
                                                {"instant", &instant, 2},
                                                {"digest", &digest, 2},
                                                {"hmac", &hmac, 3},
                                                {"crc", &crc, 2},
                                                {"hexEncode", &hex_encode, 1},
                                                {"hexDecode", &hex_decode, 1},
                                                {"base64Encode", &base64_encode, 2},
                                                {"base64Decode", &base64_decode, 1},
                                                {"utf8", &utf8, 1},
                                                {"jmespath", &jmespath, 2}}};
  JSValue object = JS_NewObject(context);
  for (const Native& native : kNatives) {
    JS_SetPropertyStr(context, object, native.name,
                      JS_NewCFunction(context, native.function, native.name, native.arguments));
  }
  return object;
}

}  // namespace tributary::script
