#include "field/csv.hpp"

#include <algorithm>

namespace tributary::field {
namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";

char find_separator(std::string_view text) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  char best = ',';
  for (const char candidate : {';', '\t'}) {
    if (std::ranges::count(line, candidate) > std::ranges::count(line, best)) best = candidate;
  }
  return best;
}

bool needs_quotes(std::string_view cell) {
  if (cell.empty()) return false;
  return cell.find_first_of(",;\t\"\r\n") != std::string_view::npos || cell.front() == ' ' ||
         cell.back() == ' ';
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : text_(text) {
  if (text_.starts_with(kMark)) text_.remove_prefix(kMark.size());
  separator_ = find_separator(text_);
}

bool CsvReader::next(CsvRow& row) {
  row.cells.clear();
  row.line = line_;
  if (at_ >= text_.size()) return false;
  while (true) {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    row.cells.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
    if (at_ >= text_.size()) return true;
    const char end = text_[at_++];
    if (end == separator_) continue;
    if (end == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    return true;
  }
}

// At the opening quote; ends at the separator, the line's end or the text's.
std::string CsvReader::quoted() {
  std::string cell;
  const std::size_t began = line_;
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\n') ++line_;
    if (c != '"') {
      cell.push_back(c);
    } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
      cell.push_back(c);
      ++at_;
    } else {
      ++at_;
      cell += plain();  // what stands behind the closing quote belongs to the cell
      return cell;
    }
  }
  unfinished_ = began;
  return cell;
}

std::string CsvReader::plain() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\r' && text_[at_] != '\n')
    ++at_;
  std::string_view cell = text_.substr(begin, at_ - begin);
  while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
  return std::string(cell);
}

void append_csv_row(std::string& out, std::span<const std::string> cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out.push_back(',');
    if (!needs_quotes(cells[i])) {
      out += cells[i];
      continue;
    }
    out.push_back('"');
    for (const char c : cells[i]) {
      if (c == '"') out.push_back('"');
      out.push_back(c);
    }
    out.push_back('"');
  }
  out += "\r\n";
}

}  // namespace tributary::field
