// JSON as the text that the server reads for a type, and the three shapes it travels in: one bound
// value, a list of a column's values, a line of COPY. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "connectors/postgresql/src/types.hpp"
#include "model/json.hpp"

namespace tributary::connectors::postgresql {

// Appends the value's text to `out`; false: it is NULL, and nothing was appended. Nothing is
// rounded: what does not fit is an error, here or at the server. Error: kFunction
// "value_does_not_fit", with a sentence that begins after the name of the value ("is text, …").
Result<bool> encode_value(const Json& value, Type type, std::string& out);

// The values of one column, one of each row, as the text of an array.
class ColumnList {
 public:
  explicit ColumnList(Type type) : type_(type) {}
  // Error: as encode_value.
  Result<void> add(const Json& value);
  // Ends it; nothing can be added any more.
  const std::string& finish();

 private:
  Type type_;
  std::string text_ = "{";
  std::string value_;
};

// A line of COPY in text format (PostgreSQL 15, COPY, "Text Format").
void append_copy_value(std::string_view text, std::string& line);
inline constexpr std::string_view kCopyNull = "\\N";

}  // namespace tributary::connectors::postgresql
