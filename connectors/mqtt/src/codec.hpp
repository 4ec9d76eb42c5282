// MQTT 3.1, 3.1.1 and 5.0 control packets, as a client sees them: what it sends as bytes, what a
// server sends as values. Pure: no socket, no state. Sources: MQTT V3.1 Protocol Specification
// (IBM, Eurotech); OASIS MQTT Version 3.1.1; OASIS MQTT Version 5.0.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "connectors/mqtt/settings.hpp"
#include "connectors/mqtt/src/message.hpp"

namespace tributary::connectors::mqtt {

using Version = ConnectionSettings::Version;

// What a remaining length can say (2.1.4), and a whole packet with it.
inline constexpr std::size_t kMaxRemainingBytes = 268'435'455;
inline constexpr std::size_t kMaxPacketBytes = kMaxRemainingBytes + 5;
inline constexpr std::size_t kMaxTextBytes = 65'535;

// Reason codes of 5.0 that this client says or acts upon (2.4).
inline constexpr std::uint8_t kFirstRefusal = 0x80;
inline constexpr std::uint8_t kMalformedPacket = 0x81;
inline constexpr std::uint8_t kProtocolError = 0x82;
inline constexpr std::uint8_t kPacketIdNotFound = 0x92;
inline constexpr std::uint8_t kReceiveMaximumExceeded = 0x93;
inline constexpr std::uint8_t kTopicAliasInvalid = 0x94;
inline constexpr std::uint8_t kPacketTooLarge = 0x95;

enum class PacketType : std::uint8_t {
  kConnect = 1,
  kConnack,
  kPublish,
  kPuback,
  kPubrec,
  kPubrel,
  kPubcomp,
  kSubscribe,
  kSuback,
  kUnsubscribe,
  kUnsuback,
  kPingreq,
  kPingresp,
  kDisconnect,
  kAuth
};

// Why bytes are no packet that a server may send.
struct Fault {
  std::uint8_t reason;    // what DISCONNECT says about it (5.0)
  std::string_view text;  // a literal: "a packet with a length that cannot be"
};
template <typename T>
using Decoded = std::expected<T, Fault>;

// ---- what a server sends ----

// CONNACK. What it does not say has the default of the protocol.
struct Connack {
  int reason = 0;  // 0: accepted; else a 3.x return code or a 5.0 reason code
  bool session_present = false;
  bool subscription_ids = true;  // messages say which subscriptions they belong to
  bool retain_available = true;  // the broker keeps retained messages
  int maximum_qos = 2;
  std::uint16_t receive_maximum = 65'535;  // unconfirmed messages that it takes at once
  std::uint32_t maximum_packet_bytes = kMaxPacketBytes;
  std::optional<std::uint16_t> keep_alive_seconds;  // the broker wants another keep-alive
  std::optional<std::string> assigned_client_id;
};

// PUBLISH. Its views are of the bytes that were decoded.
struct Publish {
  std::string_view topic;
  std::string_view payload;
  int qos = 0;
  bool duplicate = false;
  bool retained = false;
  std::uint16_t id = 0;  // 0 with QoS 0
  MessageProperties properties;
  std::vector<std::uint32_t> subscription_ids;
};

// PUBACK, PUBREC, PUBREL, PUBCOMP.
struct Confirmation {
  PacketType type;
  std::uint16_t id;
  std::uint8_t reason;
};
// SUBACK and UNSUBACK: one code per filter (UNSUBACK of 3.x has none).
struct Granted {
  PacketType type;
  std::uint16_t id;
  std::vector<int> codes;
};
struct Pong {};
struct Goodbye {
  std::uint8_t reason;
};
using ServerPacket = std::variant<Connack, Publish, Confirmation, Granted, Pong, Goodbye>;

struct Header {
  std::uint8_t first = 0;
  std::uint32_t remaining = 0;
  std::size_t size = 0;  // bytes of the header itself
  PacketType type() const { return static_cast<PacketType>(first >> 4); }
};
// The fixed header that `bytes` begin with; nullopt: not complete yet.
Decoded<std::optional<Header>> decode_header(std::string_view bytes);
// The packet of this header; `body` are its `remaining` bytes.
Decoded<ServerPacket> decode(Version version, const Header& header, std::string_view body);
// What stands before the payload of a PUBLISH, of which `body` may be the beginning only; nullopt:
// not complete yet. `payload` is what is there of it.
Decoded<std::optional<Publish>> decode_beginning(Version version, const Header& header,
                                                 std::string_view body);

// ---- what a client sends; appended to `out` ----

struct Connect {
  std::string_view client_id;
  bool clean_session = true;
  std::uint16_t keep_alive_seconds = 0;
  std::optional<std::string_view> username;
  std::optional<std::string_view> password;
  // 5.0 only
  std::uint32_t session_expiry_seconds = 0;
  std::uint16_t receive_maximum = 65'535;
  std::uint32_t maximum_packet_bytes = kMaxPacketBytes;
};
void encode(const Connect& connect, Version version, std::string& out);

// The properties of a PUBLISH, without their length.
std::string encode_properties(const MessageProperties& properties);
struct PublishParts {
  std::string_view topic;
  std::string_view payload;
  std::string_view properties;  // as encode_properties gives them; 5.0 only
  int qos = 0;
  bool retain = false;
  std::uint16_t id = 0;
};
// Bytes of the whole packet; more than kMaxPacketBytes cannot be encoded.
std::size_t encoded_size(const PublishParts& parts, Version version);
void encode(const PublishParts& parts, Version version, std::string& out);

// `reason` is sent only where it is not 0, and only with 5.0.
void encode(const Confirmation& confirmation, Version version, std::string& out);
// `identifier` 0: none.
void encode_subscribe(std::uint16_t id, std::string_view filter, int qos, std::uint32_t identifier,
                      Version version, std::string& out);
void encode_unsubscribe(std::uint16_t id, std::string_view filter, Version version,
                        std::string& out);
void encode_pingreq(std::string& out);
void encode_disconnect(std::uint8_t reason, Version version, std::string& out);

// A text that the protocol can carry: UTF-8 without U+0000, of at most 65 535 bytes (1.5.4).
bool is_mqtt_text(std::string_view text);

}  // namespace tributary::connectors::mqtt
