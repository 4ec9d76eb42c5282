// Pages of records from files of any size: what stands before the page is read past, not kept.
#include <fmt/format.h>

#include <array>

#include "connectors/file/src/work.hpp"

#include <unistd.h>

#include <cerrno>

namespace tributary::connectors::file {
namespace {

constexpr std::size_t kPiece = 64U << 10U;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::unexpected<Error> bad_line(const std::string& path, std::size_t number, std::string why) {
  return fail(ErrorClass::kFunction, "invalid_record",
              fmt::format("{}, record {}: {}", path, number, why), "Is it a file of this format?",
              "/settings/format");
}

// Takes a file piece by piece until the page is full.
class Page {
 public:
  Page(const ReadOperation& operation, const std::string& path)
      : operation_(operation), path_(path), csv_(operation.delimiter) {}

  bool full() const { return records_.size() >= operation_.limit || bytes_ > kMaxBatchBytes; }
  std::vector<Record> take() { return std::move(records_); }

  Result<void> feed(std::string_view piece) {
    if (std::exchange(first_, false) && piece.starts_with(kByteOrderMark))
      piece.remove_prefix(kByteOrderMark.size());
    if (operation_.format == Format::kCsv) {
      csv_.feed(piece, [this](const CsvLine& line) {
        add(line);
        return !full();
      });
    } else {
      TRIBUTARY_TRY(feed_lines(piece));
    }
    if (std::max(line_.size(), csv_.line_bytes()) > kMaxLineBytes)
      return bad_line(path_, seen_, fmt::format("it is longer than {} MiB", kMaxLineBytes >> 20U));
    return {};
  }

  // What stands at the end without a line break: a record when it is whole, else one that is still
  // being written.
  void finish() {
    if (full()) return;
    if (operation_.format == Format::kCsv) {
      if (const auto line = csv_.rest()) add(*line);
      return;
    }
    if (const auto record = parse_json(line_); record && seen_++ >= operation_.from)
      records_.push_back(*record);
  }

 private:
  Result<void> feed_lines(std::string_view piece) {
    while (!piece.empty() && !full()) {
      const auto end = piece.find('\n');
      line_ += piece.substr(0, end);
      if (end == std::string_view::npos) return {};
      piece.remove_prefix(end + 1);
      TRIBUTARY_TRY(add_line(std::exchange(line_, {})));
    }
    return {};
  }

  Result<void> add_line(std::string line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return {};
    if (seen_++ < operation_.from) return {};
    auto record = parse_json(line);
    if (!record) return bad_line(path_, seen_, record.error().message);
    bytes_ += line.size();
    records_.push_back(*std::move(record));
    return {};
  }

  void add(const CsvLine& line) {
    if (names_.empty()) {
      for (const CsvCell& cell : line) names_.push_back(cell.text);
      return;
    }
    if (seen_++ < operation_.from) return;
    for (const CsvCell& cell : line) bytes_ += cell.text.size();
    records_.push_back(csv_record(names_, line, operation_.numbers));
  }

  const ReadOperation& operation_;
  const std::string& path_;
  CsvReader csv_;
  std::vector<std::string> names_;
  std::string line_;
  std::vector<Record> records_;
  std::size_t seen_ = 0;
  std::size_t bytes_ = 0;
  bool first_ = true;
};

}  // namespace

Result<std::vector<Record>> Worker::read(const ReadOperation& operation, const std::string& path) {
  if (stopped_ || !root_)
    return fail(ErrorClass::kCancelled, "cancelled", "The session was ended by the hub");
  TRIBUTARY_TRY(root_->check());
  const auto file = root_->open_file(path, Root::Use::kRead);
  TRIBUTARY_TRY(file);
  Page page(operation, path);
  std::array<char, kPiece> buffer{};
  while (!page.full() && !stopped_) {
    const auto got = ::read(file->get(), buffer.data(), buffer.size());
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail(Root::error_from(errno, "read", path));
    }
    if (got == 0) {
      page.finish();
      break;
    }
    TRIBUTARY_TRY(page.feed({buffer.data(), static_cast<std::size_t>(got)}));
  }
  return page.take();
}

}  // namespace tributary::connectors::file
