// TLS with a real broker: mosquitto.
#include <csignal>

#include "connectors/mqtt/tests/fixture.hpp"
#include "tests/support/certificates.hpp"

namespace tributary::connectors::mqtt {
namespace {

using test::Authority;
using test::CertificateRequest;
using test::KeyPair;

// mosquitto whose certificate can be changed; it takes the new one when it starts again.
class TlsBroker {
 public:
  TlsBroker(const Authority& authority, const KeyPair& identity, const std::string& more = "")
      : broker_(std::make_unique<Broker>("allow_anonymous true\ncafile " +
                                         file("ca.pem", authority.certificate()) + "\ncertfile " +
                                         file("server.pem", identity.certificate) + "\nkeyfile " +
                                         file("server.key", identity.key) + "\n" + more)) {}
  void restart_with(const KeyPair& identity) {
    broker_->stop();
    file("server.pem", identity.certificate);
    file("server.key", identity.key);
    broker_->start();
  }
  Broker& broker() { return *broker_; }
  std::uint16_t port() const { return broker_->port(); }
  // CONNECT packets that the broker has understood.
  std::size_t connects() const { return broker_->logged("New client connected"); }

 private:
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(directory_.path() / name) << text;
    return (directory_.path() / name).string();
  }
  test::TempDir directory_;
  std::unique_ptr<Broker> broker_;
};

class TlsBrokerTest : public MqttTest {
 protected:
  // OpenSSL writes to sockets whose other side may be gone; the server ignores the signal, too.
  TlsBrokerTest() { std::signal(SIGPIPE, SIG_IGN); }

  sdk::Profile secure_profile(std::uint16_t port, const std::string& more = "{}") {
    sdk::Profile made = profile(port, more);
    made.settings["tls"].insert_or_assign("enabled", true);
    made.settings["tls"].insert_or_assign("ca", authority_.certificate());
    return made;
  }
  Result<sdk::PeerIdentity> try_open(const sdk::Profile& made) {
    session_ = session(made);
    return open(*session_);
  }
  Authority authority_;
  std::unique_ptr<sdk::Session> session_;
};

class TlsVersionTest : public TlsBrokerTest, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Mqtt, TlsVersionTest, testing::Values("3.1", "3.1.1", "5.0"),
                         [](const auto& info) { return "v" + std::to_string(info.index); });

TEST_P(TlsVersionTest, messages_travel_both_ways_and_health_is_asked_for) {
  TlsBroker broker(authority_, authority_.issue());
  const auto opened =
      try_open(secure_profile(broker.port(), fmt::format(R"({{"version":"{}"}})", GetParam())));
  ASSERT_TRUE(opened) << opened.error().message;
  const auto subscription = subscribe(*session_, R"({"topics":[{"topic":"a","qos":2}]})", sink_);
  ASSERT_TRUE(subscription);
  for (int qos = 0; qos <= 2; ++qos) ASSERT_TRUE(publish(*session_, "a", "1", qos));
  ASSERT_TRUE(received(sink_, 3));
  for (int i = 0; i < 3; ++i) {
    const auto healthy = context_.run(session_->check_health(context_.in(5s)));
    EXPECT_TRUE(healthy) << healthy.error().message;
  }
  EXPECT_GE(broker.broker().logged("Received PINGREQ"), 3U);
  context_.run(session_->close(context_.in(5s)));
  EXPECT_TRUE(
      context_.run_until([&] { return broker.broker().logged("Received DISCONNECT") == 1; }));
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(TlsBrokerTest, large_messages_and_many_small_ones_arrive) {
  TlsBroker broker(authority_, authority_.issue());
  ASSERT_TRUE(try_open(secure_profile(broker.port())));
  const auto subscription = subscribe(*session_, R"({"topics":[{"topic":"a","qos":1}]})", sink_);
  ASSERT_TRUE(subscription);
  ASSERT_TRUE(publish(*session_, "a", std::string(3U << 20U, 'x')));
  ASSERT_TRUE(received(sink_, 1));
  constexpr std::size_t kCount = 2000;
  const auto operation = prepare("mqtt.publish", R"({"topic":"a","qos":1})");
  std::vector<Json> parameters(kCount);
  std::vector<test::Running<Result<Batch>>> calls;
  for (std::size_t i = 0; i < kCount; ++i) {
    parameters[i] = parse_json(fmt::format(R"({{"payload":{}}})", i)).value();
    calls.push_back(context_.start(session_->call(*operation, parameters[i], context_.in(30s))));
  }
  for (auto& call : calls) ASSERT_TRUE(context_.finish(call, 30s));
  ASSERT_TRUE(received(sink_, kCount + 1));
  for (std::size_t i = 0; i < kCount; ++i)
    ASSERT_EQ(sink_.records[i + 1].at("payload").as<std::size_t>(), i);
}

TEST_F(TlsBrokerTest, a_broker_that_wants_a_client_certificate_gets_one) {
  TlsBroker broker(authority_, authority_.issue(), "require_certificate true\n");
  const auto without = try_open(secure_profile(broker.port()));
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, "client_certificate_required") << without.error().message;
  EXPECT_EQ(without.error().error_class, ErrorClass::kIdentity);

  const Authority other("Other CA");
  const KeyPair wrong = other.issue({.common_name = "hub"});
  sdk::Profile stranger = secure_profile(broker.port());
  stranger.settings["tls"].insert_or_assign("clientCertificate", wrong.certificate);
  stranger.secrets.emplace_back("clientKey", Secret(wrong.key));
  const auto refused = try_open(stranger);
  ASSERT_FALSE(refused);
  // mosquitto resets the connection right after its alert, which may overtake it.
  EXPECT_THAT(refused.error().code,
              testing::AnyOf("client_certificate_refused", "connection_closed", "connection_reset"))
      << refused.error().message;
  EXPECT_THAT(refused.error().message + refused.error().hint,
              testing::HasSubstr("client certificate"));
  EXPECT_EQ(broker.connects(), 0U);

  const KeyPair right = authority_.issue({.common_name = "hub"});
  sdk::Profile known = secure_profile(broker.port());
  known.settings["tls"].insert_or_assign("clientCertificate", right.certificate);
  known.secrets.emplace_back("clientKey", Secret(right.key));
  const auto opened = try_open(known);
  EXPECT_TRUE(opened) << opened.error().message;
}

TEST_F(TlsBrokerTest, edge_17_the_certificate_is_judged_anew_on_each_attempt) {
  TlsBroker broker(authority_, authority_.issue());
  const sdk::Profile made = secure_profile(broker.port(), R"({"version":"5.0"})");
  ASSERT_TRUE(try_open(made));
  // Swapped for an expired one while the hub runs.
  broker.restart_with(authority_.issue(
      {.valid_from = -std::chrono::hours{48}, .valid_for = std::chrono::hours{24}}));
  ASSERT_TRUE(lost());
  const auto refused = try_open(made);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::kTrust);
  EXPECT_EQ(refused.error().code, "certificate_expired");
  EXPECT_EQ(broker.connects(), 0U) << "the broker heard of the hub before it was trusted";
  // Renewed: nothing of the hub has to be started again.
  broker.restart_with(authority_.issue());
  const auto again = try_open(made);
  EXPECT_TRUE(again) << again.error().message;
}

TEST_F(TlsBrokerTest, a_restart_of_the_broker_is_a_loss_like_any_other) {
  TlsBroker broker(authority_, authority_.issue());
  ASSERT_TRUE(try_open(secure_profile(broker.port())));
  broker.broker().stop();
  ASSERT_TRUE(lost());
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
}

TEST_F(TlsBrokerTest, a_plain_listener_is_told_apart_from_a_tls_one) {
  Broker plain;
  const auto opened = try_open(secure_profile(plain.port()));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().code, testing::AnyOf("connection_closed", "connection_reset"));
  EXPECT_THAT(opened.error().hint, testing::HasSubstr("TLS port"));
}

TEST_F(TlsBrokerTest, reopening_leaks_nothing) {
  TlsBroker broker(authority_, authority_.issue());
  const auto made = secure_profile(broker.port());
  std::size_t before = 0;
  for (int i = 0; i < 30; ++i) {
    if (i == 1) before = test::open_descriptors();
    auto each = session(made);
    ASSERT_TRUE(open(*each));
    if (i % 2 == 0) {
      context_.run(each->close(context_.in(5s)));
    } else {
      each->abort();
    }
    each.reset();
    context_.drain();
  }
  EXPECT_LE(test::open_descriptors(), before);
}

}  // namespace
}  // namespace tributary::connectors::mqtt
