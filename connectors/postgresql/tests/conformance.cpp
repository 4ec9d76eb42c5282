// This connector's part in the conformance suite.
#include "tests/support/conformance.hpp"

#include <fmt/format.h>

#include "connectors/postgresql/resources.hpp"
#include "schema/schema.hpp"
#include "tests/support/postgres_server.hpp"

namespace tributary::connectors::postgresql {
namespace {

class PostgresPeer final : public test::GoodPeer {
 public:
  explicit PostgresPeer(const std::string& password) : server_({.password = password}) {}
  std::uint16_t port() const override { return server_.port(); }
  void produce(std::size_t count) override {
    server_.sql(
        fmt::format("select count(pg_notify('conformance', lpad(i::text, 1000, '0'))) "
                    "from generate_series(1, {}) i",
                    count));
  }

 private:
  test::PostgresServer server_;
};

}  // namespace

test::ConformanceSubject conformance_subject() {
  const std::string right = "right-" + std::string(test::kSecretCanary);
  const std::string wrong = "wrong-" + std::string(test::kSecretCanary);
  test::ConformanceSubject subject;
  subject.type = "postgresql";
  subject.make_connector = &make_connector;
  subject.settings = [](const std::string& host, std::uint16_t port) {
    Json settings = parse_json(R"({"database":"plant","username":"tributary"})").value();
    settings.insert_or_assign("host", host);
    settings.insert_or_assign("port", port);
    const auto document = parse_json(resources().connection_schema).value();
    return schema::Schema::compile(document).value().with_defaults(settings);
  };
  subject.secrets.emplace_back("password", Secret(right));
  subject.wrong_secrets.emplace_back("password", Secret(wrong));
  subject.start_peer = [right] { return std::make_unique<PostgresPeer>(right); };
  subject.call = {
      "postgresql.query",
      parse_json(
          R"({"query":"select ((x))::int as x","maxRows":10,"truncate":false,"numeric":"auto"})")
          .value()};
  subject.subscribe = {"postgresql.listen",
                       parse_json(R"({"channels":["conformance"],"format":"text"})").value()};
  subject.call_parameters.insert_or_assign("x", 1);
  return subject;
}

}  // namespace tributary::connectors::postgresql
