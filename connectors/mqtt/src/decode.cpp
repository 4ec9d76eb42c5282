// What a server sends.
#include <algorithm>

#include "connectors/mqtt/src/codec.hpp"
#include "connectors/mqtt/src/property.hpp"

namespace tributary::connectors::mqtt {
namespace {

constexpr Fault kShort{kMalformedPacket, "a packet that ends too early"};
constexpr Fault kLong{kMalformedPacket, "a packet with bytes behind its end"};
constexpr Fault kBadText{kMalformedPacket, "a text that is not valid UTF-8"};
constexpr Fault kBadFlags{kMalformedPacket, "a packet with flags that it cannot have"};
constexpr Fault kNoId{kProtocolError, "a packet with the id 0"};
constexpr Fault kBadLength{kMalformedPacket, "a packet with a length that cannot be"};
constexpr Fault kBadProperty{kMalformedPacket, "a property that does not belong there"};
constexpr Fault kTwice{kProtocolError, "a property that may stand there once, twice"};
constexpr Fault kBadValue{kProtocolError, "a property with a value that it cannot have"};
constexpr Fault kNotForClients{kProtocolError, "a packet that only clients send"};
constexpr Fault kBadTopic{kProtocolError, "a message with a topic that cannot be"};

// Takes values off the front of a packet. After the first fault every value is empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t two() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t four() { return number(4); }
  // A variable byte integer (1.5.5) of at most four bytes, in its shortest form or not.
  std::uint32_t varint() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift <= 21; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::uint32_t>(next & 0x7F) << shift;
      if ((next & 0x80) == 0) return value;
    }
    fail(kBadLength);
    return 0;
  }
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) fail(kShort);
    if (fault_) return {};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view bytes() { return take(two()); }
  std::string_view text() {
    const std::string_view text = bytes();
    if (!fault_ && !is_mqtt_text(text)) fail(kBadText);
    return text;
  }
  std::string_view rest() const { return rest_; }
  std::string_view take_rest() { return take(rest_.size()); }
  bool empty() const { return rest_.empty(); }

  void fail(const Fault& fault) {
    if (!fault_) fault_ = fault;
    rest_ = {};
  }
  const std::optional<Fault>& fault() const { return fault_; }
  // Nothing may follow.
  void end() {
    if (!rest_.empty()) fail(kLong);
  }

 private:
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const char c : take(size)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view rest_;
  std::optional<Fault> fault_;
};

// Reads a list of properties; `take(property, list)` reads the value of one, false: it does not
// belong into this packet.
template <typename Take>
void read_properties(Reader& reader, Take take) {
  Reader list(reader.take(reader.varint()));
  std::uint64_t seen = 0;
  while (!list.empty()) {
    const std::uint32_t number = list.varint();
    if (number >= 64) {
      list.fail(kBadProperty);
      break;
    }
    const auto property = static_cast<Property>(number);
    const std::uint64_t bit = std::uint64_t{1} << number;
    const bool may_repeat =
        property == Property::kUserProperty || property == Property::kSubscriptionIdentifier;
    if ((seen & bit) != 0 && !may_repeat) list.fail(kTwice);
    seen |= bit;
    if (!list.fault() && !take(property, list)) list.fail(kBadProperty);
  }
  if (!list.fault()) return;
  // The list itself is complete: nothing that is still to come can lengthen what it lacks.
  reader.fail(list.fault()->text == kShort.text ? kBadLength : *list.fault());
}

bool read_flag(Reader& list) {
  const std::uint8_t value = list.byte();
  if (value > 1) list.fail(kBadValue);
  return value == 1;
}

// What every answer of a server may carry, and nobody here needs.
bool skip_comment(Property property, Reader& list) {
  if (property == Property::kReasonString) {
    list.text();
    return true;
  }
  if (property != Property::kUserProperty) return false;
  list.text();
  list.text();
  return true;
}
void skip_comments(Reader& reader) {
  read_properties(reader, &skip_comment);
}

template <typename T>
Decoded<ServerPacket> finish(Reader& reader, T packet) {
  reader.end();
  if (reader.fault()) return std::unexpected(*reader.fault());
  return ServerPacket(std::move(packet));
}

std::uint16_t read_id(Reader& reader) {
  const std::uint16_t id = reader.two();
  if (id == 0 && !reader.fault()) reader.fail(kNoId);
  return id;
}

// ---- CONNACK ----

bool read_connack_property(Property property, Reader& list, Connack& connack) {
  switch (property) {
    case Property::kReceiveMaximum:
      connack.receive_maximum = list.two();
      if (connack.receive_maximum == 0) list.fail(kBadValue);
      return true;
    case Property::kMaximumQos:
      connack.maximum_qos = read_flag(list) ? 1 : 0;
      return true;
    case Property::kRetainAvailable:
      connack.retain_available = read_flag(list);
      return true;
    case Property::kMaximumPacketSize:
      connack.maximum_packet_bytes = list.four();
      if (connack.maximum_packet_bytes == 0) list.fail(kBadValue);
      return true;
    case Property::kAssignedClientIdentifier:
      connack.assigned_client_id = std::string(list.text());
      return true;
    case Property::kSubscriptionIdentifierAvailable:
      connack.subscription_ids = read_flag(list);
      return true;
    case Property::kServerKeepAlive:
      connack.keep_alive_seconds = list.two();
      return true;
    case Property::kSessionExpiryInterval:
      list.four();
      return true;
    case Property::kTopicAliasMaximum:
      list.two();
      return true;
    case Property::kWildcardSubscriptionAvailable:
    case Property::kSharedSubscriptionAvailable:
      read_flag(list);
      return true;
    case Property::kResponseInformation:
    case Property::kServerReference:
    case Property::kAuthenticationMethod:
      list.text();
      return true;
    case Property::kAuthenticationData:
      list.bytes();
      return true;
    default:
      return skip_comment(property, list);
  }
}

Decoded<ServerPacket> decode_connack(Version version, std::string_view body) {
  Reader reader(body);
  Connack connack;
  const std::uint8_t flags = reader.byte();
  connack.reason = reader.byte();
  // The first byte has no meaning in 3.1.
  if (version != Version::k3_1) {
    if ((flags & 0xFE) != 0) reader.fail(kBadFlags);
    connack.session_present = (flags & 1) != 0;
  }
  // A broker of version 3 refuses a client of 5.0 in its own words: without properties.
  const bool in_old_words = connack.reason != 0 && reader.empty();
  if (version == Version::k5_0 && !in_old_words) {
    read_properties(reader, [&connack](Property property, Reader& list) {
      return read_connack_property(property, list, connack);
    });
  }
  return finish(reader, std::move(connack));
}

// ---- PUBLISH ----

bool read_message_property(Property property, Reader& list, Publish& publish) {
  MessageProperties& properties = publish.properties;
  switch (property) {
    case Property::kPayloadFormatIndicator:
      properties.is_text = read_flag(list);
      return true;
    case Property::kMessageExpiryInterval:
      properties.message_expiry_seconds = list.four();
      return true;
    case Property::kContentType:
      properties.content_type = std::string(list.text());
      return true;
    case Property::kResponseTopic:
      properties.response_topic = std::string(list.text());
      if (properties.response_topic->find_first_of("+#") != std::string::npos) list.fail(kBadTopic);
      return true;
    case Property::kCorrelationData:
      properties.correlation_data = std::string(list.bytes());
      return true;
    case Property::kUserProperty: {
      std::string name(list.text());
      properties.user.emplace_back(std::move(name), std::string(list.text()));
      return true;
    }
    case Property::kSubscriptionIdentifier:
      publish.subscription_ids.push_back(list.varint());
      if (publish.subscription_ids.back() == 0) list.fail(kBadValue);
      return true;
    case Property::kTopicAlias:
      // The client has said that it takes none, by not speaking of them.
      list.fail({kTopicAliasInvalid, "a topic alias, though none was offered"});
      return true;
    default:
      return false;
  }
}

void read_publish(Version version, std::uint8_t flags, Reader& reader, Publish& publish) {
  publish.duplicate = (flags & 8) != 0;
  publish.qos = (flags >> 1) & 3;
  publish.retained = (flags & 1) != 0;
  if (publish.qos == 3) reader.fail({kMalformedPacket, "a message with the QoS 3"});
  publish.topic = reader.text();
  const bool is_topic =
      !publish.topic.empty() && publish.topic.find_first_of("+#") == std::string_view::npos;
  if (publish.qos > 0) publish.id = read_id(reader);
  if (version == Version::k5_0) {
    read_properties(reader, [&publish](Property property, Reader& list) {
      return read_message_property(property, list, publish);
    });
  }
  if (!is_topic) reader.fail(kBadTopic);
}

Decoded<ServerPacket> decode_publish(Version version, std::uint8_t flags, std::string_view body) {
  Reader reader(body);
  Publish publish;
  read_publish(version, flags, reader, publish);
  publish.payload = reader.take_rest();
  return finish(reader, std::move(publish));
}

// ---- answers ----

Decoded<ServerPacket> decode_confirmation(Version version, PacketType type, std::string_view body) {
  Reader reader(body);
  Confirmation confirmation{type, read_id(reader), 0};
  if (version == Version::k5_0 && !reader.empty()) {
    confirmation.reason = reader.byte();
    if (!reader.empty()) skip_comments(reader);
  }
  return finish(reader, confirmation);
}

bool is_grant(Version version, std::uint8_t code) {
  if (code <= 2 || code == kFirstRefusal) return true;
  return version == Version::k5_0 && code > kFirstRefusal;
}

Decoded<ServerPacket> decode_granted(Version version, PacketType type, std::string_view body) {
  Reader reader(body);
  Granted granted{type, read_id(reader), {}};
  if (version == Version::k5_0) skip_comments(reader);
  const bool has_codes = type == PacketType::kSuback || version == Version::k5_0;
  if (has_codes) {
    for (const char c : reader.take_rest()) {
      const auto code = static_cast<std::uint8_t>(c);
      if (type == PacketType::kSuback && !is_grant(version, code)) {
        reader.fail({kProtocolError, "an answer to a subscription that cannot be"});
      }
      granted.codes.push_back(code);
    }
    if (granted.codes.empty()) reader.fail(kShort);
  }
  return finish(reader, std::move(granted));
}

Decoded<ServerPacket> decode_goodbye(Version version, std::string_view body) {
  if (version != Version::k5_0) return std::unexpected(kNotForClients);
  Reader reader(body);
  Goodbye goodbye{0};
  if (!reader.empty()) goodbye.reason = reader.byte();
  if (!reader.empty()) {
    read_properties(reader, [](Property property, Reader& list) {
      if (property != Property::kServerReference) return skip_comment(property, list);
      list.text();
      return true;
    });
  }
  return finish(reader, goodbye);
}

}  // namespace

bool is_mqtt_text(std::string_view text) {
  return text.size() <= kMaxTextBytes && text.find('\0') == std::string_view::npos && is_utf8(text);
}

Decoded<std::optional<Header>> decode_header(std::string_view bytes) {
  constexpr std::size_t kMostLengthBytes = 4;
  Header header;
  if (bytes.empty()) return std::nullopt;
  header.first = static_cast<std::uint8_t>(bytes.front());
  for (std::size_t i = 0; i < kMostLengthBytes; ++i) {
    if (i + 1 >= bytes.size()) return std::nullopt;
    const auto next = static_cast<std::uint8_t>(bytes[i + 1]);
    header.remaining |= static_cast<std::uint32_t>(next & 0x7F) << (7 * i);
    if ((next & 0x80) != 0) continue;
    header.size = i + 2;
    return header;
  }
  return std::unexpected(kBadLength);
}

Decoded<ServerPacket> decode(Version version, const Header& header, std::string_view body) {
  const PacketType type = header.type();
  const auto flags = static_cast<std::uint8_t>(header.first & 0x0F);
  const std::uint8_t wanted = type == PacketType::kPubrel ? 2 : 0;
  if (type != PacketType::kPublish && flags != wanted) return std::unexpected(kBadFlags);
  switch (type) {
    case PacketType::kConnack:
      return decode_connack(version, body);
    case PacketType::kPublish:
      return decode_publish(version, flags, body);
    case PacketType::kPuback:
    case PacketType::kPubrec:
    case PacketType::kPubrel:
    case PacketType::kPubcomp:
      return decode_confirmation(version, type, body);
    case PacketType::kSuback:
    case PacketType::kUnsuback:
      return decode_granted(version, type, body);
    case PacketType::kPingresp:
      if (!body.empty()) return std::unexpected(kLong);
      return ServerPacket(Pong{});
    case PacketType::kDisconnect:
      return decode_goodbye(version, body);
    case PacketType::kAuth:
      return std::unexpected(Fault{kProtocolError, "a step of a login that nobody asked for"});
    default:
      return std::unexpected(kNotForClients);
  }
}

Decoded<std::optional<Publish>> decode_beginning(Version version, const Header& header,
                                                 std::string_view body) {
  Reader reader(body);
  Publish publish;
  read_publish(version, static_cast<std::uint8_t>(header.first & 0x0F), reader, publish);
  if (!reader.fault()) {
    publish.payload = reader.rest();
    return publish;
  }
  const bool may_still_come = reader.fault()->text == kShort.text && body.size() < header.remaining;
  if (may_still_come) return std::nullopt;
  return std::unexpected(*reader.fault());
}

}  // namespace tributary::connectors::mqtt
