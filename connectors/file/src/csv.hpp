// CSV (RFC 4180) as bytes: quoting, and a reader that knows where a record ends. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/json.hpp"

namespace tributary::connectors::file {

// Appends one cell. Objects and lists are written as JSON, null as nothing. `neutralise`: a text
// that a spreadsheet would take for a formula (= + - @, tab, CR, and their full-width forms in
// front) gets an apostrophe before it; texts that are plain numbers do not.
void append_csv_cell(const Json& value, char delimiter, bool neutralise, std::string& out);

// Cells of one line, with CRLF, as in RFC 4180.
std::string csv_header(const std::vector<std::string>& names, char delimiter, bool neutralise);

struct CsvCell {
  std::string text;
  bool quoted = false;
};
using CsvLine = std::vector<CsvCell>;

// Takes a file piece by piece and gives its lines. A line ends with CRLF, LF or CR outside of
// quotes; empty lines are left out.
class CsvReader {
 public:
  explicit CsvReader(char delimiter) : delimiter_(delimiter) {}
  // Calls `line(cells)` for each line that is complete; stops early when it answers false.
  template <typename F>
  bool feed(std::string_view bytes, F line) {
    for (const char c : bytes) {
      if (!take(c)) continue;
      if (!line(finish_line())) return false;
    }
    return true;
  }
  // What stands at the end without a line break; nullopt when there is nothing, or a quote is open.
  std::optional<CsvLine> rest();
  bool in_quotes() const { return state_ == State::kQuoted; }
  // Longest line so far, for bounds.
  std::size_t line_bytes() const { return line_bytes_; }

 private:
  enum class State : std::uint8_t { kStart, kPlain, kQuoted, kQuoteInQuoted, kAfterCr };
  // True when a line is complete.
  bool take(char c);
  bool end_line();
  CsvLine finish_line();

  char delimiter_;
  State state_ = State::kStart;
  CsvLine line_;
  CsvCell cell_;
  std::size_t line_bytes_ = 0;
};

}  // namespace tributary::connectors::file
