#include "connectors/file/src/records.hpp"

#include <algorithm>

#include "connectors/file/src/lines.hpp"
#include "http/encoding.hpp"

namespace tributary::connectors::file {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr const char* kNotText = "It is not UTF-8 text";

}  // namespace

bool RecordReader::overlong() const {
  return std::max(line_.size(), csv_.line_bytes()) > kMaxLineBytes;
}

void RecordReader::feed(std::string_view piece, const Take& take) {
  if (std::exchange(first_, false) && piece.starts_with(kByteOrderMark))
    piece.remove_prefix(kByteOrderMark.size());
  if (format_ == Format::kCsv) {
    csv_.feed(piece, [this, &take](const CsvLine& line) { return add_csv(line, take); });
    return;
  }
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    line_ += piece.substr(0, end);
    if (end == std::string_view::npos) return;
    piece.remove_prefix(end + 1);
    if (!add_json(std::exchange(line_, {}), take)) return;
  }
}

void RecordReader::finish(bool complete, const Take& take) {
  if (format_ == Format::kJsonLines) {
    if (complete || parse_json(line_)) add_json(std::exchange(line_, {}), take);
    return;
  }
  if (const auto line = csv_.rest()) {
    add_csv(*line, take);
  } else if (complete && csv_.in_quotes()) {
    take({Json::null(), "A quote has no end", ++seen_, 0});
  }
}

bool RecordReader::add_json(std::string line, const Take& take) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) return true;
  if (seen_++ < skip_) return true;
  FileRecord record{Json::null(), std::nullopt, seen_, line.size()};
  auto parsed = parse_json(line);
  if (parsed) {
    record.value = *std::move(parsed);
  } else {
    record.error = parsed.error().message;
    if (http::is_utf8(line)) record.value = Json(std::move(line));
  }
  return take(std::move(record));
}

bool RecordReader::add_csv(const CsvLine& line, const Take& take) {
  if (names_.empty()) {
    for (const CsvCell& cell : line) names_.push_back(cell.text);
    return true;
  }
  if (seen_++ < skip_) return true;
  FileRecord record{Json::null(), std::nullopt, seen_, 0};
  const auto is_text = [](const std::string& text) { return http::is_utf8(text); };
  if (std::ranges::all_of(line, is_text, &CsvCell::text) && std::ranges::all_of(names_, is_text)) {
    record.value = csv_record(names_, line, numbers_);
  } else {
    record.error = kNotText;
  }
  for (const CsvCell& cell : line) record.bytes += cell.text.size();
  return take(std::move(record));
}

}  // namespace tributary::connectors::file
