// One session with a database: what its coroutines share. Lives on one executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/postgresql/src/link.hpp"
#include "connectors/postgresql/src/operation.hpp"
#include "connectors/postgresql/src/types.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::postgresql {

// Statements that a session keeps prepared; then it begins afresh.
constexpr std::size_t kMaxStatements = 200;
// Tables whose columns a session remembers.
constexpr std::size_t kMaxTables = 200;

struct PreparedStatement {
  std::string name;
  std::vector<Type> parameters;
};

struct Column {
  std::string name;
  Type type;
  std::string type_name;  // as SQL writes it
  bool built_in = false;  // its array type is type_name[]
};
struct Table {
  std::vector<Column> columns;
  const Column* find(std::string_view name) const;
};

// One connection to the server, from dialling to its end: the session's own, and one for each
// function that listens.
struct Line {
  explicit Line(LinkOptions options_) : options(std::move(options_)) {}
  const ConnectionSettings& settings() const { return options.settings; }
  // False when it had ended before.
  bool end();

  LinkOptions options;
  std::shared_ptr<net::DialCancel> dialling = std::make_shared<net::DialCancel>();
  std::shared_ptr<Link> link;
  std::function<void(const pgNotify&)> on_notify;  // see Link
  bool ended = false;                              // by abort() or close()
};

struct Listener;

struct State : Line {
  State(const sdk::SessionContext& context_, LinkOptions options_,
        std::optional<net::TlsOptions> tls_, net::Keepalive keepalive_)
      : Line(std::move(options_)), context(context_), tls(std::move(tls_)), keepalive(keepalive_) {}

  sdk::SessionContext context;
  std::optional<net::TlsOptions> tls;
  net::Keepalive keepalive;
  std::optional<net::Address> address;  // of the server that answered
  std::optional<Error> lost;
  std::shared_ptr<Event> turn;  // set while a call is running: the next one waits for it
  std::map<std::string, PreparedStatement, std::less<>> statements;  // by their text
  std::size_t statement_number = 0;
  std::map<std::string, std::shared_ptr<const Table>, std::less<>> tables;  // by quoted name
  std::vector<std::shared_ptr<Listener>> listeners;
};
using Shared = std::shared_ptr<State>;

using OnCertificate = std::function<void(const net::ShownCertificate&)>;
// Connects to one of `addresses`, logs in and sets the connection up. What ends it later is told by
// tell_loss(). Errors: any class; nothing is left open then.
Task<Result<sdk::PeerIdentity>> open_line(Shared state, std::shared_ptr<Line> line,
                                          std::vector<net::Address> addresses,
                                          OnCertificate certificate, SteadyTime deadline,
                                          net::StageObserver& stages);
// Hands a statement without parameters to libpq; false when that did not take it.
bool send_query(pg_conn* connection, const char* sql);
// The session is over, and its owner does not know yet.
void tell_loss(State& state, Error error);

// One call at a time.
struct Turn {
  explicit Turn(Shared state_);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  Shared state;
};
// Errors: why the session is over; kFunction "timeout" when another call was still running.
Task<Result<void>> wait_for_turn(Shared state, SteadyTime deadline);

// Keeps what ended the session, so that a later call says why, and ends it.
Error note_loss(State& state, Error error);
// The error of a refused query. A connection class ends the session.
Error refused(State& state, const ServerError& error, Purpose purpose);

// Prepared in this session; makes it so, with one round trip, when it is not. Errors: as to_error.
Task<Result<PreparedStatement>> ensure_prepared(Shared state, std::string sql, Purpose purpose,
                                                SteadyTime deadline);
// Whether the same statement may do better when it is prepared anew: the tables behind it changed,
// or the server forgot it.
bool is_stale(const ServerError& error);
void forget(State& state, const std::string& sql);

// query.cpp, writing.cpp
Task<Result<Batch>> run_statement(Shared state, const StatementOperation& operation,
                                  const Json& parameters, SteadyTime deadline);
Task<Result<Batch>> run_write(Shared state, const WriteOperation& operation, const Json& parameters,
                              SteadyTime deadline);

std::unique_ptr<sdk::Session> make_session(const sdk::SessionContext& context, LinkOptions options,
                                           std::optional<net::TlsOptions> tls,
                                           const net::Keepalive& keepalive);

}  // namespace tributary::connectors::postgresql
