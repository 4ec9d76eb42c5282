// Rows per second into a real PostgreSQL that waits for the disk: postgresql.write in each of its
// modes next to raw COPY and raw inserts of the same batches, one after the other in one run.
#include <fmt/format.h>
#include <libpq-fe.h>

#include <cstdio>

#include "connectors/postgresql/resources.hpp"
#include "schema/schema.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/test_context.hpp"

namespace tributary {
namespace {

using namespace std::chrono_literals;

constexpr int kBatch = 500;
constexpr int kBatches = 60;
constexpr const char* kTable =
    "(id bigint primary key, at timestamptz, line text, speed double precision, on_ boolean)";

struct Row {
  std::int64_t id;
  std::string text() const {
    return fmt::format("{}\t2026-11-22T10:00:00.123Z\tline {}\t{}\t{}\n", id, id % 7,
                       static_cast<double>(id) / 3, id % 2 == 0 ? "t" : "f");
  }
  std::string values() const {
    return fmt::format("({},'2026-11-22T10:00:00.123Z','line {}',{},{})", id, id % 7,
                       static_cast<double>(id) / 3, id % 2 == 0);
  }
  Json json() const {
    Json record = json_object();
    record.insert_or_assign("id", id);
    record.insert_or_assign("at", "2026-11-22T10:00:00.123Z");
    record.insert_or_assign("line", fmt::format("line {}", id % 7));
    record.insert_or_assign("speed", static_cast<double>(id) / 3);
    record.insert_or_assign("on_", id % 2 == 0);
    return record;
  }
};

// Runs `batch(first id)` for all batches into a new table; rows per second.
template <typename F>
double measure(const test::PostgresServer& server, const char* name, F batch) {
  server.sql(
      fmt::format("drop table if exists t; create table t {}; grant all on t to {}; checkpoint",
                  kTable, server.user()));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kBatches; ++i) batch(static_cast<std::int64_t>(i) * kBatch);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const std::string rows = server.sql("select count(*) from t");
  if (rows != std::to_string(kBatch * kBatches))
    throw std::runtime_error("rows are missing: " + rows);
  const double rate = kBatch * kBatches / took.count();
  std::printf("%-28s %10.0f rows/s\n", name, rate);
  return rate;
}

void require(PGresult* result, ExecStatusType expected) {
  if (PQresultStatus(result) != expected) throw std::runtime_error(PQresultErrorMessage(result));
  PQclear(result);
}

void raw_copy(PGconn* raw, std::int64_t first) {
  std::string data;
  for (int i = 0; i < kBatch; ++i) data += Row{first + i}.text();
  require(PQexec(raw, "copy t from stdin"), PGRES_COPY_IN);
  PQputCopyData(raw, data.data(), static_cast<int>(data.size()));
  PQputCopyEnd(raw, nullptr);
  while (PGresult* result = PQgetResult(raw)) require(result, PGRES_COMMAND_OK);
}

void raw_insert(PGconn* raw, std::int64_t first) {
  std::string sql = "insert into t values ";
  for (int i = 0; i < kBatch; ++i) sql += (i > 0 ? "," : "") + Row{first + i}.values();
  require(PQexec(raw, sql.c_str()), PGRES_COMMAND_OK);
}

int run() {
  const test::PostgresServer server({.durable = true});
  const std::string where =
      fmt::format("host=127.0.0.1 port={} dbname={} user={} password={}", server.port(),
                  server.database(), server.user(), server.password());
  PGconn* raw = PQconnectdb(where.c_str());
  const double copy =
      measure(server, "raw COPY", [&](std::int64_t first) { raw_copy(raw, first); });
  const double insert =
      measure(server, "raw batched insert", [&](std::int64_t first) { raw_insert(raw, first); });
  PQfinish(raw);

  test::TestContext context;
  const auto connector = connectors::postgresql::make_connector();
  sdk::Profile profile;
  Json settings = json_object();
  settings.insert_or_assign("host", "127.0.0.1");
  settings.insert_or_assign("port", server.port());
  settings.insert_or_assign("database", server.database());
  settings.insert_or_assign("username", server.user());
  const auto document = parse_json(connectors::postgresql::resources().connection_schema).value();
  profile.settings = schema::Schema::compile(document).value().with_defaults(settings);
  profile.secrets.emplace_back("password", Secret(server.password()));
  const auto session = connector->make_session(context.session_context(), profile).value();
  context.run(session->open(context.in(20s), context.stages()), 30s).value();
  for (const std::string mode : {"insert", "upsert", "copy"}) {
    const Json function =
        parse_json(
            fmt::format(R"({{"table":"t","mode":"{}","keyColumns":["id"],"extraFields":"refuse"}})",
                        mode))
            .value();
    const auto operation = connector->prepare(profile, {"postgresql.write", function}).value();
    const double rate =
        measure(server, ("postgresql.write " + mode).c_str(), [&](std::int64_t first) {
          Json list = json_array();
          for (int i = 0; i < kBatch; ++i) list.push_back(Row{first + i}.json());
          Json parameters = json_object();
          parameters.insert_or_assign("records", std::move(list));
          context.run(session->call(*operation, parameters, context.in(20s)), 30s).value();
        });
    std::printf("  raw COPY / this = %.2f, raw insert / this = %.2f\n", copy / rate, insert / rate);
  }
  context.run(session->close(context.in(5s)));
  return 0;
}

}  // namespace
}  // namespace tributary

int main() {
  try {
    return tributary::run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
