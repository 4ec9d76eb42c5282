#include "connectors/file/src/csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tributary::connectors::file {
namespace {

bool is_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

// OWASP, "CSV Injection".
bool looks_like_formula(std::string_view text) {
  constexpr std::array<std::string_view, 10> kBeginnings{
      "=",           "+", "-", "@", "\t", "\r", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D",
      "\xEF\xBC\xA0"};
  return std::ranges::any_of(kBeginnings,
                             [text](std::string_view each) { return text.starts_with(each); }) &&
         !is_number(text);
}

void append_text(std::string_view text, char delimiter, std::string& out) {
  const bool quotes = text.empty() || text.front() == ' ' || text.back() == ' ' ||
                      text.find_first_of("\"\r\n") != std::string_view::npos ||
                      text.find(delimiter) != std::string_view::npos || is_number(text);
  if (!quotes) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  out += '"';
}

}  // namespace

void append_csv_cell(const Json& value, char delimiter, bool neutralise, std::string& out) {
  if (value.is_null()) return;
  if (!value.is_string()) {
    const std::string text = to_text(value);
    if (value.is_object() || value.is_array()) {
      append_text(text, delimiter, out);
    } else {
      out += text;
    }
    return;
  }
  const std::string_view text = value.as_string_view();
  if (neutralise && looks_like_formula(text)) {
    append_text("'" + std::string(text), delimiter, out);
  } else {
    append_text(text, delimiter, out);
  }
}

std::string csv_header(const std::vector<std::string>& names, char delimiter, bool neutralise) {
  std::string line;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) line += delimiter;
    append_csv_cell(Json(names[i]), delimiter, neutralise, line);
  }
  return line + "\r\n";
}

bool CsvReader::end_line() {
  line_bytes_ = 0;
  if (line_.empty() && cell_.text.empty() && !cell_.quoted) return false;
  line_.push_back(std::exchange(cell_, {}));
  return true;
}

bool CsvReader::take(char c) {
  ++line_bytes_;
  switch (state_) {
    case State::kQuoted:
      if (c == '"') {
        state_ = State::kQuoteInQuoted;
      } else {
        cell_.text += c;
      }
      return false;
    case State::kQuoteInQuoted:
      if (c == '"') {
        cell_.text += c;
        state_ = State::kQuoted;
        return false;
      }
      break;
    case State::kAfterCr:
      state_ = State::kStart;
      if (c == '\n') {
        line_bytes_ = 0;
        return false;
      }
      break;
    case State::kStart:
    case State::kPlain:
      break;
  }
  if (c == '"' && state_ == State::kStart) {
    cell_.quoted = true;
    state_ = State::kQuoted;
    return false;
  }
  if (c == delimiter_) {
    line_.push_back(std::exchange(cell_, {}));
    state_ = State::kStart;
    return false;
  }
  if (c == '\r' || c == '\n') {
    state_ = c == '\r' ? State::kAfterCr : State::kStart;
    return end_line();
  }
  state_ = State::kPlain;
  cell_.text += c;
  return false;
}

CsvLine CsvReader::finish_line() {
  return std::exchange(line_, {});
}

std::optional<CsvLine> CsvReader::rest() {
  if (state_ == State::kQuoted || !end_line()) return std::nullopt;
  return finish_line();
}

}  // namespace tributary::connectors::file
