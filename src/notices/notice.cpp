#include "notices/notice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "runtime/log.hpp"

namespace tributary::notices {
namespace {

constexpr std::string_view kBodySchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Notice",
  "type": "object",
  "required": ["name", "url"],
  "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 128},
    "url": {"type": "string", "minLength": 1, "maxLength": 2048},
    "enabled": {"type": "boolean", "default": true},
    "filter": {
      "type": "object",
      "default": {},
      "properties": {
        "connectionIds": {"type": "array", "items": {"type": "string", "maxLength": 64}, "maxItems": 1000, "uniqueItems": true},
        "labels": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 256}},
        "type": {"type": "string", "minLength": 1, "maxLength": 64},
        "to": {"type": "array", "maxItems": 7, "uniqueItems": true, "items": {"type": "string",
          "enum": ["Idle", "Connecting", "Connected", "Disconnected", "Reconnecting", "Failed", "Suspended"]}},
        "alarms": {"type": "array", "maxItems": 50, "uniqueItems": true, "items": {"type": "string", "pattern": "^(\\*|[a-z][a-z0-9_]{0,63})$"}}
      }
    },
    "forMs": {"type": "integer", "minimum": 0, "maximum": 86400000, "default": 0},
    "debounceMs": {"type": "integer", "minimum": 0, "maximum": 86400000, "default": 10000},
    "headers": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 1024}, "default": {}},
    "secrets": {
      "type": "object",
      "properties": {
        "secret": {"type": "string", "minLength": 1, "maxLength": 1024},
        "authorization": {"type": "string", "minLength": 1, "maxLength": 4096}
      }
    }
  }
})";

constexpr std::size_t kMaxHeaders = 20;
// Members that a row has columns for, or that are not part of the document.
constexpr std::array<std::string_view, 3> kRowMembers = {"name", "enabled", "secrets"};

const schema::Schema& body_schema() {
  static const schema::Schema kCompiled = [] {
    auto document = parse_json(kBodySchema);
    auto compiled = document ? schema::Schema::compile(*document)
                             : Result<schema::Schema>(fail(document.error()));
    if (!compiled) {
      // Part of the program text: a defect, found by the first test that runs.
      log::error("notices", compiled.error().message);
      std::abort();
    }
    return std::move(*compiled);
  }();
  return kCompiled;
}

std::string lowered(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return copy;
}

bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.contains(c);
  });
}

// Headers that the hub or the protocol decides about.
bool is_reserved(const std::string& name) {
  constexpr std::array<std::string_view, 9> kNames = {"host",    "connection", "expect",
                                                      "te",      "trailer",    "transfer-encoding",
                                                      "upgrade", "keep-alive", "cookie"};
  return std::ranges::find(kNames, name) != kNames.end() || name.starts_with("content-") ||
         name.starts_with("x-tributary-") || name.starts_with("proxy-");
}

void check_headers(const Json& headers, FieldErrors& errors) {
  if (!headers.is_object()) return;
  if (headers.size() > kMaxHeaders) {
    errors.push_back({"/headers", "out_of_range",
                      fmt::format("At most {} headers, not {}.", kMaxHeaders, headers.size())});
  }
  for (const auto& header : headers.object_range()) {
    const std::string pointer = "/headers/" + escape_pointer(header.key());
    const std::string name = lowered(header.key());
    if (!is_token(header.key())) {
      errors.push_back(
          {pointer, "invalid", fmt::format("'{}' is not the name of a header.", header.key())});
    } else if (name == "authorization") {
      errors.push_back({pointer, "not_allowed",
                        "A credential does not belong here: use secrets.authorization."});
    } else if (is_reserved(name)) {
      errors.push_back(
          {pointer, "not_allowed", fmt::format("The hub sets '{}' by itself.", header.key())});
    }
    const std::string value = header.value().as<std::string>();
    if (std::ranges::any_of(value, [](char c) { return c < 0x20 || c > 0x7e; })) {
      errors.push_back({pointer, "invalid", "The value must be printable ASCII on one line."});
    }
  }
}

void check_filter(const Json& filter, const connect::Manager& manager, FieldErrors& errors) {
  if (!filter.is_object()) return;
  const Json& ids = get_member(filter, "connectionIds");
  for (std::size_t i = 0; ids.is_array() && i < ids.size(); ++i) {
    const auto id = ids[i].as<std::string>();
    if (!manager.connection(id)) {
      errors.push_back({fmt::format("/filter/connectionIds/{}", i), "unknown_connection",
                        fmt::format("There is no connection with the id '{}'.", id)});
    }
  }
  const std::string type = get_string(filter, "type");
  if (!type.empty() && manager.registry().find(type) == nullptr) {
    errors.push_back(
        {"/filter/type", "unknown_type", fmt::format("This build has no connector '{}'.", type)});
  }
}

// In a patch, null forgets a secret: nothing to check about it.
Json without_null_secrets(const Json& body) {
  if (!body.is_object() || !get_member(body, "secrets").is_object()) return body;
  Json copy = body;
  Json kept = json_object();
  for (const auto& member : body.at("secrets").object_range()) {
    if (!member.value().is_null()) kept[member.key()] = member.value();
  }
  copy["secrets"] = std::move(kept);
  return copy;
}

void check_authorization(const Json& secrets, FieldErrors& errors) {
  if (!secrets.is_object()) return;
  const std::string value = get_string(secrets, kAuthorization);
  if (std::ranges::any_of(value, [](char c) { return c < 0x20 || c > 0x7e; })) {
    errors.push_back(
        {"/secrets/authorization", "invalid", "It must be printable ASCII on one line."});
  }
}

Json subject_json(const Subject& subject) {
  Json json = json_object();
  json["id"] = subject.id;
  json["name"] = subject.name;
  json["type"] = subject.type;
  json["labels"] = subject.labels.is_object() ? subject.labels : json_object();
  return json;
}

// The members that every message has, in this order.
Json message(const std::string& id, std::string_view type, UtcTime at) {
  Json json = json_object();
  json["id"] = id;
  json["type"] = std::string(type);
  json["at"] = format_utc(at);
  for (const auto* member : {"connection", "from", "to", "since", "cause"})
    json[member] = Json::null();
  json["suppressed"] = 0;
  return json;
}

}  // namespace

bool Rule::wants_alarm(const std::string& kind) const {
  return std::ranges::any_of(alarms,
                             [&](const auto& wanted) { return wanted == "*" || wanted == kind; });
}

Rule read_rule(const store::NoticeRow& row) {
  Rule rule;
  const Json& filter = get_member(row.document, "filter");
  if (filter.is_object()) {
    rule.statuses = connect::read_status_filter(filter);
    const Json& alarms = get_member(filter, "alarms");
    for (std::size_t i = 0; alarms.is_array() && i < alarms.size(); ++i)
      rule.alarms.push_back(alarms[i].as<std::string>());
  }
  // Alarms alone are named by somebody who wants nothing else.
  rule.wants_statuses = !rule.statuses.to.empty() || rule.alarms.empty();
  rule.digest = connect::read_digest_rule(row.document);
  return rule;
}

FieldErrors check_body(const Json& body, const http::EgressGuard& guard,
                       const connect::Manager& manager) {
  FieldErrors errors = body_schema().validate(without_null_secrets(body));
  if (!errors.empty()) return errors;
  if (const auto target = guard.check_url(get_string(body, "url")); !target) {
    const Error& error = target.error();
    errors.push_back({"/url", error.code,
                      error.hint.empty() ? error.message : error.message + " " + error.hint});
  }
  check_filter(get_member(body, "filter"), manager, errors);
  check_headers(get_member(body, "headers"), errors);
  check_authorization(get_member(body, "secrets"), errors);
  return errors;
}

Json to_body(const store::NoticeRow& row) {
  Json body = json_object();
  body["name"] = row.name;
  body["enabled"] = row.enabled;
  for (const auto& member : row.document.object_range()) body[member.key()] = member.value();
  return body;
}

void from_body(const Json& body, store::NoticeRow& row) {
  const Json whole = body_schema().with_defaults(body);
  row.name = get_string(whole, "name");
  row.enabled = get_bool(whole, "enabled", true);
  row.document = whole;
  for (const std::string_view member : kRowMembers) row.document.erase(member);
}

Json status_message(const std::string& id, UtcTime at, const StatusNews& news,
                    std::int64_t suppressed) {
  Json json = message(id, "connection.status", at);
  json["connection"] = subject_json(news.subject);
  json["from"] = std::string(to_string(news.from));
  json["to"] = std::string(to_string(news.state.status));
  json["since"] = format_utc(news.state.since);
  if (news.state.cause) json["cause"] = connect::to_json(*news.state.cause);
  json["suppressed"] = suppressed;
  return json;
}

Json alarm_message(const std::string& id, UtcTime at, const AlarmNews& news,
                   std::int64_t suppressed) {
  const connect::AlarmRow& row = news.alarm;
  Json json = message(id, "alarm", at);
  if (news.subject) json["connection"] = subject_json(*news.subject);
  json["suppressed"] = suppressed;
  Json alarm = json_object();
  alarm["id"] = row.id;
  alarm["kind"] = row.kind;
  alarm["subject"] = row.subject;
  alarm["severity"] = row.severity;
  alarm["message"] = row.message;
  alarm["state"] = row.cleared_at ? "cleared" : "raised";
  alarm["raisedAt"] = format_utc(row.raised_at);
  alarm["clearedAt"] = row.cleared_at ? Json(format_utc(*row.cleared_at)) : Json::null();
  json["alarm"] = std::move(alarm);
  return json;
}

Json test_message(const std::string& id, UtcTime at) {
  return message(id, "test", at);
}

}  // namespace tributary::notices
