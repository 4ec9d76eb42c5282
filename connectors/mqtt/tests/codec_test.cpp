// Packets: the examples of the specifications, what goes in comes out, and what no broker may send.
#include "connectors/mqtt/src/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "tests/support/scripted_peer.hpp"

namespace tributary::connectors::mqtt {
namespace {

using test::hex;
using test::to_hex;

constexpr Version k31 = Version::k3_1;
constexpr Version k311 = Version::k3_1_1;
constexpr Version k5 = Version::k5_0;

// Decodes one whole packet.
Decoded<ServerPacket> decoded(Version version, std::string_view bytes) {
  const auto header = decode_header(bytes);
  if (!header) return std::unexpected(header.error());
  if (!*header || bytes.size() < (*header)->size + (*header)->remaining) {
    return std::unexpected(Fault{0, "not complete"});
  }
  return decode(version, **header, bytes.substr((*header)->size, (*header)->remaining));
}

// ---- what a client sends ----

TEST(Codec, connect_says_what_each_version_wants) {
  Connect connect;
  connect.client_id = "hub";
  connect.keep_alive_seconds = 10;
  std::string bytes;
  encode(connect, k31, bytes);
  EXPECT_EQ(to_hex(bytes), "10 11 00 06 4d 51 49 73 64 70 03 02 00 0a 00 03 68 75 62");
  bytes.clear();
  connect.username = "u";
  connect.password = "p";
  encode(connect, k311, bytes);
  EXPECT_EQ(to_hex(bytes), "10 15 00 04 4d 51 54 54 04 c2 00 0a 00 03 68 75 62 00 01 75 00 01 70");
  bytes.clear();
  connect.username.reset();
  connect.password.reset();
  connect.clean_session = false;
  connect.session_expiry_seconds = 86'400;
  connect.receive_maximum = 2000;
  connect.maximum_packet_bytes = 1 << 20;
  encode(connect, k5, bytes);
  EXPECT_EQ(to_hex(bytes),
            "10 1d 00 04 4d 51 54 54 05 00 00 0a 0d 11 00 01 51 80 21 07 d0 27 00 10 00 00 00 03 "
            "68 75 62");
}

TEST(Codec, small_packets_are_those_of_the_specification) {
  const auto made = [](auto encode_it) {
    std::string bytes;
    encode_it(bytes);
    return to_hex(bytes);
  };
  EXPECT_EQ(made([](auto& out) { encode_subscribe(10, "a/b", 1, 0, k311, out); }),
            "82 08 00 0a 00 03 61 2f 62 01");
  EXPECT_EQ(made([](auto& out) { encode_subscribe(10, "a/b", 2, 300, k5, out); }),
            "82 0c 00 0a 03 0b ac 02 00 03 61 2f 62 02");
  EXPECT_EQ(made([](auto& out) { encode_unsubscribe(10, "a", k311, out); }),
            "a2 05 00 0a 00 01 61");
  EXPECT_EQ(made([](auto& out) { encode_unsubscribe(10, "a", k5, out); }),
            "a2 06 00 0a 00 00 01 61");
  EXPECT_EQ(made([](auto& out) { encode_pingreq(out); }), "c0 00");
  EXPECT_EQ(made([](auto& out) { encode_disconnect(0x81, k311, out); }), "e0 00");
  EXPECT_EQ(made([](auto& out) { encode_disconnect(0x81, k5, out); }), "e0 01 81");
  EXPECT_EQ(made([](auto& out) {
              encode(Confirmation{PacketType::kPubrel, 7, kPacketIdNotFound}, k5, out);
            }),
            "62 03 00 07 92");
  EXPECT_EQ(made([](auto& out) {
              encode(Confirmation{PacketType::kPubrel, 7, kPacketIdNotFound}, k311, out);
            }),
            "62 02 00 07");
}

// ---- there and back ----

class RandomPackets {
 public:
  explicit RandomPackets(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_.next() % bound); }
  bool coin() { return below(2) == 0; }
  std::string bytes(std::size_t most) {
    std::string made(below(most + 1), '\0');
    for (char& c : made) c = static_cast<char>(below(256));
    return made;
  }
  std::string text(std::size_t most) {
    static constexpr std::string_view kParts[] = {"a", "/", "ü", "€", "𝄞", "7", " "};
    std::string made;
    for (std::size_t left = below(most + 1); left > 0; --left) made += kParts[below(7)];
    return made;
  }
  MessageProperties properties() {
    MessageProperties made;
    if (coin()) made.content_type = text(20);
    if (coin()) made.response_topic = "r" + text(20);
    if (coin()) made.correlation_data = bytes(40);
    if (coin()) made.message_expiry_seconds = static_cast<std::uint32_t>(random_.next());
    if (coin()) made.is_text = coin();
    for (std::size_t left = below(4); left > 0; --left) made.user.emplace_back(text(9), text(9));
    return made;
  }
  struct Message {
    std::string topic, payload, list;
    MessageProperties properties;
    PublishParts parts;
    Version version;
  };
  void fill(Message& made) {
    constexpr Version kAll[] = {k31, k311, k5};
    made.version = kAll[below(3)];
    made.topic = "t" + text(60);
    // Around the steps of the length: 127, 16 383.
    made.payload = bytes(coin() ? 200 : 20'000);
    if (made.version == k5) made.properties = properties();
    made.list = encode_properties(made.properties);
    made.parts = {made.topic, made.payload, made.list, static_cast<int>(below(3)), coin(), 0};
    if (made.parts.qos > 0) made.parts.id = static_cast<std::uint16_t>(1 + below(65'535));
  }

 private:
  SeededRandom random_;
};

TEST(Codec, every_message_that_is_encoded_is_decoded_to_the_same) {
  RandomPackets random(20261126);
  for (int i = 0; i < 2000; ++i) {
    RandomPackets::Message sent;
    random.fill(sent);
    std::string bytes;
    encode(sent.parts, sent.version, bytes);
    ASSERT_EQ(bytes.size(), encoded_size(sent.parts, sent.version));
    const auto packet = decoded(sent.version, bytes);
    ASSERT_TRUE(packet) << packet.error().text;
    const auto& got = std::get<Publish>(*packet);
    EXPECT_EQ(got.topic, sent.topic);
    EXPECT_EQ(got.payload, sent.payload);
    EXPECT_EQ(got.qos, sent.parts.qos);
    EXPECT_EQ(got.retained, sent.parts.retain);
    EXPECT_EQ(got.id, sent.parts.id);
    EXPECT_FALSE(got.duplicate);
    EXPECT_EQ(encode_properties(got.properties), sent.list);
  }
}

TEST(Codec, every_confirmation_that_is_encoded_is_decoded_to_the_same) {
  for (const Version version : {k31, k311, k5}) {
    for (const PacketType type :
         {PacketType::kPuback, PacketType::kPubrec, PacketType::kPubrel, PacketType::kPubcomp}) {
      for (const std::uint8_t reason : std::initializer_list<std::uint8_t>{0x00, 0x10, 0x92}) {
        for (const std::uint16_t id : std::initializer_list<std::uint16_t>{1, 255, 65'535}) {
          std::string bytes;
          encode(Confirmation{type, id, reason}, version, bytes);
          const auto packet = decoded(version, bytes);
          ASSERT_TRUE(packet) << to_hex(bytes);
          const auto& got = std::get<Confirmation>(*packet);
          EXPECT_EQ(got.type, type);
          EXPECT_EQ(got.id, id);
          EXPECT_EQ(got.reason, version == k5 ? reason : 0);
        }
      }
    }
  }
}

TEST(Codec, a_message_that_is_cut_anywhere_is_told_apart_from_a_whole_one) {
  RandomPackets random(7);
  for (int i = 0; i < 60; ++i) {
    RandomPackets::Message sent;
    random.fill(sent);
    std::string bytes;
    encode(sent.parts, sent.version, bytes);
    const auto header = decode_header(bytes).value().value();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::string_view part = std::string_view(bytes).substr(0, size);
      if (size < header.size) {
        EXPECT_FALSE(decode_header(part).value().has_value());
        continue;
      }
      // Its beginning is known before its end, and says the same.
      const auto beginning = decode_beginning(sent.version, header, part.substr(header.size));
      ASSERT_TRUE(beginning) << beginning.error().text;
      if (*beginning) {
        EXPECT_EQ((*beginning)->topic, sent.topic);
      }
    }
  }
}

TEST(Codec, bytes_turned_over_give_a_packet_or_a_fault_never_anything_beyond_the_end) {
  RandomPackets random(13);
  std::size_t faults = 0;
  for (int i = 0; i < 20'000; ++i) {
    RandomPackets::Message sent;
    random.fill(sent);
    sent.payload.resize(std::min<std::size_t>(sent.payload.size(), 50));
    sent.parts.payload = sent.payload;
    std::string bytes;
    encode(sent.parts, sent.version, bytes);
    for (std::size_t flips = 1 + random.below(4); flips > 0; --flips) {
      bytes[random.below(bytes.size())] ^= static_cast<char>(1U << random.below(8));
    }
    const auto packet = decoded(sent.version, bytes);
    if (!packet) {
      ++faults;
      continue;
    }
    const auto* publish = std::get_if<Publish>(&*packet);
    if (publish == nullptr) continue;
    EXPECT_LE(publish->topic.size() + publish->payload.size(), bytes.size());
    EXPECT_TRUE(is_mqtt_text(publish->topic));
    EXPECT_FALSE(publish->topic.empty());
  }
  EXPECT_GT(faults, 1000U);
}

// ---- what a server sends ----

TEST(Codec, connack_tells_what_the_broker_can_do) {
  const auto packet = decoded(k5, hex("20 1c 01 00 19 21 00 14 24 01 25 00 27 00 01 86 a0"
                                      "12 00 02 69 64 29 00 13 00 3c 22 00 0a"));
  ASSERT_TRUE(packet) << packet.error().text;
  const auto& connack = std::get<Connack>(*packet);
  EXPECT_TRUE(connack.session_present);
  EXPECT_EQ(connack.receive_maximum, 20);
  EXPECT_EQ(connack.maximum_qos, 1);
  EXPECT_FALSE(connack.retain_available);
  EXPECT_EQ(connack.maximum_packet_bytes, 100'000U);
  EXPECT_EQ(connack.assigned_client_id, "id");
  EXPECT_FALSE(connack.subscription_ids);
  EXPECT_EQ(connack.keep_alive_seconds, 60);
}

TEST(Codec, a_broker_of_version_3_refuses_a_client_of_5_in_its_own_words) {
  EXPECT_EQ(std::get<Connack>(*decoded(k5, hex("20 02 00 01"))).reason, 1);
  EXPECT_FALSE(decoded(k5, hex("20 02 00 00"))) << "an acceptance has properties";
}

TEST(Codec, the_first_byte_of_a_3_1_connack_means_nothing) {
  const auto packet = decoded(k31, hex("20 02 01 00"));
  ASSERT_TRUE(packet);
  EXPECT_FALSE(std::get<Connack>(*packet).session_present);
}

TEST(Codec, a_message_of_5_0_brings_its_properties_and_subscriptions) {
  const auto packet =
      decoded(k5, hex("33 1f 00 01 61 00 07 18 01 01 02 00 00 00 3c 0b 01 0b ac 02 26 00 01 6b 00"
                      "01 76 09 00 02 00 ff 21"));
  ASSERT_TRUE(packet) << packet.error().text;
  const auto& publish = std::get<Publish>(*packet);
  EXPECT_EQ(publish.id, 7);
  EXPECT_TRUE(publish.retained);
  EXPECT_EQ(publish.properties.is_text, true);
  EXPECT_EQ(publish.properties.message_expiry_seconds, 60U);
  EXPECT_EQ(publish.subscription_ids, (std::vector<std::uint32_t>{1, 300}));
  EXPECT_THAT(publish.properties.user, testing::ElementsAre(testing::Pair("k", "v")));
  EXPECT_EQ(publish.properties.correlation_data, std::string("\0\xff", 2));
  EXPECT_EQ(publish.payload, "!");
}

TEST(Codec, answers_may_say_why) {
  const auto puback = decoded(k5, hex("40 0a 00 01 97 06 1f 00 03 6e 6f 21"));
  ASSERT_TRUE(puback) << puback.error().text;
  EXPECT_EQ(std::get<Confirmation>(*puback).reason, 0x97);
  const auto suback = decoded(k5, hex("90 06 00 01 00 01 87 02"));
  ASSERT_TRUE(suback) << suback.error().text;
  EXPECT_EQ(std::get<Granted>(*suback).codes, (std::vector<int>{1, 0x87, 2}));
  EXPECT_TRUE(std::get<Granted>(*decoded(k311, hex("b0 02 00 01"))).codes.empty());
  EXPECT_EQ(std::get<Granted>(*decoded(k5, hex("b0 04 00 01 00 11"))).codes,
            (std::vector<int>{0x11}));
  EXPECT_EQ(std::get<Goodbye>(*decoded(k5, hex("e0 00"))).reason, 0);
  EXPECT_EQ(std::get<Goodbye>(*decoded(k5, hex("e0 06 9d 04 1c 00 01 78"))).reason, 0x9D);
  EXPECT_TRUE(std::holds_alternative<Pong>(*decoded(k311, hex("d0 00"))));
}

struct Wrong {
  const char* what;
  Version version;
  const char* bytes;
  std::uint8_t reason;
};
void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.what;
}

class WrongPacketTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPacketTest, is_a_fault_with_its_reason) {
  const auto packet = decoded(GetParam().version, hex(GetParam().bytes));
  ASSERT_FALSE(packet);
  EXPECT_EQ(packet.error().reason, GetParam().reason) << packet.error().text;
  EXPECT_FALSE(packet.error().text.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Mqtt, WrongPacketTest,
    testing::Values(
        Wrong{"a length of five bytes", k311, "20 ff ff ff ff 01", 0x81},
        Wrong{"type 0", k311, "00 00", 0x82}, Wrong{"CONNECT", k311, "10 00", 0x82},
        Wrong{"SUBSCRIBE", k311, "80 00", 0x82}, Wrong{"UNSUBSCRIBE", k311, "a0 00", 0x82},
        Wrong{"PINGREQ", k311, "c0 00", 0x82}, Wrong{"AUTH", k5, "f0 00", 0x82},
        Wrong{"DISCONNECT of 3.1.1", k311, "e0 00", 0x82},
        Wrong{"CONNACK, short", k311, "20 01 00", 0x81},
        Wrong{"CONNACK, long", k311, "20 03 00 00 00", 0x81},
        Wrong{"CONNACK, unknown flag", k311, "20 02 02 00", 0x81},
        Wrong{"CONNACK, header flags", k311, "21 02 00 00", 0x81},
        Wrong{"CONNACK, receive maximum 0", k5, "20 06 00 00 03 21 00 00", 0x82},
        Wrong{"CONNACK, maximum packet 0", k5, "20 08 00 00 05 27 00 00 00 00", 0x82},
        Wrong{"CONNACK, QoS 2 as the most", k5, "20 05 00 00 02 24 02", 0x82},
        Wrong{"CONNACK, a property twice", k5, "20 07 00 00 04 25 00 25 00", 0x82},
        Wrong{"CONNACK, a property of PUBLISH", k5, "20 05 00 00 02 01 00", 0x81},
        Wrong{"CONNACK, an unknown property", k5, "20 05 00 00 02 7e 00", 0x81},
        Wrong{"CONNACK, properties beyond the end", k5, "20 03 00 00 05", 0x81},
        Wrong{"CONNACK, a property beyond its list", k5, "20 05 00 00 02 27 00", 0x81},
        Wrong{"PUBLISH, QoS 3", k311, "36 05 00 01 61 00 01", 0x81},
        Wrong{"PUBLISH, id 0", k311, "32 05 00 01 61 00 00", 0x82},
        Wrong{"PUBLISH, no topic", k311, "30 02 00 00", 0x82},
        Wrong{"PUBLISH, a wildcard", k311, "30 03 00 01 23", 0x82},
        Wrong{"PUBLISH, a topic beyond the end", k311, "30 03 00 05 61", 0x81},
        Wrong{"PUBLISH, a topic that is no UTF-8", k311, "30 03 00 01 ff", 0x81},
        Wrong{"PUBLISH, a topic with a surrogate", k311, "30 05 00 03 ed a0 80", 0x81},
        Wrong{"PUBLISH, a topic with U+0000", k311, "30 04 00 02 61 00", 0x81},
        Wrong{"PUBLISH, no id", k311, "32 03 00 01 61", 0x81},
        Wrong{"PUBLISH, a topic alias", k5, "30 07 00 01 61 03 23 00 01", 0x94},
        Wrong{"PUBLISH, subscription 0", k5, "30 06 00 01 61 02 0b 00", 0x82},
        Wrong{"PUBLISH, a format of 2", k5, "30 06 00 01 61 02 01 02", 0x82},
        Wrong{"PUBLISH, a wildcard to answer to", k5, "30 08 00 01 61 04 08 00 01 2b", 0x82},
        Wrong{"PUBLISH, a property of CONNACK", k5, "30 07 00 01 61 03 13 00 01", 0x81},
        Wrong{"PUBACK, short", k311, "40 01 00", 0x81},
        Wrong{"PUBACK, long", k311, "40 03 00 01 00", 0x81},
        Wrong{"PUBACK, id 0", k311, "40 02 00 00", 0x82},
        Wrong{"PUBACK, header flags", k311, "42 02 00 01", 0x81},
        Wrong{"PUBACK, a property that is not its own", k5, "40 07 00 01 00 03 13 00 01", 0x81},
        Wrong{"PUBREC, long", k311, "50 03 00 01 00", 0x81},
        Wrong{"PUBREL, header flags", k311, "60 02 00 01", 0x81},
        Wrong{"PUBREL, short", k311, "62 00", 0x81},
        Wrong{"PUBCOMP, id 0", k5, "70 02 00 00", 0x82},
        Wrong{"SUBACK, no code", k311, "90 02 00 01", 0x81},
        Wrong{"SUBACK, QoS 3", k311, "90 03 00 01 03", 0x82},
        Wrong{"SUBACK, a code of 5.0", k311, "90 03 00 01 87", 0x82},
        Wrong{"SUBACK, id 0", k311, "90 03 00 00 00", 0x82},
        Wrong{"SUBACK of 5.0 without properties", k5, "90 02 00 01", 0x81},
        Wrong{"UNSUBACK, long", k311, "b0 03 00 01 00", 0x81},
        Wrong{"UNSUBACK, no code", k5, "b0 03 00 01 00", 0x81},
        Wrong{"PINGRESP, long", k311, "d0 01 00", 0x81},
        Wrong{"DISCONNECT, a property that is not its own", k5, "e0 05 00 03 21 00 01", 0x81}));

}  // namespace
}  // namespace tributary::connectors::mqtt
