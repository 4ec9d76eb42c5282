// The state of one MQTT connection, without a socket: packets in, packets out, what was confirmed
// and what was not. wire.hpp moves the bytes; what travels is decided here.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "connectors/mqtt/settings.hpp"
#include "connectors/mqtt/src/codec.hpp"
#include "connectors/mqtt/src/message.hpp"
#include "connectors/mqtt/src/operation.hpp"

namespace tributary::connectors::mqtt {

// Messages that the broker may send before the first of them is acknowledged, where it asks (5.0).
inline constexpr std::uint16_t kReceiveMaximum = 2000;
// Messages with QoS 1 and 2 on their way to the broker at once; it may want fewer (5.0).
inline constexpr std::size_t kSendMaximum = 64;
// Messages that wait for their place among them, or for a confirmation that never came.
inline constexpr std::size_t kMaxInFlight = 1024;
inline constexpr std::size_t kMaxPendingBytes = 64U << 20;
// Answers of any kind that may be awaited at once: half of the ids that there are.
inline constexpr std::size_t kMaxAwaited = 32'768;
// What a packet may hold beside the largest payload: topic and properties.
inline constexpr std::size_t kPacketRoom = 65'536;

// Called from inside Client::take(): copy and post, call nothing of the client.
class ClientEvents {
 public:
  virtual ~ClientEvents() = default;
  virtual void on_connack(const Connack& connack) = 0;
  // A message with QoS 1 or 2 was confirmed; `reason` from 0x80 on is a refusal (5.0).
  virtual void on_published(int id, int reason) = 0;
  // One code per filter: the granted QoS, or from 0x80 on a refusal.
  virtual void on_subscribed(int id, std::vector<int> codes) = 0;
  virtual void on_unsubscribed(int id) = 0;
  // With QoS 1 and 2, `message.delivery` decides about its acknowledgement.
  virtual void on_message(Message message) = 0;
};

struct ClientOptions {
  ConnectionSettings settings;
  std::string client_id;
  const Secret* password = nullptr;  // used during create() only
};

// Why a packet was not made.
enum class Refusal : std::uint8_t {
  kNone,
  kTooLarge,
  kQosNotSupported,
  kRetainNotSupported,
  kInvalidText,
  kQueueFull
};

// Lives on one executor, for one connection. Unconfirmed messages end with it: whoever published
// them is told that the outcome is unknown and decides about another try, so nothing is ever sent
// as a duplicate from here.
class Client {
 public:
  // `events` outlives the client. CONNECT is the first thing to write. Error: kConfiguration for a
  // client id or a password that the protocol cannot carry.
  static Result<std::unique_ptr<Client>> create(const ClientOptions& options, ClientEvents& events);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Handles the packet that `bytes` begin with, or a part of one that is too large to be kept
  // whole. Gives the bytes that it used; 0: more must come first.
  Decoded<std::size_t> take(std::string_view bytes);
  // The broker's goodbye (5.0): nothing comes after it.
  const std::optional<Goodbye>& goodbye() const { return goodbye_; }

  // What is to be written, oldest first; wrote() says how much of it was.
  std::string_view to_write() const { return std::string_view(outgoing_).substr(written_); }
  void wrote(std::size_t count);

  struct Sent {
    Refusal refusal = Refusal::kNone;
    int id = 0;  // of the confirmation to come; 0: there is none (QoS 0)
  };
  Sent publish(const Outgoing& message, const PublishSettings& settings);
  // `identifier` 0: none. Messages say by it which subscription they belong to (5.0).
  Sent subscribe(const std::string& filter, int qos, std::uint32_t identifier);
  Sent unsubscribe(const std::string& filter);
  void ping() { encode_pingreq(outgoing_); }
  // Queues DISCONNECT, with the reason where the version has them.
  void disconnect(std::uint8_t reason = 0) { encode_disconnect(reason, version_, outgoing_); }

  // Acknowledges what nobody holds any more, in the order in which it came (4.6): what was accepted
  // later than its successors keeps these waiting, what was parked does not.
  void settle();
  // Messages that came and are not acknowledged.
  std::size_t unacknowledged() const { return deliveries_.size(); }

  // Before the first packet with an id. A broker that kept the session may still have some of an
  // earlier connection open: another beginning keeps out of their way.
  void begin_ids_at(std::uint16_t first) { next_id_ = first == 0 ? 1 : first; }

 private:
  enum class Flight : std::uint8_t {
    kAwaitsPuback,
    kAwaitsPubrec,
    kAwaitsPubcomp,
    kAwaitsSuback,
    kAwaitsUnsuback
  };
  struct Pending {
    std::string bytes;
    std::uint16_t id;
  };
  // A PUBLISH that is too large to be kept: told of when the rest of it has passed by.
  struct Passing {
    Message message;
    bool is_new = true;  // not a repetition of one that we hold
    std::size_t left = 0;
  };

  Client(ClientEvents& events, const ConnectionSettings& settings);
  Decoded<std::size_t> pass_by(std::string_view bytes);
  Decoded<std::size_t> take_oversized(const Header& header, std::string_view bytes);
  Decoded<void> handle(ServerPacket packet);
  Decoded<void> handle(const Connack& connack);
  Decoded<void> handle(Publish& publish);
  Decoded<void> handle(const Confirmation& confirmation);
  Decoded<void> handle_release(std::uint16_t id);
  Decoded<void> handle(Granted& granted);
  void land(std::uint16_t id, int reason);
  // Makes the Delivery; null for QoS 0. False: we have, or had, this message already.
  Decoded<bool> receive(const Publish& publish, Message& message);
  Refusal check(const PublishParts& parts) const;
  std::uint16_t take_id();
  void send_pending();
  std::size_t send_window() const;

  ClientEvents& events_;
  const Version version_;
  const std::size_t max_payload_;
  std::string outgoing_;
  std::size_t written_ = 0;
  std::optional<Connack> connack_;
  std::optional<Goodbye> goodbye_;

  // To the broker.
  std::uint16_t next_id_ = 1;
  std::map<std::uint16_t, Flight> flights_;
  std::size_t publishing_ = 0;  // of them, messages that were sent
  std::deque<Pending> pending_;
  std::size_t pending_bytes_ = 0;

  // From the broker.
  std::deque<std::shared_ptr<Delivery>> deliveries_;  // not acknowledged, oldest first
  std::map<std::uint16_t, bool> exactly_once_;        // QoS 2, until PUBREL; true: PUBREC was sent
  std::optional<Passing> passing_;
};

}  // namespace tributary::connectors::mqtt
