// Live events against a real hub: a WebSocket spoken by hand, and server-sent events.
#include "api/tests/hub_fixture.hpp"

namespace tributary::api {
namespace {

using test::Reply;
using test::Wire;

// The client's side of RFC 6455, as small as the tests need.
class Socket {
 public:
  Socket(std::uint16_t port, const std::string& headers) : wire_(port) {
    wire_.send(
        "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
        "Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        headers + "\r\n");
    head = wire_.read_until("\r\n\r\n");
  }
  // The mask is zero: the payload stays as it is.
  void send(const std::string& text) {
    std::string frame = "\x81";
    if (text.size() < 126) {
      frame.push_back(static_cast<char>(0x80 | text.size()));
    } else {
      frame.push_back(static_cast<char>(0x80 | 127));
      for (int shift = 56; shift >= 0; shift -= 8)
        frame.push_back(static_cast<char>(text.size() >> shift));
    }
    frame.append(4, '\0');
    wire_.send(frame + text);
  }
  struct Frame {
    int opcode = -1;  // -1: the connection is over
    std::string payload;
  };
  Frame receive() {
    const std::string start = wire_.read_bytes(2);
    if (start.size() < 2) return {};
    std::size_t size = static_cast<unsigned char>(start[1]);
    if (size >= 126) {
      const std::string extended = wire_.read_bytes(size == 126 ? 2 : 8);
      size = 0;
      for (char c : extended) size = size * 256 + static_cast<unsigned char>(c);
    }
    return {start[0] & 0x0f, wire_.read_bytes(size)};
  }
  // The next text message; null when the connection ended.
  Json message() {
    while (true) {
      const Frame frame = receive();
      if (frame.opcode == 1) return *parse_json(frame.payload);
      if (frame.opcode == 9) continue;
      return Json::null();
    }
  }
  // The code of the close frame.
  int close_code() {
    while (true) {
      const Frame frame = receive();
      if (frame.opcode == 8) {
        return static_cast<unsigned char>(frame.payload[0]) * 256 +
               static_cast<unsigned char>(frame.payload[1]);
      }
      if (frame.opcode < 0) return 0;
    }
  }
  std::string head;

 private:
  Wire wire_;
};

class StreamTest : public test::HubTest {
 protected:
  std::string make(const std::string& path, const std::string& body) {
    const Reply reply = ask("POST", path, body);
    EXPECT_EQ(reply.status, 201) << reply.body;
    return get_string(reply.json(), "id");
  }
  std::string make_connection(bool autostart = false) {
    return make(
        "/api/v1/connections",
        fmt::format(
            R"({{"name":"Line","type":"counter","settings":{{"host":"h"}},"autostart":{}}})",
            autostart));
  }
};

TEST_F(StreamTest, TellsEveryChangeOfStatus) {
  start();
  const std::string id = make_connection();
  Socket socket(server_->port(), bearer());
  ASSERT_TRUE(socket.head.starts_with("HTTP/1.1 101")) << socket.head;
  socket.send(R"({"subscribe":1,"topic":"connections"})");
  const Json snapshot = socket.message();
  EXPECT_EQ(snapshot.at("type"), "snapshot");
  EXPECT_EQ(snapshot.at("seq"), 1);
  ASSERT_EQ(snapshot.at("data").size(), 1U);
  EXPECT_EQ(snapshot.at("data")[0].at("state").at("status"), "Idle");
  ASSERT_EQ(ask("POST", "/api/v1/connections/" + id + "/start").status, 200);
  std::vector<std::string> seen;
  while (seen.empty() || seen.back() != "Connected") {
    const Json delta = socket.message();
    ASSERT_TRUE(delta.is_object()) << "the stream ended";
    EXPECT_EQ(delta.at("type"), "delta");
    const std::string status = get_string(delta.at("data").at("state"), "status");
    // The news that it was made may still be on its way when the snapshot is taken.
    if (status != "Idle") seen.push_back(status);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"Connecting", "Connected"}));
}

TEST_F(StreamTest, ValuesComeAtMostFiveTimesASecond) {
  start();
  const std::string connection = make_connection(true);
  const std::string function =
      make("/api/v1/connections/" + connection + "/functions",
           R"({"name":"f","type":"counter.subscribe","settings":{"intervalMs":10}})");
  Socket socket(server_->port(), bearer());
  socket.send(fmt::format(R"({{"subscribe":5,"topic":"values","functionId":"{}"}})", function));
  EXPECT_EQ(socket.message().at("type"), "snapshot");
  std::vector<std::int64_t> values;
  const auto begin = std::chrono::steady_clock::now();
  while (values.size() < 6) {
    const Json delta = socket.message();
    ASSERT_TRUE(delta.is_object()) << "the stream ended";
    const Json& samples = delta.at("data").at("samples");
    if (samples[0].at("quality") == "good")
      values.push_back(samples[0].at("value").as<std::int64_t>());
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds{5 * 190});
  EXPECT_TRUE(std::ranges::is_sorted(values));
  EXPECT_GT(values.back() - values[1], 8) << "what comes faster is skipped, not queued";
}

TEST_F(StreamTest, RefusesWhatItDoesNotKnow) {
  start();
  Socket socket(server_->port(), bearer());
  socket.send(R"({"subscribe":1,"topic":"values","functionId":"nobody"})");
  const Json answer = socket.message();
  EXPECT_EQ(answer.at("type"), "error");
  EXPECT_EQ(answer.at("id"), 1);
  EXPECT_EQ(answer.at("error").at("code"), "not_found");
  socket.send("not json");
  EXPECT_EQ(socket.message().at("error").at("code"), "invalid_json");
}

TEST_F(StreamTest, EndsAMessageThatIsTooLarge) {
  start();
  Socket socket(server_->port(), bearer());
  socket.send(std::string(70'000, 'x'));
  EXPECT_EQ(socket.close_code(), kMessageTooBig);
}

TEST_F(StreamTest, EndsAClientThatAsksTooMuch) {
  start();
  Socket socket(server_->port(), bearer());
  for (int i = 0; i < 400; ++i) socket.send(R"({"unsubscribe":1})");
  EXPECT_EQ(socket.close_code(), kPolicyViolation);
}

TEST_F(StreamTest, NeedsCredentialsAndTheOwnOrigin) {
  start();
  EXPECT_TRUE(Socket(server_->port(), "").head.starts_with("HTTP/1.1 401"));
  EXPECT_TRUE(Socket(server_->port(), bearer() + "Origin: https://evil.example\r\n")
                  .head.starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(Socket(server_->port(), bearer() + "Origin: http://localhost\r\n")
                  .head.starts_with("HTTP/1.1 101"));
}

TEST_F(StreamTest, EndsSoonAfterItsTokenWasRevoked) {
  start();
  Socket socket(server_->port(), bearer());
  const std::string id = get_string(ask("GET", "/api/v1/tokens").json().at("items")[0], "id");
  auto revoke = [this, id]() -> Task<void> {
    auto revoked = co_await auth_->revoke_token(id);
    EXPECT_TRUE(revoked);
  };
  asio::co_spawn(runtime_->control(), revoke, asio::use_future).wait();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(socket.close_code(), kSignedOut);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
}

TEST_F(StreamTest, SpeaksServerSentEventsToScripts) {
  start();
  make_connection();
  Wire wire(server_->port());
  wire.send(
      "GET /api/v1/stream?topic=connections HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n" +
      bearer() + "\r\n");
  const std::string head = wire.read_until("\r\n\r\n");
  EXPECT_NE(head.find("Content-Type: text/event-stream"), std::string::npos) << head;
  const std::string event = wire.read_until("\n\n");
  EXPECT_NE(event.find("event: snapshot\ndata: {\"id\":1,\"seq\":1,\"type\":\"snapshot\""),
            std::string::npos)
      << event;
}

TEST_F(StreamTest, WrongTopicsOfScriptsAreProblems) {
  start();
  const std::string accept = bearer() + "Accept: text/event-stream\r\n";
  EXPECT_EQ(ask("GET", "/api/v1/stream", {}, accept).status, 400);
  EXPECT_EQ(ask("GET", "/api/v1/stream?topic=values&functionId=x", {}, accept).status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/stream?topic=connections").status, 400);
}

}  // namespace
}  // namespace tributary::api
