// This connector's part in the conformance suite.
#include "tests/support/conformance.hpp"

#include "connectors/opcua/resources.hpp"
#include "connectors/opcua/tests/world.hpp"
#include "schema/schema.hpp"

namespace tributary::connectors::opcua {
namespace {

class ServerPeer final : public test::GoodPeer {
 public:
  explicit ServerPeer(const std::string& password) : server_(options(password)) {}
  std::uint16_t port() const override { return server_.port(); }
  void produce(std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i)
      server_.world->set("counter", ++counter_, UA_TYPES[UA_TYPES_UINT32]);
  }

 private:
  static simulator::ServerOptions options(const std::string& password) {
    auto options = secure_options();
    options.anonymous = false;
    options.password = Secret(password);
    return options;
  }
  UA_UInt32 counter_ = 0;
  TestServer server_;
};

}  // namespace

test::ConformanceSubject conformance_subject() {
  const std::string right = "right-" + std::string(test::kSecretCanary);
  const std::string wrong = "wrong-" + std::string(test::kSecretCanary);
  // What stands before a PEM block is a remark.
  const std::string key = "# " + std::string(test::kSecretCanary) + "\n" + client_pair().key;
  test::ConformanceSubject subject;
  subject.type = "opcua";
  subject.make_connector = &make_connector;
  subject.settings = [](const std::string& host, std::uint16_t port) {
    Json settings = parse_json(R"({"authentication":"username","username":"operator"})").value();
    settings["endpointUrl"] = fmt::format("opc.tcp://{}:{}", host, port);
    settings["ca"] = server_pair().certificate;
    settings["applicationCertificate"] = client_pair().certificate;
    const auto document = parse_json(resources().connection_schema).value();
    return schema::Schema::compile(document).value().with_defaults(settings);
  };
  subject.secrets.emplace_back("password", Secret(right));
  subject.secrets.emplace_back("applicationKey", Secret(key));
  subject.wrong_secrets.emplace_back("password", Secret(wrong));
  subject.wrong_secrets.emplace_back("applicationKey", Secret(key));
  subject.start_peer = [right] { return std::make_unique<ServerPeer>(right); };
  const std::string node =
      fmt::format(R"({{"name":"counter","nodeId":"nsu={};s=counter"}})", kNamespace);
  subject.call = {"opcua.read",
                  parse_json(fmt::format(R"({{"nodes":[{}],"maxAgeMs":0}})", node)).value()};
  subject.subscribe = sdk::FunctionSpec{
      "opcua.subscribe",
      parse_json(fmt::format(R"({{"nodes":[{}],"publishingIntervalMs":20.0,"samplingIntervalMs":0.0,
                             "queueSize":100,"discard":"oldest","trigger":"statusValue",
                             "deadbandType":"none","deadband":0.0,"keepAliveMs":5000}})",
                             node))
          .value()};
  subject.connections_to_open = 2;
  return subject;
}

}  // namespace tributary::connectors::opcua
