// Servers that misbehave: hand-made messages of the protocol (PostgreSQL 15, section 55.7).
#include "connectors/postgresql/tests/fixture.hpp"

namespace tributary::connectors::postgresql {
namespace {

using testing::HasSubstr;

std::string number(std::uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(value >> shift & 255U);
  return bytes;
}
std::string message(char type, const std::string& body) {
  return type + number(static_cast<std::uint32_t>(body.size() + 4)) + body;
}
std::string error(const std::string& state, const std::string& text) {
  using namespace std::string_literals;
  return message('E', "SFATAL\0VFATAL\0C"s + state + "\0M"s + text + "\0\0"s);
}
const std::string kAskCleartext = message('R', number(3));

class Peer : public PostgresTest {
 protected:
  Error refusal_by(test::Script script, const std::string& more = "{}", Duration time = 2s) {
    const test::ScriptedPeer peer(std::move(script));
    return refusal(profile(peer.port(), more), time);
  }
  static constexpr const char* kTls = R"({"tls":{"enabled":true}})";
};

TEST_F(Peer, d3_a_server_that_offers_no_tls_is_not_talked_to_in_the_clear) {
  // The request for TLS has 8 bytes and names nobody; after "N" nothing more may come.
  test::ScriptedPeer peer(test::Script().receive(8).send("N").expect("nothing").close());
  const Error refused = refusal(profile(peer.port(), kTls), 2s);
  EXPECT_EQ(refused.code, "tls_refused");
  EXPECT_EQ(refused.error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(refused.pointer, "/settings/tls/enabled");
  EXPECT_THAT(peer.unmet(), testing::Not(HasSubstr("tributary"))) << "no name was told";
}

TEST_F(Peer, a_password_never_travels_as_clear_text_without_tls) {
  for (const std::size_t slice : {0U, 1U}) {
    test::ScriptedPeer peer(
        test::Script().receive_any().send(kAskCleartext, {}, slice).receive(1).close());
    const Error refused = refusal(profile(peer.port()), 2s);
    EXPECT_EQ(refused.code, "cleartext_password_refused");
    EXPECT_EQ(refused.error_class, ErrorClass::kConfiguration);
    EXPECT_FALSE(peer.unmet().empty()) << "no byte came after the request";
  }
}

TEST_F(Peer, refused_logins_have_the_class_that_decides_what_happens_next) {
  struct Case {
    std::string state;
    ErrorClass error_class;
    std::string code;
  };
  for (const Case& each :
       std::vector<Case>{{"28P01", ErrorClass::kIdentity, "invalid_password"},
                         {"28000", ErrorClass::kIdentity, "login_refused"},
                         {"3D000", ErrorClass::kConfiguration, "unknown_database"},
                         {"53300", ErrorClass::kBusy, "too_many_connections"},
                         {"57P03", ErrorClass::kTransient, "server_starting"},
                         {"57P01", ErrorClass::kTransient, "server_shutting_down"},
                         {"08P01", ErrorClass::kTransient, "protocol_error"},
                         {"42501", ErrorClass::kTransient, "not_allowed"},
                         {"XX000", ErrorClass::kTransient, "sqlstate_xx000"}}) {
    const Error refused =
        refusal_by(test::Script().receive_any().send(error(each.state, "go away")).close());
    EXPECT_EQ(refused.code, each.code) << refused.message;
    EXPECT_EQ(refused.error_class, each.error_class) << each.state;
    EXPECT_THAT(refused.message, HasSubstr("go away"));
  }
}

TEST_F(Peer, a_server_that_breaks_off_or_talks_nonsense_is_transient) {
  using namespace std::string_literals;
  const std::string ready = message('R', number(0)) + message('Z', "I");
  for (const test::Script& script :
       {test::Script().close(), test::Script().receive_any().reset(),
        test::Script().receive_any().send("HTTP/1.1 400 Bad Request\r\n\r\n").mute(),
        test::Script().receive_any().send(message('R', number(77))).mute(),
        test::Script().receive_any().send("R\0\0\0"s).close(),
        test::Script().receive_any().send("R\xff\xff\xff\xff\0\0\0\0"s).mute(),
        test::Script()
            .receive_any()
            .send(ready)
            .receive_any()
            .send("garbage garbage garbage")
            .mute(),
        test::Script().receive_any().send(ready).receive_any().send(message('Z', "I")).mute(),
        test::Script()
            .receive_any()
            .send(ready)
            .receive_any()
            .send(message('D', "\x7f\xff"))
            .mute(),
        test::Script().receive_any().send(ready).receive_any().close(),
        test::Script().receive_any().send(ready).mute(), test::Script().receive_any().mute()}) {
    const Error refused = refusal_by(script, "{}", 700ms);
    EXPECT_EQ(refused.error_class, ErrorClass::kTransient)
        << refused.code << ' ' << refused.message;
    EXPECT_FALSE(refused.message.empty());
  }
}

TEST_F(Peer, an_answer_to_the_request_for_tls_that_is_none_is_named) {
  const Error refused = refusal_by(test::Script().receive(8).send("X").mute(), kTls);
  EXPECT_EQ(refused.code, "protocol_error");
  const Error stripped =
      refusal_by(test::Script().receive(8).send("S" + error("57P03", "x")).mute(), kTls);
  EXPECT_FALSE(stripped.code.empty());
  EXPECT_TRUE(is_connection_error(stripped.error_class));
}

}  // namespace
}  // namespace tributary::connectors::postgresql
