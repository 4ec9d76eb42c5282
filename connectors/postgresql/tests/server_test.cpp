// A server that restarts, ends sessions, changes passwords and shows certificates.
#include <gmock/gmock.h>

#include "connectors/postgresql/tests/fixture.hpp"

namespace tributary::connectors::postgresql {
namespace {

class Server : public PostgresTest {
 protected:
  bool lost() {
    return context_.run_until([&] { return !context_.events().losses.empty(); }, 20s);
  }
};

TEST_F(Server, a_stop_is_a_loss_that_is_noticed_at_once_and_a_start_is_found_again) {
  test::PostgresServer server;
  const auto first = connect(server.port());
  server.stop();
  ASSERT_TRUE(lost()) << "without being asked";
  EXPECT_EQ(context_.events().losses.size(), 1U);
  EXPECT_EQ(context_.events().losses[0].code, "server_shutting_down");
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
  EXPECT_EQ(query(*first, "select 1").error().error_class, ErrorClass::kTransient);
  EXPECT_EQ(refusal(profile(server.port())).code, "connection_refused");
  server.start();
  const auto second = connect(server.port());
  EXPECT_EQ(to_text(value(*second, "select 1")), "1");
  server.kill();
  context_.events().losses.clear();
  ASSERT_TRUE(lost());
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
}

TEST_F(Server, a_session_that_is_ended_within_a_statement_is_a_loss_of_that_call_with_its_reason) {
  auto& server = clean_server();
  const auto session = connect(server.port());
  const auto operation =
      prepare("postgresql.execute", json(R"j({"statement": "select pg_sleep(20)"})j"));
  const Json none = json_object();
  auto running = context_.start(session->call(*operation, none, context_.in(15s)));
  const std::string end =
      "select count(pg_terminate_backend(pid)) from pg_stat_activity where query like "
      "'%pg_sleep(20)' and state = "
      "'active' and usename = 'tributary'";
  context_.run_until([&] { return server.sql(end) == "1"; }, 10s);
  const auto result = context_.finish(running, 10s);
  ASSERT_FALSE(result);
  // The server's word and the end of the stream come together: whichever is seen first.
  EXPECT_THAT(result.error().code, testing::AnyOf("server_shutting_down", "connection_closed"))
      << result.error().message;
  EXPECT_TRUE(result.error().outcome_unknown)
      << "a command may have been done when its session ended";
  EXPECT_TRUE(context_.events().losses.empty()) << "the call has told it already";
}

TEST_F(Server, edge_16_a_wrong_password_is_an_identity_error_and_a_new_one_works) {
  auto& server = clean_server();
  EXPECT_EQ(refusal(profile(server.port(), "{}", "wrong")).error_class, ErrorClass::kIdentity);
  EXPECT_EQ(refusal(profile(server.port(), "{}", "wrong")).pointer, "/secrets/password");
  EXPECT_EQ(refusal(profile(server.port(), "{}", "")).error_class, ErrorClass::kIdentity);
  EXPECT_EQ(refusal(profile(server.port(), R"({"username":"nobody_of_that_name"})")).error_class,
            ErrorClass::kIdentity);
  EXPECT_EQ(refusal(profile(server.port(), R"({"database":"nothing"})")).code, "unknown_database");
  server.sql("alter role tributary password 'rotated'");
  EXPECT_EQ(refusal(profile(server.port())).error_class, ErrorClass::kIdentity);
  const auto renewed = session(profile(server.port(), "{}", "rotated"));
  EXPECT_TRUE(open(*renewed));
  server.sql("alter role tributary password 'right'");
}

TEST_F(Server, a_server_without_room_is_busy) {
  auto& server = clean_server();
  server.sql("alter role tributary connection limit 1");
  const auto only = connect(server.port());
  const Error refused = refusal(profile(server.port()));
  EXPECT_EQ(refused.error_class, ErrorClass::kBusy) << refused.message;
  EXPECT_EQ(refused.code, "too_many_connections");
  server.sql("alter role tributary connection limit -1");
}

TEST_F(Server, a_session_says_who_it_is_and_is_gone_from_the_server_when_it_is_closed) {
  auto& server = clean_server();
  const auto session = connect(server.port(), R"({"applicationName":"line 3"})");
  EXPECT_EQ(server.sql("select application_name from pg_stat_activity where usename = 'tributary'"),
            "line 3");
  context_.run(session->close(context_.in(5s)));
  EXPECT_TRUE(context_.run_until([&] {
    return server.sql("select count(*) from pg_stat_activity where usename = 'tributary'") == "0";
  }));
}

class Tls : public PostgresTest {
 protected:
  std::string trusting(const std::string& ca, const std::string& more = "") const {
    Json tls = json(R"({"tls":{"enabled":true}})");
    tls["tls"]["ca"] = ca;
    if (!more.empty()) tls["tls"].merge_or_update(json(more));
    return to_text(tls);
  }
  test::Authority authority_{"Plant CA"};
  test::Authority stranger_{"Other CA"};
};

TEST_F(Tls, the_right_certificate_is_accepted_and_shown_and_the_session_is_encrypted) {
  const test::PostgresServer server(
      {.access = "hostnossl all all all reject", .identity = authority_.issue()});
  for (const std::string version : {"1.2", "1.3"}) {
    context_.events().certificates.clear();
    context_.stages().stages.clear();
    const auto session = this->session(profile(
        server.port(),
        trusting(authority_.certificate(), fmt::format(R"({{"minimumVersion":"{}"}})", version))));
    const auto identity = open(*session);
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_THAT(context_.stages().stages,
                testing::ElementsAre("resolve", "tcp", "tls", "protocol", "login"));
    ASSERT_EQ(context_.events().certificates.size(), 1U);
    EXPECT_TRUE(context_.events().certificates[0].accepted);
    EXPECT_EQ(identity->certificate_sha256, context_.events().certificates[0].certificate.sha256);
    EXPECT_EQ(to_text(value(*session, "select ssl from pg_stat_ssl where pid = pg_backend_pid()")),
              "true");
  }
  const Error plain = refusal(profile(server.port()));
  EXPECT_EQ(plain.code, "login_refused");
}

TEST_F(Tls, d2_wrong_certificates_are_refused_with_their_reason_before_a_name_is_told) {
  using Request = test::CertificateRequest;
  struct Case {
    std::string code;
    test::KeyPair identity;
  };
  const std::vector<Case> cases{
      {"certificate_untrusted", stranger_.issue()},
      {"certificate_untrusted", test::self_signed()},
      {"certificate_expired", authority_.issue(Request{.valid_from = -48h, .valid_for = 24h})},
      {"certificate_wrong_host",
       authority_.issue(Request{.common_name = "other", .names = {"DNS:other"}})}};
  for (const Case& each : cases) {
    const test::PostgresServer server(
        {.configuration = "log_connections = on", .identity = each.identity});
    context_.events().certificates.clear();
    const Error refused = refusal(profile(server.port(), trusting(authority_.certificate())));
    EXPECT_EQ(refused.error_class, ErrorClass::kTrust) << refused.message;
    EXPECT_EQ(refused.code, each.code) << refused.message;
    ASSERT_EQ(context_.events().certificates.size(), 1U);
    EXPECT_FALSE(context_.events().certificates[0].accepted);
    EXPECT_EQ(server.log().find("user=tributary"), std::string::npos) << "nothing was told";
    auto trusted = profile(server.port(), trusting(authority_.certificate()));
    trusted.trusted_certificates = {each.identity.certificate};
    const auto other = session(trusted);
    EXPECT_EQ(open(*other).has_value(), each.code != "certificate_expired") << each.code;
    const auto unchecked =
        session(profile(server.port(), trusting(authority_.certificate(), R"({"verify":false})")));
    EXPECT_TRUE(open(*unchecked)) << "when a person said so";
  }
}

TEST_F(Tls, f1_a_server_that_asks_for_a_certificate_gets_the_hubs_own) {
  const test::PostgresServer server(
      {.access = "hostssl all all all scram-sha-256 clientcert=verify-ca",
       .identity = authority_.issue(),
       .client_ca = authority_.certificate()});
  const auto own = authority_.issue({.common_name = "hub", .names = {"DNS:hub"}});
  auto with = profile(server.port(), trusting(authority_.certificate()));
  with.settings["tls"]["clientCertificate"] = own.certificate;
  with.secrets.emplace_back("clientKey", Secret(own.key));
  const auto session = this->session(with);
  const auto identity = open(*session);
  EXPECT_TRUE(identity) << identity.error().code << identity.error().message;
  const Error without = refusal(profile(server.port(), trusting(authority_.certificate())));
  EXPECT_EQ(without.error_class, ErrorClass::kIdentity) << without.message;
  const auto foreign = stranger_.issue({.common_name = "hub", .names = {"DNS:hub"}});
  with.settings["tls"]["clientCertificate"] = foreign.certificate;
  with.secrets.back() = {"clientKey", Secret(foreign.key)};
  const Error wrong = refusal(with);
  EXPECT_EQ(wrong.error_class, ErrorClass::kIdentity) << wrong.code << wrong.message;
}

}  // namespace
}  // namespace tributary::connectors::postgresql
