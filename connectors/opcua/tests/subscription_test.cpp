// Subscriptions against a real server, without security.
#include <deque>

#include "connectors/opcua/src/publisher.hpp"
#include "connectors/opcua/tests/fixture.hpp"
#include "tests/support/fault_proxy.hpp"

namespace tributary::connectors::opcua {
namespace {

using namespace std::chrono_literals;

// Keeps what was delivered; can hold everything back.
class Sink final : public sdk::Sink {
 public:
  explicit Sink(Executor executor) : executor_(executor) {}
  Task<Result<void>> deliver(Batch batch) override {
    ++batches;
    for (const Scan& scan : batch.scans()) {
      for (const Sample& sample : scan.samples) samples.push_back({scan.name_of(sample), sample});
      scans.push_back(scan.samples.size());
    }
    if (gate_) co_await gate_->wait();
    co_return Result<void>{};
  }
  void hold() { gate_ = std::make_unique<Event>(executor_); }
  void release() { gate_->set(); }
  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(samples, [&](const auto& each) { return each.first == name; }));
  }
  std::vector<std::pair<std::string, Sample>> samples;
  std::vector<std::size_t> scans;
  std::size_t batches = 0;

 private:
  Executor executor_;
  std::unique_ptr<Event> gate_;
};

class Subscribing : public OpcuaTest {
 protected:
  Subscribing() { open(profile(server_.server->url(), kInsecure)); }
  ~Subscribing() override {
    if (subscription_) context_.run(subscription_->cancel(context_.in(5s)));
  }
  Result<void> subscribe(std::string_view settings) {
    auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
    operation_ = prepare("opcua.subscribe", settings);
    auto made = context_.run(subscriber->subscribe(*operation_, sink_, context_.in(5s)));
    if (!made) return fail(made.error());
    subscription_ = *std::move(made);
    return {};
  }
  void set(UA_UInt32 value) { server_.world->set("counter", value, UA_TYPES[UA_TYPES_UINT32]); }
  bool wait(const std::function<bool()>& condition, Duration limit = 5s) {
    return context_.run_until(condition, limit);
  }
  static constexpr std::string_view kFast =
      R"(,"publishingIntervalMs":50,"samplingIntervalMs":0,"keepAliveMs":3000)";

  TestServer server_;
  Sink sink_{context_.executor()};
  std::shared_ptr<const sdk::Operation> operation_;
  std::unique_ptr<sdk::Subscription> subscription_;
};

TEST_F(Subscribing, TheFirstValuesComeAsOneBatch) {
  ASSERT_TRUE(subscribe(nodes({"bool", "int64", "text"}, kFast)).has_value());
  ASSERT_TRUE(wait([&] { return sink_.samples.size() == 3; }));
  EXPECT_EQ(sink_.batches, 1U);
  EXPECT_EQ(sink_.scans, (std::vector<std::size_t>{3}));
  for (const auto& [name, sample] : sink_.samples) {
    EXPECT_TRUE(sample.quality.is_good()) << name;
    EXPECT_TRUE(sample.source_time.has_value()) << name;
  }
}

TEST_F(Subscribing, EveryChangeOfAFastValueComesInOrder) {
  ASSERT_TRUE(
      subscribe(nodes({"counter"},
                      R"(,"publishingIntervalMs":100,"samplingIntervalMs":0,"queueSize":1000)"))
          .has_value());
  ASSERT_TRUE(wait([&] { return !sink_.samples.empty(); }));
  for (UA_UInt32 i = 1; i <= 300; ++i) set(i);
  ASSERT_TRUE(wait([&] { return sink_.samples.size() == 301; })) << sink_.samples.size();
  for (std::size_t i = 0; i < sink_.samples.size(); ++i)
    EXPECT_EQ(to_json(sink_.samples[i].second.value), Json(static_cast<std::int64_t>(i)));
  EXPECT_LT(sink_.batches, 20U) << "a notification is one batch";
}

TEST_F(Subscribing, AQueueThatWasTooSmallSaysSo) {
  ASSERT_TRUE(
      subscribe(
          nodes({"counter"}, R"(,"publishingIntervalMs":300,"samplingIntervalMs":0,"queueSize":5)"))
          .has_value());
  ASSERT_TRUE(wait([&] { return !sink_.samples.empty(); }));
  for (UA_UInt32 i = 1; i <= 50; ++i) set(i);
  ASSERT_TRUE(wait([&] { return sink_.samples.size() == 6; }));
  EXPECT_EQ(to_json(sink_.samples.back().second.value), Json(50));
  const bool marked = std::ranges::any_of(sink_.samples, [](const auto& each) {
    return (each.second.quality.status_code() & 0x480) == 0x480 && each.second.quality.is_good();
  });
  EXPECT_TRUE(marked) << "the overflow bit must be kept";
}

TEST_F(Subscribing, AnAbsoluteDeadbandHoldsSmallChangesBack) {
  ASSERT_TRUE(
      subscribe(
          nodes(
              {"counter"},
              R"(,"publishingIntervalMs":50,"samplingIntervalMs":0,"deadbandType":"absolute","deadband":10)"))
          .has_value());
  ASSERT_TRUE(wait([&] { return sink_.samples.size() == 1; }));
  for (const UA_UInt32 value : {5U, 9U, 10U}) set(value);
  context_.run_until([] { return false; }, 300ms);
  EXPECT_EQ(sink_.samples.size(), 1U);
  set(11);
  EXPECT_TRUE(wait([&] { return sink_.samples.size() == 2; }));
}

TEST_F(Subscribing, ANodeThatIsMissingIsBadAndTheOthersGood) {
  ASSERT_TRUE(subscribe(nodes({"bool", "missing"}, kFast)).has_value());
  ASSERT_TRUE(wait([&] { return sink_.samples.size() == 2; }));
  for (const auto& [name, sample] : sink_.samples) {
    EXPECT_EQ(sample.quality.is_good(), name == "bool");
    if (name == "missing") {
      EXPECT_EQ(sample.error->code, "bad_node_id_unknown");
    }
  }
}

// Edge case 6.
TEST_F(Subscribing, ANodeThatAppearsLaterIsWatchedThen) {
  ASSERT_TRUE(subscribe(nodes({"bool", "late"}, kFast)).has_value());
  ASSERT_TRUE(wait([&] { return sink_.count("late") == 1; }));
  server_.world->add("late", UA_Int32{42}, UA_TYPES[UA_TYPES_INT32]);
  ASSERT_TRUE(wait([&] { return sink_.count("late") == 2; }, 12s));
  EXPECT_TRUE(context_.events().losses.empty());
  EXPECT_TRUE(sink_.samples.back().second.quality.is_good());
  EXPECT_EQ(to_json(sink_.samples.back().second.value), Json(42));
}

TEST_F(Subscribing, AServerThatWatchesFewNodesInOneSubscriptionGetsSeveral) {
  simulator::ServerOptions options;
  options.configure = [](UA_ServerConfig& config) {
    config.maxMonitoredItemsPerSubscription = 3;
    config.maxMonitoredItemsPerCall = 2;
  };
  const TestServer small(std::move(options));
  open(profile(small.server->url(), kInsecure));
  ASSERT_TRUE(
      subscribe(
          nodes({"bool", "sbyte", "byte", "int16", "uint16", "int32", "uint32", "int64"}, kFast))
          .has_value());
  ASSERT_TRUE(wait([&] { return sink_.samples.size() >= 8; })) << sink_.samples.size();
  for (const auto& [name, sample] : sink_.samples) EXPECT_TRUE(sample.quality.is_good()) << name;
  EXPECT_EQ(sink_.samples.size(), 8U);
}

TEST_F(Subscribing, AStalledSinkLosesNothingThatTheQueueHolds) {
  ASSERT_TRUE(
      subscribe(nodes({"counter"},
                      R"(,"publishingIntervalMs":20,"samplingIntervalMs":0,"queueSize":10000)"))
          .has_value());
  ASSERT_TRUE(wait([&] { return !sink_.samples.empty(); }));
  sink_.hold();
  for (UA_UInt32 i = 1; i <= 5000; ++i) set(i);
  context_.run_until([] { return false; }, 500ms);
  sink_.release();
  ASSERT_TRUE(wait([&] { return sink_.samples.size() >= 5001; })) << sink_.samples.size();
  EXPECT_EQ(to_json(sink_.samples.back().second.value), Json(5000));
}

TEST_F(Subscribing, TwoFunctionsShareTheSession) {
  ASSERT_TRUE(subscribe(nodes({"counter"}, kFast)).has_value());
  Sink other(context_.executor());
  auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
  const auto operation = prepare("opcua.subscribe", nodes({"bool"}, kFast));
  auto second = context_.run(subscriber->subscribe(*operation, other, context_.in(5s)));
  ASSERT_TRUE(second.has_value());
  ASSERT_TRUE(wait([&] { return sink_.samples.size() == 1 && other.samples.size() == 1; }));
  context_.run((*second)->cancel(context_.in(5s)));
  set(7);
  ASSERT_TRUE(wait([&] { return sink_.samples.size() == 2; }));
  EXPECT_EQ(other.samples.size(), 1U);
}

// Edge case 5: the link is silent, not cut.
TEST_F(Subscribing, ASilentServerIsNoticedWithoutAnyRequest) {
  test::FaultProxy proxy(server_.port());
  open(profile(fmt::format("opc.tcp://127.0.0.1:{}", proxy.port()), kInsecure));
  ASSERT_TRUE(subscribe(nodes({"counter"}, kFast)).has_value());
  ASSERT_TRUE(wait([&] { return !sink_.samples.empty(); }));
  proxy.set_mode(test::FaultProxy::Mode::kStall);
  ASSERT_TRUE(wait([&] { return !context_.events().losses.empty(); }, 10s));
  EXPECT_EQ(context_.events().losses.size(), 1U);
  EXPECT_EQ(context_.events().losses[0].code, "subscription_silent");
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
  subscription_.reset();
  session_->abort();
}

TEST_F(Subscribing, TheEndOfTheServerIsALoss) {
  auto server = std::make_unique<TestServer>();
  open(profile(server->server->url(), kInsecure));
  ASSERT_TRUE(subscribe(nodes({"counter"}, kFast)).has_value());
  ASSERT_TRUE(wait([&] { return !sink_.samples.empty(); }));
  server.reset();
  ASSERT_TRUE(wait([&] { return !context_.events().losses.empty(); }, 5s));
  EXPECT_EQ(context_.events().losses.size(), 1U);
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
  subscription_.reset();
  session_->abort();
}

}  // namespace
}  // namespace tributary::connectors::opcua
