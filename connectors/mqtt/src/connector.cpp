// The connector: prepares functions and makes sessions.
#include "sdk/connector.hpp"

#include <fmt/format.h>

#include "connectors/mqtt/resources.hpp"
#include "connectors/mqtt/settings.hpp"
#include "connectors/mqtt/src/client_id.hpp"
#include "connectors/mqtt/src/core.hpp"
#include "connectors/mqtt/src/operation.hpp"
#include "sdk/tls_settings.hpp"

namespace tributary::connectors::mqtt {
namespace {

class MqttSubscription final : public sdk::Subscription {
 public:
  MqttSubscription(std::shared_ptr<Core> core, std::shared_ptr<Inbox> inbox)
      : core_(std::move(core)), inbox_(std::move(inbox)) {}
  ~MqttSubscription() override { core_->drop(inbox_); }
  Task<void> cancel(SteadyTime deadline) override { return Core::cancel(core_, inbox_, deadline); }

 private:
  std::shared_ptr<Core> core_;
  std::shared_ptr<Inbox> inbox_;
};

class MqttSession final : public sdk::Session, public sdk::Subscriber {
 public:
  explicit MqttSession(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  ~MqttSession() override { core_->abort(); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override {
    return Core::open(core_, deadline, stages);
  }
  Task<Result<void>> check_health(SteadyTime deadline) override {
    return Core::check_health(core_, deadline);
  }
  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& parameters,
                           SteadyTime deadline) override {
    const auto& publish = dynamic_cast<const PublishOperation&>(operation);
    return Core::publish(core_, publish.settings,
                         make_outgoing(publish.settings, parameters, core_->max_message_bytes()),
                         deadline);
  }
  Task<Result<std::unique_ptr<sdk::Subscription>>> subscribe(const sdk::Operation& operation,
                                                             sdk::Sink& sink,
                                                             SteadyTime deadline) override {
    const auto& subscribe = dynamic_cast<const SubscribeOperation&>(operation);
    return run_subscribe(core_, subscribe.settings, sink, deadline);
  }
  Task<void> close(SteadyTime deadline) override { return Core::close(core_, deadline); }
  void abort() noexcept override { core_->abort(); }

 private:
  static Task<Result<std::unique_ptr<sdk::Subscription>>> run_subscribe(std::shared_ptr<Core> core,
                                                                        SubscribeSettings settings,
                                                                        sdk::Sink& sink,
                                                                        SteadyTime deadline) {
    const auto inbox = co_await Core::subscribe(core, std::move(settings), sink, deadline);
    if (!inbox) co_return fail(inbox.error());
    co_return std::make_unique<MqttSubscription>(core, *inbox);
  }
  std::shared_ptr<Core> core_;
};

// Nothing when it is off.
std::optional<net::TlsOptions> tls_of(const ConnectionSettings& settings,
                                      const sdk::Profile& profile) {
  if (!settings.tls.enabled) return std::nullopt;
  return sdk::tls_options(settings.tls, settings.host, profile);
}

class MqttConnector final : public sdk::Connector {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile& profile, const sdk::FunctionSpec& function) const override {
    return prepare_operation(ConnectionSettings::from_json(profile.settings), function);
  }

  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    ConnectionSettings settings = ConnectionSettings::from_json(profile.settings);
    const Secret* password = profile.secret("password");
    if (password != nullptr && !settings.username) {
      return fail(ErrorClass::kConfiguration, "missing_username",
                  "A password without a user name cannot be sent",
                  "Enter the user name, or remove the password.", "/settings/username");
    }
    const auto tls = tls_of(settings, profile);
    if (tls) TRIBUTARY_TRY(net::TlsClient::check(*tls));
    std::string client_id =
        settings.client_id.value_or(default_client_id(profile.node_id, profile.connection_id));
    constexpr std::size_t kMaxIdOf31 = 23;
    if (settings.version == ConnectionSettings::Version::k3_1 && client_id.size() > kMaxIdOf31) {
      return fail(ErrorClass::kConfiguration, "client_id_too_long",
                  fmt::format("The client id has {} characters; MQTT 3.1 allows {}",
                              client_id.size(), kMaxIdOf31),
                  "Choose a shorter client id, or version 3.1.1.", "/settings/clientId");
    }
    Core::Credentials credentials{std::move(client_id), std::nullopt, tls};
    if (password != nullptr) credentials.password = *password;
    return std::make_unique<MqttSession>(std::make_shared<Core>(
        context, std::move(settings), std::move(credentials), profile.keepalive));
  }
};

}  // namespace

std::unique_ptr<sdk::Connector> make_connector() {
  return std::make_unique<MqttConnector>();
}

}  // namespace tributary::connectors::mqtt
