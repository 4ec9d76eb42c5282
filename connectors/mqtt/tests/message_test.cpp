// What a message becomes, and what a call sends.
#include "connectors/mqtt/src/message.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "connectors/mqtt/src/inbox.hpp"
#include "connectors/mqtt/src/operation.hpp"

namespace tributary::connectors::mqtt {
namespace {

using Format = SubscribeSettings::Format;

Message message(std::string payload) {
  Message made;
  made.topic = "plant/3";
  made.payload = std::move(payload);
  made.qos = 1;
  made.retained = true;
  return made;
}

TEST(Record, json_is_parsed) {
  const Record record = to_record(message(R"({"speed": 1480})"), Format::kJson);
  EXPECT_EQ(
      to_text(record),
      R"({"payload":{"speed":1480},"topic":"plant/3","qos":1,"retained":true,"properties":{}})");
}

TEST(Record, what_is_not_json_arrives_as_text_with_an_error_beside_it) {
  const Record record = to_record(message("21.5 C"), Format::kJson);
  EXPECT_EQ(record.at("payload").as_string(), "21.5 C");
  EXPECT_EQ(record.at("error").at("code").as_string(), "invalid_json");
}

TEST(Record, what_is_not_text_arrives_as_base64_with_an_error_beside_it) {
  for (const Format format : {Format::kJson, Format::kText}) {
    const Record record = to_record(message("\xFF\xFE"), format);
    EXPECT_EQ(record.at("payload").as_string(), "//4=");
    EXPECT_EQ(record.at("error").at("code").as_string(), "invalid_utf8");
  }
}

TEST(Record, binary_is_base64_and_never_an_error) {
  const Record record = to_record(message("\xFF\xFE"), Format::kBinary);
  EXPECT_EQ(record.at("payload").as_string(), "//4=");
  EXPECT_FALSE(record.contains("error"));
}

TEST(Record, an_empty_json_payload_is_no_value) {
  const Record record = to_record(message(""), Format::kJson);
  EXPECT_TRUE(record.at("payload").is_null());
  EXPECT_FALSE(record.contains("error"));
}

TEST(Record, edge_38_large_integers_keep_all_their_digits) {
  for (const std::string digits :
       {"9007199254740993", "-9223372036854775808", "18446744073709551615"}) {
    EXPECT_EQ(to_text(to_record(message(digits), Format::kJson).at("payload")), digits);
  }
}

TEST(Record, nesting_bombs_are_no_json) {
  const Record record = to_record(message(std::string(100'000, '[')), Format::kJson);
  EXPECT_EQ(record.at("error").at("code").as_string(), "invalid_json");
}

TEST(Record, whatever_is_taken_as_json_can_be_read_again_as_part_of_a_record) {
  for (std::size_t depth = 50; depth <= 70; ++depth) {
    const Record record =
        to_record(message(std::string(depth, '[') + std::string(depth, ']')), Format::kJson);
    EXPECT_TRUE(parse_json(to_text(record))) << depth;
    EXPECT_EQ(record.contains("error"), depth > 56) << depth;
  }
}

TEST(Record, properties_travel_and_repeated_user_properties_become_a_list) {
  Message made = message("1");
  made.properties.content_type = "application/json";
  made.properties.correlation_data = std::string("\x01\x02", 2);
  made.properties.user = {{"unit", "C"}, {"tag", "a"}, {"tag", "b"}};
  EXPECT_EQ(to_text(to_record(made, Format::kJson).at("properties")),
            R"({"contentType":"application/json","correlationData":"AQI=",)"
            R"("userProperties":{"unit":"C","tag":["a","b"]}})");
}

TEST(Base64, any_bytes_come_back) {
  SeededRandom random(3);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random.next()));
    EXPECT_EQ(from_base64(to_base64(bytes), "").value(), bytes);
  }
  EXPECT_EQ(from_base64("no base64!", "/settings/payload").error().pointer, "/settings/payload");
}

class OutgoingTest : public testing::Test {
 protected:
  Result<Outgoing> made(const std::string& settings, const std::string& parameters = "{}") {
    const auto values = PublishSettings::from_json(parse_json(settings).value());
    return make_outgoing(values, parse_json(parameters).value(), 1000);
  }
};

TEST_F(OutgoingTest, a_text_is_sent_as_it_is_and_everything_else_as_json) {
  EXPECT_EQ(made(R"({"topic":"t","payload":"on"})")->payload, "on");
  EXPECT_EQ(made(R"({"topic":"t","payload":{"a":[1,true,null]}})")->payload,
            R"({"a":[1,true,null]})");
  EXPECT_EQ(made(R"({"topic":"t","payload":1.5})")->payload, "1.5");
  EXPECT_EQ(made(R"({"topic":"t","payload":""})")->payload, "");
}

TEST_F(OutgoingTest, without_a_payload_the_parameters_are_it) {
  EXPECT_EQ(made(R"({"topic":"t"})", R"({"payload":"x","other":1})")->payload, "x");
  EXPECT_EQ(made(R"({"topic":"t"})", R"({"speed":1480,"topic":"kept"})")->payload,
            R"({"speed":1480,"topic":"kept"})");
  const auto both = made("{}", R"({"topic":"plant/3","speed":1480})");
  EXPECT_EQ(both->topic, "plant/3");
  EXPECT_EQ(both->payload, R"({"speed":1480})");
}

TEST_F(OutgoingTest, what_is_missing_or_wrong_is_named) {
  EXPECT_EQ(made(R"({"payload":"x"})").error().code, "missing_topic");
  EXPECT_EQ(made(R"({"topic":"t"})").error().code, "missing_payload");
  EXPECT_EQ(made(R"({"payload":"x"})", R"({"topic":"a/#"})").error().pointer, "/parameters/topic");
  const auto large = made(R"({"topic":"t"})", R"({"payload":")" + std::string(1001, 'x') + "\"}");
  EXPECT_EQ(large.error().code, "message_too_large");
  EXPECT_EQ(large.error().error_class, ErrorClass::kFunction);
}

TEST_F(OutgoingTest, base64_is_decoded) {
  EXPECT_EQ(made(R"({"topic":"t","payloadFormat":"base64","payload":"//4="})")->payload,
            "\xFF\xFE");
  EXPECT_EQ(made(R"({"topic":"t","payloadFormat":"base64","payload":"?"})").error().code,
            "invalid_base64");
}

TEST(Prepare, properties_of_version_5_need_version_5) {
  ConnectionSettings old;
  const sdk::FunctionSpec function{
      "mqtt.publish", parse_json(R"({"topic":"t","contentType":"text/plain"})").value()};
  const auto prepared = prepare_operation(old, function);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().pointer, "/settings/contentType");
  old.version = ConnectionSettings::Version::k5_0;
  EXPECT_TRUE(prepare_operation(old, function));
}

TEST(Prepare, a_bad_filter_is_pointed_at) {
  const sdk::FunctionSpec function{
      "mqtt.subscribe", parse_json(R"({"topics":[{"topic":"a"},{"topic":"a#"}]})").value()};
  EXPECT_EQ(prepare_operation({}, function).error().pointer, "/settings/topics/1/topic");
}

class RouterTest : public testing::Test {
 protected:
  std::shared_ptr<Inbox> inbox(std::initializer_list<std::string> filters) {
    auto made = std::make_shared<Inbox>();
    for (const auto& filter : filters) {
      made->filters.push_back(filter);
      ids_.push_back(router_.add(filter, 1, made).identifier);
    }
    return made;
  }
  void receive(std::string topic, std::vector<std::uint32_t> ids = {},
               Router::Keep keep = Router::Keep::kNo) {
    Message made;
    made.topic = std::move(topic);
    made.subscription_ids = std::move(ids);
    router_.dispatch(std::make_shared<const Message>(std::move(made)), keep);
  }
  Router router_;
  std::vector<std::uint32_t> ids_;
};

TEST_F(RouterTest, every_function_with_a_matching_filter_gets_the_message_once) {
  const auto both = inbox({"plant/#", "plant/+"});
  const auto one = inbox({"plant/3"});
  const auto none = inbox({"other"});
  receive("plant/3");
  EXPECT_EQ(both->messages.size(), 1U);
  EXPECT_EQ(one->messages.size(), 1U);
  EXPECT_EQ(none->messages.size(), 0U);
}

TEST_F(RouterTest, identifiers_keep_the_copies_of_overlapping_filters_apart) {
  const auto wide = inbox({"plant/#"});
  const auto narrow = inbox({"plant/3"});
  receive("plant/3", {ids_[0]});
  receive("plant/3", {ids_[1]});
  EXPECT_EQ(wide->messages.size(), 1U);
  EXPECT_EQ(narrow->messages.size(), 1U);
  receive("plant/3", {ids_[0], ids_[1]});
  EXPECT_EQ(wide->messages.size(), 2U);
  EXPECT_EQ(narrow->messages.size(), 2U);
}

TEST_F(RouterTest, a_filter_goes_with_its_last_user) {
  const auto first = inbox({"plant/#"});
  const auto second = inbox({"plant/#"});
  EXPECT_FALSE(router_.remove("plant/#", first));
  receive("plant/3");
  EXPECT_EQ(first->messages.size(), 0U);
  EXPECT_EQ(second->messages.size(), 1U);
  EXPECT_TRUE(router_.remove("plant/#", second));
}

TEST_F(RouterTest, messages_of_an_earlier_session_wait_for_their_function) {
  receive("plant/3", {}, Router::Keep::kForLater);
  receive("other", {}, Router::Keep::kForLater);
  const auto late = inbox({"plant/#"});
  router_.claim_kept(late);
  EXPECT_EQ(late->messages.size(), 1U);
}

TEST_F(RouterTest, what_waits_is_counted_until_it_is_accepted) {
  const auto box = inbox({"#"});
  for (std::size_t i = 0; i < kMaxWaitingMessages; ++i) receive("a");
  EXPECT_TRUE(router_.full());
  EXPECT_EQ(router_.take(*box).size(), kMaxBatchMessages);
  EXPECT_TRUE(router_.full()) << "a batch that the sink has not accepted still counts";
  router_.accepted(*box);
  EXPECT_FALSE(router_.full());
  router_.drop(*box);
  EXPECT_EQ(router_.messages(), 0U);
  EXPECT_EQ(router_.bytes(), 0U);
}

}  // namespace
}  // namespace tributary::connectors::mqtt
