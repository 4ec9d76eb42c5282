// The one document type: JSON that keeps the order in which its members were written.
#pragma once

#include <jsoncons/json.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tributary {

using Json = jsoncons::ojson;

inline Json json_object() {
  return Json(jsoncons::json_object_arg);
}
inline Json json_array() {
  return Json(jsoncons::json_array_arg);
}

constexpr int kMaxJsonDepth = 64;

// Error: kFunction "invalid_json" with line and column; nesting beyond kMaxJsonDepth is refused.
Result<Json> parse_json(std::string_view text);
// Compact text. NaN and infinities become null.
std::string to_text(const Json& json);

// Members that may be missing: the value, or the fallback when absent or of another type.
std::string get_string(const Json& object, std::string_view name, std::string_view fallback = {});
bool get_bool(const Json& object, std::string_view name, bool fallback);
std::int64_t get_int(const Json& object, std::string_view name, std::int64_t fallback);
double get_double(const Json& object, std::string_view name, double fallback);
// The member, or a null value that lives for ever.
const Json& get_member(const Json& object, std::string_view name);

// RFC 7396. Null members of the patch remove.
Json merge_patch(const Json& target, const Json& patch);
// RFC 6901 escaping of one reference token.
std::string escape_pointer(std::string_view token);

}  // namespace tributary
