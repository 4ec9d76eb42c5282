#include "connectors/mqtt/src/client.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tributary::connectors::mqtt {
namespace {

// Memory that the buffer of what is to be written keeps while it is empty, and the written part
// that is moved over at the latest.
constexpr std::size_t kKeptBuffer = 64U << 10;
constexpr std::size_t kMoveAfter = 1U << 20;

constexpr Fault kTwiceConnected{kProtocolError, "a second answer to the login"};
constexpr Fault kNoConnack{kProtocolError, "something else before the answer to the login"};
constexpr Fault kWrongAnswer{kProtocolError, "an answer of the wrong kind"};
constexpr Fault kTooLargePacket{kPacketTooLarge, "a packet larger than the hub allows"};
constexpr Fault kTooMany{kReceiveMaximumExceeded, "more unacknowledged messages than it may"};
constexpr Fault kEarlyRelease{kProtocolError, "a release of a message that was not acknowledged"};

// The properties of a message to send; nullopt when one does not fit the protocol.
std::optional<std::string> properties_of(const PublishSettings& settings) {
  MessageProperties properties;
  properties.content_type = settings.content_type;
  properties.response_topic = settings.response_topic;
  if (settings.message_expiry_seconds) {
    properties.message_expiry_seconds =
        static_cast<std::uint32_t>(*settings.message_expiry_seconds);
  }
  const auto fits = [](const std::optional<std::string>& text) {
    return !text || is_mqtt_text(*text);
  };
  bool all_fit = fits(properties.content_type) && fits(properties.response_topic);
  if (settings.user_properties) {
    for (const auto& [name, value] : *settings.user_properties) {
      all_fit = all_fit && is_mqtt_text(name) && is_mqtt_text(value);
      properties.user.emplace_back(name, value);
    }
  }
  if (!all_fit) return std::nullopt;
  return encode_properties(properties);
}

Result<void> check_texts(const ClientOptions& options) {
  if (!is_mqtt_text(options.client_id)) {
    return fail(ErrorClass::kConfiguration, "client_id_rejected",
                fmt::format("\"{}\" cannot be a client id", options.client_id),
                "Use letters, digits and hyphens.", "/settings/clientId");
  }
  if (options.settings.username && !is_mqtt_text(*options.settings.username)) {
    return fail(ErrorClass::kConfiguration, "invalid_username",
                "The user name holds characters that MQTT cannot carry", "", "/settings/username");
  }
  if (options.password != nullptr && options.password->reveal().size() > kMaxTextBytes) {
    return fail(ErrorClass::kConfiguration, "password_too_long",
                "The password is longer than the 65535 bytes that MQTT can carry", "",
                "/secrets/password");
  }
  return {};
}

}  // namespace

Client::Client(ClientEvents& events, const ConnectionSettings& settings)
    : events_(events),
      version_(settings.version),
      max_payload_(static_cast<std::size_t>(settings.max_message_bytes)) {}

Result<std::unique_ptr<Client>> Client::create(const ClientOptions& options, ClientEvents& events) {
  TRIBUTARY_TRY(check_texts(options));
  const ConnectionSettings& settings = options.settings;
  std::unique_ptr<Client> client(new Client(events, settings));
  Connect connect;
  connect.client_id = options.client_id;
  connect.clean_session = settings.clean_session;
  connect.keep_alive_seconds = static_cast<std::uint16_t>(settings.keep_alive_seconds);
  if (settings.username) {
    connect.username = *settings.username;
    if (options.password != nullptr) connect.password = options.password->reveal();
  }
  if (!settings.clean_session) {
    connect.session_expiry_seconds = static_cast<std::uint32_t>(settings.session_expiry_seconds);
  }
  connect.receive_maximum = kReceiveMaximum;
  connect.maximum_packet_bytes =
      static_cast<std::uint32_t>(std::min(client->max_payload_ + kPacketRoom, kMaxPacketBytes));
  encode(connect, settings.version, client->outgoing_);
  return client;
}

void Client::wrote(std::size_t count) {
  written_ += count;
  if (written_ == outgoing_.size()) {
    outgoing_.clear();
    written_ = 0;
    if (outgoing_.capacity() > kKeptBuffer) outgoing_.shrink_to_fit();
  } else if (written_ >= kMoveAfter) {
    outgoing_.erase(0, written_);
    written_ = 0;
  }
}

// ---- what the broker says ----

Decoded<std::size_t> Client::take(std::string_view bytes) {
  if (passing_) return pass_by(bytes);
  if (bytes.empty() || goodbye_) return bytes.size();
  // Seen by its first byte: the rest of what is no MQTT at all may never come.
  const auto type = static_cast<PacketType>(static_cast<std::uint8_t>(bytes.front()) >> 4);
  if (!connack_ && type != PacketType::kConnack) return std::unexpected(kNoConnack);
  const auto header = decode_header(bytes);
  if (!header) return std::unexpected(header.error());
  if (!*header) return 0;
  const std::size_t size = (*header)->size + (*header)->remaining;
  if (size > max_payload_ + kPacketRoom) return take_oversized(**header, bytes);
  if (bytes.size() < size) return 0;
  auto packet = decode(version_, **header, bytes.substr((*header)->size, (*header)->remaining));
  if (!packet) return std::unexpected(packet.error());
  const auto handled = handle(std::move(*packet));
  if (!handled) return std::unexpected(handled.error());
  return size;
}

// A message beyond the limit is not kept, but it is told of. With 5.0 the broker knows the limit.
Decoded<std::size_t> Client::take_oversized(const Header& header, std::string_view bytes) {
  if (header.type() != PacketType::kPublish || version_ == Version::k5_0) {
    return std::unexpected(kTooLargePacket);
  }
  const std::string_view body = bytes.substr(header.size, header.remaining);
  const auto beginning = decode_beginning(version_, header, body);
  if (!beginning) return std::unexpected(beginning.error());
  if (!*beginning) return 0;
  const Publish& publish = **beginning;
  Passing passing;
  passing.message.refused_bytes = header.remaining - (body.size() - publish.payload.size());
  passing.left = *passing.message.refused_bytes;
  const auto is_new = receive(publish, passing.message);
  if (!is_new) return std::unexpected(is_new.error());
  passing.is_new = *is_new;
  passing_ = std::move(passing);
  return header.size + (body.size() - publish.payload.size());
}

Decoded<std::size_t> Client::pass_by(std::string_view bytes) {
  const std::size_t passed = std::min(bytes.size(), passing_->left);
  passing_->left -= passed;
  if (passing_->left > 0) return passed;
  Passing whole = std::move(*passing_);
  passing_.reset();
  if (!whole.is_new) return passed;
  if (whole.message.delivery) deliveries_.push_back(whole.message.delivery);
  events_.on_message(std::move(whole.message));
  settle();
  return passed;
}

Decoded<void> Client::handle(ServerPacket packet) {
  if (auto* publish = std::get_if<Publish>(&packet)) return handle(*publish);
  if (const auto* confirmation = std::get_if<Confirmation>(&packet)) return handle(*confirmation);
  if (auto* granted = std::get_if<Granted>(&packet)) return handle(*granted);
  if (const auto* connack = std::get_if<Connack>(&packet)) return handle(*connack);
  if (const auto* goodbye = std::get_if<Goodbye>(&packet)) goodbye_ = *goodbye;
  return {};
}

Decoded<void> Client::handle(const Connack& connack) {
  if (connack_) return std::unexpected(kTwiceConnected);
  connack_ = connack;
  events_.on_connack(connack);
  return {};
}

Decoded<bool> Client::receive(const Publish& publish, Message& message) {
  message.topic = publish.topic;
  message.qos = publish.qos;
  message.retained = publish.retained;
  if (publish.qos == 0) return true;
  if (publish.qos == 2) {
    const auto known = exactly_once_.find(publish.id);
    if (known != exactly_once_.end()) {
      if (known->second)
        encode(Confirmation{PacketType::kPubrec, publish.id, 0}, version_, outgoing_);
      return false;
    }
  } else if (publish.duplicate && std::ranges::any_of(deliveries_, [&](const auto& held) {
               return held->qos == 1 && held->id == publish.id;
             })) {
    // 3.1 lets a broker repeat while it waits.
    return false;
  }
  if (version_ == Version::k5_0 && deliveries_.size() >= kReceiveMaximum) {
    return std::unexpected(kTooMany);
  }
  if (publish.qos == 2) exactly_once_.emplace(publish.id, false);
  message.delivery = std::make_shared<Delivery>(publish.id, publish.qos);
  return true;
}

Decoded<void> Client::handle(Publish& publish) {
  Message message;
  const auto is_new = receive(publish, message);
  if (!is_new) return std::unexpected(is_new.error());
  if (!*is_new) return {};
  if (publish.payload.size() > max_payload_) {
    message.refused_bytes = publish.payload.size();
  } else {
    message.payload = publish.payload;
  }
  message.properties = std::move(publish.properties);
  message.subscription_ids = std::move(publish.subscription_ids);
  const bool awaits = message.delivery != nullptr;
  if (awaits) deliveries_.push_back(message.delivery);
  events_.on_message(std::move(message));
  if (awaits) settle();
  return {};
}

void Client::settle() {
  while (!deliveries_.empty()) {
    const Delivery& oldest = *deliveries_.front();
    if (!oldest.parked && oldest.holders > 0) break;
    if (!oldest.parked) {
      const bool once = oldest.qos == 2;
      if (once) exactly_once_[oldest.id] = true;
      encode(Confirmation{once ? PacketType::kPubrec : PacketType::kPuback, oldest.id, 0}, version_,
             outgoing_);
    }
    deliveries_.pop_front();
  }
}

Decoded<void> Client::handle_release(std::uint16_t id) {
  const auto known = exactly_once_.find(id);
  if (known != exactly_once_.end() && !known->second) return std::unexpected(kEarlyRelease);
  // One that we do not know is of an earlier connection.
  const std::uint8_t reason = known == exactly_once_.end() ? kPacketIdNotFound : std::uint8_t{0};
  if (known != exactly_once_.end()) exactly_once_.erase(known);
  encode(Confirmation{PacketType::kPubcomp, id, reason}, version_, outgoing_);
  return {};
}

Decoded<void> Client::handle(const Confirmation& confirmation) {
  const std::uint16_t id = confirmation.id;
  if (confirmation.type == PacketType::kPubrel) return handle_release(id);
  const auto flight = flights_.find(id);
  if (flight == flights_.end()) {
    // Of an earlier connection: told so, the broker forgets it.
    if (confirmation.type == PacketType::kPubrec && confirmation.reason < kFirstRefusal) {
      encode(Confirmation{PacketType::kPubrel, id, kPacketIdNotFound}, version_, outgoing_);
    }
    return {};
  }
  switch (confirmation.type) {
    case PacketType::kPuback:
      if (flight->second != Flight::kAwaitsPuback) return std::unexpected(kWrongAnswer);
      land(id, confirmation.reason);
      return {};
    case PacketType::kPubrec:
      if (flight->second != Flight::kAwaitsPubrec && flight->second != Flight::kAwaitsPubcomp) {
        return std::unexpected(kWrongAnswer);
      }
      if (confirmation.reason >= kFirstRefusal) {
        land(id, confirmation.reason);
        return {};
      }
      flight->second = Flight::kAwaitsPubcomp;
      encode(Confirmation{PacketType::kPubrel, id, 0}, version_, outgoing_);
      return {};
    default:
      if (flight->second != Flight::kAwaitsPubcomp) return std::unexpected(kWrongAnswer);
      land(id, confirmation.reason == kPacketIdNotFound ? 0 : confirmation.reason);
      return {};
  }
}

void Client::land(std::uint16_t id, int reason) {
  flights_.erase(id);
  --publishing_;
  events_.on_published(id, reason);
  send_pending();
}

Decoded<void> Client::handle(Granted& granted) {
  const bool subscribing = granted.type == PacketType::kSuback;
  const auto flight = flights_.find(granted.id);
  if (flight == flights_.end()) return {};
  if (flight->second != (subscribing ? Flight::kAwaitsSuback : Flight::kAwaitsUnsuback)) {
    return std::unexpected(kWrongAnswer);
  }
  flights_.erase(flight);
  if (subscribing) {
    events_.on_subscribed(granted.id, std::move(granted.codes));
  } else {
    events_.on_unsubscribed(granted.id);
  }
  return {};
}

// ---- what the hub says ----

std::uint16_t Client::take_id() {
  // flights_ is far smaller than the number of ids.
  while (flights_.contains(next_id_)) next_id_ = next_id_ == 65'535 ? 1 : next_id_ + 1;
  const std::uint16_t id = next_id_;
  next_id_ = next_id_ == 65'535 ? 1 : next_id_ + 1;
  return id;
}

std::size_t Client::send_window() const {
  return std::min<std::size_t>(kSendMaximum, connack_ ? connack_->receive_maximum : 1);
}

Refusal Client::check(const PublishParts& parts) const {
  const Connack granted = connack_.value_or(Connack{});
  if (parts.qos > granted.maximum_qos) return Refusal::kQosNotSupported;
  // A broker that keeps no retained messages may not be given one (3.2.2.3.5).
  if (parts.retain && !granted.retain_available) return Refusal::kRetainNotSupported;
  const std::size_t largest = std::min<std::size_t>(granted.maximum_packet_bytes, kMaxPacketBytes);
  if (encoded_size(parts, version_) > largest) return Refusal::kTooLarge;
  const bool full = flights_.size() >= kMaxInFlight || pending_bytes_ >= kMaxPendingBytes;
  return parts.qos > 0 && full ? Refusal::kQueueFull : Refusal::kNone;
}

Client::Sent Client::publish(const Outgoing& message, const PublishSettings& settings) {
  std::string properties;
  if (version_ == Version::k5_0) {
    auto encoded = properties_of(settings);
    if (!encoded) return {Refusal::kInvalidText, 0};
    properties = *std::move(encoded);
  }
  PublishParts parts{message.topic,   message.payload,
                     properties,      static_cast<int>(settings.qos),
                     settings.retain, 0};
  const Refusal refusal = check(parts);
  if (refusal != Refusal::kNone) return {refusal, 0};
  if (parts.qos == 0) {
    encode(parts, version_, outgoing_);
    return {};
  }
  parts.id = take_id();
  flights_.emplace(parts.id, parts.qos == 1 ? Flight::kAwaitsPuback : Flight::kAwaitsPubrec);
  if (pending_.empty() && publishing_ < send_window()) {
    ++publishing_;
    encode(parts, version_, outgoing_);
  } else {
    Pending pending{{}, parts.id};
    encode(parts, version_, pending.bytes);
    pending_bytes_ += pending.bytes.size();
    pending_.push_back(std::move(pending));
  }
  return {Refusal::kNone, parts.id};
}

void Client::send_pending() {
  while (!pending_.empty() && publishing_ < send_window()) {
    ++publishing_;
    outgoing_.append(pending_.front().bytes);
    pending_bytes_ -= pending_.front().bytes.size();
    pending_.pop_front();
  }
}

Client::Sent Client::subscribe(const std::string& filter, int qos, std::uint32_t identifier) {
  if (flights_.size() >= kMaxAwaited) return {Refusal::kQueueFull, 0};
  const std::uint16_t id = take_id();
  flights_.emplace(id, Flight::kAwaitsSuback);
  encode_subscribe(id, filter, qos, identifier, version_, outgoing_);
  return {Refusal::kNone, id};
}

Client::Sent Client::unsubscribe(const std::string& filter) {
  if (flights_.size() >= kMaxAwaited) return {Refusal::kQueueFull, 0};
  const std::uint16_t id = take_id();
  flights_.emplace(id, Flight::kAwaitsUnsuback);
  encode_unsubscribe(id, filter, version_, outgoing_);
  return {Refusal::kNone, id};
}

}  // namespace tributary::connectors::mqtt
