// Connecting to the first of several addresses that answers (RFC 8305, "Happy Eyeballs", section
// 5), whatever makes the socket: this network, or a protocol library that insists on its own.
#pragma once

#include <memory>
#include <vector>

#include "net/stream.hpp"

namespace tributary::net {

// One attempt at one address. Lives on the executor of the race.
class Attempt {
 public:
  virtual ~Attempt() = default;
  // Starts to connect and returns when it is done. Called once. Errors: as error_from_errno.
  virtual Task<Result<void>> connect() = 0;
  // Ends a pending connect() and resets the socket. Idempotent. Called for every attempt that does
  // not win.
  virtual void abort() noexcept = 0;
};

// A new attempt starts every 250 ms, or at once when all earlier ones have failed; the first that
// connects wins and the others are aborted. Returns the index of the winner. `attempts` and
// `addresses` belong together. Errors: kTransient "connection_refused", "unreachable",
// "connect_timeout" (at the deadline), kInternal "out_of_descriptors", kCancelled when `cancel`
// (not null) says so. Pointer "/settings/host".
Task<Result<std::size_t>> race_attempts(Timers& timers, Endpoint endpoint,
                                        std::vector<Address> addresses,
                                        std::vector<std::shared_ptr<Attempt>> attempts,
                                        SteadyTime deadline, std::shared_ptr<DialCancel> cancel);

// "192.0.2.10:502", "[2001:db8::1]:502".
std::string to_text(const Address& address);
// How messages call it: "192.0.2.10:502", or "plc1 (192.0.2.10:502)" when the endpoint is a name.
std::string label(const Endpoint& endpoint, const Address& address);

// The addresses in the order to try them, with the one that `first` says in front.
std::vector<Address> begin_with(std::vector<Address> addresses, std::size_t first);

// Dials TCP. Errors: see Network::dial. `cancel` is not null.
Task<Result<std::unique_ptr<Stream>>> dial_addresses(Timers& timers, Endpoint endpoint,
                                                     std::vector<Address> addresses,
                                                     Keepalive keepalive, SteadyTime deadline,
                                                     std::shared_ptr<DialCancel> cancel);

}  // namespace tributary::net
