#include "connect/profile.hpp"

#include "secrets/reference.hpp"

namespace tributary::connect {

namespace {

std::string authority_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const auto rest = url.substr(scheme + 3);
  return std::string(rest.substr(0, rest.find_first_of("/?#")));
}

constexpr std::string_view kMark = "x-certificates";
constexpr std::string_view kApplicationKey = "applicationKey";

// Visits the strings that hold certificates, in objects of any depth; `value` is a Json of the
// settings.
template <typename Settings, typename Visit>
void visit_certificates(const Json& schema, Settings& settings, const std::string& pointer,
                        const Visit& visit) {
  const Json& properties = get_member(schema, "properties");
  if (!properties.is_object() || !settings.is_object()) return;
  for (const auto& property : properties.object_range()) {
    const std::string name(property.key());
    if (!settings.contains(name)) continue;
    auto& value = settings.at(name);
    const std::string at = pointer + "/" + escape_pointer(name);
    if (property.value().contains(kMark) && value.is_string()) visit(property.value(), at, value);
    visit_certificates(property.value(), value, at, visit);
  }
}

Result<void> read_certificates(const schema::Schema& schema, Json& settings) {
  std::optional<Error> failure;
  visit_certificates(schema.document(), settings, "/settings",
                     [&failure](const Json& property, const std::string& pointer, Json& value) {
                       if (!secrets::is_reference(value.as_string_view()) || failure) return;
                       auto text = secrets::resolve_setting(
                           value.as_string_view(),
                           fmt::format("\"{}\"", get_string(property, "title")));
                       if (text) {
                         value = *text;
                       } else {
                         failure = std::move(text.error());
                         failure->pointer = pointer;
                       }
                     });
  if (failure) return fail(*std::move(failure));
  return {};
}

// The top level setting that holds an application certificate; empty when there is none.
std::string application_setting(const schema::Schema& schema) {
  const Json& properties = get_member(schema.document(), "properties");
  if (!properties.is_object()) return {};
  for (const auto& property : properties.object_range()) {
    if (get_string(property.value(), kMark) == "application") return std::string(property.key());
  }
  return {};
}

// What the profile does not name is the hub's own.
void add_application(const ConnectionConfig& config, sdk::Profile& profile) {
  const std::string setting = application_setting(config.type->connection);
  if (setting.empty() || !config.application || profile.settings.contains(setting)) return;
  profile.settings[setting] = config.application->certificate;
  std::erase_if(profile.secrets, [](const auto& each) { return each.first == kApplicationKey; });
  profile.secrets.emplace_back(kApplicationKey, config.application->key);
}

}  // namespace

bool shows_application(const schema::Schema& schema) {
  return !application_setting(schema).empty();
}

std::vector<CertificateSetting> certificate_settings(const schema::Schema& schema,
                                                     const Json& settings) {
  std::vector<CertificateSetting> found;
  visit_certificates(
      schema.document(), settings, "/settings",
      [&found](const Json& property, const std::string& pointer, const Json& value) {
        found.push_back({pointer, get_string(property, "title"),
                         get_string(property, kMark) != "trusted", value.as<std::string>()});
      });
  return found;
}

std::string target_of(const Json& settings, std::string_view fallback) {
  if (const auto host = get_string(settings, "host"); !host.empty()) {
    return fmt::format("{}:{}", host, get_int(settings, "port", 0));
  }
  for (const auto* name : {"endpointUrl", "baseUrl", "endpoint", "url"}) {
    if (const auto url = get_string(settings, name); !url.empty()) return authority_of(url);
  }
  return std::string(fallback);
}

std::shared_ptr<const ConnectionConfig> make_config(const store::ConnectionRow& row,
                                                    const sdk::Entry& type,
                                                    std::vector<store::SecretRow> secrets) {
  auto config = std::make_shared<ConnectionConfig>();
  config->id = row.id;
  config->name = row.name;
  config->type = &type;
  config->settings = type.connection.with_defaults(row.settings);
  config->policy = lifecycle::make_policy(type.manifest.family, row.reconnect, config->settings);
  config->secrets = std::move(secrets);
  config->target = target_of(config->settings, row.id);
  return config;
}

sdk::Profile bare_profile(const ConnectionConfig& config) {
  sdk::Profile profile;
  profile.connection_id = config.id;
  profile.connection_name = config.name;
  profile.settings = config.settings;
  profile.node_id = config.node_id;
  profile.trusted_certificates = config.trusted_certificates;
  profile.keepalive = config.policy.keepalive;
  return profile;
}

Result<sdk::Profile> open_profile(const ConnectionConfig& config, const secrets::Vault& vault) {
  sdk::Profile profile = bare_profile(config);
  TRIBUTARY_TRY(read_certificates(config.type->connection, profile.settings));
  for (const auto& row : config.secrets) {
    auto secret = vault.unseal(config.id, row.field, row.version, row.sealed);
    if (secret) secret = secrets::resolve_reference(*secret);
    if (!secret) {
      Error error = std::move(secret.error());
      error.pointer = "/secrets/" + escape_pointer(row.field);
      return fail(std::move(error));
    }
    profile.secrets.emplace_back(row.field, *std::move(secret));
  }
  add_application(config, profile);
  return profile;
}

}  // namespace tributary::connect
