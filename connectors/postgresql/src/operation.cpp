#include "connectors/postgresql/src/operation.hpp"

#include <fmt/format.h>

#include <charconv>

namespace tributary::connectors::postgresql {
namespace {

using Prepared = Result<std::shared_ptr<const sdk::Operation>>;

constexpr std::string_view kWholeRecord = "$record";
constexpr std::size_t kMaxColumns = 1600;  // of a table (MaxHeapAttributeNumber)
constexpr std::size_t kMaxName = 63;       // NAMEDATALEN

std::unexpected<Error> bad_columns(std::string message) {
  return fail(ErrorClass::kFunction, "invalid_columns", std::move(message),
              "Give a list of column names, or an object from column to field.",
              "/settings/columns");
}

Result<void> add_field(std::vector<Field>& fields, std::string_view column, const Json& path) {
  if (column.empty() || column.size() > kMaxName || column.find('\0') != std::string_view::npos)
    return bad_columns(fmt::format("\"{}\" is not the name of a column", column.substr(0, 80)));
  if (!path.is_string())
    return bad_columns(fmt::format("Column {}: the field must be named by a text", column));
  for (const Field& other : fields) {
    if (other.column == column) return bad_columns(fmt::format("{} is named twice", column));
  }
  fields.push_back({std::string(column), parse_path(path.as_string_view())});
  return {};
}

Result<std::optional<std::vector<Field>>> read_columns(const std::optional<Json>& columns) {
  if (!columns || columns->is_null() || columns->empty()) return std::nullopt;
  std::vector<Field> fields;
  if (columns->size() > kMaxColumns)
    return bad_columns(
        fmt::format("{} columns; a table has at most {}", columns->size(), kMaxColumns));
  if (columns->is_array()) {
    for (const Json& name : columns->array_range()) {
      if (!name.is_string()) return bad_columns("A name in the list is not a text");
      TRIBUTARY_TRY(add_field(fields, name.as_string_view(), name));
      fields.back().path = {name.as_string()};
    }
    return fields;
  }
  if (!columns->is_object()) return bad_columns("Columns are neither a list nor an object");
  for (const auto& member : columns->object_range())
    TRIBUTARY_TRY(add_field(fields, member.key(), member.value()));
  return fields;
}

Prepared prepare_query(const Json& json) {
  const QuerySettings settings = QuerySettings::from_json(json);
  auto statement = bind_placeholders(settings.query, "/settings/query");
  TRIBUTARY_TRY(statement);
  auto operation = std::make_shared<StatementOperation>();
  operation->statement = *std::move(statement);
  operation->read_only = true;
  operation->max_rows = static_cast<std::size_t>(settings.max_rows);
  operation->truncate = settings.truncate;
  operation->numeric_as_text = settings.numeric == QuerySettings::Numeric::kText;
  return operation;
}

Prepared prepare_execute(const Json& json) {
  const ExecuteSettings settings = ExecuteSettings::from_json(json);
  auto statement = bind_placeholders(settings.statement, "/settings/statement");
  TRIBUTARY_TRY(statement);
  auto operation = std::make_shared<StatementOperation>();
  operation->statement = *std::move(statement);
  operation->max_rows = static_cast<std::size_t>(settings.max_rows);
  operation->truncate = true;
  operation->numeric_as_text = settings.numeric == ExecuteSettings::Numeric::kText;
  return operation;
}

Prepared prepare_write(const ConnectionSettings& connection, const Json& json) {
  const WriteSettings settings = WriteSettings::from_json(json);
  if (connection.read_only) {
    return fail(ErrorClass::kFunction, "read_only_connection",
                "The connection is read-only, and this function writes",
                "Switch \"Read only\" off, or write through another connection.",
                "/settings/table");
  }
  auto table = quote_table(settings.table);
  TRIBUTARY_TRY(table);
  auto fields = read_columns(settings.columns);
  TRIBUTARY_TRY(fields);
  auto operation = std::make_shared<WriteOperation>();
  operation->table = *std::move(table);
  operation->mode = settings.mode;
  operation->fields = *std::move(fields);
  operation->ignore_extra = settings.extra_fields == WriteSettings::ExtraFields::kIgnore;
  if (settings.mode == WriteSettings::Mode::kUpsert) {
    operation->keys = settings.key_columns.value_or(std::vector<std::string>{});
    if (operation->keys.empty()) {
      return fail(ErrorClass::kFunction, "missing_key_columns",
                  "Upsert must know which columns tell a row from another",
                  "Name the columns of the primary key or of a unique index.",
                  "/settings/keyColumns");
    }
  }
  return operation;
}

Prepared prepare_listen(const Json& json) {
  ListenSettings settings = ListenSettings::from_json(json);
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    const std::string& channel = settings.channels[i];
    // The server would cut a longer name off, and listen to another channel.
    if (channel.size() <= kMaxName && channel.find('\0') == std::string::npos) continue;
    return fail(ErrorClass::kFunction, "invalid_channel",
                fmt::format("\"{}\" is not the name of a channel", channel.substr(0, kMaxName)),
                fmt::format("A name has at most {} bytes.", kMaxName),
                fmt::format("/settings/channels/{}", i));
  }
  return std::make_shared<const ListenOperation>(std::move(settings));
}

}  // namespace

std::vector<std::string> parse_path(std::string_view text) {
  if (text == kWholeRecord) return {};
  std::vector<std::string> path(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '.') {
      path.back() += text[++at];
    } else if (text[at] == '.') {
      path.emplace_back();
    } else {
      path.back() += text[at];
    }
  }
  return path;
}

const Json* find_value(const Json& record, const std::vector<std::string>& path) {
  const Json* at = &record;
  for (const std::string& name : path) {
    if (at->is_object()) {
      const auto found = at->find(name);
      if (found == at->object_range().end()) return nullptr;
      at = &found->value();
    } else if (at->is_array()) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
      if (error != std::errc{} || end != name.data() + name.size() || index >= at->size())
        return nullptr;
      at = &(*at)[index];
    } else {
      return nullptr;
    }
  }
  return at;
}

Prepared prepare_operation(const ConnectionSettings& connection,
                           const sdk::FunctionSpec& function) {
  if (function.type == "postgresql.query") return prepare_query(function.settings);
  if (function.type == "postgresql.execute") return prepare_execute(function.settings);
  if (function.type == "postgresql.write") return prepare_write(connection, function.settings);
  if (function.type == "postgresql.listen") return prepare_listen(function.settings);
  return fail(ErrorClass::kFunction, "unknown_function",
              fmt::format("PostgreSQL connections have no function {}", function.type));
}

}  // namespace tributary::connectors::postgresql
