// This connector's part in the conformance suite.
#include "tests/support/conformance.hpp"

#include <fmt/format.h>

#include "connectors/rest/resources.hpp"
#include "schema/schema.hpp"
#include "tests/support/nginx.hpp"

namespace tributary::connectors::rest {
namespace {

// nginx behind a password: asked by basic.
class NginxPeer final : public test::GoodPeer {
 public:
  explicit NginxPeer(const std::string& password)
      : nginx_("auth_basic plant;\nauth_basic_user_file FOLDER/users;\nroot FOLDER/www;\n",
               {{"users", "hub:{PLAIN}" + password + "\n"},
                {"www/health", "up"},
                {"www/values", R"({"a":1})"}}) {}
  std::uint16_t port() const override { return nginx_.port(); }

 private:
  test::Nginx nginx_;
};

}  // namespace

test::ConformanceSubject conformance_subject() {
  const std::string right = "right-" + std::string(test::kSecretCanary);
  const std::string wrong = "wrong-" + std::string(test::kSecretCanary);
  test::ConformanceSubject subject;
  subject.type = "rest";
  subject.make_connector = &make_connector;
  subject.settings = [](const std::string& host, std::uint16_t port) {
    Json settings =
        parse_json(R"({"healthPath":"/health","authentication":"basic","username":"hub"})").value();
    settings.insert_or_assign("baseUrl", fmt::format("http://{}:{}", host, port));
    const auto document = parse_json(resources().connection_schema).value();
    return schema::Schema::compile(document).value().with_defaults(settings);
  };
  subject.tls_settings = [settings = subject.settings](const std::string& host, std::uint16_t port,
                                                       const std::string& ca) {
    Json secure = settings(host, port);
    secure["baseUrl"] = fmt::format("https://{}:{}", host, port);
    secure["tls"]["ca"] = ca;
    return secure;
  };
  subject.secrets.emplace_back("password", Secret(right));
  subject.wrong_secrets.emplace_back("password", Secret(wrong));
  subject.start_peer = [right] { return std::make_unique<NginxPeer>(right); };
  const auto schema = [] {
    for (const auto text : resources().function_schemas) {
      const auto document = parse_json(text).value();
      if (document.at("x-function").as_string() == "rest.request") return document;
    }
    return json_object();
  }();
  subject.call = {"rest.request", schema::Schema::compile(schema).value().with_defaults(
                                      parse_json(R"({"path":"/values"})").value())};
  subject.connects_for_requests = true;
  subject.garbage = "SSH-2.0-OpenSSH_9.2\r\n";
  return subject;
}

}  // namespace tributary::connectors::rest
