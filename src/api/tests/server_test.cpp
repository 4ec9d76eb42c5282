#include "api/tests/hub_fixture.hpp"

namespace tributary::api {
namespace {

using test::read_reply;
using test::Reply;
using test::Wire;

class ServerTest : public test::HubTest {};

TEST_F(ServerTest, AnswersARequestThatComesByteByByte) {
  start();
  Wire wire(server_->port());
  for (char c : std::string_view("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")) wire.send({&c, 1});
  const Reply reply = read_reply(wire);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"status":"ok"})");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  Wire wire(server_->port());
  wire.send(
      "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing.txt HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(read_reply(wire).status, 200);
  EXPECT_EQ(read_reply(wire).status, 404);
  EXPECT_EQ(read_reply(wire).status, 200);
  EXPECT_EQ(wire.read_all(), "");
}

TEST_F(ServerTest, RefusesALargeHead) {
  start();
  Wire wire(server_->port());
  wire.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(20'000, 'a') + "\r\n\r\n");
  EXPECT_EQ(read_reply(wire).status, 431);
}

TEST_F(ServerTest, RefusesALargeBodyBeforeItComes) {
  start();
  Wire wire(server_->port());
  wire.send("POST /api/v1/connections HTTP/1.1\r\nHost: x\r\n" + bearer() +
            "Content-Type: application/json\r\nContent-Length: 5000000\r\n\r\n");
  EXPECT_EQ(read_reply(wire).status, 413);
}

TEST_F(ServerTest, RefusesALargeChunkedBody) {
  start();
  Wire wire(server_->port());
  wire.send("POST /api/v1/connections HTTP/1.1\r\nHost: x\r\n" + bearer() +
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n500000\r\n");
  EXPECT_EQ(read_reply(wire).status, 413);
}

TEST_F(ServerTest, TellsASlowHead) {
  Limits limits;
  limits.header = std::chrono::milliseconds{50};
  start(limits);
  Wire wire(server_->port());
  wire.send("GET /healthz HTTP/1.1\r\nHo");
  EXPECT_EQ(read_reply(wire).status, 408);
}

TEST_F(ServerTest, TellsASlowBody) {
  Limits limits;
  limits.body = std::chrono::milliseconds{50};
  start(limits);
  Wire wire(server_->port());
  wire.send("POST /api/v1/connections HTTP/1.1\r\nHost: x\r\n" + bearer() +
            "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{");
  EXPECT_EQ(read_reply(wire).status, 408);
}

TEST_F(ServerTest, EndsAnIdleConnectionSilently) {
  Limits limits;
  limits.idle = std::chrono::milliseconds{50};
  start(limits);
  Wire wire(server_->port());
  EXPECT_EQ(wire.read_all(), "");
}

TEST_F(ServerTest, WaitsForBodiesAfter100Continue) {
  start();
  Wire wire(server_->port());
  wire.send("POST /api/v1/connections HTTP/1.1\r\nHost: x\r\n" + bearer() +
            "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(wire.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  wire.send("[]");
  EXPECT_EQ(read_reply(wire).status, 422);
}

TEST_F(ServerTest, HeadHasNoBodyButItsLength) {
  start();
  const Reply reply = ask("HEAD", "/healthz");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Content-Length"), "15");
}

TEST_F(ServerTest, NeverAnswersBeyondItsConnections) {
  Limits limits;
  limits.connections = 1;
  start(limits);
  Wire first(server_->port());
  first.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_EQ(read_reply(first).status, 200);
  Wire second(server_->port());
  EXPECT_EQ(second.read_all(), "");
}

class BadRequests : public ServerTest,
                    public testing::WithParamInterface<std::pair<const char*, int>> {};

TEST_P(BadRequests, AreRefusedAndTheConnectionEnds) {
  start();
  Wire wire(server_->port());
  wire.send(GetParam().first);
  const Reply reply = read_reply(wire);
  EXPECT_EQ(reply.status, GetParam().second) << reply.head;
  EXPECT_EQ(reply.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(wire.read_all(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Server, BadRequests,
    testing::Values(
        std::pair{"\r\n\r\n\r\n", 400}, std::pair{"GET\r\n\r\n", 400},
        std::pair{"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        std::pair{"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505},
        std::pair{"GET / HTTP/1.1\r\n\r\n", 400},
        std::pair{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        std::pair{"GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        std::pair{"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        std::pair{"GET /?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        std::pair{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n0\r\n\r\n",
                  400},
        std::pair{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
                  400},
        std::pair{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
        std::pair{
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            400},
        std::pair{"\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03\r\n\r\n", 400}));

TEST_F(ServerTest, EveryAnswerCarriesTheSecurityHeaders) {
  start();
  for (const char* path :
       {"/healthz", "/api/v1/connections", "/api/v1/nothing", "/nothing.txt", "/"}) {
    for (const std::string& headers : {bearer(), std::string()}) {
      const Reply reply = ask("GET", path, {}, headers);
      const std::string policy = reply.header("Content-Security-Policy");
      EXPECT_NE(policy.find("default-src 'self'"), std::string::npos) << path;
      EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos) << path;
      EXPECT_EQ(policy.find("unsafe"), std::string::npos) << path;
      EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff") << path;
      EXPECT_EQ(reply.header("Referrer-Policy"), "no-referrer") << path;
      EXPECT_EQ(reply.header("Cross-Origin-Opener-Policy"), "same-origin") << path;
      EXPECT_EQ(reply.header("Cache-Control"), "no-store") << path;
    }
  }
}

TEST_F(ServerTest, ServesTheWebInterface) {
  assets_ = {{"/assets/app-1a2b.js", "text/javascript", "aa", "let a;", "zipped", true},
             {"/index.html", "text/html; charset=utf-8", "bb", "<style nonce=\"__CSP_NONCE__\">",
              "", false}};
  start();
  const Reply page = ask("GET", "/connections/01J", {}, "");
  EXPECT_EQ(page.status, 200);
  const auto at = page.header("Content-Security-Policy").find("'nonce-");
  ASSERT_NE(at, std::string::npos);
  const std::string nonce = page.header("Content-Security-Policy").substr(at + 7, 32);
  EXPECT_EQ(page.body, "<style nonce=\"" + nonce + "\">");
  const Reply script = ask("GET", "/assets/app-1a2b.js", {}, "Accept-Encoding: gzip, br\r\n");
  EXPECT_EQ(script.body, "zipped");
  EXPECT_EQ(script.header("Content-Encoding"), "gzip");
  EXPECT_EQ(script.header("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(ask("GET", "/assets/app-1a2b.js", {}, "If-None-Match: \"aa\"\r\n").status, 304);
  EXPECT_EQ(ask("GET", "/assets/gone.js", {}, "").status, 404);
  EXPECT_EQ(ask("POST", "/index.html", {}, "").status, 405);
}

TEST_F(ServerTest, EncodedPathsNeverReachThePageOrTheApi) {
  assets_ = {{"/index.html", "text/html", "bb", "page", "", false}};
  start();
  for (const char* path : {"//api/v1/connections", "/API/v1/connections", "/%61pi/v1/connections/",
                           "/./api/v1/connections", "/x/../api/v1/connections"}) {
    EXPECT_EQ(ask("GET", path, {}, "").status, 401) << path;
  }
}

TEST_F(ServerTest, TheControlSocketNeedsNoToken) {
  start();
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder_ + "/control.sock";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::string_view request =
      "GET /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(::send(socket, request.data(), request.size(), 0), std::ssize(request));
  std::string reply;
  char buffer[1024];
  for (ssize_t size; (size = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
    reply.append(buffer, static_cast<std::size_t>(size));
  ::close(socket);
  EXPECT_NE(reply.find(R"({"name":"local","role":"admin","via":"local"})"), std::string::npos)
      << reply;
}

TEST_F(ServerTest, APortThatIsTakenIsNamed) {
  start();
  ServerOptions options;
  options.port = server_->port();
  options.tls = TlsMode::kOff;
  options.data_dir = folder_;
  auto second = Server::make(*services_, options, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "port_taken");
}

TEST_F(ServerTest, PlainHttpStaysOnLoopback) {
  ServerOptions options;
  options.host = "0.0.0.0";
  options.port = 0;
  options.tls = TlsMode::kOff;
  options.data_dir = folder_;
  auto made = Server::make(*services_, options, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "plain_http_refused");
}

}  // namespace
}  // namespace tributary::api
