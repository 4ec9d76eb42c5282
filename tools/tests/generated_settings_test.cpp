// What tools/generate_settings.py and tools/embed_files.py made of the fixture connector.
#include <gtest/gtest.h>

#include "connectors/demo/resources.hpp"
#include "connectors/demo/settings.hpp"

namespace tributary::connectors::demo {
namespace {

TEST(GeneratedSettings, DefaultsOfTheSchemaAreTheInitializers) {
  const ConnectionSettings settings;
  EXPECT_EQ(settings.transport, ConnectionSettings::Transport::kTcp);
  EXPECT_EQ(settings.port, 502);
  EXPECT_EQ(settings.version, ConnectionSettings::Version::k5_0);
  EXPECT_EQ(settings.request_timeout_ms, 2000);
  EXPECT_DOUBLE_EQ(settings.ratio, 1.0);
  EXPECT_FALSE(settings.register_);
  EXPECT_EQ(settings.note, "a \"quoted\"\nnote");
  EXPECT_EQ(settings.retries, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(settings.tls.mode, ConnectionSettings::Tls::Mode::kOff);
  EXPECT_FALSE(settings.host.has_value());
}

TEST(GeneratedSettings, EveryKindOfMemberIsRead) {
  const auto json =
      Json::parse(R"({"transport": "rtuOverTcp", "host": "plc", "port": 5.0, "version": "",
      "ratio": 2, "register": true, "retries": [3], "headers": {"b": "2", "a": "1"},
      "tls": {"mode": "on", "serverName": "plc.example"}, "anything": [1, "x"]})");
  const auto settings = ConnectionSettings::from_json(json);
  EXPECT_EQ(settings.transport, ConnectionSettings::Transport::kRtuOverTcp);
  EXPECT_EQ(settings.host, "plc");
  EXPECT_EQ(settings.port, 5);
  EXPECT_EQ(settings.version, ConnectionSettings::Version::kEmpty);
  EXPECT_DOUBLE_EQ(settings.ratio, 2.0);
  EXPECT_TRUE(settings.register_);
  EXPECT_EQ(settings.retries, (std::vector<std::int64_t>{3}));
  ASSERT_TRUE(settings.headers.has_value());
  EXPECT_EQ(settings.headers->at("a"), "1");
  EXPECT_EQ(settings.tls.mode, ConnectionSettings::Tls::Mode::kOn);
  EXPECT_EQ(settings.tls.server_name, "plc.example");
  ASSERT_TRUE(settings.anything.has_value());
  EXPECT_EQ(settings.anything->size(), 2U);
}

TEST(GeneratedSettings, ADefinitionIsOneTypeForEveryFunction) {
  const auto points = Json::parse(R"({"points": [{"name": "a", "area": "coils", "address": 3},
      {"name": "b", "address": 4, "scale": 0.5}], "windows": [{"from": 1.5, "kind": "moving"}]})");
  const auto read = ReadSettings::from_json(points);
  const auto write = WriteSettings::from_json(points);
  ASSERT_EQ(read.points.size(), 2U);
  EXPECT_EQ(read.points, write.points);
  EXPECT_EQ(read.points[0].area, Point::Area::kCoils);
  EXPECT_FALSE(read.points[0].scale.has_value());
  EXPECT_EQ(read.points[1].scale, 0.5);
  ASSERT_EQ(read.windows.size(), 1U);
  EXPECT_EQ(read.windows[0].kind, ReadSettings::Window::Kind::kMoving);
}

TEST(GeneratedSettings, AWrongDocumentLeavesTheDefaults) {
  const auto json =
      Json::parse(R"({"port": "x", "transport": "pigeon", "retries": 1, "tls": 7, "host": null})");
  const auto settings = ConnectionSettings::from_json(json);
  EXPECT_EQ(settings.port, 502);
  EXPECT_EQ(settings.transport, ConnectionSettings::Transport::kTcp);
  EXPECT_EQ(settings.retries, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(settings.tls, ConnectionSettings::Tls{});
}

TEST(GeneratedSettings, EnumerationsGoToTextAndBack) {
  EXPECT_EQ(to_string(ConnectionSettings::Version::k3_1_1), "3.1.1");
  auto area = Point::Area::kCoils;
  EXPECT_TRUE(from_string("holdingRegisters", area));
  EXPECT_EQ(area, Point::Area::kHoldingRegisters);
  EXPECT_FALSE(from_string("HoldingRegisters", area));
}

TEST(EmbeddedResources, AreTheFilesInOrder) {
  const auto files = resources();
  EXPECT_TRUE(files.manifest.starts_with("{\n  \"type\": \"demo\""));
  EXPECT_NE(files.connection_schema.find("Demo connection"), std::string_view::npos);
  ASSERT_EQ(files.function_schemas.size(), 2U);
  EXPECT_NE(files.function_schemas[0].find("demo.read"), std::string_view::npos);
  EXPECT_NE(files.function_schemas[1].find("demo.write"), std::string_view::npos);
  EXPECT_TRUE(files.guide.starts_with("# Demo\n"));
}

}  // namespace
}  // namespace tributary::connectors::demo
