#include "connect/validation.hpp"

#include "connect/lifecycle/policy.hpp"
#include "schema/placeholders.hpp"

namespace tributary::connect {

namespace {

constexpr std::size_t kMaxName = 100;
constexpr std::size_t kMaxDescription = 2000;
constexpr std::size_t kMaxLabels = 10;
constexpr std::size_t kMaxLabelKey = 64;
constexpr std::size_t kMaxLabelValue = 200;
constexpr std::size_t kMaxSecret = 65'536;
// Less than this is the business of the interval; more than a month is no expectation.
constexpr std::int64_t kLeastExpectMs = 100;
constexpr std::int64_t kMostExpectMs = 31LL * 24 * 3600 * 1000;

// Characters, not bytes.
std::size_t length_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool check_members(const Json& body, std::initializer_list<std::string_view> known,
                   FieldErrors& errors) {
  if (!body.is_object()) {
    errors.push_back({"", "wrong_type", "The body must be a JSON object."});
    return false;
  }
  for (const auto& member : body.object_range()) {
    const std::string_view name = member.key();
    if (std::ranges::find(known, name) != known.end()) continue;
    errors.push_back({"/" + escape_pointer(name), "unknown_property",
                      fmt::format("There is no member \"{}\".", name)});
  }
  return true;
}

void check_name(const Json& body, FieldErrors& errors) {
  const Json& name = get_member(body, "name");
  if (name.is_null()) {
    errors.push_back({"/name", "required", "A name is needed."});
  } else if (!name.is_string()) {
    errors.push_back({"/name", "wrong_type", "The name must be a string."});
  } else if (const auto text = name.as<std::string>(); is_blank(text)) {
    errors.push_back({"/name", "too_short", "The name must not be empty."});
  } else if (length_of(text) > kMaxName) {
    errors.push_back(
        {"/name", "too_long",
         fmt::format("The name has {} characters, {} are allowed.", length_of(text), kMaxName)});
  } else if (has_control_character(text)) {
    errors.push_back({"/name", "pattern", "The name must not contain control characters."});
  }
}

void check_description(const Json& body, FieldErrors& errors) {
  const Json& description = get_member(body, "description");
  if (description.is_null()) return;
  if (!description.is_string()) {
    errors.push_back({"/description", "wrong_type", "The description must be a string."});
  } else if (length_of(description.as<std::string>()) > kMaxDescription) {
    errors.push_back({"/description", "too_long",
                      fmt::format("At most {} characters are allowed.", kMaxDescription)});
  }
}

void check_flag(const Json& body, std::string_view name, FieldErrors& errors) {
  const Json& flag = get_member(body, name);
  if (flag.is_null() || flag.is_bool()) return;
  errors.push_back(
      {fmt::format("/{}", name), "wrong_type", fmt::format("{} must be true or false.", name)});
}

void check_freshness(const Json& body, const sdk::FunctionType* function, FieldErrors& errors) {
  const Json& freshness = get_member(body, "freshness");
  if (freshness.is_null()) return;
  if (!freshness.is_object()) {
    errors.push_back({"/freshness", "wrong_type", "Freshness must be an object."});
    return;
  }
  for (const auto& member : freshness.object_range()) {
    if (member.key() == "expectMs") continue;
    errors.push_back({"/freshness/" + escape_pointer(member.key()), "unknown_property",
                      fmt::format("There is no member \"{}\".", member.key())});
  }
  const Json& expect = get_member(freshness, "expectMs");
  if (expect.is_null()) return;
  if (!expect.is_int64()) {
    errors.push_back(
        {"/freshness/expectMs", "wrong_type", "expectMs must be a whole number of milliseconds."});
    return;
  }
  const auto value = expect.as<std::int64_t>();
  if (value != 0 && (value < kLeastExpectMs || value > kMostExpectMs)) {
    errors.push_back({"/freshness/expectMs", "out_of_range",
                      fmt::format("{} is not 0 (learn it) or from {} to {}.", value, kLeastExpectMs,
                                  kMostExpectMs)});
  } else if (value != 0 && function && function->kind != sdk::FunctionKind::kSubscribe) {
    errors.push_back(
        {"/freshness/expectMs", "not_allowed", "Only subscriptions bring values by themselves."});
  }
}

void check_labels(const Json& body, FieldErrors& errors) {
  const Json& labels = get_member(body, "labels");
  if (labels.is_null()) return;
  if (!labels.is_object()) {
    errors.push_back({"/labels", "wrong_type", "Labels must be an object of strings."});
    return;
  }
  if (labels.size() > kMaxLabels) {
    errors.push_back({"/labels", "too_long",
                      fmt::format("{} labels, {} are allowed.", labels.size(), kMaxLabels)});
  }
  for (const auto& label : labels.object_range()) {
    const std::string pointer = "/labels/" + escape_pointer(label.key());
    if (is_blank(label.key()) || length_of(label.key()) > kMaxLabelKey) {
      errors.push_back({pointer, "pattern",
                        fmt::format("A label's name has 1 to {} characters.", kMaxLabelKey)});
    }
    if (!label.value().is_string()) {
      errors.push_back({pointer, "wrong_type", "A label's value must be a string."});
    } else if (length_of(label.value().as<std::string>()) > kMaxLabelValue) {
      errors.push_back({pointer, "too_long",
                        fmt::format("A label's value has at most {} characters.", kMaxLabelValue)});
    }
  }
}

void check_secrets(const Json& body, const sdk::Entry& type, FieldErrors& errors) {
  const Json& secrets = get_member(body, "secrets");
  if (secrets.is_null()) return;
  if (!secrets.is_object()) {
    errors.push_back({"/secrets", "wrong_type", "Secrets must be an object of strings."});
    return;
  }
  const auto& known = type.connection.secrets();
  for (const auto& secret : secrets.object_range()) {
    const std::string pointer = "/secrets/" + escape_pointer(secret.key());
    if (std::ranges::find(known, secret.key()) == known.end()) {
      errors.push_back({pointer, "unknown_property",
                        fmt::format("{} has no secret \"{}\".", type.manifest.title,
                                    std::string(secret.key()))});
    } else if (!secret.value().is_string() && !secret.value().is_null()) {
      errors.push_back({pointer, "wrong_type", "A secret is a string, or null to remove it."});
    } else if (secret.value().is_string() && secret.value().as_string_view().size() > kMaxSecret) {
      errors.push_back(
          {pointer, "too_long", fmt::format("A secret has at most {} bytes.", kMaxSecret)});
    }
  }
}

void append(FieldErrors& errors, FieldErrors more) {
  errors.insert(errors.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
}

Json object_or_empty(const Json& body, std::string_view name) {
  const Json& member = get_member(body, name);
  return member.is_null() ? json_object() : member;
}

FieldErrors check_settings(const Json& body, const schema::Schema& schema,
                           bool allow_placeholders) {
  schema::ValidateOptions options;
  options.base_pointer = "/settings";
  options.allow_placeholders = allow_placeholders;
  return schema.validate(object_or_empty(body, "settings"), options);
}

const sdk::Entry* check_type(const Json& body, const sdk::Registry& registry, FieldErrors& errors) {
  const Json& type = get_member(body, "type");
  if (type.is_null()) {
    errors.push_back({"/type", "required", "The type of the connector is needed."});
    return nullptr;
  }
  if (!type.is_string()) {
    errors.push_back({"/type", "wrong_type", "The type must be a string."});
    return nullptr;
  }
  const auto* entry = registry.find(type.as<std::string>());
  if (!entry) {
    errors.push_back({"/type", "not_allowed",
                      fmt::format("There is no connector \"{}\".", type.as<std::string>())});
  }
  return entry;
}

}  // namespace

FieldErrors check_connection_body(const Json& body, const sdk::Registry& registry) {
  FieldErrors errors;
  if (!check_members(body,
                     {"name", "type", "description", "labels", "settings", "secrets", "autostart",
                      "reconnect"},
                     errors)) {
    return errors;
  }
  check_name(body, errors);
  const auto* type = check_type(body, registry, errors);
  check_description(body, errors);
  check_labels(body, errors);
  if (type) {
    append(errors, check_settings(body, type->connection, false));
    check_secrets(body, *type, errors);
  }
  check_flag(body, "autostart", errors);
  const Json& reconnect = get_member(body, "reconnect");
  append(errors, type ? lifecycle::validate_reconnect(reconnect, *type)
                      : lifecycle::validate_reconnect(reconnect));
  return errors;
}

FieldErrors check_function_body(const Json& body, const sdk::Entry& type) {
  FieldErrors errors;
  if (!check_members(
          body, {"name", "type", "settings", "description", "enabled", "idempotent", "freshness"},
          errors)) {
    return errors;
  }
  check_name(body, errors);
  const Json& name = get_member(body, "type");
  const sdk::FunctionType* function = nullptr;
  if (name.is_null()) {
    errors.push_back({"/type", "required", "The type of the function is needed."});
  } else if (!name.is_string()) {
    errors.push_back({"/type", "wrong_type", "The type must be a string."});
  } else {
    function = type.function(name.as<std::string>());
    if (!function) {
      errors.push_back(
          {"/type", "not_allowed",
           fmt::format("{} has no function \"{}\".", type.manifest.title, name.as<std::string>())});
    }
  }
  check_description(body, errors);
  check_flag(body, "enabled", errors);
  check_flag(body, "idempotent", errors);
  check_freshness(body, function, errors);
  if (!function) return errors;
  append(errors, check_settings(body, function->schema, true));
  const bool has_placeholders =
      !schema::placeholder_names(object_or_empty(body, "settings")).empty();
  if (function->kind == sdk::FunctionKind::kSubscribe && has_placeholders) {
    errors.push_back({"/settings", "not_allowed",
                      "A subscription has no caller who could fill ((placeholders))."});
  }
  return errors;
}

Json to_body(const store::ConnectionRow& row) {
  Json body = json_object();
  body["name"] = row.name;
  body["type"] = row.type;
  body["description"] = row.description;
  body["labels"] = row.labels;
  body["settings"] = row.settings;
  body["autostart"] = row.autostart;
  body["reconnect"] = row.reconnect;
  return body;
}

Json to_body(const store::FunctionRow& row) {
  Json body = json_object();
  body["name"] = row.name;
  body["type"] = row.type;
  body["description"] = row.description;
  body["settings"] = row.settings;
  body["enabled"] = row.enabled;
  if (row.idempotent) body["idempotent"] = *row.idempotent;
  if (row.expect_ms != 0) {
    body["freshness"] = json_object();
    body["freshness"]["expectMs"] = row.expect_ms;
  }
  return body;
}

void from_body(const Json& body, store::ConnectionRow& row) {
  row.name = get_string(body, "name");
  row.type = get_string(body, "type");
  row.description = get_string(body, "description");
  row.labels = object_or_empty(body, "labels");
  row.settings = object_or_empty(body, "settings");
  row.reconnect = object_or_empty(body, "reconnect");
  row.autostart = get_bool(body, "autostart", false);
}

void from_body(const Json& body, store::FunctionRow& row) {
  row.name = get_string(body, "name");
  row.type = get_string(body, "type");
  row.description = get_string(body, "description");
  row.settings = object_or_empty(body, "settings");
  row.enabled = get_bool(body, "enabled", true);
  const Json& idempotent = get_member(body, "idempotent");
  row.idempotent.reset();
  if (idempotent.is_bool()) row.idempotent = idempotent.as<bool>();
  row.expect_ms = get_int(get_member(body, "freshness"), "expectMs", 0);
}

FieldErrors check_unchanged(const Json& patch, std::string_view member,
                            const std::string& present) {
  if (!patch.is_object() || !patch.contains(member) || get_string(patch, member) == present)
    return {};
  return {{fmt::format("/{}", member), "not_allowed",
           fmt::format("The {} cannot be changed; it is \"{}\".", member, present)}};
}

schema::FieldError to_field_error(const Error& error, std::string_view fallback) {
  return {error.pointer.empty() ? std::string(fallback) : error.pointer, "invalid", error.message};
}

}  // namespace tributary::connect
