#include "script/worker/values.hpp"

#include <charconv>
#include <cmath>

namespace tributary::script {
namespace {

using wire::Reader;
using wire::Tag;
using wire::Writer;

constexpr double kSafeInteger = 9007199254740992.0;  // 2^53
// Four bytes of a varint, so that a count can be filled in afterwards.
constexpr std::size_t kCountBytes = 4;
constexpr std::size_t kMaxCount = 1U << 28;

JSValue malformed(JSContext* context) {
  return JS_ThrowInternalError(context, "the request is malformed");
}

JSValue read_integer(JSContext* context, std::int64_t number) {
  constexpr std::int64_t kSafe = 9007199254740992;
  if (number > kSafe || number < -kSafe) return JS_NewBigInt64(context, number);
  return JS_NewInt64(context, number);
}

JSValue read_big(JSContext* context, std::string_view digits) {
  const Held global(context, JS_GetGlobalObject(context));
  const Held function(context, JS_GetPropertyStr(context, global.get(), "BigInt"));
  const Held text(context, JS_NewStringLen(context, digits.data(), digits.size()));
  JSValueConst argument = text.get();
  return JS_Call(context, function.get(), JS_UNDEFINED, 1, &argument);
}

JSValue read_tagged(JSContext* context, Reader& reader, Tag tag);

JSValue read_array(JSContext* context, Reader& reader) {
  std::size_t size = 0;
  if (!reader.count(size, 1)) return malformed(context);
  Held array(context, JS_NewArray(context));
  for (std::size_t i = 0; i < size; ++i) {
    JSValue element = read_value(context, reader);
    if (JS_IsException(element)) return element;
    if (JS_SetPropertyUint32(context, array.get(), static_cast<std::uint32_t>(i), element) < 0) {
      return JS_EXCEPTION;
    }
  }
  return array.take();
}

JSValue read_object(JSContext* context, Reader& reader) {
  std::size_t size = 0;
  if (!reader.count(size, 2)) return malformed(context);
  Held object(context, JS_NewObject(context));
  for (std::size_t i = 0; i < size; ++i) {
    std::string_view name;
    if (!reader.text(name)) return malformed(context);
    const JSAtom atom = JS_NewAtomLen(context, name.data(), name.size());
    JSValue member = read_value(context, reader);
    // Defined, not set: a field "__proto__" is a field.
    const bool ok =
        !JS_IsException(member) && JS_DefinePropertyValue(context, object.get(), atom, member,
                                                          JS_PROP_C_W_E | JS_PROP_THROW) >= 0;
    JS_FreeAtom(context, atom);
    if (!ok) return JS_EXCEPTION;
  }
  return object.take();
}

JSValue read_tagged(JSContext* context, Reader& reader, Tag tag) {
  std::int64_t integer = 0;
  std::uint64_t number = 0;
  double real = 0;
  std::string_view text;
  switch (tag) {
    case Tag::kUndefined:
      return JS_UNDEFINED;
    case Tag::kNull:
      return JS_NULL;
    case Tag::kFalse:
    case Tag::kTrue:
      return JS_NewBool(context, tag == Tag::kTrue ? 1 : 0);
    case Tag::kInt:
      return reader.zigzag(integer) ? read_integer(context, integer) : malformed(context);
    case Tag::kUint:
      return reader.varint(number) ? JS_NewBigUint64(context, number) : malformed(context);
    case Tag::kDouble:
      return reader.real(real) ? JS_NewFloat64(context, real) : malformed(context);
    case Tag::kString:
      return reader.text(text) ? JS_NewStringLen(context, text.data(), text.size())
                               : malformed(context);
    case Tag::kBig:
      return reader.text(text) ? read_big(context, text) : malformed(context);
    case Tag::kArray:
      return read_array(context, reader);
    case Tag::kObject:
      return read_object(context, reader);
  }
  return malformed(context);
}

// One document on its way out.
class Output {
 public:
  Output(JSContext* context, const ClassIds& classes, Writer& writer, std::size_t limit)
      : context_(context), classes_(classes), writer_(writer), end_(writer.size() + limit) {}

  Written value(JSValueConst value, int depth, bool* undefined) {
    const int tag = JS_VALUE_GET_NORM_TAG(value);
    switch (tag) {
      case JS_TAG_INT:
        writer_.tag(Tag::kInt);
        writer_.zigzag(JS_VALUE_GET_INT(value));
        return room();
      case JS_TAG_BOOL:
        writer_.tag(JS_VALUE_GET_BOOL(value) != 0 ? Tag::kTrue : Tag::kFalse);
        return room();
      case JS_TAG_NULL:
        writer_.tag(Tag::kNull);
        return room();
      case JS_TAG_FLOAT64:
        return real(JS_VALUE_GET_FLOAT64(value));
      case JS_TAG_BIG_INT:
      case JS_TAG_SHORT_BIG_INT:
        return big(value);
      case JS_TAG_STRING:
      case JS_TAG_STRING_ROPE:
        return text(value);
      case JS_TAG_OBJECT:
        if (!JS_IsFunction(context_, value)) return object(value, depth, undefined);
        break;
      default:
        break;
    }
    *undefined = true;
    return Written::kDone;
  }

 private:
  Written room() const { return writer_.size() <= end_ ? Written::kDone : Written::kTooLarge; }

  Written real(double number) {
    // Whole numbers up to ±2^53 are integers, as in expressions.
    if (std::trunc(number) == number && std::abs(number) <= kSafeInteger) {
      writer_.tag(Tag::kInt);
      writer_.zigzag(static_cast<std::int64_t>(number));
    } else {
      writer_.tag(Tag::kDouble);
      writer_.real(number);
    }
    return room();
  }

  Written big(JSValueConst value) {
    std::string digits;
    if (!to_text(context_, value, digits)) return Written::kException;
    if (digits.size() > wire::kMaxBigDigits) return Written::kTooLarge;
    const char* end = digits.data() + digits.size();
    std::int64_t integer = 0;
    std::uint64_t number = 0;
    if (std::from_chars(digits.data(), end, integer).ec == std::errc{}) {
      writer_.tag(Tag::kInt);
      writer_.zigzag(integer);
    } else if (digits[0] != '-' && std::from_chars(digits.data(), end, number).ec == std::errc{}) {
      writer_.tag(Tag::kUint);
      writer_.varint(number);
    } else {
      writer_.tag(Tag::kBig);
      writer_.text(digits);
    }
    return room();
  }

  Written text(JSValueConst value) {
    std::string made;
    if (!to_text(context_, value, made)) return Written::kException;
    if (writer_.size() + made.size() > end_) return Written::kTooLarge;
    writer_.tag(Tag::kString);
    writer_.text(made);
    return room();
  }

  Written object(JSValueConst value, int depth, bool* undefined) {
    if (depth >= kMaxJsonDepth) return Written::kTooDeep;
    const JSClassID id = JS_GetClassID(value);
    if (id == classes_.array || JS_IsArray(context_, value) > 0) return elements(value, depth);
    if (id >= classes_.first_typed_array && id <= classes_.last_typed_array) {
      return elements(value, depth);
    }
    // Plain objects have it only as a member of their own.
    const Held method(context_, JS_GetPropertyStr(context_, value, "toJSON"));
    if (JS_IsException(method.get())) return Written::kException;
    if (!JS_IsFunction(context_, method.get())) return members(value, depth);
    const Held made(context_, JS_Call(context_, method.get(), value, 0, nullptr));
    if (JS_IsException(made.get())) return Written::kException;
    if (JS_IsObject(made.get()) && !JS_IsFunction(context_, made.get())) {
      return JS_IsArray(context_, made.get()) > 0 ? elements(made.get(), depth)
                                                  : members(made.get(), depth);
    }
    return this->value(made.get(), depth + 1, undefined);
  }

  Written elements(JSValueConst list, int depth) {
    const Held length(context_, JS_GetPropertyStr(context_, list, "length"));
    std::uint64_t count = 0;
    if (JS_ToIndex(context_, &count, length.get()) < 0) return Written::kException;
    // Each takes a byte at least.
    if (writer_.size() + count > end_ || count >= kMaxCount) return Written::kTooLarge;
    writer_.tag(Tag::kArray);
    writer_.varint(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const Held element(context_, JS_GetPropertyUint32(context_, list, i));
      if (JS_IsException(element.get())) return Written::kException;
      bool undefined = false;
      const Written done = value(element.get(), depth + 1, &undefined);
      if (done != Written::kDone) return done;
      if (undefined) writer_.tag(Tag::kNull);
    }
    return room();
  }

  struct Names {
    JSContext* context = nullptr;
    JSPropertyEnum* list = nullptr;
    std::uint32_t count = 0;
    ~Names() {
      for (std::uint32_t i = 0; i < count; ++i) JS_FreeAtom(context, list[i].atom);
      js_free(context, list);
    }
  };

  Written members(JSValueConst object, int depth) {
    Names names{context_};
    constexpr int kWanted = JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY;
    if (JS_GetOwnPropertyNames(context_, &names.list, &names.count, object, kWanted) < 0) {
      names.count = 0;
      return Written::kException;
    }
    if (names.count >= kMaxCount) return Written::kTooLarge;
    writer_.tag(Tag::kObject);
    const std::size_t counted_at = writer_.size();
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < kCountBytes; ++i) writer_.byte(0);
    for (std::uint32_t i = 0; i < names.count; ++i) {
      const Held member(context_, JS_GetProperty(context_, object, names.list[i].atom));
      if (JS_IsException(member.get())) return Written::kException;
      const std::size_t before = writer_.size();
      const Held name(context_, JS_AtomToString(context_, names.list[i].atom));
      std::string made;
      if (!to_text(context_, name.get(), made)) return Written::kException;
      if (before + made.size() > end_) return Written::kTooLarge;
      writer_.text(made);
      bool undefined = false;
      const Written done = value(member.get(), depth + 1, &undefined);
      if (done != Written::kDone) return done;
      if (undefined) {
        writer_.cut(before);
      } else {
        ++count;
      }
    }
    writer_.fill_count(counted_at, count);
    return room();
  }

  JSContext* context_;
  const ClassIds& classes_;
  Writer& writer_;
  std::size_t end_;
};

}  // namespace

JSValue read_value(JSContext* context, Reader& reader) {
  Tag tag{};
  if (!reader.tag(tag)) return malformed(context);
  return read_tagged(context, reader, tag);
}

Written write_value(JSContext* context, const ClassIds& classes, JSValueConst value, Writer& writer,
                    std::size_t limit) {
  bool undefined = false;
  const Written done = Output(context, classes, writer, limit).value(value, 0, &undefined);
  if (done == Written::kDone && undefined) writer.tag(Tag::kUndefined);
  return done;
}

bool to_text(JSContext* context, JSValueConst value, std::string& text) {
  std::size_t size = 0;
  const char* bytes = JS_ToCStringLen(context, &size, value);
  if (bytes == nullptr) return false;
  text.assign(bytes, size);
  JS_FreeCString(context, bytes);
  if (wire::is_utf8(text)) return true;
  // QuickJS writes half a surrogate pair as three bytes that UTF-8 does not have: ED A0..BF xx.
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    const bool half = static_cast<std::uint8_t>(text[i]) == 0xED &&
                      static_cast<std::uint8_t>(text[i + 1]) >= 0xA0;
    if (half) text.replace(i, 3, "\xEF\xBF\xBD");
  }
  return true;
}

}  // namespace tributary::script
