// libmosquitto, wrapped: a handle that is freed, calls that give Results, callbacks that copy. The
// library's own threads, loop and reconnecting are not used (design §7); wire.hpp drives it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "connectors/mqtt/settings.hpp"
#include "connectors/mqtt/src/message.hpp"
#include "connectors/mqtt/src/operation.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

struct mosquitto;
struct ssl_st;

namespace tributary::connectors::mqtt {

// What the broker said in its CONNACK.
struct Connack {
  int reason = 0;  // 0: accepted
  bool session_present = false;
  bool subscription_ids = true;  // 5.0: messages say which subscriptions they belong to
  bool retain_available = true;  // 5.0: the broker keeps retained messages
  std::optional<std::uint16_t> keep_alive_seconds;  // the broker wants another keep-alive
};

// Called from inside Client::read(), write(), publish(): copy and post, call nothing of the client.
class ClientEvents {
 public:
  virtual ~ClientEvents() = default;
  virtual void on_connack(const Connack& connack) = 0;
  // A message was written (QoS 0) or confirmed; `reason` from 0x80 on is a refusal (5.0).
  virtual void on_published(int id, int reason) = 0;
  // One code per filter: the granted QoS, or from 0x80 on a refusal.
  virtual void on_subscribed(int id, std::vector<int> codes) = 0;
  virtual void on_unsubscribed(int id) = 0;
  virtual void on_message(Message message) = 0;
};

struct ClientOptions {
  ConnectionSettings settings;
  std::string client_id;
  const Secret* password = nullptr;     // used during create() only
  std::shared_ptr<net::TlsClient> tls;  // null: without TLS
};

// Lives on one executor.
class Client {
 public:
  // `events` outlives the client. Error: kInternal, or kConfiguration for an id the library
  // refuses.
  static Result<std::unique_ptr<Client>> create(const ClientOptions& options, ClientEvents& events);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Starts to connect without blocking; CONNECT goes out with the first write() after the
  // descriptor became writable. With TLS the library begins the handshake at once, and on a short
  // way it may be over, and have failed, when this returns: then there is no descriptor, and
  // tls_failure() says why. Error: as net::error_from_errno, naming `peer`.
  Result<void> connect(const net::Address& address, const std::string& peer);
  const std::optional<Error>& tls_failure() const { return tls_failure_; }
  // The socket; -1 when there is none (any more).
  int descriptor() const;
  // TLS on that socket: whoever drives the wire makes the handshake. Null without TLS.
  ssl_st* ssl() const;
  const net::TlsClient* tls() const { return tls_.get(); }

  struct Outcome {
    int result = 0;        // MOSQ_ERR_…
    int error_number = 0;  // errno
    bool connected = true;
    bool drained = false;  // nothing more was there to read
  };
  // Reads and handles what is there: at most one packet, or a few confirmations.
  Outcome read();
  // Writes what is queued, as far as the kernel takes it.
  Outcome write();
  bool want_write() const;
  // Why the broker ended the session (5.0), from 0x80 on.
  std::optional<int> disconnect_reason() const { return disconnect_reason_; }

  struct Sent {
    int result = 0;
    int error_number = 0;
    int id = 0;
  };
  Sent publish(const Outgoing& message, const PublishSettings& settings);
  // `identifier` 0: none. Messages say by it which subscription they belong to (5.0).
  Sent subscribe(const std::string& filter, int qos, std::uint32_t identifier);
  Sent unsubscribe(const std::string& filter);
  // Queues DISCONNECT; the socket is gone when it was written.
  void disconnect();
  // The library says goodbye to TLS when it lets go of the socket; after this it does not.
  void end_silently() noexcept;

 private:
  Client(mosquitto* handle, ClientEvents& events, const ConnectionSettings& settings);
  Result<void> configure(const ClientOptions& options);
  Result<void> set_connect_properties();
  void set_callbacks();

  mosquitto* handle_;
  ClientEvents& events_;
  const ConnectionSettings settings_;
  std::shared_ptr<net::TlsClient> tls_;  // outlives the handle
  std::optional<int> disconnect_reason_;
  std::optional<Error> tls_failure_;
};

}  // namespace tributary::connectors::mqtt
