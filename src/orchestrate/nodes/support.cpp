#include "orchestrate/nodes/support.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tributary::orchestrate {
namespace {

constexpr std::size_t kDigits = 20;
constexpr std::string_view kUndefined = "undefined";

}  // namespace

std::optional<FieldPath> parse_path(std::string_view name) {
  FieldPath path(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\' && i + 1 < name.size()) {
      path.back() += name[++i];
    } else if (name[i] == '.') {
      path.emplace_back();
    } else {
      path.back() += name[i];
    }
  }
  const bool empty = std::any_of(path.begin(), path.end(), [](const auto& p) { return p.empty(); });
  if (empty || path.size() > kMaxPathDepth) return std::nullopt;
  return path;
}

FieldPath read_path(const NodeBuild& build, const std::string& below, std::string_view name) {
  auto path = parse_path(name);
  if (path) return std::move(*path);
  build.error(
      below, "invalid",
      fmt::format("'{}' is no field name: its parts are separated by one dot, at most {} of them.",
                  name, kMaxPathDepth));
  return {};
}

void assign(Json& record, const FieldPath& path, std::optional<Json> value) {
  Json* at = &record;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    auto found = at->find(path[i]);
    if (found == at->object_range().end() || !found->value().is_object()) {
      if (!value) return;  // nothing to remove
      at->insert_or_assign(path[i], json_object());
      found = at->find(path[i]);
    }
    at = &found->value();
  }
  if (value) {
    at->insert_or_assign(path.back(), std::move(*value));
  } else {
    at->erase(path.back());
  }
}

const Json* find_path(const Json& record, const FieldPath& path) {
  const Json* at = &record;
  for (const std::string& part : path) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(part);
    if (found == at->object_range().end()) return nullptr;
    at = &found->value();
  }
  return at;
}

void make_object(Json& record) {
  if (record.is_object()) return;
  Json wrapped = json_object();
  wrapped.insert_or_assign("value", std::move(record));
  record = std::move(wrapped);
}

std::optional<expression::Template> read_text(NodeBuild& build, const Json& settings,
                                              std::string_view member, std::string_view below) {
  const Json& given = get_member(settings, member);
  if (!given.is_string()) return std::nullopt;
  auto compiled = expression::Template::compile(given.as_string_view(), build.names);
  if (compiled) return std::move(*compiled);
  build.error(fmt::format("{}/{}", below, member), compiled.error().code, compiled.error().message);
  return std::nullopt;
}

std::optional<expression::Template> read_expression(NodeBuild& build, const Json& settings,
                                                    std::string_view member,
                                                    std::string_view below) {
  auto compiled = read_text(build, settings, member, below);
  if (!compiled || compiled->is_single_expression()) return compiled;
  build.error(fmt::format("{}/{}", below, member), "invalid_expression",
              "This is exactly one expression between '{{' and '}}', without text around it.");
  return std::nullopt;
}

Result<std::string> key_of(const std::optional<expression::Template>& key,
                           const expression::Scope& scope) {
  if (!key) return std::string();
  auto value = key->evaluate_json(scope);
  if (!value) return fail(std::move(value.error()));
  std::string text = *value ? to_text(**value) : std::string(kUndefined);
  if (text.size() <= kMaxKeyBytes) return text;
  return fail(ErrorClass::kFunction, "key_too_long",
              fmt::format("The key has {} bytes; {} are allowed.", text.size(), kMaxKeyBytes));
}

Json value_of_key(const std::string& key) {
  auto value = parse_json(key);
  return value ? std::move(*value) : Json::null();
}

std::string ordered_key(std::string_view prefix, std::uint64_t number, std::string_view rest) {
  return fmt::format("{}{:020}:{}", prefix, number, rest);
}

std::string time_key(std::string_view prefix, UtcTime time, std::string_view rest) {
  const std::int64_t micros = std::max<std::int64_t>(to_micros(time), 0);
  return ordered_key(prefix, static_cast<std::uint64_t>(micros), rest);
}

std::uint64_t number_of(std::string_view key, std::string_view prefix) {
  std::uint64_t number = 0;
  const std::string_view digits = key.substr(prefix.size(), kDigits);
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

UtcTime time_of(std::string_view key, std::string_view prefix) {
  return from_micros(static_cast<std::int64_t>(number_of(key, prefix)));
}

std::string rest_of(std::string_view key, std::string_view prefix) {
  return std::string(key.substr(prefix.size() + kDigits + 1));
}

std::optional<UtcTime> first_time(const NodeState& state, std::string_view prefix) {
  const auto* first = state.first(prefix);
  if (first == nullptr) return std::nullopt;
  return time_of(first->first, prefix);
}

std::int64_t approximate_bytes(const Json& json) {
  constexpr std::int64_t kOfAValue = 16;
  if (json.is_string()) return kOfAValue + static_cast<std::int64_t>(json.as_string_view().size());
  std::int64_t sum = kOfAValue;
  if (json.is_array()) {
    for (const Json& element : json.array_range()) sum += approximate_bytes(element);
  } else if (json.is_object()) {
    for (const auto& member : json.object_range()) {
      sum += static_cast<std::int64_t>(member.key().size()) + approximate_bytes(member.value());
    }
  }
  return sum;
}

}  // namespace tributary::orchestrate
