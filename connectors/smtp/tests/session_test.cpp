// Sessions against servers that say what a test wants.
#include "connectors/smtp/tests/fixture.hpp"

namespace tributary::connectors::smtp {
namespace {

constexpr const char* kMail = R"({"to":["shift@plant.example"],"subject":"s","text":"t"})";

TEST_F(SmtpTest, a_session_says_who_answered_and_keeps_its_connection) {
  LinePeer peer(&LinePeer::good);
  auto made = session(profile(peer.port()));
  const auto identity = open(*made);
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->product, "peer.example ESMTP");
  EXPECT_EQ(context_.stages().stages, (std::vector<std::string>{"resolve", "tcp", "protocol"}));
  ASSERT_TRUE(context_.run(made->check_health(context_.in(5s)))) << "open() has just asked";
  ASSERT_TRUE(context_.run(made->check_health(context_.in(5s))));
  for (int i = 0; i < 3; ++i) {
    const auto sent = send(*made, kMail);
    ASSERT_TRUE(sent) << sent.error().message;
    EXPECT_TRUE(get_string(sent->records().at(0), "messageId").ends_with("@plant.example>"));
  }
  EXPECT_EQ(peer.accepted(), 1U);
  EXPECT_TRUE(peer.heard("EHLO plant.example"));
  EXPECT_TRUE(peer.heard("NOOP"));
  EXPECT_TRUE(peer.heard("MAIL FROM:<hub@plant.example>"));
  EXPECT_TRUE(peer.heard("RCPT TO:<shift@plant.example>"));
  const auto begin = std::chrono::steady_clock::now();
  context_.run(made->close(context_.in(5s)));
  EXPECT_TRUE(context_.run_until([&] { return peer.heard("QUIT"); }, 5s)) << "a goodbye is said";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
}

TEST_F(SmtpTest, D3_a_server_without_STARTTLS_hears_nothing_of_the_login_or_the_mail) {
  for (const bool offered : {false, true}) {
    LinePeer peer([&](const std::string& line) {
      if (line.starts_with("EHLO") && offered)
        return std::string("250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n");
      if (line.starts_with("EHLO")) return std::string("250-x\r\n250 AUTH PLAIN LOGIN\r\n");
      if (line == "STARTTLS") return std::string("454 not now\r\n");
      return LinePeer::good(line);
    });
    auto made_profile = profile(peer.port(), R"({"security":"starttls","username":"hub"})");
    made_profile.secrets.emplace_back("password", Secret("canary-9f2b6d"));
    auto made = session(made_profile);
    const auto refused = open(*made);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "tls_not_offered") << refused.error().message;
    EXPECT_EQ(refused.error().error_class, ErrorClass::kConfiguration);
    for (const std::string& line : peer.lines()) {
      EXPECT_TRUE(line.starts_with("EHLO") || line == "STARTTLS" || line == "QUIT") << line;
    }
  }
}

TEST_F(SmtpTest, a_user_without_a_way_to_log_in_is_a_setting) {
  LinePeer peer(&LinePeer::good);
  auto made_profile = profile(peer.port(), R"({"username":"hub"})");
  made_profile.secrets.emplace_back("password", Secret("secret"));
  auto made = session(made_profile);
  const auto refused = open(*made);
  ASSERT_FALSE(refused) << "connected without the login that was asked for";
  EXPECT_EQ(refused.error().code, "login_not_offered");
  auto half = profile(peer.port());
  half.secrets.emplace_back("password", Secret("secret"));
  const auto unmade = connector_->make_session(context_.session_context(), half);
  ASSERT_FALSE(unmade);
  EXPECT_EQ(unmade.error().code, "missing_username");
}

struct ReplyCase {
  const char* name;
  const char* command;  // that is answered so
  const char* reply;
  ErrorClass error_class;
  const char* code;
};
class SmtpReply : public SmtpTest, public testing::WithParamInterface<ReplyCase> {};
INSTANTIATE_TEST_SUITE_P(
    Smtp, SmtpReply,
    testing::Values(ReplyCase{"closing", "MAIL", "421 4.3.2 Shutting down\r\n", ErrorClass::kBusy,
                              "server_busy"},
                    ReplyCase{"greylisted", "RCPT", "450 4.7.1 Greylisted\r\n", ErrorClass::kBusy,
                              "server_busy"},
                    ReplyCase{"local_error", "DATA", "451 4.3.0 Try later\r\n", ErrorClass::kBusy,
                              "server_busy"},
                    ReplyCase{"nobody", "RCPT", "550 5.1.1 No such user\r\n", ErrorClass::kFunction,
                              "mail_refused"},
                    ReplyCase{"full", "RCPT", "552 5.2.2 Mailbox full\r\n", ErrorClass::kFunction,
                              "mail_refused"},
                    ReplyCase{"no_sender", "MAIL", "553 5.7.1 Not your address\r\n",
                              ErrorClass::kFunction, "mail_refused"},
                    ReplyCase{"spam", ".", "554 5.7.1 Looks like spam\r\n", ErrorClass::kFunction,
                              "mail_refused"},
                    ReplyCase{"full_disk", ".", "452 4.3.1 No space\r\n", ErrorClass::kBusy,
                              "server_busy"},
                    ReplyCase{"login_needed", "MAIL", "530 5.7.0 Authentication required\r\n",
                              ErrorClass::kIdentity, "not_authorized"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(SmtpReply, has_its_class_and_its_code) {
  LinePeer peer([&](const std::string& line) {
    return line.starts_with(GetParam().command) ? GetParam().reply : LinePeer::good(line);
  });
  const auto made = connect(peer.port());
  const auto begin = std::chrono::steady_clock::now();
  const auto refused = send(*made, kMail);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, GetParam().error_class) << refused.error().message;
  EXPECT_EQ(refused.error().code, GetParam().code);
  EXPECT_FALSE(refused.error().outcome_unknown) << "an answer leaves no doubt";
  EXPECT_TRUE(refused.error().message.contains(std::string(GetParam().reply).substr(0, 8)))
      << refused.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST_F(SmtpTest, a_server_that_refuses_and_then_says_nothing_holds_nobody_up) {
  LinePeer mean([](const std::string& line) {
    if (line == "QUIT") std::this_thread::sleep_for(3s);
    return line.starts_with("RCPT") ? std::string("550 no\r\n") : LinePeer::good(line);
  });
  LinePeer kind(&LinePeer::good);
  const auto refused_by = connect(mean.port());
  auto other_profile = profile(kind.port());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(send(*refused_by, kMail));
  const auto other = session(other_profile);
  EXPECT_TRUE(open(*other)) << "the hub's HTTP and SMTP share a thread";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2500ms);
}

TEST_F(SmtpTest, a_mail_that_was_cut_off_leaves_doubt_only_after_its_end_was_sent) {
  for (const auto& [command, doubt] : {std::pair("MAIL", false), std::pair("RCPT", false),
                                       std::pair("DATA", false), std::pair(".", true)}) {
    LinePeer peer([&](const std::string& line) {
      return line.starts_with(command) ? std::string() : LinePeer::good(line);
    });
    const auto made = connect(peer.port());
    const auto cut = send(*made, kMail);
    ASSERT_FALSE(cut) << command;
    EXPECT_EQ(cut.error().error_class, ErrorClass::kTransient) << command << cut.error().message;
    EXPECT_EQ(cut.error().outcome_unknown, doubt) << command;
  }
}

TEST_F(SmtpTest, a_greeting_that_refuses_is_a_loss_and_garbage_is_named) {
  LinePeer closed(&LinePeer::good, "554 5.3.2 No service\r\n");
  auto made = session(profile(closed.port()));
  const auto refused = open(*made);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::kTransient) << refused.error().message;
  EXPECT_EQ(refused.error().code, "server_refused");
  LinePeer web(&LinePeer::good, "HTTP/1.1 400 Bad Request\r\n\r\n");
  auto other = session(profile(web.port()));
  const auto garbage = open(*other, 3s);
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().error_class, ErrorClass::kTransient) << garbage.error().message;
}

TEST_F(SmtpTest, more_mails_than_allowed_wait_their_turn) {
  LinePeer peer(&LinePeer::good);
  const auto made = connect(peer.port(), R"({"maxPerMinute":2})");
  ASSERT_TRUE(send(*made, kMail));
  ASSERT_TRUE(send(*made, kMail));
  const auto busy = send(*made, kMail);
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().error_class, ErrorClass::kBusy);
  EXPECT_EQ(busy.error().code, "too_many_mails");
  EXPECT_GT(busy.error().retry_after_ms.value_or(0), 30'000);
  // A new session of the same connection has no new places.
  const auto again = connect(peer.port(), R"({"maxPerMinute":2})");
  EXPECT_FALSE(send(*again, kMail));
}

TEST_F(SmtpTest, INJ7_addresses_and_subjects_of_records_cannot_add_commands) {
  LinePeer peer(&LinePeer::good);
  const auto made = connect(peer.port());
  const auto refused = send(*made, R"({"to":["a@b\r\nRCPT TO:<evil@example.com>"],"text":"t"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "invalid_address");
  ASSERT_TRUE(send(
      *made,
      R"({"to":["a@b.example"],"text":"x\r\n.\r\nMAIL FROM:<evil@b.example>","subject":"x\r\nBcc: evil@b.example"})"));
  std::size_t commands = 0;
  for (const std::string& line : peer.lines()) {
    commands += line.starts_with("MAIL") || line.starts_with("RCPT") ? 1 : 0;
    EXPECT_EQ(line.find("\r\nBcc"), std::string::npos);
  }
  EXPECT_EQ(commands, 2U);
}

TEST_F(SmtpTest, what_is_too_large_or_too_many_is_refused_before_it_is_sent) {
  LinePeer peer(&LinePeer::good);
  const auto made = connect(peer.port(), R"({"maxMessageBytes":10240})");
  const std::string text(20'000, 'x');
  EXPECT_EQ(send(*made, fmt::format(R"({{"to":["a@b"],"text":"{}"}})", text)).error().code,
            "message_too_large");
  std::string many;
  for (int i = 0; i < 60; ++i) many += fmt::format("{}\"a{}@b\"", i == 0 ? "" : ",", i);
  EXPECT_EQ(
      send(*made, fmt::format(R"({{"to":[{}],"cc":[{}],"text":"t"}})", many, many)).error().code,
      "too_many_recipients");
  EXPECT_FALSE(peer.heard("MAIL"));
}

TEST_F(SmtpTest, H1_this_machine_is_refused_unless_it_is_listed) {
  test::TestContext strict;
  for (const char* host : {"127.0.0.1", "localhost", "::1", "169.254.169.254", "0.0.0.0"}) {
    auto refused_profile = profile(25);
    refused_profile.settings.insert_or_assign("host", host);
    auto made = connector_->make_session(strict.session_context(), refused_profile);
    ASSERT_TRUE(made) << made.error().message;
    const auto refused = strict.run((*made)->open(strict.in(5s), strict.stages()));
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, "egress_refused");
    EXPECT_EQ(refused.error().pointer, "/settings/host");
  }
}

}  // namespace
}  // namespace tributary::connectors::smtp
