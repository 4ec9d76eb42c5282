#include "connectors/postgresql/src/table_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "connectors/postgresql/src/encode.hpp"

namespace tributary::connectors::postgresql {
namespace {

using Cell = std::pair<const Column*, const Json*>;

std::string pointer_of(std::size_t record, std::string_view field) {
  return fmt::format("/parameters/records/{}/{}", record, escape_pointer(field));
}

std::unexpected<Error> unknown_column(const WriteOperation& operation, std::string_view name,
                                      std::string pointer, std::string hint) {
  return fail(ErrorClass::kFunction, "unknown_column",
              fmt::format("The table {} has no column {}", operation.table, name), std::move(hint),
              std::move(pointer));
}

Result<void> mapped_cells(const WriteOperation& operation, const Table& table, const Json& record,
                          std::vector<Cell>& cells) {
  for (const Field& field : *operation.fields) {
    const Column* column = table.find(field.column);
    if (column == nullptr)
      return unknown_column(operation, field.column, "/settings/columns",
                            "Correct its name, or add the column to the table.");
    if (const Json* value = find_value(record, field.path)) cells.emplace_back(column, value);
  }
  return {};
}

Result<void> named_cells(const WriteOperation& operation, const Table& table, const Json& record,
                         std::size_t index, std::vector<Cell>& cells) {
  for (const auto& member : record.object_range()) {
    if (member.key() == "$meta") continue;
    const Column* column = table.find(member.key());
    if (column != nullptr) {
      cells.emplace_back(column, &member.value());
    } else if (!operation.ignore_extra) {
      return unknown_column(operation, member.key(), pointer_of(index, member.key()),
                            "Add the column, name the function's columns, or let it ignore fields "
                            "without a column.");
    }
  }
  return {};
}

Result<void> check_keys(const WriteOperation& operation, const std::vector<Cell>& cells,
                        std::size_t index) {
  for (const std::string& key : operation.keys) {
    const bool there =
        std::ranges::any_of(cells, [&](const Cell& cell) { return cell.first->name == key; });
    if (there) continue;
    return fail(ErrorClass::kFunction, "missing_key",
                fmt::format("The record has nothing for the key column {}", key),
                "Every record must say which row it is.", pointer_of(index, key));
  }
  return {};
}

Result<std::vector<Cell>> cells_of(const WriteOperation& operation, const Table& table,
                                   const Json& record, std::size_t index) {
  if (!record.is_object()) {
    return fail(ErrorClass::kFunction, "not_an_object",
                "A record is not an object, so that nothing in it has a name",
                "Give records as objects.", fmt::format("/parameters/records/{}", index));
  }
  std::vector<Cell> cells;
  if (operation.fields) {
    TRIBUTARY_TRY(mapped_cells(operation, table, record, cells));
  } else {
    TRIBUTARY_TRY(named_cells(operation, table, record, index, cells));
  }
  if (cells.empty()) {
    return fail(ErrorClass::kFunction, "nothing_to_write",
                fmt::format("The record has nothing for a column of {}", operation.table),
                "Do the record's fields have the names of the columns?",
                fmt::format("/parameters/records/{}", index));
  }
  TRIBUTARY_TRY(check_keys(operation, cells, index));
  // Members come in any order; columns do not.
  std::ranges::sort(cells, {}, &Cell::first);
  return cells;
}

std::unexpected<Error> misfit(Error error, const Run& run, std::size_t row, std::size_t column) {
  const std::string& name = run.columns[column]->name;
  error.message = fmt::format("Column {}: the value {}", name, error.message);
  error.pointer = pointer_of(run.records[row], name);
  return fail(std::move(error));
}

std::string names_of(const Run& run) {
  std::string text;
  for (const Column* column : run.columns) {
    if (!text.empty()) text += ", ";
    text += quote_identifier(column->name);
  }
  return text;
}

std::string conflict_clause(const WriteOperation& operation, const Run& run) {
  std::string keys;
  for (const std::string& key : operation.keys)
    keys += (keys.empty() ? "" : ", ") + quote_identifier(key);
  std::string changes;
  for (const Column* column : run.columns) {
    if (std::ranges::find(operation.keys, column->name) != operation.keys.end()) continue;
    const std::string name = quote_identifier(column->name);
    changes += fmt::format("{}{} = excluded.{}", changes.empty() ? "" : ", ", name, name);
  }
  if (changes.empty()) return fmt::format(" on conflict ({}) do nothing", keys);
  return fmt::format(" on conflict ({}) do update set {}", keys, changes);
}

// The number behind the last `before` in a text; nullopt when there is none.
std::optional<std::size_t> number_after(std::string_view text, std::string_view before) {
  const auto at = text.rfind(before);
  if (at == std::string_view::npos) return std::nullopt;
  const auto digits = text.substr(at + before.size());
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc{} ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<std::vector<Run>> lay_out(const WriteOperation& operation, const Table& table,
                                 std::span<const Json* const> records) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto cells = cells_of(operation, table, *records[i], i);
    TRIBUTARY_TRY(cells);
    const bool same =
        !runs.empty() && std::ranges::equal(runs.back().columns, *cells, {}, {}, &Cell::first);
    if (!same) {
      runs.emplace_back();
      for (const Cell& cell : *cells) runs.back().columns.push_back(cell.first);
    }
    auto& row = runs.back().rows.emplace_back();
    row.reserve(cells->size());
    for (const Cell& cell : *cells) row.push_back(cell.second);
    runs.back().records.push_back(i);
  }
  return runs;
}

void keep_last_of_each_key(const WriteOperation& operation, Run& run) {
  std::vector<std::size_t> key_columns;
  for (std::size_t c = 0; c < run.columns.size(); ++c) {
    if (std::ranges::find(operation.keys, run.columns[c]->name) != operation.keys.end())
      key_columns.push_back(c);
  }
  std::map<std::string, std::size_t> last;
  std::vector<std::string> keys;
  for (std::size_t row = 0; row < run.rows.size(); ++row) {
    std::string key;
    for (const std::size_t c : key_columns) {
      std::string text;
      // A value that does not fit is refused when the lists are made.
      if (!encode_value(*run.rows[row][c], run.columns[c]->type, text))
        text = to_text(*run.rows[row][c]);
      key += fmt::format("{}:{}", text.size(), text);
    }
    last[key] = row;
    keys.push_back(std::move(key));
  }
  if (last.size() == run.rows.size()) return;
  Run kept;
  kept.columns = run.columns;
  for (std::size_t row = 0; row < run.rows.size(); ++row) {
    if (last.at(keys[row]) != row) continue;
    kept.rows.push_back(std::move(run.rows[row]));
    kept.records.push_back(run.records[row]);
  }
  run = std::move(kept);
}

std::string insert_statement(const WriteOperation& operation, const Run& run) {
  std::string lists;
  std::string values;
  std::string names;
  for (std::size_t c = 0; c < run.columns.size(); ++c) {
    const Column& column = *run.columns[c];
    const std::string_view comma = c == 0 ? "" : ", ";
    // An array's lists would be taken apart by unnest, and of a type that somebody made there may
    // be no array: those travel as text.
    lists += fmt::format("{}${}::{}[]", comma, c + 1, column.built_in ? column.type_name : "text");
    names += fmt::format("{}c{}", comma, c + 1);
    values += column.built_in ? fmt::format("{}c{}", comma, c + 1)
                              : fmt::format("{}c{}::{}", comma, c + 1, column.type_name);
  }
  const bool upsert = operation.mode == WriteSettings::Mode::kUpsert;
  return fmt::format("insert into {} ({}) select {} from unnest({}) as rows ({}){}",
                     operation.table, names_of(run), values, lists, names,
                     upsert ? conflict_clause(operation, run) : "");
}

Result<std::vector<std::string>> column_lists(const Run& run) {
  std::vector<std::string> lists;
  for (std::size_t c = 0; c < run.columns.size(); ++c) {
    ColumnList list(run.columns[c]->type);
    for (std::size_t row = 0; row < run.rows.size(); ++row) {
      auto added = list.add(*run.rows[row][c]);
      if (!added) return misfit(std::move(added.error()), run, row, c);
    }
    lists.push_back(list.finish());
  }
  return lists;
}

std::string copy_statement(const WriteOperation& operation, const Run& run) {
  return fmt::format("copy {} ({}) from stdin", operation.table, names_of(run));
}

Result<std::string> copy_data(const Run& run) {
  std::string data;
  std::string text;
  for (std::size_t row = 0; row < run.rows.size(); ++row) {
    for (std::size_t c = 0; c < run.columns.size(); ++c) {
      if (c > 0) data += '\t';
      text.clear();
      auto some = encode_value(*run.rows[row][c], run.columns[c]->type, text);
      if (!some) return misfit(std::move(some.error()), run, row, c);
      if (*some) {
        append_copy_value(text, data);
      } else {
        data += kCopyNull;
      }
    }
    data += '\n';
  }
  return data;
}

void locate(const Run& run, ServerError& error, std::string& pointer) {
  // "unnamed portal parameter $2 = '…'", "COPY t, line 3, column speed: "x"".
  if (const auto parameter = number_after(error.context, "parameter $");
      parameter && *parameter >= 1 && *parameter <= run.columns.size()) {
    if (error.column.empty()) error.column = run.columns[*parameter - 1]->name;
    return;
  }
  const auto line = number_after(error.context, ", line ");
  if (!line || *line < 1 || *line > run.records.size()) return;
  pointer = fmt::format("/parameters/records/{}", run.records[*line - 1]);
  const auto begin = error.context.find(", column ");
  if (begin == std::string::npos || !error.column.empty()) return;
  const auto rest = std::string_view(error.context).substr(begin + 9);
  error.column = rest.substr(0, rest.find(':'));
}

}  // namespace tributary::connectors::postgresql
