// What a client sends.
#include "connectors/mqtt/src/codec.hpp"
#include "connectors/mqtt/src/property.hpp"

namespace tributary::connectors::mqtt {
namespace {

void put_byte(std::string& out, unsigned value) {
  out.push_back(static_cast<char>(value & 0xFF));
}
void put_two(std::string& out, unsigned value) {
  put_byte(out, value >> 8);
  put_byte(out, value);
}
void put_four(std::string& out, std::uint32_t value) {
  put_two(out, value >> 16);
  put_two(out, value & 0xFFFF);
}
void put_varint(std::string& out, std::size_t value) {
  do {
    const std::size_t low = value & 0x7F;
    value >>= 7;
    put_byte(out, static_cast<unsigned>(value == 0 ? low : low | 0x80));
  } while (value != 0);
}
std::size_t varint_size(std::size_t value) {
  std::size_t size = 1;
  while (value >>= 7) ++size;
  return size;
}
void put_text(std::string& out, std::string_view text) {
  put_two(out, static_cast<unsigned>(text.size()));
  out.append(text);
}
void put_property(std::string& out, Property property) {
  put_byte(out, static_cast<unsigned>(property));
}
void put_header(std::string& out, PacketType type, unsigned flags, std::size_t remaining) {
  put_byte(out, static_cast<unsigned>(type) << 4 | flags);
  put_varint(out, remaining);
}
void put_packet(std::string& out, PacketType type, unsigned flags, std::string_view body) {
  put_header(out, type, flags, body.size());
  out.append(body);
}
void put_properties(std::string& out, std::string_view properties) {
  put_varint(out, properties.size());
  out.append(properties);
}

std::size_t remaining_of(const PublishParts& parts, Version version) {
  std::size_t size = 2 + parts.topic.size() + (parts.qos > 0 ? 2 : 0) + parts.payload.size();
  if (version == Version::k5_0) {
    size += varint_size(parts.properties.size()) + parts.properties.size();
  }
  return size;
}

std::string connect_properties(const Connect& connect) {
  std::string list;
  if (connect.session_expiry_seconds != 0) {
    put_property(list, Property::kSessionExpiryInterval);
    put_four(list, connect.session_expiry_seconds);
  }
  put_property(list, Property::kReceiveMaximum);
  put_two(list, connect.receive_maximum);
  put_property(list, Property::kMaximumPacketSize);
  put_four(list, connect.maximum_packet_bytes);
  return list;
}

}  // namespace

void encode(const Connect& connect, Version version, std::string& out) {
  std::string body;
  put_text(body, version == Version::k3_1 ? "MQIsdp" : "MQTT");
  put_byte(body, version == Version::k3_1 ? 3 : version == Version::k3_1_1 ? 4 : 5);
  const unsigned flags = (connect.username ? 0x80U : 0U) | (connect.password ? 0x40U : 0U) |
                         (connect.clean_session ? 0x02U : 0U);
  put_byte(body, flags);
  put_two(body, connect.keep_alive_seconds);
  if (version == Version::k5_0) put_properties(body, connect_properties(connect));
  put_text(body, connect.client_id);
  if (connect.username) put_text(body, *connect.username);
  if (connect.password) put_text(body, *connect.password);
  put_packet(out, PacketType::kConnect, 0, body);
}

std::string encode_properties(const MessageProperties& properties) {
  std::string list;
  if (properties.is_text) {
    put_property(list, Property::kPayloadFormatIndicator);
    put_byte(list, *properties.is_text ? 1 : 0);
  }
  if (properties.message_expiry_seconds) {
    put_property(list, Property::kMessageExpiryInterval);
    put_four(list, *properties.message_expiry_seconds);
  }
  if (properties.content_type) {
    put_property(list, Property::kContentType);
    put_text(list, *properties.content_type);
  }
  if (properties.response_topic) {
    put_property(list, Property::kResponseTopic);
    put_text(list, *properties.response_topic);
  }
  if (properties.correlation_data) {
    put_property(list, Property::kCorrelationData);
    put_text(list, *properties.correlation_data);
  }
  for (const auto& [name, value] : properties.user) {
    put_property(list, Property::kUserProperty);
    put_text(list, name);
    put_text(list, value);
  }
  return list;
}

std::size_t encoded_size(const PublishParts& parts, Version version) {
  const std::size_t remaining = remaining_of(parts, version);
  return 1 + varint_size(remaining) + remaining;
}

void encode(const PublishParts& parts, Version version, std::string& out) {
  const unsigned flags = static_cast<unsigned>(parts.qos) << 1 | (parts.retain ? 1U : 0U);
  put_header(out, PacketType::kPublish, flags, remaining_of(parts, version));
  put_text(out, parts.topic);
  if (parts.qos > 0) put_two(out, parts.id);
  if (version == Version::k5_0) put_properties(out, parts.properties);
  out.append(parts.payload);
}

void encode(const Confirmation& confirmation, Version version, std::string& out) {
  const bool says_why = version == Version::k5_0 && confirmation.reason != 0;
  put_header(out, confirmation.type, confirmation.type == PacketType::kPubrel ? 2 : 0,
             says_why ? 3 : 2);
  put_two(out, confirmation.id);
  if (says_why) put_byte(out, confirmation.reason);
}

void encode_subscribe(std::uint16_t id, std::string_view filter, int qos, std::uint32_t identifier,
                      Version version, std::string& out) {
  std::string body;
  put_two(body, id);
  if (version == Version::k5_0) {
    std::string list;
    if (identifier != 0) {
      put_property(list, Property::kSubscriptionIdentifier);
      put_varint(list, identifier);
    }
    put_properties(body, list);
  }
  put_text(body, filter);
  put_byte(body, static_cast<unsigned>(qos));
  put_packet(out, PacketType::kSubscribe, 2, body);
}

void encode_unsubscribe(std::uint16_t id, std::string_view filter, Version version,
                        std::string& out) {
  std::string body;
  put_two(body, id);
  if (version == Version::k5_0) put_properties(body, {});
  put_text(body, filter);
  put_packet(out, PacketType::kUnsubscribe, 2, body);
}

void encode_pingreq(std::string& out) {
  put_header(out, PacketType::kPingreq, 0, 0);
}

void encode_disconnect(std::uint8_t reason, Version version, std::string& out) {
  const bool says_why = version == Version::k5_0 && reason != 0;
  put_header(out, PacketType::kDisconnect, 0, says_why ? 1 : 0);
  if (says_why) put_byte(out, reason);
}

}  // namespace tributary::connectors::mqtt
