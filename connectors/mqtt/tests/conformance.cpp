// This connector's part in the conformance suite.
#include "tests/support/conformance.hpp"

#include "connectors/mqtt/tests/fixture.hpp"

namespace tributary::connectors::mqtt {
namespace {

// mosquitto with one user, and mosquitto_pub as the one who produces.
class MosquittoPeer final : public test::GoodPeer {
 public:
  explicit MosquittoPeer(std::string password)
      : password_(std::move(password)),
        broker_("allow_anonymous false\npassword_file " + password_file() + "\n") {}
  std::uint16_t port() const override { return broker_.port(); }
  void produce(std::size_t count) override {
    const std::string command = fmt::format(
        "seq {} | mosquitto_pub -h 127.0.0.1 -p {} -u conformance -P {} -q 1 -t conformance/in -l",
        count, broker_.port(), password_);
    test::Process({"/bin/sh", "-c", command}).wait();
  }

 private:
  std::string password_file() const {
    const auto path = directory_.path() / "passwords";
    std::ofstream(path) << "";
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    test::Process({"mosquitto_passwd", "-b", path.string(), "conformance", password_}).wait();
    return path.string();
  }
  test::TempDir directory_;
  std::string password_;
  Broker broker_;
};

}  // namespace

test::ConformanceSubject conformance_subject() {
  const std::string right = "right-" + std::string(test::kSecretCanary);
  const std::string wrong = "wrong-" + std::string(test::kSecretCanary);
  test::ConformanceSubject subject;
  subject.type = "mqtt";
  subject.make_connector = &make_connector;
  subject.settings = [](const std::string& host, std::uint16_t port) {
    Json settings = parse_json(R"({"version":"5.0","username":"conformance"})").value();
    settings.insert_or_assign("host", host);
    settings.insert_or_assign("port", port);
    const auto document = parse_json(resources().connection_schema).value();
    return schema::Schema::compile(document).value().with_defaults(settings);
  };
  subject.tls_settings = [settings = subject.settings](const std::string& host, std::uint16_t port,
                                                       const std::string& ca) {
    Json secure = settings(host, port);
    secure["tls"]["enabled"] = true;
    secure["tls"]["ca"] = ca;
    return secure;
  };
  subject.secrets.emplace_back("password", Secret(right));
  subject.wrong_secrets.emplace_back("password", Secret(wrong));
  subject.start_peer = [right] { return std::make_unique<MosquittoPeer>(right); };
  subject.call = {
      "mqtt.publish",
      parse_json(
          R"({"topic":"conformance/out","payload":"x","payloadFormat":"auto","qos":1,"retain":false})")
          .value()};
  subject.subscribe = sdk::FunctionSpec{
      "mqtt.subscribe",
      parse_json(R"({"topics":[{"topic":"conformance/in","qos":1}],"format":"text"})").value()};
  return subject;
}

}  // namespace tributary::connectors::mqtt
