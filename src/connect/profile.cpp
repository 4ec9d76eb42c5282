#include "connect/profile.hpp"

namespace tributary::connect {

namespace {

std::string authority_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const auto rest = url.substr(scheme + 3);
  return std::string(rest.substr(0, rest.find_first_of("/?#")));
}

}  // namespace

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
  return {config.id, config.name, config.settings, {}, config.policy.keepalive};
}

Result<sdk::Profile> open_profile(const ConnectionConfig& config, const secrets::Vault& vault) {
  sdk::Profile profile = bare_profile(config);
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
  return profile;
}

}  // namespace tributary::connect
