#include "model/json.hpp"

#include <cmath>
#include <limits>

namespace tributary {
namespace {

// Infinities and NaN have no JSON form; null says "no number".
jsoncons::json_options writing_options() {
  return jsoncons::json_options{}.nan_to_num("null").inf_to_num("null").neginf_to_num("null");
}

}  // namespace

std::string to_text(const Json& json) {
  static const jsoncons::json_options options = writing_options();
  std::string text;
  json.dump(text, options);
  return text;
}

std::string get_string(const Json& object, std::string_view name, std::string_view fallback) {
  const Json& member = get_member(object, name);
  return member.is_string() ? member.as_string() : std::string(fallback);
}

bool get_bool(const Json& object, std::string_view name, bool fallback) {
  const Json& member = get_member(object, name);
  return member.is_bool() ? member.as_bool() : fallback;
}

std::int64_t get_int(const Json& object, std::string_view name, std::int64_t fallback) {
  const Json& member = get_member(object, name);
  return member.is_int64() ? member.as<std::int64_t>() : fallback;
}

double get_double(const Json& object, std::string_view name, double fallback) {
  const Json& member = get_member(object, name);
  return member.is_number() ? member.as_double() : fallback;
}

const Json& get_member(const Json& object, std::string_view name) {
  static const Json none = Json::null();
  if (!object.is_object()) return none;
  auto found = object.find(name);
  return found == object.object_range().end() ? none : found->value();
}

Json merge_patch(const Json& target, const Json& patch) {
  if (!patch.is_object()) return patch;
  Json result = target.is_object() ? target : json_object();
  for (const auto& member : patch.object_range()) {
    if (member.value().is_null()) {
      result.erase(member.key());
    } else {
      result.insert_or_assign(member.key(),
                              merge_patch(get_member(result, member.key()), member.value()));
    }
  }
  return result;
}

std::string escape_pointer(std::string_view token) {
  std::string escaped;
  for (char c : token) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace tributary
