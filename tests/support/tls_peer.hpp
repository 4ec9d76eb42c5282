// A loopback server behind TLS that counts what a client tells it: the proof that nothing leaves
// before the certificate was accepted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/certificates.hpp"

namespace tributary::test {

struct TlsPeerOptions {
  KeyPair identity{};
  // PEM; not empty: a client's certificate is asked for and must come from here.
  std::string client_ca{};
  // Newest and oldest TLS version it speaks, for example TLS1_2_VERSION; 0: any.
  int newest = 0;
  int oldest = 0;
  std::string answer{};  // said after the first application bytes
};

// On a thread of its own; one connection at a time.
class TlsPeer {
 public:
  explicit TlsPeer(TlsPeerOptions options);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  std::uint16_t port() const;
  std::size_t accepted() const;           // TCP connections
  std::size_t handshakes() const;         // that were completed
  std::size_t application_bytes() const;  // from clients, decrypted
  std::string server_name() const;        // the last one that a client asked for (SNI)
  // Waits until the connection that was accepted last is over.
  bool idle() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::test
