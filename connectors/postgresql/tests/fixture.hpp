// Sessions with a real PostgreSQL for the tests of the connector.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/postgresql/resources.hpp"
#include "schema/schema.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/support/test_context.hpp"

namespace tributary::connectors::postgresql {

using namespace std::chrono_literals;

// One server for all tests of a run, empty for each.
inline test::PostgresServer& clean_server() {
  static test::PostgresServer server;
  server.sql(
      "drop schema if exists \"s\"\"x\" cascade; drop schema public cascade; create schema public; "
      "grant usage on schema public to tributary");
  return server;
}

class PostgresTest : public testing::Test {
 protected:
  // What ended sessions still have to resume does so while the loop is there.
  ~PostgresTest() override { context_.drain(); }

  sdk::Profile profile(std::uint16_t port, const std::string& more = "{}",
                       const std::string& password = "right") const {
    Json settings =
        parse_json(
            fmt::format(
                R"({{"host":"127.0.0.1","port":{},"database":"plant","username":"tributary"}})",
                port))
            .value();
    settings = merge_patch(settings, parse_json(more).value());
    const auto document = parse_json(resources().connection_schema).value();
    const auto schema = schema::Schema::compile(document).value();
    EXPECT_TRUE(schema.validate(settings).empty()) << to_text(settings);
    sdk::Profile made;
    made.connection_id = "01JTEST0000000000000000000";
    made.settings = schema.with_defaults(settings);
    if (!password.empty()) made.secrets.emplace_back("password", Secret(password));
    return made;
  }
  std::unique_ptr<sdk::Session> session(const sdk::Profile& profile) {
    auto made = connector_->make_session(context_.session_context(), profile);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  Result<sdk::PeerIdentity> open(sdk::Session& session, Duration time = 10s) {
    return context_.run(session.open(context_.in(time), context_.stages()), 20s);
  }
  // Why a session did not open.
  Error refusal(const sdk::Profile& profile, Duration time = 10s) {
    const auto made = session(profile);
    const auto opened = open(*made, time);
    EXPECT_FALSE(opened);
    return opened ? Error() : opened.error();
  }
  std::unique_ptr<sdk::Session> connect(std::uint16_t port, const std::string& more = "{}") {
    auto made = session(profile(port, more));
    const auto opened = open(*made);
    EXPECT_TRUE(opened) << opened.error().message;
    return made;
  }
  Result<std::shared_ptr<const sdk::Operation>> try_prepare(const std::string& type,
                                                            const Json& settings,
                                                            const std::string& more = "{}") const {
    Json values = settings;
    for (const auto text : resources().function_schemas) {
      const auto document = parse_json(text).value();
      if (document.at("x-function").as_string() != type) continue;
      const auto schema = schema::Schema::compile(document).value();
      const auto errors = schema.validate(values);
      EXPECT_TRUE(errors.empty()) << errors.front().pointer << errors.front().message;
      values = schema.with_defaults(values);
    }
    return connector_->prepare(profile(1, more), {type, values});
  }
  std::shared_ptr<const sdk::Operation> prepare(const std::string& type,
                                                const Json& settings) const {
    auto prepared = try_prepare(type, settings);
    EXPECT_TRUE(prepared) << prepared.error().message;
    return *prepared;
  }
  Result<Batch> call(sdk::Session& session, const sdk::Operation& operation,
                     const Json& parameters = json_object(), Duration time = 10s) {
    return context_.run(session.call(operation, parameters, context_.in(time)), 30s);
  }
  Result<Batch> query(sdk::Session& session, const std::string& sql,
                      const Json& parameters = json_object(), const std::string& more = "{}") {
    Json settings = parse_json(more).value();
    settings.insert_or_assign("query", sql);
    const auto operation = prepare("postgresql.query", settings);
    return call(session, *operation, parameters);
  }
  Result<Batch> execute(sdk::Session& session, const std::string& sql,
                        const Json& parameters = json_object()) {
    Json settings = json_object();
    settings.insert_or_assign("statement", sql);
    const auto operation = prepare("postgresql.execute", settings);
    return call(session, *operation, parameters);
  }
  // The only value of the only row.
  Json value(sdk::Session& session, const std::string& sql,
             const Json& parameters = json_object()) {
    const auto batch = query(session, sql, parameters);
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch || batch->size() != 1) return Json("no single row");
    return batch->records()[0].object_range().begin()->value();
  }
  Result<Batch> write(sdk::Session& session, const std::string& settings,
                      const std::string& records) {
    const auto operation = prepare("postgresql.write", parse_json(settings).value());
    Json parameters = json_object();
    parameters.insert_or_assign("records", parse_json(records).value());
    return call(session, *operation, parameters);
  }
  static Json json(const std::string& text) { return parse_json(text).value(); }

  test::TestContext context_;
  std::unique_ptr<sdk::Connector> connector_ = make_connector();
};

}  // namespace tributary::connectors::postgresql
