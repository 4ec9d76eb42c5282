// Byte streams with deadlines. Everything that talks TCP goes through here, so that a simulation
// can take its place.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "runtime/task.hpp"
#include "runtime/timers.hpp"

namespace tributary::net {

// One established connection. Lives on one executor; one read and one write may be outstanding at a
// time.
class Stream {
 public:
  virtual ~Stream() = default;

  // At least one byte into `buffer`; returns how many (1 … buffer.size()).
  // Errors, all kTransient: "connection_closed" (the peer ended it), "connection_reset", "timeout"
  // (deadline; the stream is then aborted, because what comes later would be out of step),
  // "unreachable". kCancelled "cancelled" after abort().
  virtual Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, SteadyTime deadline) = 0;
  // All of `data`. Errors as read_some.
  virtual Task<Result<void>> write_all(std::span<const std::byte> data, SteadyTime deadline) = 0;
  // Ends the connection now (linger 0: a reset, so that the peer frees its slot at once); pending
  // operations end with kCancelled. Idempotent; never blocks.
  virtual void abort() noexcept = 0;
  // Sends FIN after what was written, then closes without waiting for the peer. Idempotent.
  virtual void close() noexcept = 0;
  // "192.0.2.10:502", for messages.
  virtual const std::string& peer() const = 0;
};

// Reads exactly buffer.size() bytes.
Task<Result<void>> read_exactly(Stream& stream, std::span<std::byte> buffer, SteadyTime deadline);

struct Keepalive {
  std::chrono::seconds idle{5};
  std::chrono::seconds interval{2};
  int count = 3;
  std::chrono::milliseconds user_timeout{
      10'000};  // TCP_USER_TIMEOUT: unacknowledged data, busy connections
};

struct Endpoint {
  std::string host;  // name or address
  std::uint16_t port = 0;
  // Which of the host's addresses is tried first, counted through them round and round: a caller
  // that found the first one to be of no use asks for the next.
  std::size_t first = 0;
};

struct Address {
  std::string ip;  // "192.0.2.10", "2001:db8::1"
  std::uint16_t port = 0;
};

// Watches the stages of getting connected, for the staged diagnosis. The default ignores them.
class StageObserver {
 public:
  virtual ~StageObserver() = default;
  // The previous stage is over (well); this one begins. Stages: "resolve", "tcp", "tls",
  // "protocol", "login", "firstRead".
  virtual void begin(std::string_view stage) { static_cast<void>(stage); }
};

// Ends dialling or resolving early: a session holds one and cancels it in abort(). For one dial at
// a time, on one executor; shared, because the dial may still run when the session is gone.
class DialCancel {
 public:
  bool cancelled() const { return cancelled_; }
  // Idempotent. What is waiting ends with kCancelled; it resumes by being posted, never inside this
  // call.
  void cancel();
  // For the implementer of a network: `wake` is called by cancel(), until the returned guard goes.
  [[nodiscard]] std::shared_ptr<void> on_cancel(std::function<void()> wake);

 private:
  bool cancelled_ = false;
  std::weak_ptr<std::function<void()>> wake_;
};

class Network {
 public:
  virtual ~Network() = default;

  // Every address of the host, in the order to try them; resolved afresh on each call. A literal
  // address passes through. Errors: kName "no_such_host", kTransient "name_server_failed",
  // "timeout". Pointer "/settings/host".
  virtual Task<Result<std::vector<Address>>> resolve(const Endpoint& endpoint,
                                                     SteadyTime deadline) = 0;

  // Resolves and connects: all addresses of both families, a new attempt every 250 ms until one
  // answers (RFC 8305). Reports "resolve" and "tcp" to `stages`. Errors: those of resolve;
  // kTransient "connection_refused", "connect_timeout", "unreachable"; kInternal
  // "out_of_descriptors". Messages name host, port and what came back.
  virtual Task<Result<std::unique_ptr<Stream>>> dial(const Endpoint& endpoint,
                                                     const Keepalive& keepalive,
                                                     SteadyTime deadline,
                                                     StageObserver& stages) = 0;

  // The same two, ended with kCancelled "cancelled" as soon as `cancel` says so: no further packet
  // leaves. The defaults, for simulated networks, look at `cancel` only before and after.
  virtual Task<Result<std::vector<Address>>> resolve_cancellable(
      Endpoint endpoint, SteadyTime deadline, std::shared_ptr<DialCancel> cancel);
  virtual Task<Result<std::unique_ptr<Stream>>> dial_cancellable(
      Endpoint endpoint, Keepalive keepalive, SteadyTime deadline, StageObserver& stages,
      std::shared_ptr<DialCancel> cancel);
};

// TCP of this machine. Usable from any executor.
std::unique_ptr<Network> make_system_network(Timers& timers);

}  // namespace tributary::net
