// Against node-opcua, a server that nobody here wrote: certificates, logins,
// limits, restarts.
#include "connectors/opcua/tests/node_opcua.hpp"

#include <thread>

#include "tests/support/fault_proxy.hpp"

namespace tributary::connectors::opcua {
namespace {

TEST_F(NodeOpcua, EveryPolicyIsSpokenAndTheCertificateMustBeAccepted) {
  Peer peer;
  const auto refused = try_open(profile(peer.url()));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kTrust) << refused.error().message;
  EXPECT_EQ(refused.error().code, "certificate_untrusted");
  for (const auto* policy :
       {"auto", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"}) {
    for (const auto* mode : {"Sign", "SignAndEncrypt"}) {
      const auto opened = try_open(trusting(
          peer, fmt::format(R"({{"securityMode":"{}","securityPolicy":"{}"}})", mode, policy)));
      ASSERT_TRUE(opened.has_value()) << policy << " " << mode << ": " << opened.error().code << " "
                                      << opened.error().message << "\n"
                                      << peer.output();
      EXPECT_EQ(opened->product, "node-opcua peer");
      context_.run(session_->close(context_.in(5s)));
    }
  }
}

TEST_F(NodeOpcua, UsersLogIn) {
  Peer peer({"user=operator:swordfish"});
  constexpr std::string_view kUser = R"({"authentication": "username", "username": "operator"})";
  const auto opened = try_open(trusting(peer, kUser));
  EXPECT_TRUE(opened.has_value()) << opened.error().code << " " << opened.error().message;
  auto wrong = trusting(peer, kUser);
  wrong.secrets[1].second = Secret("trout");
  const auto refused = try_open(wrong);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kIdentity) << refused.error().code;
}

TEST_F(NodeOpcua, ValuesAreReadWrittenAndBrowsed) {
  Peer peer;
  open(trusting(peer));
  EXPECT_EQ(
      values(call("opcua.read",
                  peer_nodes({"speed", "temperature", "total", "product", "running", "levels"}))),
      json(
          R"({"speed":1500,"temperature":21.5,"total":7,"product":"Limonade","running":true,"levels":[1.5,2.5,3.5]})"));
  values(call("opcua.write", peer_nodes({"speed", "product", "total"}),
              R"({"speed":-7,"product":"Wasser","total":"18446744073709551615"})"));
  EXPECT_EQ(values(call("opcua.read", peer_nodes({"speed", "product", "total"}))),
            json(R"({"speed":-7,"product":"Wasser","total":18446744073709551615})"));
  const auto batch = call("opcua.browse",
                          fmt::format(R"({{"nodeId":"nsu={};s=many","depth":1}})", kPeerNamespace));
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  EXPECT_EQ(batch->records().size(), 1200U);
  std::string many;
  for (int i = 0; i < 250; ++i)
    many += fmt::format(R"({}{{"name":"m{}","nodeId":"nsu={};s=many{}"}})", i ? "," : "", i,
                        kPeerNamespace, i);
  const Json got = values(call("opcua.read", fmt::format(R"({{"nodes":[{}]}})", many)));
  EXPECT_EQ(got.size(), 250U);
  EXPECT_EQ(got["m249"], Json(249));
}

TEST_F(NodeOpcua, MethodsAreCalled) {
  Peer peer;
  open(trusting(peer));
  const std::string method = fmt::format(
      R"({{"objectId":"nsu={0};s=plant","methodId":"nsu={0};s=divide"}})", kPeerNamespace);
  const auto batch = call("opcua.call", method, R"({"dividend":7,"divisor":2})");
  ASSERT_TRUE(batch.has_value()) << batch.error().code << ": " << batch.error().message;
  EXPECT_EQ(batch->records().front(), json(R"({"quotient":3.5,"remark":"done"})"));
  const auto refused = call("opcua.call", method, R"({"dividend":7,"divisor":0})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kFunction);
  EXPECT_NE(refused.error().message.find("divisor"), std::string::npos) << refused.error().message;
}

TEST_F(NodeOpcua, ChangesComeWithoutGaps) {
  Peer peer;
  open(trusting(peer));
  Collector sink;
  const auto subscription = subscribe(
      sink, peer_nodes({"ticks"},
                       R"(,"publishingIntervalMs":100,"samplingIntervalMs":0,"queueSize":100)"));
  ASSERT_TRUE(context_.run_until([&] { return sink.good("ticks") >= 12; }, 20s))
      << sink.samples.size();
  context_.run(subscription->cancel(context_.in(5s)));
  const auto number = [&](std::size_t i) {
    return to_json(sink.samples[i].second.value).as<std::int64_t>();
  };
  for (std::size_t i = 1; i < sink.samples.size(); ++i)
    EXPECT_EQ(number(i), number(i - 1) + 1) << i;
}

// Of the range that the server declares (EURange, -100 to 100): ten percent are 20.
TEST_F(NodeOpcua, ADeadbandInPercentIsOfTheRangeOfTheNode) {
  Peer peer;
  open(trusting(peer));
  Collector sink;
  const auto subscription = subscribe(
      sink,
      peer_nodes(
          {"fill", "temperature"},
          R"(,"publishingIntervalMs":50,"samplingIntervalMs":20,"deadbandType":"percent","deadband":10)"));
  ASSERT_TRUE(context_.run_until([&] { return sink.samples.size() >= 2; }, 20s));
  const auto first =
      std::ranges::find(sink.samples, "temperature", &std::pair<std::string, Sample>::first);
  ASSERT_NE(first, sink.samples.end());
  ASSERT_TRUE(first->second.error) << "it has no range";
  EXPECT_EQ(first->second.error->code, "bad_monitored_item_filter_unsupported");
  const auto set = [&](double level) {
    values(call("opcua.write", peer_nodes({"fill"}), fmt::format(R"({{"fill":{}}})", level)));
    context_.run_until([] { return false; }, 300ms);
  };
  for (const double level : {15.0, -15.0, 19.0}) set(level);
  EXPECT_EQ(sink.good("fill"), 1U);
  set(21);
  EXPECT_TRUE(context_.run_until([&] { return sink.good("fill") == 2; }, 5s));
  for (const double level : {5.0, 40.0}) set(level);
  EXPECT_EQ(sink.good("fill"), 2U) << "it is the reported value that counts";
  set(0);
  EXPECT_TRUE(context_.run_until([&] { return sink.good("fill") == 3; }, 5s));
  context_.run(subscription->cancel(context_.in(5s)));
}

// Edge case 5: what the framework does after a loss is a new session.
TEST_F(NodeOpcua, edge_5_after_a_restart_of_the_server_values_flow_again) {
  Peer peer;
  open(trusting(peer));
  for (int round = 0; round < 3; ++round) {
    Collector sink;
    auto subscription = subscribe(sink, peer_nodes({"ticks"}, R"(,"publishingIntervalMs":100)"));
    ASSERT_TRUE(context_.run_until([&] { return sink.good("ticks") >= 2; }, 10s))
        << "round " << round;
    peer.kill();
    ASSERT_TRUE(context_.run_until([&] { return !context_.events().losses.empty(); }, 10s));
    EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
    context_.events().losses.clear();
    subscription.reset();
    session_->abort();
    peer.start();
    open(trusting(peer));
  }
}

// The link is cut for less, and for more, than the server keeps a session. It keeps subscriptions
// for longer: the first time the session is activated again, then they are transferred to a new
// one.
TEST_F(NodeOpcua, edge_5_a_cut_loses_nothing_that_the_server_keeps) {
  Peer peer;
  test::FaultProxy proxy(peer.port());
  auto with = trusting(peer, R"({"sessionTimeoutMs": 10000})");
  with.settings["endpointUrl"] = fmt::format("opc.tcp://127.0.0.1:{}", proxy.port());
  Collector sink;
  std::unique_ptr<sdk::Subscription> subscription;
  const auto connect = [&] {
    open(with);
    subscription = subscribe(
        sink,
        peer_nodes(
            {"ticks"},
            R"(,"publishingIntervalMs":100,"samplingIntervalMs":0,"queueSize":1000,"keepAliveMs":20000)"));
  };
  connect();
  std::size_t good = 0;
  for (const auto outage : {0s, 2s, 14s}) {
    ASSERT_TRUE(context_.run_until([&] { return sink.good("ticks") >= good + 4; }, 10s)) << outage;
    proxy.set_mode(test::FaultProxy::Mode::kRefuse);
    proxy.cut(true);
    ASSERT_TRUE(context_.run_until([&] { return !context_.events().losses.empty(); }, 10s));
    context_.events().losses.clear();
    session_->abort();
    subscription.reset();
    good = sink.good("ticks");
    std::this_thread::sleep_for(outage);
    proxy.set_mode(test::FaultProxy::Mode::kPass);
    connect();
  }
  ASSERT_TRUE(context_.run_until([&] { return sink.good("ticks") >= good + 60; }, 10s));
  std::int64_t before = -1;
  for (const auto& [name, sample] : sink.samples) {
    EXPECT_EQ(sample.quality.status_code(), 0U) << "nothing was missed";
    const auto number = to_json(sample.value).as<std::int64_t>();
    // What is true now is said again after each outage.
    if (before >= 0) {
      EXPECT_TRUE(number == before || number == before + 1) << before << " " << number;
    }
    before = number;
  }
  const std::string said = peer.output();
  std::size_t sessions = 0;
  for (std::size_t at = 0; (at = said.find("session created", at)) != std::string::npos; ++at)
    ++sessions;
  EXPECT_EQ(sessions, 2U);
  context_.run(subscription->cancel(context_.in(5s)));
  context_.run(session_->close(context_.in(5s)));
}

// Edge case 6: nodes come late, and behind another namespace than before.
TEST_F(NodeOpcua, edge_6_nodes_that_come_late_with_another_index_are_found) {
  Peer peer;
  open(trusting(peer));
  const Json before = values(call("opcua.read", peer_nodes({"speed"})));
  EXPECT_EQ(before, json(R"({"speed":1500})"));
  session_->abort();
  peer.kill();
  peer.set_options({"late=4"});
  peer.start();
  open(trusting(peer));
  Collector sink;
  const auto subscription =
      subscribe(sink, peer_nodes({"speed", "ticks"}, R"(,"publishingIntervalMs":100)"));
  ASSERT_TRUE(context_.run_until([&] { return sink.samples.size() >= 2; }, 5s));
  EXPECT_EQ(sink.samples[0].second.error->code, "namespace_unknown");
  EXPECT_TRUE(
      context_.run_until([&] { return sink.good("speed") >= 1 && sink.good("ticks") >= 1; }, 30s));
  EXPECT_EQ(values(call("opcua.read", peer_nodes({"speed"}))), json(R"({"speed":1500})"));
  context_.run(subscription->cancel(context_.in(5s)));
}

}  // namespace
}  // namespace tributary::connectors::opcua
