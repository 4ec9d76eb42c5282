#include "connectors/postgresql/src/session.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>

#include "connectors/postgresql/src/listen.hpp"
#include "net/options.hpp"

namespace tributary::connectors::postgresql {
namespace {

// The server gives a statement up this much before the hub does.
Duration statement_timeout(const ConnectionSettings& settings) {
  const std::chrono::milliseconds whole(settings.request_timeout_ms);
  constexpr std::chrono::milliseconds kLongestMargin{1000};
  return whole - std::min(whole / 10, kLongestMargin);
}

std::string setup_statement(const ConnectionSettings& settings) {
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(statement_timeout(settings));
  return fmt::format(
      "select set_config('DateStyle', 'ISO', false), set_config('TimeZone', 'UTC', false), "
      "set_config('IntervalStyle', 'iso_8601', false), set_config('bytea_output', 'hex', false), "
      "set_config('extra_float_digits', '1', false), "
      "set_config('standard_conforming_strings', 'on', false), "
      "set_config('client_min_messages', 'warning', false), "
      "set_config('statement_timeout', '{}', false){}",
      timeout.count(),
      settings.read_only ? ", set_config('default_transaction_read_only', 'on', false)" : "");
}

constexpr const char* kWhoAreYou =
    "select pg_is_in_recovery() or current_setting('transaction_read_only')::bool, "
    "current_setting('server_version')";
// Lets the server notice that the hub is gone while it works on a statement. Not every server can.
constexpr const char* kNoticeOurEnd =
    "select set_config('client_connection_check_interval', '5s', false) "
    "where current_setting('server_version_num')::int >= 140000";

Error standby(const std::string& peer) {
  return {
      ErrorClass::kStandby, "standby_server",
      fmt::format("{} cannot be written: it is a standby, or was made read-only", peer),
      "The host's next address is tried. For a connection that only reads, switch \"Read only\" "
      "on.",
      "/settings/readOnly"};
}

// The first error among results.
struct Answers {
  std::optional<ServerError> error;
  bool standby = false;
  std::string version;
};

struct Dialled {
  std::shared_ptr<TcpAttempt> attempt;
  net::Address address;
};

Task<Result<Dialled>> dial(Shared state, std::shared_ptr<Line> line,
                           std::vector<net::Address> addresses, SteadyTime deadline,
                           net::StageObserver& stages) {
  const net::Endpoint endpoint{line->settings().host,
                               static_cast<std::uint16_t>(line->settings().port)};
  if (state->tls) {
    auto tls = net::TlsClient::make(*state->tls, state->context.clock.utc_now());
    if (!tls) co_return fail(std::move(tls.error()));
    line->options.tls = std::move(*tls);
  }
  stages.begin("tcp");
  std::vector<std::shared_ptr<TcpAttempt>> attempts;
  for (const net::Address& address : addresses) {
    attempts.push_back(std::make_shared<TcpAttempt>(state->context.executor, line->options, address,
                                                    net::label(endpoint, address)));
  }
  std::vector<std::shared_ptr<net::Attempt>> plain(attempts.begin(), attempts.end());
  const Result<std::size_t> winner = co_await net::race_attempts(
      state->context.timers, endpoint, addresses, std::move(plain), deadline, line->dialling);
  if (!winner) co_return fail(winner.error());
  co_return Dialled{attempts[*winner], addresses[*winner]};
}

Task<Result<sdk::PeerIdentity>> set_up(std::shared_ptr<Line> line, SteadyTime deadline) {
  const auto answers = std::make_shared<Answers>();
  Link::Exchange work;
  const std::string setup = setup_statement(line->settings());
  work.send = [setup](pg_conn* connection) {
    return send_query(connection, setup.c_str()) && send_query(connection, kWhoAreYou) &&
           PQpipelineSync(connection) == 1 && send_query(connection, kNoticeOurEnd) &&
           PQpipelineSync(connection) == 1;
  };
  work.on_result = [answers](std::size_t query, ResultPointer result) {
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR && query < 2 && !answers->error)
      answers->error = ServerError::of(result.get());
    if (query != 1 || PQntuples(result.get()) != 1) return;
    answers->standby = PQgetvalue(result.get(), 0, 0)[0] == 't';
    answers->version = PQgetvalue(result.get(), 0, 1);
  };
  work.syncs = 2;
  work.what = "the first query";
  const Result<void> done = co_await Link::exchange(line->link, std::move(work), deadline);
  if (!done) co_return fail(done.error());
  if (answers->error)
    co_return fail(to_error(*answers->error, Purpose::kLogin, line->link->peer()));
  if (answers->standby && !line->settings().read_only) co_return fail(standby(line->link->peer()));
  sdk::PeerIdentity identity;
  identity.vendor = "PostgreSQL";
  identity.product = answers->standby ? "PostgreSQL (read-only)" : "PostgreSQL";
  identity.version = answers->version;
  identity.address = line->link->peer();
  if (line->options.tls && line->options.tls->shown() != nullptr)
    identity.certificate_sha256 = line->options.tls->shown()->certificate.sha256;
  co_return identity;
}

Task<Result<sdk::PeerIdentity>> open_session(Shared state, SteadyTime deadline,
                                             net::StageObserver& stages) {
  if (state->ended) co_return fail(cancelled());
  const net::Endpoint endpoint{state->settings().host,
                               static_cast<std::uint16_t>(state->settings().port)};
  stages.begin("resolve");
  const auto addresses =
      co_await state->context.network.resolve_cancellable(endpoint, deadline, state->dialling);
  if (!addresses) co_return fail(addresses.error());
  OnCertificate certificate = [state = state.get()](const net::ShownCertificate& shown) {
    state->context.events.certificate_shown(shown);
  };
  const std::shared_ptr<Line> line = state;
  auto identity =
      co_await open_line(state, line, *addresses, std::move(certificate), deadline, stages);
  if (!identity) co_return fail(note_loss(*state, std::move(identity.error())));
  co_return identity;
}

Task<Result<void>> check(Shared state, SteadyTime deadline) {
  if (state->ended) co_return fail(cancelled());
  if (state->lost) co_return fail(*state->lost);
  for (const auto& listener : state->listeners) probe(state, listener);
  // A call that is under way is answered, or ends the session at its deadline.
  if (state->turn) co_return Result<void>{};
  if (!state->link) co_return fail(ErrorClass::kInternal, "not_open", "The session is not open.");
  const Turn turn(state);
  const auto answers = std::make_shared<Answers>();
  Link::Exchange work;
  work.send = [](pg_conn* connection) {
    return send_query(connection, kWhoAreYou) && PQpipelineSync(connection) == 1;
  };
  work.on_result = [answers](std::size_t, ResultPointer result) {
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR)
      answers->error = ServerError::of(result.get());
    else if (PQntuples(result.get()) == 1)
      answers->standby = PQgetvalue(result.get(), 0, 0)[0] == 't';
  };
  work.what = "the health check";
  const Result<void> done = co_await Link::exchange(state->link, std::move(work), deadline);
  if (!done) co_return fail(note_loss(*state, done.error()));
  if (answers->error) {
    Error error = refused(*state, *answers->error, Purpose::kQuery);
    // A refusal is an answer.
    if (is_connection_error(error.error_class)) co_return fail(std::move(error));
    co_return Result<void>{};
  }
  if (answers->standby && !state->settings().read_only)
    co_return fail(note_loss(*state, standby(state->link->peer())));
  co_return Result<void>{};
}

Task<Result<Batch>> run_call(Shared state, const sdk::Operation& operation, const Json& parameters,
                             SteadyTime deadline) {
  const Result<void> ready = co_await wait_for_turn(state, deadline);
  if (!ready) co_return fail(ready.error());
  const Turn turn(state);
  if (const auto* write = dynamic_cast<const WriteOperation*>(&operation))
    co_return co_await run_write(state, *write, parameters, deadline);
  const auto& statement = dynamic_cast<const StatementOperation&>(operation);
  co_return co_await run_statement(state, statement, parameters, deadline);
}

class PostgresSession final : public sdk::Session, public sdk::Subscriber {
 public:
  explicit PostgresSession(Shared state) : state_(std::move(state)) {}
  ~PostgresSession() override { abort(); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override {
    return open_session(state_, deadline, stages);
  }
  Task<Result<void>> check_health(SteadyTime deadline) override { return check(state_, deadline); }
  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& parameters,
                           SteadyTime deadline) override {
    return run_call(state_, operation, parameters, deadline);
  }
  Task<Result<std::unique_ptr<sdk::Subscription>>> subscribe(const sdk::Operation& operation,
                                                             sdk::Sink& sink,
                                                             SteadyTime deadline) override {
    const auto& listen = dynamic_cast<const ListenOperation&>(operation);
    return run_listen(state_, listen.settings, sink, deadline);
  }
  // The server is told goodbye; what it still works on is rolled back.
  Task<void> close(SteadyTime) override {
    end_listeners(*state_, false);
    if (state_->end() && state_->link) state_->link->close();
    co_return;
  }
  void abort() noexcept override {
    end_listeners(*state_, true);
    if (state_->end() && state_->link) state_->link->abort();
  }

 private:
  Shared state_;
};

}  // namespace

bool Line::end() {
  if (std::exchange(ended, true)) return false;
  dialling->cancel();
  return true;
}

bool send_query(pg_conn* connection, const char* sql) {
  return PQsendQueryParams(connection, sql, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
}

void tell_loss(State& state, Error error) {
  if (state.ended || state.lost) return;
  state.lost = error;
  state.context.events.lost(std::move(error));
}

Task<Result<sdk::PeerIdentity>> open_line(Shared state, std::shared_ptr<Line> line,
                                          std::vector<net::Address> addresses,
                                          OnCertificate certificate, SteadyTime deadline,
                                          net::StageObserver& stages) {
  const auto dialled = co_await dial(state, line, std::move(addresses), deadline, stages);
  if (line->ended) {
    if (dialled) dialled->attempt->abort();
    co_return fail(cancelled());
  }
  if (!dialled) {
    Error error = dialled.error();
    if (error.code == "connection_refused")
      error.hint =
          "Does the server run, and does it listen for this machine (listen_addresses, port)?";
    co_return fail(std::move(error));
  }
  state->address = dialled->address;
  TcpAttempt& attempt = *dialled->attempt;
  const Result<void> applied =
      net::apply_keepalive(attempt.descriptor.native_handle(), state->keepalive);
  line->link = std::make_shared<Link>(state->context.executor, state->context.timers, attempt,
                                      line->options.tls);
  if (!applied) {
    line->link->abort();
    co_return fail(applied.error());
  }
  const Result<void> logged_in =
      co_await Link::log_in(line->link, deadline, stages, std::move(certificate));
  if (!logged_in) co_return fail(logged_in.error());
  line->link->on_notify(line->on_notify);
  std::function<void(Error)> lost = [weak = std::weak_ptr(state)](Error error) {
    if (const auto state = weak.lock()) tell_loss(*state, std::move(error));
  };
  line->link->start(std::move(lost));
  auto identity = co_await set_up(line, deadline);
  if (!identity) line->link->abort();
  co_return identity;
}

const Column* Table::find(std::string_view name) const {
  const auto found = std::ranges::find(columns, name, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

Turn::Turn(Shared state_) : state(std::move(state_)) {
  state->turn = std::make_shared<Event>(state->context.executor);
}
Turn::~Turn() {
  std::exchange(state->turn, nullptr)->set();
}

Task<Result<void>> wait_for_turn(Shared state, SteadyTime deadline) {
  while (state->turn) {
    const auto running = state->turn;
    const bool freed = co_await running->wait_until(state->context.timers, deadline);
    if (!freed) {
      co_return fail(ErrorClass::kFunction, "timeout",
                     "Another call of this connection was still running; this one was not begun.",
                     "Give the connection a longer request timeout, or slow queries a connection "
                     "of their own.");
    }
  }
  if (state->ended) co_return fail(cancelled());
  if (state->lost) co_return fail(*state->lost);
  if (!state->link) co_return fail(ErrorClass::kInternal, "not_open", "The session is not open.");
  co_return Result<void>{};
}

Error note_loss(State& state, Error error) {
  if (state.ended) {
    Error ended = cancelled();
    ended.outcome_unknown = error.outcome_unknown;
    return ended;
  }
  if (is_connection_error(error.error_class)) {
    state.lost = error;
    state.lost->outcome_unknown = false;
    if (state.link) state.link->abort();
  }
  return error;
}

Error refused(State& state, const ServerError& error, Purpose purpose) {
  return note_loss(state, to_error(error, purpose, state.link->peer()));
}

bool is_stale(const ServerError& error) {
  return error.sqlstate == "0A000" || error.sqlstate == "26000";
}

void forget(State& state, const std::string& sql) {
  state.statements.erase(sql);
}

Task<Result<PreparedStatement>> ensure_prepared(Shared state, std::string sql, Purpose purpose,
                                                SteadyTime deadline) {
  if (const auto known = state->statements.find(sql); known != state->statements.end())
    co_return known->second;
  struct Prepared {
    PreparedStatement statement;
    std::optional<ServerError> error;
  };
  const auto made = std::make_shared<Prepared>();
  made->statement.name = fmt::format("tributary_{}", ++state->statement_number);
  const bool afresh = state->statements.size() >= kMaxStatements;
  if (afresh) state->statements.clear();
  Link::Exchange work;
  work.send = [&sql, &made, afresh](pg_conn* connection) {
    const char* name = made->statement.name.c_str();
    return (!afresh || send_query(connection, "deallocate all")) &&
           PQsendPrepare(connection, name, sql.c_str(), 0, nullptr) == 1 &&
           PQsendDescribePrepared(connection, name) == 1 && PQpipelineSync(connection) == 1;
  };
  work.on_result = [made](std::size_t, ResultPointer result) {
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR && !made->error)
      made->error = ServerError::of(result.get());
    for (int i = 0; i < PQnparams(result.get()); ++i)
      made->statement.parameters.push_back(type_of(PQparamtype(result.get(), i)));
  };
  work.what = "the preparation of a statement";
  const Result<void> done = co_await Link::exchange(state->link, std::move(work), deadline);
  if (!done) co_return fail(note_loss(*state, done.error()));
  if (made->error) {
    Error error = refused(*state, *made->error, purpose);
    if (made->error->position > 0) {
      const auto end =
          sql.begin() + std::min<std::ptrdiff_t>(made->error->position - 1, std::ssize(sql));
      error.message += fmt::format(", line {}", 1 + std::count(sql.begin(), end, '\n'));
    }
    co_return fail(std::move(error));
  }
  state->statements.emplace(std::move(sql), made->statement);
  co_return made->statement;
}

std::unique_ptr<sdk::Session> make_session(const sdk::SessionContext& context, LinkOptions options,
                                           std::optional<net::TlsOptions> tls,
                                           const net::Keepalive& keepalive) {
  return std::make_unique<PostgresSession>(
      std::make_shared<State>(context, std::move(options), std::move(tls), keepalive));
}

}  // namespace tributary::connectors::postgresql
