// The client against real sockets: what arrives, what comes back, and what it refuses to do.
#include "http/client.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "net/system_network.hpp"
#include "receiver.hpp"

namespace tributary::http {
namespace {

using namespace std::chrono_literals;

class HttpClient : public testing::Test {
 protected:
  // Names resolve to what the test says; how often is counted.
  std::unique_ptr<net::Network> network_of_names() {
    return net::make_network(*timers_, [this](const std::string&) {
      const std::size_t index = std::min(lookups_++, answers_.size() - 1);
      return Result<std::vector<std::string>>(answers_[index]);
    });
  }
  void allow(std::vector<AllowedTarget> allowed) {
    client_.reset();
    client_ = std::make_unique<Client>(clock_, *network_, EgressGuard(std::move(allowed)));
  }
  Result<Answer> send(Request request, Duration limit = 10s) {
    std::optional<Result<Answer>> result;
    asio::co_spawn(context_, client_->send(std::move(request), clock_.steady_now() + limit),
                   [&](std::exception_ptr failure, Result<Answer> answer) {
                     if (failure) std::rethrow_exception(failure);
                     result = std::move(answer);
                   });
    context_.restart();
    auto guard = asio::make_work_guard(context_);
    while (!result) context_.run_one();
    return std::move(*result);
  }
  static Request post(const std::string& url, std::string body = "{}") {
    return {"POST", url, {{"Content-Type", "application/json"}}, std::move(body)};
  }
  static std::string local(std::uint16_t port, std::string_view path = "/hook") {
    return fmt::format("http://127.0.0.1:{}{}", port, path);
  }

  SystemClock clock_;
  std::unique_ptr<Timers> timers_ = make_system_timers();
  std::size_t lookups_ = 0;
  std::vector<std::vector<std::string>> answers_{{"127.0.0.1"}};
  std::unique_ptr<net::Network> network_ = network_of_names();
  asio::io_context context_{1};
  std::unique_ptr<Client> client_;
};

TEST_F(HttpClient, SendsTheRequestAndAnswersWhatCameBack) {
  Receiver receiver([](const std::string&) { return Receiver::answer("201 Created", "thanks"); });
  allow({{"127.0.0.1", receiver.port()}});
  const auto answer = send(post(local(receiver.port(), "/hook?line=3"), R"({"a":1})"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "thanks");
  ASSERT_EQ(receiver.requests().size(), 1u);
  const std::string request = receiver.requests()[0];
  EXPECT_TRUE(request.starts_with("POST /hook?line=3 HTTP/1.1\r\n")) << request;
  EXPECT_TRUE(request.contains("Content-Type: application/json\r\n")) << request;
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":1}")) << request;
}

TEST_F(HttpClient, H1AnAddressThatIsNotListedGetsNoConnection) {
  Receiver receiver([](const std::string&) { return Receiver::answer("200 OK"); });
  allow({});
  const auto answer = send(post(local(receiver.port())));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "egress_refused");
  EXPECT_TRUE(receiver.requests().empty());
}

TEST_F(HttpClient, H1ANameThatLeadsToThisMachineGetsNoConnection) {
  Receiver receiver([](const std::string&) { return Receiver::answer("200 OK"); });
  allow({});
  const auto answer = send(post(fmt::format("http://alarms.example:{}/", receiver.port())));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "egress_refused");
  EXPECT_TRUE(receiver.requests().empty());
}

TEST_F(HttpClient, H2OneForbiddenAddressAmongAllowedOnesIsEnough) {
  answers_ = {{"192.0.2.10", "169.254.169.254"}};
  allow({});
  const auto answer = send(post("http://alarms.example/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "egress_refused");
}

// The name leads to an allowed address first and to a forbidden one a moment later: it is asked
// once, and the connection goes to the first answer.
TEST_F(HttpClient, H2TheNameIsResolvedOnceAndTheCheckedAddressIsConnected) {
  Receiver checked([](const std::string&) { return Receiver::answer("200 OK", "checked"); },
                   "127.0.0.2");
  answers_ = {{"127.0.0.2"}, {"127.0.0.1"}};
  allow({{"127.0.0.2", checked.port()}});
  const auto answer = send(post(fmt::format("http://alarms.example:{}/", checked.port())));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "checked");
  EXPECT_EQ(lookups_, 1u);
  EXPECT_TRUE(checked.requests()[0].contains("Host: alarms.example"));
}

// The second request must not find the first one's address in a cache of curl's.
TEST_F(HttpClient, H2EachRequestGoesToItsOwnCheckedAddress) {
  Receiver first([](const std::string&) { return Receiver::answer("200 OK", "first"); },
                 "127.0.0.2");
  answers_ = {{"127.0.0.2"}, {"127.0.0.3"}};
  allow({{"127.0.0.2", first.port()}, {"127.0.0.3", first.port()}});
  const std::string url = fmt::format("http://alarms.example:{}/", first.port());
  ASSERT_TRUE(send(post(url)));
  const auto second = send(post(url));
  ASSERT_FALSE(second) << "nothing listens on 127.0.0.3";
  EXPECT_EQ(second.error().code, "connection_refused");
  EXPECT_EQ(first.requests().size(), 1u);
}

TEST_F(HttpClient, H3ARedirectIsAnAnswerAndIsNotFollowed) {
  Receiver elsewhere([](const std::string&) { return Receiver::answer("200 OK", "secret"); });
  Receiver receiver([&](const std::string&) {
    return Receiver::answer("302 Found", "",
                            fmt::format("Location: {}\r\n", local(elsewhere.port())));
  });
  allow({{"127.0.0.1", receiver.port()}, {"127.0.0.1", elsewhere.port()}});
  const auto answer = send(post(local(receiver.port())));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 302);
  EXPECT_TRUE(elsewhere.requests().empty());
  EXPECT_EQ(check_status(*answer).error().code, "redirect_not_followed");
}

TEST_F(HttpClient, AProxyOfTheEnvironmentIsNotUsed) {
  Receiver proxy([](const std::string&) { return Receiver::answer("200 OK", "proxy"); });
  Receiver receiver([](const std::string&) { return Receiver::answer("200 OK", "receiver"); });
  ::setenv("http_proxy", fmt::format("http://127.0.0.1:{}", proxy.port()).c_str(), 1);
  allow({{"127.0.0.1", receiver.port()}});
  const auto answer = send(post(local(receiver.port())));
  ::unsetenv("http_proxy");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "receiver");
}

TEST_F(HttpClient, ARefusedConnectionIsTransient) {
  std::uint16_t port = 0;
  {
    const Receiver gone([](const std::string&) { return std::string(); });
    port = gone.port();
  }
  allow({{"127.0.0.1", port}});
  const auto answer = send(post(local(port)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "connection_refused");
  EXPECT_EQ(answer.error().error_class, ErrorClass::kTransient);
  EXPECT_FALSE(answer.error().outcome_unknown);
}

TEST_F(HttpClient, AReceiverThatSaysNothingIsGivenUpAtTheDeadlineWithItsOutcomeUnknown) {
  std::atomic<bool> over{false};
  Receiver receiver([&](const std::string&) {
    while (!over) std::this_thread::sleep_for(5ms);
    return std::string();
  });
  allow({{"127.0.0.1", receiver.port()}});
  const SteadyTime begin = clock_.steady_now();
  const auto answer = send(post(local(receiver.port())), 300ms);
  over = true;
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "timeout");
  EXPECT_TRUE(answer.error().outcome_unknown);
  EXPECT_LT(clock_.steady_now() - begin, 8s);
}

TEST_F(HttpClient, AnAnswerBeyondTheLimitIsCutOff) {
  Receiver receiver([](const std::string&) {
    return Receiver::answer("200 OK", std::string(kMaxAnswer + 1, 'x'));
  });
  allow({{"127.0.0.1", receiver.port()}});
  const auto answer = send(post(local(receiver.port())));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "answer_too_large");
}

TEST_F(HttpClient, APeerThatDoesNotSpeakTlsIsTransient) {
  Receiver receiver([](const std::string&) { return Receiver::answer("200 OK"); });
  allow({{"127.0.0.1", receiver.port()}});
  // Its first line is no request, so the receiver answers when the client ends the connection.
  const auto answer = send(post(fmt::format("https://127.0.0.1:{}/", receiver.port())), 2s);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error_class, ErrorClass::kTransient) << answer.error().code;
}

TEST_F(HttpClient, WhoWaitsWhenTheClientGoesIsToldSo) {
  std::atomic<bool> over{false};
  Receiver receiver([&](const std::string&) {
    while (!over) std::this_thread::sleep_for(5ms);
    return std::string();
  });
  allow({{"127.0.0.1", receiver.port()}});
  std::optional<Result<Answer>> result;
  asio::co_spawn(context_, client_->send(post(local(receiver.port())), clock_.steady_now() + 60s),
                 [&](std::exception_ptr, Result<Answer> answer) { result = std::move(answer); });
  while (receiver.requests().empty()) context_.poll();
  client_.reset();
  over = true;
  context_.restart();
  while (!result) context_.poll();
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().error_class, ErrorClass::kCancelled);
}

TEST(HttpStatus, EveryStatusHasItsClass) {
  const auto class_of = [](int status) {
    Answer answer;
    answer.status = status;
    answer.retry_after_ms = 7000;
    const auto checked = check_status(answer);
    return checked ? std::string("good") : std::string(to_string(checked.error().error_class));
  };
  EXPECT_EQ(class_of(204), "good");
  EXPECT_EQ(class_of(301), "Configuration");
  EXPECT_EQ(class_of(400), "Configuration");
  EXPECT_EQ(class_of(401), "Identity");
  EXPECT_EQ(class_of(408), "Transient");
  EXPECT_EQ(class_of(429), "Busy");
  EXPECT_EQ(class_of(500), "Transient");
  EXPECT_EQ(class_of(503), "Busy");
}

TEST(HttpStatus, ABusyReceiverSaysWhenToComeBack) {
  Answer answer;
  answer.status = 429;
  answer.retry_after_ms = 7000;
  EXPECT_EQ(check_status(answer).error().retry_after_ms, 7000);
}

}  // namespace
}  // namespace tributary::http
