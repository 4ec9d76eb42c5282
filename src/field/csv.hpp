// Rows of comma-separated values (RFC 4180), as spreadsheets write them. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tributary::field {

struct CsvRow {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> cells;
};

class CsvReader {
 public:
  // The separator is what the first line has most of: comma, semicolon or tab. A byte order mark
  // is skipped. `text` must outlive the reader.
  explicit CsvReader(std::string_view text);

  // False at the end; then `row` has no cells. Blanks around cells that are not quoted are dropped.
  bool next(CsvRow& row);
  char separator() const { return separator_; }
  // The line where a quote began that has no end; 0 when there is none. Known at the end.
  std::size_t unfinished_quote() const { return unfinished_; }

 private:
  std::string quoted();
  std::string plain();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t unfinished_ = 0;
  char separator_ = ',';
};

// Appends a row with CRLF; cells with separators, quotes, line ends or blanks at an end are quoted.
void append_csv_row(std::string& out, std::span<const std::string> cells);

}  // namespace tributary::field
