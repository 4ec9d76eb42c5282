// A TCP proxy between a client and a good peer that can be told to misbehave.
#pragma once

#include <cstdint>
#include <memory>

namespace tributary::test {

class FaultProxy {
 public:
  enum class Mode : std::uint8_t {
    kPass,   // forwards both ways
    kStall,  // reads nothing and forwards nothing, keeps connections open: a peer that vanished
    kSlice,  // forwards one byte per segment
  };

  // Listens on a free loopback port; `upstream` is the good peer's loopback port.
  explicit FaultProxy(std::uint16_t upstream);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  std::uint16_t port() const;
  // Takes effect before it returns.
  void set_mode(Mode mode);
  // Ends all connections now, with FIN or with a reset. New ones are accepted.
  void cut(bool reset);
  // Connections accepted so far, and open now (client side).
  std::size_t accepted() const;
  std::size_t open() const;
  // Bytes that came from clients so far.
  std::uint64_t bytes_from_clients() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::test
