// libpq, driven on one executor: its socket is waited for by the loop, and nothing of it ever
// blocks. (PostgreSQL 15, sections 34.1, 34.4 and 34.5.)
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/secret.hpp"
#include "connectors/postgresql/settings.hpp"
#include "connectors/postgresql/src/errors.hpp"
#include "net/dial.hpp"
#include "net/tls.hpp"
#include "runtime/event.hpp"
#include "runtime/timers.hpp"

struct pg_conn;
struct pg_result;
struct pgNotify;

namespace tributary::connectors::postgresql {

struct ConnectionFree {
  void operator()(pg_conn* connection) const noexcept;
};
struct ResultFree {
  void operator()(pg_result* result) const noexcept;
};
using ConnectionPointer = std::unique_ptr<pg_conn, ConnectionFree>;
using ResultPointer = std::unique_ptr<pg_result, ResultFree>;

// A duplicate of libpq's descriptor, which stays valid for as long as the loop waits on it.
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

struct LinkOptions {
  ConnectionSettings settings;
  std::optional<Secret> password;
  std::shared_ptr<net::TlsClient> tls;  // null: without TLS
};

// Makes the TCP connection to one address.
class TcpAttempt final : public net::Attempt, public std::enable_shared_from_this<TcpAttempt> {
 public:
  // `options` outlives the attempt.
  TcpAttempt(const Executor& executor, const LinkOptions& options, net::Address address,
             std::string peer);

  Task<Result<void>> connect() override { return connect(shared_from_this()); }
  void abort() noexcept override;

  ConnectionPointer connection;
  Descriptor descriptor;
  const std::string peer;

 private:
  static Task<Result<void>> connect(std::shared_ptr<TcpAttempt> self);
  Result<void> begin();
  const LinkOptions& options_;
  const net::Address address_;
};

// One connection. Shared with its own coroutines, which may resume after it was ended.
class Link : public std::enable_shared_from_this<Link> {
 public:
  using Self = std::shared_ptr<Link>;
  Link(const Executor& executor, Timers& timers, TcpAttempt& attempt,
       std::shared_ptr<net::TlsClient> tls);
  ~Link();

  // TLS and the login. `certificate` is told what the server showed, once, before any name or
  // password leaves. Errors: those of net::TlsClient and of to_error(…, kLogin); kConfiguration
  // "tls_refused", "cleartext_password_refused"; kTransient "protocol_error", "timeout" …
  static Task<Result<void>> log_in(Self self, SteadyTime deadline, net::StageObserver& stages,
                                   std::function<void(const net::ShownCertificate&)> certificate);
  // Begins to listen for what comes unasked. `lost` is called when the connection ends while no
  // exchange() is running; never after abort().
  void start(std::function<void(Error)> lost);
  // Told of each NOTIFY that comes; without it they are thrown away. Before start().
  void on_notify(std::function<void(const pgNotify&)> notified) {
    on_notify_ = std::move(notified);
  }
  // While it is held nothing is read: the server has to keep what it has, and what was asked before
  // is not late.
  void hold(bool held);
  bool held() const { return held_ != nullptr; }

  // One round trip. `send` hands queries to libpq and says whether that took them; `on_result` is
  // called for each result (not for libpq's ends of pipelines), with the number of the query it
  // answers; `syncs` is how many ends of pipelines were sent. The rows of query number `single_row`
  // come one by one. Errors: connection classes, when there is no answer; a refused query is a
  // result.
  struct Exchange {
    std::function<bool(pg_conn*)> send;
    std::function<void(std::size_t, ResultPointer)> on_result;
    std::size_t syncs = 1;
    std::optional<std::size_t> single_row;
    std::string what;  // "the query": for messages
  };
  static Task<Result<void>> exchange(Self self, Exchange work, SteadyTime deadline);
  // COPY … FROM STDIN with all of its data. `on_result` gets how it ended. Errors: as exchange().
  static Task<Result<void>> copy(Self self, std::string statement, std::string data,
                                 std::function<void(ResultPointer)> on_result, SteadyTime deadline);

  // Polite end: what libpq says on leaving is written, as far as the socket takes it at once.
  void close() noexcept;
  // A reset; nothing is sent any more. Idempotent.
  void abort() noexcept;

  pg_conn* connection() const { return connection_.get(); }
  const std::string& peer() const { return peer_; }
  const std::optional<Error>& loss() const { return loss_; }
  bool ended() const { return ended_; }
  // Ends the connection because of an error that an answer brought.
  void lose(Error error);

 private:
  static Task<void> read_loop(Self self);
  static Task<void> write_loop(Self self);
  static Task<void> login_loop(Self self);
  static Task<Result<ResultPointer>> next_result(Self self, std::string_view what,
                                                 SteadyTime deadline);
  static Task<bool> wait(Self self, bool readable);

  // What must be looked at before libpq answers it. False: not enough came yet, or the login is
  // over with loss_.
  enum class Look : std::uint8_t { kGoOn, kWait, kOver };
  Look look_at_answer();
  int poll_corked();
  void adopt_tls();
  bool check_certificate();
  Error login_failure() const;
  // Runs what libpq can do now; false: the login is over.
  bool poll_login(int& polling);
  bool write_out();
  Error broken() const;
  void wake();

  Executor executor_;
  Timers& timers_;
  ConnectionPointer connection_;
  Descriptor descriptor_;
  std::string peer_;
  std::shared_ptr<net::TlsClient> tls_;
  std::function<void(const net::ShownCertificate&)> on_certificate_;
  std::function<void(std::string_view)> on_stage_;
  std::function<void(Error)> on_lost_;
  std::function<void(const pgNotify&)> on_notify_;
  std::shared_ptr<Event> held_;       // null: not held; set when that ends
  std::shared_ptr<Event> activity_;   // something was read, or the connection ended
  std::shared_ptr<Event> logged_in_;  // or not
  std::optional<Error> loss_;
  std::optional<ServerError> farewell_;  // a FATAL message that came unasked
  bool tls_adopted_ = false;
  bool certificate_checked_ = false;
  bool waited_ = false;  // for the whole of the first answer
  bool heard_ = false;   // the first answer was looked at
  bool open_ = false;
  bool busy_ = false;  // an exchange is running
  bool writing_ = false;
  bool ended_ = false;
};

}  // namespace tributary::connectors::postgresql
