// The proxy between a plain client and an echo: each fault does what its name says, and nothing
// else.
#include "tests/support/fault_proxy.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "tests/support/scripted_peer.hpp"
#include "tests/support/sockets.hpp"

namespace tributary::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto kLimit = 20s;     // for what must come, on a loaded machine
constexpr auto kSilence = 60ms;  // long enough to see what must not come

// What a client of the proxy sees.
class Client {
 public:
  explicit Client(const FaultProxy& proxy) : socket_(connect_loopback(proxy.port())) {}
  bool connected() const { return socket_.valid(); }
  bool say(std::string_view text) { return send_all(socket_.get(), text); }
  // The next bytes; "<end>" after a goodbye, "<reset>" after a reset, "" when nothing came.
  std::string hear(std::chrono::milliseconds limit = kLimit) {
    pollfd polled{socket_.get(), POLLIN, 0};
    if (::poll(&polled, 1, static_cast<int>(limit.count())) <= 0) return "";
    char buffer[4096];
    const ssize_t count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (count == 0) return "<end>";
    if (count < 0) return errno == ECONNRESET ? "<reset>" : "<error>";
    return {buffer, static_cast<std::size_t>(count)};
  }
  // Hears until `size` bytes came or something else than bytes.
  std::string hear_all(std::size_t size) {
    std::string heard;
    while (heard.size() < size) {
      const std::string more = hear();
      heard += more;
      if (more.empty() || more.front() == '<') break;
    }
    return heard;
  }
  void close() { socket_.close(); }

 private:
  Descriptor socket_;
};

// An echo behind the proxy.
class FaultProxyTest : public testing::Test {
 protected:
  static Script echo() {
    return Script{}.serve(1, [](std::string_view byte) { return std::string(byte); });
  }
  std::string round_trip(Client& client, const std::string& text) {
    return client.say(text) ? client.hear_all(text.size()) : "<gone>";
  }
  ScriptedPeer peer_{echo()};
  FaultProxy proxy_{peer_.port()};
};

TEST_F(FaultProxyTest, PassForwardsBothWaysAndCounts) {
  Client client(proxy_);
  EXPECT_EQ(round_trip(client, "hello"), "hello");
  const auto stats = proxy_.stats();
  EXPECT_EQ(stats.accepted, 1U);
  EXPECT_EQ(stats.open, 1U);
  EXPECT_EQ(stats.client_bytes, 5U);
  EXPECT_EQ(stats.server_bytes, 5U);
}

TEST_F(FaultProxyTest, AGoodbyeIsPassedOn) {
  Client client(proxy_);
  ASSERT_EQ(round_trip(client, "x"), "x");
  client.close();
  EXPECT_EQ(peer_.unmet(), "");
  for (const auto end = Clock::now() + kLimit; proxy_.open() != 0 && Clock::now() < end;)
    std::this_thread::yield();
  EXPECT_EQ(proxy_.open(), 0U);
}

TEST_F(FaultProxyTest, DelayHoldsEveryByteThatLongInEachDirection) {
  Client client(proxy_);
  proxy_.set_fault({.kind = Fault::Kind::kDelay, .delay = 40ms});
  const auto begin = Clock::now();
  EXPECT_EQ(round_trip(client, "a"), "a");
  EXPECT_GE(Clock::now() - begin, 80ms);
}

TEST_F(FaultProxyTest, RateLetsThatManyBytesASecondPass) {
  Client client(proxy_);
  proxy_.set_fault({.kind = Fault::Kind::kRate, .count = 1000});
  const auto begin = Clock::now();
  EXPECT_EQ(round_trip(client, std::string(200, 'r')), std::string(200, 'r'));
  EXPECT_GE(Clock::now() - begin, 190ms);
}

TEST_F(FaultProxyTest, SliceLosesNothing) {
  Client client(proxy_);
  proxy_.set_mode(FaultProxy::Mode::kSlice);
  EXPECT_EQ(round_trip(client, "one byte at a time"), "one byte at a time");
}

TEST_F(FaultProxyTest, CorruptInvertsTheOneByteOfTheOneSide) {
  Client client(proxy_);
  ASSERT_EQ(round_trip(client, "before"), "before");
  proxy_.set_fault({.kind = Fault::Kind::kCorrupt, .count = 1, .side = Side::kServer});
  EXPECT_EQ(round_trip(client, "abc"),
            "a\x9d"
            "c");
  EXPECT_EQ(round_trip(client, "abc"), "abc") << "once per connection";
  Client next(proxy_);
  EXPECT_EQ(round_trip(next, "abc"),
            "a\x9d"
            "c")
      << "counted from the beginning of each";
}

TEST_F(FaultProxyTest, StallHoldsEverythingUntilPassLetsItGo) {
  Client client(proxy_);
  ASSERT_EQ(round_trip(client, "x"), "x");
  proxy_.set_mode(FaultProxy::Mode::kStall);
  ASSERT_TRUE(client.say("later"));
  EXPECT_EQ(client.hear(kSilence), "");
  EXPECT_EQ(proxy_.open(), 1U);
  proxy_.set_mode(FaultProxy::Mode::kPass);
  EXPECT_EQ(client.hear_all(5), "later");
}

TEST_F(FaultProxyTest, StallAfterStopsOneSideAtThatByte) {
  Client client(proxy_);
  proxy_.set_fault({.kind = Fault::Kind::kStallAfter, .count = 3, .side = Side::kServer});
  ASSERT_TRUE(client.say("abcdef"));
  EXPECT_EQ(client.hear_all(3), "abc");
  EXPECT_EQ(client.hear(kSilence), "");
  EXPECT_EQ(proxy_.bytes_from_clients(), 6U) << "the other side flows";
}

TEST_F(FaultProxyTest, StallAfterOfTheClientsSide) {
  Client client(proxy_);
  proxy_.set_fault({.kind = Fault::Kind::kStallAfter, .count = 2, .side = Side::kClient});
  ASSERT_TRUE(client.say("abcdef"));
  EXPECT_EQ(client.hear_all(2), "ab");
  EXPECT_EQ(client.hear(kSilence), "") << "the peer heard two bytes and answered two";
}

TEST_F(FaultProxyTest, CutAfterEndsWithAGoodbyeAtThatByte) {
  for (std::uint64_t bytes = 0; bytes < 4; ++bytes) {
    proxy_.set_fault({.kind = Fault::Kind::kCutAfter, .count = bytes, .side = Side::kServer});
    Client client(proxy_);
    ASSERT_TRUE(client.say("abcd"));
    EXPECT_EQ(client.hear_all(4), std::string("abcd").substr(0, bytes) + "<end>");
  }
}

TEST_F(FaultProxyTest, MuteAcceptsAndReadsAndAnswersNothing) {
  Client old(proxy_);
  ASSERT_EQ(round_trip(old, "x"), "x");
  proxy_.set_mode(FaultProxy::Mode::kMute);
  Client fresh(proxy_);
  ASSERT_TRUE(fresh.connected());
  ASSERT_TRUE(fresh.say("anybody?") && old.say("anybody?"));
  EXPECT_EQ(fresh.hear(kSilence), "");
  EXPECT_EQ(old.hear(kSilence), "");
  EXPECT_EQ(proxy_.open(), 2U);
  proxy_.set_mode(FaultProxy::Mode::kPass);
  EXPECT_EQ(round_trip(fresh, "now"), "now") << "what was swallowed is gone, what follows passes";
}

TEST_F(FaultProxyTest, DropEndsOpenConnectionsAndEveryNewOne) {
  Client old(proxy_);
  ASSERT_EQ(round_trip(old, "x"), "x");
  proxy_.set_mode(FaultProxy::Mode::kDrop);
  EXPECT_EQ(old.hear(), "<end>");
  Client fresh(proxy_);
  ASSERT_TRUE(fresh.connected()) << "it is accepted first";
  EXPECT_EQ(fresh.hear(), "<end>");
  EXPECT_EQ(proxy_.accepted(), 2U);
}

TEST_F(FaultProxyTest, RefuseRefusesNewConnectionsAndPassListensAgainAtTheSamePort) {
  Client old(proxy_);
  ASSERT_EQ(round_trip(old, "x"), "x");
  proxy_.set_mode(FaultProxy::Mode::kRefuse);
  EXPECT_FALSE(Client(proxy_).connected());
  EXPECT_EQ(round_trip(old, "still here"), "still here");
  proxy_.set_mode(FaultProxy::Mode::kPass);
  Client fresh(proxy_);
  EXPECT_EQ(round_trip(fresh, "back"), "back");
}

TEST_F(FaultProxyTest, CutEndsWithAGoodbyeOrAReset) {
  for (const bool reset : {false, true}) {
    Client client(proxy_);
    ASSERT_EQ(round_trip(client, "x"), "x");
    proxy_.cut(reset);
    EXPECT_EQ(client.hear(), reset ? "<reset>" : "<end>");
    EXPECT_EQ(proxy_.open(), 0U);
  }
}

TEST_F(FaultProxyTest, ARefusingPeerBehindItIsAReset) {
  const RefusingPort refusing;
  FaultProxy proxy(refusing.port());
  Client client(proxy);
  EXPECT_EQ(client.hear(), "<reset>");
}

TEST(FaultOrder, EveryWordIsUnderstood) {
  const auto fault = [](std::string_view line) {
    const auto order = parse_order(line);
    return order ? std::get<Fault>(*order) : Fault{.kind = Fault::Kind::kPass, .count = 99};
  };
  EXPECT_EQ(fault("pass").count, 0U);
  EXPECT_EQ(fault("delay 50").delay, 50ms);
  EXPECT_EQ(fault("rate 1000").count, 1000U);
  EXPECT_EQ(fault("slice").kind, Fault::Kind::kSlice);
  EXPECT_EQ(fault(" corrupt  server 12\r\n").count, 12U);
  EXPECT_EQ(fault("corrupt server 12").side, Side::kServer);
  EXPECT_EQ(fault("stall").kind, Fault::Kind::kStall);
  EXPECT_EQ(fault("stall-after client 10").side, Side::kClient);
  EXPECT_EQ(fault("cut-after server 4").kind, Fault::Kind::kCutAfter);
  EXPECT_EQ(fault("mute").kind, Fault::Kind::kMute);
  EXPECT_EQ(fault("drop").kind, Fault::Kind::kDrop);
  EXPECT_EQ(fault("refuse").kind, Fault::Kind::kRefuse);
  EXPECT_TRUE(std::get<Cut>(*parse_order("cut rst")).reset);
  EXPECT_FALSE(std::get<Cut>(*parse_order("cut fin")).reset);
  EXPECT_TRUE(std::holds_alternative<AskStats>(*parse_order("stats")));
}

TEST(FaultOrder, AnythingElseIsNot) {
  for (const auto* line : {"", "  ", "passs", "pass 1", "delay", "delay x", "delay -1", "delay 1 2",
                           "rate 0", "delay 99999999999", "corrupt 12", "corrupt both 12", "cut",
                           "cut off", "stats now", "stall-after client"}) {
    EXPECT_FALSE(parse_order(line).has_value()) << line;
  }
}

}  // namespace

}  // namespace tributary::test
