// Peers that do not behave: scripted byte by byte.
#include <boost/asio/ip/tcp.hpp>

#include "connectors/mqtt/tests/fixture.hpp"
#include "tests/support/fault_proxy.hpp"

namespace tributary::connectors::mqtt {
namespace {

using test::hex;
using test::Script;
using test::ScriptedPeer;

const std::string kAccepted = "20 02 00 00";      // CONNACK of 3.1.1
const std::string kAccepted5 = "20 03 00 00 00";  // of 5.0

class PeerTest : public MqttTest {
 protected:
  Result<sdk::PeerIdentity> open_against(Script script, const std::string& settings = "{}",
                                         Duration time = 5s) {
    peer_ = std::make_unique<ScriptedPeer>(std::move(script));
    session_ = session(profile(peer_->port(), settings));
    return open(*session_, time);
  }
  std::unique_ptr<ScriptedPeer> peer_;
  std::unique_ptr<sdk::Session> session_;
};

TEST_F(PeerTest, a_peer_that_accepts_and_stays_mute_ends_at_the_deadline) {
  const auto started = context_.in(0s);
  const auto opened = open_against(Script().mute(), "{}", 800ms);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error_class, ErrorClass::kTransient);
  EXPECT_EQ(opened.error().code, "timeout");
  EXPECT_LT(context_.in(0s) - started, 3s);
  EXPECT_EQ(context_.stages().stages, (std::vector<std::string>{"resolve", "tcp", "protocol"}));
  EXPECT_TRUE(context_.events().losses.empty()) << "a failed open is no loss";
}

TEST_F(PeerTest, a_refusing_port_is_a_transient_error) {
  const test::RefusingPort port;
  const auto made = session(profile(port.port()));
  const auto opened = open(*made);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "connection_refused");
  EXPECT_EQ(opened.error().message,
            fmt::format("127.0.0.1:{} refused the connection", port.port()));
}

TEST_F(PeerTest, a_peer_that_drops_packets_is_a_connect_timeout) {
  const test::SilentPort port;
  const auto made = session(profile(port.port()));
  const auto opened = open(*made, 300ms);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "connect_timeout");
}

TEST_F(PeerTest, a_peer_that_closes_at_once_is_told_apart_from_a_refused_login) {
  for (const bool reset : {false, true}) {
    Script script = Script().receive_any();
    const auto opened = open_against(reset ? script.reset() : script.close());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().error_class, ErrorClass::kTransient);
    EXPECT_THAT(opened.error().code, testing::AnyOf("connection_closed", "connection_reset"));
    EXPECT_FALSE(opened.error().hint.empty());
  }
}

TEST_F(PeerTest, garbage_for_an_answer_is_a_protocol_error) {
  for (const std::string& garbage :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), hex("20 01 00"), hex("40 02 00 01"),
        hex("30 05 00 01 61 68 69"), hex("20 ff ff ff ff ff"), hex("f0 00"),
        hex("90 03 00 01 00")}) {
    const auto opened = open_against(Script().receive_any().send(garbage).close());
    ASSERT_FALSE(opened) << test::to_hex(garbage);
    EXPECT_EQ(opened.error().error_class, ErrorClass::kTransient) << test::to_hex(garbage);
    EXPECT_THAT(opened.error().code, testing::AnyOf("protocol_error", "connection_closed"))
        << test::to_hex(garbage);
  }
}

struct Refusal {
  std::string connack;
  std::string version;
  ErrorClass error_class;
  std::string code;
  std::string pointer;
};

class RefusalTest : public PeerTest, public testing::WithParamInterface<Refusal> {};

TEST_P(RefusalTest, gives_its_class_code_and_pointer) {
  const Refusal& refusal = GetParam();
  const auto opened =
      open_against(Script().receive_any().send(hex(refusal.connack)).close(),
                   fmt::format(R"({{"version":"{}","username":"u"}})", refusal.version));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error_class, refusal.error_class);
  EXPECT_EQ(opened.error().code, refusal.code);
  EXPECT_EQ(opened.error().pointer, refusal.pointer);
  EXPECT_EQ(context_.stages().stages.back(), "login");
}

INSTANTIATE_TEST_SUITE_P(
    Connack, RefusalTest,
    testing::Values(
        Refusal{"20 02 00 01", "3.1.1", ErrorClass::kConfiguration, "unsupported_protocol_version",
                "/settings/version"},
        Refusal{"20 02 00 02", "3.1.1", ErrorClass::kConfiguration, "client_id_rejected",
                "/settings/clientId"},
        Refusal{"20 02 00 03", "3.1.1", ErrorClass::kTransient, "server_unavailable", ""},
        Refusal{"20 02 00 04", "3.1.1", ErrorClass::kIdentity, "invalid_credentials",
                "/secrets/password"},
        Refusal{"20 02 00 05", "3.1.1", ErrorClass::kIdentity, "not_authorized",
                "/secrets/password"},
        Refusal{"20 02 00 2a", "3.1.1", ErrorClass::kTransient, "protocol_error", ""},
        Refusal{"20 02 00 04", "3.1", ErrorClass::kIdentity, "invalid_credentials",
                "/secrets/password"},
        Refusal{"20 03 00 80 00", "5.0", ErrorClass::kTransient, "unspecified_error", ""},
        Refusal{"20 03 00 84 00", "5.0", ErrorClass::kConfiguration, "unsupported_protocol_version",
                "/settings/version"},
        Refusal{"20 02 00 01", "5.0", ErrorClass::kConfiguration, "unsupported_protocol_version",
                "/settings/version"},
        Refusal{"20 03 00 85 00", "5.0", ErrorClass::kConfiguration, "client_id_rejected",
                "/settings/clientId"},
        Refusal{"20 03 00 86 00", "5.0", ErrorClass::kIdentity, "invalid_credentials",
                "/secrets/password"},
        Refusal{"20 03 00 87 00", "5.0", ErrorClass::kIdentity, "not_authorized",
                "/secrets/password"},
        Refusal{"20 03 00 88 00", "5.0", ErrorClass::kTransient, "server_unavailable", ""},
        Refusal{"20 03 00 89 00", "5.0", ErrorClass::kBusy, "server_busy", ""},
        Refusal{"20 03 00 8a 00", "5.0", ErrorClass::kIdentity, "banned", "/settings/clientId"},
        Refusal{"20 03 00 97 00", "5.0", ErrorClass::kBusy, "quota_exceeded", ""},
        Refusal{"20 03 00 9c 00", "5.0", ErrorClass::kStandby, "use_another_server", ""},
        Refusal{"20 03 00 9f 00", "5.0", ErrorClass::kBusy, "connection_rate_exceeded", ""}));

TEST_F(PeerTest, one_byte_per_segment_is_understood) {
  const auto opened = open_against(Script()
                                       .receive_any()
                                       .send(hex(kAccepted), 0ms, 1)
                                       .receive_any()
                                       .send(hex("90 03 00 01 00"), 0ms, 1)
                                       .send(hex("30 08 00 03 61 2f 62 31 2e 35"), 0ms, 1));
  ASSERT_TRUE(opened) << opened.error().message;
  const auto subscription = subscribe(*session_, R"({"topics":[{"topic":"a/+","qos":0}]})", sink_);
  ASSERT_TRUE(subscription) << subscription.error().message;
  ASSERT_TRUE(received(sink_, 1));
  EXPECT_EQ(to_text(sink_.records[0].at("payload")), "1.5");
}

TEST_F(PeerTest, a_refused_filter_is_named) {
  const auto opened = open_against(Script()
                                       .receive_any()
                                       .send(hex(kAccepted))
                                       .receive_any()
                                       .send(hex("90 03 00 01 80"))
                                       .receive_any()
                                       .send(hex("b0 02 00 02")));
  ASSERT_TRUE(opened) << opened.error().message;
  const auto subscription = subscribe(*session_, R"({"topics":[{"topic":"secret/#"}]})", sink_);
  ASSERT_FALSE(subscription);
  EXPECT_EQ(subscription.error().error_class, ErrorClass::kFunction);
  EXPECT_EQ(subscription.error().code, "subscription_refused");
  EXPECT_THAT(subscription.error().message, testing::HasSubstr("secret/#"));
}

TEST_F(PeerTest, a_refused_message_is_the_function_s_error_and_the_session_goes_on) {
  ASSERT_TRUE(open_against(Script()
                               .receive_any()
                               .send(hex(kAccepted5))
                               .receive_any()
                               .send(hex("40 03 00 01 87"))
                               .receive_any()
                               .send(hex("40 03 00 02 97"))
                               .receive_any()
                               .send(hex("40 02 00 03")),
                           R"({"version":"5.0"})"));
  const auto denied = publish(*session_, "office/door", "open");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, "not_authorized");
  EXPECT_EQ(denied.error().error_class, ErrorClass::kFunction);
  EXPECT_FALSE(denied.error().outcome_unknown);
  const auto limited = publish(*session_, "plant/3", "1");
  ASSERT_FALSE(limited);
  EXPECT_EQ(limited.error().code, "quota_exceeded");
  EXPECT_EQ(limited.error().error_class, ErrorClass::kFunction);
  EXPECT_TRUE(publish(*session_, "plant/3", "2"));
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(PeerTest, a_broker_that_keeps_no_retained_messages_is_not_given_any) {
  ASSERT_TRUE(open_against(Script().receive_any().send(hex("20 05 00 00 02 25 00")),
                           R"({"version":"5.0"})"));
  const auto published = publish(*session_, "plant/3", "1", 1, true);
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, "retain_not_supported");
}

TEST_F(PeerTest, a_publish_that_is_never_confirmed_has_an_unknown_outcome) {
  ASSERT_TRUE(open_against(Script().receive_any().send(hex(kAccepted)).receive_any().mute()));
  const auto operation = prepare("mqtt.publish", R"({"topic":"t","payload":"x","qos":1})");
  const Json none = json_object();
  const auto published = context_.run(session_->call(*operation, none, context_.in(200ms)));
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, "timeout");
  EXPECT_EQ(published.error().error_class, ErrorClass::kTransient);
  EXPECT_TRUE(published.error().outcome_unknown);
}

TEST_F(PeerTest, edge_39_a_connection_cut_before_the_confirmation_leaves_the_outcome_unknown) {
  ASSERT_TRUE(open_against(Script().receive_any().send(hex(kAccepted)).receive_any().close()));
  const auto published = publish(*session_, "t", "x");
  ASSERT_FALSE(published);
  EXPECT_TRUE(published.error().outcome_unknown);
  EXPECT_EQ(published.error().error_class, ErrorClass::kTransient);
  ASSERT_TRUE(lost());
  EXPECT_EQ(context_.events().losses.size(), 1U);
}

TEST_F(PeerTest, a_goodbye_of_the_broker_says_why) {
  ASSERT_TRUE(open_against(Script().receive_any().send(hex(kAccepted5)).send(hex("e0 01 8b"), 20ms),
                           R"({"version":"5.0"})"));
  ASSERT_TRUE(lost());
  EXPECT_EQ(context_.events().losses[0].code, "server_shutting_down");
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
}

TEST_F(PeerTest, edge_01_a_peer_that_falls_silent_is_lost_within_its_keep_alive) {
  ASSERT_TRUE(open_against(Script().receive_any().send(hex(kAccepted)).mute(),
                           R"({"keepAliveSeconds":5})"));
  const auto opened = context_.in(0s);
  ASSERT_TRUE(lost(10s));
  EXPECT_EQ(context_.events().losses[0].code, "keep_alive_timeout");
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
  EXPECT_LT(context_.in(0s) - opened, 7500ms);
  const auto later = context_.run(session_->check_health(context_.in(1s)));
  EXPECT_FALSE(later);
}

TEST_F(PeerTest, check_health_needs_an_answer) {
  ASSERT_TRUE(open_against(
      Script().receive_any().send(hex(kAccepted)).expect(hex("c0 00")).send(hex("d0 00")).mute()));
  EXPECT_TRUE(context_.run(session_->check_health(context_.in(2s))));
  const auto silent = context_.run(session_->check_health(context_.in(200ms)));
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, "timeout");
}

TEST_F(PeerTest, edge_09_a_takeover_has_its_own_class) {
  ASSERT_TRUE(open_against(Script().receive_any().send(hex(kAccepted5)).send(hex("e0 01 8e"), 20ms),
                           R"({"version":"5.0"})"));
  ASSERT_TRUE(lost());
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTakeover);
  EXPECT_EQ(context_.events().losses[0].code, "session_taken_over");
}

TEST_F(PeerTest, edge_12_abort_at_every_step_of_opening_ends_as_cancelled_and_leaves_nothing) {
  // The loop makes descriptors of its own when it is first used.
  ASSERT_TRUE(open_against(Script().receive_any().send(hex(kAccepted))));
  session_.reset();
  peer_.reset();
  context_.drain();
  const std::size_t before = test::open_descriptors();
  for (int steps = 0;; ++steps) {
    ASSERT_LT(steps, 100);
    ScriptedPeer peer(Script().receive_any().send(hex(kAccepted)));
    auto made = session(profile(peer.port()));
    auto opening = context_.start(made->open(context_.in(5s), context_.stages()));
    for (int i = 0; i < steps && !opening.done(); ++i) context_.step(1s);
    const bool was_done = opening.done();
    made->abort();
    const auto opened = context_.finish(opening);
    if (was_done) break;
    ASSERT_FALSE(opened) << steps;
    EXPECT_EQ(opened.error().error_class, ErrorClass::kCancelled)
        << steps << ": " << opened.error().message;
    made.reset();
    context_.drain();
  }
  context_.drain();
  EXPECT_EQ(test::open_descriptors(), before);
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(PeerTest, abort_during_a_call_ends_it_as_cancelled) {
  ASSERT_TRUE(open_against(Script().receive_any().send(hex(kAccepted)).mute()));
  const auto operation = prepare("mqtt.publish", R"({"topic":"t","payload":"x","qos":1})");
  const Json none = json_object();
  auto calling = context_.start(session_->call(*operation, none, context_.in(5s)));
  context_.drain();
  ASSERT_FALSE(calling.done());
  session_->abort();
  const auto called = context_.finish(calling);
  ASSERT_FALSE(called);
  EXPECT_EQ(called.error().error_class, ErrorClass::kCancelled);
  EXPECT_EQ(context_.run(session_->check_health(context_.in(1s))).error().error_class,
            ErrorClass::kCancelled);
  session_->abort();
  context_.run(session_->close(context_.in(1s)));
}

TEST_F(PeerTest, a_password_without_a_user_name_is_pointed_at) {
  sdk::Profile made = profile(1883);
  made.secrets.emplace_back("password", Secret("x"));
  const auto session = connector_->make_session(context_.session_context(), made);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().pointer, "/settings/username");
}

}  // namespace
}  // namespace tributary::connectors::mqtt
