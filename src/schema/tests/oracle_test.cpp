// Our evaluator and jsoncons' JSON Schema evaluator agree on what is valid: random schemas of the
// subset, random documents.
#include <gtest/gtest.h>

#include <jsoncons_ext/jsonschema/jsonschema.hpp>

#include "base/random.hpp"
#include "schema/schema.hpp"

namespace tributary::schema {
namespace {

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_.next() % bound; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  std::string name() { return std::string(1, "abcd"[below(4)]); }
  std::int64_t number() { return static_cast<std::int64_t>(below(7)) - 2; }

  Json scalar() {
    switch (below(6)) {
      case 0:
        return Json(number());
      case 1:
        return Json(static_cast<double>(number()) / 2);
      case 2:
        return Json(std::string(below(4), 'x') + (chance(2) ? "y" : ""));
      case 3:
        return Json(chance(2));
      case 4:
        return Json::null();
      default:
        return Json(name());
    }
  }

  Json value(int depth) {
    const auto kind = depth == 0 ? 9U : below(10);
    if (kind < 5) {
      Json object = json_object();
      for (auto i = below(4); i > 0; --i) object.insert_or_assign(name(), value(depth - 1));
      return object;
    }
    if (kind < 7) {
      Json array = json_array();
      for (auto i = below(4); i > 0; --i) array.push_back(value(depth - 1));
      return array;
    }
    return scalar();
  }

  // `branch`: below if, then, else and allOf, where objects stay open.
  Json schema(int depth, bool branch) {
    Json rules = json_object();
    static const char* const kTypes[] = {"object",  "object", "array",  "string",
                                         "integer", "number", "boolean"};
    if (!chance(4)) rules.insert_or_assign("type", kTypes[below(7)]);
    if (chance(5)) rules.insert_or_assign("minimum", number());
    if (chance(5)) rules.insert_or_assign("maximum", number());
    if (chance(8)) rules.insert_or_assign("exclusiveMinimum", number());
    if (chance(6)) rules.insert_or_assign("minLength", below(4));
    if (chance(6)) rules.insert_or_assign("maxLength", below(4));
    if (chance(8)) rules.insert_or_assign("pattern", chance(2) ? "^x" : "y$");
    if (chance(6)) rules.insert_or_assign("minItems", below(3));
    if (chance(6)) rules.insert_or_assign("maxItems", below(3));
    if (chance(6)) rules.insert_or_assign("uniqueItems", true);
    if (chance(8))
      rules.insert_or_assign("enum",
                             Json(jsoncons::json_array_arg, {scalar(), scalar(), scalar()}));
    if (chance(12)) rules.insert_or_assign("const", scalar());
    if (depth > 0) add_inner(rules, depth, branch);
    return rules;
  }

 private:
  void add_inner(Json& rules, int depth, bool branch) {
    if (chance(2)) {
      Json properties = json_object();
      for (auto i = below(4); i > 0; --i)
        properties.insert_or_assign(name(), schema(depth - 1, branch));
      rules.insert_or_assign("properties", properties);
    }
    if (chance(3)) rules.insert_or_assign("items", schema(depth - 1, branch));
    if (chance(4))
      rules.insert_or_assign("required", Json(jsoncons::json_array_arg, {Json(name())}));
    if (chance(6)) {
      Json dependent = json_object();
      dependent.insert_or_assign(name(), Json(jsoncons::json_array_arg, {Json(name())}));
      rules.insert_or_assign("dependentRequired", dependent);
    }
    if (chance(5)) {
      rules.insert_or_assign("if", schema(depth - 1, true));
      if (chance(2)) rules.insert_or_assign("then", schema(depth - 1, true));
      if (chance(2)) rules.insert_or_assign("else", schema(depth - 1, true));
    }
    if (chance(6))
      rules.insert_or_assign("allOf", Json(jsoncons::json_array_arg, {schema(depth - 1, true)}));
    if (chance(8)) rules.insert_or_assign("$ref", "#/$defs/d");
    // What the standard leaves open is said, so that both read the same.
    if (chance(5)) {
      rules.insert_or_assign("additionalProperties", schema(depth - 1, branch));
    } else {
      rules.insert_or_assign("additionalProperties", branch || chance(2));
    }
  }

  SeededRandom random_;
};

// Objects without additionalProperties are closed here and open in the standard.
void say_what_is_open(Json& rules) {
  if (!rules.contains("additionalProperties")) rules.insert_or_assign("additionalProperties", true);
}

void open_all(Json& schema) {
  if (!schema.is_object()) return;
  say_what_is_open(schema);
  for (const auto* key : {"items", "if", "then", "else", "additionalProperties"}) {
    if (schema.contains(key)) open_all(schema[key]);
  }
  if (schema.contains("properties")) {
    for (auto& member : schema["properties"].object_range()) open_all(member.value());
  }
  if (schema.contains("allOf")) {
    for (auto& item : schema["allOf"].array_range()) open_all(item);
  }
}

TEST(Oracle, AgreesOnRandomSchemasAndDocuments) {
  constexpr int kSchemas = 800;
  constexpr int kDocuments = 12;
  int valid = 0;
  for (int seed = 0; seed < kSchemas; ++seed) {
    Maker maker(static_cast<std::uint64_t>(seed));
    Json schema = maker.schema(3, false);
    open_all(schema);
    Json definition = maker.schema(0, false);
    open_all(definition);
    schema.insert_or_assign("$defs", json_object());
    schema["$defs"].insert_or_assign("d", definition);
    const auto ours = Schema::compile(schema);
    ASSERT_TRUE(ours.has_value()) << ours.error().message << "\n" << to_text(schema);
    const auto reference =
        jsoncons::jsonschema::make_json_schema(schema, jsoncons::jsonschema::evaluation_options{});
    for (int i = 0; i < kDocuments; ++i) {
      const Json instance = maker.value(3);
      const auto errors = ours->validate(instance);
      ASSERT_EQ(errors.empty(), reference.is_valid(instance))
          << "seed " << seed << "\n"
          << to_text(schema) << "\n"
          << to_text(instance) << "\n"
          << (errors.empty() ? "" : errors[0].pointer + " " + errors[0].message);
      valid += errors.empty() ? 1 : 0;
    }
  }
  // Both verdicts have to be common, or this compares nothing.
  EXPECT_GT(valid, kSchemas * kDocuments / 20);
  EXPECT_LT(valid, kSchemas * kDocuments * 19 / 20);
}

// Filling in defaults keeps a valid document valid, and filling in twice is filling in once.
TEST(Oracle, DefaultsAreIdempotent) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Maker maker(seed);
    Json schema = maker.schema(3, false);
    open_all(schema);
    schema.insert_or_assign(
        "$defs",
        Json::parse(R"({"d": {"default": {"a": 1}, "properties": {"b": {"default": 2}}}})"));
    const auto ours = Schema::compile(schema);
    ASSERT_TRUE(ours.has_value());
    const Json once = ours->with_defaults(maker.value(3));
    EXPECT_EQ(once, ours->with_defaults(once)) << to_text(schema);
  }
}

}  // namespace
}  // namespace tributary::schema
