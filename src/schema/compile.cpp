// Document → Rules. Refuses what is outside the subset, so that a slip in a schema file cannot mean
// "anything goes".
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "schema/rules.hpp"

namespace tributary::schema {
namespace {

constexpr int kMaxSchemaDepth = 32;

constexpr std::array kTypes = {
    std::pair<std::string_view, Type>{"object", Type::kObject},
    std::pair<std::string_view, Type>{"array", Type::kArray},
    std::pair<std::string_view, Type>{"string", Type::kString},
    std::pair<std::string_view, Type>{"integer", Type::kInteger},
    std::pair<std::string_view, Type>{"number", Type::kNumber},
    std::pair<std::string_view, Type>{"boolean", Type::kBoolean},
};

const std::set<std::string_view>& known_keywords() {
  static const std::set<std::string_view> keywords = {"$schema",
                                                      "$id",
                                                      "$comment",
                                                      "$defs",
                                                      "$ref",
                                                      "type",
                                                      "properties",
                                                      "required",
                                                      "enum",
                                                      "const",
                                                      "default",
                                                      "minimum",
                                                      "maximum",
                                                      "exclusiveMinimum",
                                                      "minLength",
                                                      "maxLength",
                                                      "pattern",
                                                      "format",
                                                      "items",
                                                      "minItems",
                                                      "maxItems",
                                                      "uniqueItems",
                                                      "additionalProperties",
                                                      "title",
                                                      "description",
                                                      "examples",
                                                      "if",
                                                      "then",
                                                      "else",
                                                      "allOf",
                                                      "dependentRequired",
                                                      "x-secret",
                                                      "x-unit",
                                                      "x-group",
                                                      "x-groups",
                                                      "x-enumTitles",
                                                      "x-showWhen",
                                                      "x-widget",
                                                      "x-placeholder",
                                                      "x-bind",
                                                      "x-key",
                                                      "x-certificates",
                                                      "x-function",
                                                      "x-kind",
                                                      "x-polled",
                                                      "x-idempotent",
                                                      "x-batch"};
  return keywords;
}

// A mistake in the schema; only inside this file, turned into an Error by compile_rules.
struct Invalid {
  std::string pointer;
  std::string text;
};

// Where in the document a schema stands.
struct Place {
  std::string pointer;
  int depth = 0;
  bool root = false;  // the root, or a condition on it: secrets are taken out
  bool branch =
      false;  // below if, then, else or allOf: adds rules to an object, does not describe all of it

  Place below(std::string_view keyword) const {
    return {pointer + "/" + escape_pointer(keyword), depth + 1, false, branch};
  }
  // Of a schema for the same value.
  Place beside(std::string_view keyword) const {
    return {pointer + "/" + escape_pointer(keyword), depth + 1, root, true};
  }
};

class Compiler {
 public:
  explicit Compiler(const Json& document) : document_(document) {}

  Compiled run() {
    if (!document_.is_object()) throw Invalid{"", "a schema is an object"};
    find_secrets();
    out_.root = compile(document_, {"", 0, true, false});
    return std::move(out_);
  }

 private:
  const Rules* compile(const Json& schema, const Place& place) {
    if (!schema.is_object()) throw Invalid{place.pointer, "must be a schema (an object)"};
    if (place.depth > kMaxSchemaDepth) throw Invalid{place.pointer, "is nested too deep"};
    for (const auto& member : schema.object_range()) {
      if (!known_keywords().contains(member.key())) {
        throw Invalid{place.pointer + "/" + escape_pointer(member.key()),
                      "is not part of the subset that settings use"};
      }
    }
    Rules& rules = out_.arena.emplace_back();
    read_scalars(schema, place, rules);
    read_object(schema, place, rules);
    read_array(schema, place, rules);
    read_branches(schema, place, rules);
    return &rules;
  }

  void read_scalars(const Json& schema, const Place& place, Rules& rules) {
    if (const Json* type = find(schema, "type")) rules.type = read_type(*type, place);
    if (const Json* values = find(schema, "enum")) {
      if (!values->is_array() || values->empty())
        throw Invalid{place.pointer + "/enum", "must be a list of values"};
      rules.values.assign(values->array_range().begin(), values->array_range().end());
    }
    if (const Json* value = find(schema, "const")) rules.constant = *value;
    if (const Json* value = find(schema, "default")) rules.default_value = *value;
    rules.minimum = read_number(schema, "minimum", place);
    rules.maximum = read_number(schema, "maximum", place);
    rules.exclusive_minimum = read_number(schema, "exclusiveMinimum", place);
    rules.min_length = read_count(schema, "minLength", place);
    rules.max_length = read_count(schema, "maxLength", place);
    rules.unit = get_string(schema, "x-unit");
    rules.example = get_string(schema, "x-placeholder");
    const Json& examples = get_member(schema, "examples");
    if (rules.example.empty() && examples.is_array() && !examples.empty() &&
        examples[0].is_string()) {
      rules.example = examples[0].as_string();
    }
    read_pattern(schema, place, rules);
    if (const Json* format = find(schema, "format")) {
      if (*format == Json("hostname")) rules.format = Format::kHostname;
      if (*format == Json("uri")) rules.format = Format::kUri;
      if (rules.format == Format::kNone)
        throw Invalid{place.pointer + "/format", "must be hostname or uri"};
    }
  }

  static void read_pattern(const Json& schema, const Place& place, Rules& rules) {
    const Json* pattern = find(schema, "pattern");
    if (pattern == nullptr) return;
    if (!pattern->is_string()) throw Invalid{place.pointer + "/pattern", "must be text"};
    try {
      rules.pattern.emplace(
          Pattern{pattern->as_string(), std::regex(pattern->as_string(), std::regex::ECMAScript)});
    } catch (const std::regex_error& error) {
      throw Invalid{place.pointer + "/pattern",
                    fmt::format("is not a regular expression: {}", error.what())};
    }
  }

  void read_object(const Json& schema, const Place& place, Rules& rules) {
    const Json* properties = find(schema, "properties");
    if (properties != nullptr) {
      if (!properties->is_object())
        throw Invalid{place.pointer + "/properties", "must be an object of schemas"};
      for (const auto& member : properties->object_range()) {
        const Place at = place.below("properties").below(member.key());
        if (place.root && is_secret(member.key())) continue;
        if (get_bool(member.value(), "x-secret", false)) {
          throw Invalid{at.pointer, "a secret stands at the top level of a connection's schema"};
        }
        rules.properties.emplace_back(member.key(), compile(member.value(), at));
      }
    }
    rules.required = read_names(schema, "required", place);
    if (const Json* dependent = find(schema, "dependentRequired")) {
      if (!dependent->is_object())
        throw Invalid{place.pointer + "/dependentRequired", "must be an object of lists"};
      for (const auto& member : dependent->object_range()) {
        if (place.root && is_secret(member.key())) continue;
        rules.dependent_required.emplace_back(
            member.key(), read_names(*dependent, member.key(), place.below("dependentRequired")));
        if (place.root) drop_secrets(rules.dependent_required.back().second);
      }
    }
    const bool described = properties != nullptr || rules.type == Type::kObject;
    rules.closed = described && !place.branch && find(schema, "$ref") == nullptr;
    if (const Json* additional = find(schema, "additionalProperties")) {
      rules.closed = additional->is_bool() && !additional->as_bool();
      if (!additional->is_bool())
        rules.additional = compile(*additional, place.below("additionalProperties"));
    }
  }

  void read_array(const Json& schema, const Place& place, Rules& rules) {
    if (const Json* items = find(schema, "items"))
      rules.items = compile(*items, place.below("items"));
    rules.min_items = read_count(schema, "minItems", place);
    rules.max_items = read_count(schema, "maxItems", place);
    rules.unique_items = get_bool(schema, "uniqueItems", false);
    rules.key = get_string(schema, "x-key");
  }

  void read_branches(const Json& schema, const Place& place, Rules& rules) {
    if (const Json* reference = find(schema, "$ref"))
      rules.reference = compile_reference(*reference, place);
    if (const Json* list = find(schema, "allOf")) {
      if (!list->is_array()) throw Invalid{place.pointer + "/allOf", "must be a list of schemas"};
      for (std::size_t i = 0; i < list->size(); ++i) {
        rules.all_of.push_back(
            compile((*list)[i], place.beside("allOf").beside(std::to_string(i))));
      }
    }
    if (const Json* branch = find(schema, "if"))
      rules.condition = compile(*branch, place.beside("if"));
    if (const Json* branch = find(schema, "then"))
      rules.then_rules = compile(*branch, place.beside("then"));
    if (const Json* branch = find(schema, "else"))
      rules.else_rules = compile(*branch, place.beside("else"));
  }

  // Definitions are compiled where they are first used. One that contains itself would allow
  // settings without an end.
  const Rules* compile_reference(const Json& reference, const Place& place) {
    constexpr std::string_view kPrefix = "#/$defs/";
    const auto text = reference.is_string() ? reference.as_string() : std::string();
    const auto at = place.pointer + "/$ref";
    if (!text.starts_with(kPrefix)) throw Invalid{at, "only \"#/$defs/name\" is used"};
    const auto name = text.substr(kPrefix.size());
    const Json* definition = find(get_member(document_, "$defs"), name);
    if (definition == nullptr)
      throw Invalid{at, fmt::format("there is no definition \"{}\"", name)};
    const auto key = std::pair{name, place.branch};
    if (const auto done = definitions_.find(key); done != definitions_.end()) {
      if (done->second == nullptr)
        throw Invalid{at, fmt::format("the definition \"{}\" contains itself", name)};
      return done->second;
    }
    definitions_[key] = nullptr;
    const Rules* rules = compile(
        *definition, {"/$defs/" + escape_pointer(name), place.depth + 1, false, place.branch});
    definitions_[key] = rules;
    return rules;
  }

  void find_secrets() {
    const Json& properties = get_member(document_, "properties");
    if (!properties.is_object()) return;
    for (const auto& member : properties.object_range()) {
      if (!get_bool(member.value(), "x-secret", false)) continue;
      if (get_string(member.value(), "type") != "string") {
        throw Invalid{"/properties/" + escape_pointer(member.key()),
                      "a secret is text: \"type\": \"string\""};
      }
      out_.secrets.push_back(member.key());
    }
  }

  bool is_secret(std::string_view name) const {
    return std::ranges::find(out_.secrets, name) != out_.secrets.end();
  }
  void drop_secrets(std::vector<std::string>& names) const {
    std::erase_if(names, [this](const std::string& name) { return is_secret(name); });
  }

  static const Json* find(const Json& object, std::string_view name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found == object.object_range().end() ? nullptr : &found->value();
  }

  static Type read_type(const Json& json, const Place& place) {
    for (const auto& [name, type] : kTypes) {
      if (json.is_string() && json.as_string_view() == name) return type;
    }
    throw Invalid{place.pointer + "/type",
                  to_text(json) + " is none of object, array, string, integer, number, boolean"};
  }

  static std::optional<Json> read_number(const Json& schema, std::string_view name,
                                         const Place& place) {
    const Json* json = find(schema, name);
    if (json == nullptr) return std::nullopt;
    if (!json->is_number())
      throw Invalid{fmt::format("{}/{}", place.pointer, name), "must be a number"};
    return *json;
  }

  static std::optional<std::size_t> read_count(const Json& schema, std::string_view name,
                                               const Place& place) {
    const Json* json = find(schema, name);
    if (json == nullptr) return std::nullopt;
    if (!json->is<std::uint64_t>())
      throw Invalid{fmt::format("{}/{}", place.pointer, name), "must be a count"};
    return json->as<std::size_t>();
  }

  std::vector<std::string> read_names(const Json& schema, std::string_view name,
                                      const Place& place) const {
    const Json* json = find(schema, name);
    std::vector<std::string> names;
    if (json == nullptr) return names;
    const auto at = fmt::format("{}/{}", place.pointer, name);
    if (!json->is_array()) throw Invalid{at, "must be a list of names"};
    for (const auto& item : json->array_range()) {
      if (!item.is_string()) throw Invalid{at, "must be a list of names"};
      names.push_back(item.as_string());
    }
    if (place.root) drop_secrets(names);
    return names;
  }

  const Json& document_;
  Compiled out_;
  std::map<std::pair<std::string, bool>, const Rules*>
      definitions_;  // null while it is being compiled
};

}  // namespace

const Rules* Rules::property(std::string_view name) const {
  const auto found = std::ranges::find(
      properties, name, [](const auto& each) { return std::string_view(each.first); });
  return found == properties.end() ? nullptr : found->second;
}

Result<Compiled> compile_rules(const Json& document) {
  try {
    return Compiler(document).run();
  } catch (const Invalid& invalid) {
    return fail(
        ErrorClass::kConfiguration, "invalid_schema",
        fmt::format("{}: {}", invalid.pointer.empty() ? "/" : invalid.pointer, invalid.text));
  }
}

}  // namespace tributary::schema
