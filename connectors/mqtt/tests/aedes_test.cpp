// A second real broker, of another family: aedes (tests/peers).
#include "connectors/mqtt/tests/fixture.hpp"

namespace tributary::connectors::mqtt {
namespace {

class Aedes {
 public:
  explicit Aedes(std::vector<std::string> login = {}) {
    std::vector<std::string> command{"node", TRIBUTARY_SOURCE_DIR "/tests/peers/aedes.mjs"};
    command.insert(command.end(), login.begin(), login.end());
    process_ = std::make_unique<test::Process>(std::move(command));
    const std::string port = process_->wait_for_line("port ");
    if (port.empty()) throw std::runtime_error("aedes did not start: " + process_->output());
    port_ = static_cast<std::uint16_t>(std::stoi(port));
  }
  std::uint16_t port() const { return port_; }
  void stop() { process_.reset(); }

 private:
  std::unique_ptr<test::Process> process_;
  std::uint16_t port_ = 0;
};

class AedesTest : public MqttTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string version(const std::string& more = "") const {
    return fmt::format(R"({{"version":"{}"{}}})", GetParam(), more);
  }
};
INSTANTIATE_TEST_SUITE_P(Mqtt, AedesTest, testing::Values("3.1", "3.1.1"),
                         [](const auto& info) { return "v" + std::to_string(info.index); });

TEST_P(AedesTest, messages_arrive_with_each_qos) {
  const Aedes broker;
  const auto session = connect(broker.port(), version());
  expect_messages_of_each_qos(*session);
}

TEST_P(AedesTest, a_retained_message_says_so) {
  const Aedes broker;
  const auto session = connect(broker.port(), version());
  RecordingSink live(context_.executor());
  const auto watching = subscribe(*session, R"({"topics":[{"topic":"plant/#"}]})", live);
  ASSERT_TRUE(watching);
  ASSERT_TRUE(publish(*session, "plant/state", R"("old")", 1, true));
  // aedes acknowledges before it distributes.
  ASSERT_TRUE(received(live, 1));
  EXPECT_FALSE(live.records[0].at("retained").as<bool>());
  const auto later = connect(broker.port(), version());
  const auto subscription = subscribe(*later, R"({"topics":[{"topic":"plant/#"}]})", sink_);
  ASSERT_TRUE(subscription);
  ASSERT_TRUE(received(sink_, 1));
  EXPECT_TRUE(sink_.records[0].at("retained").as<bool>());
}

TEST_P(AedesTest, a_kept_session_delivers_what_came_while_the_hub_was_away) {
  const Aedes broker;
  const auto settings =
      profile(broker.port(), version(R"(,"cleanSession":false,"clientId":"hub")"));
  auto first = session(settings);
  const auto opened_first = open(*first);
  ASSERT_TRUE(opened_first) << opened_first.error().message;
  EXPECT_FALSE(opened_first->session_present);
  const auto subscription = subscribe(*first, R"({"topics":[{"topic":"a","qos":1}]})", sink_);
  ASSERT_TRUE(subscription);
  context_.run(first->close(context_.in(5s)));

  const auto other = connect(broker.port(), version(R"(,"clientId":"other")"));
  ASSERT_TRUE(publish(*other, "a", "7"));
  const auto second = session(settings);
  const auto opened = open(*second);
  ASSERT_TRUE(opened) << opened.error().message;
  // Version 3.1 has no such flag in its answer.
  EXPECT_EQ(opened->session_present, std::string_view(GetParam()) == "3.1.1");
  RecordingSink sink(context_.executor());
  const auto again = subscribe(*second, R"({"topics":[{"topic":"a","qos":1}]})", sink);
  ASSERT_TRUE(again);
  ASSERT_TRUE(received(sink, 1));
  EXPECT_EQ(sink.records[0].at("payload").as<int>(), 7);
}

TEST_P(AedesTest, thousands_of_messages_arrive_in_order) {
  constexpr std::size_t kCount = 2000;
  const Aedes broker;
  const auto session = connect(broker.port(), version());
  const auto subscription = subscribe(*session, R"({"topics":[{"topic":"count","qos":1}]})", sink_);
  ASSERT_TRUE(subscription);
  const auto operation = prepare("mqtt.publish", R"({"topic":"count","qos":1})");
  std::vector<Json> parameters(kCount);
  std::vector<test::Running<Result<Batch>>> calls;
  for (std::size_t i = 0; i < kCount; ++i) {
    parameters[i] = parse_json(fmt::format(R"({{"payload":{}}})", i)).value();
    calls.push_back(context_.start(session->call(*operation, parameters[i], context_.in(20s))));
  }
  for (auto& call : calls) ASSERT_TRUE(context_.finish(call, 20s));
  ASSERT_TRUE(received(sink_, kCount));
  for (std::size_t i = 0; i < kCount; ++i)
    ASSERT_EQ(sink_.records[i].at("payload").as<std::size_t>(), i);
}

TEST_P(AedesTest, a_broker_that_goes_is_noticed) {
  Aedes broker;
  const auto session = connect(broker.port(), version());
  broker.stop();
  ASSERT_TRUE(lost());
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
}

TEST_P(AedesTest, a_wrong_password_is_an_identity_error) {
  const Aedes broker({"operator", "right"});
  for (const std::string password : {"wrong-7f3a", "right"}) {
    auto made = profile(broker.port(), version(R"(,"username":"operator","clientId":"hub")"));
    made.secrets.emplace_back("password", Secret(password));
    const auto login = session(made);
    const auto opened = open(*login);
    if (password == "right") {
      EXPECT_TRUE(opened) << opened.error().message;
      continue;
    }
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().error_class, ErrorClass::kIdentity);
    EXPECT_EQ(opened.error().pointer, "/secrets/password");
    EXPECT_THAT(opened.error().message, testing::Not(testing::HasSubstr(password)));
  }
}

// Version 3 cannot say "forbidden": aedes hangs up.
TEST_P(AedesTest, a_publish_that_is_answered_by_hanging_up_has_an_unknown_outcome) {
  const Aedes broker({"operator", "right"});
  auto made = profile(broker.port(), version(R"(,"username":"operator","clientId":"hub")"));
  made.secrets.emplace_back("password", Secret("right"));
  const auto login = session(made);
  ASSERT_TRUE(open(*login));
  ASSERT_TRUE(publish(*login, "plant/3", "1"));
  const auto published = publish(*login, "office/door", "1");
  ASSERT_FALSE(published);
  EXPECT_TRUE(published.error().outcome_unknown);
  EXPECT_EQ(published.error().error_class, ErrorClass::kTransient);
}

// What version 5.0 clients meet at a broker that stops at 3.1.1.
TEST_F(MqttTest, aedes_refuses_version_5_and_the_error_names_the_setting) {
  const Aedes broker;
  const auto made = session(profile(broker.port(), R"({"version":"5.0"})"));
  const auto opened = open(*made);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(opened.error().code, "unsupported_protocol_version");
  EXPECT_EQ(opened.error().pointer, "/settings/version");
}

}  // namespace
}  // namespace tributary::connectors::mqtt
