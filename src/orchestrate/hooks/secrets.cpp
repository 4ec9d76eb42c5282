#include "orchestrate/hooks/secrets.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tributary::orchestrate::hooks {
namespace {

constexpr std::size_t kMostSecret = 4096;

// The settings of a webhook with a member "secret"; null for other nodes.
Json* settings_with_secret(Json& node) {
  if (!node.is_object() || get_string(node, "type") != "trigger.webhook") return nullptr;
  if (!node.contains("settings") || !node.at("settings").is_object()) return nullptr;
  Json& settings = node.at("settings");
  return settings.contains("secret") ? &settings : nullptr;
}

Json marker(const store::SecretRow& row) {
  Json json = json_object();
  json.insert_or_assign("set", true);
  json.insert_or_assign("changedAt", format_utc(row.changed_at));
  return json;
}

}  // namespace

std::string secret_field(const std::string& node_id) {
  return "webhook." + node_id;
}

std::vector<store::SecretRow> take_secrets(Json& body, const std::string& pipeline_id,
                                           const std::vector<store::SecretRow>& present,
                                           const secrets::Vault* vault, UtcTime now,
                                           std::vector<schema::FieldError>& problems) {
  std::vector<store::SecretRow> kept;
  if (!body.is_object() || !body.contains("nodes") || !body.at("nodes").is_array()) return kept;
  Json& nodes = body.at("nodes");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Json* settings = settings_with_secret(nodes[i]);
    if (settings == nullptr) continue;
    const auto problem = [&](std::string code, std::string message) {
      problems.push_back(
          {fmt::format("/nodes/{}/settings/secret", i), std::move(code), std::move(message)});
    };
    const Json given = settings->at("secret");
    settings->erase("secret");
    const std::string field = secret_field(get_string(nodes[i], "id"));
    const auto old = std::ranges::find(present, field, &store::SecretRow::field);
    if (given.is_null()) continue;
    if (given.is_object()) {
      if (old == present.end()) continue;  // the check says that it is missing
      settings->insert_or_assign("secret", marker(*old));
      kept.push_back(*old);
      continue;
    }
    if (!given.is_string() || given.as_string_view().empty() ||
        given.as_string_view().size() > kMostSecret) {
      problem("wrong_type", fmt::format("A secret is text of 1 to {} bytes.", kMostSecret));
      continue;
    }
    if (vault == nullptr) {
      problem("not_allowed", "This hub keeps no secrets.");
      continue;
    }
    const std::int64_t version = old == present.end() ? 1 : old->version + 1;
    const Secret secret(given.as_string_view());
    store::SecretRow row{pipeline_id, field, vault->seal(pipeline_id, field, version, secret),
                         version, now};
    settings->insert_or_assign("secret", marker(row));
    kept.push_back(std::move(row));
  }
  return kept;
}

std::string find_secret(const Json& body) {
  Json copy = body;
  if (!copy.is_object() || !copy.contains("nodes") || !copy.at("nodes").is_array()) return {};
  Json& nodes = copy.at("nodes");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Json* settings = settings_with_secret(nodes[i]);
    if (settings != nullptr && settings->at("secret").is_string())
      return fmt::format("/nodes/{}/settings/secret", i);
  }
  return {};
}

Json without_secrets(const Json& body) {
  Json copy = body;
  if (!copy.is_object() || !copy.contains("nodes") || !copy.at("nodes").is_array()) return copy;
  for (Json& node : copy.at("nodes").array_range()) {
    Json* settings = settings_with_secret(node);
    if (settings != nullptr && !settings->at("secret").is_object())
      settings->insert_or_assign("secret", "(secret)");
  }
  return copy;
}

}  // namespace tributary::orchestrate::hooks
