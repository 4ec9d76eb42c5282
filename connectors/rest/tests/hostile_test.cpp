// Servers that want to harm: H1, H2, H3 and H5 of the security checklist, and streams that break.
#include <fstream>

#include "connectors/rest/tests/fixture.hpp"
#include "net/system_network.hpp"

namespace tributary::connectors::rest {
namespace {

using test::Script;
using test::ScriptedPeer;

// A scripted peer that first lets the session open.
std::vector<Script> after_opening(Script script) {
  std::vector<Script> scripts;
  scripts.push_back(
      Script().receive_any().send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").close());
  scripts.push_back(std::move(script));
  return scripts;
}

TEST_F(RestTest, H1_this_machine_and_metadata_addresses_are_refused_in_every_spelling) {
  const test::RefusingPort port;
  for (const std::string host :
       {"127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "localhost.", "a.localhost", "[::1]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "169.254.169.254", "[fe80::1]",
        "metadata.google.internal", "[64:ff9b::7f00:1]"}) {
    test::TestContext strict;  // nothing is listed
    auto refused_profile = profile(port.port());
    refused_profile.settings.insert_or_assign("baseUrl",
                                              fmt::format("http://{}:{}/", host, port.port()));
    auto made = connector_->make_session(strict.session_context(), refused_profile);
    ASSERT_TRUE(made) << made.error().message;
    const auto opened = strict.run((*made)->open(strict.in(5s), strict.stages()));
    ASSERT_FALSE(opened) << host;
    EXPECT_EQ(opened.error().code, "egress_refused") << host << ": " << opened.error().message;
    EXPECT_EQ(opened.error().error_class, ErrorClass::kConfiguration);
    EXPECT_EQ(opened.error().pointer, "/settings/baseUrl");
    EXPECT_TRUE(opened.error().hint.contains("--allow-egress"));
  }
  for (const std::string url :
       {"http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
        "file:///etc/passwd", "gopher://127.0.0.1/", "unix:///run/x.sock",
        "http://user:pw@192.0.2.1/", "http://[fe80::1%25eth0]/"}) {
    auto refused_profile = profile(port.port());
    refused_profile.settings.insert_or_assign("baseUrl", url);
    const auto made = connector_->make_session(context_.session_context(), refused_profile);
    ASSERT_FALSE(made) << url;
    EXPECT_EQ(made.error().code, "invalid_url") << url;
  }
}

TEST_F(RestTest, H2_a_name_that_changes_its_mind_is_not_followed) {
  HttpPeer peer([](const std::string&) { return answer("200 OK"); });
  // Allowed at first, the metadata service later.
  std::atomic<int> lookups{0};
  const auto network = net::make_network(context_.timers(), [&](const std::string&) {
    return Result<std::vector<std::string>>(
        std::vector<std::string>{++lookups == 1 ? "127.0.0.1" : "169.254.169.254"});
  });
  http::Client client(context_.clock(), *network, http::EgressGuard({{"127.0.0.1", peer.port()}}));
  auto named = profile(peer.port());
  named.settings.insert_or_assign("baseUrl",
                                  fmt::format("http://api.plant.example:{}", peer.port()));
  const sdk::SessionContext context{context_.executor(), context_.clock(),
                                    context_.timers(),   *network,
                                    context_.events(),   &client};
  const auto made = connector_->make_session(context, named).value();
  ASSERT_TRUE(open(*made));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(call(*made, "rest.request", "{}"));
  EXPECT_EQ(lookups, 1) << "what was checked is what is used";
  EXPECT_EQ(peer.accepted(), 1U);
  // The next session looks again, and is refused.
  const auto again = connector_->make_session(context, named).value();
  const auto refused = open(*again);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "egress_refused");
}

TEST_F(RestTest, H3_redirects_are_not_followed_wherever_they_lead) {
  HttpPeer elsewhere([](const std::string&) { return answer("200 OK", "secret"); });
  context_.allow_egress(elsewhere.port());
  for (const std::string& location :
       {std::string("http://169.254.169.254/latest/meta-data/"), std::string("file:///etc/passwd"),
        fmt::format("http://127.0.0.1:{}/", elsewhere.port()), std::string("/elsewhere")}) {
    HttpPeer peer([&](const std::string&) {
      return answer("302 Found", "", "Location: " + location + "\r\n");
    });
    const auto made = connect(peer.port());
    const auto refused = call(*made, "rest.request", "{}");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "redirect_not_followed");
    EXPECT_EQ(peer.calls().size(), 1U);
  }
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(RestTest, H5_a_body_without_end_stops_at_the_limit) {
  HttpPeer peer([](const std::string&) {
    return "HTTP/1.1 200 OK\r\n\r\n" + std::string(std::size_t{11} << 20U, 'x');
  });
  const auto made = connect(peer.port());
  const std::size_t before = test::resident_bytes();
  const auto refused = call(*made, "rest.request", "{}", "{}", 30s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "answer_too_large");
  EXPECT_EQ(refused.error().error_class, ErrorClass::kFunction);
  EXPECT_LT(test::resident_bytes(), before + (std::size_t{64} << 20U));
  EXPECT_TRUE(context_.run(made->check_health(context_.in(5s)))) << "the session goes on";
}

TEST_F(RestTest, H5_a_slow_body_ends_at_the_deadline) {
  ScriptedPeer peer(after_opening(Script()
                                      .receive_any()
                                      .send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                                      .send(std::string(200, 'x'), 20ms, 1)));
  const auto made = connect(peer.port());
  const auto begin = std::chrono::steady_clock::now();
  const auto late = call(*made, "rest.request", "{}", "{}", 500ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
}

TEST_F(RestTest, H5_ten_thousand_headers_are_too_many) {
  std::string headers = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 10'000; ++i) headers += fmt::format("X-{}: y\r\n", i);
  HttpPeer many([&](const std::string&) { return headers + "\r\n"; });
  const auto made = connect(many.port());
  const auto refused = call(*made, "rest.request", "{}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "answer_too_large") << refused.error().message;
  HttpPeer one([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nX-Long: " + std::string(std::size_t{4} << 20U, 'y') + "\r\n\r\n";
  });
  const auto other = connect(one.port());
  const auto long_one = call(*other, "rest.request", "{}");
  ASSERT_FALSE(long_one);
  EXPECT_EQ(long_one.error().code, "answer_too_large") << long_one.error().message;
}

std::string gzip(const std::string& text) {
  const test::TempDir folder;
  const auto plain = folder.path() / "plain";
  std::ofstream(plain) << text;
  test::Process({"/bin/gzip", "-9", plain.string()}).wait();
  std::ifstream packed(folder.path() / "plain.gz", std::ios::binary);
  return {std::istreambuf_iterator<char>(packed), {}};
}

TEST_F(RestTest, H5_a_packed_answer_that_unpacks_beyond_all_measure_is_refused) {
  const std::string bomb = gzip(std::string(std::size_t{9} << 20U, '0'));
  ASSERT_LT(bomb.size() * 100, std::size_t{9} << 20U);
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += fmt::format("{},", i * 7919);
  const std::string honest = gzip(text);
  HttpPeer peer([&](const std::string& request) {
    return answer("200 OK", request.starts_with("GET /bomb") ? bomb : honest,
                  "Content-Encoding: gzip\r\nContent-Type: text/plain\r\n");
  });
  const auto made = connect(peer.port());
  const auto refused = call(*made, "rest.request", R"({"path":"/bomb"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "answer_too_large");
  EXPECT_TRUE(refused.error().message.contains("100 times")) << refused.error().message;
  EXPECT_EQ(record(call(*made, "rest.request", R"({"path":"/honest"})")).at("body").as_string(),
            text);
}

TEST_F(RestTest, a_stream_that_breaks_in_the_middle_is_a_loss) {
  struct Case {
    Script script;
    std::vector<std::string> codes;
  };
  const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
  std::vector<Case> cases;
  cases.push_back({Script().receive_any().send(half).close(), {"connection_closed"}});
  cases.push_back(
      {Script().receive_any().send(half).reset(), {"connection_reset", "connection_closed"}});
  cases.push_back({Script().receive_any().close(), {"connection_closed"}});
  cases.push_back(
      {Script().receive_any().send("SSH-2.0-OpenSSH_9.2\r\n").mute(), {"protocol_error"}});
  cases.push_back(
      {Script()
           .receive_any()
           .send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")
           .mute(),
       {"protocol_error"}});
  for (Case& each : cases) {
    ScriptedPeer peer(after_opening(std::move(each.script)));
    const auto made = connect(peer.port());
    const auto lost = call(*made, "rest.request", R"({"method":"POST"})", R"({"payload":1})");
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().error_class, ErrorClass::kTransient) << lost.error().message;
    EXPECT_THAT(each.codes, testing::Contains(lost.error().code)) << lost.error().message;
    EXPECT_TRUE(lost.error().outcome_unknown) << lost.error().message;
  }
}

}  // namespace
}  // namespace tributary::connectors::rest
