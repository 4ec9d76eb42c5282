// postgresql.query and postgresql.execute.
#include <fmt/format.h>
#include <libpq-fe.h>

#include "connectors/postgresql/src/encode.hpp"
#include "connectors/postgresql/src/rows.hpp"
#include "connectors/postgresql/src/session.hpp"

namespace tributary::connectors::postgresql {
namespace {

// Values in the text form of the types that the server wants; nullopt is NULL.
using Values = std::vector<std::optional<std::string>>;

Result<Values> encode_parameters(const StatementOperation& operation,
                                 const PreparedStatement& prepared, const Json& parameters) {
  Values values;
  for (std::size_t i = 0; i < operation.statement.parameters.size(); ++i) {
    const std::string& name = operation.statement.parameters[i];
    if (!parameters.is_object() || !parameters.contains(name)) {
      return fail(ErrorClass::kFunction, "missing_parameter",
                  fmt::format("The parameter {} is missing", name), "Give it a value, or null.",
                  "/parameters/" + name);
    }
    const Type type = i < prepared.parameters.size() ? prepared.parameters[i] : Type{};
    std::string text;
    const auto some = encode_value(parameters.at(name), type, text);
    if (!some) {
      Error error = some.error();
      error.message = fmt::format("The parameter {} {}", name, error.message);
      error.pointer = "/parameters/" + name;
      return fail(std::move(error));
    }
    values.push_back(*some ? std::optional(std::move(text)) : std::nullopt);
  }
  return values;
}

struct Outcome {
  Outcome(std::size_t most, DecodeOptions options) : rows(most, options) {}
  Rows rows;
  std::optional<ServerError> error;
  std::string command;  // "UPDATE 3"
  std::string changed;  // "3"
  bool has_rows = false;
};

bool send_statement(pg_conn* connection, const PreparedStatement& prepared, const Values& values) {
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const auto& value : values) texts.push_back(value ? value->c_str() : nullptr);
  return PQsendQueryPrepared(connection, prepared.name.c_str(), static_cast<int>(texts.size()),
                             texts.data(), nullptr, nullptr, 0) == 1;
}

// A query cannot write, whatever it calls; and because the transaction is rolled back, neither can
// it leave settings behind for the next one. The second pipeline ends the transaction when the
// first was given up. One round trip.
Link::Exchange make_exchange(const StatementOperation& operation, const PreparedStatement& prepared,
                             const Values& values, const std::shared_ptr<Outcome>& outcome) {
  Link::Exchange work;
  const bool read_only = operation.read_only;
  const std::size_t query = read_only ? 1 : 0;
  work.send = [prepared, values, read_only](pg_conn* connection) {
    if (!read_only)
      return send_statement(connection, prepared, values) && PQpipelineSync(connection) == 1;
    return send_query(connection, "begin transaction read only") &&
           send_statement(connection, prepared, values) && PQpipelineSync(connection) == 1 &&
           send_query(connection, "rollback") && PQpipelineSync(connection) == 1;
  };
  work.on_result = [outcome, query](std::size_t number, ResultPointer result) {
    switch (PQresultStatus(result.get())) {
      case PGRES_FATAL_ERROR:
        if (!outcome->error) outcome->error = ServerError::of(result.get());
        return;
      case PGRES_SINGLE_TUPLE:
      case PGRES_TUPLES_OK:
        if (number == query) {
          outcome->has_rows = true;
          outcome->rows.add(result.get());
        }
        break;
      default:
        break;
    }
    if (number != query) return;
    outcome->command = PQcmdStatus(result.get());
    outcome->changed = PQcmdTuples(result.get());
  };
  work.syncs = read_only ? 2 : 1;
  work.single_row = query;
  work.what = "the statement";
  return work;
}

Result<Batch> to_batch(const StatementOperation& operation, Outcome& outcome) {
  const bool over = outcome.rows.too_many() && !operation.truncate;
  if (over || (outcome.rows.too_large() && !operation.truncate)) {
    return fail(ErrorClass::kFunction, over ? "too_many_rows" : "result_too_large",
                over ? fmt::format("The query has {} rows; at most {} are taken",
                                   outcome.rows.count(), operation.max_rows)
                     : fmt::format("The query has more than {} MiB", kMaxResultBytes >> 20U),
                "Narrow the query, or raise the function's most rows.", "/settings/maxRows");
  }
  if (outcome.has_rows) return Batch::of(outcome.rows.take());
  Json record = json_object();
  record.insert_or_assign("command", outcome.command);
  record.insert_or_assign("rows", std::atoll(outcome.changed.c_str()));
  return Batch::of(std::vector<Record>{std::move(record)});
}

}  // namespace

Task<Result<Batch>> run_statement(Shared state, const StatementOperation& operation,
                                  const Json& parameters, SteadyTime deadline) {
  const Purpose purpose = operation.read_only ? Purpose::kQuery : Purpose::kCommand;
  const std::string& sql = operation.statement.text;
  for (bool again = state->statements.contains(sql);; again = false) {
    const auto prepared = co_await ensure_prepared(state, sql, purpose, deadline);
    if (!prepared) {
      Error error = prepared.error();
      if (error.error_class == ErrorClass::kFunction && error.pointer.empty())
        error.pointer = operation.read_only ? "/settings/query" : "/settings/statement";
      co_return fail(std::move(error));
    }
    const auto values = encode_parameters(operation, *prepared, parameters);
    if (!values) co_return fail(values.error());
    const DecodeOptions options{operation.numeric_as_text};
    const auto outcome = std::make_shared<Outcome>(operation.max_rows, options);
    Link::Exchange work = make_exchange(operation, *prepared, *values, outcome);
    const Result<void> done = co_await Link::exchange(state->link, std::move(work), deadline);
    if (!done) {
      Error error = done.error();
      error.outcome_unknown = !operation.read_only;
      co_return fail(note_loss(*state, std::move(error)));
    }
    if (!outcome->error) co_return to_batch(operation, *outcome);
    // Nothing was done yet when the server says so.
    if (is_stale(*outcome->error)) {
      forget(*state, sql);
      if (again) continue;
    }
    Error error = refused(*state, *outcome->error, purpose);
    error.outcome_unknown = !operation.read_only && outcome->error->ends_session();
    co_return fail(std::move(error));
  }
}

}  // namespace tributary::connectors::postgresql
