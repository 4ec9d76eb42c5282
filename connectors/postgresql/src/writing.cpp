// postgresql.write: one transaction a call, all or nothing.
#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>

#include "connectors/postgresql/src/table_rows.hpp"

namespace tributary::connectors::postgresql {
namespace {

// $1 is the quoted name, which the server itself looks up. A domain is what it is made of. The -1
// makes char(3) a "bpchar": "character" alone would mean char(1), and cut.
constexpr const char* kColumns =
    "select a.attname, (case when t.typtype = 'd' then t.typbasetype else t.oid end)::int8, "
    "format_type(a.atttypid, -1), t.typcategory = 'A', t.oid < 16384 and t.typtype = 'b' "
    "from pg_attribute a join pg_type t on t.oid = a.atttypid "
    "where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum";

Table read_table(const pg_result* result) {
  Table table;
  for (int row = 0; row < PQntuples(result); ++row) {
    const auto is_true = [&](int column) { return PQgetvalue(result, row, column)[0] == 't'; };
    Column column;
    column.name = PQgetvalue(result, row, 0);
    column.type = type_of(static_cast<std::uint32_t>(std::atoll(PQgetvalue(result, row, 1))));
    column.type_name = PQgetvalue(result, row, 2);
    column.type.array = column.type.array || is_true(3);
    column.built_in = is_true(4) && !column.type.array;
    table.columns.push_back(std::move(column));
  }
  return table;
}

// The table's columns, as known or looked up.
Task<Result<std::shared_ptr<const Table>>> find_table(Shared state, std::string name,
                                                      SteadyTime deadline) {
  if (const auto known = state->tables.find(name); known != state->tables.end())
    co_return known->second;
  struct Found {
    Table table;
    std::optional<ServerError> error;
  };
  const auto found = std::make_shared<Found>();
  Link::Exchange work;
  work.send = [name](pg_conn* connection) {
    const std::array<const char*, 1> values{name.c_str()};
    return PQsendQueryParams(connection, kColumns, 1, nullptr, values.data(), nullptr, nullptr,
                             0) == 1 &&
           PQpipelineSync(connection) == 1;
  };
  work.on_result = [found](std::size_t, ResultPointer result) {
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR)
      found->error = ServerError::of(result.get());
    else
      found->table = read_table(result.get());
  };
  work.what = "which columns a table has";
  const Result<void> done = co_await Link::exchange(state->link, std::move(work), deadline);
  if (!done) co_return fail(note_loss(*state, done.error()));
  if (found->error) {
    Error error = refused(*state, *found->error, Purpose::kWrite);
    if (error.error_class == ErrorClass::kFunction) error.pointer = "/settings/table";
    co_return fail(std::move(error));
  }
  if (state->tables.size() >= kMaxTables) state->tables.clear();
  const auto table = std::make_shared<const Table>(std::move(found->table));
  state->tables.emplace(std::move(name), table);
  co_return table;
}

// A batch is the parameter "records"; a call without one writes one record.
std::vector<const Json*> records_of(const Json& parameters) {
  std::vector<const Json*> records;
  const Json& list = get_member(parameters, "records");
  if (list.is_array()) {
    for (const Json& record : list.array_range()) records.push_back(&record);
    return records;
  }
  const Json& payload = get_member(parameters, "payload");
  records.push_back(payload.is_object() ? &payload : &parameters);
  return records;
}

Batch answer(const WriteOperation& operation, std::size_t rows) {
  Json record = json_object();
  record.insert_or_assign("table", operation.table);
  record.insert_or_assign("rows", rows);
  return Batch::of(std::vector<Record>{std::move(record)});
}

// What a refusal says of the table may not hold any more.
void forget_table(State& state, const WriteOperation& operation, const ServerError& error) {
  if (!error.sqlstate.starts_with("42") && !is_stale(error)) return;
  state.tables.erase(operation.table);
  state.statements.clear();
}

Error refused_write(State& state, const WriteOperation& operation, ServerError error,
                    const Run* run) {
  forget_table(state, operation, error);
  std::string pointer;
  if (run != nullptr) locate(*run, error, pointer);
  Error out = refused(state, error, Purpose::kWrite);
  // Between the commit and its answer a server that goes down looks like one that had not begun.
  out.outcome_unknown = error.ends_session();
  if (out.error_class == ErrorClass::kFunction && out.pointer.empty()) out.pointer = pointer;
  return out;
}

Error cut_off(State& state, Error error) {
  error.outcome_unknown = true;
  return note_loss(state, std::move(error));
}

struct Sent {
  std::size_t failed = 0;  // the run that was refused
  std::optional<ServerError> error;
};

// All runs in one pipeline, which is one transaction.
Task<Result<void>> insert_runs(Shared state, const WriteOperation& operation,
                               const std::vector<Run>& runs, SteadyTime deadline) {
  struct Ready {
    std::string name;
    std::vector<std::string> lists;
  };
  const auto ready = std::make_shared<std::vector<Ready>>();
  for (const Run& run : runs) {
    auto lists = column_lists(run);
    if (!lists) co_return fail(std::move(lists.error()));
    std::string sql = insert_statement(operation, run);
    const auto prepared =
        co_await ensure_prepared(state, std::move(sql), Purpose::kWrite, deadline);
    if (!prepared) {
      // What a lookup remembered may be why.
      if (prepared.error().error_class == ErrorClass::kFunction)
        state->tables.erase(operation.table);
      co_return fail(prepared.error());
    }
    ready->push_back({prepared->name, std::move(*lists)});
  }
  const auto sent = std::make_shared<Sent>();
  Link::Exchange work;
  work.send = [ready](pg_conn* connection) {
    for (const Ready& each : *ready) {
      std::vector<const char*> values;
      for (const std::string& list : each.lists) values.push_back(list.c_str());
      if (PQsendQueryPrepared(connection, each.name.c_str(), static_cast<int>(values.size()),
                              values.data(), nullptr, nullptr, 0) != 1)
        return false;
    }
    return PQpipelineSync(connection) == 1;
  };
  work.on_result = [sent](std::size_t query, ResultPointer result) {
    if (PQresultStatus(result.get()) != PGRES_FATAL_ERROR || sent->error) return;
    sent->error = ServerError::of(result.get());
    sent->failed = query;
  };
  work.what = "the rows";
  const Result<void> done = co_await Link::exchange(state->link, std::move(work), deadline);
  if (!done) co_return fail(cut_off(*state, done.error()));
  if (!sent->error) co_return Result<void>{};
  // A constraint that is checked at the end of the transaction belongs to no run.
  const Run* run = sent->failed < runs.size() ? &runs[sent->failed] : nullptr;
  co_return fail(refused_write(*state, operation, *sent->error, run));
}

Task<Result<void>> transaction(Shared state, std::string command, const WriteOperation& operation,
                               SteadyTime deadline) {
  const auto sent = std::make_shared<Sent>();
  Link::Exchange work;
  work.send = [command](pg_conn* connection) {
    return send_query(connection, command.c_str()) && PQpipelineSync(connection) == 1;
  };
  work.on_result = [sent](std::size_t, ResultPointer result) {
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR)
      sent->error = ServerError::of(result.get());
  };
  work.what = command;
  const Result<void> done = co_await Link::exchange(state->link, std::move(work), deadline);
  if (!done) co_return fail(cut_off(*state, done.error()));
  if (sent->error) co_return fail(refused_write(*state, operation, *sent->error, nullptr));
  co_return Result<void>{};
}

// COPY is a transaction of its own; several of them get one around them.
Task<Result<void>> copy_runs(Shared state, const WriteOperation& operation,
                             const std::vector<Run>& runs, SteadyTime deadline) {
  std::vector<std::string> data;
  for (const Run& run : runs) {
    auto text = copy_data(run);
    if (!text) co_return fail(std::move(text.error()));
    data.push_back(std::move(*text));
  }
  if (runs.size() > 1) {
    const Result<void> begun = co_await transaction(state, "begin", operation, deadline);
    if (!begun) co_return begun;
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto error = std::make_shared<std::optional<ServerError>>();
    std::function<void(ResultPointer)> on_result = [error](ResultPointer result) {
      if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR && !*error)
        *error = ServerError::of(result.get());
    };
    std::string statement = copy_statement(operation, runs[i]);
    const Result<void> done = co_await Link::copy(
        state->link, std::move(statement), std::move(data[i]), std::move(on_result), deadline);
    if (!done) co_return fail(cut_off(*state, done.error()));
    if (!*error) continue;
    Error why = refused_write(*state, operation, **error, &runs[i]);
    if (runs.size() > 1 && why.error_class == ErrorClass::kFunction) {
      const Result<void> back = co_await transaction(state, "rollback", operation, deadline);
      if (!back) co_return back;
    }
    co_return fail(std::move(why));
  }
  if (runs.size() == 1) co_return Result<void>{};
  co_return co_await transaction(state, "commit", operation, deadline);
}

}  // namespace

Task<Result<Batch>> run_write(Shared state, const WriteOperation& operation, const Json& parameters,
                              SteadyTime deadline) {
  const std::vector<const Json*> records = records_of(parameters);
  if (records.empty()) co_return answer(operation, 0);
  bool remembered = state->tables.contains(operation.table);
  auto table = co_await find_table(state, operation.table, deadline);
  if (!table) co_return fail(std::move(table.error()));
  auto runs = lay_out(operation, **table, records);
  if (!runs && remembered && runs.error().code == "unknown_column") {
    // Somebody may have added the column since.
    state->tables.erase(operation.table);
    table = co_await find_table(state, operation.table, deadline);
    if (!table) co_return fail(std::move(table.error()));
    runs = lay_out(operation, **table, records);
  }
  if (!runs) co_return fail(std::move(runs.error()));
  if (operation.mode == WriteSettings::Mode::kUpsert) {
    for (Run& run : *runs) keep_last_of_each_key(operation, run);
  }
  Result<void> written;
  if (operation.mode == WriteSettings::Mode::kCopy) {
    written = co_await copy_runs(state, operation, *runs, deadline);
  } else {
    written = co_await insert_runs(state, operation, *runs, deadline);
  }
  if (!written) co_return fail(std::move(written.error()));
  co_return answer(operation, records.size());
}

}  // namespace tributary::connectors::postgresql
