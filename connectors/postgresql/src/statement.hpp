// SQL of a function: ((placeholders)) become $1, $2 … that the server binds, and names become
// quoted identifiers. Pure: nothing of a value ever gets into the text of a statement.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tributary::connectors::postgresql {

struct Statement {
  std::string text;
  // The caller's parameter for $1, $2 …; a name that is used twice stands here twice, because each
  // place may want another type.
  std::vector<std::string> parameters;
};

// A ((name)) inside quotes is refused, one inside a comment is none. Errors: kFunction
// "placeholder_in_quotes", "unexpected_parameter" (a $1 of its own), "unterminated_quote",
// "empty_statement"; `pointer` says where the text stands.
Result<Statement> bind_placeholders(std::string_view sql, std::string_view pointer);

// "a""b": safe in any statement.
std::string quote_identifier(std::string_view name);

// "schema.table" or "table", where a part may be written in double quotes; quoted. Error: kFunction
// "invalid_table_name", pointer "/settings/table".
Result<std::string> quote_table(std::string_view name);

}  // namespace tributary::connectors::postgresql
