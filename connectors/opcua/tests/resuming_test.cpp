// Edge cases 5 and 7: what happens to sessions and subscriptions when the link is cut for a while.
#include <set>
#include <thread>

#include "connectors/opcua/tests/fixture.hpp"
#include "tests/support/fault_proxy.hpp"

namespace tributary::connectors::opcua {
namespace {

using namespace std::chrono_literals;

class Collector final : public sdk::Sink {
 public:
  Task<Result<void>> deliver(Batch batch) override {
    for (const Scan& scan : batch.scans()) {
      for (const Sample& sample : scan.samples) samples.emplace_back(scan.name_of(sample), sample);
    }
    co_return Result<void>{};
  }
  // The good values of a point, in the order in which they came.
  std::vector<std::int64_t> of(std::string_view name) const {
    std::vector<std::int64_t> numbers;
    for (const auto& [point, sample] : samples) {
      if (point == name && sample.quality.is_good())
        numbers.push_back(to_json(sample.value).as<std::int64_t>());
    }
    return numbers;
  }
  std::size_t marked() const {
    return static_cast<std::size_t>(std::ranges::count_if(samples, [](const auto& each) {
      return (each.second.quality.status_code() & 0x480) == 0x480;
    }));
  }
  bool has(std::string_view name) const {
    return std::ranges::find(samples, name, [](const auto& each) { return each.first; }) !=
           samples.end();
  }
  std::vector<std::pair<std::string, Sample>> samples;
};

// A hub that watches a counter through a proxy, and connects again as the framework would.
class Resuming : public OpcuaTest {
 protected:
  void start(simulator::ServerOptions options, std::string_view settings) {
    server_ = std::make_unique<TestServer>(std::move(options));
    proxy_ = std::make_unique<test::FaultProxy>(server_->port());
    with_ = profile(fmt::format("opc.tcp://127.0.0.1:{}", proxy_->port()), settings);
    connect();
  }
  void start(std::string_view settings = kInsecure) { start({}, settings); }
  ~Resuming() override {
    if (subscription_) context_.run(subscription_->cancel(context_.in(5s)));
    if (session_) context_.run(session_->close(context_.in(5s)));
  }
  void connect() {
    open(with_);
    subscribe();
  }
  void subscribe() {
    auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
    operation_ = prepare("opcua.subscribe", nodes({"counter", "bool", "missing"}, watched_));
    auto made = context_.run(subscriber->subscribe(*operation_, sink_, context_.in(5s)));
    if (!made) throw std::runtime_error(made.error().message);
    subscription_ = *std::move(made);
  }
  // The link is gone; the hub notices, and drops what it has.
  void cut() {
    proxy_->set_mode(test::FaultProxy::Mode::kRefuse);
    proxy_->cut(true);
    ASSERT_TRUE(wait([&] { return !context_.events().losses.empty(); }));
    EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
    context_.events().losses.clear();
    session_->abort();
    subscription_.reset();
    session_.reset();
  }
  void mend() { proxy_->set_mode(test::FaultProxy::Mode::kPass); }
  // One after the other, each of which the server samples.
  void count(std::uint32_t until) {
    while (value_ < until) {
      server_->world->set("counter", ++value_, UA_TYPES[UA_TYPES_UINT32]);
    }
  }
  bool wait(const std::function<bool()>& condition, Duration limit = 8s) {
    return context_.run_until(condition, limit);
  }
  void pass(Duration time) {
    context_.run_until([] { return false; }, time);
  }
  std::size_t sessions() {
    UA_ServerStatistics statistics = UA_Server_getStatistics(server_->server->native());
    return statistics.ss.currentSessionCount;
  }
  std::size_t all_sessions() {
    UA_ServerStatistics statistics = UA_Server_getStatistics(server_->server->native());
    return statistics.ss.cumulatedSessionCount;
  }
  void expect_everything(std::int64_t last) {
    EXPECT_EQ(sink_.marked(), 0U) << "nothing was missed";
    std::set<std::int64_t> seen;
    std::int64_t before = 0;
    for (const std::int64_t number : sink_.of("counter")) {
      EXPECT_GE(number, before) << "in order";
      before = number;
      seen.insert(number);
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(last + 1)) << "0 to " << last;
  }

  std::string watched_ = R"(,"publishingIntervalMs":50,"samplingIntervalMs":0,"queueSize":1000)";
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<test::FaultProxy> proxy_;
  sdk::Profile with_;
  Collector sink_;
  std::shared_ptr<const sdk::Operation> operation_;
  std::unique_ptr<sdk::Subscription> subscription_;
  std::uint32_t value_ = 0;
};

TEST_F(Resuming, edge_5_a_cut_loses_nothing_that_the_server_keeps) {
  start();
  for (int round = 0; round < 5; ++round) {
    count(value_ + 40);
    // Sometimes before the server has published, sometimes while it does, sometimes with messages
    // that never arrive.
    pass(20ms * round);
    if (round % 2 == 1) {
      proxy_->set_mode(test::FaultProxy::Mode::kStall);
      count(value_ + 40);
      std::this_thread::sleep_for(150ms);
    }
    cut();
    count(value_ + 100);
    mend();
    connect();
    count(value_ + 40);
    ASSERT_TRUE(wait([&] {
      return !sink_.of("counter").empty() && sink_.of("counter").back() == std::int64_t{value_};
    })) << "round "
        << round << ": " << sink_.of("counter").size();
  }
  expect_everything(980);
  EXPECT_EQ(all_sessions(), 1U) << "one session for all";
}

TEST_F(Resuming, ASignedAndEncryptedSessionOfAUserIsActivatedAgain) {
  start(secure_options(), R"({"authentication": "username", "username": "operator"})");
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  cut();
  count(100);
  mend();
  connect();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").back() == 100; }));
  expect_everything(100);
  EXPECT_EQ(all_sessions(), 1U);
}

TEST_F(Resuming, WhatDidNotChangeMeanwhileIsSaidAgain) {
  start();
  ASSERT_TRUE(wait([&] { return sink_.samples.size() >= 3; }));
  cut();
  sink_.samples.clear();
  mend();
  connect();
  ASSERT_TRUE(wait([&] {
    return sink_.has("bool") && sink_.has("counter") && sink_.has("missing");
  })) << sink_.samples.size();
  const auto missing =
      std::ranges::find(sink_.samples, "missing", [](const auto& each) { return each.first; });
  ASSERT_TRUE(missing->second.error);
  EXPECT_EQ(missing->second.error->code, "bad_node_id_unknown");
}

TEST_F(Resuming, AServerThatCannotResendIsReadInstead) {
  start();
  ASSERT_TRUE(wait([&] { return sink_.samples.size() >= 3; }));
  UA_Server_setMethodNodeCallback(
      server_->server->native(), UA_NODEID_NUMERIC(0, 12873),
      [](UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void*, const UA_NodeId*, void*,
         size_t, const UA_Variant*, size_t,
         UA_Variant*) -> UA_StatusCode { return UA_STATUSCODE_BADNOTIMPLEMENTED; });
  cut();
  sink_.samples.clear();
  mend();
  connect();
  ASSERT_TRUE(wait([&] { return sink_.has("bool") && sink_.has("counter"); }, 4s));
  EXPECT_EQ(sink_.marked(), 0U);
  EXPECT_EQ(all_sessions(), 1U);
}

// This server ends the subscriptions of a session that timed out; node-opcua keeps them for a
// transfer (node_opcua_test.cpp).
TEST_F(Resuming, edge_5_an_outage_beyond_the_session_timeout_is_marked) {
  start(R"({"securityMode": "None", "allowInsecure": true, "sessionTimeoutMs": 10000})");
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  cut();
  count(100);
  ASSERT_TRUE(wait([&] { return sessions() == 0; }, 20s));
  sink_.samples.clear();
  mend();
  connect();
  ASSERT_TRUE(wait([&] { return sink_.has("bool") && sink_.has("counter"); }));
  EXPECT_EQ(sink_.of("counter"), (std::vector<std::int64_t>{100}));
  EXPECT_EQ(sink_.marked(), 2U) << "values are missing before these";
  EXPECT_EQ(all_sessions(), 2U);
}

TEST_F(Resuming, edge_5_what_was_lost_with_the_server_is_marked_once) {
  start();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  const std::uint16_t port = server_->port();
  cut();
  sink_.samples.clear();
  server_.reset();
  simulator::ServerOptions options;
  options.port = port;
  server_ = std::make_unique<TestServer>(std::move(options));
  mend();
  connect();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1 && sink_.has("bool"); }));
  EXPECT_EQ(sink_.marked(), 2U) << "the first values after the gap";
  sink_.samples.clear();
  count(1);
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  EXPECT_EQ(sink_.marked(), 0U);
}

TEST_F(Resuming, AFunctionThatWasChangedMeanwhileIsMadeAnewAndTheOldOneEnds) {
  start();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  cut();
  sink_.samples.clear();
  watched_ = R"(,"publishingIntervalMs":60,"samplingIntervalMs":0)";
  mend();
  connect();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  EXPECT_EQ(sink_.marked(), 0U) << "a new function has missed nothing";
  EXPECT_EQ(all_sessions(), 1U);
}

TEST_F(Resuming, OtherSettingsMeanAnotherSession) {
  start();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  cut();
  mend();
  with_.settings["requestTimeoutMs"] = 4000;
  connect();
  EXPECT_EQ(all_sessions(), 2U);
}

TEST_F(Resuming, APoliteEndLeavesNothing) {
  start();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  context_.run(session_->close(context_.in(5s)));
  ASSERT_TRUE(wait([&] { return sessions() == 0; }));
  subscription_.reset();
  connect();
  EXPECT_EQ(all_sessions(), 2U);
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 2; }));
  EXPECT_EQ(sink_.marked(), 0U);
}

// A diagnosis opens the connection, looks and closes it.
TEST_F(Resuming, ALookMeanwhileLeavesTheSessionToTheNext) {
  start();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  cut();
  count(50);
  mend();
  open(with_);
  context_.run(session_->check_health(context_.in(5s)));
  context_.run(session_->close(context_.in(5s)));
  session_.reset();
  connect();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").back() == 50; }));
  expect_everything(50);
  EXPECT_EQ(all_sessions(), 1U);
}

// A subscription that is silent with one session after the other is not taken over for ever.
TEST_F(Resuming, ASubscriptionThatStaysSilentIsMadeAnew) {
  // Nothing is published in the time that this takes.
  watched_ = R"(,"publishingIntervalMs":4000,"samplingIntervalMs":0)";
  start();
  ASSERT_TRUE(wait([&] { return sink_.of("counter").size() == 1; }));
  sink_.samples.clear();
  for (int round = 0; round < 2; ++round) {
    cut();
    mend();
    connect();
  }
  EXPECT_FALSE(sink_.has("counter"));
  cut();
  mend();
  connect();
  ASSERT_TRUE(wait([&] { return sink_.has("counter"); }));
  EXPECT_GE(sink_.marked(), 1U) << "the third session began anew, and says so";
}

}  // namespace
}  // namespace tributary::connectors::opcua
