// A value while an expression is evaluated, and JavaScript's conversions between values (ECMA-262,
// chapter 7: Abstract Operations), for the part of the language that expressions have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "model/json.hpp"

namespace tributary::orchestrate::expression {

struct Undefined {};
struct Null {};

// A string_view or a Json pointer is borrowed: from the record, from the program's constants.
// Integers stay integers, with all 64 bits; see docs/pipelines.md, "Numbers".
using JsValue = std::variant<Undefined, Null, bool, std::int64_t, std::uint64_t, double,
                             std::string_view, std::string, const Json*>;

// Borrows strings, arrays and objects.
JsValue from_json(const Json& json);
// nullopt for undefined. Whole numbers up to ±2^53 become JSON integers, as JSON.stringify writes
// them.
std::optional<Json> to_json(const JsValue& value);

bool is_undefined(const JsValue& value);
// undefined or null.
bool is_nullish(const JsValue& value);
// The text of a string value; nullopt for everything else.
std::optional<std::string_view> as_string(const JsValue& value);
// What a message calls it: "undefined", "null", "a number", "a string", "an array" …
std::string_view describe(const JsValue& value);

bool to_boolean(const JsValue& value);
// ToNumber: the result holds an integer or a double.
JsValue to_number(const JsValue& value);
// ToString. Arrays are joined with commas, objects become "[object Object]".
std::string to_string(const JsValue& value);
// Number::toString (ECMA-262 6.1.6.1.20).
std::string number_text(double number);
// StringToNumber (ECMA-262 7.1.4.1.1); NaN when it is no number.
double parse_number(std::string_view text);

// The operators. Two integers give the exact integer while it fits into 64 bits; everything else is
// IEEE 754 double.
JsValue add(const JsValue& a, const JsValue& b);
JsValue subtract(const JsValue& a, const JsValue& b);
JsValue multiply(const JsValue& a, const JsValue& b);
JsValue divide(const JsValue& a, const JsValue& b);
JsValue remainder(const JsValue& a, const JsValue& b);
JsValue power(const JsValue& a, const JsValue& b);
JsValue negate(const JsValue& value);

bool strict_equals(const JsValue& a, const JsValue& b);
bool loose_equals(const JsValue& a, const JsValue& b);
// a < b; nullopt when either is NaN (then every comparison is false).
std::optional<bool> less_than(const JsValue& a, const JsValue& b);

// value[key]: own fields, array elements, "length" of arrays and strings, UTF-16 units of strings.
// undefined when there is none. `value` must not be nullish.
JsValue member(const JsValue& value, std::string_view key);

}  // namespace tributary::orchestrate::expression
