// Connecting: every way it can fail, and several addresses.
#include <sys/resource.h>

#include <condition_variable>
#include <mutex>

#include "net/dial.hpp"
#include "net/tests/net_fixture.hpp"

namespace tributary::net {
namespace {

using DialTest = NetTest;

TEST_F(DialTest, a_listening_peer_is_connected_and_the_stages_are_told) {
  Acceptor acceptor = listen();
  const auto port = acceptor.local_endpoint().port();
  const auto stream = dial("127.0.0.1", port, 5s);
  ASSERT_TRUE(stream);
  EXPECT_EQ((*stream)->peer(), fmt::format("127.0.0.1:{}", port));
  EXPECT_THAT(stages_.seen, testing::ElementsAre("resolve", "tcp"));
}

TEST(Addresses, begin_with_the_one_whose_turn_it_is_round_and_round) {
  const std::vector<Address> all{{"192.0.2.1", 1}, {"192.0.2.2", 1}, {"192.0.2.3", 1}};
  const auto ips = [&all](std::size_t first) {
    std::string text;
    for (const Address& address : begin_with(all, first)) text += address.ip.back();
    return text;
  };
  EXPECT_EQ(ips(0), "123");
  EXPECT_EQ(ips(1), "231");
  EXPECT_EQ(ips(5), "312");
  EXPECT_TRUE(begin_with({}, 3).empty());
}

TEST_F(DialTest, a_refusing_port_is_named_with_what_to_do) {
  std::uint16_t port = 0;
  {
    port = listen().local_endpoint().port();
  }
  const auto stream = dial("127.0.0.1", port, 5s);
  ASSERT_FALSE(stream);
  const Error& error = stream.error();
  EXPECT_EQ(error.error_class, ErrorClass::kTransient);
  EXPECT_EQ(error.code, "connection_refused");
  EXPECT_EQ(error.message, fmt::format("127.0.0.1:{} refused the connection", port));
  EXPECT_FALSE(error.hint.empty());
  EXPECT_EQ(error.pointer, "/settings/host");
}

TEST_F(DialTest, a_peer_that_drops_packets_ends_the_dial_at_its_deadline) {
  const BlackHole hole;
  const SteadyTime started = timers_->now();
  const auto stream = dial("127.0.0.1", hole.port(), 200ms);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, "connect_timeout");
  EXPECT_EQ(stream.error().message,
            fmt::format("127.0.0.1:{} did not answer within 0.2 s", hole.port()));
  EXPECT_LT(timers_->now() - started, 1s);
}

TEST_F(DialTest, edge_14_a_dead_first_address_costs_one_stagger) {
  const BlackHole hole("127.0.0.2");
  Acceptor acceptor = listen("127.0.0.3", hole.port());
  network_ = make_network(*timers_, [](const std::string&) {
    return Result<std::vector<std::string>>(std::vector<std::string>{"127.0.0.2", "127.0.0.3"});
  });
  const SteadyTime started = timers_->now();
  const auto stream = dial("plc.test", hole.port(), 5s);
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ((*stream)->peer(), fmt::format("127.0.0.3:{}", hole.port()));
  EXPECT_GE(timers_->now() - started, 250ms);
  EXPECT_LT(timers_->now() - started, 1s);  // waiting for the first would take 5 s
}

TEST_F(DialTest, a_refusing_first_address_costs_nothing) {
  Acceptor acceptor = listen("127.0.0.3");
  network_ = make_network(*timers_, [](const std::string&) {
    return Result<std::vector<std::string>>(std::vector<std::string>{"127.0.0.2", "127.0.0.3"});
  });
  const SteadyTime started = timers_->now();
  const auto stream = dial("plc.test", acceptor.local_endpoint().port(), 5s);
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_LT(timers_->now() - started, 200ms);
}

TEST_F(DialTest, when_all_addresses_fail_the_message_names_each) {
  std::uint16_t port = 0;
  {
    port = listen("127.0.0.2").local_endpoint().port();
  }
  network_ = make_network(*timers_, [](const std::string&) {
    return Result<std::vector<std::string>>(std::vector<std::string>{"127.0.0.2", "127.0.0.3"});
  });
  const auto stream = dial("plc.test", port, 5s);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, "connection_refused");
  EXPECT_EQ(stream.error().message, fmt::format("plc.test (127.0.0.2:{0}) refused the connection; "
                                                "plc.test (127.0.0.3:{0}) refused the connection",
                                                port));
}

TEST_F(DialTest, edge_14_the_name_is_resolved_afresh_for_each_dial) {
  Acceptor first = listen("127.0.0.2");
  Acceptor second = listen("127.0.0.3", first.local_endpoint().port());
  auto current = std::make_shared<std::atomic<const char*>>("127.0.0.2");
  network_ = make_network(*timers_, [current](const std::string&) {
    return Result<std::vector<std::string>>(std::vector<std::string>{current->load()});
  });
  const auto port = first.local_endpoint().port();
  EXPECT_THAT(dial("plc.test", port, 5s).value()->peer(), testing::StartsWith("127.0.0.2"));
  *current = "127.0.0.3";
  EXPECT_THAT(dial("plc.test", port, 5s).value()->peer(), testing::StartsWith("127.0.0.3"));
}

TEST_F(DialTest, cancelling_ends_a_dial_that_waits) {
  const BlackHole hole;
  const auto cancel = std::make_shared<DialCancel>();
  asio::post(context_, [&] { cancel->cancel(); });
  const SteadyTime started = timers_->now();
  const Endpoint endpoint{"127.0.0.1", hole.port()};
  const auto stream = run(network_->dial_cancellable(endpoint, {}, in(5s), stages_, cancel));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().error_class, ErrorClass::kCancelled);
  EXPECT_LT(timers_->now() - started, 1s);
}

TEST_F(DialTest, two_hundred_dials_leave_no_descriptor_behind) {
  Acceptor acceptor = listen();
  std::uint16_t refused = 0;
  {
    refused = listen().local_endpoint().port();
  }
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(dial("127.0.0.1", acceptor.local_endpoint().port(), 5s));
    acceptor.accept().close();
    ASSERT_FALSE(dial("127.0.0.1", refused, 5s));
  }
  context_.poll();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(DialTest, without_free_descriptors_the_hub_is_named_not_the_peer) {
  Acceptor acceptor = listen();
  ASSERT_TRUE(dial("127.0.0.1", acceptor.local_endpoint().port(), 5s));
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const rlimit none{3, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto stream = dial("127.0.0.1", acceptor.local_endpoint().port(), 5s);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, "out_of_descriptors");
  EXPECT_EQ(stream.error().error_class, ErrorClass::kInternal);
}

class ResolveTest : public NetTest {
 protected:
  Result<std::vector<Address>> resolve(const std::string& host, Duration time) {
    const Endpoint endpoint{host, 502};
    return run(network_->resolve(endpoint, in(time)));
  }
};

TEST_F(ResolveTest, literal_addresses_pass_through) {
  EXPECT_EQ(resolve("192.0.2.10", 1s).value().at(0).ip, "192.0.2.10");
  EXPECT_EQ(resolve("2001:db8::1", 1s).value().at(0).ip, "2001:db8::1");
  EXPECT_EQ(resolve("[2001:db8::1]", 1s).value().at(0).ip, "2001:db8::1");
  EXPECT_EQ(resolve("192.0.2.10", 1s).value().at(0).port, 502);
}

TEST_F(ResolveTest, localhost_has_an_address) {
  const auto addresses = resolve("localhost", 5s);
  ASSERT_TRUE(addresses);
  EXPECT_FALSE(addresses->empty());
}

TEST_F(ResolveTest, names_that_cannot_exist_are_no_such_host) {
  for (const std::string& name : {std::string(), std::string("a\0b", 3)}) {
    const auto addresses = resolve(name, 5s);
    ASSERT_FALSE(addresses);
    EXPECT_EQ(addresses.error().code, "no_such_host");
    EXPECT_EQ(addresses.error().error_class, ErrorClass::kName);
    EXPECT_EQ(addresses.error().pointer, "/settings/host");
  }
}

TEST_F(ResolveTest, a_look_up_that_hangs_ends_at_the_deadline_and_its_late_answer_is_dropped) {
  struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
  };
  const auto gate = std::make_shared<Gate>();
  network_ = make_network(*timers_, [gate](const std::string& host) {
    std::unique_lock lock(gate->mutex);
    if (host == "slow.test") gate->opened.wait(lock, [&] { return gate->open; });
    return Result<std::vector<std::string>>(std::vector<std::string>{"127.0.0.1"});
  });
  const SteadyTime started = timers_->now();
  const auto hung = resolve("slow.test", 150ms);
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().code, "timeout");
  EXPECT_LT(timers_->now() - started, 1s);
  EXPECT_TRUE(resolve("fast.test", 5s)) << "one hanging name must not stop the others";

  const auto cancel = std::make_shared<DialCancel>();
  asio::post(context_, [&] { cancel->cancel(); });
  const auto cancelled = run(network_->resolve_cancellable({"slow.test", 502}, in(5s), cancel));
  EXPECT_EQ(cancelled.error().error_class, ErrorClass::kCancelled);

  // The network goes first, then the answers come.
  network_.reset();
  {
    const std::lock_guard lock(gate->mutex);
    gate->open = true;
  }
  gate->opened.notify_all();
  context_.restart();
  EXPECT_EQ(context_.poll(), 0U);
}

}  // namespace
}  // namespace tributary::net
