// Functions made ready: what can be checked without the server, once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/postgresql/settings.hpp"
#include "connectors/postgresql/src/statement.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::postgresql {

// postgresql.query and postgresql.execute.
class StatementOperation final : public sdk::Operation {
 public:
  Statement statement;
  bool read_only = false;  // runs in a read-only transaction, which is rolled back
  std::size_t max_rows = 0;
  bool truncate = false;  // more rows than that are left out; otherwise they are an error
  bool numeric_as_text = false;
};

// Where a column's value stands in a record.
struct Field {
  std::string column;
  std::vector<std::string> path;  // empty: the whole record
};

class WriteOperation final : public sdk::Operation {
 public:
  std::string table;  // quoted
  WriteSettings::Mode mode = WriteSettings::Mode::kInsert;
  std::optional<std::vector<Field>> fields;  // nullopt: each field into the column of its name
  std::vector<std::string> keys;             // upsert
  bool ignore_extra = false;
};

class ListenOperation final : public sdk::Operation {
 public:
  explicit ListenOperation(ListenSettings settings_) : settings(std::move(settings_)) {}
  const ListenSettings settings;
};

// Errors: kFunction, or kConfiguration "read_only_connection", with a pointer below "/settings".
Result<std::shared_ptr<const sdk::Operation>> prepare_operation(
    const ConnectionSettings& connection, const sdk::FunctionSpec& function);

// "a.b\.c" → {"a", "b.c"}; "$record" → {}.
std::vector<std::string> parse_path(std::string_view text);
// The value there; null when there is none.
const Json* find_value(const Json& record, const std::vector<std::string>& path);

}  // namespace tributary::connectors::postgresql
