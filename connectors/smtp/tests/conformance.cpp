// This connector's part in the conformance suite.
#include "tests/support/conformance.hpp"

#include "connectors/smtp/tests/fixture.hpp"

namespace tributary::connectors::smtp {
namespace {

class SinkPeer final : public test::GoodPeer {
 public:
  explicit SinkPeer(const std::string& password)
      : sink_({"--user", "hub", "--password", password}) {}
  std::uint16_t port() const override { return sink_.port(); }

 private:
  Sink sink_;
};

}  // namespace

test::ConformanceSubject conformance_subject() {
  const std::string right = "right-" + std::string(test::kSecretCanary);
  const std::string wrong = "wrong-" + std::string(test::kSecretCanary);
  test::ConformanceSubject subject;
  subject.type = "smtp";
  subject.make_connector = &make_connector;
  subject.settings = [](const std::string& host, std::uint16_t port) {
    Json settings =
        parse_json(R"({"security":"none","from":"hub@plant.example","username":"hub"})").value();
    settings.insert_or_assign("host", host);
    settings.insert_or_assign("port", port);
    const auto document = parse_json(resources().connection_schema).value();
    return schema::Schema::compile(document).value().with_defaults(settings);
  };
  subject.tls_settings = [settings = subject.settings](const std::string& host, std::uint16_t port,
                                                       const std::string& ca) {
    Json secure = settings(host, port);
    secure["security"] = "tls";
    secure["tls"]["ca"] = ca;
    return secure;
  };
  subject.secrets.emplace_back("password", Secret(right));
  subject.wrong_secrets.emplace_back("password", Secret(wrong));
  subject.start_peer = [right] { return std::make_unique<SinkPeer>(right); };
  const auto document = parse_json(resources().function_schemas[0]).value();
  subject.call = {"smtp.send",
                  schema::Schema::compile(document).value().with_defaults(
                      parse_json(R"({"to":["shift@plant.example"],"text":"hello"})").value())};
  subject.connects_for_requests = true;
  // A server speaks first: what would be an answer stands in for the greeting.
  subject.garbage_codes = {"protocol_error", "timeout", "connection_closed"};
  return subject;
}

}  // namespace tributary::connectors::smtp
