// TLS against peers that do not behave. What is claimed of each: class, code, pointer, and that not
// one byte of ours has left.
#include <openssl/ssl.h>

#include "connectors/mqtt/src/client_id.hpp"
#include "connectors/mqtt/tests/fixture.hpp"
#include "net/certificate.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/tls_peer.hpp"

namespace tributary::connectors::mqtt {
namespace {

using test::Authority;
using test::CertificateRequest;
using test::KeyPair;
using test::TlsPeer;

class TlsTest : public MqttTest {
 protected:
  // A profile with a user, a password and TLS; `tls` are further members of the object.
  sdk::Profile secure_profile(std::uint16_t port, const std::string& ca, Json tls = json_object()) {
    sdk::Profile made = profile(port, R"({"username":"hub","clientId":"hub-1"})");
    Json& settings = made.settings["tls"];
    settings.insert_or_assign("enabled", true);
    if (!ca.empty()) settings.insert_or_assign("ca", ca);
    settings = merge_patch(settings, tls);
    made.secrets.emplace_back("password", Secret("open sesame"));
    return made;
  }
  Result<sdk::PeerIdentity> open_with(const sdk::Profile& made) {
    session_ = session(made);
    return open(*session_);
  }
  // The error of opening against `identity`, after which the peer has heard nothing.
  Error refused(const KeyPair& identity, Json tls = json_object(), std::string more_ca = {}) {
    TlsPeer peer({.identity = identity});
    const auto opened =
        open_with(secure_profile(peer.port(), authority_.certificate() + more_ca, std::move(tls)));
    EXPECT_FALSE(opened);
    session_->abort();
    session_.reset();
    context_.drain();
    EXPECT_TRUE(context_.run_until([&] { return peer.idle(); }));
    EXPECT_EQ(peer.accepted(), 1U);
    EXPECT_EQ(peer.application_bytes(), 0U) << "something left before the certificate was accepted";
    return opened ? Error() : opened.error();
  }

  Authority authority_;
  std::unique_ptr<sdk::Session> session_;
};

TEST_F(TlsTest, a_good_certificate_opens_the_session_and_is_reported) {
  const KeyPair identity = authority_.issue();
  TlsPeer peer({.identity = identity, .answer = std::string("\x20\x02\x00\x00", 4)});
  const auto opened = open_with(secure_profile(peer.port(), authority_.certificate()));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(context_.stages().stages,
            (std::vector<std::string>{"resolve", "tcp", "tls", "protocol", "login"}));
  const auto facts = net::read_certificates(identity.certificate, "it").value().front();
  EXPECT_EQ(opened->certificate_sha256, facts.sha256);
  ASSERT_EQ(context_.events().certificates.size(), 1U);
  EXPECT_TRUE(context_.events().certificates[0].accepted);
  EXPECT_GT(peer.application_bytes(), 0U);
}

struct BadCertificate {
  std::string name;
  CertificateRequest request;
  std::string code;
  std::string pointer;
};
void PrintTo(const BadCertificate& bad, std::ostream* out) {
  *out << bad.name;
}

class BadCertificateTest : public TlsTest, public testing::WithParamInterface<BadCertificate> {};

TEST_P(BadCertificateTest, is_refused_by_name_before_a_byte_has_left) {
  const KeyPair identity = authority_.issue(GetParam().request);
  const auto facts = net::read_certificates(identity.certificate, "it").value().front();
  const Error error = refused(identity);
  EXPECT_EQ(error.error_class, ErrorClass::kTrust);
  EXPECT_EQ(error.code, GetParam().code);
  EXPECT_EQ(error.pointer, GetParam().pointer);
  EXPECT_FALSE(error.hint.empty());
  for (const std::string& fact : {facts.subject, facts.issuer, net::fingerprint_text(facts.sha256),
                                  format_utc(facts.not_after).substr(0, 10)}) {
    EXPECT_THAT(error.message, testing::HasSubstr(fact));
  }
  ASSERT_EQ(context_.events().certificates.size(), 1U);
  EXPECT_FALSE(context_.events().certificates[0].accepted);
  EXPECT_EQ(context_.events().certificates[0].certificate.sha256, facts.sha256);
}

INSTANTIATE_TEST_SUITE_P(
    Mqtt, BadCertificateTest,
    testing::Values(
        BadCertificate{"edge_17_expired",
                       {.valid_from = -std::chrono::hours{48}, .valid_for = std::chrono::hours{24}},
                       "certificate_expired",
                       "/settings/tls/ca"},
        BadCertificate{"not_yet_valid",
                       {.valid_from = std::chrono::hours{24}, .valid_for = std::chrono::hours{24}},
                       "certificate_not_yet_valid",
                       "/settings/tls/ca"},
        BadCertificate{"wrong_host",
                       {.common_name = "other.plant", .names = {"DNS:other.plant", "IP:192.0.2.1"}},
                       "certificate_wrong_host",
                       "/settings/tls/serverName"}),
    [](const auto& info) { return info.param.name; });

TEST_F(TlsTest, a_self_signed_certificate_is_untrusted) {
  const Error error = refused(test::self_signed());
  EXPECT_EQ(error.error_class, ErrorClass::kTrust);
  EXPECT_EQ(error.code, "certificate_untrusted");
  EXPECT_THAT(error.message, testing::HasSubstr("issued by the server itself"));
}

TEST_F(TlsTest, an_unknown_issuer_is_untrusted) {
  const Authority other("Somebody's CA");
  const Error error = refused(other.issue());
  EXPECT_EQ(error.error_class, ErrorClass::kTrust);
  EXPECT_EQ(error.code, "certificate_untrusted");
  EXPECT_THAT(error.message, testing::HasSubstr("Somebody's CA"));
}

TEST_F(TlsTest, a_revoked_certificate_is_refused_even_when_a_person_trusts_it) {
  const KeyPair identity = authority_.issue();
  const std::string list = authority_.revoke(identity.certificate);
  EXPECT_EQ(refused(identity, json_object(), list).code, "certificate_revoked");
  TlsPeer peer({.identity = identity});
  sdk::Profile made = secure_profile(peer.port(), authority_.certificate() + list);
  made.trusted_certificates = {identity.certificate};
  EXPECT_EQ(open_with(made).error().code, "certificate_revoked");
}

TEST_F(TlsTest, a_certificate_that_a_person_trusts_is_accepted_whoever_issued_it) {
  const KeyPair identity = test::self_signed({.common_name = "plc", .names = {"DNS:plc"}});
  TlsPeer peer({.identity = identity, .answer = std::string("\x20\x02\x00\x00", 4)});
  sdk::Profile made = secure_profile(peer.port(), authority_.certificate());
  made.trusted_certificates = {identity.certificate};
  const auto opened = open_with(made);
  EXPECT_TRUE(opened) << opened.error().message;
}

TEST_F(TlsTest, edge_17_a_trusted_certificate_that_expired_is_refused) {
  const KeyPair identity = test::self_signed(
      {.valid_from = -std::chrono::hours{48}, .valid_for = std::chrono::hours{24}});
  TlsPeer peer({.identity = identity});
  sdk::Profile made = secure_profile(peer.port(), authority_.certificate());
  made.trusted_certificates = {identity.certificate};
  EXPECT_EQ(open_with(made).error().code, "certificate_expired");
  EXPECT_EQ(peer.application_bytes(), 0U);
}

TEST_F(TlsTest, the_server_name_is_sent_and_checked_instead_of_the_host) {
  const KeyPair identity =
      authority_.issue({.common_name = "broker.plant", .names = {"DNS:broker.plant"}});
  TlsPeer peer({.identity = identity, .answer = std::string("\x20\x02\x00\x00", 4)});
  const auto tls = parse_json(R"({"serverName":"broker.plant"})").value();
  const auto opened = open_with(secure_profile(peer.port(), authority_.certificate(), tls));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(peer.server_name(), "broker.plant");
}

TEST_F(TlsTest, an_address_is_checked_but_not_sent_as_a_name) {
  TlsPeer peer({.identity = authority_.issue(), .answer = std::string("\x20\x02\x00\x00", 4)});
  ASSERT_TRUE(open_with(secure_profile(peer.port(), authority_.certificate())));
  EXPECT_EQ(peer.server_name(), "");
}

TEST_F(TlsTest, without_the_check_any_certificate_is_accepted) {
  TlsPeer peer({.identity = test::self_signed({.common_name = "x", .names = {}}),
                .answer = std::string("\x20\x02\x00\x00", 4)});
  const auto tls = parse_json(R"({"verify":false})").value();
  EXPECT_TRUE(open_with(secure_profile(peer.port(), "", tls)));
}

TEST_F(TlsTest, a_server_with_old_versions_only_is_a_configuration_error) {
  TlsPeer peer({.identity = authority_.issue(), .newest = TLS1_2_VERSION});
  const auto tls = parse_json(R"({"minimumVersion":"1.3"})").value();
  const auto opened = open_with(secure_profile(peer.port(), authority_.certificate(), tls));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(opened.error().code, "tls_version");
  EXPECT_EQ(opened.error().pointer, "/settings/tls/minimumVersion");
  EXPECT_EQ(peer.application_bytes(), 0U);
}

TEST_F(TlsTest, a_plain_server_is_a_configuration_error) {
  const test::ScriptedPeer peer(
      test::Script().receive_any().send("HTTP/1.1 400 Bad Request\r\n\r\n").close());
  const auto opened = open_with(secure_profile(peer.port(), authority_.certificate()));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(opened.error().code, "tls_not_spoken");
}

TEST_F(TlsTest, a_peer_that_stays_mute_in_the_handshake_ends_at_the_deadline) {
  const test::ScriptedPeer peer(test::Script().mute());
  session_ = session(secure_profile(peer.port(), authority_.certificate()));
  const auto opened = open(*session_, 800ms);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error_class, ErrorClass::kTransient);
  EXPECT_EQ(opened.error().code, "timeout");
  EXPECT_EQ(context_.stages().stages.back(), "tls");
}

TEST_F(TlsTest, a_peer_that_closes_in_the_handshake_is_transient) {
  for (const bool reset : {false, true}) {
    test::Script script = test::Script().receive_any();
    const test::ScriptedPeer peer(reset ? script.reset() : script.close());
    const auto opened = open_with(secure_profile(peer.port(), authority_.certificate()));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().error_class, ErrorClass::kTransient) << opened.error().message;
    EXPECT_THAT(opened.error().code, testing::AnyOf("connection_closed", "connection_reset"));
  }
}

TEST_F(TlsTest, edge_12_abort_at_every_step_of_the_handshake_ends_as_cancelled) {
  const KeyPair identity = authority_.issue();
  TlsPeer peer({.identity = identity, .answer = std::string("\x20\x02\x00\x00", 4)});
  for (int steps = 0;; ++steps) {
    ASSERT_LT(steps, 100);
    auto made = session(secure_profile(peer.port(), authority_.certificate()));
    auto opening = context_.start(made->open(context_.in(5s), context_.stages()));
    for (int i = 0; i < steps && !opening.done(); ++i) context_.step(1s);
    const bool was_done = opening.done();
    made->abort();
    const auto opened = context_.finish(opening);
    if (was_done) break;
    ASSERT_FALSE(opened) << steps;
    EXPECT_EQ(opened.error().error_class, ErrorClass::kCancelled) << opened.error().message;
  }
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(TlsTest, a_server_that_wants_a_client_certificate_says_so) {
  const Authority clients("Client CA");
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer peer(
        {.identity = authority_.issue(), .client_ca = clients.certificate(), .newest = newest});
    const auto opened = open_with(secure_profile(peer.port(), authority_.certificate()));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().error_class, ErrorClass::kIdentity) << opened.error().message;
    EXPECT_EQ(opened.error().code, "client_certificate_required");
    EXPECT_EQ(opened.error().pointer, "/settings/tls/clientCertificate");
  }
}

TEST_F(TlsTest, a_client_certificate_of_the_wrong_issuer_is_refused) {
  const Authority clients("Client CA");
  const KeyPair mine = authority_.issue({.common_name = "hub"});
  TlsPeer peer({.identity = authority_.issue(), .client_ca = clients.certificate()});
  Json tls = json_object();
  tls.insert_or_assign("clientCertificate", mine.certificate);
  sdk::Profile made = secure_profile(peer.port(), authority_.certificate(), tls);
  made.secrets.emplace_back("clientKey", Secret(mine.key));
  const auto opened = open_with(made);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error_class, ErrorClass::kIdentity) << opened.error().message;
  EXPECT_EQ(opened.error().code, "client_certificate_refused");
}

TEST_F(TlsTest, material_that_does_not_fit_together_is_pointed_at_when_saving) {
  const KeyPair mine = authority_.issue({.common_name = "hub"});
  const KeyPair other = authority_.issue({.common_name = "other"});
  struct Case {
    std::string ca, certificate, key, code, pointer;
  };
  for (const Case& each :
       {Case{"no PEM", "", "", "certificate_invalid", "/settings/tls/ca"},
        Case{"", "no PEM", mine.key, "certificate_invalid", "/settings/tls/clientCertificate"},
        Case{"", mine.certificate, "", "client_key_missing", "/secrets/clientKey"},
        Case{"", "", mine.key, "client_certificate_missing", "/settings/tls/clientCertificate"},
        Case{"", mine.certificate, "no PEM", "client_key_invalid", "/secrets/clientKey"},
        Case{"", mine.certificate, other.key, "client_key_mismatch", "/secrets/clientKey"}}) {
    Json tls = json_object();
    if (!each.certificate.empty()) tls.insert_or_assign("clientCertificate", each.certificate);
    sdk::Profile made = secure_profile(8883, each.ca, tls);
    if (!each.key.empty()) made.secrets.emplace_back("clientKey", Secret(each.key));
    const auto session = connector_->make_session(context_.session_context(), made);
    ASSERT_FALSE(session) << each.code;
    EXPECT_EQ(session.error().error_class, ErrorClass::kConfiguration);
    EXPECT_EQ(session.error().code, each.code);
    EXPECT_EQ(session.error().pointer, each.pointer);
  }
}

TEST_F(TlsTest, a_plain_client_at_a_tls_port_is_told_so) {
  // What OpenSSL answers to a CONNECT: the alert "protocol version".
  const test::ScriptedPeer peer(
      test::Script().receive_any().send(test::hex("15 03 01 00 02 02 46")).mute());
  const auto opened = open_with(profile(peer.port()));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error_class, ErrorClass::kConfiguration) << opened.error().message;
  EXPECT_EQ(opened.error().code, "tls_expected");
  EXPECT_EQ(opened.error().pointer, "/settings/tls/enabled");
}

TEST(ClientId, edge_09_two_hubs_made_from_one_configuration_have_different_ids) {
  const std::string connection = "01JTEST0000000000000000001";
  const auto first = default_client_id("01JNODE000000000000000000A", connection);
  const auto second = default_client_id("01JNODE000000000000000000B", connection);
  EXPECT_NE(first, second);
  EXPECT_EQ(first, default_client_id("01JNODE000000000000000000A", connection)) << "steady";
  EXPECT_NE(first, default_client_id("01JNODE000000000000000000A", "01JTEST0000000000000000002"));
}

TEST(ClientId, fits_every_version_of_the_protocol) {
  const auto id = default_client_id("01JNODE000000000000000000A", "01JTEST0000000000000000001");
  EXPECT_LE(id.size(), 23U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-"), std::string::npos);
}

}  // namespace
}  // namespace tributary::connectors::mqtt
