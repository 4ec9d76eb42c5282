#include "api/stream_client.hpp"

namespace tributary::api {
namespace {

using Outgoing = StreamClient::Outgoing;
using SnapshotNeeded = StreamClient::SnapshotNeeded;

Topic connections() {
  return {};
}
Topic values_of(std::string function_id) {
  Topic topic;
  topic.kind = Topic::Kind::kValues;
  topic.function_id = std::move(function_id);
  return topic;
}

Json item(int number) {
  Json json = json_object();
  json["id"] = number;
  return json;
}

ValuesFeed::Update update_of(const std::string& point, std::int64_t value) {
  ValuesFeed::Update update;
  auto names = std::make_shared<const PointNames>(PointNames{point});
  Sample sample;
  sample.value = value;
  update.scans.push_back(Scan{names, UtcTime{}, {sample}});
  return update;
}

class Client : public testing::Test {
 protected:
  std::string text() {
    auto next = client.next(now);
    return next ? std::get<Outgoing>(*next).text : std::string("nothing");
  }
  void push(int number) {
    client.push([](const Topic&) { return true; }, item(number));
  }
  void take_snapshot(std::int64_t id) {
    auto next = client.next(now);
    ASSERT_TRUE(next && std::holds_alternative<SnapshotNeeded>(*next));
    ASSERT_EQ(std::get<SnapshotNeeded>(*next).id, id);
    client.put_snapshot(id, json_array());
  }
  SteadyTime now{};
  asio::io_context context;
  StreamClient client{context.get_executor(), Via::kToken, "token"};
};

TEST_F(Client, GetsASnapshotThenDeltasInOrder) {
  ASSERT_TRUE(client.subscribe(7, connections()));
  take_snapshot(7);
  push(1);
  push(2);
  EXPECT_EQ(text(), R"({"id":7,"seq":2,"type":"delta","data":{"id":1}})");
  EXPECT_EQ(text(), R"({"id":7,"seq":3,"type":"delta","data":{"id":2}})");
  EXPECT_EQ(text(), "nothing");
}

TEST_F(Client, WhatComesBeforeTheSnapshotIsPartOfIt) {
  client.subscribe(1, connections());
  push(1);
  take_snapshot(1);
  EXPECT_EQ(text(), "nothing");
}

TEST_F(Client, WhoDoesNotKeepUpGetsAGapAndANewSnapshot) {
  client.subscribe(1, connections());
  take_snapshot(1);
  for (std::size_t i = 0; i <= kMaxPending; ++i) push(static_cast<int>(i));
  EXPECT_EQ(text(), R"({"id":1,"type":"gap"})");
  EXPECT_EQ(text(), "nothing") << "the snapshot before was made a moment ago";
  EXPECT_EQ(client.next_due(), now + kSnapshotEvery);
  push(3);
  now += kSnapshotEvery;
  take_snapshot(1);
  EXPECT_FALSE(client.next_due());
  push(5);
  EXPECT_EQ(text(), R"({"id":1,"seq":3,"type":"delta","data":{"id":5}})");
}

TEST_F(Client, OnlyTheNewestValueOfAPointWaits) {
  client.subscribe(1, values_of("f"));
  take_snapshot(1);
  for (int value = 1; value <= 1000; ++value) client.push_values("f", update_of("speed", value));
  client.push_values("other", update_of("speed", 7));
  const std::string delta = text();
  EXPECT_NE(delta.find(R"("value":1000)"), std::string::npos) << delta;
  EXPECT_EQ(text(), "nothing");
}

TEST_F(Client, ABusySubscriptionDoesNotStarveAnother) {
  client.subscribe(1, connections());
  client.subscribe(2, connections());
  take_snapshot(1);
  take_snapshot(2);
  push(1);
  push(2);
  EXPECT_NE(text().find(R"("id":1,"seq")"), std::string::npos);
  EXPECT_NE(text().find(R"("id":2,"seq")"), std::string::npos);
}

TEST_F(Client, IdsAreUniqueAndSubscriptionsBounded) {
  EXPECT_TRUE(client.subscribe(1, connections()));
  EXPECT_FALSE(client.subscribe(1, connections()));
  for (std::int64_t id = 2; id <= static_cast<std::int64_t>(kMaxSubscriptions); ++id) {
    ASSERT_TRUE(client.subscribe(id, connections()));
  }
  EXPECT_FALSE(client.subscribe(9999, connections()));
}

TEST_F(Client, HearsThatAFunctionWasDeleted) {
  client.subscribe(1, values_of("f"));
  client.drop_function("f", Problem(404, "not_found", "The function was deleted."));
  EXPECT_EQ(
      text(),
      R"({"id":1,"type":"error","error":{"code":"not_found","message":"The function was deleted."}})");
  EXPECT_FALSE(client.has(1));
}

TEST(StreamRequests, AreReadStrictly) {
  std::int64_t id = 0;
  EXPECT_EQ(parse_stream_request(R"({"subscribe":3,"topic":"runs","pipelineId":"p"})", id)
                ->topic->pipeline_id,
            "p");
  EXPECT_FALSE(parse_stream_request(R"({"unsubscribe":3})", id)->topic);
  EXPECT_EQ(parse_stream_request("[", id).error().code, "invalid_json");
  EXPECT_EQ(parse_stream_request(R"({"subscribe":-1,"topic":"runs"})", id).error().code,
            "invalid_id");
  EXPECT_EQ(parse_stream_request(R"({"subscribe":4,"topic":"values"})", id).error().code,
            "missing_function");
  EXPECT_EQ(id, 4);
  EXPECT_EQ(parse_stream_request(R"({"subscribe":4,"topic":"moon"})", id).error().code,
            "unknown_topic");
}

}  // namespace
}  // namespace tributary::api
