#include "app/document.hpp"

#include <fstream>
#include <sstream>

namespace tributary::app {
namespace {

TEST(Document, ScalarsHaveTheTypesOfYaml) {
  auto document = parse_document(
      "connections:\n- {name: a, settings: {port: 502, ratio: 1.5, on: true, off: 'true', none: , "
      "text: 10.0.0.1, big: 18446744073709551615}}\n",
      {});
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(
      to_text(document->connections[0].at("settings")),
      R"({"port":502,"ratio":1.5,"on":true,"off":"true","none":null,"text":"10.0.0.1","big":18446744073709551615})");
}

TEST(Document, VariablesAreReplacedBeforeTypesAreDecided) {
  auto document = parse_document(
      "connections:\n- name: a\n  port: ${port}\n  host: ${host:-localhost}\n  both: x${port}y\n",
      {{"port", "15020"}});
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(to_text(document->connections[0]),
            R"({"name":"a","port":15020,"host":"localhost","both":"x15020y"})");
}

TEST(Document, AMissingVariableIsNamed) {
  auto document = parse_document("connections:\n- name: ${line}\n", {});
  ASSERT_FALSE(document);
  EXPECT_NE(document.error().message.find("--set line=VALUE"), std::string::npos);
}

TEST(Document, JsonIsReadToo) {
  auto document = parse_document(R"({"pipelines":[{"name":"p","nodes":[]}]})", {});
  ASSERT_TRUE(document);
  EXPECT_EQ(get_string(document->pipelines[0], "name"), "p");
}

class Mistakes : public testing::TestWithParam<const char*> {};

TEST_P(Mistakes, AreRefusedWithASentence) {
  auto document = parse_document(GetParam(), {});
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, "invalid_document");
}

INSTANTIATE_TEST_SUITE_P(Document, Mistakes,
                         testing::Values("", "[]", "text", "conections: []", "connections: 3",
                                         "connections: [{type: modbus}]",
                                         "connections: [{name: a}, {name: a}]",
                                         "connections: [{name: a, functions: [{}]}]", "a: [",
                                         "pipelines: [1]"));

TEST(Document, WhatIsWrittenIsReadBackTheSame) {
  const std::string text =
      "connections:\n- {name: 'yes', settings: {a: '1', b: 1, c: [x, 'null', '${v}x'], d: {}, e: "
      "\"l1\\nl2: # x\"}}\n";
  auto document = parse_document(text, {{"v", "$"}});
  ASSERT_TRUE(document) << document.error().message;
  auto again = parse_document(format_document(*document, {"a comment"}), {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->connections, document->connections);
}

TEST(Document, OnePipelineOrAnExportedOneIsAFileForTheCommandsAboutPipelines) {
  for (const char* text : {"name: p\nnodes: []\n", R"({"pipeline": {"name": "p", "nodes": []}})",
                           "pipelines: [{name: p, nodes: []}]"}) {
    auto document = parse_pipelines(text, {});
    ASSERT_TRUE(document) << document.error().message;
    ASSERT_EQ(document->pipelines.size(), 1U);
    EXPECT_EQ(get_string(document->pipelines[0], "name"), "p");
  }
}

TEST(Demo, IsAValidDocument) {
  std::ifstream file(TRIBUTARY_SOURCE_DIR "/demo/plant.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  auto document = parse_document(text.str(), {{"port", "15020"}});
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(document->connections[0].at("settings").at("port"), 15020);
  EXPECT_EQ(document->connections[0].at("functions").size(), 5U);
}

TEST(Document, WindowsNameConnectionsAndTheHubNumbersThem) {
  auto document = parse_document(
      "maintenanceWindows:\n- {name: Night, targets: {connections: [Line 3, Gone], type: "
      "modbus}}\n",
      {});
  ASSERT_TRUE(document) << document.error().message;
  const Json& window = document->maintenance_windows[0];
  ConnectionNames names;
  names.add("Line 3", "id-3");
  EXPECT_EQ(names.unknown(window), std::vector<std::string>{"Gone"});
  const Json with_ids = names.with_ids(window);
  EXPECT_EQ(to_text(with_ids.at("targets")), R"({"type":"modbus","connectionIds":["id-3"]})");
  EXPECT_EQ(to_text(names.with_names(with_ids).at("targets")),
            R"({"type":"modbus","connections":["Line 3"]})");
}

}  // namespace
}  // namespace tributary::app
