#include "connect/validation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connect/diagnosis.hpp"
#include "connect/lifecycle/policy.hpp"
#include "fake_connector.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Validation : public testing::Test {
 protected:
  Validation() { add_fake(registry_, peer_); }
  std::vector<std::string> pointers_of(std::string_view body) {
    std::vector<std::string> pointers;
    for (const auto& error : check_connection_body(Json::parse(body), registry_))
      pointers.push_back(error.pointer);
    return pointers;
  }
  std::vector<std::string> function_pointers_of(std::string_view body) {
    std::vector<std::string> pointers;
    for (const auto& error : check_function_body(Json::parse(body), *registry_.find("fake")))
      pointers.push_back(error.pointer);
    return pointers;
  }
  FakePeer peer_;
  sdk::Registry registry_;
};

TEST_F(Validation, accepts_a_whole_profile) {
  EXPECT_THAT(
      pointers_of(
          R"({"name": "Line 3", "type": "fake", "description": "filler", "labels": {"site": "izmir"},
    "settings": {"host": "h", "port": 502}, "secrets": {"password": "x"}, "autostart": true,
    "reconnect": {"initialDelayMs": 1000}})"),
      IsEmpty());
}

TEST_F(Validation, names_everything_that_is_wrong) {
  EXPECT_THAT(
      pointers_of(
          R"({"name": " ", "type": "fake", "labels": {"site": 1}, "settings": {"port": 70000, "hots": "h"},
    "secrets": {"passwort": "x"}, "autostart": "yes", "reconnect": {"x": 1}, "state": {}})"),
      UnorderedElementsAre("/state", "/name", "/labels/site", "/settings/host", "/settings/port",
                           "/settings/hots", "/secrets/passwort", "/autostart", "/reconnect/x"));
}

TEST_F(Validation, freshness_and_idempotence_of_a_function) {
  const auto with = [this](std::string_view type, std::string_view more) {
    return function_pointers_of(fmt::format(
        R"({{"name": "n", "type": "{}", "settings": {{"points": ["a"]}}, {}}})", type, more));
  };
  EXPECT_THAT(with("fake.listen", R"("freshness": {"expectMs": 5000}, "idempotent": true)"),
              IsEmpty());
  EXPECT_THAT(with("fake.listen", R"("freshness": {"expectMs": 0})"), IsEmpty());
  EXPECT_THAT(with("fake.listen", R"("freshness": {"expectMs": 5})"),
              ElementsAre("/freshness/expectMs"));
  EXPECT_THAT(with("fake.listen", R"("freshness": {"expectMs": "5 s"})"),
              ElementsAre("/freshness/expectMs"));
  EXPECT_THAT(with("fake.listen", R"("freshness": {"expect": 5000})"),
              ElementsAre("/freshness/expect"));
  EXPECT_THAT(with("fake.read", R"("freshness": {"expectMs": 5000})"),
              ElementsAre("/freshness/expectMs"));
  EXPECT_THAT(with("fake.write", R"("idempotent": "yes")"), ElementsAre("/idempotent"));
}

TEST_F(Validation, what_the_connectors_settings_have_does_not_belong_into_reconnect) {
  sdk::Registry registry;
  constexpr std::string_view kTimed = R"({
    "type": "object", "properties": {
      "host": {"type": "string", "title": "Host"},
      "username": {"type": "string", "title": "User name"},
      "requestTimeoutMs": {"type": "integer", "default": 2000, "title": "Request timeout"}}})";
  const sdk::Resources resources{
      kManifest, kTimed, {kReadSchema, kWriteSchema, kListenSchema}, "#"};
  ASSERT_TRUE(registry.add(resources, std::make_unique<FakeConnector>(peer_)).has_value());
  const sdk::Entry& type = *registry.find("fake");
  const Json given = Json::parse(R"({"requestTimeoutMs": 900, "connectTimeoutMs": 900})");
  const auto errors = lifecycle::validate_reconnect(given, type);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].pointer, "/reconnect/requestTimeoutMs");
  const Json schema = lifecycle::reconnect_schema_of(type);
  EXPECT_FALSE(schema.at("properties").contains("requestTimeoutMs"));
  EXPECT_EQ(schema.at("properties").at("connectTimeoutMs").at("default").as<int>(), 5000);
  EXPECT_EQ(
      schema.at("properties").at("keepAlive").at("properties").at("count").at("default").as<int>(),
      3);
}

TEST_F(Validation, an_unknown_type) {
  EXPECT_THAT(pointers_of(R"({"name": "n", "type": "nothing", "settings": {}})"),
              ElementsAre("/type"));
  EXPECT_THAT(pointers_of(R"({"name": "n", "settings": {}})"), ElementsAre("/type"));
}

TEST_F(Validation, names_have_one_to_a_hundred_characters) {
  const auto body = [](const std::string& name) {
    Json json = Json::parse(R"({"type": "fake", "settings": {"host": "h"}})");
    json["name"] = name;
    return json;
  };
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ü";
  EXPECT_TRUE(check_connection_body(body(umlauts), registry_).empty());
  EXPECT_FALSE(check_connection_body(body(umlauts + "ü"), registry_).empty());
  EXPECT_FALSE(check_connection_body(body("a\nb"), registry_).empty());
}

TEST_F(Validation, not_even_an_object) {
  EXPECT_THAT(pointers_of("[]"), ElementsAre(""));
  EXPECT_THAT(pointers_of("null"), ElementsAre(""));
}

TEST_F(Validation, too_many_labels) {
  Json body =
      Json::parse(R"({"name": "n", "type": "fake", "settings": {"host": "h"}, "labels": {}})");
  for (int i = 0; i < 11; ++i) body["labels"][std::to_string(i)] = "x";
  const auto errors = check_connection_body(body, registry_);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].pointer, "/labels");
}

TEST_F(Validation, functions) {
  EXPECT_THAT(
      function_pointers_of(R"({"name": "f", "type": "fake.read", "settings": {"points": ["a"]}})"),
      IsEmpty());
  EXPECT_THAT(function_pointers_of(R"({"name": "f", "type": "fake.nothing", "settings": {}})"),
              ElementsAre("/type"));
  EXPECT_THAT(function_pointers_of(
                  R"({"name": "f", "type": "fake.read", "settings": {"points": [], "count": 99}})"),
              UnorderedElementsAre("/settings/points", "/settings/count"));
}

TEST_F(Validation, placeholders_are_for_callers) {
  EXPECT_THAT(
      function_pointers_of(
          R"j({"name": "f", "type": "fake.read", "settings": {"points": ["a"], "count": "((n))"}})j"),
      IsEmpty());
  EXPECT_THAT(
      function_pointers_of(
          R"j({"name": "f", "type": "fake.subscribe", "settings": {"points": ["((p))"]}})j"),
      Contains("/settings"));
}

TEST(Explain, maps_errors_to_stable_keys) {
  const auto key = [](ErrorClass error_class, std::string code, std::string_view stage) {
    return explain(Error(error_class, std::move(code), "text"), stage).code;
  };
  EXPECT_EQ(key(ErrorClass::kTransient, "connection_refused", "tcp"), "cannot_connect");
  EXPECT_EQ(key(ErrorClass::kTransient, "connect_timeout", "tcp"), "cannot_connect");
  EXPECT_EQ(key(ErrorClass::kName, "no_such_host", "resolve"), "cannot_connect");
  EXPECT_EQ(key(ErrorClass::kTransient, "timeout", "protocol"), "timeout");
  EXPECT_EQ(key(ErrorClass::kTransient, "bad_frame", "protocol"), "wrong_port_or_protocol");
  EXPECT_EQ(key(ErrorClass::kIdentity, "bad_password", "login"), "invalid_auth");
  EXPECT_EQ(key(ErrorClass::kTrust, "untrusted", "tls"), "untrusted_certificate");
  EXPECT_EQ(key(ErrorClass::kConfiguration, "permission_denied", "login"), "permission_denied");
}

TEST(Explain, always_says_what_to_do_and_keeps_what_the_connector_said) {
  const Error error =
      explain(Error(ErrorClass::kTransient, "connection_refused", "192.0.2.1:502 refused"), "tcp");
  EXPECT_EQ(error.message, "192.0.2.1:502 refused");
  EXPECT_FALSE(error.hint.empty());
  EXPECT_EQ(error.pointer, "/settings/host");
}

}  // namespace
}  // namespace tributary::connect
