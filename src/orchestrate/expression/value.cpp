#include "orchestrate/expression/value.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "orchestrate/expression/unicode.hpp"

namespace tributary::orchestrate::expression {
namespace {

using Wide = __int128;
constexpr Wide kLowest = std::numeric_limits<std::int64_t>::min();
constexpr Wide kHighest = std::numeric_limits<std::uint64_t>::max();
constexpr double kSafeInteger = 9007199254740992.0;  // 2^53
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kMaxJoinDepth = 64;

// A number of either kind.
struct Number {
  bool whole = false;
  Wide integer = 0;
  double real = 0;

  double as_double() const { return whole ? static_cast<double>(integer) : real; }
};

JsValue from_wide(Wide integer) {
  if (integer > std::numeric_limits<std::int64_t>::max()) {
    return static_cast<std::uint64_t>(integer);
  }
  return static_cast<std::int64_t>(integer);
}

// Whole doubles become integers, so that later sums are exact; minus zero stays what it is.
JsValue from_double(double real) {
  const bool whole = std::trunc(real) == real && std::abs(real) <= kSafeInteger;
  if (whole && !(real == 0 && std::signbit(real))) return static_cast<std::int64_t>(real);
  return real;
}

Number number_of(const JsValue& numeric) {
  if (const auto* i = std::get_if<std::int64_t>(&numeric)) return {true, *i, 0};
  if (const auto* u = std::get_if<std::uint64_t>(&numeric)) return {true, *u, 0};
  return {false, 0, std::get<double>(numeric)};
}

Number coerce(const JsValue& value) {
  return number_of(to_number(value));
}

bool is_number(const JsValue& value) {
  return std::holds_alternative<std::int64_t>(value) ||
         std::holds_alternative<std::uint64_t>(value) || std::holds_alternative<double>(value);
}

// A double result for two whole operands of opposite sign whose product or quotient is zero.
JsValue whole_or_minus_zero(Wide result, bool negative) {
  if (result == 0 && negative) return -0.0;
  return from_wide(result);
}

bool fits(Wide value) {
  return value >= kLowest && value <= kHighest;
}

void append_text(const JsValue& value, std::string& out, int depth);

void append_json_text(const Json& json, std::string& out, int depth) {
  if (!json.is_array()) {
    append_text(from_json(json), out, depth);
    return;
  }
  if (depth > kMaxJoinDepth) return;
  bool first = true;
  for (const Json& element : json.array_range()) {
    if (!first) out += ',';
    first = false;
    if (!element.is_null()) append_json_text(element, out, depth + 1);
  }
}

void append_text(const JsValue& value, std::string& out, int depth) {
  struct Visitor {
    std::string& out;
    int depth;
    void operator()(Undefined) const { out += "undefined"; }
    void operator()(Null) const { out += "null"; }
    void operator()(bool b) const { out += b ? "true" : "false"; }
    void operator()(std::int64_t i) const { out += std::to_string(i); }
    void operator()(std::uint64_t u) const { out += std::to_string(u); }
    void operator()(double d) const { out += number_text(d); }
    void operator()(std::string_view s) const { out += s; }
    void operator()(const std::string& s) const { out += s; }
    void operator()(const Json* json) const {
      if (json->is_array()) {
        append_json_text(*json, out, depth);
      } else {
        out += "[object Object]";
      }
    }
  };
  std::visit(Visitor{out, depth}, value);
}

// The primitive that an array or object turns into: its string.
JsValue to_primitive(const JsValue& value) {
  if (std::holds_alternative<const Json*>(value)) return to_string(value);
  return value;
}

std::optional<bool> less_number(const Number& a, const Number& b) {
  if (a.whole && b.whole) return a.integer < b.integer;
  if (std::isnan(a.as_double()) || std::isnan(b.as_double())) return std::nullopt;
  // 64 bits of mantissa: a 64-bit integer and a double compare exactly.
  const auto exact = [](const Number& n) {
    return n.whole ? static_cast<long double>(n.integer) : static_cast<long double>(n.real);
  };
  return exact(a) < exact(b);
}

bool equal_numbers(const Number& a, const Number& b) {
  if (a.whole && b.whole) return a.integer == b.integer;
  const auto below = less_number(a, b);
  const auto above = less_number(b, a);
  return below && above && !*below && !*above;
}

double parse_radix(std::string_view digits, int radix) {
  if (digits.empty()) return kNaN;
  double number = 0;
  for (const char c : digits) {
    int digit = radix;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit >= radix) return kNaN;
    number = number * radix + digit;
  }
  return number;
}

}  // namespace

JsValue from_json(const Json& json) {
  switch (json.type()) {
    case jsoncons::json_type::null_value:
      return Null{};
    case jsoncons::json_type::bool_value:
      return json.as<bool>();
    case jsoncons::json_type::int64_value:
      return json.as<std::int64_t>();
    case jsoncons::json_type::uint64_value:
      return json.as<std::uint64_t>();
    case jsoncons::json_type::half_value:
    case jsoncons::json_type::double_value:
      return json.as<double>();
    case jsoncons::json_type::string_value:
      // A number that no 64-bit type can hold is kept as text with a tag.
      if (json.tag() == jsoncons::semantic_tag::bigint ||
          json.tag() == jsoncons::semantic_tag::bigdec) {
        return parse_number(json.as_string_view());
      }
      return std::string_view(json.as_string_view());
    case jsoncons::json_type::byte_string_value:
      return json.as<std::string>();
    case jsoncons::json_type::array_value:
    case jsoncons::json_type::object_value:
      return &json;
  }
  return Undefined{};
}

std::optional<Json> to_json(const JsValue& value) {
  struct Visitor {
    std::optional<Json> operator()(Undefined) const { return std::nullopt; }
    std::optional<Json> operator()(Null) const { return Json::null(); }
    std::optional<Json> operator()(bool b) const { return Json(b); }
    std::optional<Json> operator()(std::int64_t i) const { return Json(i); }
    std::optional<Json> operator()(std::uint64_t u) const { return Json(u); }
    std::optional<Json> operator()(double d) const {
      if (d == 0) return Json(std::int64_t{0});
      if (std::trunc(d) == d && std::abs(d) <= kSafeInteger) {
        return Json(static_cast<std::int64_t>(d));
      }
      return Json(d);
    }
    std::optional<Json> operator()(std::string_view s) const { return Json(s); }
    std::optional<Json> operator()(const std::string& s) const { return Json(s); }
    std::optional<Json> operator()(const Json* json) const { return *json; }
  };
  return std::visit(Visitor{}, value);
}

bool is_undefined(const JsValue& value) {
  return std::holds_alternative<Undefined>(value);
}

bool is_nullish(const JsValue& value) {
  return is_undefined(value) || std::holds_alternative<Null>(value);
}

std::optional<std::string_view> as_string(const JsValue& value) {
  if (const auto* view = std::get_if<std::string_view>(&value)) return *view;
  if (const auto* text = std::get_if<std::string>(&value)) return std::string_view(*text);
  return std::nullopt;
}

std::string_view describe(const JsValue& value) {
  if (is_undefined(value)) return "undefined";
  if (std::holds_alternative<Null>(value)) return "null";
  if (std::holds_alternative<bool>(value)) return "a boolean";
  if (is_number(value)) return "a number";
  if (as_string(value)) return "a string";
  return std::get<const Json*>(value)->is_array() ? "an array" : "an object";
}

bool to_boolean(const JsValue& value) {
  struct Visitor {
    bool operator()(Undefined) const { return false; }
    bool operator()(Null) const { return false; }
    bool operator()(bool b) const { return b; }
    bool operator()(std::int64_t i) const { return i != 0; }
    bool operator()(std::uint64_t u) const { return u != 0; }
    bool operator()(double d) const { return d != 0 && !std::isnan(d); }
    bool operator()(std::string_view s) const { return !s.empty(); }
    bool operator()(const std::string& s) const { return !s.empty(); }
    bool operator()(const Json*) const { return true; }
  };
  return std::visit(Visitor{}, value);
}

JsValue to_number(const JsValue& value) {
  struct Visitor {
    JsValue operator()(Undefined) const { return kNaN; }
    JsValue operator()(Null) const { return std::int64_t{0}; }
    JsValue operator()(bool b) const { return std::int64_t{b}; }
    JsValue operator()(std::int64_t i) const { return i; }
    JsValue operator()(std::uint64_t u) const { return u; }
    JsValue operator()(double d) const { return from_double(d); }
    JsValue operator()(std::string_view s) const { return from_double(parse_number(s)); }
    JsValue operator()(const std::string& s) const { return from_double(parse_number(s)); }
    JsValue operator()(const Json* json) const {
      return from_double(parse_number(to_string(JsValue(json))));
    }
  };
  return std::visit(Visitor{}, value);
}

std::string to_string(const JsValue& value) {
  std::string out;
  append_text(value, out, 0);
  return out;
}

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (number == 0) return "0";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  // Shortest digits that read back as the same double, as "d.ddde±xx".
  std::array<char, 40> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(number),
                                     std::chars_format::scientific);
  const std::string_view scientific(buffer.data(), written.ptr);
  const auto e = scientific.find('e');
  int exponent = 0;
  const char* exponent_text = scientific.data() + e + 1;
  if (*exponent_text == '+') ++exponent_text;
  std::from_chars(exponent_text, written.ptr, exponent);
  std::string digits;
  for (const char c : scientific.substr(0, e)) {
    if (c != '.') digits += c;
  }
  const int count = static_cast<int>(digits.size());  // k of the standard
  const int point = exponent + 1;                     // n of the standard
  std::string out = number < 0 ? "-" : "";
  if (count <= point && point <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(point - count), '0');
  } else if (point > 0 && point <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(point)) + "." +
           digits.substr(static_cast<std::size_t>(point));
  } else if (point > -6 && point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else {
    out += digits.substr(0, 1);
    if (count > 1) out += "." + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  }
  return out;
}

double parse_number(std::string_view text) {
  text = trim_js_space(text);
  if (text.empty()) return 0;
  if (text.size() > 2 && text[0] == '0') {
    if (text[1] == 'x' || text[1] == 'X') return parse_radix(text.substr(2), 16);
    if (text[1] == 'o' || text[1] == 'O') return parse_radix(text.substr(2), 8);
    if (text[1] == 'b' || text[1] == 'B') return parse_radix(text.substr(2), 2);
  }
  double sign = 1;
  if (text[0] == '+' || text[0] == '-') {
    if (text[0] == '-') sign = -1;
    text.remove_prefix(1);
  }
  if (text == "Infinity") return sign * std::numeric_limits<double>::infinity();
  // from_chars also reads "inf" and "nan", which JavaScript does not.
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return kNaN;
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ptr != text.data() + text.size()) return kNaN;
  if (read.ec == std::errc::result_out_of_range) {
    // Too large or too small: strtod says which.
    number = std::strtod(std::string(text).c_str(), nullptr);
  } else if (read.ec != std::errc{}) {
    return kNaN;
  }
  return sign * number;
}

JsValue add(const JsValue& a, const JsValue& b) {
  if (is_number(a) && is_number(b)) {
    const Number x = number_of(a);
    const Number y = number_of(b);
    if (x.whole && y.whole && fits(x.integer + y.integer)) return from_wide(x.integer + y.integer);
    return from_double(x.as_double() + y.as_double());
  }
  const JsValue left = to_primitive(a);
  const JsValue right = to_primitive(b);
  if (as_string(left) || as_string(right)) return to_string(left) + to_string(right);
  return add(to_number(left), to_number(right));
}

JsValue subtract(const JsValue& a, const JsValue& b) {
  const Number x = coerce(a);
  const Number y = coerce(b);
  if (x.whole && y.whole && fits(x.integer - y.integer)) return from_wide(x.integer - y.integer);
  return from_double(x.as_double() - y.as_double());
}

JsValue multiply(const JsValue& a, const JsValue& b) {
  const Number x = coerce(a);
  const Number y = coerce(b);
  Wide product = 0;
  if (x.whole && y.whole && !__builtin_mul_overflow(x.integer, y.integer, &product) &&
      fits(product)) {
    return whole_or_minus_zero(product, (x.integer < 0) != (y.integer < 0));
  }
  return from_double(x.as_double() * y.as_double());
}

JsValue divide(const JsValue& a, const JsValue& b) {
  const Number x = coerce(a);
  const Number y = coerce(b);
  if (x.whole && y.whole && y.integer != 0 && x.integer % y.integer == 0 &&
      fits(x.integer / y.integer)) {
    return whole_or_minus_zero(x.integer / y.integer, (x.integer < 0) != (y.integer < 0));
  }
  return from_double(x.as_double() / y.as_double());
}

JsValue remainder(const JsValue& a, const JsValue& b) {
  const Number x = coerce(a);
  const Number y = coerce(b);
  if (x.whole && y.whole && y.integer != 0) {
    return whole_or_minus_zero(x.integer % y.integer, x.integer < 0);
  }
  return from_double(std::fmod(x.as_double(), y.as_double()));
}

JsValue power(const JsValue& a, const JsValue& b) {
  const double base = coerce(a).as_double();
  const double exponent = coerce(b).as_double();
  // The two places where JavaScript and C differ (ECMA-262 6.1.6.1.3).
  if (std::isnan(exponent)) return kNaN;
  if (std::isinf(exponent) && std::abs(base) == 1) return kNaN;
  return from_double(std::pow(base, exponent));
}

JsValue negate(const JsValue& value) {
  const Number x = coerce(value);
  if (!x.whole) return from_double(-x.real);
  if (x.integer == 0) return -0.0;
  if (!fits(-x.integer)) return -x.as_double();
  return from_wide(-x.integer);
}

bool strict_equals(const JsValue& a, const JsValue& b) {
  if (is_number(a) && is_number(b)) return equal_numbers(number_of(a), number_of(b));
  if (const auto left = as_string(a)) return left == as_string(b);
  if (a.index() != b.index()) return false;
  if (const auto* left = std::get_if<bool>(&a)) return *left == std::get<bool>(b);
  if (const auto* left = std::get_if<const Json*>(&a)) return *left == std::get<const Json*>(b);
  return is_nullish(a);
}

bool loose_equals(const JsValue& a, const JsValue& b) {
  if (is_nullish(a) || is_nullish(b)) return is_nullish(a) && is_nullish(b);
  const bool left_object = std::holds_alternative<const Json*>(a);
  const bool right_object = std::holds_alternative<const Json*>(b);
  if (left_object && right_object) return strict_equals(a, b);
  const JsValue left = to_primitive(a);
  const JsValue right = to_primitive(b);
  const auto left_text = as_string(left);
  const auto right_text = as_string(right);
  if (left_text && right_text) return *left_text == *right_text;
  return equal_numbers(coerce(left), coerce(right));
}

std::optional<bool> less_than(const JsValue& a, const JsValue& b) {
  const JsValue left = to_primitive(a);
  const JsValue right = to_primitive(b);
  const auto left_text = as_string(left);
  const auto right_text = as_string(right);
  if (left_text && right_text) return compare_utf16(*left_text, *right_text) < 0;
  return less_number(coerce(left), coerce(right));
}

JsValue member(const JsValue& value, std::string_view key) {
  const auto element_index = [&]() -> std::optional<std::size_t> {
    // A canonical array index: digits without a leading zero.
    if (key.empty() || key.size() > 10 || (key.size() > 1 && key[0] == '0')) return std::nullopt;
    std::size_t index = 0;
    const auto read = std::from_chars(key.data(), key.data() + key.size(), index);
    if (read.ec != std::errc{} || read.ptr != key.data() + key.size()) return std::nullopt;
    return index;
  };
  if (const auto text = as_string(value)) {
    if (key == "length") return static_cast<std::int64_t>(utf16_length(*text));
    if (const auto index = element_index()) {
      if (auto unit = utf16_unit(*text, *index)) return std::move(*unit);
    }
    return Undefined{};
  }
  const auto* json = std::get_if<const Json*>(&value);
  if (json == nullptr) return Undefined{};
  if ((*json)->is_object()) {
    const auto found = (*json)->find(key);
    if (found == (*json)->object_range().end()) return Undefined{};
    return from_json(found->value());
  }
  if (key == "length") return static_cast<std::int64_t>((*json)->size());
  const auto index = element_index();
  if (!index || *index >= (*json)->size()) return Undefined{};
  return from_json((**json)[*index]);
}

}  // namespace tributary::orchestrate::expression
