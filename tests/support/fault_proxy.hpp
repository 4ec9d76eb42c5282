// A TCP proxy between a client and a good peer that can be told to misbehave.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/fault.hpp"

namespace tributary::test {

class FaultProxy {
 public:
  using Mode = Fault::Kind;
  // Client side: connections accepted so far, and open now. Bytes that came from each side so far.
  struct Stats {
    std::size_t accepted = 0;
    std::size_t open = 0;
    std::uint64_t client_bytes = 0;
    std::uint64_t server_bytes = 0;
  };

  // Listens on a free loopback port; `upstream` is the good peer's loopback port.
  explicit FaultProxy(std::uint16_t upstream);
  // `host` is an IPv4 address in figures. Throws std::system_error when it is not, or when no port
  // is free.
  FaultProxy(const std::string& host, std::uint16_t port);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  std::uint16_t port() const;
  // Holds for open connections and for new ones, in place of the fault before. Takes effect before
  // it returns.
  void set_fault(const Fault& fault);
  // A fault that needs no number.
  void set_mode(Mode mode) { set_fault({.kind = mode}); }
  // Ends all connections now, with FIN or with a reset. New ones are accepted.
  void cut(bool reset);
  Stats stats() const;
  std::size_t accepted() const { return stats().accepted; }
  std::size_t open() const { return stats().open; }
  std::uint64_t bytes_from_clients() const { return stats().client_bytes; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::test
