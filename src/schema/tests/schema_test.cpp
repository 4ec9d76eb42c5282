#include "schema/schema.hpp"

#include <gtest/gtest.h>

#include "schema/typed.hpp"

namespace tributary::schema {
namespace {

Schema compile(std::string_view text) {
  auto schema = Schema::compile(Json::parse(text));
  EXPECT_TRUE(schema.has_value()) << (schema ? "" : schema.error().message);
  return schema.value_or(Schema{});
}

// "pointer code message" of every error, one a line.
std::string errors_of(const Schema& schema, std::string_view instance,
                      const ValidateOptions& options = {}) {
  std::string text;
  for (const auto& error : schema.validate(Json::parse(instance), options)) {
    text += error.pointer + " " + error.code + " " + error.message + "\n";
  }
  return text;
}

// Errors of one property "v" with the given schema.
std::string errors_of_value(std::string_view rules, std::string_view value,
                            const ValidateOptions& options = {}) {
  const auto schema =
      compile(R"({"type": "object", "properties": {"v": )" + std::string(rules) + "}}");
  return errors_of(schema, R"({"v": )" + std::string(value) + "}", options);
}

constexpr ValidateOptions kPlaceholders{.base_pointer = "", .allow_placeholders = true};

struct Case {
  std::string rules;
  std::string value;
  std::string expected;  // "" when valid
};

class OneRule : public testing::TestWithParam<Case> {};

TEST_P(OneRule, SaysWhatIsWrong) {
  const auto& [rules, value, expected] = GetParam();
  EXPECT_EQ(errors_of_value(rules, value), expected.empty() ? "" : "/v " + expected + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Types, OneRule,
    testing::Values(
        Case{R"({"type": "string"})", "\"x\"", ""},
        Case{R"({"type": "string"})", "3", "wrong_type 3 is not text"},
        Case{R"({"type": "string"})", "123456789012345678901234567890",
             "wrong_type 123456789012345678901234567890 is not text"},
        Case{R"({"type": "integer"})", "5.0", ""}, Case{R"({"type": "integer"})", "-7", ""},
        Case{R"({"type": "integer"})", "5.5", "wrong_type 5.5 is not a whole number"},
        Case{R"({"type": "integer"})", "\"5\"", "wrong_type \"5\" is not a whole number"},
        Case{R"({"type": "number"})", "5", ""}, Case{R"({"type": "number"})", "0.5", ""},
        Case{R"({"type": "number"})", "null", "wrong_type null is not a number"},
        Case{R"({"type": "boolean"})", "true", ""},
        Case{R"({"type": "boolean"})", "1", "wrong_type 1 is not true or false"},
        Case{R"({"type": "array"})", "[1, \"x\"]", ""},
        Case{R"({"type": "array"})", "{}", "wrong_type an object is not a list"},
        Case{R"({"type": "object"})", "[]", "wrong_type a list is not an object"},
        Case{"{}", "{\"any\": [\"thing\"]}", ""}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, OneRule,
    testing::Values(
        Case{R"({"type": "integer", "maximum": 65535})", "65535", ""},
        Case{R"({"type": "integer", "maximum": 65535})", "70000",
             "out_of_range 70000 is above 65535"},
        Case{R"({"type": "integer", "minimum": 1})", "1", ""},
        Case{R"({"type": "integer", "minimum": 1})", "0", "out_of_range 0 is below 1"},
        Case{R"({"type": "integer", "minimum": 10, "x-unit": "ms"})", "5",
             "out_of_range 5 is below 10 ms"},
        Case{R"({"type": "number", "exclusiveMinimum": 0})", "0.1", ""},
        Case{R"({"type": "number", "exclusiveMinimum": 0})", "0", "out_of_range 0 is not above 0"},
        // Not the same as doubles.
        Case{R"({"type": "integer", "maximum": 9007199254740992})", "9007199254740993",
             "out_of_range 9007199254740993 is above 9007199254740992"},
        Case{R"({"type": "integer"})", "9223372036854775807", ""},
        Case{R"({"type": "integer"})", "-9223372036854775808", ""},
        Case{R"({"type": "integer"})", "9223372036854775808",
             "out_of_range 9223372036854775808 does not fit into 64 bits"},
        Case{R"({"type": "integer"})", "123456789012345678901234567890",
             "out_of_range 123456789012345678901234567890 does not fit into 64 bits"},
        Case{R"({"type": "integer"})", "1e30", "out_of_range 1e+30 does not fit into 64 bits"}));

INSTANTIATE_TEST_SUITE_P(
    Texts, OneRule,
    testing::Values(
        Case{R"({"type": "string", "minLength": 1})", "\"\"", "too_short must not be empty"},
        Case{R"({"type": "string", "minLength": 2})", "\"ü\"",
             "too_short \"ü\" has 1 character, at least 2 are needed"},
        Case{R"({"type": "string", "maxLength": 2})", "\"üü\"", ""},
        Case{R"({"type": "string", "maxLength": 2})", "\"abc\"",
             "too_long \"abc\" has 3 characters, at most 2 are allowed"},
        Case{R"({"type": "string", "pattern": "^[a-z]+$"})", "\"abc\"", ""},
        Case{R"({"type": "string", "pattern": "^[a-z]+$", "examples": ["abc"]})", "\"a1\"",
             "pattern \"a1\" does not match ^[a-z]+$, for example abc"},
        Case{R"({"type": "string", "format": "hostname", "x-placeholder": "192.0.2.10"})",
             "\"a b\"",
             "format \"a b\" is not a host name or an IP address, for example 192.0.2.10"},
        Case{R"({"type": "string", "format": "hostname", "minLength": 1})", "\"\"",
             "too_short must not be empty"},
        Case{R"({"type": "string", "format": "uri"})", "\"https://example.com/a?b\"", ""},
        Case{R"({"type": "string", "format": "uri"})", "\"example.com\"",
             "format \"example.com\" is not a URI"},
        Case{R"({"type": "string", "enum": ["tcp", "rtu"]})", "\"rtu\"", ""},
        Case{R"({"type": "string", "enum": ["tcp", "rtu"]})", "\"foo\"",
             "not_allowed \"foo\" is not one of tcp, rtu"},
        Case{R"({"type": "integer", "enum": [0, 1, 2]})", "1.0", ""},
        Case{R"({"type": "integer", "enum": [0, 1, 2]})", "3",
             "not_allowed 3 is not one of 0, 1, 2"},
        Case{R"({"const": "on"})", "\"off\"", "not_allowed \"off\" is not \"on\""}));

INSTANTIATE_TEST_SUITE_P(Lists, OneRule,
                         testing::Values(Case{R"({"type": "array", "minItems": 1})", "[]",
                                              "too_short must not be empty"},
                                         Case{R"({"type": "array", "minItems": 2})", "[1]",
                                              "too_short has 1 item, at least 2 are needed"},
                                         Case{R"({"type": "array", "maxItems": 1})", "[1, 2]",
                                              "too_long has 2 items, at most 1 is allowed"},
                                         Case{R"({"type": "array", "uniqueItems": true})",
                                              "[1, 2, \"1\", {\"a\": 1}, {\"a\": 2}]", ""}));

TEST(Validate, NamesTheMissingMember) {
  const auto schema =
      compile(R"({"type": "object", "properties": {"host": {"type": "string"}, "port": {}},
                                  "required": ["port", "host"]})");
  EXPECT_EQ(errors_of(schema, "{}", {.base_pointer = "/settings"}),
            "/settings/host required host is required\n/settings/port required port is required\n");
}

TEST(Validate, RefusesUnknownMembersAndSuggestsTheNearOne) {
  const auto schema =
      compile(R"({"type": "object", "properties": {"requestTimeoutMs": {}, "host": {}}})");
  EXPECT_EQ(
      errors_of(schema, R"({"requestTimeoutms": 1})"),
      "/requestTimeoutms unknown_property unknown setting; did you mean \"requestTimeoutMs\"?\n");
  EXPECT_EQ(errors_of(schema, R"({"hots": 1})"),
            "/hots unknown_property unknown setting; did you mean \"host\"?\n");
  EXPECT_EQ(errors_of(schema, R"({"colour": 1})"),
            "/colour unknown_property unknown setting; known settings: requestTimeoutMs, host\n");
  EXPECT_EQ(errors_of(compile(R"({"type": "object"})"), R"({"x": 1})"),
            "/x unknown_property unknown setting; there is nothing to set here\n");
}

TEST(Validate, EscapesPointers) {
  const auto schema = compile(R"({"type": "object", "additionalProperties": {"type": "string"}})");
  EXPECT_EQ(errors_of(schema, R"({"a/b~c": 1})"), "/a~1b~0c wrong_type 1 is not text\n");
}

TEST(Validate, OpenObjectsTakeAnything) {
  const auto schema = compile(
      R"({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": true})");
  EXPECT_EQ(errors_of(schema, R"({"a": "x", "b": 1})"), "");
}

TEST(Validate, ReportsEveryErrorInDocumentOrder) {
  const auto schema = compile(R"({"type": "object", "properties": {
      "port": {"type": "integer", "maximum": 9}, "mode": {"enum": ["a"]}, "host": {"type": "string"},
      "points": {"type": "array", "items": {"$ref": "#/$defs/point"}}}, "required": ["host"],
      "$defs": {"point": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}}})");
  EXPECT_EQ(
      errors_of(schema,
                R"({"points": [{"nam": 1}, {"name": "b"}, {"name": 2}], "mode": "b", "port": 10})"),
      "/points/0/nam unknown_property unknown setting; did you mean \"name\"?\n"
      "/points/0/name required name is required\n"
      "/points/2/name wrong_type 2 is not text\n"
      "/mode not_allowed \"b\" is not one of a\n"
      "/port out_of_range 10 is above 9\n"
      "/host required host is required\n");
}

TEST(Validate, KeysOfAListAreUnique) {
  constexpr auto kRules =
      R"({"type": "array", "x-key": "name", "items": {"type": "object", "properties":
      {"name": {"type": "string"}, "address": {}}, "required": ["name"]}})";
  EXPECT_EQ(errors_of_value(kRules, R"([{"name": "a"}, {"name": "b"}])"), "");
  EXPECT_EQ(
      errors_of_value(kRules, R"([{"name": "a"}, {"name": "b"}, {"address": 1, "name": "a"}])"),
      "/v/2/name duplicate the name \"a\" is already used by item 1\n");
  EXPECT_EQ(errors_of_value(kRules, R"([{}, {}, 3])"),
            "/v/0/name required name is required\n/v/1/name required name is required\n"
            "/v/2 wrong_type 3 is not an object\n");
}

TEST(Validate, RepeatedItemsAreNamed) {
  EXPECT_EQ(
      errors_of_value(R"({"type": "array", "uniqueItems": true})", R"(["a", "b", "a", 2, 2.0])"),
      "/v/2 duplicate \"a\" is there twice, first as item 1\n/v/4 duplicate 2.0 is there twice, "
      "first as item 4\n");
}

TEST(Validate, ConditionsAddRules) {
  const auto schema = compile(R"({"type": "object", "properties": {
      "transport": {"enum": ["tcp", "serial"]}, "host": {"type": "string"}, "baud": {"type": "integer"}},
      "allOf": [{"if": {"properties": {"transport": {"const": "serial"}}, "required": ["transport"]},
                 "then": {"required": ["baud"], "properties": {"baud": {"minimum": 300}}},
                 "else": {"required": ["host"]}}]})");
  EXPECT_EQ(errors_of(schema, R"({"transport": "tcp", "host": "a"})"), "");
  EXPECT_EQ(errors_of(schema, R"({"transport": "tcp"})"), "/host required host is required\n");
  EXPECT_EQ(errors_of(schema, R"({"transport": "serial"})"), "/baud required baud is required\n");
  EXPECT_EQ(errors_of(schema, R"({"transport": "serial", "baud": 50})"),
            "/baud out_of_range 50 is below 300\n");
}

TEST(Validate, DependentMembersAreRequired) {
  const auto schema = compile(R"({"type": "object", "properties": {"username": {}, "realm": {}},
                                  "dependentRequired": {"username": ["realm"]}})");
  EXPECT_EQ(errors_of(schema, "{}"), "");
  EXPECT_EQ(errors_of(schema, R"({"username": "a"})"),
            "/realm required realm is required when username is set\n");
}

TEST(Validate, OneRuleBrokenTwiceIsSaidOnce) {
  const auto schema = compile(R"({"type": "object", "properties": {"a": {}}, "required": ["a"],
                                  "allOf": [{"required": ["a"]}]})");
  EXPECT_EQ(errors_of(schema, "{}"), "/a required a is required\n");
}

TEST(Validate, DeepDocumentsAreRefused) {
  const auto schema = compile(R"({"type": "object", "properties": {"v": {}}})");
  Json deep = json_array();
  for (int i = 0; i < kMaxJsonDepth; ++i) {
    Json outer = json_array();
    outer.push_back(std::move(deep));
    deep = std::move(outer);
  }
  Json instance = json_object();
  instance.insert_or_assign("v", deep);
  const auto errors = schema.validate(instance, {.base_pointer = "/settings"});
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].code, "invalid");
  EXPECT_EQ(errors[0].pointer, "/settings");
}

TEST(Validate, LongTextsNeverReachARegularExpression) {
  const auto schema = compile(
      R"({"type": "object", "properties": {"v": {"type": "string", "pattern": "^(a|b)*$"}}})");
  Json instance = json_object();
  instance.insert_or_assign("v", std::string(1'000'000, 'a'));
  const auto errors = schema.validate(instance);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].code, "too_long");
}

TEST(Validate, LongValuesAreShortenedInSentences) {
  const auto text = errors_of_value(R"({"type": "integer"})", "\"" + std::string(500, 'x') + "\"");
  EXPECT_LT(text.size(), 120U);
}

TEST(ValidatePlaceholders, StandForAnyValue) {
  for (const auto* rules :
       {R"({"type": "integer", "minimum": 5})", R"({"type": "boolean"})", R"({"type": "array"})",
        R"({"type": "string", "enum": ["a"]})", R"({"type": "string", "format": "hostname"})",
        R"({"type": "string", "pattern": "^x$", "maxLength": 3})", R"({"const": 3})"}) {
    EXPECT_EQ(errors_of_value(rules, R"J("((start))")J", kPlaceholders), "") << rules;
    EXPECT_NE(errors_of_value(rules, R"J("((start))")J"), "") << rules;
  }
  EXPECT_EQ(
      errors_of_value(R"({"type": "string", "pattern": "^x$"})", R"("a ((b)) c")", kPlaceholders),
      "");
  EXPECT_NE(errors_of_value(R"({"type": "integer"})", R"J("(start)")J", kPlaceholders), "");
}

TEST(ValidatePlaceholders, DoNotHideOtherErrors) {
  const auto schema = compile(
      R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                                  "required": ["c"]})");
  EXPECT_EQ(errors_of(schema, R"J({"a": "((x))", "b": "y"})J", kPlaceholders),
            "/b wrong_type \"y\" is not a whole number\n/c required c is required\n");
}

TEST(ValidatePlaceholders, LeaveConditionsUndecided) {
  const auto schema = compile(
      R"({"type": "object", "properties": {"area": {"enum": ["coils", "registers"]}, "type": {}},
      "if": {"properties": {"area": {"const": "coils"}}},
      "then": {"properties": {"type": {"const": "bool"}}}, "else": {"properties": {"type": {"const": "int16"}}}})");
  EXPECT_EQ(errors_of(schema, R"J({"area": "((area))", "type": "bool"})J", kPlaceholders), "");
  EXPECT_EQ(errors_of(schema, R"J({"area": "((area))", "type": "int16"})J", kPlaceholders), "");
  EXPECT_EQ(errors_of(schema, R"J({"area": "coils", "type": "((type))"})J", kPlaceholders), "");
  EXPECT_EQ(errors_of(schema, R"({"area": "coils", "type": "int16"})", kPlaceholders),
            "/type not_allowed \"int16\" is not \"bool\"\n");
}

TEST(ValidatePlaceholders, AreNotDuplicates) {
  EXPECT_EQ(
      errors_of_value(
          R"({"type": "array", "x-key": "name", "uniqueItems": true, "items": {"type": "object",
                "properties": {"name": {}}}})",
          R"J([{"name": "((a))"}, {"name": "((a))"}])J", kPlaceholders),
      "");
}

TEST(Secrets, AreNotPartOfTheDocument) {
  const auto schema = compile(R"({"type": "object", "properties": {"username": {"type": "string"},
      "password": {"type": "string", "x-secret": true, "default": ""}, "token": {"type": "string", "x-secret": true}},
      "required": ["password", "username"], "dependentRequired": {"username": ["token"], "token": ["username"]},
      "allOf": [{"if": {"required": ["username"]}, "then": {"required": ["password"]}}]})");
  EXPECT_EQ(schema.secrets(), (std::vector<std::string>{"password", "token"}));
  EXPECT_EQ(errors_of(schema, R"({"username": "a"})"), "");
  EXPECT_EQ(errors_of(schema, "{}"), "/username required username is required\n");
  EXPECT_EQ(errors_of(schema, R"({"username": "a", "password": "b"})"),
            "/password unknown_property unknown setting; known settings: username\n");
  EXPECT_FALSE(schema.with_defaults(json_object()).contains("password"));
  EXPECT_TRUE(schema.document().at("properties").contains("password"));
}

TEST(Defaults, AreFilledInAtAllDepths) {
  const auto schema = compile(R"({"type": "object", "properties": {
      "port": {"type": "integer", "default": 502},
      "tls": {"type": "object", "default": {}, "properties": {"mode": {"default": "off"}, "name": {}}},
      "proxy": {"type": "object", "properties": {"port": {"default": 3128}}},
      "points": {"type": "array", "items": {"$ref": "#/$defs/point"}},
      "by": {"type": "object", "additionalProperties": {"$ref": "#/$defs/point"}},
      "first": {"$ref": "#/$defs/point"}},
      "$defs": {"point": {"type": "object", "default": {"name": "p"}, "properties": {"name": {}, "scale": {"default": 1}}}}})");
  const auto filled = schema.with_defaults(Json::parse(
      R"J({"points": [{"name": "a"}, {"scale": 2}, "((p))"], "by": {"x": {}}, "u": 1})J"));
  EXPECT_EQ(
      to_text(filled),
      R"J({"points":[{"name":"a","scale":1},{"scale":2},"((p))"],"by":{"x":{"scale":1}},"u":1,)J"
      R"("port":502,"tls":{"mode":"off"},"first":{"name":"p","scale":1}})");
}

TEST(Defaults, ChangeNothingThatIsSet) {
  const auto schema =
      compile(R"({"type": "object", "properties": {"a": {"default": 1}, "b": {"default": 2}}})");
  EXPECT_EQ(to_text(schema.with_defaults(Json::parse(R"({"b": null})"))), R"({"b":null,"a":1})");
  EXPECT_EQ(to_text(schema.with_defaults(Json::parse("[1]"))), "[1]");
}

struct Refusal {
  std::string schema;
  std::string message;
};
class BadSchema : public testing::TestWithParam<Refusal> {};

TEST_P(BadSchema, IsRefusedWithItsPlace) {
  const auto schema = Schema::compile(Json::parse(GetParam().schema));
  ASSERT_FALSE(schema.has_value());
  EXPECT_EQ(schema.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(schema.error().code, "invalid_schema");
  EXPECT_EQ(schema.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadSchema,
    testing::Values(
        Refusal{"[]", "/: a schema is an object"},
        Refusal{R"({"properties": {"a": 5}})", "/properties/a: must be a schema (an object)"},
        Refusal{R"({"properties": {"a/b": {"minimun": 5}}})",
                "/properties/a~1b/minimun: is not part of the subset that settings use"},
        Refusal{R"({"type": "strnig"})",
                "/type: \"strnig\" is none of object, array, string, integer, number, boolean"},
        Refusal{R"({"minimum": "1"})", "/minimum: must be a number"},
        Refusal{R"({"minLength": -1})", "/minLength: must be a count"},
        Refusal{R"({"enum": []})", "/enum: must be a list of values"},
        Refusal{R"({"required": "a"})", "/required: must be a list of names"},
        Refusal{R"({"required": [1]})", "/required: must be a list of names"},
        Refusal{R"({"properties": []})", "/properties: must be an object of schemas"},
        Refusal{R"({"allOf": {}})", "/allOf: must be a list of schemas"},
        Refusal{R"({"format": "email"})", "/format: must be hostname or uri"},
        Refusal{R"({"items": {"$ref": "other.json"}})",
                "/items/$ref: only \"#/$defs/name\" is used"},
        Refusal{R"({"items": {"$ref": "#/$defs/a"}})", "/items/$ref: there is no definition \"a\""},
        Refusal{R"({"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}})",
                "/$defs/a/items/$ref: the definition \"a\" contains itself"},
        Refusal{R"({"properties": {"a": {"type": "integer", "x-secret": true}}})",
                "/properties/a: a secret is text: \"type\": \"string\""},
        Refusal{
            R"({"properties": {"a": {"properties": {"b": {"type": "string", "x-secret": true}}}}})",
            "/properties/a/properties/b: a secret stands at the top level of a connection's "
            "schema"}));

TEST(BadSchema, RegularExpressionsAreChecked) {
  const auto schema = Schema::compile(Json::parse(R"({"pattern": "("})"));
  ASSERT_FALSE(schema.has_value());
  EXPECT_TRUE(schema.error().message.starts_with("/pattern: is not a regular expression"))
      << schema.error().message;
}

TEST(BadSchema, NestingIsBounded) {
  std::string text = "{}";
  for (int i = 0; i < 60; ++i) text = R"({"items": )" + text + "}";
  EXPECT_FALSE(Schema::compile(Json::parse(text)).has_value());
}

}  // namespace
}  // namespace tributary::schema
