// Servers that send too much, nest too deep or have no room (checklist E4), and deadbands in
// percent.
#include "connectors/opcua/tests/fixture.hpp"

namespace tributary::connectors::opcua {
namespace {

using namespace std::chrono_literals;

class Limits : public OpcuaTest {
 protected:
  static constexpr std::string_view kSmall =
      R"({"securityMode": "None", "allowInsecure": true, "maxMessageBytes": 65536})";
  // How long `what` took.
  static Duration measure(const std::function<void()>& what) {
    const auto begin = std::chrono::steady_clock::now();
    what();
    return std::chrono::steady_clock::now() - begin;
  }
};

TEST_F(Limits, E4_AnAnswerBeyondTheLimitEndsTheConnectionCleanlyAndAtOnce) {
  const TestServer server;
  std::string large(300'000, 'x');
  server.world->add("large", borrow(large), UA_TYPES[UA_TYPES_STRING]);
  open(profile(server.server->url(), kSmall));
  Result<Batch> refused = Batch::of(std::vector<Record>{});
  EXPECT_LT(measure([&] { refused = call("opcua.read", nodes({"large"})); }), 1s);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kTransient) << refused.error().message;
  EXPECT_EQ(refused.error().code, "message_too_large") << refused.error().message;
  EXPECT_EQ(refused.error().pointer, "/settings/maxMessageBytes");
  session_->abort();
  open(profile(server.server->url(), kSmall));
  EXPECT_EQ(values(call("opcua.read", nodes({"int16"}))), json(R"({"int16":-32768})"));
}

TEST_F(Limits, E4_AServerWithoutAFreePlaceIsBusy) {
  simulator::ServerOptions options;
  options.configure = [](UA_ServerConfig& config) { config.maxSessions = 1; };
  const TestServer server(std::move(options));
  open(profile(server.server->url(), kInsecure));
  const auto first = std::move(session_);
  const auto refused = try_open(profile(server.server->url(), kInsecure));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kBusy) << refused.error().code;
  EXPECT_EQ(refused.error().code, "bad_too_many_sessions");
  context_.run(first->close(context_.in(5s)));
}

TEST_F(Limits, E4_NestedValuesAreReadAsDeepAsTheyAreAllowed) {
  const TestServer server;
  // Variants in variants; what nests deeper than a hundred is no value.
  for (const int depth : {60, 120}) {
    Owned<UA_Variant> value;
    UA_Int32 number = 7;
    UA_Variant_setArrayCopy(&*value, &number, 1, &UA_TYPES[UA_TYPES_INT32]);
    for (int i = 0; i < depth; ++i) {
      Owned<UA_Variant> outer;
      UA_Variant_setArrayCopy(&*outer, &*value, 1, &UA_TYPES[UA_TYPES_VARIANT]);
      value = std::move(outer);
    }
    const std::string name = fmt::format("deep{}", depth);
    server.world->add_variant(name, *value, UA_TYPES[UA_TYPES_VARIANT], 1);
    open(profile(server.server->url(), kInsecure));
    Result<Batch> batch = Batch::of(std::vector<Record>{});
    EXPECT_LT(measure([&] { batch = call("opcua.read", nodes({name.c_str()})); }), 1s);
    const bool good = batch && batch->scans().front().samples.front().quality.is_good();
    EXPECT_EQ(good, depth == 60) << depth;
  }
}

class Deadband : public OpcuaTest {
 protected:
  class Sink final : public sdk::Sink {
   public:
    Task<Result<void>> deliver(Batch batch) override {
      for (const Scan& scan : batch.scans()) {
        for (const Sample& sample : scan.samples) samples.push_back({scan.name_of(sample), sample});
      }
      co_return Result<void>{};
    }
    const Sample* last(std::string_view name) const {
      const auto found = std::ranges::find(samples.rbegin(), samples.rend(), name,
                                           [](const auto& each) { return each.first; });
      return found == samples.rend() ? nullptr : &found->second;
    }
    std::vector<std::pair<std::string, Sample>> samples;
  };
  // "level" has a range of -50 to 150.
  void add_level() {
    server_.world->add("level", UA_Double{0}, UA_TYPES[UA_TYPES_DOUBLE]);
    UA_Range range{-50, 150};
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    UA_Variant_setScalar(&attributes.value, &range, &UA_TYPES[UA_TYPES_RANGE]);
    attributes.dataType = UA_TYPES[UA_TYPES_RANGE].typeId;
    UA_Server_addVariableNode(server_.server->native(), server_.world->id("level.range"),
                              server_.world->id("level"), UA_NODEID_NUMERIC(0, 46),
                              {0, borrow("EURange")}, UA_NODEID_NUMERIC(0, 68), attributes, nullptr,
                              nullptr);
  }
  TestServer server_;
  Sink sink_;
};

TEST_F(Deadband, PercentIsOfTheRangeAndANodeWithoutOneIsSaid) {
  add_level();
  open(profile(server_.server->url(), kInsecure));
  const auto operation = prepare(
      "opcua.subscribe",
      nodes(
          {"level", "counter", "text"},
          R"(,"publishingIntervalMs":50,"samplingIntervalMs":0,"deadbandType":"percent","deadband":10)"));
  auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
  auto made = context_.run(subscriber->subscribe(*operation, sink_, context_.in(5s)));
  ASSERT_TRUE(made.has_value());
  const auto told = [&](std::size_t count) {
    return context_.run_until([&] { return sink_.samples.size() >= count; }, 5s);
  };
  ASSERT_TRUE(told(3));
  EXPECT_TRUE(sink_.last("level")->quality.is_good());
  for (const auto* name : {"counter", "text"}) {
    ASSERT_TRUE(sink_.last(name)->error) << name;
    EXPECT_EQ(sink_.last(name)->error->error_class, ErrorClass::kFunction);
    EXPECT_FALSE(sink_.last(name)->error->hint.empty())
        << name << " " << sink_.last(name)->error->code;
  }
  // A tenth of 200.
  for (const double value : {5.0, 19.0, 20.0})
    server_.world->set("level", value, UA_TYPES[UA_TYPES_DOUBLE]);
  context_.run_until([] { return false; }, 300ms);
  EXPECT_EQ(to_json(sink_.last("level")->value), Json(0.0));
  server_.world->set("level", 20.5, UA_TYPES[UA_TYPES_DOUBLE]);
  ASSERT_TRUE(told(4));
  EXPECT_EQ(to_json(sink_.last("level")->value), Json(20.5));
  context_.run((*made)->cancel(context_.in(5s)));
}

}  // namespace
}  // namespace tributary::connectors::opcua
