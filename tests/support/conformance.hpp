// The connector conformance suite: what every connector must do when its peer does not behave
// (design §4).
//
// A connector takes part by one file, connectors/<name>/tests/conformance.cpp, that defines
//
//     namespace tributary::connectors::<name> {
//     test::ConformanceSubject conformance_subject() { … }
//     }
//
// tests/conformance finds the file by its folder, compiles it into conformance_test and runs every
// case of tests/conformance/*_test.cpp on it. The file may use anything of tests/support
// (ScriptedPeer, FaultProxy, Process) and its own connector's headers. Cases that do not apply (no
// secrets, no push subscription) are left out by leaving the optional members empty.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.hpp"
#include "sdk/connector.hpp"

namespace tributary::test {

// A peer that behaves: a simulator on a thread or a process (mosquitto) on a free loopback port. It
// is up when the constructor of the derived class is done, and gone, with its threads and files,
// when it is destroyed.
class GoodPeer {
 public:
  virtual ~GoodPeer() = default;
  virtual std::uint16_t port() const = 0;
  // Makes the peer push `count` batches' worth of data to whoever subscribed (`subscribe` below);
  // blocks until they were handed to the peer. Only called when the subject has `subscribe`.
  virtual void produce(std::size_t count) { static_cast<void>(count); }
};

using Secrets = std::vector<std::pair<std::string, Secret>>;

// Text that a subject puts into every secret it has; it must turn up in no log line, error or
// answer.
inline constexpr std::string_view kSecretCanary = "canary-9f2b6d";

struct ConformanceSubject {
  std::string type;  // "modbus": the folder's name
  std::function<std::unique_ptr<sdk::Connector>()> make_connector;
  // Complete, valid settings (defaults filled) for a peer at host:port.
  std::function<Json(const std::string& host, std::uint16_t port)> settings;
  // Right credentials for the good peer, each containing kSecretCanary. Empty when the connector
  // has none.
  Secrets secrets;
  // Wrong credentials, also with the canary: opening with them must give kIdentity. Empty when it
  // does not apply.
  Secrets wrong_secrets;
  std::function<std::unique_ptr<GoodPeer>()> start_peer;
  // Complete settings for a peer at host:port that speaks TLS, and whose certificate must come from
  // `ca` (PEM). Empty when the connector offers no TLS from the first byte.
  std::function<Json(const std::string& host, std::uint16_t port, const std::string& ca)>
      tls_settings;

  // Talks to nobody over a network (files of this machine): the cases that are about a network are
  // shown as skipped.
  bool local = false;

  // A function that can be called again and again without harm: a read, or a publish to a test
  // topic.
  sdk::FunctionSpec call;
  // Parameters for it.
  Json call_parameters = json_object();
  // A function that the peer pushes to (sessions that are sdk::Subscriber). Polled subscribe
  // functions are not this.
  std::optional<sdk::FunctionSpec> subscribe;

  // Connections are made for requests and kept as long as they serve (HTTP): a session has none of
  // its own that could be lost between two requests.
  bool connects_for_requests = false;

  // Connections that opening one session makes, one after another: OPC UA asks for endpoints over
  // one of its own.
  std::size_t connections_to_open = 1;

  // Bytes that no healthy peer of the protocol would send, as an answer to whatever the connector
  // says first.
  std::string garbage = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
  // Error codes that describe a garbage-talking peer, any of them. The class must be kTransient or
  // kConfiguration.
  std::vector<std::string> garbage_codes = {"protocol_error"};
};

}  // namespace tributary::test
