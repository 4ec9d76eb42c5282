// Settings from JSON Schema (2020-12) files: one file says what is valid, what the defaults are,
// what the form shows and what the docs list. Vocabulary beyond the standard:
// docs/settings-schemas.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/json.hpp"

namespace tributary::schema {

// One thing that is wrong with a document. Codes: "required", "unknown_property", "wrong_type",
// "out_of_range", "not_allowed" (enum), "too_short", "too_long", "pattern", "format", "duplicate",
// "invalid".
struct FieldError {
  std::string pointer;  // RFC 6901, for example "/settings/port"
  std::string code;
  std::string message;  // a whole sentence with the value and the bound: "70000 is above 65535"
};

struct ValidateOptions {
  std::string base_pointer;         // put before every pointer, for example "/settings"
  bool allow_placeholders = false;  // a string that holds ((name)) is right for any type
};

// A compiled schema. Immutable, any thread.
class Schema {
 public:
  // Error: kConfiguration "invalid_schema", naming what is wrong. Objects without
  // "additionalProperties" refuse unknown members. Properties marked "x-secret": true are not part
  // of the document: see secrets().
  static Result<Schema> compile(const Json& document);

  // Empty when valid; every error otherwise, in document order. Does not change the instance.
  // Conditions ("if") look at what the instance holds: validate what with_defaults() gave when they
  // are to see the defaults.
  std::vector<FieldError> validate(const Json& instance, const ValidateOptions& options = {}) const;
  // A copy with every absent member that has a default filled in, at all depths.
  Json with_defaults(const Json& instance) const;
  // The document that was compiled.
  const Json& document() const;
  // Names of the properties marked "x-secret": they travel in "secrets", never in "settings".
  const std::vector<std::string>& secrets() const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace tributary::schema
