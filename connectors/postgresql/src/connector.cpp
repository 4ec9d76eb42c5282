// The connector: prepares functions and makes sessions.
#include "sdk/connector.hpp"

#include "connectors/postgresql/resources.hpp"
#include "connectors/postgresql/settings.hpp"
#include "connectors/postgresql/src/operation.hpp"
#include "connectors/postgresql/src/session.hpp"

namespace tributary::connectors::postgresql {
namespace {

// What the settings and secrets say about TLS; nullopt when it is off.
std::optional<net::TlsOptions> tls_options(const ConnectionSettings& settings,
                                           const sdk::Profile& profile) {
  const auto& tls = settings.tls;
  if (!tls.enabled) return std::nullopt;
  net::TlsOptions options;
  options.ca = tls.ca.value_or("");
  options.client_certificate = tls.client_certificate.value_or("");
  if (const Secret* key = profile.secret("clientKey")) options.client_key = *key;
  options.server_name = tls.server_name.value_or(settings.host);
  options.minimum = tls.minimum_version == ConnectionSettings::Tls::MinimumVersion::k1_3
                        ? net::TlsVersion::k1_3
                        : net::TlsVersion::k1_2;
  options.verify = tls.verify;
  options.trusted = profile.trusted_certificates;
  return options;
}

class PostgresConnector final : public sdk::Connector {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile& profile, const sdk::FunctionSpec& function) const override {
    return prepare_operation(ConnectionSettings::from_json(profile.settings), function);
  }

  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    LinkOptions options{ConnectionSettings::from_json(profile.settings), std::nullopt, nullptr};
    if (const Secret* password = profile.secret("password")) options.password = *password;
    auto tls = tls_options(options.settings, profile);
    if (tls) TRIBUTARY_TRY(net::TlsClient::check(*tls));
    return postgresql::make_session(context, std::move(options), std::move(tls), profile.keepalive);
  }
};

}  // namespace

std::unique_ptr<sdk::Connector> make_connector() {
  return std::make_unique<PostgresConnector>();
}

}  // namespace tributary::connectors::postgresql
