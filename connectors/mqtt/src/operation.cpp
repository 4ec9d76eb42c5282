#include "connectors/mqtt/src/operation.hpp"

#include <fmt/format.h>

#include "connectors/mqtt/src/message.hpp"
#include "connectors/mqtt/src/topic.hpp"

namespace tributary::connectors::mqtt {
namespace {

using Prepared = Result<std::shared_ptr<const sdk::Operation>>;

// The members that only MQTT 5.0 can carry.
Result<void> check_properties(const PublishSettings& settings,
                              ConnectionSettings::Version version) {
  if (version == ConnectionSettings::Version::k5_0) return {};
  const std::array<std::pair<bool, std::string_view>, 4> used{{
      {settings.content_type.has_value(), "contentType"},
      {settings.message_expiry_seconds.has_value(), "messageExpirySeconds"},
      {settings.response_topic.has_value(), "responseTopic"},
      {settings.user_properties && !settings.user_properties->empty(), "userProperties"},
  }};
  for (const auto& [is_used, name] : used) {
    if (!is_used) continue;
    return fail(ErrorClass::kFunction, "needs_version_5",
                fmt::format("{} travels only with MQTT 5.0; the connection uses {}", name,
                            to_string(version)),
                "Remove it, or set the connection's version to 5.0.",
                fmt::format("/settings/{}", name));
  }
  return {};
}

Prepared prepare_publish(const ConnectionSettings& connection, const Json& json) {
  PublishSettings settings = PublishSettings::from_json(json);
  if (settings.topic) TRIBUTARY_TRY(check_topic(*settings.topic, "/settings/topic"));
  if (settings.response_topic) {
    TRIBUTARY_TRY(check_topic(*settings.response_topic, "/settings/responseTopic"));
  }
  TRIBUTARY_TRY(check_properties(settings, connection.version));
  return std::make_shared<const PublishOperation>(std::move(settings));
}

Prepared prepare_subscribe(const Json& json) {
  SubscribeSettings settings = SubscribeSettings::from_json(json);
  for (std::size_t i = 0; i < settings.topics.size(); ++i) {
    TRIBUTARY_TRY(
        check_filter(settings.topics[i].topic, fmt::format("/settings/topics/{}/topic", i)));
  }
  return std::make_shared<const SubscribeOperation>(std::move(settings));
}

std::string as_text(const Json& payload) {
  return payload.is_string() ? payload.as_string() : to_text(payload);
}

// The payload's text before its format is looked at.
Result<std::string> payload_text(const PublishSettings& settings, const Json& parameters) {
  if (settings.payload) return as_text(*settings.payload);
  if (parameters.is_object() && parameters.contains("payload")) {
    return as_text(parameters.at("payload"));
  }
  Json rest = parameters;
  if (rest.is_object() && !settings.topic) rest.erase("topic");
  if (rest.is_null() || rest.empty()) {
    return fail(ErrorClass::kFunction, "missing_payload", "There is nothing to publish",
                "Give the function a payload, or the caller the parameter payload; an empty text "
                "sends an empty message.",
                "/settings/payload");
  }
  return to_text(rest);
}

}  // namespace

Prepared prepare_operation(const ConnectionSettings& connection,
                           const sdk::FunctionSpec& function) {
  if (function.type == "mqtt.publish") return prepare_publish(connection, function.settings);
  if (function.type == "mqtt.subscribe") return prepare_subscribe(function.settings);
  return fail(ErrorClass::kFunction, "unknown_function",
              fmt::format("MQTT connections have no function {}", function.type));
}

Result<Outgoing> make_outgoing(const PublishSettings& settings, const Json& parameters,
                               std::size_t max_bytes) {
  Outgoing message;
  message.topic = settings.topic.value_or(get_string(parameters, "topic"));
  if (message.topic.empty()) {
    return fail(ErrorClass::kFunction, "missing_topic", "There is no topic to publish to",
                "Give the function a topic, or the caller the parameter topic.", "/settings/topic");
  }
  TRIBUTARY_TRY(
      check_topic(message.topic, settings.topic ? "/settings/topic" : "/parameters/topic"));

  Result<std::string> text = payload_text(settings, parameters);
  if (!text) return fail(std::move(text.error()));
  if (settings.payload_format == PublishSettings::PayloadFormat::kBase64) {
    text = from_base64(*text, settings.payload ? "/settings/payload" : "/parameters/payload");
    if (!text) return fail(std::move(text.error()));
  }
  message.payload = std::move(*text);
  if (message.payload.size() > max_bytes) {
    return fail(ErrorClass::kFunction, "message_too_large",
                fmt::format("The payload has {} bytes; the connection allows {}",
                            message.payload.size(), max_bytes),
                "Publish less, or raise the connection's largest message.", "/settings/payload");
  }
  return message;
}

}  // namespace tributary::connectors::mqtt
