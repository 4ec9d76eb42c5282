// Strings and documents of a pipeline's settings with {{ expressions }} in them, compiled.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "orchestrate/expression/program.hpp"
#include "schema/schema.hpp"

namespace tributary::orchestrate::expression {

// A string. One that is exactly one {{ expression }} gives the expression's value with its type;
// expressions inside other text are joined to a string. What the native compiler does not know is
// JavaScript: it is collected in `nodes`, and its value for a record comes with the scope.
// Immutable, any thread.
class Template {
 public:
  // Error: kConfiguration "invalid_expression" with line and column.
  static Result<Template> compile(std::string_view text, NodeNames& nodes);

  // No expression in it.
  bool is_constant() const { return parts_.empty(); }
  // One expression and no text: the value keeps its type.
  bool is_single_expression() const { return typed_; }
  // Borrows from the scope and from this object. Errors: kFunction "expression_failed" with line
  // and column; those of script::Scripts::run.
  Result<JsValue> evaluate(const Scope& scope) const;
  // nullopt: undefined.
  Result<std::optional<Json>> evaluate_json(const Scope& scope) const;

 private:
  struct Part {
    std::string text;        // before the expression
    std::size_t offset = 0;  // of the braces
    Program program;
    std::optional<std::size_t> script{};  // a slot instead of the program
  };

  Result<JsValue> value_of(const Part& part, const Scope& scope) const;
  Result<const std::optional<Json>*> computed(const Part& part, const Scope& scope) const;
  std::string shown() const;
  Result<JsValue> join(const Scope& scope) const;
  Error runtime_error(const Problem& problem) const;

  std::string source_;
  std::vector<Part> parts_;
  std::string tail_;    // after the last expression
  bool typed_ = false;  // exactly one expression and no text
};

// A JSON document whose strings are templates. Immutable, any thread.
class Document {
 public:
  // Appends to `errors` with pointers below `pointer`; what it returns then is not usable.
  static Document compile(const Json& json, const std::string& pointer, NodeNames& nodes,
                          std::vector<schema::FieldError>& errors);

  // Fields that are undefined are left out; undefined elements of arrays become null.
  Result<Json> evaluate(const Scope& scope) const;
  Result<std::optional<Json>> evaluate_optional(const Scope& scope) const;

 private:
  using Members = std::vector<std::pair<std::string, Document>>;
  using Elements = std::vector<Document>;
  std::variant<Json, Template, Members, Elements> content_;
};

}  // namespace tributary::orchestrate::expression
