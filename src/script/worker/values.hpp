// Values between the wire and QuickJS. Whole numbers beyond ±2^53 are BigInts in scripts, so that
// none is rounded in silence.
#pragma once

#include <quickjs/quickjs.h>

#include <string>
#include <string_view>

#include "script/wire.hpp"

namespace tributary::script {

// Frees a value at the end of its scope.
class Held {
 public:
  Held(JSContext* context, JSValue value) : context_(context), value_(value) {}
  ~Held() { JS_FreeValue(context_, value_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  JSValueConst get() const { return value_; }
  JSValue take() { return std::exchange(value_, JS_UNDEFINED); }

 private:
  JSContext* context_;
  JSValue value_;
};

// Classes whose objects are written in a way of their own, found by example when a context is made.
struct ClassIds {
  JSClassID object = 0;
  JSClassID array = 0;
  JSClassID date = 0;
  JSClassID first_typed_array = 0;
  JSClassID last_typed_array = 0;
};

// The value at the reader; JS_EXCEPTION when there is no memory for it, or it is malformed.
JSValue read_value(JSContext* context, wire::Reader& reader);

enum class Written : std::uint8_t { kDone, kException, kTooLarge, kTooDeep };

// What a script gave, as JSON.stringify would see it: toJSON is asked, functions and symbols are
// undefined, undefined members are left out, undefined elements are null. Typed arrays become
// lists. At most `limit` bytes. On anything but kDone the writer may hold a part.
Written write_value(JSContext* context, const ClassIds& classes, JSValueConst value,
                    wire::Writer& writer, std::size_t limit);

// The text of a string value, with half surrogate pairs as U+FFFD. False: an exception.
bool to_text(JSContext* context, JSValueConst value, std::string& text);

}  // namespace tributary::script
