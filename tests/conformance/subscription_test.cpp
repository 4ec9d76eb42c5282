// Subscriptions that the peer pushes to. Polled ones belong to the framework.
#include "tests/conformance/suite.hpp"

#include "runtime/event.hpp"

namespace tributary::test {
namespace {

// Counts what is delivered; can be told to hold the first batch for ever.
class CountingSink final : public sdk::Sink {
 public:
  explicit CountingSink(Executor executor, bool stalled = false)
      : gate_(executor), stalled_(stalled) {}
  Task<Result<void>> deliver(Batch batch) override {
    ++running;
    most_running = std::max(most_running, running);
    delivered += batch.size();
    if (stalled_) co_await gate_.wait();
    --running;
    co_return Result<void>{};
  }
  void release() { gate_.set(); }
  std::size_t delivered = 0;
  int running = 0;
  int most_running = 0;

 private:
  Event gate_;
  bool stalled_;
};

class Subscriptions : public Conformance {
 protected:
  void SetUp() override {
    if (!subject().subscribe) GTEST_SKIP() << "the peer does not push";
    peer_ = subject().start_peer();
    use(peer_->port());
    session_ = make();
    const auto up = bring_up(*session_);
    ASSERT_TRUE(up.has_value()) << up.error().message;
  }
  void TearDown() override {
    if (session_) close(*session_);
  }
  std::unique_ptr<sdk::Subscription> subscribe(sdk::Sink& sink) {
    auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
    if (subscriber == nullptr) throw std::runtime_error("the session is no Subscriber");
    operation_ = prepare(*subject().subscribe);
    auto made = context_.run(subscriber->subscribe(*operation_, sink, context_.in(10s)), 12s);
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
  }
  std::unique_ptr<GoodPeer> peer_;
  std::unique_ptr<sdk::Session> session_;
  std::shared_ptr<const sdk::Operation> operation_;
};
INSTANTIATE_TEST_SUITE_P(Connectors, Subscriptions, ::testing::ValuesIn(suite_entries()), name_of);
// A build may hold polled connectors only.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Subscriptions);

TEST_P(Subscriptions, WhatThePeerPushesIsDeliveredOneCallAtATime) {
  CountingSink sink(context_.executor());
  const auto subscription = subscribe(sink);
  peer_->produce(20);
  EXPECT_TRUE(context_.run_until([&] { return sink.delivered >= 20; }, 10s)) << sink.delivered;
  EXPECT_EQ(sink.most_running, 1);
  context_.run(subscription->cancel(context_.in(5s)));
}

TEST_P(Subscriptions, NothingIsDeliveredAfterCancel) {
  CountingSink sink(context_.executor());
  const auto subscription = subscribe(sink);
  peer_->produce(5);
  ASSERT_TRUE(context_.run_until([&] { return sink.delivered >= 5; }, 10s));
  context_.run(subscription->cancel(context_.in(5s)), 10s);
  context_.run(subscription->cancel(context_.in(5s)), 10s);
  const std::size_t before = sink.delivered;
  peer_->produce(20);
  // The health check's answer comes after whatever the peer would have pushed before it.
  ASSERT_TRUE(context_.run(session_->check_health(context_.in(5s)), 10s).has_value());
  context_.drain();
  EXPECT_EQ(sink.delivered, before);
}

TEST_P(Subscriptions, NothingIsDeliveredAfterAbortOrClose) {
  for (const bool politely : {false, true}) {
    if (politely) {
      session_ = make();
      ASSERT_TRUE(bring_up(*session_).has_value());
    }
    CountingSink sink(context_.executor());
    const auto subscription = subscribe(sink);
    peer_->produce(50);
    ASSERT_TRUE(context_.run_until([&] { return sink.delivered >= 1; }, 10s));
    if (politely) {
      close(*session_);
    } else {
      session_->abort();
    }
    const std::size_t before = sink.delivered;
    peer_->produce(50);
    context_.run_until([] { return false; }, 200ms);
    EXPECT_EQ(sink.delivered, before);
  }
}

TEST_P(Subscriptions, AStalledSinkKeepsMemoryBounded) {
  constexpr std::size_t kMany = 20'000;
  constexpr std::size_t kBound = 64U << 20U;
  CountingSink sink(context_.executor(), true);
  const auto subscription = subscribe(sink);
  peer_->produce(10);
  ASSERT_TRUE(context_.run_until([&] { return sink.delivered >= 1; }, 10s));
  const std::size_t before = resident_bytes();
  peer_->produce(kMany);
  context_.run_until([] { return false; }, 500ms);
  EXPECT_EQ(sink.most_running, 1) << "a second batch was delivered before the first was accepted";
  EXPECT_LT(resident_bytes(), before + kBound);
  sink.release();
  session_->abort();
  context_.drain();
}

}  // namespace
}  // namespace tributary::test
