// Functions of this connector, checked and ready.
#pragma once

#include <memory>
#include <string>

#include "connectors/mqtt/settings.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::mqtt {

class PublishOperation final : public sdk::Operation {
 public:
  explicit PublishOperation(PublishSettings settings_) : settings(std::move(settings_)) {}
  const PublishSettings settings;
};

class SubscribeOperation final : public sdk::Operation {
 public:
  explicit SubscribeOperation(SubscribeSettings settings_) : settings(std::move(settings_)) {}
  const SubscribeSettings settings;
};

// As Connector::prepare.
Result<std::shared_ptr<const sdk::Operation>> prepare_operation(
    const ConnectionSettings& connection, const sdk::FunctionSpec& function);

// A message about to be sent.
struct Outgoing {
  std::string topic;
  std::string payload;
};
// What one call of a publish function sends. The payload is the function's; else the parameter
// "payload"; else all parameters as a JSON object (without "topic", when the topic came from
// there). Errors: kFunction "missing_topic", "missing_payload", "invalid_topic", "invalid_base64",
// "message_too_large".
Result<Outgoing> make_outgoing(const PublishSettings& settings, const Json& parameters,
                               std::size_t max_bytes);

}  // namespace tributary::connectors::mqtt
