// nginx as the server: what we did not write ourselves.
#include "connectors/rest/tests/fixture.hpp"
#include "tests/support/certificates.hpp"

namespace tributary::connectors::rest {
namespace {

using test::Authority;
using test::KeyPair;

constexpr const char* kTls =
    "listen 127.0.0.1:PORT ssl;\nssl_certificate FOLDER/server.pem;\n"
    "ssl_certificate_key FOLDER/server.key;\n";

class NginxTest : public RestTest {
 protected:
  sdk::Profile secure_profile(std::uint16_t port, const std::string& more = "{}") {
    sdk::Profile made = profile(port, more);
    made.settings.insert_or_assign("baseUrl", fmt::format("https://127.0.0.1:{}", port));
    made.settings["tls"].insert_or_assign("ca", authority_.certificate());
    return made;
  }
  std::vector<std::pair<std::string, std::string>> files(const KeyPair& identity) const {
    return {{"server.pem", identity.certificate},
            {"server.key", identity.key},
            {"ca.pem", authority_.certificate()}};
  }
  Authority authority_;
};

TEST_F(NginxTest, files_are_read_and_written) {
  const Nginx nginx(
      "root FOLDER/www;\ntypes { application/json json; }\nlocation /in/ { "
      "client_body_in_file_only off; return 201; }\n",
      {{"www/values.json", R"({"speed":1480,"list":[1,2]})"}});
  const auto made = connect(nginx.port());
  const Json told = record(call(*made, "rest.request", R"({"path":"/values.json"})"));
  EXPECT_EQ(told.at("body").at("speed").as<int>(), 1480);
  EXPECT_TRUE(told.at("headers").at("server").as_string().starts_with("nginx/"));
  EXPECT_EQ(record(call(*made, "rest.send", R"({"path":"/in/x"})", R"({"payload":{"a":1}})"))
                .at("status")
                .as<int>(),
            201);
  EXPECT_EQ(call(*made, "rest.request", R"({"path":"/none"})").error().code, "not_found");
  EXPECT_EQ(record(call(*made, "rest.request", R"({"method":"HEAD","path":"/values.json"})"))
                .at("format")
                .as_string(),
            "none");
}

TEST_F(NginxTest, H4_what_is_sent_is_what_nginx_reads) {
  const Nginx nginx("location /api/ { return 200 '$uri|$args'; }\nlocation / { return 403; }\n");
  auto made_profile = profile(nginx.port());
  made_profile.settings.insert_or_assign("baseUrl",
                                         fmt::format("http://127.0.0.1:{}/api", nginx.port()));
  const auto made = session(made_profile);
  ASSERT_TRUE(open(*made)) << "the base URL answers with 200";
  Json parameters = json_object();
  parameters.insert_or_assign("id", "a/b?c#d e&f=ü");
  const Json told =
      record(call(*made, "rest.request", R"j({"path":"/orders/((id))/x"})j", to_text(parameters)));
  EXPECT_EQ(told.at("body").as_string(), "/api/orders/a/b?c#d e&f=ü/x|");
  EXPECT_TRUE(nginx.log().contains("GET /api/orders/a%2Fb%3Fc%23d%20e%26f%3D%C3%BC/x HTTP/1.1 200"))
      << nginx.log();
}

TEST_F(NginxTest, basic_is_asked_for_and_given) {
  const Nginx nginx("auth_basic plant;\nauth_basic_user_file FOLDER/users;\nroot FOLDER/www;\n",
                    {{"users", "hub:{PLAIN}right\n"}, {"www/index.html", "ok"}});
  const auto with = [&](const char* password) {
    auto made = profile(nginx.port(), R"({"authentication":"basic","username":"hub"})");
    made.secrets.emplace_back("password", Secret(password));
    return made;
  };
  const auto good = session(with("right"));
  ASSERT_TRUE(open(*good));
  EXPECT_TRUE(call(*good, "rest.request", "{}"));
  const auto bad = session(with("wrong"));
  const auto refused = open(*bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::kIdentity);
}

TEST_F(NginxTest, a_body_beyond_the_servers_limit_is_this_records_fault) {
  const Nginx nginx("client_max_body_size 1k;\nlocation / { proxy_pass http://127.0.0.1:9; }\n");
  const auto refused_for = [&](std::size_t size) {
    auto made_profile = profile(nginx.port());
    const auto made = session(made_profile);
    Json parameters = json_object();
    parameters.insert_or_assign("payload", std::string(size, 'x'));
    return call(*made, "rest.request", R"({"method":"POST"})", to_text(parameters));
  };
  const auto large = refused_for(2000);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, "body_too_large") << large.error().message;
  EXPECT_EQ(large.error().error_class, ErrorClass::kFunction);
  const auto small = refused_for(10);
  ASSERT_FALSE(small) << "nothing is behind the proxy";
  EXPECT_EQ(small.error().code, "server_failed");
}

TEST_F(NginxTest, connections_are_kept_and_made_again_when_the_server_lets_go) {
  const Nginx nginx("keepalive_requests 3;\nlocation / { return 200 ok; }");
  const auto made = connect(nginx.port());
  for (int i = 0; i < 11; ++i) ASSERT_TRUE(call(*made, "rest.request", "{}"));
  std::set<std::string> connections;
  std::istringstream lines(nginx.log());
  for (std::string line; std::getline(lines, line);)
    connections.insert(line.substr(0, line.find(' ')));
  // One request of open() and eleven calls, three on each connection; one more is wait_for_port's.
  EXPECT_GE(connections.size(), 4U) << nginx.log();
  EXPECT_LE(connections.size(), 5U) << nginx.log();
}

TEST_F(NginxTest, tls_is_checked_and_reported) {
  const Nginx nginx(std::string(kTls) + "location / { return 200 ok; }", files(authority_.issue()));
  const auto made = session(secure_profile(nginx.port()));
  const auto opened = open(*made);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(context_.stages().stages,
            (std::vector<std::string>{"resolve", "tcp", "tls", "protocol"}));
  ASSERT_EQ(context_.events().certificates.size(), 1U);
  EXPECT_TRUE(context_.events().certificates[0].accepted);
  EXPECT_EQ(opened->certificate_sha256, context_.events().certificates[0].certificate.sha256);
  EXPECT_EQ(record(call(*made, "rest.request", "{}")).at("body").as_string(), "ok");
}

TEST_F(NginxTest, a_certificate_that_the_machine_trusts_is_not_trusted_beside_a_ca) {
  // Another authority, and none at all: what is named is what counts.
  const Authority other("Other CA");
  const Nginx nginx(std::string(kTls) + "location / { return 200 ok; }", files(other.issue()));
  for (const bool named : {true, false}) {
    auto wrong = secure_profile(nginx.port());
    if (!named) wrong.settings["tls"].erase("ca");
    const auto made = session(wrong);
    const auto refused = open(*made);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "certificate_untrusted") << refused.error().message;
  }
  // A person may trust this very certificate; an administrator may switch the check off.
  auto trusted = secure_profile(nginx.port());
  trusted.trusted_certificates.push_back(context_.events().certificates.at(0).certificate.pem);
  const auto by_person = session(trusted);
  EXPECT_TRUE(open(*by_person));
  auto unchecked = secure_profile(nginx.port());
  unchecked.settings["tls"].insert_or_assign("verify", false);
  const auto by_setting = session(unchecked);
  EXPECT_TRUE(open(*by_setting));
  EXPECT_EQ(nginx.log().find("HEAD /"), nginx.log().rfind("HEAD /", nginx.log().find('\n')))
      << "only those who trusted it have asked";
}

TEST_F(NginxTest, a_connection_that_one_profile_accepts_is_not_used_by_another) {
  const Authority other("Other CA");
  const Nginx nginx(std::string(kTls) + "location / { return 200 ok; }", files(other.issue()));
  auto unchecked = secure_profile(nginx.port());
  unchecked.settings["tls"].insert_or_assign("verify", false);
  const auto careless = session(unchecked);
  ASSERT_TRUE(open(*careless));
  const auto careful = session(secure_profile(nginx.port()));
  const auto refused = open(*careful);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::kTrust);
}

TEST_F(NginxTest, a_client_certificate_is_shown_when_it_is_asked_for) {
  const Nginx nginx(std::string(kTls) +
                        "ssl_client_certificate FOLDER/ca.pem;\nssl_verify_client on;\n"
                        "location / { return 200 '$ssl_client_s_dn'; }",
                    files(authority_.issue()));
  const KeyPair own = authority_.issue({.common_name = "hub"});
  auto known = secure_profile(nginx.port());
  known.settings["tls"].insert_or_assign("clientCertificate", own.certificate);
  known.secrets.emplace_back("clientKey", Secret(own.key));
  const auto made = session(known);
  const auto opened = open(*made);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(record(call(*made, "rest.request", "{}")).at("body").as_string(), "CN=hub");
  // nginx answers those without one with 400.
  const auto stranger = session(secure_profile(nginx.port(), R"({"healthPath":"/"})"));
  const auto refused = open(*stranger);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.contains("400")) << refused.error().message;
}

TEST_F(NginxTest, D3_a_plain_server_and_an_old_tls_are_told_apart_and_refused) {
  const Nginx plain("location / { return 200 ok; }");
  const auto to_plain = session(secure_profile(plain.port()));
  const auto not_tls = open(*to_plain);
  ASSERT_FALSE(not_tls);
  EXPECT_EQ(not_tls.error().code, "tls_not_spoken") << not_tls.error().message;
  const Nginx old(std::string(kTls) + "ssl_protocols TLSv1.2;\nlocation / { return 200 ok; }",
                  files(authority_.issue()));
  auto modern = secure_profile(old.port());
  modern.settings["tls"].insert_or_assign("minimumVersion", "1.3");
  const auto to_old = session(modern);
  const auto too_old = open(*to_old);
  ASSERT_FALSE(too_old);
  EXPECT_EQ(too_old.error().code, "tls_version") << too_old.error().message;
}

TEST_F(NginxTest, packed_answers_are_unpacked) {
  const std::string text(20'000, 'a');
  const Nginx nginx(
      "gzip on;\ngzip_types text/plain;\ngzip_proxied any;\nroot FOLDER/www;\n"
      "default_type text/plain;\n",
      {{"www/a.txt", "some words, some more words, " + text.substr(0, 2000)}});
  const auto made = connect(nginx.port());
  const Json told = record(call(*made, "rest.request", R"({"path":"/a.txt"})"));
  EXPECT_EQ(told.at("headers").at("content-encoding").as_string(), "gzip");
  EXPECT_TRUE(told.at("body").as_string().starts_with("some words"));
}

}  // namespace
}  // namespace tributary::connectors::rest
