// Drives one connected client on one executor: its socket, with TLS or without, reads, writes,
// asks for signs of life.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "connectors/mqtt/src/client.hpp"
#include "net/dial.hpp"
#include "net/tcp_stream.hpp"
#include "net/tls.hpp"
#include "runtime/event.hpp"
#include "runtime/timers.hpp"

namespace tributary::connectors::mqtt {

// Makes the TCP connection to one address.
class TcpAttempt final : public net::Attempt, public std::enable_shared_from_this<TcpAttempt> {
 public:
  TcpAttempt(const Executor& executor, net::Address address, std::string peer);

  Task<Result<void>> connect() override { return connect(shared_from_this()); }
  void abort() noexcept override { net::reset_socket(socket); }

  net::TcpSocket socket;
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
  // The kernel took some of what waits to be written.
  virtual void on_written() = 0;
  // The connection is over. Called at most once, and not after abort().
  virtual void on_lost(Error error) = 0;
};

// Shared with its own coroutines, which may resume after it was aborted.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  // `tls` null: without TLS.
  Wire(const Executor& executor, Timers& timers, WireOwner& owner, TcpAttempt& attempt,
       std::unique_ptr<Client> client, std::shared_ptr<net::TlsClient> tls);
  ~Wire();

  // With TLS, before start(): makes the handshake; the owner is told how it ended.
  void secure();
  // Starts to read and to write what is queued (CONNECT): nothing of the client leaves before.
  void start();
  // After the login: sends PINGREQ twice in each `keep_alive`, and reports the broker as lost when
  // one stays unanswered for half of it.
  void start_keep_alive(Duration keep_alive);
  // Writes what the client has queued, all at once when the executor has done what it has to do
  // now: what many calls queue in one turn is one system call. Call it after using the client.
  void flush();
  // Acknowledges what may be acknowledged now.
  void settle();
  // The owner may read again.
  void resume();
  // Asks the broker for a sign of life and waits for anything it sends. Errors: kTransient
  // "timeout", or why it was lost.
  Task<Result<void>> ping(SteadyTime deadline);
  // Sends DISCONNECT after what is queued and waits until it is written, or for the deadline.
  Task<void> say_goodbye(SteadyTime deadline);
  // Ends the connection, which the owner is told soon after as of any other loss.
  void give_up(Error error);
  // Ends everything now, without another word; the owner hears nothing any more.
  void abort() noexcept;

  Client& client() { return *client_; }
  const std::string& peer() const { return peer_; }
  bool ended() const { return ended_; }
  void set_logged_in() { logged_in_ = true; }
  // Bytes that the kernel has not taken yet.
  std::size_t waiting_to_write() const { return client_ ? client_->to_write().size() : 0; }

 private:
  using Self = std::shared_ptr<Wire>;
  enum class Moved : std::uint8_t { kSome, kNothing, kLost };
  struct SslFree {
    void operator()(ssl_st* ssl) const;
  };

  static Task<void> handshake(Self self);
  static Task<void> read_loop(Self self);
  static Task<void> wait_writable(Self self);
  static Task<void> keep_alive_loop(Self self, Duration keep_alive);
  static Task<Result<void>> ping(Self self, SteadyTime deadline);
  static Task<void> say_goodbye(Self self, SteadyTime deadline);
  static Task<void> pause(Self self);

  // Reads once, as much as fits, and handles it. False: lost.
  bool read_turn();
  // Hands over what was read, and what was left of earlier reads. False: lost.
  bool accept(std::string_view bytes);
  // Handles the packets that `bytes` begin with; the bytes used, nullopt: lost.
  std::optional<std::size_t> handle(std::string_view bytes);
  void write_turn();
  Moved read_some(std::span<char> buffer, std::size_t& count);
  Moved write_some(std::string_view bytes, std::size_t& count);
  // What an unsuccessful TLS call means; sets `failure_` when it is the end.
  Moved judge_tls(int result);
  bool may_read() const;
  void note_received();
  std::size_t waiting_to_read() const;
  void send_ping();
  void lose_by(const Fault& fault);
  void lose(Error error);
  void close(bool politely) noexcept;

  Executor executor_;
  Timers& timers_;
  WireOwner* owner_;
  std::unique_ptr<Client> client_;
  net::TcpSocket socket_;
  std::shared_ptr<net::TlsClient> tls_;
  std::unique_ptr<ssl_st, SslFree> ssl_;  // of tls_, on socket_
  std::string peer_;
  std::string input_;  // read and not handled: the beginning of a packet, or what a pause left
  std::shared_ptr<Event> tick_;  // the keep-alive loop waits on it
  std::shared_ptr<Event> resumed_;
  std::shared_ptr<Event> received_;     // the broker sent something
  std::shared_ptr<Event> written_;      // nothing is queued any more
  std::optional<SteadyTime> asked_at_;  // first PINGREQ since something was received
  std::optional<Error> failure_;        // of the read or write that says kLost
  std::optional<Error> loss_;
  bool drained_ = true;     // the socket had nothing more when it was read last
  bool left_over_ = false;  // input_ may hold a whole packet: a pause began before it was handled
  bool paused_ = false;
  bool started_ = false;
  bool flushing_ = false;  // a write is about to begin, or waits for the kernel
  bool logged_in_ = false;
  bool ended_ = false;
};

}  // namespace tributary::connectors::mqtt
