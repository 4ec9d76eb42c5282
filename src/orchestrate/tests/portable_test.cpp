#include "orchestrate/model/portable.hpp"

#include "orchestrate/model/warnings.hpp"
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kBody = R"({"name": "x", "nodes": [
    {"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "s", "type": "trigger.connectionStatus", "settings": {"connectionIds": ["C1", "C2"]}},
    {"id": "n", "type": "set", "settings": {"fields": {}, "functionId": "sub"}},
    {"id": "d", "type": "function", "settings": {"functionId": "write"}}]})";

HubNames names() {
  HubNames names;
  names.functions.add("Line 3/Watch", "sub");
  names.functions.add("Broker/Publish", "write");
  names.connections.add("Line 3", "C1");
  names.connections.add("Line 4", "C2");
  return names;
}

TEST(Portable, IdsBecomeNamesAndNamesBecomeIds) {
  const NodeCatalogue catalogue;
  std::vector<Reference> found;
  const Json named = with_names(json(kBody), catalogue, names(), &found);
  EXPECT_EQ(to_text(named.at("nodes")[0].at("settings")), R"({"function":"Line 3/Watch"})");
  EXPECT_EQ(to_text(named.at("nodes")[1].at("settings")), R"({"connections":["Line 3","Line 4"]})");
  ASSERT_EQ(found.size(), 4u) << "what a set node calls functionId is none of our business";
  EXPECT_EQ(found[2].pointer, "/nodes/1/settings/connectionIds/1");
  EXPECT_EQ(found[3].node_id, "d");
  EXPECT_EQ(with_ids(named, catalogue, names()), json(kBody));
}

TEST(Portable, WhatNobodyKnowsStaysAndIsTold) {
  const NodeCatalogue catalogue;
  std::vector<Reference> found;
  const Json body = json(R"({"nodes": [
    {"id": "d", "type": "function", "settings": {"function": "Gone/Away"}},
    {"id": "s", "type": "trigger.connectionStatus", "settings": {"connections": ["Line 3", "Gone"]}}]})");
  const Json with = with_ids(body, catalogue, names(), &found);
  EXPECT_EQ(to_text(with.at("nodes")[0].at("settings")), R"({"function":"Gone/Away"})");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].id, "");
  EXPECT_EQ(found[0].name, "Gone/Away");
  EXPECT_EQ(found[2].pointer, "/nodes/1/settings/connections/1");
  EXPECT_EQ(found[2].id, "");
}

TEST(Warnings, SayWhatMaySurpriseWithoutBeingWrong) {
  const NodeCatalogue catalogue;
  FakePort port;
  port.add("sub", sdk::FunctionKind::kSubscribe);
  port.add("write", sdk::FunctionKind::kWrite);
  const auto codes = [&](std::string_view body) {
    std::string all;
    for (const auto& warning : warnings_of(json(body), catalogue, port))
      all += warning.pointer + " " + warning.code + "; ";
    return all;
  };
  EXPECT_EQ(
      codes(
          R"({"nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
      {"id": "d", "type": "function", "settings": {"functionId": "write"}}]})"),
      "");
  EXPECT_EQ(codes(R"({"nodes": [{"id": "t", "type": "trigger.manual", "pin": [{"a": 1}]}]})"),
            "/nodes no_destination; /nodes/0/pin pinned; ");
  port.connected = false;
  EXPECT_EQ(
      codes(
          R"({"nodes": [{"id": "d", "type": "function", "settings": {"functionId": "write", "concurrency": 4}}]})"),
      "/nodes/0/settings/concurrency order; /nodes/0/settings/functionId connection_down; ");
}

TEST(Pins, AreListsOrObjectsAndBounded) {
  const NodeCatalogue catalogue;
  const FakePort port;
  const auto code = [&](const std::string& pin) {
    const auto checked = check_pipeline(
        json(R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.manual", "pin": )" + pin +
             "}]}"),
        catalogue, port);
    return checked.problems.empty() ? ""
                                    : checked.problems[0].pointer + " " + checked.problems[0].code;
  };
  EXPECT_EQ(code("[{\"a\": 1}]"), "");
  EXPECT_EQ(code("{\"out\": []}"), "");
  EXPECT_EQ(code("5"), "/nodes/0/pin wrong_type");
  EXPECT_EQ(code("[\"" + std::string(kMaxPinBytes, 'x') + "\"]"), "/nodes/0/pin too_long");
}

}  // namespace
}  // namespace tributary::orchestrate
