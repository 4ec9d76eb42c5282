// The connector: prepares functions and makes sessions.
#include "sdk/connector.hpp"

#include "connectors/postgresql/resources.hpp"
#include "connectors/postgresql/settings.hpp"
#include "connectors/postgresql/src/operation.hpp"
#include "connectors/postgresql/src/session.hpp"
#include "sdk/tls_settings.hpp"

namespace tributary::connectors::postgresql {
namespace {

// Nothing when it is off.
std::optional<net::TlsOptions> tls_of(const ConnectionSettings& settings,
                                      const sdk::Profile& profile) {
  if (!settings.tls.enabled) return std::nullopt;
  return sdk::tls_options(settings.tls, settings.host, profile);
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
    auto tls = tls_of(options.settings, profile);
    if (tls) TRIBUTARY_TRY(net::TlsClient::check(*tls));
    return postgresql::make_session(context, std::move(options), std::move(tls), profile.keepalive);
  }
};

}  // namespace

std::unique_ptr<sdk::Connector> make_connector() {
  return std::make_unique<PostgresConnector>();
}

}  // namespace tributary::connectors::postgresql
