// The state of a connection, packet by packet, without a socket.
#include "connectors/mqtt/src/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scripted_peer.hpp"

namespace tributary::connectors::mqtt {
namespace {

using test::hex;
using test::to_hex;

// Remembers what was said, and holds every message that has to be acknowledged.
class Recorder final : public ClientEvents {
 public:
  void on_connack(const Connack& connack) override { connacks.push_back(connack); }
  void on_published(int id, int reason) override { published.emplace_back(id, reason); }
  void on_subscribed(int id, std::vector<int> codes) override {
    subscribed.emplace_back(id, std::move(codes));
  }
  void on_unsubscribed(int id) override { unsubscribed.push_back(id); }
  void on_message(Message message) override {
    if (message.delivery && holds) ++message.delivery->holders;
    messages.push_back(std::move(message));
  }
  bool holds = true;
  std::vector<Connack> connacks;
  std::vector<std::pair<int, int>> published;
  std::vector<std::pair<int, std::vector<int>>> subscribed;
  std::vector<int> unsubscribed;
  std::vector<Message> messages;
};

class ClientTest : public testing::Test {
 protected:
  void open(Version version = Version::k3_1_1, const std::string& connack = "20 02 00 00",
            std::int64_t max_message_bytes = 1024) {
    ClientOptions options;
    options.settings.version = version;
    options.settings.max_message_bytes = max_message_bytes;
    options.client_id = "hub";
    client_ = Client::create(options, said_).value();
    written();
    hear(connack);
  }
  // Feeds bytes as the wire does; the fault that ended it.
  std::optional<Fault> feed(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size()) {
      const auto taken = client_->take(bytes.substr(used));
      if (!taken) return taken.error();
      if (*taken == 0) break;
      used += *taken;
    }
    left_ = std::string(bytes.substr(used));
    return std::nullopt;
  }
  void hear(const std::string& text) {
    const auto fault = feed(hex(text));
    EXPECT_FALSE(fault) << fault->text;
  }
  // What the client has to say, which is then said.
  std::string written() {
    const std::string bytes(client_->to_write());
    client_->wrote(bytes.size());
    return to_hex(bytes);
  }
  void accept(std::size_t index) {
    --said_.messages.at(index).delivery->holders;
    client_->settle();
  }
  Client::Sent publish(int qos, const std::string& payload = "x", bool retain = false) {
    PublishSettings settings;
    settings.qos = qos;
    settings.retain = retain;
    return client_->publish({"t", payload}, settings);
  }
  Recorder said_;
  std::unique_ptr<Client> client_;
  std::string left_;
};

// ---- from the broker ----

TEST_F(ClientTest, a_message_is_acknowledged_when_nobody_holds_it_any_more) {
  open();
  hear("32 06 00 01 61 00 05 78");
  ASSERT_EQ(said_.messages.size(), 1U);
  EXPECT_EQ(written(), "");
  accept(0);
  EXPECT_EQ(written(), "40 02 00 05");
  client_->settle();
  EXPECT_EQ(written(), "");
}

TEST_F(ClientTest, what_nobody_wants_is_acknowledged_at_once) {
  open();
  said_.holds = false;
  hear("32 06 00 01 61 00 05 78 34 06 00 01 61 00 06 78");
  EXPECT_EQ(written(), "40 02 00 05 50 02 00 06");
}

TEST_F(ClientTest, acknowledgements_go_out_in_the_order_in_which_the_messages_came) {
  open();
  hear("32 05 00 01 61 00 01 32 05 00 01 61 00 02 34 05 00 01 61 00 03");
  accept(2);
  accept(1);
  EXPECT_EQ(written(), "") << "the first is still held";
  accept(0);
  EXPECT_EQ(written(), "40 02 00 01 40 02 00 02 50 02 00 03");
}

TEST_F(ClientTest, a_parked_message_is_never_acknowledged_and_keeps_nobody_waiting) {
  open();
  hear("32 05 00 01 61 00 01 32 05 00 01 61 00 02");
  accept(1);
  EXPECT_EQ(written(), "");
  said_.messages[0].delivery->parked = true;
  client_->settle();
  EXPECT_EQ(written(), "40 02 00 02");
  EXPECT_EQ(client_->unacknowledged(), 0U);
}

TEST_F(ClientTest, a_message_with_qos_2_is_told_of_once_however_often_it_comes) {
  open();
  hear("34 05 00 01 61 00 09");
  hear("3c 05 00 01 61 00 09");
  EXPECT_EQ(written(), "") << "a repetition is no acceptance";
  accept(0);
  EXPECT_EQ(written(), "50 02 00 09");
  hear("3c 05 00 01 61 00 09");
  EXPECT_EQ(written(), "50 02 00 09") << "the broker has not heard it yet";
  EXPECT_EQ(said_.messages.size(), 1U);
  hear("62 02 00 09");
  EXPECT_EQ(written(), "70 02 00 09");
  hear("62 02 00 09");
  EXPECT_EQ(written(), "70 02 00 09") << "the broker has not heard it yet";
  hear("34 05 00 01 61 00 09");
  EXPECT_EQ(said_.messages.size(), 2U) << "after the release the id is a new message";
}

TEST_F(ClientTest, a_repetition_with_qos_1_of_what_is_still_held_is_no_second_message) {
  open(Version::k3_1);
  hear("32 05 00 01 61 00 09 3a 05 00 01 61 00 09");
  EXPECT_EQ(said_.messages.size(), 1U);
  accept(0);
  EXPECT_EQ(written(), "40 02 00 09");
  hear("3a 05 00 01 61 00 09");
  EXPECT_EQ(said_.messages.size(), 2U) << "at least once: the acknowledgement may be lost";
}

TEST_F(ClientTest, a_release_without_an_acknowledgement_is_a_fault) {
  open();
  hear("34 05 00 01 61 00 09");
  ASSERT_TRUE(feed(hex("62 02 00 09")));
}

TEST_F(ClientTest, a_release_of_an_earlier_connection_is_answered) {
  open(Version::k5_0, "20 03 01 00 00");
  hear("62 02 00 09");
  EXPECT_EQ(written(), "70 03 00 09 92");
}

TEST_F(ClientTest, a_5_0_broker_that_ignores_the_receive_maximum_breaks_the_rules) {
  open(Version::k5_0, "20 03 00 00 00");
  std::optional<Fault> fault;
  for (unsigned id = 1; id <= kReceiveMaximum + 1U && !fault; ++id) {
    fault = feed(hex(fmt::format("32 06 00 01 61 {:02x} {:02x} 00", id >> 8, id & 0xFF)));
  }
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->reason, 0x93);
  EXPECT_EQ(said_.messages.size(), kReceiveMaximum);
}

TEST_F(ClientTest, a_packet_is_handled_when_its_last_byte_is_there) {
  open();
  const std::string packet = hex("32 06 00 01 61 00 05 78");
  for (std::size_t size = 0; size < packet.size(); ++size) {
    EXPECT_EQ(client_->take(std::string_view(packet).substr(0, size)).value(), 0U);
  }
  EXPECT_EQ(client_->take(packet).value(), packet.size());
  EXPECT_EQ(said_.messages.size(), 1U);
}

TEST_F(ClientTest, edge_26_a_message_beyond_the_limit_passes_by_without_being_kept) {
  open(Version::k3_1_1, "20 02 00 00", 1024);
  // A payload of 1 MiB.
  const std::string beginning = hex("32 85 80 40 00 01 61 00 05");
  ASSERT_EQ(client_->take(beginning).value(), beginning.size());
  const std::string chunk(65'536, 'x');
  for (int i = 0; i < 16; ++i) {
    EXPECT_TRUE(said_.messages.empty()) << "it is not whole yet";
    ASSERT_EQ(client_->take(chunk).value(), chunk.size());
  }
  ASSERT_EQ(said_.messages.size(), 1U);
  EXPECT_EQ(said_.messages[0].topic, "a");
  EXPECT_TRUE(said_.messages[0].payload.empty());
  EXPECT_EQ(said_.messages[0].refused_bytes, 1U << 20);
  EXPECT_EQ(written(), "");
  accept(0);
  EXPECT_EQ(written(), "40 02 00 05");
  hear("32 05 00 01 61 00 06");
  EXPECT_EQ(said_.messages.size(), 2U) << "the next packet begins where the large one ended";
}

TEST_F(ClientTest, edge_26_a_5_0_packet_larger_than_announced_is_a_fault) {
  open(Version::k5_0, "20 03 00 00 00", 1024);
  const auto fault = feed(hex("30 87 80 40"));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->reason, 0x95);
  EXPECT_TRUE(said_.messages.empty());
}

TEST_F(ClientTest, nothing_may_come_before_the_answer_to_the_login_nor_a_second_one) {
  ClientOptions options;
  options.client_id = "hub";
  for (const char* first : {"d0 00", "30 03 00 01 61", "48 54 54 50", "15"}) {
    client_ = Client::create(options, said_).value();
    EXPECT_TRUE(feed(hex(first))) << first;
  }
  open();
  EXPECT_TRUE(feed(hex("20 02 00 00")));
}

TEST_F(ClientTest, nothing_comes_after_the_broker_s_goodbye) {
  open(Version::k5_0, "20 03 00 00 00");
  hear("e0 01 8e 30 04 00 01 61 00");
  ASSERT_TRUE(client_->goodbye());
  EXPECT_EQ(client_->goodbye()->reason, 0x8E);
  EXPECT_TRUE(said_.messages.empty());
}

// ---- to the broker ----

TEST_F(ClientTest, each_qos_has_its_handshake) {
  open();
  EXPECT_EQ(publish(0).id, 0);
  EXPECT_EQ(written(), "30 04 00 01 74 78");
  EXPECT_EQ(publish(1).id, 1);
  EXPECT_EQ(written(), "32 06 00 01 74 00 01 78");
  EXPECT_EQ(publish(2).id, 2);
  EXPECT_EQ(written(), "34 06 00 01 74 00 02 78");
  EXPECT_TRUE(said_.published.empty());
  hear("40 02 00 01");
  hear("50 02 00 02");
  EXPECT_EQ(written(), "62 02 00 02");
  EXPECT_THAT(said_.published, testing::ElementsAre(testing::Pair(1, 0)));
  hear("50 02 00 02");
  EXPECT_EQ(written(), "62 02 00 02") << "the broker repeats what it did not hear the answer to";
  hear("70 02 00 02");
  EXPECT_THAT(said_.published, testing::ElementsAre(testing::Pair(1, 0), testing::Pair(2, 0)));
}

TEST_F(ClientTest, a_refusal_ends_the_handshake) {
  open(Version::k5_0, "20 03 00 00 00");
  publish(1);
  publish(2);
  written();
  hear("40 03 00 01 87");
  hear("50 03 00 02 97");
  EXPECT_EQ(written(), "") << "nothing is released that was refused";
  EXPECT_THAT(said_.published,
              testing::ElementsAre(testing::Pair(1, 0x87), testing::Pair(2, 0x97)));
}

TEST_F(ClientTest, an_answer_of_the_wrong_kind_is_a_fault_and_one_to_nothing_is_none) {
  for (const char* wrong : {"50 02 00 01", "70 02 00 01", "90 03 00 01 00", "b0 02 00 01"}) {
    open();
    publish(1);
    EXPECT_TRUE(feed(hex(wrong))) << wrong;
  }
  open();
  hear("40 02 00 63 70 02 00 63 90 03 00 63 00 b0 02 00 63");
  EXPECT_EQ(written(), "");
  hear("50 02 00 63");
  EXPECT_EQ(written(), "62 02 00 63") << "so that the broker forgets it";
}

TEST_F(ClientTest, more_than_the_broker_takes_at_once_waits_for_its_turn) {
  open(Version::k5_0, "20 06 00 00 03 21 00 02");
  for (int i = 0; i < 3; ++i) publish(1);
  EXPECT_EQ(written(), "32 07 00 01 74 00 01 00 78 32 07 00 01 74 00 02 00 78");
  publish(0);
  EXPECT_EQ(written(), "30 05 00 01 74 00 78") << "QoS 0 is not counted";
  hear("40 02 00 01");
  EXPECT_EQ(written(), "32 07 00 01 74 00 03 00 78");
}

TEST_F(ClientTest, what_is_never_confirmed_has_a_bound) {
  open();
  std::size_t taken = 0;
  while (taken <= kMaxInFlight && publish(1).refusal == Refusal::kNone) ++taken;
  EXPECT_EQ(taken, kMaxInFlight);
  EXPECT_EQ(publish(1).refusal, Refusal::kQueueFull);
  EXPECT_EQ(publish(0).refusal, Refusal::kNone);
  hear("40 02 00 01");
  EXPECT_EQ(publish(1).refusal, Refusal::kNone);
}

TEST_F(ClientTest, ids_are_used_again_when_they_are_free_and_never_0) {
  open();
  EXPECT_EQ(publish(1).id, 1);
  client_->begin_ids_at(65'535);
  EXPECT_EQ(publish(1).id, 65'535);
  EXPECT_EQ(client_->subscribe("a", 1, 0).id, 2) << "1 is still awaited";
  client_->begin_ids_at(0);
  hear("40 02 00 01");
  EXPECT_EQ(client_->unsubscribe("a").id, 1);
  hear("90 03 00 02 01 b0 02 00 01");
  EXPECT_THAT(said_.subscribed, testing::ElementsAre(testing::Pair(2, testing::ElementsAre(1))));
  EXPECT_EQ(said_.unsubscribed, (std::vector<int>{1}));
}

TEST_F(ClientTest, what_the_broker_cannot_do_is_refused_before_it_is_sent) {
  // Maximum QoS 1, no retained messages, packets of at most 20 bytes.
  open(Version::k5_0, "20 0c 00 00 09 24 01 25 00 27 00 00 00 14");
  EXPECT_EQ(publish(2).refusal, Refusal::kQosNotSupported);
  EXPECT_EQ(publish(1, "x", true).refusal, Refusal::kRetainNotSupported);
  EXPECT_EQ(publish(1, std::string(12, 'x')).refusal, Refusal::kNone) << "20 bytes";
  EXPECT_EQ(publish(1, std::string(13, 'x')).refusal, Refusal::kTooLarge);
  PublishSettings settings;
  settings.content_type = std::string("a\0b", 3);
  EXPECT_EQ(client_->publish({"t", ""}, settings).refusal, Refusal::kInvalidText);
}

TEST_F(ClientTest, texts_that_the_protocol_cannot_carry_are_pointed_at) {
  ClientOptions options;
  options.client_id = std::string("a\0b", 3);
  EXPECT_EQ(Client::create(options, said_).error().code, "client_id_rejected");
  options.client_id = "hub";
  options.settings.username = "\xff";
  EXPECT_EQ(Client::create(options, said_).error().pointer, "/settings/username");
  options.settings.username = "u";
  const Secret password(std::string(65'536, 'x'));
  options.password = &password;
  EXPECT_EQ(Client::create(options, said_).error().pointer, "/secrets/password");
}

TEST_F(ClientTest, what_was_written_is_forgotten_piece_by_piece) {
  open();
  publish(0, std::string(3U << 20, 'x'));
  const std::string all(client_->to_write());
  std::string written;
  while (!client_->to_write().empty()) {
    const std::string_view next = client_->to_write().substr(0, 700'000);
    written += next;
    client_->wrote(next.size());
  }
  EXPECT_EQ(written, all);
}

}  // namespace
}  // namespace tributary::connectors::mqtt
