#include "connectors/mqtt/src/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/options.hpp"

namespace tributary::connectors::mqtt {
namespace {

// Reason codes that mean something of their own for a publish or a subscription (2.4).
constexpr int kNotAuthorized = 0x87;
constexpr int kTopicFilterInvalid = 0x8F;
constexpr int kQuotaExceeded = 0x97;
constexpr int kSharedSubscriptionsNotSupported = 0x9E;
constexpr int kWildcardSubscriptionsNotSupported = 0xA2;

struct Reason {
  int code;
  ErrorClass error_class;
  std::string_view name;  // the stable code
  std::string_view text;  // completes "The broker … "
  std::string_view hint;
  std::string_view pointer;
};

// Reason codes of CONNACK and DISCONNECT, in order.
constexpr auto kReasons = std::to_array<Reason>({
    {0x80, ErrorClass::kTransient, "unspecified_error", "gave no reason",
     "The broker's log says more.", ""},
    {0x81, ErrorClass::kTransient, "protocol_error", "could not read the packet it got",
     "The broker's log says more.", ""},
    {0x82, ErrorClass::kTransient, "protocol_error", "saw a violation of the protocol",
     "The broker's log says more.", ""},
    {0x83, ErrorClass::kTransient, "implementation_error",
     "has a reason of its own that the protocol does not name", "The broker's log says more.", ""},
    {0x84, ErrorClass::kConfiguration, "unsupported_protocol_version",
     "does not speak this MQTT version",
     "Choose another MQTT version: nearly every broker knows 3.1.1.", "/settings/version"},
    {0x85, ErrorClass::kConfiguration, "client_id_rejected", "does not accept this client id",
     "Give the connection a client id that the broker's rules allow.", "/settings/clientId"},
    {0x86, ErrorClass::kIdentity, "invalid_credentials",
     "does not accept this user name and password",
     "Check the user name and enter the password again.", "/secrets/password"},
    {0x87, ErrorClass::kIdentity, "not_authorized", "does not authorise this client", "", ""},
    {0x88, ErrorClass::kTransient, "server_unavailable", "is not available",
     "It will be tried again.", ""},
    {0x89, ErrorClass::kBusy, "server_busy", "is busy", "It will be tried again later.", ""},
    {0x8A, ErrorClass::kIdentity, "banned", "has banned this client",
     "Ask the broker's administrator to lift the ban.", "/settings/clientId"},
    {0x8B, ErrorClass::kTransient, "server_shutting_down", "is shutting down",
     "It will be tried again.", ""},
    {0x8C, ErrorClass::kConfiguration, "bad_authentication_method",
     "wants another way of authentication",
     "The hub authenticates with a user name and a password.", "/settings/username"},
    {0x8D, ErrorClass::kTransient, "keep_alive_timeout", "heard nothing from the hub for too long",
     "Was the network down, or the hub's machine stopped?", ""},
    {0x8E, ErrorClass::kTakeover, "session_taken_over",
     "gave the session to another client with the same client id",
     "Does a second hub, or a copy of this connection, use the same client id?",
     "/settings/clientId"},
    {0x90, ErrorClass::kConfiguration, "invalid_topic", "does not accept the topic", "", ""},
    {0x93, ErrorClass::kTransient, "receive_maximum_exceeded",
     "got more unconfirmed messages than it allows", "", ""},
    {0x94, ErrorClass::kTransient, "topic_alias_invalid", "did not understand a topic alias", "",
     ""},
    {0x95, ErrorClass::kTransient, "packet_too_large", "got a packet larger than it allows",
     "Publish smaller payloads, or raise the broker's limit.", ""},
    {0x96, ErrorClass::kBusy, "message_rate_too_high", "gets messages faster than it allows",
     "Publish less often, or raise the broker's limit.", ""},
    {0x97, ErrorClass::kBusy, "quota_exceeded", "says that a quota is exceeded",
     "It will be tried again later. The broker's administrator can raise the quota.", ""},
    {0x98, ErrorClass::kTransient, "administrative_action",
     "was told by its administrator to end the session", "", ""},
    {0x99, ErrorClass::kTransient, "payload_format_invalid",
     "found a payload that is not what it claims to be", "", ""},
    {0x9A, ErrorClass::kTransient, "retain_not_supported", "does not keep retained messages",
     "Switch retain off.", ""},
    {0x9B, ErrorClass::kTransient, "qos_not_supported", "does not support this QoS",
     "Choose a lower QoS.", ""},
    {0x9C, ErrorClass::kStandby, "use_another_server", "asks to use another server for now", "",
     ""},
    {0x9D, ErrorClass::kConfiguration, "server_moved", "has moved for good",
     "Enter the broker's new address.", "/settings/host"},
    {0x9F, ErrorClass::kBusy, "connection_rate_exceeded",
     "gets new connections faster than it allows", "It will be tried again later.", ""},
    {0xA0, ErrorClass::kTransient, "maximum_connect_time",
     "allows a connection only for a limited time", "", ""},
});

// 3.x return codes as the 5.0 reasons that mean the same.
int modern_reason(int return_code) {
  switch (return_code) {
    case 1:
      return 0x84;
    case 2:
      return 0x85;
    case 3:
      return 0x88;
    case 4:
      return 0x86;
    case 5:
      return 0x87;
    default:
      return return_code;
  }
}

const Reason* find_reason(int code) {
  const auto found = std::ranges::find(kReasons, code, &Reason::code);
  return found == kReasons.end() ? nullptr : &*found;
}

Error of_reason(int code, std::string_view action, std::string_view peer) {
  const Reason* reason = find_reason(code);
  if (reason == nullptr) {
    return {ErrorClass::kTransient, "protocol_error",
            fmt::format("{} {} with the code 0x{:02X}, which the protocol does not know", peer,
                        action, code),
            "Is it an MQTT broker?"};
  }
  return {reason->error_class, std::string(reason->name),
          fmt::format("{} {}: the broker {}", peer, action, reason->text),
          std::string(reason->hint), std::string(reason->pointer)};
}

}  // namespace

Error connect_refused(int reason, std::string_view peer, bool with_user) {
  Error error = of_reason(modern_reason(reason), "refused the login", peer);
  if (error.code == "not_authorized") {
    // Many brokers, mosquitto among them, answer so to a wrong password.
    error.hint =
        with_user
            ? "Check the user name and enter the password again; may this user use this client id?"
            : "Does the broker want a user name and a password?";
    error.pointer = with_user ? "/secrets/password" : "/settings/username";
  }
  return error;
}

Error disconnected_by_broker(int reason, std::string_view peer) {
  return of_reason(reason, "ended the session", peer);
}

Error publish_refused(int reason, std::string_view topic) {
  const Reason* known = find_reason(reason);
  if (reason == kNotAuthorized) {
    return {ErrorClass::kFunction, "not_authorized",
            fmt::format("The broker does not allow this user to publish to {}", topic),
            "Ask the broker's administrator for the right to write this topic.", "/settings/topic"};
  }
  return {ErrorClass::kFunction, known == nullptr ? "publish_refused" : std::string(known->name),
          fmt::format("The broker refused the message to {}: it {}", topic,
                      known == nullptr ? fmt::format("answered with the code 0x{:02X}", reason)
                                       : std::string(known->text)),
          known == nullptr ? "" : std::string(known->hint)};
}

std::string_view refusal_text(int reason) {
  switch (reason) {
    case kNotAuthorized:
      return "not authorised";
    case kTopicFilterInvalid:
      return "the broker does not accept this filter";
    case kQuotaExceeded:
      return "a quota of the broker is exceeded";
    case kSharedSubscriptionsNotSupported:
      return "the broker has no shared subscriptions";
    case kWildcardSubscriptionsNotSupported:
      return "the broker has no wildcards";
    default:
      return "refused without a reason";
  }
}

Error connection_lost(int error_number, std::string_view peer, bool logged_in) {
  if (error_number != 0) return net::error_from_errno(error_number, "exchange data with", peer);
  if (!logged_in) {
    return {ErrorClass::kTransient, "connection_closed",
            fmt::format("{} closed the connection without an answer to the login", peer),
            "Is this the broker's plain MQTT port, not its TLS or WebSocket port? The broker's log "
            "says why it closed."};
  }
  return {ErrorClass::kTransient, "connection_closed",
          fmt::format("{} closed the connection", peer),
          "Did the broker stop, or does another client use the same client id?"};
}

Error not_mqtt(std::string_view what, std::string_view peer) {
  return {ErrorClass::kTransient, "protocol_error",
          fmt::format("{} sent something that is not MQTT: {}", peer, what),
          "Is this the broker's plain MQTT port, and is the MQTT version right?"};
}

Error tls_expected(std::string_view peer) {
  return {ErrorClass::kConfiguration, "tls_expected",
          fmt::format("{} speaks TLS on this port, and the connection does not use it", peer),
          "Switch TLS on, or enter the broker's plain port (1883).", "/settings/tls/enabled"};
}

Error not_sent(Refusal refusal, std::string_view what) {
  switch (refusal) {
    case Refusal::kTooLarge:
      return {ErrorClass::kFunction, "message_too_large",
              fmt::format("{} is larger than the broker takes", what),
              "Publish a smaller payload, or raise the broker's limit.", "/settings/payload"};
    case Refusal::kQosNotSupported:
      return {ErrorClass::kFunction, "qos_not_supported",
              fmt::format("{} was not sent: the broker does not support this QoS", what),
              "Choose a lower QoS.", "/settings/qos"};
    case Refusal::kRetainNotSupported:
      return {ErrorClass::kFunction, "retain_not_supported",
              fmt::format("{} was not sent: the broker keeps no retained messages", what),
              "Switch retain off.", "/settings/retain"};
    case Refusal::kInvalidText:
      return {ErrorClass::kFunction, "invalid_utf8",
              fmt::format("{} holds text that is not valid UTF-8", what)};
    default:
      return {ErrorClass::kFunction, "queue_full",
              fmt::format("{} was not sent: too many wait for the broker's confirmation", what),
              "Publish less often, or let the broker confirm faster."};
  }
}

}  // namespace tributary::connectors::mqtt
