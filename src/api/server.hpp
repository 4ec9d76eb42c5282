// The front door: listens on one TCP address (TLS or, on loopback, plain) and on the control socket
// of the data directory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "api/http_connection.hpp"
#include "api/router.hpp"
#include "api/services.hpp"
#include "base/error.hpp"
#include "base/web_asset.hpp"

namespace tributary::api {

enum class TlsMode : std::uint8_t { kAuto, kOff, kFiles };

struct ServerOptions {
  std::string host = "127.0.0.1";  // name or address
  std::uint16_t port = 8443;       // 0: a free one
  TlsMode tls = TlsMode::kAuto;
  std::string certificate;  // with kFiles
  std::string key;
  std::string data_dir;  // holds control.sock and the self-made certificate
  Limits limits;
};

class Server {
 public:
  // Binds everything. Blocking; before the loops get work. Errors: kConfiguration "port_taken",
  // "address_unusable", "plain_http_refused" (TLS off on an address that is not loopback),
  // "certificate_invalid"; kInternal "data_dir_unwritable", "control_socket_failed".
  static Result<std::unique_ptr<Server>> make(Services& services, ServerOptions options,
                                              std::span<const WebAsset> assets);
  ~Server();

  // Begins to answer.
  void start();
  // On the control executor: no new connections, lets requests finish, ends streams; returns when
  // all are gone or at the limit.
  Task<void> shutdown(Duration limit);

  // "https://127.0.0.1:8443"
  std::string url() const;
  std::uint16_t port() const;
  // The address it is bound to: "127.0.0.1", "0.0.0.0", "::".
  std::string address() const;
  // SHA-256 of the certificate; empty without TLS.
  std::string fingerprint() const;
  // Where the certificate stands; empty without TLS.
  const std::string& certificate_file() const;

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // shared with the accept loops
};

}  // namespace tributary::api
