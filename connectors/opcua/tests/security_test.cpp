// Getting connected: endpoints, trust, logins (checklist E).
#include <open62541/server_config_default.h>

#include <set>

#include "connectors/opcua/tests/fixture.hpp"

namespace tributary::connectors::opcua {
namespace {

class Security : public OpcuaTest {
 protected:
  // Offers exactly None, Basic128Rsa15 and, if it is wanted, Basic256Sha256.
  static simulator::ServerOptions old_server(bool with_good_one) {
    auto options = secure_options();
    options.insecure = true;
    options.configure = [with_good_one](UA_ServerConfig& config) {
      const Keys keys = keys_of(server_pair());
      const UA_ByteString certificate = borrow(keys.certificate);
      const UA_ByteString key = borrow(keys.key.reveal());
      UA_ServerConfig_addSecurityPolicyBasic128Rsa15(&config, &certificate, &key);
      std::size_t kept = 0;
      for (std::size_t i = 0; i < config.endpointsSize; ++i) {
        const auto policy = view(config.endpoints[i].securityPolicyUri);
        const bool good = with_good_one && policy.ends_with("#Basic256Sha256") &&
                          config.endpoints[i].securityMode == UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
        if (!good && !policy.ends_with("#None")) {
          UA_EndpointDescription_clear(&config.endpoints[i]);
        } else if (i != kept++) {
          std::swap(config.endpoints[kept - 1], config.endpoints[i]);
        }
      }
      config.endpointsSize = kept;
      UA_ServerConfig_addEndpoint(
          &config, UA_STRING_STATIC("http://opcfoundation.org/UA/SecurityPolicy#Basic128Rsa15"),
          UA_MESSAGESECURITYMODE_SIGNANDENCRYPT);
    };
    return options;
  }
};

TEST_F(Security, E1_OfWeakAndGoodEndpointsTheGoodOneIsTakenAndTheWeakOnesAreMarked) {
  const TestServer server(old_server(true));
  open(profile(server.server->url()));
  const auto listed = call("opcua.endpoints", "{}");
  ASSERT_TRUE(listed.has_value()) << listed.error().message;
  std::set<std::string> seen;
  for (const Record& each : listed->records()) {
    seen.insert(fmt::format("{} {} {}{}", get_string(each, "securityMode"),
                            get_string(each, "securityPolicy"), get_string(each, "security"),
                            get_bool(each, "inUse", false) ? " in use" : ""));
    EXPECT_EQ(each.at("logins"), json(R"(["anonymous","certificate","username"])"))
        << tributary::to_text(each);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"None None none", "SignAndEncrypt Basic128Rsa15 weak",
                                         "SignAndEncrypt Basic256Sha256 good in use"}));
}

TEST_F(Security, E1_AServerWithNothingButWeakEndpointsIsRefusedAndTheyAreMarked) {
  const TestServer server(old_server(false));
  const auto refused = try_open(profile(server.server->url()));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "no_common_security");
  for (const std::string_view said :
       {"None (insecure)", "SignAndEncrypt with Basic128Rsa15 (weak)"})
    EXPECT_NE(refused.error().message.find(said), std::string::npos) << refused.error().message;
  const auto unasked = try_open(profile(server.server->url(), R"({"securityMode": "None"})"));
  ASSERT_FALSE(unasked.has_value());
  EXPECT_EQ(unasked.error().code, "insecure_not_allowed");
  EXPECT_TRUE(try_open(profile(server.server->url(), kInsecure)).has_value()) << "somebody agreed";
}

TEST_F(Security, E1_TheDefaultSignsAndEncryptsWithTheBestPolicy) {
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

TEST_F(Security, E1_NoneNeedsConsent) {
  const TestServer server;
  const auto refused = try_open(profile(server.server->url(), R"({"securityMode": "None"})"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "insecure_not_allowed");
  EXPECT_EQ(refused.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(refused.error().pointer, "/settings/allowInsecure");
  EXPECT_TRUE(try_open(profile(server.server->url(), kInsecure)).has_value());
}

TEST_F(Security, E1_AServerWithoutSecurityIsNotUsedSecretly) {
  const TestServer server;
  const auto refused = try_open(profile(server.server->url()));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "no_common_security");
  EXPECT_NE(refused.error().message.find("None (insecure)"), std::string::npos)
      << refused.error().message;
}

TEST_F(Security, E3_AnUnknownCertificateWaitsForAPerson) {
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
