// Records laid out as rows of a table: which columns each has, and the text in which they travel.
// Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "connectors/postgresql/src/operation.hpp"
#include "connectors/postgresql/src/session.hpp"

namespace tributary::connectors::postgresql {

// Records one after the other that have the same columns: one statement. A column that they lack
// gets its default, which is another thing than null.
struct Run {
  std::vector<const Column*> columns;
  std::vector<std::vector<const Json*>> rows;  // a value for each column
  std::vector<std::size_t> records;            // which record each row is
};

// Errors: kFunction "unknown_column" (with the pointer of the field or setting),
// "nothing_to_write", "missing_key", "not_an_object".
Result<std::vector<Run>> lay_out(const WriteOperation& operation, const Table& table,
                                 std::span<const Json* const> records);

// Of several rows with one key only the last is kept: the server refuses to update a row twice in a
// statement, and one after the other the last would win.
void keep_last_of_each_key(const WriteOperation& operation, Run& run);

// "insert into … select … from unnest($1::integer[], …)", whatever the number of rows.
std::string insert_statement(const WriteOperation& operation, const Run& run);
// The lists for $1, $2 … Error: "value_does_not_fit" with the record's pointer.
Result<std::vector<std::string>> column_lists(const Run& run);

std::string copy_statement(const WriteOperation& operation, const Run& run);
Result<std::string> copy_data(const Run& run);

// Where a refused value stood, as far as the server said: the column's name, and for COPY the
// record.
void locate(const Run& run, ServerError& error, std::string& pointer);

}  // namespace tributary::connectors::postgresql
