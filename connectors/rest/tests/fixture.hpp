// Sessions for the tests of the connector, and a server that answers what a test says.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "connectors/rest/resources.hpp"
#include "connectors/rest/settings.hpp"
#include "schema/schema.hpp"
#include "tests/support/nginx.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/support/test_context.hpp"

namespace tributary::connectors::rest {

using namespace std::chrono_literals;
using test::Nginx;

// "HTTP/1.1 200 OK …" with this body; the connection stays open.
inline std::string answer(const std::string& status, const std::string& body = {},
                          const std::string& headers = {}) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers,
                     body);
}
inline std::string json_answer(const std::string& body, const std::string& headers = {}) {
  return answer("200 OK", body, "Content-Type: application/json\r\n" + headers);
}

// A loopback server, a thread for each connection. What `respond` says is sent as it is; an empty
// text ends the connection.
class HttpPeer {
 public:
  using Respond = std::function<std::string(const std::string& request)>;

  explicit HttpPeer(Respond respond) : respond_(std::move(respond)) {
    listener_ = test::listen_loopback(port_);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~HttpPeer() {
    test::wake(stop_);
    accepting_.join();
    for (auto& thread : serving_) thread.join();
  }
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  std::uint16_t port() const { return port_; }
  std::size_t accepted() const { return accepted_; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // Without those that open() makes.
  std::vector<std::string> calls() const {
    std::vector<std::string> all = requests();
    std::erase_if(all, [](const std::string& text) { return text.starts_with("HEAD / "); });
    return all;
  }

 private:
  void accept_all();
  void serve(test::Descriptor peer);
  // Reads until a whole request is there; nothing when the connection ended.
  std::string next_request(const test::Descriptor& peer, std::string& buffer);

  Respond respond_;
  std::uint16_t port_ = 0;
  test::Descriptor listener_;
  test::Descriptor stop_ = test::make_wake();
  std::thread accepting_;
  std::vector<std::thread> serving_;
  std::atomic<std::size_t> accepted_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
};

class RestTest : public testing::Test {
 protected:
  RestTest();
  ~RestTest() override { context_.drain(); }
  static Json json(std::string_view text) { return parse_json(text).value(); }

  sdk::Profile profile(std::uint16_t port, const std::string& more = "{}");
  std::unique_ptr<sdk::Session> session(const sdk::Profile& profile);
  Result<sdk::PeerIdentity> open(sdk::Session& session, Duration time = 10s);
  std::unique_ptr<sdk::Session> connect(std::uint16_t port, const std::string& more = "{}");
  Result<std::shared_ptr<const sdk::Operation>> prepare(const std::string& type,
                                                        const std::string& settings) const;
  Result<Batch> call(sdk::Session& session, const std::string& type, const std::string& settings,
                     const std::string& parameters = "{}", Duration time = 10s);
  // The one record of an answer.
  static Json record(const Result<Batch>& batch);

  test::TestContext context_;
  std::unique_ptr<sdk::Connector> connector_ = make_connector();
};

}  // namespace tributary::connectors::rest
