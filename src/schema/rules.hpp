// A schema made ready for validation: what compile.cpp reads from the document and validate.cpp
// walks. Private to this module.
//
// The subset of docs/settings-schemas.md is evaluated here and not by a general JSON Schema
// library: the answers have to name the member that is missing or unknown, the value and the bound,
// in document order, and ((placeholders)) make some answers undecided
// (docs/adr/0007-settings-evaluator.md). jsoncons' evaluator is the reference in the tests.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "model/json.hpp"
#include "schema/schema.hpp"

namespace tributary::schema {

enum class Type : std::uint8_t { kObject, kArray, kString, kInteger, kNumber, kBoolean };
enum class Format : std::uint8_t { kNone, kHostname, kUri };

// std::regex needs stack for every character: longer texts are refused where a pattern stands.
constexpr std::size_t kMaxPatternText = 4096;

struct Pattern {
  std::string text;
  std::regex regex;
};

// One schema. References point into Compiled::arena.
struct Rules {
  std::optional<Type> type;
  std::vector<Json> values;  // enum; empty: no such rule
  std::optional<Json> constant;
  std::optional<Json> minimum;
  std::optional<Json> maximum;
  std::optional<Json> exclusive_minimum;
  std::optional<std::size_t> min_length;
  std::optional<std::size_t> max_length;
  std::optional<Pattern> pattern;
  Format format = Format::kNone;
  std::string unit;     // x-unit, for messages
  std::string example;  // x-placeholder or the first of examples, for messages

  std::vector<std::pair<std::string, const Rules*>> properties;
  std::vector<std::string> required;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
  bool closed = false;                // members that are not in `properties` are refused
  const Rules* additional = nullptr;  // what they have to be otherwise; null: anything

  const Rules* items = nullptr;
  std::optional<std::size_t> min_items;
  std::optional<std::size_t> max_items;
  bool unique_items = false;
  std::string key;  // x-key

  const Rules* reference = nullptr;
  std::vector<const Rules*> all_of;
  const Rules* condition = nullptr;
  const Rules* then_rules = nullptr;
  const Rules* else_rules = nullptr;

  std::optional<Json> default_value;

  const Rules* property(std::string_view name) const;
};

struct Compiled {
  std::deque<Rules> arena;
  const Rules* root = nullptr;
  std::vector<std::string> secrets;
};

// Error: kConfiguration "invalid_schema", the message begins with the JSON pointer.
Result<Compiled> compile_rules(const Json& document);

std::vector<FieldError> validate_rules(const Rules& root, const Json& instance,
                                       const ValidateOptions& options);

// The instance with defaults filled in.
Json fill_defaults(const Rules& rules, const Json& instance);

}  // namespace tributary::schema
