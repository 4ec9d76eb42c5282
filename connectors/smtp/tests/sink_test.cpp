// aiosmtpd as the server: what nobody of this project wrote.
#include "connectors/smtp/tests/fixture.hpp"

namespace tributary::connectors::smtp {
namespace {

class SinkTest : public SmtpTest {
 protected:
  // Options of a sink with this identity.
  std::vector<std::string> with_tls(const test::KeyPair& identity,
                                    std::vector<std::string> more = {}) const {
    std::ofstream(folder_.path() / "server.pem") << identity.certificate;
    std::ofstream(folder_.path() / "server.key") << identity.key;
    std::vector<std::string> options{"--certificate", (folder_.path() / "server.pem").string(),
                                     "--key", (folder_.path() / "server.key").string()};
    options.insert(options.end(), more.begin(), more.end());
    return options;
  }
  sdk::Profile secure_profile(std::uint16_t port, const std::string& more = "{}") {
    sdk::Profile made = profile(port, more);
    if (!parse_json(more).value().contains("security"))
      made.settings.insert_or_assign("security", "starttls");
    made.settings["tls"].insert_or_assign("ca", authority_.certificate());
    return made;
  }
  test::Authority authority_;
  test::TempDir folder_;
};

TEST_F(SinkTest, a_mail_with_everything_arrives_as_it_was_meant) {
  const Sink sink;
  const auto made = connect(sink.port(), R"({"fromName":"Dolum hattı"})");
  const auto sent =
      send(*made, R"j({"to":["Vardiya <shift@plant.example>"],"cc":["boss@plant.example"],
      "bcc":["quiet@plant.example"],"subject":"Sıcaklık 82 °C","text":"line one\n.\n..two\n",
      "html":"<b>((v))</b>","attachments":[{"name":"rapor ü.bin","content":"AAEC/w=="}]})j",
           R"({"v":"<&>"})");
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(sent->records().at(0).at("recipients").as<int>(), 3);
  const auto [envelope, mail] = sink.mail(1);
  EXPECT_EQ(envelope.at("from").as_string(), "hub@plant.example");
  EXPECT_EQ(envelope.at("to"),
            json(R"(["shift@plant.example","boss@plant.example","quiet@plant.example"])"));
  EXPECT_EQ(mail.find("quiet@"), std::string::npos);
  // Read by Python's own parser.
  std::ofstream(folder_.path() / "mail", std::ios::binary) << mail;
  const std::string script = R"(
import sys, email, email.policy
m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
print('subject', m['subject'])
print('from', m['from'].addresses[0].display_name)
print('text', repr(m.get_body(('plain',)).get_content()))
print('html', repr(m.get_body(('html',)).get_content()))
a = list(m.iter_attachments())[0]
print('file', a.get_filename(), a.get_content())
)";
  std::ofstream(folder_.path() / "read.py") << script;
  test::Process reader({"/usr/bin/python3", (folder_.path() / "read.py").string(),
                        (folder_.path() / "mail").string()});
  reader.wait();
  EXPECT_EQ(reader.output(),
            "subject Sıcaklık 82 °C\nfrom Dolum hattı\ntext 'line one\\n.\\n..two\\n'\n"
            "html '<b>&lt;&amp;&gt;</b>'\nfile rapor ü.bin b'\\x00\\x01\\x02\\xff'\n");
}

TEST_F(SinkTest, STARTTLS_and_a_login_come_before_the_mail) {
  const Sink sink(with_tls(authority_.issue(), {"--user", "hub", "--password", "right"}));
  auto made_profile = secure_profile(sink.port(), R"({"username":"hub"})");
  made_profile.secrets.emplace_back("password", Secret("right"));
  const auto made = session(made_profile);
  const auto opened = open(*made);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_EQ(context_.events().certificates.size(), 1U);
  EXPECT_EQ(opened->certificate_sha256, context_.events().certificates[0].certificate.sha256);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(send(*made, R"({"to":["a@b.example"],"text":"t"})"));
  const auto envelope = sink.mail(3).first;
  EXPECT_TRUE(envelope.at("tls").as_bool());
  EXPECT_TRUE(envelope.at("login").as_bool());
  EXPECT_EQ(context_.events().certificates.size(), 1U) << "one connection served";
}

TEST_F(SinkTest, a_wrong_password_is_an_identity_error) {
  const Sink sink(with_tls(authority_.issue(), {"--user", "hub", "--password", "right"}));
  auto wrong = secure_profile(sink.port(), R"({"username":"hub"})");
  wrong.secrets.emplace_back("password", Secret("wrong"));
  const auto made = session(wrong);
  const auto refused = open(*made);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::kIdentity) << refused.error().message;
  EXPECT_EQ(refused.error().code, "not_authorized");
}

TEST_F(SinkTest, D3_a_certificate_that_is_not_trusted_ends_STARTTLS_and_TLS_alike) {
  const test::Authority other("Other CA");
  for (const bool implicit : {false, true}) {
    std::vector<std::string> more;
    if (implicit) more.push_back("--implicit");
    const Sink sink(with_tls(other.issue(), more));
    const auto made = session(secure_profile(
        sink.port(), implicit ? R"({"security":"tls"})" : R"({"security":"starttls"})"));
    const auto refused = open(*made);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error_class, ErrorClass::kTrust) << refused.error().message;
    EXPECT_EQ(refused.error().code, "certificate_untrusted");
    EXPECT_EQ(sink.count(), 0U);
  }
}

TEST_F(SinkTest, TLS_from_the_first_byte_works) {
  const Sink sink(with_tls(authority_.issue(), {"--implicit"}));
  const auto made = session(secure_profile(sink.port(), R"({"security":"tls"})"));
  const auto opened = open(*made);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(send(*made, R"({"to":["a@b.example"],"text":"t"})"));
  EXPECT_EQ(sink.count(), 1U);
}

TEST_F(SinkTest, one_recipient_that_is_refused_stops_the_mail_for_all) {
  const Sink sink;
  const auto made = connect(sink.port());
  const auto refused = send(*made, R"({"to":["a@b.example","nobody@b.example"],"text":"t"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "mail_refused");
  EXPECT_TRUE(refused.error().message.contains("550")) << refused.error().message;
  EXPECT_EQ(sink.count(), 0U);
  EXPECT_EQ(send(*made, R"({"to":["busy@b.example"],"text":"t"})").error().code, "server_busy");
  EXPECT_TRUE(send(*made, R"({"to":["a@b.example"],"text":"t"})")) << "the session goes on";
}

TEST_F(SinkTest, the_same_record_has_the_same_message_id) {
  const Sink sink;
  const auto made = connect(sink.port());
  const std::string record = R"({"payload":{"a":1,"$meta":{"time":"2026-01-01T00:00:00Z"}}})";
  ASSERT_TRUE(send(*made, R"({"to":["a@b.example"]})", record));
  ASSERT_TRUE(send(*made, R"({"to":["a@b.example"]})", record));
  ASSERT_TRUE(send(*made, R"({"to":["a@b.example"]})", R"({"payload":{"a":1}})"));
  ASSERT_TRUE(send(*made, R"({"to":["a@b.example"]})", R"({"payload":{"a":1}})"));
  const auto id_of = [&](int number) {
    const std::string mail = sink.mail(number).second;
    const auto at = mail.find("Message-ID: ");
    return mail.substr(at, mail.find("\r\n", at) - at);
  };
  EXPECT_EQ(id_of(1), id_of(2));
  EXPECT_NE(id_of(3), id_of(4)) << "two events with the same text are two mails";
}

}  // namespace
}  // namespace tributary::connectors::smtp
