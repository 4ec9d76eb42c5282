#include "connectors/mqtt/src/client.hpp"

#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstdlib>

#include "connectors/mqtt/src/errors.hpp"
#include "net/options.hpp"

namespace tributary::connectors::mqtt {
namespace {

// Unconfirmed messages with QoS 1 and 2 on their way at once; a 5.0 broker may lower the first.
constexpr int kSendMaximum = 64;
constexpr int kReceiveMaximum = 64;
constexpr int kFirstRefusal = 0x80;

// Once for the process, before the first client; the library has no use for its counterpart at
// exit.
void initialise_library() {
  static const int result = mosquitto_lib_init();
  static_cast<void>(result);
}

// A list of 5.0 properties to send.
class Properties {
 public:
  ~Properties() { mosquitto_property_free_all(&list_); }
  Properties() = default;
  Properties(const Properties&) = delete;
  Properties& operator=(const Properties&) = delete;
  mosquitto_property** out() { return &list_; }
  const mosquitto_property* get() const { return list_; }

 private:
  mosquitto_property* list_ = nullptr;
};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

std::optional<std::string> read_text(const mosquitto_property* list, int identifier) {
  char* text = nullptr;
  if (mosquitto_property_read_string(list, identifier, &text, false) == nullptr) return {};
  const std::unique_ptr<char, Free> owner(text);
  return std::string(text);
}

std::optional<std::string> read_bytes(const mosquitto_property* list, int identifier) {
  void* bytes = nullptr;
  std::uint16_t size = 0;
  if (mosquitto_property_read_binary(list, identifier, &bytes, &size, false) == nullptr) return {};
  const std::unique_ptr<void, Free> owner(bytes);
  return std::string(static_cast<const char*>(bytes), size);
}

MessageProperties read_properties(const mosquitto_property* list) {
  MessageProperties properties;
  if (list == nullptr) return properties;
  properties.content_type = read_text(list, MQTT_PROP_CONTENT_TYPE);
  properties.response_topic = read_text(list, MQTT_PROP_RESPONSE_TOPIC);
  properties.correlation_data = read_bytes(list, MQTT_PROP_CORRELATION_DATA);
  std::uint32_t expiry = 0;
  if (mosquitto_property_read_int32(list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &expiry, false)) {
    properties.message_expiry_seconds = expiry;
  }
  std::uint8_t is_text = 0;
  if (mosquitto_property_read_byte(list, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, &is_text, false)) {
    properties.is_text = is_text == 1;
  }
  char* name = nullptr;
  char* value = nullptr;
  for (const auto* at =
           mosquitto_property_read_string_pair(list, MQTT_PROP_USER_PROPERTY, &name, &value, false);
       at != nullptr;
       at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, true)) {
    const std::unique_ptr<char, Free> name_owner(name);
    const std::unique_ptr<char, Free> value_owner(value);
    properties.user.emplace_back(name, value);
  }
  return properties;
}

std::vector<std::uint32_t> read_subscription_ids(const mosquitto_property* list) {
  std::vector<std::uint32_t> ids;
  std::uint32_t id = 0;
  for (const auto* at =
           mosquitto_property_read_varint(list, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, &id, false);
       at != nullptr;
       at = mosquitto_property_read_varint(at, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, &id, true)) {
    ids.push_back(id);
  }
  return ids;
}

Connack read_connack(int reason, int flags, const mosquitto_property* list) {
  Connack connack;
  connack.reason = reason;
  connack.session_present = (flags & 1) != 0;
  std::uint8_t available = 1;
  if (list &&
      mosquitto_property_read_byte(list, MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE, &available, false)) {
    connack.subscription_ids = available != 0;
  }
  if (list && mosquitto_property_read_byte(list, MQTT_PROP_RETAIN_AVAILABLE, &available, false)) {
    connack.retain_available = available != 0;
  }
  std::uint16_t seconds = 0;
  if (list && mosquitto_property_read_int16(list, MQTT_PROP_SERVER_KEEP_ALIVE, &seconds, false)) {
    connack.keep_alive_seconds = seconds;
  }
  return connack;
}

Message read_message(const mosquitto_message& raw, const mosquitto_property* list,
                     std::size_t max_bytes) {
  Message message;
  message.topic = raw.topic;
  message.qos = raw.qos;
  message.retained = raw.retain;
  const auto size = static_cast<std::size_t>(raw.payloadlen);
  if (size > max_bytes) {
    message.refused_bytes = size;
  } else {
    message.payload.assign(static_cast<const char*>(raw.payload), size);
  }
  message.properties = read_properties(list);
  if (list != nullptr) message.subscription_ids = read_subscription_ids(list);
  return message;
}

int protocol_number(ConnectionSettings::Version version) {
  switch (version) {
    case ConnectionSettings::Version::k3_1:
      return MQTT_PROTOCOL_V31;
    case ConnectionSettings::Version::k3_1_1:
      return MQTT_PROTOCOL_V311;
    case ConnectionSettings::Version::k5_0:
      return MQTT_PROTOCOL_V5;
  }
  return MQTT_PROTOCOL_V311;
}

// The properties of a message to send; false when one does not fit the protocol.
bool add_properties(Properties& properties, const PublishSettings& settings) {
  int result = MOSQ_ERR_SUCCESS;
  const auto keep = [&result](int next) {
    if (result == MOSQ_ERR_SUCCESS) result = next;
  };
  if (settings.content_type) {
    keep(mosquitto_property_add_string(properties.out(), MQTT_PROP_CONTENT_TYPE,
                                       settings.content_type->c_str()));
  }
  if (settings.response_topic) {
    keep(mosquitto_property_add_string(properties.out(), MQTT_PROP_RESPONSE_TOPIC,
                                       settings.response_topic->c_str()));
  }
  if (settings.message_expiry_seconds) {
    keep(
        mosquitto_property_add_int32(properties.out(), MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                     static_cast<std::uint32_t>(*settings.message_expiry_seconds)));
  }
  if (settings.user_properties) {
    for (const auto& [name, value] : *settings.user_properties) {
      keep(mosquitto_property_add_string_pair(properties.out(), MQTT_PROP_USER_PROPERTY,
                                              name.c_str(), value.c_str()));
    }
  }
  return result == MOSQ_ERR_SUCCESS;
}

}  // namespace

Client::Client(mosquitto* handle, ClientEvents& events, const ConnectionSettings& settings)
    : handle_(handle), events_(events), settings_(settings) {}

Client::~Client() {
  mosquitto_destroy(handle_);
}

Result<std::unique_ptr<Client>> Client::create(const ClientOptions& options, ClientEvents& events) {
  initialise_library();
  mosquitto* handle =
      mosquitto_new(options.client_id.c_str(), options.settings.clean_session, nullptr);
  if (handle == nullptr) {
    if (errno == ENOMEM) return fail(net::error_from_errno(ENOMEM, "use", "libmosquitto"));
    return fail(ErrorClass::kConfiguration, "client_id_rejected",
                fmt::format("\"{}\" cannot be a client id", options.client_id),
                "Use letters, digits and hyphens.", "/settings/clientId");
  }
  std::unique_ptr<Client> client(new Client(handle, events, options.settings));
  client->tls_ = options.tls;
  mosquitto_user_data_set(handle, client.get());
  TRIBUTARY_TRY(client->configure(options));
  client->set_callbacks();
  return client;
}

Result<void> Client::configure(const ClientOptions& options) {
  const auto set = [this](mosq_opt_t option, int value) {
    return mosquitto_int_option(handle_, option, value);
  };
  int result = set(MOSQ_OPT_PROTOCOL_VERSION, protocol_number(settings_.version));
  if (result == MOSQ_ERR_SUCCESS) result = set(MOSQ_OPT_TCP_NODELAY, 1);
  if (result == MOSQ_ERR_SUCCESS) result = set(MOSQ_OPT_SEND_MAXIMUM, kSendMaximum);
  if (result == MOSQ_ERR_SUCCESS) result = set(MOSQ_OPT_RECEIVE_MAXIMUM, kReceiveMaximum);
  if (result == MOSQ_ERR_SUCCESS && settings_.username) {
    const std::string password(options.password ? options.password->reveal() : "");
    result = mosquitto_username_pw_set(handle_, settings_.username->c_str(),
                                       options.password ? password.c_str() : nullptr);
  }
  if (result == MOSQ_ERR_SUCCESS && tls_) {
    result = set(MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    if (result == MOSQ_ERR_SUCCESS) {
      result = mosquitto_void_option(handle_, MOSQ_OPT_SSL_CTX, tls_->context());
    }
  }
  if (result != MOSQ_ERR_SUCCESS) return fail(call_failed(result, "Setting up the MQTT client"));
  return set_connect_properties();
}

// The library takes the properties of CONNECT only in a call that also connects, and blocks doing
// so. Called with a port that cannot be, it keeps the properties and connects nothing; connect()
// then uses them. (connect.c of 2.0.x stores them before it looks at the port; a test with a real
// broker holds us to it.)
Result<void> Client::set_connect_properties() {
  if (settings_.version != ConnectionSettings::Version::k5_0) return {};
  Properties properties;
  int result = mosquitto_property_add_int32(properties.out(), MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                            static_cast<std::uint32_t>(std::min<std::int64_t>(
                                                settings_.max_message_bytes + 65536, 268'435'460)));
  if (result == MOSQ_ERR_SUCCESS && !settings_.clean_session) {
    result =
        mosquitto_property_add_int32(properties.out(), MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                     static_cast<std::uint32_t>(settings_.session_expiry_seconds));
  }
  if (result == MOSQ_ERR_SUCCESS) {
    constexpr int kNoPort = -1;
    result = mosquitto_connect_bind_v5(handle_, "", kNoPort, 0, nullptr, properties.get());
    if (result == MOSQ_ERR_INVAL) return {};
  }
  return fail(call_failed(result, "Setting up the MQTT 5.0 session"));
}

void Client::set_callbacks() {
  mosquitto_connect_v5_callback_set(
      handle_, [](mosquitto*, void* user, int reason, int flags, const mosquitto_property* list) {
        static_cast<Client*>(user)->events_.on_connack(read_connack(reason, flags, list));
      });
  mosquitto_disconnect_v5_callback_set(
      handle_, [](mosquitto*, void* user, int reason, const mosquitto_property*) {
        if (reason >= kFirstRefusal) static_cast<Client*>(user)->disconnect_reason_ = reason;
      });
  mosquitto_publish_v5_callback_set(
      handle_, [](mosquitto*, void* user, int id, int reason, const mosquitto_property*) {
        static_cast<Client*>(user)->events_.on_published(id, reason);
      });
  mosquitto_subscribe_v5_callback_set(handle_, [](mosquitto*, void* user, int id, int count,
                                                  const int* codes, const mosquitto_property*) {
    static_cast<Client*>(user)->events_.on_subscribed(id, {codes, codes + count});
  });
  mosquitto_unsubscribe_v5_callback_set(
      handle_, [](mosquitto*, void* user, int id, const mosquitto_property*) {
        static_cast<Client*>(user)->events_.on_unsubscribed(id);
      });
  mosquitto_message_v5_callback_set(
      handle_,
      [](mosquitto*, void* user, const mosquitto_message* raw, const mosquitto_property* list) {
        auto& client = *static_cast<Client*>(user);
        const auto limit = static_cast<std::size_t>(client.settings_.max_message_bytes);
        client.events_.on_message(read_message(*raw, list, limit));
      });
}

Result<void> Client::connect(const net::Address& address, const std::string& peer) {
  errno = 0;
  const int result =
      mosquitto_connect_bind_async(handle_, address.ip.c_str(), address.port,
                                   static_cast<int>(settings_.keep_alive_seconds), nullptr);
  if (result == MOSQ_ERR_SUCCESS) return {};
  const bool broke_off = result == MOSQ_ERR_TLS || result == MOSQ_ERR_CONN_LOST || errno == EPROTO;
  if (tls_ && broke_off) {
    Error error = tls_->broken(peer);
    if (error.code == "connection_refused" || error.code == "unreachable") {
      return fail(std::move(error));
    }
    tls_failure_ = std::move(error);
    return {};
  }
  if (result == MOSQ_ERR_ERRNO) return fail(net::error_from_errno(errno, "connect to", peer));
  return fail(call_failed(result, fmt::format("Connecting to {}", peer)));
}

int Client::descriptor() const {
  return mosquitto_socket(handle_);
}

ssl_st* Client::ssl() const {
  return tls_ ? static_cast<SSL*>(mosquitto_ssl_get(handle_)) : nullptr;
}

void Client::end_silently() noexcept {
  if (SSL* secure = ssl()) SSL_set_quiet_shutdown(secure, 1);
}

Client::Outcome Client::read() {
  errno = 0;
  const int result = mosquitto_loop_read(handle_, 1);
  const int error_number = errno;
  return {result, error_number, descriptor() >= 0,
          error_number == EAGAIN || error_number == EWOULDBLOCK};
}

Client::Outcome Client::write() {
  errno = 0;
  const int result = mosquitto_loop_write(handle_, 1);
  return {result, errno, descriptor() >= 0, false};
}

bool Client::want_write() const {
  return mosquitto_want_write(handle_);
}

Client::Sent Client::publish(const Outgoing& message, const PublishSettings& settings) {
  Properties properties;
  if (!add_properties(properties, settings)) return {MOSQ_ERR_MALFORMED_UTF8, 0, 0};
  Sent sent;
  errno = 0;
  sent.result = mosquitto_publish_v5(
      handle_, &sent.id, message.topic.c_str(), static_cast<int>(message.payload.size()),
      message.payload.data(), static_cast<int>(settings.qos), settings.retain, properties.get());
  sent.error_number = errno;
  return sent;
}

Client::Sent Client::subscribe(const std::string& filter, int qos, std::uint32_t identifier) {
  Properties properties;
  if (identifier != 0) {
    mosquitto_property_add_varint(properties.out(), MQTT_PROP_SUBSCRIPTION_IDENTIFIER, identifier);
  }
  Sent sent;
  errno = 0;
  sent.result = mosquitto_subscribe_v5(handle_, &sent.id, filter.c_str(), qos, 0, properties.get());
  sent.error_number = errno;
  return sent;
}

Client::Sent Client::unsubscribe(const std::string& filter) {
  Sent sent;
  errno = 0;
  sent.result = mosquitto_unsubscribe(handle_, &sent.id, filter.c_str());
  sent.error_number = errno;
  return sent;
}

void Client::disconnect() {
  mosquitto_disconnect(handle_);
}

}  // namespace tributary::connectors::mqtt
