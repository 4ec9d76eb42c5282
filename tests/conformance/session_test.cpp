// Sessions that are cut, cancelled, closed and made again.
#include <sys/socket.h>

#include "tests/conformance/suite.hpp"

namespace tributary::test {
namespace {

class Sessions : public Conformance {
 protected:
  // Connected through the proxy.
  std::unique_ptr<sdk::Session> connect(std::uint16_t port) {
    use(port);
    auto session = make();
    const auto up = bring_up(*session);
    if (!up) throw std::runtime_error(up.error().message);
    return session;
  }

  // Starts `begin(session)`, aborts the session after k steps of the loop for k = 0, 1, 2 … until
  // one run ends before. Each must end soon, with its result or kCancelled, and leave nothing
  // behind.
  template <typename Prepare, typename Begin>
  void abort_at_every_step(Prepare prepare_session, Begin begin) {
    constexpr int kMostSteps = 300;
    std::size_t descriptors = 0;
    int completed = 0;
    for (int k = 0; k < kMostSteps && completed < 2; ++k) {
      auto session = prepare_session();
      auto running = begin(*session);
      for (int step = 0; step < k && !running.done(); ++step) context_.step(2s);
      const bool was_done = running.done();
      session->abort();
      auto result = context_.finish(running, 3s);
      if (!was_done && !result.has_value()) {
        EXPECT_EQ(result.error().error_class, ErrorClass::kCancelled)
            << "step " << k << ": " << result.error().message;
      }
      // Later operations of an aborted session fail, and say that it was ended.
      const auto later = context_.run(session->check_health(context_.in(1s)), 3s);
      ASSERT_FALSE(later.has_value()) << "step " << k;
      EXPECT_EQ(later.error().error_class, ErrorClass::kCancelled) << "step " << k;
      session.reset();
      context_.drain();
      completed += was_done ? 1 : 0;
      if (k == 2) descriptors = open_descriptors();
      if (HasFailure()) return;
    }
    EXPECT_EQ(completed, 2) << "the operation never ended by itself";
    if (descriptors != 0)
      expect_descriptors(descriptors + 4);  // the peer's ends close when it notices
  }
};
INSTANTIATE_TEST_SUITE_P(Connectors, Sessions, ::testing::ValuesIn(suite_entries()), name_of);

TEST_P(Sessions, AHalfOpenPeerIsNoticedByTheHealthCheck) {
  TRIBUTARY_NEEDS_NETWORK();
  const auto peer = subject().start_peer();
  FaultProxy proxy(peer->port());
  auto session = connect(proxy.port());
  proxy.set_mode(FaultProxy::Mode::kStall);
  const auto started = std::chrono::steady_clock::now();
  const auto health =
      context_.run(session->check_health(context_.in(kDeadline)), kDeadline + kSlack);
  ASSERT_FALSE(health.has_value()) << "a vanished peer looks healthy";
  EXPECT_EQ(health.error().error_class, ErrorClass::kTransient);
  EXPECT_LT(std::chrono::steady_clock::now() - started, kDeadline + kSlack);
}

TEST_P(Sessions, AHalfOpenPeerIsNoticedByACall) {
  TRIBUTARY_NEEDS_NETWORK();
  const auto peer = subject().start_peer();
  FaultProxy proxy(peer->port());
  auto session = connect(proxy.port());
  proxy.set_mode(FaultProxy::Mode::kStall);
  const auto operation = prepare(subject().call);
  const auto batch =
      context_.run(session->call(*operation, subject().call_parameters, context_.in(kDeadline)),
                   kDeadline + kSlack);
  ASSERT_FALSE(batch.has_value()) << "a vanished peer was called with success";
  EXPECT_EQ(batch.error().error_class, ErrorClass::kTransient) << batch.error().code;
}

TEST_P(Sessions, ACutIsALossWhicheverWayItEnds) {
  TRIBUTARY_NEEDS_NETWORK();
  for (const bool reset : {false, true}) {
    const auto peer = subject().start_peer();
    FaultProxy proxy(peer->port());
    auto session = connect(proxy.port());
    proxy.cut(reset);
    const auto health =
        context_.run(session->check_health(context_.in(kDeadline)), kDeadline + kSlack);
    if (subject().connects_for_requests) {
      ASSERT_TRUE(health.has_value()) << health.error().message;
      EXPECT_EQ(proxy.accepted(), 2U) << "a new connection must have been made";
    } else {
      ASSERT_FALSE(health.has_value());
      EXPECT_EQ(health.error().error_class, ErrorClass::kTransient) << health.error().code;
    }
    EXPECT_LE(context_.events().losses.size(), 1U) << "lost() is said once";
    context_.events().losses.clear();
  }
}

TEST_P(Sessions, OpeningIsCancelledAtEveryStep) {
  const auto peer = subject().start_peer();
  use(peer->port());
  abort_at_every_step(
      [&] { return make(); },
      [&](sdk::Session& session) {
        return context_.start(bring_up(session, context_.in(10s), context_.stages()));
      });
}

TEST_P(Sessions, OpeningAMutePeerIsCancelledAtOnce) {
  TRIBUTARY_NEEDS_NETWORK();
  const ScriptedPeer peer{Script().mute()};
  use(peer.port());
  auto session = make();
  auto running = context_.start(bring_up(*session, context_.in(60s), context_.stages()));
  context_.run_until([&] { return peer.accepted() == 1; });
  context_.drain();
  session->abort();
  const auto result = context_.finish(running, 3s);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().error_class, ErrorClass::kCancelled);
}

TEST_P(Sessions, ACallIsCancelledAtEveryStep) {
  const auto peer = subject().start_peer();
  use(peer->port());
  const auto operation = prepare(subject().call);
  abort_at_every_step([&] { return connect(peer->port()); },
                      [&](sdk::Session& session) {
                        return context_.start(
                            session.call(*operation, subject().call_parameters, context_.in(10s)));
                      });
}

TEST_P(Sessions, ClosingTwiceIsClosingOnce) {
  const auto peer = subject().start_peer();
  auto session = connect(peer->port());
  close(*session);
  close(*session);
  session->abort();
  session->abort();
  close(*session);
  const auto operation = prepare(subject().call);
  const auto batch =
      context_.run(session->call(*operation, subject().call_parameters, context_.in(1s)), 3s);
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().error_class, ErrorClass::kCancelled);
  EXPECT_TRUE(context_.events().losses.empty()) << "what we end ourselves is no loss";
}

TEST_P(Sessions, ASessionThatWasNeverOpenedCanBeClosed) {
  const RefusingPort port;
  use(port.port());
  auto session = make();
  close(*session);
  session->abort();
  const auto up = bring_up(*session);
  ASSERT_FALSE(up.has_value());
  EXPECT_EQ(up.error().error_class, ErrorClass::kCancelled);
}

TEST_P(Sessions, AHundredSessionsLeaveNothingOpen) {
  TRIBUTARY_NEEDS_NETWORK();
  const auto peer = subject().start_peer();
  FaultProxy proxy(peer->port());
  connect(proxy.port()).reset();
  context_.run_until([&] { return proxy.open() == 0; }, 5s);
  const std::size_t descriptors = open_descriptors();
  for (int i = 0; i < 100; ++i) {
    auto session = connect(proxy.port());
    ASSERT_LE(proxy.open(), 2U) << "the last session must end before the next is made";
    if (i % 2 == 0) {
      close(*session);
    } else {
      session->abort();
    }
    session.reset();
    context_.drain();
    ASSERT_TRUE(context_.run_until([&] { return proxy.open() == 0; }, 5s))
        << "session " << i << " was left open";
  }
  EXPECT_EQ(proxy.accepted(), 101 * subject().connections_to_open);
  expect_descriptors(descriptors);
}

TEST_P(Sessions, AfterAbortNoByteIsSent) {
  TRIBUTARY_NEEDS_NETWORK();
  const auto peer = subject().start_peer();
  FaultProxy proxy(peer->port());
  auto session = connect(proxy.port());
  const auto operation = prepare(subject().call);
  auto running =
      context_.start(session->call(*operation, subject().call_parameters, context_.in(10s)));
  session->abort();
  ASSERT_TRUE(context_.run_until([&] { return proxy.open() == 0; }, 5s))
      << "the connection must end";
  const auto sent = proxy.bytes_from_clients();
  const auto result = context_.finish(running, 3s);
  EXPECT_FALSE(result.has_value());
  context_.drain();
  EXPECT_EQ(proxy.bytes_from_clients(), sent);
  EXPECT_EQ(proxy.accepted(), subject().connections_to_open) << "a session does not reconnect";
}

}  // namespace
}  // namespace tributary::test
