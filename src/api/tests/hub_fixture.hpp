// A real hub without its program: every module on a temporary folder, a connector that invents
// values, and the server on a free port of loopback.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>

#include "api/metrics.hpp"
#include "api/server.hpp"
#include "api/stream_hub.hpp"
#include "net/stream.hpp"
#include "notices/notices.hpp"
#include "secrets/vault.hpp"

namespace tributary::api::test {

// A counter that goes up with every read.
class CounterSession final : public sdk::Session {
 public:
  Task<Result<sdk::PeerIdentity>> open(SteadyTime, net::StageObserver&) override {
    co_return sdk::PeerIdentity{};
  }
  Task<Result<void>> check_health(SteadyTime) override { co_return Result<void>{}; }
  Task<Result<Batch>> call(const sdk::Operation& operation, const Json&, SteadyTime) override {
    Sample sample;
    sample.value = std::int64_t{++count_};
    co_return Batch::of(Scan{operation.points(), UtcTime{std::chrono::seconds{1}}, {sample}});
  }
  Task<void> close(SteadyTime) override { co_return; }
  void abort() noexcept override {}

 private:
  std::int64_t count_ = 0;
};

class CounterOperation final : public sdk::Operation {
 public:
  std::shared_ptr<const PointNames> points() const override { return names_; }

 private:
  std::shared_ptr<const PointNames> names_ =
      std::make_shared<const PointNames>(PointNames{"count"});
};

class CounterConnector final : public sdk::Connector {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(const sdk::Profile&,
                                                        const sdk::FunctionSpec&) const override {
    return std::make_shared<const CounterOperation>();
  }
  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext&,
                                                     const sdk::Profile&) override {
    return std::make_unique<CounterSession>();
  }
};

inline sdk::Resources counter_resources() {
  sdk::Resources resources;
  resources.manifest =
      R"({"type":"counter","title":"Counter","category":"Test","family":"fieldDevice","summary":"Counts.",
          "capabilities":["read","subscribe"],"aliases":[],"library":"own","licence":"Apache-2.0","maxConcurrentCalls":1})";
  resources.connection_schema =
      R"({"type":"object","title":"Counter","required":["host"],"properties":{"host":{"type":"string","title":"Host"},
          "password":{"type":"string","title":"Password","x-secret":true}}})";
  resources.function_schemas = {
      R"({"x-function":"counter.read","x-kind":"read","title":"Read","description":"Reads.","type":"object","properties":{}})",
      R"({"x-function":"counter.subscribe","x-kind":"subscribe","x-polled":true,"title":"Subscribe","description":"Subscribes.",
          "type":"object","properties":{"intervalMs":{"type":"integer","title":"Interval","default":20,"minimum":10},
          "reportOn":{"type":"string","title":"Report","enum":["change","always"],"default":"always"},
          "deadband":{"type":"number","title":"Deadband","default":0}}})"};
  resources.guide = "# Counter\n";
  return resources;
}

// One TCP connection to the server under test, blocking.
class Wire {
 public:
  explicit Wire(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Wire() { ::close(socket_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(std::string_view text) {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
  }
  // Everything until the server ends the connection.
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(received_, {});
  }
  // Until `mark` was received; what follows it stays.
  std::string read_until(std::string_view mark) {
    while (received_.find(mark) == std::string::npos) {
      if (!read_some()) break;
    }
    auto at = received_.find(mark);
    if (at == std::string::npos) return std::exchange(received_, {});
    std::string found = received_.substr(0, at + mark.size());
    received_.erase(0, at + mark.size());
    return found;
  }
  std::string read_bytes(std::size_t size) {
    while (received_.size() < size && read_some()) {
    }
    std::string found = received_.substr(0, size);
    received_.erase(0, found.size());
    return found;
  }

 private:
  bool read_some() {
    char buffer[4096];
    const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  int socket_;
  std::string received_;
};

struct Reply {
  int status = 0;
  std::string head;  // header lines as sent
  std::string body;

  std::string header(std::string_view name) const {
    const std::string wanted = "\r\n" + std::string(name) + ": ";
    auto at = head.find(wanted);
    if (at == std::string::npos) return {};
    at += wanted.size();
    return head.substr(at, head.find("\r\n", at) - at);
  }
  Json json() const {
    auto parsed = parse_json(body);
    EXPECT_TRUE(parsed) << body;
    return parsed ? *parsed : Json::null();
  }
};

inline Reply read_reply(Wire& wire, bool has_body = true) {
  Reply reply;
  reply.head = wire.read_until("\r\n\r\n");
  if (reply.head.size() < 12) return reply;
  reply.status = std::stoi(reply.head.substr(9, 3));
  const std::string length = reply.header("Content-Length");
  if (has_body && !length.empty()) reply.body = wire.read_bytes(std::stoul(length));
  return reply;
}

class HubTest : public testing::Test {
 protected:
  HubTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tributary-api-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    store_ = std::move(*store::Store::open(folder_, clock_));
    vault_ = std::move(*secrets::Vault::open(folder_, true));
    EXPECT_TRUE(registry_.add(counter_resources(), std::make_unique<CounterConnector>()));
    token_ = *auth::Auth::create_token_offline(*store_, clock_, "test", "admin");
    runtime_ = std::make_unique<Runtime>(1, clock_, *timers_);
    auth_ = std::make_unique<auth::Auth>(*store_, clock_, runtime_->control());
    connect::ManagerOptions options;
    options.start_spread = std::chrono::milliseconds{1};
    manager_ = std::make_unique<connect::Manager>(*runtime_, *network_, *store_, *vault_, registry_,
                                                  options);
    orchestrate::EngineOptions engine_options;
    engine_options.vault = vault_.get();
    engine_ = std::make_unique<orchestrate::Engine>(*runtime_, *store_, *manager_, nullptr,
                                                    std::move(engine_options));
    http_ = std::make_unique<http::Client>(clock_, *network_, http::EgressGuard());
    notices_ = std::make_unique<notices::Notices>(*runtime_, *store_, *vault_, *manager_, *http_);
    metrics_ = std::make_unique<Metrics>("0.0.0");
    streams_ = std::make_unique<StreamHub>(*runtime_, *auth_, *manager_, *engine_, *metrics_);
    services_ = std::make_unique<Services>(Services{
        *runtime_, *store_, *vault_, *auth_, *manager_, *engine_, *notices_, *metrics_, *streams_,
        "0.0.0", clock_.utc_now(), clock_.steady_now(), "openapi: 3.1.0\n", [] { return false; }});
    EXPECT_TRUE(auth_->load());
    EXPECT_TRUE(notices_->load());
    EXPECT_TRUE(manager_->load());
    EXPECT_TRUE(engine_->load());
  }

  void start(Limits limits = {}) {
    ServerOptions options;
    options.port = 0;
    options.tls = TlsMode::kOff;
    options.data_dir = folder_;
    options.limits = limits;
    auto made = Server::make(*services_, std::move(options), assets_);
    ASSERT_TRUE(made) << made.error().message;
    server_ = std::move(*made);
    on_control([this] {
      streams_->start();
      server_->start();
    });
  }

  ~HubTest() override {
    if (server_) {
      on_control([this] { streams_->stop(); });
      const Duration limit = std::chrono::seconds{2};
      asio::co_spawn(runtime_->control(), server_->shutdown(limit), asio::use_future).wait();
    }
    on_control([this] { notices_->stop(); });
    const Duration limit = std::chrono::seconds{2};
    asio::co_spawn(runtime_->control(), engine_->shutdown(limit), asio::use_future).wait();
    asio::co_spawn(runtime_->control(), manager_->shutdown(limit), asio::use_future).wait();
    runtime_->stop();
    server_.reset();
    services_.reset();
    streams_.reset();
    metrics_.reset();
    engine_.reset();
    notices_.reset();
    http_.reset();
    manager_.reset();
    auth_.reset();
    store_.reset();
    runtime_.reset();
    std::filesystem::remove_all(folder_);
  }

  template <typename F>
  void on_control(F work) {
    std::promise<void> done;
    asio::post(runtime_->control(), [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  std::string bearer() const { return "Authorization: Bearer " + token_ + "\r\n"; }
  // One request on a connection of its own. `headers` end with CRLF each.
  Reply ask(std::string_view method, std::string_view path, std::string_view body = {},
            std::string headers = "own") {
    if (headers == "own") headers = bearer();
    Wire wire(server_->port());
    std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}",
                                   method, path, headers);
    if (!body.empty())
      text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
    wire.send(text + "\r\n" + std::string(body));
    return read_reply(wire, method != "HEAD");
  }

  SystemClock clock_;
  std::unique_ptr<Timers> timers_ = make_system_timers();
  std::unique_ptr<net::Network> network_ = net::make_system_network(*timers_);
  std::string folder_;
  std::string token_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<secrets::Vault> vault_;
  sdk::Registry registry_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<auth::Auth> auth_;
  std::unique_ptr<connect::Manager> manager_;
  std::unique_ptr<orchestrate::Engine> engine_;
  std::unique_ptr<http::Client> http_;
  std::unique_ptr<notices::Notices> notices_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<StreamHub> streams_;
  std::unique_ptr<Services> services_;
  std::vector<WebAsset> assets_;
  std::unique_ptr<Server> server_;
};

}  // namespace tributary::api::test
