#include "app/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

namespace tributary::app {
namespace {

constexpr int kMaxDepth = 64;

Error invalid(std::string message) {
  return Error(ErrorClass::kFunction, "invalid_document",
               "The document cannot be used: " + std::move(message));
}

using Variables = std::map<std::string, std::string>;

Result<std::string> replace_variables(const std::string& text, const Variables& variables) {
  std::string out;
  std::size_t at = 0;
  while (true) {
    const auto begin = text.find("${", at);
    const auto end = begin == std::string::npos ? begin : text.find('}', begin);
    if (end == std::string::npos) return out + text.substr(at);
    out += text.substr(at, begin - at);
    const std::string inside = text.substr(begin + 2, end - begin - 2);
    const auto dash = inside.find(":-");
    const std::string name = inside.substr(0, dash);
    if (auto found = variables.find(name); found != variables.end()) {
      out += found->second;
    } else if (dash != std::string::npos) {
      out += inside.substr(dash + 2);
    } else {
      return fail(invalid(
          fmt::format("it needs a value for {}. Give one with --set {}=VALUE.", name, name)));
    }
    at = end + 1;
  }
}

template <typename T>
std::optional<T> whole_number(const std::string& text) {
  T number{};
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  auto [parsed, error] = std::from_chars(begin, end, number);
  return error == std::errc() && parsed == end && begin != end ? std::optional<T>(number)
                                                               : std::nullopt;
}

bool looks_numeric(const std::string& text) {
  return !text.empty() && text.find_first_not_of("+-0123456789.eE") == std::string::npos &&
         text.find_first_of("0123456789") != std::string::npos;
}

// The core schema of YAML 1.2: what a scalar without quotes means.
Json plain_scalar(const std::string& text) {
  if (text.empty() || text == "null" || text == "~" || text == "Null" || text == "NULL")
    return Json::null();
  if (text == "true" || text == "True" || text == "TRUE") return Json(true);
  if (text == "false" || text == "False" || text == "FALSE") return Json(false);
  if (!looks_numeric(text)) return Json(text);
  if (auto number = whole_number<std::int64_t>(text)) return Json(*number);
  if (auto number = whole_number<std::uint64_t>(text)) return Json(*number);
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  return end == text.c_str() + text.size() && std::isfinite(number) ? Json(number) : Json(text);
}

Result<Json> to_json(const YAML::Node& node, const Variables& variables, int depth) {
  if (depth > kMaxDepth) return fail(invalid("it is nested too deeply."));
  switch (node.Type()) {
    case YAML::NodeType::Scalar: {
      auto text = replace_variables(node.Scalar(), variables);
      TRIBUTARY_TRY(text);
      return node.Tag() == "!" ? Json(*text) : plain_scalar(*text);
    }
    case YAML::NodeType::Sequence: {
      Json list = json_array();
      for (const auto& item : node) {
        auto value = to_json(item, variables, depth + 1);
        TRIBUTARY_TRY(value);
        list.push_back(std::move(*value));
      }
      return list;
    }
    case YAML::NodeType::Map: {
      Json object = json_object();
      for (const auto& member : node) {
        auto value = to_json(member.second, variables, depth + 1);
        TRIBUTARY_TRY(value);
        object[member.first.Scalar()] = std::move(*value);
      }
      return object;
    }
    default:
      return Json::null();
  }
}

Result<std::vector<Json>> read_list(const Json& root, std::string_view name) {
  std::vector<Json> items;
  std::set<std::string> names;
  const Json& list = get_member(root, name);
  if (list.is_null()) return items;
  if (!list.is_array()) return fail(invalid(fmt::format("{} must be a list.", name)));
  for (const auto& item : list.array_range()) {
    if (!item.is_object() || get_string(item, "name").empty()) {
      return fail(invalid(fmt::format("each of {} needs a name.", name)));
    }
    const std::string own = get_string(item, "name");
    if (!names.insert(own).second)
      return fail(invalid(fmt::format("{} has \"{}\" twice.", name, own)));
    items.push_back(item);
  }
  return items;
}

// A string that would be read back as something else is quoted.
void emit(YAML::Emitter& out, const Json& json) {
  if (json.is_object()) {
    out << YAML::BeginMap;
    for (const auto& member : json.object_range()) {
      out << YAML::Key << std::string(member.key()) << YAML::Value;
      emit(out, member.value());
    }
    out << YAML::EndMap;
  } else if (json.is_array()) {
    out << YAML::BeginSeq;
    for (const auto& item : json.array_range()) emit(out, item);
    out << YAML::EndSeq;
  } else if (json.is_string()) {
    const std::string text = json.as<std::string>();
    if (!plain_scalar(text).is_string() || text.find("${") != std::string::npos)
      out << YAML::DoubleQuoted;
    out << text;
  } else if (json.is_null()) {
    out << YAML::Null;
  } else {
    out << to_text(json);
  }
}

}  // namespace

Result<std::string> read_text(const std::string& path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(ErrorClass::kFunction, "invalid_document", fmt::format("{} cannot be read.", path));
  text << file.rdbuf();
  return text.str();
}

Result<std::map<std::string, std::string>> set_variables(const Arguments& arguments) {
  std::map<std::string, std::string> variables;
  for (const std::string& setting : arguments.all("--set")) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(usage_error(fmt::format("--set takes NAME=VALUE, not \"{}\".", setting)));
    }
    variables[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return variables;
}

Result<Json> parse_yaml(const std::string& text, const Variables& variables) {
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    return fail(invalid(fmt::format("line {}: {}.", error.mark.line + 1, error.msg)));
  }
  return to_json(root, variables, 0);
}

Result<Document> parse_pipelines(const std::string& text, const Variables& variables) {
  auto json = parse_yaml(text, variables);
  TRIBUTARY_TRY(json);
  const Json& exported = get_member(*json, "pipeline");
  const Json& single = exported.is_object() ? exported : *json;
  if (!get_member(single, "nodes").is_array()) return parse_document(text, variables);
  Document document;
  document.pipelines.push_back(single);
  return document;
}

Result<Document> parse_document(const std::string& text, const Variables& variables) {
  auto json = parse_yaml(text, variables);
  TRIBUTARY_TRY(json);
  if (!json->is_object())
    return fail(invalid("it needs the members connections, pipelines or maintenanceWindows."));
  for (const auto& member : json->object_range()) {
    if (member.key() != "connections" && member.key() != "pipelines" &&
        member.key() != "maintenanceWindows") {
      return fail(invalid(fmt::format(
          "there is no member \"{}\"; it has connections, pipelines and maintenanceWindows.",
          member.key())));
    }
  }
  Document document;
  auto connections = read_list(*json, "connections");
  TRIBUTARY_TRY(connections);
  document.connections = std::move(*connections);
  for (const Json& connection : document.connections) {
    TRIBUTARY_TRY(read_list(connection, "functions"));
  }
  auto pipelines = read_list(*json, "pipelines");
  TRIBUTARY_TRY(pipelines);
  document.pipelines = std::move(*pipelines);
  auto windows = read_list(*json, "maintenanceWindows");
  TRIBUTARY_TRY(windows);
  document.maintenance_windows = std::move(*windows);
  return document;
}

std::string format_document(const Document& document, const std::vector<std::string>& comments) {
  std::string text;
  for (const std::string& comment : comments) text += "# " + comment + "\n";
  Json root = json_object();
  root["connections"] =
      Json(jsoncons::json_array_arg, document.connections.begin(), document.connections.end());
  root["pipelines"] =
      Json(jsoncons::json_array_arg, document.pipelines.begin(), document.pipelines.end());
  if (!document.maintenance_windows.empty()) {
    root["maintenanceWindows"] =
        Json(jsoncons::json_array_arg, document.maintenance_windows.begin(),
             document.maintenance_windows.end());
  }
  YAML::Emitter out;
  emit(out, root);
  return text + out.c_str() + "\n";
}

void ConnectionNames::add(const std::string& name, std::string id) {
  name_by_id_[id] = name;
  id_by_name_[name] = std::move(id);
}

namespace {

// Replaces the list `from` of a window's targets by the list `to`, as far as `known` has its words.
Json translate_targets(const Json& window, std::string_view from, std::string_view to,
                       const std::map<std::string, std::string>& known) {
  Json copy = window;
  const Json words = get_member(get_member(window, "targets"), from);
  if (!words.is_array()) return copy;
  Json translated = json_array();
  for (const auto& word : words.array_range()) {
    const auto found = known.find(word.is_string() ? word.as<std::string>() : std::string());
    if (found != known.end()) translated.push_back(found->second);
  }
  Json& targets = copy.at("targets");
  targets.erase(std::string(from));
  targets[std::string(to)] = std::move(translated);
  return copy;
}

}  // namespace

Json ConnectionNames::with_ids(const Json& window) const {
  return translate_targets(window, "connections", "connectionIds", id_by_name_);
}

Json ConnectionNames::with_names(const Json& window) const {
  return translate_targets(window, "connectionIds", "connections", name_by_id_);
}

std::vector<std::string> ConnectionNames::unknown(const Json& window) const {
  std::vector<std::string> names;
  const Json& wanted = get_member(get_member(window, "targets"), "connections");
  if (!wanted.is_array()) return names;
  for (const auto& name : wanted.array_range()) {
    const std::string text = name.is_string() ? name.as<std::string>() : to_text(name);
    if (!id_by_name_.contains(text)) names.push_back(text);
  }
  return names;
}

}  // namespace tributary::app
