// Topic filters: the examples of the specification, and a second implementation to disagree with.
#include "connectors/mqtt/src/topic.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace tributary::connectors::mqtt {
namespace {

struct Match {
  std::string_view filter;
  std::string_view topic;
  bool expected;
};

// MQTT 5.0, section 4.7.1 to 4.7.3.
TEST(Topic, matches_as_the_examples_of_the_specification) {
  constexpr auto kExamples = std::to_array<Match>({
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"sport/#", "sport", true},
      {"#", "sport/tennis", true},
      {"sport/tennis/+", "sport/tennis/player1", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+", "/finance", false},
      {"#", "$SYS/broker", false},
      {"+/monitor/Clients", "$SYS/monitor/Clients", false},
      {"$SYS/#", "$SYS/broker", true},
      {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
      {"ACCOUNTS", "Accounts", false},
      {"/finance", "finance", false},
      {"a//b", "a//b", true},
      {"a/+/b", "a//b", true},
      {"$share/group/plant/+", "plant/3", true},
      {"$share/group/plant/+", "other/3", false},
  });
  for (const Match& example : kExamples) {
    EXPECT_EQ(matches(example.filter, example.topic), example.expected)
        << example.filter << " and " << example.topic;
  }
}

std::vector<std::string> levels(std::string_view text) {
  std::vector<std::string> all{""};
  for (const char c : text) {
    if (c == '/') {
      all.emplace_back();
    } else {
      all.back().push_back(c);
    }
  }
  return all;
}

// Straight from the wording of section 4.7, level by level.
bool slow_match(const std::vector<std::string>& filter, const std::vector<std::string>& topic,
                std::size_t at = 0) {
  if (at == filter.size()) return at == topic.size();
  if (filter[at] == "#") return true;
  if (at == topic.size()) return false;
  const bool level = filter[at] == "+" || filter[at] == topic[at];
  const bool parent = at + 2 == filter.size() && filter[at + 1] == "#" && at + 1 == topic.size();
  return level && (parent || slow_match(filter, topic, at + 1));
}

TEST(Topic, matching_agrees_with_a_slow_one_on_random_topics) {
  SeededRandom random(7);
  const auto pick = [&](std::initializer_list<std::string_view> from) {
    return *(from.begin() + random.next() % from.size());
  };
  int hits = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string topic(pick({"a", "b", ""}));
    for (std::uint64_t n = random.next() % 4; n > 0; --n)
      topic += "/" + std::string(pick({"a", "b", ""}));
    std::string filter(pick({"a", "b", "", "+"}));
    for (std::uint64_t n = random.next() % 4; n > 0; --n)
      filter += "/" + std::string(pick({"a", "b", "", "+"}));
    if (random.next() % 4 == 0) filter += "/#";
    if (topic.empty() || !check_filter(filter, "")) continue;
    const bool expected = slow_match(levels(filter), levels(topic));
    hits += expected ? 1 : 0;
    ASSERT_EQ(matches(filter, topic), expected) << filter << " and " << topic;
  }
  EXPECT_GT(hits, 1000) << "the random topics hardly ever matched: the test says nothing";
}

TEST(Topic, filters_with_misplaced_wildcards_are_refused_with_their_pointer) {
  for (const std::string_view filter :
       {"sport/tennis#", "sport/#/ranking", "sport+", "+a/b", "a/b+/c", "##", "a/#/", "",
        "$share/group", "$share//a", "$share/g+/a", "$share/g/"}) {
    const auto checked = check_filter(filter, "/settings/topics/3/topic");
    ASSERT_FALSE(checked) << filter;
    EXPECT_EQ(checked.error().code, "invalid_topic_filter");
    EXPECT_EQ(checked.error().pointer, "/settings/topics/3/topic");
  }
  for (const std::string_view filter :
       {"#", "+", "/", "+/+", "a/+/#", "/+", "$SYS/#", "$share/g/#"}) {
    EXPECT_TRUE(check_filter(filter, "")) << filter;
  }
}

TEST(Topic, topics_to_publish_to_have_no_wildcard_no_nul_and_are_text) {
  for (const std::string& topic :
       {std::string("a/+"), std::string("a/#"), std::string(), std::string("a\0b", 3),
        std::string("\xC3\x28"), std::string(65536, 'a')}) {
    const auto checked = check_topic(topic, "/settings/topic");
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, "invalid_topic");
  }
  EXPECT_TRUE(check_topic("tesis/ölçüm/hız", ""));
  EXPECT_TRUE(check_topic(std::string(65535, 'a'), ""));
}

}  // namespace
}  // namespace tributary::connectors::mqtt
