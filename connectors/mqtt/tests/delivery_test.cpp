// What is acknowledged, and when: a broker that is played by hand, then mosquitto.
#include <arpa/inet.h>
#include <sys/socket.h>

#include "connectors/mqtt/tests/fixture.hpp"

namespace tributary::connectors::mqtt {
namespace {

using test::hex;
using test::to_hex;

// One connection of a broker, played step by step by the test itself: no thread, so what was heard
// at an instant is exact.
class HandBroker {
 public:
  HandBroker() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 4), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~HandBroker() {
    hang_up();
    ::close(listener_);
  }
  HandBroker(const HandBroker&) = delete;
  HandBroker& operator=(const HandBroker&) = delete;

  std::uint16_t port() const { return port_; }
  // All that this connection has brought so far.
  const std::string& heard() {
    if (connection_ < 0) connection_ = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    char bytes[4096];
    for (ssize_t count = 0;
         connection_ >= 0 && (count = ::recv(connection_, bytes, 4096, 0)) > 0;) {
      heard_.append(bytes, static_cast<std::size_t>(count));
    }
    return heard_;
  }
  void say(const std::string& text) {
    const std::string bytes = hex(text);
    EXPECT_EQ(::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void hang_up() {
    if (connection_ >= 0) ::close(connection_);
    connection_ = -1;
    heard_.clear();
  }

 private:
  int listener_;
  int connection_ = -1;
  std::uint16_t port_ = 0;
  std::string heard_;
};

// Refuses every batch: as a stopped pipeline does, or as one that cannot store it.
class RefusingSink final : public sdk::Sink {
 public:
  explicit RefusingSink(ErrorClass error_class = ErrorClass::kCancelled)
      : error_class_(error_class) {}
  Task<Result<void>> deliver(Batch batch) override {
    refused += batch.size();
    co_return fail(error_class_, "refused", "not now");
  }
  std::size_t refused = 0;

 private:
  ErrorClass error_class_;
};

class DeliveryTest : public MqttTest {
 protected:
  // A session with the hand-played broker, which says this in its CONNACK.
  std::unique_ptr<sdk::Session> log_in(const std::string& settings = "{}",
                                       const std::string& connack = "20 02 00 00") {
    auto made = session(profile(broker_.port(), settings));
    auto opening = context_.start(made->open(context_.in(10s), context_.stages()));
    EXPECT_TRUE(context_.run_until([&] { return !broker_.heard().empty(); }));
    broker_.say(connack);
    const auto opened = context_.finish(opening);
    EXPECT_TRUE(opened) << opened.error().message;
    told_ = broker_.heard().size();
    return made;
  }
  // Subscribes to "a"; `id` is the packet's, as two bytes in hexadecimal.
  std::unique_ptr<sdk::Subscription> subscribe_to_a(sdk::Session& to, sdk::Sink& sink,
                                                    const std::string& id = "00 01") {
    const auto operation =
        prepare("mqtt.subscribe", R"({"topics":[{"topic":"a","qos":2}],"format":"text"})");
    auto& subscriber = dynamic_cast<sdk::Subscriber&>(to);
    auto subscribing = context_.start(subscriber.subscribe(*operation, sink, context_.in(10s)));
    EXPECT_TRUE(context_.run_until([&] { return news().size() >= 8; }));
    news_taken();
    broker_.say("90 03 " + id + " 02");
    auto subscribed = context_.finish(subscribing);
    EXPECT_TRUE(subscribed);
    return std::move(*subscribed);
  }
  // What the broker heard since news_taken().
  std::string news() { return broker_.heard().substr(told_); }
  void news_taken() { told_ = broker_.heard().size(); }
  // Waits until the broker has heard exactly this, and nothing else.
  testing::AssertionResult hears(const std::string& text) {
    context_.run_until([&] { return news().size() >= hex(text).size(); }, 5s);
    const std::string got = to_hex(news());
    news_taken();
    if (got == text) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "heard: " << got;
  }
  testing::AssertionResult hears_nothing(Duration time = 200ms) {
    context_.run_until([&] { return !news().empty(); }, time);
    if (news().empty()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "heard: " << to_hex(news());
  }

  HandBroker broker_;
  std::size_t told_ = 0;
};

TEST_F(DeliveryTest, edge_30_qos_1_is_acknowledged_only_when_the_sink_has_accepted) {
  const auto made = log_in();
  const auto subscription = subscribe_to_a(*made, sink_);
  sink_.stall();
  broker_.say("32 06 00 01 61 00 05 78");
  ASSERT_TRUE(context_.run_until([&] { return sink_.deliveries == 1; }));
  EXPECT_TRUE(hears_nothing());
  const auto released = context_.in(0s);
  sink_.release();
  EXPECT_TRUE(hears("40 02 00 05"));
  EXPECT_LT(context_.in(0s) - released, 500ms);
}

TEST_F(DeliveryTest, edge_30_qos_2_is_acknowledged_only_when_the_sink_has_accepted) {
  const auto made = log_in();
  const auto subscription = subscribe_to_a(*made, sink_);
  sink_.stall();
  broker_.say("34 06 00 01 61 00 05 78");
  ASSERT_TRUE(context_.run_until([&] { return sink_.deliveries == 1; }));
  broker_.say("3c 06 00 01 61 00 05 78");
  EXPECT_TRUE(hears_nothing());
  sink_.release();
  EXPECT_TRUE(hears("50 02 00 05"));
  broker_.say("62 02 00 05");
  EXPECT_TRUE(hears("70 02 00 05"));
  EXPECT_EQ(sink_.records.size(), 1U) << "the repetition is the same message";
}

TEST_F(DeliveryTest, a_message_for_two_functions_waits_for_the_slower_one) {
  RecordingSink slow(context_.executor());
  const auto made = log_in();
  const auto first = subscribe_to_a(*made, sink_);
  const auto second = subscribe_to_a(*made, slow, "00 02");
  slow.stall();
  broker_.say("32 06 00 01 61 00 05 78");
  ASSERT_TRUE(
      context_.run_until([&] { return sink_.records.size() == 1 && slow.deliveries == 1; }));
  EXPECT_TRUE(hears_nothing());
  slow.release();
  EXPECT_TRUE(hears("40 02 00 05"));
}

TEST_F(DeliveryTest, what_came_together_is_acknowledged_in_one_go_and_in_order) {
  const auto made = log_in();
  const auto subscription = subscribe_to_a(*made, sink_);
  broker_.say("32 06 00 01 61 00 05 78 32 06 00 01 61 00 06 79 34 06 00 01 61 00 07 7a");
  EXPECT_TRUE(hears("40 02 00 05 40 02 00 06 50 02 00 07"));
  EXPECT_EQ(sink_.batches, 1U);
}

TEST_F(DeliveryTest, what_nobody_wants_is_acknowledged_at_once) {
  const auto made = log_in();
  broker_.say("32 06 00 01 61 00 05 78");
  EXPECT_TRUE(hears("40 02 00 05"));
}

TEST_F(DeliveryTest, edge_34_what_the_sink_refused_is_never_acknowledged_and_blocks_nobody) {
  RefusingSink stopped;
  const auto made = log_in(R"({"cleanSession":false})");
  const auto subscription = subscribe_to_a(*made, stopped);
  broker_.say("32 06 00 01 61 00 05 78");
  ASSERT_TRUE(context_.run_until([&] { return stopped.refused == 1; }));
  broker_.say("32 06 00 01 62 00 06 78");
  EXPECT_TRUE(hears("40 02 00 06")) << "of another topic: only the refused one is missing";
  EXPECT_TRUE(hears_nothing(1500ms));
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(DeliveryTest, a_sink_that_could_not_take_a_batch_gets_the_next_one) {
  RefusingSink full(ErrorClass::kInternal);
  const auto made = log_in(R"({"cleanSession":false})");
  const auto subscription = subscribe_to_a(*made, full);
  broker_.say("32 06 00 01 61 00 05 78");
  ASSERT_TRUE(context_.run_until([&] { return full.refused == 1; }));
  broker_.say("32 06 00 01 61 00 06 78");
  ASSERT_TRUE(context_.run_until([&] { return full.refused == 2; }));
  EXPECT_TRUE(hears_nothing(1500ms));
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(DeliveryTest, what_a_function_left_goes_to_the_one_that_takes_its_place) {
  const auto made = log_in();
  auto subscription = subscribe_to_a(*made, sink_);
  RefusingSink stopped;
  // The function is edited: its old sink wants no more, and a new one comes.
  const auto first = subscribe_to_a(*made, stopped, "00 02");
  context_.run((*subscription).cancel(context_.in(5s)));
  broker_.say("32 06 00 01 61 00 05 78");
  ASSERT_TRUE(context_.run_until([&] { return stopped.refused == 1; }));
  RecordingSink next(context_.executor());
  const auto second = subscribe_to_a(*made, next, "00 03");
  ASSERT_TRUE(context_.run_until([&] { return next.records.size() == 1; }));
  EXPECT_TRUE(hears("40 02 00 05"));
  EXPECT_TRUE(sink_.records.empty());
}

TEST_F(DeliveryTest, a_session_whose_messages_nobody_took_is_given_up_so_that_they_come_again) {
  RefusingSink stopped;
  const auto made = log_in(R"({"cleanSession":false})");
  const auto subscription = subscribe_to_a(*made, stopped);
  for (int id = 1; id <= 9; ++id) broker_.say(fmt::format("32 06 00 01 61 00 {:02x} 78", id));
  ASSERT_TRUE(lost(5s));
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
  EXPECT_EQ(context_.events().losses[0].code, "messages_not_taken");
  EXPECT_TRUE(hears_nothing(0ms));
}

// Version 3.1 does not say whether it kept a session.
class ResumedTest : public DeliveryTest, public testing::WithParamInterface<std::string> {};
INSTANTIATE_TEST_SUITE_P(Mqtt, ResumedTest, testing::Values("3.1", "3.1.1"),
                         [](const auto& parameter) {
                           return parameter.param == "3.1" ? "v3" : "v4";
                         });

TEST_P(ResumedTest, what_an_earlier_session_left_is_held_until_its_function_is_there) {
  const auto made = log_in(fmt::format(R"({{"cleanSession":false,"version":"{}"}})", GetParam()),
                           GetParam() == "3.1" ? "20 02 00 00" : "20 02 01 00");
  broker_.say("32 06 00 01 61 00 05 78");
  EXPECT_TRUE(hears_nothing());
  const auto operation =
      prepare("mqtt.subscribe", R"({"topics":[{"topic":"a","qos":1}],"format":"text"})");
  auto& subscriber = dynamic_cast<sdk::Subscriber&>(*made);
  auto subscribing = context_.start(subscriber.subscribe(*operation, sink_, context_.in(10s)));
  ASSERT_TRUE(context_.run_until([&] { return news().size() >= 8; }));
  // The id of a resumed session begins anywhere.
  broker_.say("90 03 " + to_hex(news().substr(2, 2)) + " 01");
  news_taken();
  const auto subscription = context_.finish(subscribing);
  ASSERT_TRUE(subscription);
  ASSERT_TRUE(received(sink_, 1));
  // Other functions may want it, too, and are given a moment.
  EXPECT_TRUE(hears("40 02 00 05"));
}

TEST_F(DeliveryTest, a_connection_that_ends_acknowledges_nothing_any_more) {
  const auto made = log_in();
  const auto subscription = subscribe_to_a(*made, sink_);
  sink_.stall();
  broker_.say("32 06 00 01 61 00 05 78");
  ASSERT_TRUE(context_.run_until([&] { return sink_.deliveries == 1; }));
  made->abort();
  sink_.release();
  context_.drain();
  EXPECT_TRUE(news().empty());
}

TEST_F(DeliveryTest, a_planned_end_delivers_acknowledges_and_only_then_says_goodbye) {
  const auto made = log_in();
  const auto subscription = subscribe_to_a(*made, sink_);
  sink_.stall();
  broker_.say("32 06 00 01 61 00 05 78");
  ASSERT_TRUE(context_.run_until([&] { return sink_.deliveries == 1; }));
  auto closing = context_.start(made->close(context_.in(5s)));
  EXPECT_TRUE(hears_nothing(50ms));
  sink_.release();
  EXPECT_TRUE(hears("40 02 00 05 e0 00"));
  context_.finish(closing);
}

TEST_F(DeliveryTest, a_malformed_packet_ends_the_session_with_its_reason) {
  const auto made = log_in(R"({"version":"5.0"})", "20 03 00 00 00");
  broker_.say("36 05 00 01 61 00 01");
  ASSERT_TRUE(lost());
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
  EXPECT_EQ(context_.events().losses[0].code, "protocol_error");
  EXPECT_THAT(context_.events().losses[0].message, testing::HasSubstr("QoS 3"));
  EXPECT_TRUE(hears("e0 01 81"));
}

TEST_F(DeliveryTest, many_calls_of_one_turn_are_one_write) {
  const auto made = log_in();
  const auto operation = prepare("mqtt.publish", R"({"topic":"t","payload":"x","qos":0})");
  const Json none = json_object();
  std::vector<test::Running<Result<Batch>>> calls;
  for (int i = 0; i < 50; ++i) {
    calls.push_back(context_.start(made->call(*operation, none, context_.in(5s))));
  }
  ASSERT_TRUE(context_.run_until([&] { return !news().empty(); }));
  EXPECT_EQ(news().size(), 50U * 6) << "the first bytes that arrive are all of them";
  for (auto& call : calls) EXPECT_TRUE(context_.finish(call));
}

// ---- mosquitto ----

class KeptSessionTest : public MqttTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string settings() const {
    return fmt::format(R"({{"version":"{}","cleanSession":false,"clientId":"hub"}})", GetParam());
  }
  Broker broker_;
};
INSTANTIATE_TEST_SUITE_P(Mqtt, KeptSessionTest, testing::Values("3.1.1", "5.0"),
                         [](const auto& info) { return "v" + std::to_string(info.index); });

TEST_P(KeptSessionTest, what_a_killed_hub_had_not_accepted_comes_again_all_of_it) {
  constexpr std::size_t kCount = 300;
  const auto made = profile(broker_.port(), settings());
  auto first = session(made);
  ASSERT_TRUE(open(*first));
  auto subscription = subscribe(*first, R"({"topics":[{"topic":"a","qos":1}]})", sink_);
  ASSERT_TRUE(subscription);
  sink_.stall();
  const auto other = connect(broker_.port());
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(publish(*other, "a", fmt::format("{}", i)));
  }
  ASSERT_TRUE(context_.run_until([&] { return sink_.deliveries == 1; }));
  first->abort();
  subscription->reset();
  first.reset();
  context_.drain();

  const auto second = session(made);
  const auto opened = open(*second);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->session_present);
  RecordingSink sink(context_.executor());
  const auto again = subscribe(*second, R"({"topics":[{"topic":"a","qos":1}]})", sink);
  ASSERT_TRUE(again);
  ASSERT_TRUE(received(sink, kCount)) << sink.records.size();
  std::set<std::size_t> numbers;
  for (const Record& record : sink.records) {
    numbers.insert(record.at("payload").as<std::size_t>());
  }
  EXPECT_EQ(numbers.size(), kCount) << "none is missing";
  sink_.release();
  context_.drain();
}

TEST_P(KeptSessionTest, what_was_accepted_does_not_come_again) {
  const auto made = profile(broker_.port(), settings());
  auto first = session(made);
  ASSERT_TRUE(open(*first));
  auto subscription = subscribe(*first, R"({"topics":[{"topic":"a","qos":2}]})", sink_);
  ASSERT_TRUE(subscription);
  const auto other = connect(broker_.port());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(publish(*other, "a", "1", 1 + i % 2));
  ASSERT_TRUE(received(sink_, 50));
  context_.run(first->close(context_.in(5s)));
  subscription->reset();

  const auto second = session(made);
  ASSERT_TRUE(open(*second));
  RecordingSink sink(context_.executor());
  const auto again = subscribe(*second, R"({"topics":[{"topic":"a","qos":2}]})", sink);
  ASSERT_TRUE(again);
  ASSERT_TRUE(publish(*other, "a", "2", 2));
  ASSERT_TRUE(received(sink, 1));
  EXPECT_EQ(sink.records[0].at("payload").as<int>(), 2);
}

TEST_P(KeptSessionTest, edge_39_messages_published_after_a_break_are_new_ones_to_the_broker) {
  const auto made = profile(broker_.port(), settings());
  const auto listener = connect(broker_.port());
  const auto subscription = subscribe(*listener, R"({"topics":[{"topic":"a","qos":2}]})", sink_);
  ASSERT_TRUE(subscription);
  for (int i = 0; i < 5; ++i) {
    // Cut in the middle of a handshake of QoS 2: the broker may keep its half of it.
    auto cut = session(made);
    ASSERT_TRUE(open(*cut));
    const auto operation = prepare("mqtt.publish", R"({"topic":"a","payload":"cut","qos":2})");
    const Json none = json_object();
    auto calling = context_.start(cut->call(*operation, none, context_.in(5s)));
    context_.step();
    context_.step();
    cut->abort();
    context_.finish(calling);
    const auto whole = session(made);
    ASSERT_TRUE(open(*whole));
    ASSERT_TRUE(publish(*whole, "a", fmt::format("\"whole {}\"", i), 2));
    context_.run(whole->close(context_.in(5s)));
  }
  const auto arrived = [&] {
    std::size_t count = 0;
    for (const Record& record : sink_.records) {
      const std::string payload = record.at("payload").as_string();
      count += payload.starts_with("whole") ? 1 : 0;
    }
    return count;
  };
  EXPECT_TRUE(context_.run_until([&] { return arrived() == 5; })) << arrived();
}

}  // namespace
}  // namespace tributary::connectors::mqtt
