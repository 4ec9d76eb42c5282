// Drives one connected client on one executor: waits for its socket, reads, writes, asks for signs
// of life.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <span>
#include <string>

#include "connectors/mqtt/src/client.hpp"
#include "net/dial.hpp"
#include "runtime/event.hpp"
#include "runtime/timers.hpp"

namespace tributary::connectors::mqtt {

// A duplicate of the library's descriptor: the library closes its own whenever it likes, and this
// one must stay valid for as long as the loop waits on it.
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

// Makes the TCP connection of one client to one address.
class TcpAttempt final : public net::Attempt, public std::enable_shared_from_this<TcpAttempt> {
 public:
  TcpAttempt(const Executor& executor, std::unique_ptr<Client> client, net::Address address,
             std::string peer);

  Task<Result<void>> connect() override { return connect(shared_from_this()); }
  void abort() noexcept override;

  std::unique_ptr<Client> client;
  Descriptor descriptor;
  const std::string peer;

 private:
  static Task<Result<void>> connect(std::shared_ptr<TcpAttempt> self);
  const net::Address address_;
};

// What a wire tells its owner, on the executor, never from inside a call of the owner.
class WireOwner {
 public:
  virtual ~WireOwner() = default;
  // False: the queues behind are full. Nothing is read then, so that TCP pushes back, until
  // Wire::resume().
  virtual bool may_read() const = 0;
  // The TLS handshake is done and the broker's certificate accepted.
  virtual void on_secured() = 0;
  // The connection is over. Called at most once, and not after abort().
  virtual void on_lost(Error error) = 0;
};

// Shared with its own coroutines, which may resume after it was aborted.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  Wire(const Executor& executor, Timers& timers, WireOwner& owner, TcpAttempt& attempt);
  ~Wire();

  // With TLS, before start(): makes the handshake; the owner is told how it ended.
  void secure();
  // Starts to read and to write what is queued (CONNECT).
  void start();
  // After the login: sends PINGREQ twice in each `keep_alive`, and reports the broker as lost when
  // one stays unanswered for half of it.
  void start_keep_alive(Duration keep_alive);
  // Writes what the client has queued and could not write at once. Call it after using the client.
  void flush();
  // The owner may read again.
  void resume();
  // Asks the broker for a sign of life and waits for anything it sends. Errors: kTransient
  // "timeout", or why it was lost.
  Task<Result<void>> ping(SteadyTime deadline);
  // Sends DISCONNECT after what is queued and waits until it is written, or for the deadline.
  Task<void> say_goodbye(SteadyTime deadline);
  // What became of a client call; `what` names it. A call that failed because the connection did
  // gives a connection error, and the loss is reported to the owner soon after. Also writes what
  // the call has queued.
  Result<void> finish(const Client::Sent& sent, std::string_view what);
  // Resets the connection. Idempotent. The owner is not called any more.
  void abort() noexcept;

  Client& client() { return *client_; }
  const std::string& peer() const { return peer_; }
  bool ended() const { return ended_; }
  void set_logged_in() { logged_in_ = true; }

 private:
  using Self = std::shared_ptr<Wire>;
  static Task<void> handshake(Self self);
  static Task<void> read_loop(Self self);
  static Task<void> write_loop(Self self);
  static Task<void> keep_alive_loop(Self self, Duration keep_alive);
  static Task<Result<void>> ping(Self self, SteadyTime deadline);
  static Task<void> say_goodbye(Self self, SteadyTime deadline);

  // Reads until nothing is there, the owner has enough, or others deserve a turn. False: lost.
  bool read_turn();
  // False when the first byte that came is not that of a CONNACK: no broker, and the connection was
  // given up. (The library would take it for the start of some other packet and wait for the rest.)
  bool first_byte_is_right();
  bool may_read() const { return owner_ == nullptr || owner_->may_read(); }
  void note_received();
  std::size_t waiting_bytes() const;
  void send_ping();
  // Writes past the library, between its packets. The bytes written, -1 with errno.
  ssize_t send_now(std::span<const unsigned char> bytes);
  void lose(const Client::Outcome& outcome);
  void lose(Error error);
  void close() noexcept;

  Executor executor_;
  Timers& timers_;
  WireOwner* owner_;
  std::unique_ptr<Client> client_;
  Descriptor descriptor_;
  std::string peer_;
  std::shared_ptr<Event> tick_;  // the keep-alive loop waits on it
  std::shared_ptr<Event> resumed_;
  std::shared_ptr<Event> received_;     // the broker sent something
  std::shared_ptr<Event> written_;      // nothing is queued any more
  std::optional<SteadyTime> asked_at_;  // first PINGREQ since something was received
  std::optional<Error> loss_;
  bool paused_ = false;
  bool writing_ = false;
  bool logged_in_ = false;
  bool heard_ = false;  // the first byte was looked at
  bool ended_ = false;
};

}  // namespace tributary::connectors::mqtt
