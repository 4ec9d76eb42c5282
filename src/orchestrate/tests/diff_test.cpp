#include "orchestrate/model/diff.hpp"

#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kBefore = R"({"name": "x", "history": "full", "nodes": [
    {"id": "t", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
    {"id": "n", "type": "set", "settings": {"fields": {"a/b": 1, "c": 2}}},
    {"id": "o", "type": "set", "settings": {"fields": {}}}],
  "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "o"}]})";

TEST(Diff, ADocumentIsTheSameAsItself) {
  const Json diff = diff_documents(json(kBefore), json(kBefore));
  EXPECT_TRUE(get_bool(diff, "same", false));
  EXPECT_FALSE(get_bool(diff, "layoutOnly", true));
  EXPECT_EQ(to_text(diff.at("nodes")), R"({"added":[],"removed":[],"changed":[]})");
}

TEST(Diff, EveryKindOfChangeIsNamedWithItsPointer) {
  const Json diff =
      diff_documents(json(kBefore), json(R"({"name": "y", "priority": "high", "nodes": [
    {"id": "p", "type": "set", "settings": {"fields": {}}},
    {"id": "n", "type": "set", "settings": {"fields": {"a/b": 5, "d": 2}}},
    {"id": "t", "type": "trigger.manual", "position": {"x": 9, "y": 0}}],
    "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "p"}]})"));
  EXPECT_FALSE(get_bool(diff, "same", true));
  EXPECT_FALSE(get_bool(diff, "layoutOnly", true));
  const Json& nodes = diff.at("nodes");
  EXPECT_EQ(get_string(nodes.at("added")[0], "id"), "p");
  EXPECT_EQ(get_string(nodes.at("removed")[0], "id"), "o");
  ASSERT_EQ(nodes.at("changed").size(), 2u) << "a node in another place is the same node";
  EXPECT_EQ(to_text(nodes.at("changed")[0].at("changes")),
            R"([{"pointer":"/settings/fields/a~1b","from":1,"to":5,"layout":false},)"
            R"({"pointer":"/settings/fields/d","to":2,"layout":false},)"
            R"({"pointer":"/settings/fields/c","from":2,"layout":false}])");
  EXPECT_EQ(to_text(nodes.at("changed")[1].at("changes")),
            R"([{"pointer":"/position/x","from":0,"to":9,"layout":true}])");
  EXPECT_EQ(to_text(diff.at("edges")),
            R"({"added":[{"from":"n","to":"p"}],"removed":[{"from":"n","to":"o"}]})");
  EXPECT_EQ(to_text(diff.at("members")),
            R"([{"pointer":"/name","from":"x","to":"y","layout":false},)"
            R"({"pointer":"/priority","to":"high","layout":false},)"
            R"({"pointer":"/history","from":"full","layout":false}])");
}

TEST(Diff, ANodeThatWasOnlyMovedIsALayout) {
  Json after = json(kBefore);
  after.at("nodes")[0].at("position").insert_or_assign("y", 30);
  after.at("nodes")[1].insert_or_assign("position", json(R"({"x": 1, "y": 2})"));
  const Json diff = diff_documents(json(kBefore), after);
  EXPECT_FALSE(get_bool(diff, "same", true));
  EXPECT_TRUE(get_bool(diff, "layoutOnly", false));
}

TEST(Diff, ListsOfOneLengthAreComparedPlaceByPlaceAndOthersAsAWhole) {
  const auto changes = [](std::string_view before, std::string_view after) {
    const auto body = [](std::string_view list) {
      return json(R"({"nodes": [{"id": "n", "type": "set", "settings": {"l": )" +
                  std::string(list) + "}}]}");
    };
    const Json diff = diff_documents(body(before), body(after));
    return to_text(diff.at("nodes").at("changed")[0].at("changes"));
  };
  EXPECT_EQ(changes("[1,2]", "[1,3]"),
            R"([{"pointer":"/settings/l/1","from":2,"to":3,"layout":false}])");
  EXPECT_EQ(changes("[1,2]", "[1]"),
            R"([{"pointer":"/settings/l","from":[1,2],"to":[1],"layout":false}])");
}

}  // namespace
}  // namespace tributary::orchestrate
