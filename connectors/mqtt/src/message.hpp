// A received message, and the record it becomes (api-examples, "What travels"). Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connectors/mqtt/settings.hpp"
#include "model/batch.hpp"

namespace tributary::connectors::mqtt {

// Properties of MQTT 5.0 that travel with a message.
struct MessageProperties {
  std::optional<std::string> content_type;
  std::optional<std::string> response_topic;
  std::optional<std::string> correlation_data;  // bytes
  std::optional<std::uint32_t> message_expiry_seconds;
  std::optional<bool> is_text;  // payload format indicator
  std::vector<std::pair<std::string, std::string>> user;
};

// What decides when a message with QoS 1 or 2 is acknowledged: when nobody holds it any more.
struct Delivery {
  Delivery(std::uint16_t id_, int qos_) : id(id_), qos(qos_) {}
  const std::uint16_t id;
  const int qos;
  std::size_t holders = 0;  // queues that it waits in, sinks that have not accepted it
  bool parked = false;      // nobody took it: never acknowledged on this connection
};

struct Message {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retained = false;
  // The payload was larger than the connection allows, by this many bytes in all; `payload` is
  // empty.
  std::optional<std::size_t> refused_bytes;
  MessageProperties properties;
  std::vector<std::uint32_t> subscription_ids;
  std::shared_ptr<Delivery> delivery{};  // null with QoS 0

  // What it costs to keep, for the bounds of queues.
  std::size_t bytes() const { return topic.size() + payload.size() + 128; }
};

// {"payload", "topic", "qos", "retained", "properties"}, and "error" {"code", "message"} when the
// payload is not what `format` says: it is then delivered as text, or as base64 when it is not
// text, so that nothing is lost. Codes: "invalid_json", "invalid_utf8", "message_too_large".
Record to_record(const Message& message, SubscribeSettings::Format format);

bool is_utf8(std::string_view text);
std::string to_base64(std::string_view bytes);
// Error: kFunction "invalid_base64" with `pointer`.
Result<std::string> from_base64(std::string_view text, std::string_view pointer);

}  // namespace tributary::connectors::mqtt
