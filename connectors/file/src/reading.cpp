// Pages of records from files of any size: what stands before the page is read past, not kept.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "connectors/file/src/records.hpp"
#include "connectors/file/src/work.hpp"

namespace tributary::connectors::file {
namespace {

constexpr std::size_t kPiece = 64U << 10U;

std::unexpected<Error> bad_line(const std::string& path, std::size_t number, std::string why) {
  return fail(ErrorClass::kFunction, "invalid_record",
              fmt::format("{}, record {}: {}", path, number, why), "Is it a file of this format?",
              "/settings/format");
}

// Takes a file piece by piece until the page is full.
class Page {
 public:
  Page(const ReadOperation& operation, const std::string& path)
      : operation_(operation),
        path_(path),
        reader_(operation.format, operation.delimiter, operation.numbers, operation.from) {}

  bool full() const { return records_.size() >= operation_.limit || bytes_ > kMaxBatchBytes; }
  std::vector<Record> take() { return std::move(records_); }

  Result<void> feed(std::string_view piece) {
    reader_.feed(piece, take_);
    if (bad_) return bad_line(path_, bad_->number, *bad_->error);
    if (reader_.overlong())
      return bad_line(path_, reader_.seen(),
                      fmt::format("it is longer than {} MiB", kMaxLineBytes >> 20U));
    return {};
  }
  Result<void> finish() {
    if (!full()) reader_.finish(false, take_);
    if (bad_) return bad_line(path_, bad_->number, *bad_->error);
    return {};
  }

 private:
  const ReadOperation& operation_;
  const std::string& path_;
  RecordReader reader_;
  std::vector<Record> records_;
  std::size_t bytes_ = 0;
  std::optional<FileRecord> bad_;
  const RecordReader::Take take_ = [this](FileRecord record) {
    if (record.error) {
      bad_ = std::move(record);
      return false;
    }
    bytes_ += record.bytes;
    records_.push_back(std::move(record.value));
    return !full();
  };
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
      TRIBUTARY_TRY(page.finish());
      break;
    }
    TRIBUTARY_TRY(page.feed({buffer.data(), static_cast<std::size_t>(got)}));
  }
  return page.take();
}

}  // namespace tributary::connectors::file
