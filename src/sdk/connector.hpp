// What a connector implements. Read this, then connectors/modbus, then write your own: docs/adding-a-connector.md.
//
// A connector never sleeps, retries, reconnects, makes threads, reads the environment or logs secrets: the connection's
// actor (src/connect) does that for all of them. It answers with a classified Error and the actor decides.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/batch.hpp"
#include "model/json.hpp"
#include "net/certificate.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"
#include "runtime/timers.hpp"

namespace tributary::http {
class Client;
}

namespace tributary::sdk {

// One configured system, as its connector sees it. Settings were validated and have their defaults.
struct Profile {
  std::string connection_id;
  std::string connection_name;
  Json settings;
  std::vector<std::pair<std::string, Secret>> secrets;  // by property name; absent when not set
  // Tells this hub from every other, also from one that was made from its exported configuration or from a copy of its
  // data: 26 letters and digits. Empty where there is no hub (the connection test of an unsaved profile has one).
  std::string node_id;
  // PEM: server certificates that a person trusts for this connection (net::TlsOptions::trusted).
  std::vector<std::string> trusted_certificates;
  net::Keepalive keepalive{};  // for the TCP connection, where there is one

  const Secret* secret(std::string_view name) const;
};

// A function as stored: settings validated, defaults filled, placeholders already replaced (except those that the
// schema marks "x-bind", which the connector binds itself from `parameters` at call time).
struct FunctionSpec {
  std::string type;  // "modbus.read"
  Json settings;
};

// A function made ready: parsed, checked and planned once, then called any number of times. Immutable.
class Operation {
 public:
  virtual ~Operation() = default;
  // Names of the points of a scan; null for operations that give records.
  virtual std::shared_ptr<const PointNames> points() const { return nullptr; }
  // Requests that one call makes, one after another: its deadline is this many times the deadline of one request.
  virtual std::size_t round_trips() const { return 1; }
};

// Who answered, as far as the protocol says. Shown in the UI and compared after a reconnect.
struct PeerIdentity {
  std::string vendor;
  std::string product;
  std::string version;
  std::string address;  // "192.0.2.10:502"
  bool session_present = false;
  std::string certificate_sha256;  // of the server's certificate; empty without TLS
};

// Takes the batches of a subscription.
class Sink {
 public:
  virtual ~Sink() = default;
  // On the session's executor, one call at a time. Resumes when every consumer has accepted the batch: that is the
  // acknowledgement, and the back-pressure. An error (kCancelled) means nobody wants more: stop.
  virtual Task<Result<void>> deliver(Batch batch) = 0;
};

// A running subscription. Ends by cancel(), or with its session.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // Bounded, idempotent. After it returned nothing is delivered.
  virtual Task<void> cancel(SteadyTime deadline) = 0;
};

// The code of a loss (kTransient) that looks like a takeover: the peer ended an accepted session in order, without a reason
// and while nothing that it was asked could have been one. The third within five minutes, with no other failure between
// them, ends in Failed as "duplicate_client_id". For protocols that throw out the first of two clients with one id and
// do not say so (MQTT before 5.0).
inline constexpr std::string_view kClosedWithoutReason = "closed_without_reason";

// What a session may tell its owner without being asked. On the session's executor.
class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  // The session is over: the peer ended it, a keep-alive was missed, the stream broke. Call it once, from anywhere on
  // the session's executor; the owner answers with abort() later, never from inside this call.
  virtual void lost(Error error) = 0;
  // The peer showed a certificate, acceptable or not: call it once per open(), before open() returns. The owner keeps what was
  // refused for a person to look at, and watches when the others expire.
  virtual void certificate_shown(const net::ShownCertificate& shown) { static_cast<void>(shown); }
};

// What a session gets to work with. Outlives the session.
struct SessionContext {
  Executor executor;
  Clock& clock;
  Timers& timers;
  net::Network& network;
  SessionEvents& events;
  // For what curl speaks (http/channel.hpp); null where there is none (benches, simulations).
  http::Client* http = nullptr;
};

// One session with the peer. Lives on one executor. Each object is opened at most once: a reconnect makes a new one.
class Session {
 public:
  virtual ~Session() = default;

  // Connects, authenticates and proves that the protocol works (a handshake answered; where the protocol has none, the
  // framework's first check_health does it). Reports "tls", "protocol", "login" to `stages` (dialling reports "resolve",
  // "tcp").
  // With TLS, nothing of the profile (user, password, client id, an application byte of any kind) leaves before the peer's
  // certificate was accepted: the framework looks again at a refused one every ten minutes, and that must give nothing
  // away. A certificate that is not acceptable is kTrust, with the code and words of net::TlsClient.
  // Errors: any class. On failure the session holds nothing open.
  virtual Task<Result<PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) = 0;

  // Proves that the peer answers now, with the cheapest real request of the protocol. A function-class answer (an
  // exception reply) is an answer: success. Errors: connection classes.
  virtual Task<Result<void>> check_health(SteadyTime deadline) = 0;

  // Executes an operation of this connector. Kinds read, write, command, browse, and polled subscribe functions (one
  // scan). `parameters` only matter for bound placeholders. The framework makes at most Manifest::max_concurrent_calls
  // at a time. Errors: kFunction: this call is wrong, the session goes on; connection classes: the session is
  // lost (a write that may have reached the peer sets outcome_unknown).
  // A point that fails alone is a bad sample with its error; the others are still answered.
  virtual Task<Result<Batch>> call(const Operation& operation, const Json& parameters, SteadyTime deadline) = 0;

  // Polite goodbye within the deadline, then as abort(). Idempotent.
  virtual Task<void> close(SteadyTime deadline) = 0;
  // At once, no more bytes: pending operations end with kCancelled, later ones fail with kCancelled. Idempotent.
  virtual void abort() noexcept = 0;
};

// Sessions whose peer pushes data implement this besides Session (manifest: "capabilities": ["subscribe"]).
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  // Confirmed by the peer when it returns. `sink` outlives the subscription.
  virtual Task<Result<std::unique_ptr<Subscription>>> subscribe(const Operation& operation, Sink& sink,
                                                                SteadyTime deadline) = 0;
};

struct BrowseNode {
  std::string id;    // what to pass to browse() again
  std::string name;
  bool has_children = false;
  Json details;      // data type, access, example value: what the protocol knows
};
struct BrowsePage {
  std::vector<BrowseNode> nodes;
  std::string next;  // cursor; empty at the end
};
// Sessions whose peer has an address space implement this besides Session ("capabilities": ["browse"]).
class Browser {
 public:
  virtual ~Browser() = default;
  // Children of `node` (empty: the root).
  virtual Task<Result<BrowsePage>> browse(std::string_view node, std::string_view cursor, SteadyTime deadline) = 0;
};

// One kind of system. One object per process, any thread; no state of its own beyond what it shares between sessions.
class Connector {
 public:
  virtual ~Connector() = default;

  // Checks and plans a function. No I/O. Error: kFunction (or kConfiguration) with a pointer below "/settings".
  virtual Result<std::shared_ptr<const Operation>> prepare(const Profile& profile, const FunctionSpec& function) const = 0;

  // A session that is not open yet. Error: kConfiguration with a pointer ("/settings/…", "/secrets/…").
  virtual Result<std::unique_ptr<Session>> make_session(const SessionContext& context, const Profile& profile) = 0;
};

}  // namespace tributary::sdk
