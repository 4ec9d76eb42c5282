// Reading, writing and browsing against a real server, without security.
#include "connectors/opcua/tests/fixture.hpp"

namespace tributary::connectors::opcua {
namespace {

class Data : public OpcuaTest {
 protected:
  Data() { open(profile(server_.server->url(), kInsecure)); }
  TestServer server_;
};

TEST_F(Data, ValuesComeExactly) {
  const Json got = values(call(
      "opcua.read", nodes({"bool", "sbyte", "byte", "int16", "uint16", "int32", "uint32", "int64",
                           "uint64", "float", "double", "text", "time", "bytes", "localized"})));
  const Json expected = json(
      R"({"bool":true,"sbyte":-128,"byte":255,"int16":-32768,"uint16":65535,"int32":-2147483648,"uint32":4294967295,
          "int64":-9223372036854775808,"uint64":18446744073709551615,"float":1.5,"double":0.1,"text":"Füller",
          "time":"2026-11-22T10:00:00.123Z","bytes":"AQL/","localized":"läuft"})");
  EXPECT_EQ(got, expected) << tributary::to_text(got);
}

TEST_F(Data, ListsMatricesAndStandardStructuresAreDocuments) {
  const Json got = values(call("opcua.read", nodes({"list", "matrix", "range"})));
  EXPECT_EQ(
      got,
      json(
          R"({"list":[1,2,3],"matrix":[[1.0,2.0,3.0],[4.0,5.0,6.0]],"range":{"Low":0.0,"High":100.0}})"))
      << tributary::to_text(got);
}

TEST_F(Data, ABadNodeDoesNotHurtTheOthers) {
  const auto batch = call("opcua.read", nodes({"bool", "missing", "int64"}));
  const Json got = values(batch);
  EXPECT_EQ(got,
            json(R"({"bool":true,"missing":"bad_node_id_unknown","int64":-9223372036854775808})"));
  const Sample& bad = batch->scans().front().samples[1];
  EXPECT_EQ(bad.quality.code_name(), "0x80340000");
  EXPECT_FALSE(bad.error->hint.empty());
}

TEST_F(Data, NodeIdsGoByUriOrIndex) {
  const std::string settings = fmt::format(
      R"({{"nodes":[{{"name":"a","nodeId":"nsu={0};s=bool"}},{{"name":"b","nodeId":"ns={1};s=bool"}},
          {{"name":"c","nodeId":"i=2259"}},{{"name":"d","nodeId":"nsu=urn:nobody;s=bool"}}]}})",
      kNamespace, server_.world->index());
  EXPECT_EQ(values(call("opcua.read", settings)),
            json(R"({"d":"namespace_unknown","a":true,"b":true,"c":0})"));
}

TEST_F(Data, SourceTimesComeWithTheValues) {
  const auto batch = call("opcua.read", nodes({"double"}));
  ASSERT_TRUE(batch.has_value());
  const Sample& sample = batch->scans().front().samples.front();
  ASSERT_TRUE(sample.source_time.has_value());
  EXPECT_LT(std::chrono::abs(*sample.source_time - context_.clock().utc_now()),
            std::chrono::seconds(30));
}

TEST_F(Data, WritesAreConvertedToTheTypeOfTheNode) {
  const auto written = call(
      "opcua.write",
      nodes({"bool", "sbyte", "uint16", "int64", "uint64", "float", "double", "text", "time",
             "bytes", "localized", "list", "matrix"}),
      R"({"bool":false,"sbyte":127,"uint16":12.0,"int64":"9223372036854775807","uint64":9007199254740993,
                                "float":2,"double":-1e300,"text":"x","time":"2026-01-01T00:00:00.5Z","bytes":"AAE=",
                                "localized":"steht","list":[7,8],"matrix":[[9,8,7],[6,5,4]]})");
  ASSERT_TRUE(written.has_value()) << written.error().message;
  const Json got = values(
      call("opcua.read", nodes({"bool", "sbyte", "uint16", "int64", "uint64", "float", "double",
                                "text", "time", "bytes", "localized", "list", "matrix"})));
  EXPECT_EQ(
      got,
      json(
          R"({"bool":false,"sbyte":127,"uint16":12,"int64":9223372036854775807,"uint64":9007199254740993,
                          "float":2.0,"double":-1e300,"text":"x","time":"2026-01-01T00:00:00.500Z","bytes":"AAE=",
                          "localized":"steht","list":[7,8],"matrix":[[9.0,8.0,7.0],[6.0,5.0,4.0]]})"))
      << tributary::to_text(got);
}

TEST_F(Data, WhatDoesNotFitIsNotWritten) {
  const struct {
    const char* node;
    const char* value;
    const char* code;
  } kCases[] = {{"sbyte", "128", "value_out_of_range"},
                {"uint16", "-1", "value_out_of_range"},
                {"uint64", "\"18446744073709551616\"", "value_out_of_range"},
                {"int64", "9223372036854775808", "value_out_of_range"},
                {"int32", "1.5", "not_an_integer"},
                {"int64", "1e300", "value_out_of_range"},
                {"float", "1e39", "value_out_of_range"},
                {"bool", "1", "wrong_type"},
                {"text", "5", "wrong_type"},
                {"int32", "[1]", "wrong_type"},
                {"list", "1", "wrong_type"},
                {"matrix", "[[1,2],[3]]", "wrong_type"},
                {"bytes", "\"?\"", "invalid_base64"},
                {"time", "\"yesterday\"", "invalid_time"}};
  for (const auto& each : kCases) {
    const auto refused = call("opcua.write", nodes({"double", each.node}),
                              fmt::format(R"({{"double":5,"{}":{}}})", each.node, each.value));
    ASSERT_FALSE(refused.has_value()) << each.node << " " << each.value;
    EXPECT_EQ(refused.error().error_class, ErrorClass::kFunction);
    EXPECT_EQ(refused.error().code, each.code)
        << each.node << " " << each.value << ": " << refused.error().message;
    EXPECT_EQ(refused.error().pointer, fmt::format("/parameters/{}", each.node));
  }
  EXPECT_EQ(values(call("opcua.read", nodes({"double"}))), json(R"({"double":0.1})"));
}

TEST_F(Data, StatusAndSourceTimeTravelWithAWrite) {
  const auto written =
      call("opcua.write",
           nodes({"double"}, R"(,"sourceTime":"2025-06-01T12:00:00Z","status":"uncertain")"),
           R"({"double":3})");
  EXPECT_EQ(values(written), json(R"({"double":3})"));
  const auto batch = call("opcua.read", nodes({"double"}));
  const Sample& sample = batch->scans().front().samples.front();
  EXPECT_TRUE(sample.quality.is_uncertain());
  EXPECT_EQ(format_utc(*sample.source_time), "2025-06-01T12:00:00.000Z");
}

TEST_F(Data, ARefusedWriteNamesItsNode) {
  const Json got =
      values(call("opcua.write", nodes({"double", "missing"}), R"({"double":4,"missing":1})"));
  EXPECT_EQ(got, json(R"({"double":4,"missing":"bad_node_id_unknown"})"));
}

TEST_F(Data, AMethodGetsItsArgumentsByName) {
  const std::string settings = fmt::format(
      R"({{"objectId":"i=85","methodId":"nsu={};s=add","arguments":{{"b":2147483647}}}})",
      kNamespace);
  const auto batch = call("opcua.call", settings, R"({"a":"2"})");
  ASSERT_TRUE(batch.has_value()) << batch.error().code << ": " << batch.error().message;
  EXPECT_EQ(batch->records().front(), json(R"({"sum":2147483649})"));
  const auto expect = [&](std::string_view parameters, std::string_view code,
                          std::string_view pointer) {
    const auto refused = call("opcua.call", settings, parameters);
    ASSERT_FALSE(refused.has_value()) << code;
    EXPECT_EQ(refused.error().code, code) << refused.error().message;
    EXPECT_EQ(refused.error().pointer, pointer);
  };
  expect("{}", "missing_argument", "/settings/arguments/a");
  expect(R"({"a":1.5})", "not_an_integer", "/parameters/a");
  expect(R"({"a":2147483648})", "value_out_of_range", "/parameters/a");
  const auto mistyped =
      call("opcua.call",
           fmt::format(R"({{"objectId":"i=85","methodId":"nsu={};s=add","arguments":{{"c":1}}}})",
                       kNamespace));
  ASSERT_FALSE(mistyped.has_value());
  EXPECT_EQ(mistyped.error().code, "unknown_argument");
  const auto missing =
      call("opcua.call",
           fmt::format(R"({{"objectId":"i=85","methodId":"nsu={};s=nothing"}})", kNamespace));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, "bad_node_id_unknown");
}

TEST_F(Data, BrowsingListsEveryNodeOnce) {
  const auto batch = call("opcua.browse", R"({"depth": 1})");
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  std::map<std::string, Json> found;
  for (const Json& record : batch->records())
    EXPECT_TRUE(found.emplace(get_string(record, "name"), record).second);
  ASSERT_TRUE(found.contains("int64"));
  const Json& record = found["int64"];
  EXPECT_EQ(get_string(record, "nodeId"), fmt::format("nsu={};s=int64", kNamespace));
  EXPECT_EQ(get_string(record, "dataType"), "Int64");
  EXPECT_EQ(get_string(record, "access"), "readWrite");
  EXPECT_EQ(get_string(record, "nodeClass"), "variable");
  EXPECT_EQ(get_string(record, "reference"), "HasComponent");
  EXPECT_EQ(get_string(found["list"], "dataType"), "Int32[]");
  EXPECT_EQ(get_string(found["Server"], "nodeClass"), "object");
}

TEST_F(Data, ALargeFolderIsBrowsedInPages) {
  constexpr int kMany = 1700;
  for (int i = 0; i < kMany; ++i)
    server_.world->add(fmt::format("many{}", i).c_str(), UA_Int32{i}, UA_TYPES[UA_TYPES_INT32]);
  auto* browser = dynamic_cast<sdk::Browser*>(session_.get());
  ASSERT_NE(browser, nullptr);
  std::size_t count = 0;
  int pages = 0;
  std::string cursor;
  do {
    const auto page = context_.run(
        browser->browse("i=85", cursor, context_.in(std::chrono::seconds(20))), kLimit);
    ASSERT_TRUE(page.has_value()) << page.error().message;
    count += page->nodes.size();
    cursor = page->next;
    ++pages;
  } while (!cursor.empty());
  EXPECT_GE(count, static_cast<std::size_t>(kMany));
  EXPECT_EQ(pages, 4);
  const auto batch = call("opcua.browse", R"({"depth": 1})");
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  EXPECT_EQ(batch->records().size(), count);
  const auto root = context_.run(browser->browse("", "", context_.in(std::chrono::seconds(5))));
  ASSERT_TRUE(root.has_value());
  ASSERT_EQ(root->nodes.size(), 3U);
  EXPECT_EQ(root->nodes[0].id, "i=85");
  EXPECT_TRUE(root->nodes[0].has_children);
}

TEST_F(Data, LimitsOfTheServerAreRespected) {
  simulator::ServerOptions options;
  options.configure = [](UA_ServerConfig& config) {
    config.maxNodesPerRead = 6;
    config.maxNodesPerWrite = 2;
    config.maxNodesPerBrowse = 1;
  };
  const TestServer small(std::move(options));
  open(profile(small.server->url(), kInsecure));
  EXPECT_EQ(values(call("opcua.read", nodes({"bool", "sbyte", "byte", "int16", "uint16", "int32",
                                             "uint32", "text"})))
                .size(),
            8U);
  const auto written = values(call("opcua.write", nodes({"bool", "sbyte", "byte"}),
                                   R"({"bool":false,"sbyte":1,"byte":2})"));
  EXPECT_EQ(written, json(R"({"bool":false,"sbyte":1,"byte":2})"));
  EXPECT_EQ(values(call("opcua.read", nodes({"bool", "sbyte", "byte"}))), written);
}

}  // namespace
}  // namespace tributary::connectors::opcua
