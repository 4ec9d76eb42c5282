// Edge case 7: messages of a subscription that never reach it. A thief asks on the same session and
// gets what was meant for it.
#include "connectors/opcua/src/opening.hpp"
#include "connectors/opcua/src/publisher.hpp"
#include "connectors/opcua/tests/fixture.hpp"

namespace tributary::connectors::opcua {
namespace {

using namespace std::chrono_literals;

class Collector final : public sdk::Sink {
 public:
  Task<Result<void>> deliver(Batch batch) override {
    for (const Scan& scan : batch.scans()) {
      for (const Sample& sample : scan.samples) {
        values.push_back(to_json(sample.value).as<std::int64_t>());
        overflow.push_back((sample.quality.status_code() & 0x480) == 0x480);
      }
    }
    co_return Result<void>{};
  }
  std::vector<std::int64_t> values;
  std::vector<bool> overflow;
};

class Republish : public OpcuaTest {
 protected:
  Republish() {
    const auto with = profile(server_.server->url(), kInsecure);
    state_ = std::make_shared<State>(context_.session_context(),
                                     ConnectionSettings::from_json(with.settings), Material{},
                                     net::Keepalive{});
    EXPECT_TRUE(context_.run(open_session(state_, context_.in(5s), context_.stages())).has_value());
    operation_ =
        prepare("opcua.subscribe",
                nodes({"counter"}, R"(,"publishingIntervalMs":50,"samplingIntervalMs":0)"));
    const auto& subscribe = dynamic_cast<const SubscribeOperation&>(*operation_);
    feed_ = context_
                .run(Publisher::subscribe(state_, std::make_shared<Feed>(subscribe, sink_),
                                          context_.in(5s)))
                .value();
    EXPECT_TRUE(context_.run_until([&] { return sink_.values.size() == 1; }));
  }
  ~Republish() override {
    context_.run(Publisher::cancel(state_, feed_, context_.in(5s)));
    state_->publisher->end();
    state_->client->abort();
  }
  static Task<Result<Owned<UA_PublishResponse>>> ask(Shared state, Owned<UA_PublishRequest> request,
                                                     SteadyTime deadline) {
    const std::string_view what = "stealing";
    co_return co_await Client::ask<UA_PublishResponse>(state->client, std::move(request), what,
                                                       deadline);
  }
  // Sets values until the thief has got one of their messages; that message.
  Owned<UA_PublishResponse> steal() {
    auto thief = context_.start(ask(state_, Owned<UA_PublishRequest>(), context_.in(20s)));
    while (!thief.done()) {
      set();
      context_.run_until([&] { return thief.done() || sink_.values.size() == next_; }, 500ms);
    }
    return std::move(thief.take().value());
  }
  void set() {
    server_.world->set("counter", static_cast<UA_UInt32>(next_++), UA_TYPES[UA_TYPES_UINT32]);
  }

  TestServer server_;
  Shared state_;
  std::shared_ptr<const sdk::Operation> operation_;
  Collector sink_;
  std::shared_ptr<Feed> feed_;
  std::size_t next_ = 1;
};

TEST_F(Republish, edge_7_a_missing_message_is_asked_for_again) {
  const auto stolen = steal();
  ASSERT_EQ(stolen->notificationMessage.notificationDataSize, 1U);
  EXPECT_LT(sink_.values.size(), next_) << "the thief must have got a value";
  set();
  ASSERT_TRUE(context_.run_until([&] { return sink_.values.size() == next_; }, 5s));
  for (std::size_t i = 0; i < sink_.values.size(); ++i) {
    EXPECT_EQ(sink_.values[i], static_cast<std::int64_t>(i)) << "nothing is missing, and in order";
    EXPECT_FALSE(sink_.overflow[i]);
  }
}

TEST_F(Republish, edge_7_what_the_server_no_longer_has_is_marked) {
  const auto stolen = steal();
  // The thief acknowledges what it got: the server forgets it.
  Owned<UA_PublishRequest> request;
  request->subscriptionAcknowledgements =
      new_array<UA_SubscriptionAcknowledgement>(1, UA_TYPES[UA_TYPES_SUBSCRIPTIONACKNOWLEDGEMENT]);
  request->subscriptionAcknowledgementsSize = 1;
  request->subscriptionAcknowledgements[0] = {stolen->subscriptionId,
                                              stolen->notificationMessage.sequenceNumber};
  auto thief = context_.start(ask(state_, std::move(request), context_.in(20s)));
  context_.run_until([] { return false; }, 200ms);
  const std::size_t before = sink_.values.size();
  set();
  ASSERT_TRUE(context_.run_until([&] { return sink_.values.size() > before; }, 5s));
  EXPECT_TRUE(sink_.overflow[before]) << "the gap must be marked";
  set();
  ASSERT_TRUE(context_.run_until([&] { return sink_.values.size() > before + 1; }, 5s));
  EXPECT_FALSE(sink_.overflow[before + 1]) << "once";
  context_.run_until(
      [&] {
        set();
        return thief.done();
      },
      5s);
}

}  // namespace
}  // namespace tributary::connectors::opcua
