#include "sdk/registry.hpp"

#include <gtest/gtest.h>

namespace tributary::sdk {
namespace {

class FakeConnector final : public Connector {
 public:
  Result<std::shared_ptr<const Operation>> prepare(const Profile&,
                                                   const FunctionSpec&) const override {
    return fail(ErrorClass::kFunction, "not_allowed", "the fake connector does nothing");
  }
  Result<std::unique_ptr<Session>> make_session(const SessionContext&, const Profile&) override {
    return fail(ErrorClass::kConfiguration, "not_allowed", "the fake connector does nothing");
  }
};

// The files of a connector that is right; each test breaks one thing.
struct Files {
  std::string manifest =
      R"({"type": "fake", "title": "Fake", "category": "Test", "family": "broker",
      "summary": "Nothing.", "capabilities": ["read", "subscribe"], "aliases": ["nothing"], "library": "none",
      "licence": "Apache-2.0", "maxConcurrentCalls": 4})";
  std::string connection = R"({"type": "object", "properties": {"host": {"type": "string"},
      "password": {"type": "string", "x-secret": true}}})";
  std::string read =
      R"({"x-function": "fake.read", "x-kind": "read", "title": "Read", "description": "Reads.",
      "type": "object", "properties": {"query": {"type": "string", "x-bind": true}, "limit": {"type": "integer"}}})";
  std::string subscribe =
      R"({"x-function": "fake.subscribe", "x-kind": "subscribe", "x-polled": true, "title": "Subscribe",
      "description": "Polls.", "type": "object", "properties": {
        "intervalMs": {"type": "integer", "minimum": 10, "default": 1000},
        "reportOn": {"type": "string", "enum": ["change", "always"], "default": "change"},
        "deadband": {"type": "number", "default": 0},
        "deadbandType": {"type": "string", "enum": ["absolute", "percent"], "default": "absolute"}}})";
  std::string guide = "# Fake\n";

  Resources resources() const { return {manifest, connection, {read, subscribe}, guide}; }
};

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string refusal(const Files& files) {
  Registry registry;
  const auto added = registry.add(files.resources(), std::make_unique<FakeConnector>());
  EXPECT_TRUE(registry.entries().size() == (added ? 1U : 0U));
  if (added) return "";
  EXPECT_EQ(added.error().error_class, ErrorClass::kInternal);
  EXPECT_EQ(added.error().code, "invalid_connector");
  return added.error().message;
}

TEST(Registry, ReadsEverythingFromTheFiles) {
  Registry registry;
  ASSERT_TRUE(registry.add(Files().resources(), std::make_unique<FakeConnector>()).has_value());
  const Entry* entry = registry.find("fake");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->manifest.title, "Fake");
  EXPECT_EQ(entry->manifest.family, Family::kBroker);
  EXPECT_EQ(entry->manifest.max_concurrent_calls, 4U);
  EXPECT_EQ(entry->manifest.aliases, std::vector<std::string>{"nothing"});
  EXPECT_EQ(entry->connection.secrets(), std::vector<std::string>{"password"});
  EXPECT_EQ(entry->guide, "# Fake\n");
  EXPECT_NE(entry->connector, nullptr);
  ASSERT_EQ(entry->functions.size(), 2U);
  const FunctionType* read = entry->function("fake.read");
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->kind, FunctionKind::kRead);
  EXPECT_FALSE(read->polled);
  EXPECT_FALSE(read->idempotent);
  EXPECT_EQ(read->title, "Read");
  EXPECT_EQ(read->summary, "Reads.");
  EXPECT_EQ(read->bound, std::vector<std::string>{"query"});
  const FunctionType* subscribe = entry->function("fake.subscribe");
  ASSERT_NE(subscribe, nullptr);
  EXPECT_TRUE(subscribe->polled);
  EXPECT_EQ(to_string(subscribe->kind), "subscribe");
}

TEST(Registry, AWriteLaneNeedsNoFunctionOfItsOwn) {
  Files files;
  const std::string plain = R"(["read", "subscribe"])";
  files.manifest.replace(files.manifest.find(plain), plain.size(),
                         R"(["read", "subscribe", "writeLane"])");
  Registry registry;
  const auto added = registry.add(files.resources(), std::make_unique<FakeConnector>());
  EXPECT_TRUE(added.has_value()) << (added ? "" : added.error().message);
}

TEST(Registry, FindsNothingByOtherNames) {
  Registry registry;
  ASSERT_TRUE(registry.add(Files().resources(), std::make_unique<FakeConnector>()).has_value());
  EXPECT_EQ(registry.find("Fake"), nullptr);
  EXPECT_EQ(registry.find(""), nullptr);
  EXPECT_EQ(registry.find("fake")->function("read"), nullptr);
}

TEST(Registry, CapabilitiesOfTheSessionNeedNoFunction) {
  Files files;
  const std::string_view given = R"(["read", "subscribe"])";
  files.manifest.replace(files.manifest.find(given), given.size(),
                         R"(["read", "subscribe", "browse", "writeLane"])");
  Registry registry;
  const auto added = registry.add(files.resources(), std::make_unique<FakeConnector>());
  EXPECT_TRUE(added.has_value()) << added.error().message;
}

TEST(Registry, TakesATypeOnce) {
  Registry registry;
  ASSERT_TRUE(registry.add(Files().resources(), std::make_unique<FakeConnector>()).has_value());
  const auto again = registry.add(Files().resources(), std::make_unique<FakeConnector>());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().message,
            "connectors/fake/connector.json: there is another connector of this type");
  EXPECT_EQ(registry.entries().size(), 1U);
}

struct Slip {
  std::string Files::* file;
  std::string what;
  std::string with;
  std::string message;
};
class RegistrySlip : public testing::TestWithParam<Slip> {};

TEST_P(RegistrySlip, IsNamedWithFileAndPlace) {
  const auto& [file, what, with, message] = GetParam();
  Files files;
  files.*file = replaced(files.*file, what, with);
  EXPECT_EQ(refusal(files), message);
}

INSTANTIATE_TEST_SUITE_P(
    Manifest, RegistrySlip,
    testing::Values(
        Slip{&Files::manifest, "\"title\": \"Fake\"", "\"title\": \"\"",
             "connector.json: /title: must be text that is not empty"},
        Slip{&Files::manifest, "broker", "brokers",
             "connector.json: /family: must be one of fieldDevice, broker, cloud"},
        Slip{&Files::manifest, "\"licence\"", "\"license\"",
             "connector.json: /license: unknown; did you mean \"licence\"?"},
        Slip{&Files::manifest, "[\"nothing\"]", "\"nothing\"",
             "connector.json: /aliases: must be a list of texts"},
        Slip{&Files::manifest, "4}", "0}",
             "connector.json: /maxConcurrentCalls: must be a number from 1 to 1024"},
        Slip{&Files::manifest, "[\"read\", ", "[\"raed\", ",
             "connector.json: /capabilities: \"raed\" is not one of read, write, subscribe, "
             "browse, command, writeLane"},
        Slip{&Files::manifest, "[\"read\", ", "[",
             "connectors/fake/connector.json: /capabilities: \"read\" is missing, but fake.read "
             "has that kind"},
        Slip{&Files::manifest, "[\"read\", ", "[\"write\", \"read\", ",
             "connectors/fake/connector.json: /capabilities: no function has the kind \"write\""}));

INSTANTIATE_TEST_SUITE_P(
    Schemas, RegistrySlip,
    testing::Values(Slip{&Files::connection, "string", "text",
                         "connectors/fake/connection.schema.json: /properties/host/type: \"text\" "
                         "is none of object, array, string, "
                         "integer, number, boolean"},
                    Slip{&Files::read, "fake.read", "other.read",
                         "connectors/fake/function schema 1: /x-function: must be \"fake.name\", "
                         "not \"other.read\""},
                    Slip{&Files::read, "\"x-kind\": \"read\"", "\"x-kind\": \"get\"",
                         "connectors/fake/functions/read.schema.json: /x-kind: must be one of "
                         "read, write, subscribe, browse, command"},
                    Slip{&Files::read, "\"x-bind\"", "\"x-secret\"",
                         "connectors/fake/functions/read.schema.json: /properties/query: secrets "
                         "belong into connection.schema.json"},
                    Slip{&Files::subscribe, "fake.subscribe", "fake.read",
                         "connectors/fake/functions: two files describe fake.read"},
                    Slip{&Files::subscribe, "\"x-kind\": \"subscribe\"", "\"x-kind\": \"read\"",
                         "connectors/fake/functions/subscribe.schema.json: /x-polled: only "
                         "subscribe functions are polled"},
                    Slip{&Files::subscribe, "intervalMs", "periodMs",
                         "connectors/fake/functions/subscribe.schema.json: /x-polled: a polled "
                         "function has the property intervalMs of "
                         "type integer"},
                    Slip{&Files::subscribe, "\"minimum\": 10", "\"minimum\": 0",
                         "connectors/fake/functions/subscribe.schema.json: /properties/intervalMs: "
                         "needs a minimum of 1 or more"},
                    Slip{&Files::subscribe, "\"always\"", "\"all\"",
                         "connectors/fake/functions/subscribe.schema.json: /x-polled: a polled "
                         "function has the property reportOn with "
                         "the enum [\"change\", \"always\"]"},
                    Slip{&Files::subscribe, "\"number\", \"default\": 0", "\"number\"",
                         "connectors/fake/functions/subscribe.schema.json: /properties/deadband: "
                         "needs a default"},
                    Slip{&Files::subscribe, "\"percent\"", "\"share\"",
                         "connectors/fake/functions/subscribe.schema.json: "
                         "/properties/deadbandType: of a polled function it has the enum "
                         "[\"absolute\", \"percent\"]"},
                    Slip{&Files::guide, "# Fake\n", "", "connectors/fake/guide.md: is empty"}));

TEST(Registry, FilesThatAreNotJsonAreRefused) {
  Files files;
  files.manifest = "{";
  EXPECT_TRUE(refusal(files).starts_with("connector.json: ")) << refusal(files);
  files = Files();
  files.connection = "[]";
  EXPECT_EQ(refusal(files), "connectors/fake/connection.schema.json: must be a JSON object");
}

TEST(Registry, NeedsTheConnectorItself) {
  Registry registry;
  const auto added = registry.add(Files().resources(), nullptr);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().message, "connectors/fake/src: make_connector() returned nothing");
}

TEST(Profile, GivesSecretsByName) {
  Profile profile;
  profile.secrets.emplace_back("password", Secret("hunter2"));
  ASSERT_NE(profile.secret("password"), nullptr);
  EXPECT_EQ(profile.secret("password")->reveal(), "hunter2");
  EXPECT_EQ(profile.secret("token"), nullptr);
}

}  // namespace
}  // namespace tributary::sdk
