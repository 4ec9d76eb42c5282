// Getting connected: endpoints, trust, logins (checklist E).
#include "connectors/opcua/tests/fixture.hpp"

namespace tributary::connectors::opcua {
namespace {

class Security : public OpcuaTest {};

TEST_F(Security, TheDefaultSignsAndEncryptsWithTheBestPolicy) {
  const TestServer server(secure_options());
  const auto opened = try_open(profile(server.server->url()));
  ASSERT_TRUE(opened.has_value()) << opened.error().code << ": " << opened.error().message;
  EXPECT_EQ(context_.stages().stages,
            (std::vector<std::string>{"resolve", "tcp", "protocol", "tls", "login"}));
  ASSERT_EQ(context_.events().certificates.size(), 1U);
  EXPECT_TRUE(context_.events().certificates[0].accepted);
  EXPECT_EQ(opened->certificate_sha256, context_.events().certificates[0].certificate.sha256);
  EXPECT_TRUE(
      context_.run(session_->check_health(context_.in(std::chrono::seconds(5)))).has_value());
}

TEST_F(Security, EveryGoodPolicyAndModeWorks) {
  const TestServer server(secure_options());
  for (const auto* policy : {"Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"}) {
    for (const auto* mode : {"Sign", "SignAndEncrypt"}) {
      const auto opened = try_open(profile(
          server.server->url(),
          fmt::format(R"({{"securityMode": "{}", "securityPolicy": "{}"}})", mode, policy)));
      EXPECT_TRUE(opened.has_value())
          << policy << " " << mode << ": " << (opened ? "" : opened.error().message);
    }
  }
}

TEST_F(Security, NoneNeedsConsent) {
  const TestServer server;
  const auto refused = try_open(profile(server.server->url(), R"({"securityMode": "None"})"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "insecure_not_allowed");
  EXPECT_EQ(refused.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(refused.error().pointer, "/settings/allowInsecure");
  EXPECT_TRUE(try_open(profile(server.server->url(), kInsecure)).has_value());
}

TEST_F(Security, AServerWithoutSecurityIsNotUsedSecretly) {
  const TestServer server;
  const auto refused = try_open(profile(server.server->url()));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "no_common_security");
  EXPECT_NE(refused.error().message.find("None (insecure)"), std::string::npos)
      << refused.error().message;
}

TEST_F(Security, AnUnknownCertificateWaitsForAPerson) {
  const TestServer server(secure_options());
  auto unknown = profile(server.server->url());
  unknown.settings.erase("ca");
  const auto refused = try_open(unknown);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kTrust);
  EXPECT_EQ(refused.error().code, "certificate_untrusted");
  ASSERT_EQ(context_.events().certificates.size(), 1U);
  const net::ShownCertificate shown = context_.events().certificates[0];
  EXPECT_FALSE(shown.accepted);
  EXPECT_NE(refused.error().message.find(net::fingerprint_text(shown.certificate.sha256)),
            std::string::npos)
      << refused.error().message;
  unknown.trusted_certificates.push_back(shown.certificate.pem);
  EXPECT_TRUE(try_open(unknown).has_value());
}

TEST_F(Security, UsersLogInAndWrongOnesAreNamed) {
  auto options = secure_options();
  options.anonymous = false;
  const TestServer server(std::move(options));
  constexpr std::string_view kUser = R"({"authentication": "username", "username": "operator"})";
  EXPECT_TRUE(try_open(profile(server.server->url(), kUser)).has_value());
  auto wrong = profile(server.server->url(), kUser);
  wrong.secrets[1].second = Secret("trout");
  const auto refused = try_open(wrong);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kIdentity) << refused.error().message;
  const auto anonymous = try_open(profile(server.server->url()));
  ASSERT_FALSE(anonymous.has_value());
  EXPECT_EQ(anonymous.error().code, "login_not_offered");
}

TEST_F(Security, AUserCertificateLogsIn) {
  auto options = secure_options();
  options.anonymous = false;
  const TestServer server(std::move(options));
  auto user = profile(server.server->url(), R"({"authentication": "certificate"})");
  user.settings["userCertificate"] = client_pair().certificate;
  const auto keyless = try_open(user);
  ASSERT_FALSE(keyless.has_value());
  EXPECT_EQ(keyless.error().code, "key_missing");
  EXPECT_EQ(keyless.error().pointer, "/secrets/userKey");
  user.secrets.emplace_back("userKey", Secret(client_pair().key));
  const auto opened = try_open(user);
  EXPECT_TRUE(opened.has_value()) << opened.error().code << ": " << opened.error().message;
}

TEST_F(Security, APasswordIsNeverSentInTheClear) {
  simulator::ServerOptions options;
  options.username = "operator";
  options.password = Secret("swordfish");
  options.configure = [](UA_ServerConfig& config) { config.allowNonePolicyPassword = true; };
  const TestServer server(std::move(options));
  const auto refused = try_open(profile(
      server.server->url(),
      R"({"securityMode": "None", "allowInsecure": true, "authentication": "username", "username": "operator"})"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "password_unprotected") << refused.error().message;
}

TEST_F(Security, AServerThatDoesNotTrustTheHubSaysSo) {
  auto options = secure_options();
  options.clients.push_back(keys_of(server_pair()).certificate);
  const TestServer server(std::move(options));
  const auto refused = try_open(profile(server.server->url()));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kTrust) << refused.error().code;
  EXPECT_EQ(refused.error().code, "own_certificate_refused") << refused.error().message;
  EXPECT_NE(refused.error().message.find(keys_of(client_pair()).thumbprint), std::string::npos)
      << refused.error().message;
}

}  // namespace
}  // namespace tributary::connectors::opcua
