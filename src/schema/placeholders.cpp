#include "schema/placeholders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tributary::schema {
namespace {

bool starts_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool continues_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9');
}

// One ((name)) in a text: [begin, end) with the parentheses.
struct Found {
  std::size_t begin;
  std::size_t end;
  std::string_view name;
};

std::optional<Found> find_placeholder(std::string_view text, std::size_t from) {
  for (auto open = text.find("((", from); open != std::string_view::npos;
       open = text.find("((", open + 1)) {
    auto end = open + 2;
    if (end >= text.size() || !starts_name(text[end])) continue;
    while (end < text.size() && continues_name(text[end])) ++end;
    if (text.substr(end, 2) == "))")
      return Found{open, end + 2, text.substr(open + 2, end - open - 2)};
  }
  return std::nullopt;
}

void collect(const Json& json, std::vector<std::string>& names) {
  if (json.is_object()) {
    for (const auto& member : json.object_range()) collect(member.value(), names);
  } else if (json.is_array()) {
    for (const auto& item : json.array_range()) collect(item, names);
  } else if (json.is_string()) {
    const auto text = json.as_string_view();
    for (auto found = find_placeholder(text, 0); found;
         found = find_placeholder(text, found->end)) {
      if (std::ranges::find(names, found->name) == names.end()) names.emplace_back(found->name);
    }
  }
}

Result<const Json*> find_parameter(const Json& parameters, std::string_view name) {
  if (parameters.is_object()) {
    const auto found = parameters.find(name);
    if (found != parameters.object_range().end()) return &found->value();
  }
  return fail(ErrorClass::kFunction, "missing_parameter",
              fmt::format("the parameter \"{}\" is missing", name),
              fmt::format("The function's settings hold (({})): give it a value.", name),
              "/parameters/" + escape_pointer(name));
}

Result<Json> fill_text(const Json& json, const Json& parameters) {
  const auto text = json.as_string_view();
  auto found = find_placeholder(text, 0);
  if (!found) return json;
  if (found->begin == 0 && found->end == text.size()) {
    auto parameter = find_parameter(parameters, found->name);
    if (!parameter) return std::unexpected(std::move(parameter.error()));
    return **parameter;
  }
  std::string filled;
  std::size_t done = 0;
  for (; found; found = find_placeholder(text, found->end)) {
    auto parameter = find_parameter(parameters, found->name);
    if (!parameter) return std::unexpected(std::move(parameter.error()));
    filled += text.substr(done, found->begin - done);
    filled += (*parameter)->is_string() ? (*parameter)->as_string() : to_text(**parameter);
    done = found->end;
  }
  filled += text.substr(done);
  return Json(filled);
}

Result<Json> fill(const Json& json, const Json& parameters) {
  if (json.is_object()) {
    Json filled = json_object();
    for (const auto& member : json.object_range()) {
      auto value = fill(member.value(), parameters);
      if (!value) return value;
      filled.insert_or_assign(member.key(), std::move(*value));
    }
    return filled;
  }
  if (json.is_array()) {
    Json filled = json_array();
    filled.reserve(json.size());
    for (const auto& item : json.array_range()) {
      auto value = fill(item, parameters);
      if (!value) return value;
      filled.push_back(std::move(*value));
    }
    return filled;
  }
  return json.is_string() ? fill_text(json, parameters) : Result<Json>(json);
}

}  // namespace

std::vector<std::string> placeholder_names(const Json& settings) {
  std::vector<std::string> names;
  collect(settings, names);
  return names;
}

bool has_placeholder(std::string_view text) {
  return find_placeholder(text, 0).has_value();
}

Result<Json> fill_placeholders(const Json& settings, const Json& parameters,
                               const std::vector<std::string>& bound) {
  if (bound.empty() || !settings.is_object()) return fill(settings, parameters);
  Json filled = json_object();
  for (const auto& member : settings.object_range()) {
    auto value = std::ranges::find(bound, member.key()) != bound.end()
                     ? Result<Json>(member.value())
                     : fill(member.value(), parameters);
    if (!value) return value;
    filled.insert_or_assign(member.key(), std::move(*value));
  }
  return filled;
}

}  // namespace tributary::schema
