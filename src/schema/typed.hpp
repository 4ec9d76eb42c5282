// What generated settings.cpp files are made of: one overload of read_value per kind of member.
//
// The documents were validated, so a value of the wrong type cannot be met; should it be, the
// member keeps what it has.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "model/json.hpp"

namespace tributary::schema {

template <typename T>
concept FromJson = requires(const Json& json) {
  { T::from_json(json) } -> std::same_as<T>;
};
template <typename T>
concept TextEnum = std::is_enum_v<T> && requires(std::string_view text, T& value) {
  { from_string(text, value) } -> std::same_as<bool>;
};

inline void read_value(const Json& json, bool& out) {
  if (json.is_bool()) out = json.as<bool>();
}
// 5.0 is an integer for JSON Schema. Validation keeps integers within 64 bits.
inline void read_value(const Json& json, std::int64_t& out) {
  constexpr double kLimit = 9223372036854774784.0;  // the largest double below 2^63
  if (json.is<std::int64_t>()) {
    out = json.as<std::int64_t>();
  } else if (json.is_double() && json.as<double>() >= -kLimit && json.as<double>() <= kLimit) {
    out = static_cast<std::int64_t>(json.as<double>());
  }
}
inline void read_value(const Json& json, double& out) {
  if (json.is_number()) out = json.as<double>();
}
inline void read_value(const Json& json, std::string& out) {
  if (json.is_string()) out = json.as<std::string>();
}
inline void read_value(const Json& json, Json& out) {
  out = json;
}
template <TextEnum T>
void read_value(const Json& json, T& out) {
  if (json.is_string()) from_string(json.as_string_view(), out);
}
template <FromJson T>
void read_value(const Json& json, T& out) {
  if (json.is_object()) out = T::from_json(json);
}
template <typename T>
void read_value(const Json& json, std::vector<T>& out);
template <typename T>
void read_value(const Json& json, std::map<std::string, T, std::less<>>& out);
template <typename T>
void read_value(const Json& json, std::optional<T>& out) {
  T value{};
  read_value(json, value);
  out = std::move(value);
}
template <typename T>
void read_value(const Json& json, std::vector<T>& out) {
  if (!json.is_array()) return;
  out.clear();
  out.reserve(json.size());
  for (const Json& item : json.array_range()) {
    T value{};
    read_value(item, value);
    out.push_back(std::move(value));
  }
}
template <typename T>
void read_value(const Json& json, std::map<std::string, T, std::less<>>& out) {
  if (!json.is_object()) return;
  out.clear();
  for (const auto& member : json.object_range()) {
    T value{};
    read_value(member.value(), value);
    out.insert_or_assign(member.key(), std::move(value));
  }
}

// An absent member leaves `out` as it is.
template <typename T>
void read_member(const Json& object, std::string_view name, T& out) {
  const auto found = object.find(name);
  if (found != object.object_range().end()) read_value(found->value(), out);
}

}  // namespace tributary::schema
