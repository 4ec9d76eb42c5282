// One session with a database: what its coroutines share. Lives on one executor.
#pragma once

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

struct State {
  State(const sdk::SessionContext& context_, LinkOptions options_,
        std::optional<net::TlsOptions> tls_, net::Keepalive keepalive_)
      : context(context_),
        options(std::move(options_)),
        tls(std::move(tls_)),
        keepalive(keepalive_) {}

  const ConnectionSettings& settings() const { return options.settings; }

  sdk::SessionContext context;
  LinkOptions options;
  std::optional<net::TlsOptions> tls;
  net::Keepalive keepalive;
  std::shared_ptr<net::DialCancel> dialling = std::make_shared<net::DialCancel>();
  std::shared_ptr<Link> link;
  bool ended = false;  // by abort() or close()
  std::optional<Error> lost;
  std::shared_ptr<Event> turn;  // set while a call is running: the next one waits for it
  std::map<std::string, PreparedStatement, std::less<>> statements;  // by their text
  std::size_t statement_number = 0;
  std::map<std::string, std::shared_ptr<const Table>, std::less<>> tables;  // by quoted name
};
using Shared = std::shared_ptr<State>;

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
