#include "connectors/file/src/work.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "connectors/file/src/path.hpp"

namespace tributary::connectors::file {
namespace {

constexpr std::size_t kPiece = 64U << 10U;

Error stopped() {
  return {ErrorClass::kCancelled, "cancelled", "The session was ended by the hub"};
}

// Reads from `offset`; empty at the end.
Result<std::string_view> read_piece(int file, std::span<char> buffer, std::uint64_t offset,
                                    const std::string& path) {
  while (true) {
    const auto got = ::pread(file, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got >= 0) return std::string_view(buffer.data(), static_cast<std::size_t>(got));
    if (errno != EINTR) return fail(Root::error_from(errno, "read", path));
  }
}

Result<void> write_all(int file, std::string_view bytes, std::uint64_t offset,
                       const std::string& path) {
  while (!bytes.empty()) {
    const auto sent = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (sent < 0) {
      if (errno == EINTR) continue;
      return fail(Root::error_from(errno, "write", path));
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
    offset += static_cast<std::uint64_t>(sent);
  }
  return {};
}

// Where the last complete line of JSON ends: a line break is never part of one.
Result<std::uint64_t> end_of_lines(int file, std::uint64_t size, const std::string& path) {
  std::array<char, kPiece> buffer{};
  for (std::uint64_t end = size; end > 0;) {
    const std::uint64_t begin = end > kPiece ? end - kPiece : 0;
    const std::span<char> part(buffer.data(), static_cast<std::size_t>(end - begin));
    const auto piece = read_piece(file, part, begin, path);
    TRIBUTARY_TRY(piece);
    if (const auto at = piece->rfind('\n'); at != std::string_view::npos) return begin + at + 1;
    end = begin;
  }
  return 0;
}

// In CSV a line break may be part of a value, so that only reading from the front tells.
Result<std::uint64_t> end_of_csv(int file, std::uint64_t size, char delimiter,
                                 const std::string& path) {
  std::array<char, kPiece> buffer{};
  CsvReader reader(delimiter);
  std::uint64_t end = 0;
  for (std::uint64_t at = 0; at < size;) {
    const auto piece = read_piece(file, buffer, at, path);
    TRIBUTARY_TRY(piece);
    if (piece->empty()) break;
    for (const char c : *piece) {
      ++at;
      reader.feed(std::string_view(&c, 1), [](const CsvLine&) { return true; });
      if (c == '\n' && !reader.in_quotes()) end = at;
    }
  }
  return end;
}

// What stands behind the last line break is a record whose line break alone is missing.
bool is_whole_record(int file, std::uint64_t begin, std::uint64_t end, const std::string& path) {
  if (begin == end || end - begin > kMaxLineBytes) return false;
  std::string text(static_cast<std::size_t>(end - begin), '\0');
  const auto piece = read_piece(file, text, begin, path);
  return piece && piece->size() == text.size() && parse_json(text).has_value();
}

Result<std::string> first_line(int file, const std::string& path) {
  std::array<char, kPiece> buffer{};
  const auto piece = read_piece(file, buffer, 0, path);
  TRIBUTARY_TRY(piece);
  return std::string(piece->substr(0, piece->find('\n') + 1));
}

std::string_view without_break(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<void> check_header(int file, const Lines& lines, const std::string& path) {
  if (lines.header.empty()) return {};
  const auto there = first_line(file, path);
  TRIBUTARY_TRY(there);
  if (without_break(*there) == without_break(lines.header)) return {};
  return fail(ErrorClass::kFunction, "header_mismatch",
              fmt::format("{} has other columns than the records: {}", path,
                          without_break(*there).substr(0, 200)),
              "Write to another file, or name the function's columns as they are there.",
              "/settings/columns");
}

}  // namespace

Result<void> Worker::open() {
  if (stopped_) return fail(stopped());
  auto root = Root::open(path_, writable_);
  TRIBUTARY_TRY(root);
  root_ = std::move(*root);
  return {};
}

Result<void> Worker::check() {
  if (stopped_ || !root_) return fail(stopped());
  return root_->check();
}

Result<Worker::Written> Worker::write(const WriteOperation& operation, const std::string& path,
                                      const Lines& lines) {
  if (stopped_ || !root_) return fail(stopped());
  TRIBUTARY_TRY(root_->check());
  return operation.replace ? replace(operation, path, lines) : append(operation, path, lines);
}

Result<Look> Worker::look(const WatchOperation& operation, int events) {
  if (stopped_ || !root_) return fail(stopped());
  return look_through(*root_, operation, events);
}

Result<std::vector<Record>> Worker::next(FileReading& reading) {
  if (stopped_ || !root_) return fail(stopped());
  TRIBUTARY_TRY(root_->check());
  return reading.next(*root_);
}

Result<std::vector<Record>> Worker::finish(FileReading& reading) {
  if (stopped_ || !root_) return fail(stopped());
  TRIBUTARY_TRY(root_->check());
  return reading.finish(*root_);
}

// The file of a rotating path that takes so many bytes more.
Result<std::string> Worker::file_with_room(const WriteOperation& operation, const std::string& path,
                                           std::size_t bytes) {
  if (operation.rotate_bytes == 0) return path;
  if (rotations_.size() >= kMaxKnownFiles) rotations_.clear();
  for (std::size_t& number = rotations_[path]; number < kMaxRotations; ++number) {
    const std::string name = numbered(path, number);
    const auto file = root_->open_file(name, Root::Use::kRead);
    if (!file) {
      if (file.error().code == "file_not_found") return name;
      return fail(file.error());
    }
    struct stat about{};
    if (::fstat(file->get(), &about) != 0) return fail(Root::error_from(errno, "look at", name));
    const auto size = static_cast<std::uint64_t>(about.st_size);
    if (size == 0 || size + bytes <= operation.rotate_bytes) return name;
  }
  return fail(ErrorClass::kFunction, "too_many_files",
              fmt::format("{} has rotated {} times", path, kMaxRotations),
              "Put a date into the path.", "/settings/path");
}

Result<Worker::Written> Worker::append(const WriteOperation& operation, const std::string& path,
                                       const Lines& lines) {
  const auto name = file_with_room(operation, path, lines.body.size());
  TRIBUTARY_TRY(name);
  bool created = false;
  const auto file = root_->open_file(*name, Root::Use::kAppend, &created);
  TRIBUTARY_TRY(file);
  struct stat about{};
  if (::fstat(file->get(), &about) != 0) return fail(Root::error_from(errno, "look at", *name));
  const auto size = static_cast<std::uint64_t>(about.st_size);
  std::uint64_t end = size;
  std::string bytes;
  const auto known = known_.find(*name);
  if (size > 0 && (known == known_.end() || known->second.inode != about.st_ino ||
                   known->second.size != size)) {
    // A crash may have left part of a record.
    const auto whole = operation.format == Format::kCsv
                           ? end_of_csv(file->get(), size, operation.delimiter, *name)
                           : end_of_lines(file->get(), size, *name);
    TRIBUTARY_TRY(whole);
    end = *whole;
    if (operation.format == Format::kJsonLines && is_whole_record(file->get(), end, size, *name)) {
      end = size;
      bytes = "\n";
    }
    if (end > 0) TRIBUTARY_TRY(check_header(file->get(), lines, *name));
  }
  if (end < size && ::ftruncate(file->get(), static_cast<off_t>(end)) != 0)
    return fail(Root::error_from(errno, "repair", *name));
  bytes += end == 0 ? lines.header + lines.body : lines.body;
  Result<void> done = write_all(file->get(), bytes, end, *name);
  bool flushing = false;
  if (done && operation.sync) {
    flushing = true;
    if (::fdatasync(file->get()) != 0) done = fail(Root::error_from(errno, "make safe", *name));
    if (done && created) done = root_->sync_folder(*name);
  }
  if (!done) {
    // Nothing half-written stays.
    const bool undone = ::ftruncate(file->get(), static_cast<off_t>(end)) == 0;
    known_.erase(*name);
    done.error().outcome_unknown = flushing || !undone;
    return fail(std::move(done.error()));
  }
  if (known_.size() >= kMaxKnownFiles) known_.clear();
  known_[*name] = {about.st_ino, end + bytes.size()};
  return Written{*name, bytes.size(), static_cast<std::size_t>(size - end)};
}

Result<Worker::Written> Worker::replace(const WriteOperation& operation, const std::string& path,
                                        const Lines& lines) {
  // What is in the way must be a plain file, as when appending.
  if (const auto old = root_->open_file(path, Root::Use::kRead);
      !old && old.error().code != "file_not_found")
    return fail(old.error());
  const auto file = root_->open_beside(path);
  TRIBUTARY_TRY(file);
  const std::string bytes = lines.header + lines.body;
  Result<void> done = write_all(file->get(), bytes, 0, path);
  if (done && operation.sync && ::fdatasync(file->get()) != 0)
    done = fail(Root::error_from(errno, "make safe", path));
  if (done) done = root_->rename_over(path);
  if (!done) {
    root_->remove_beside(path);
    return fail(std::move(done.error()));
  }
  known_.erase(path);
  if (operation.sync) {
    done = root_->sync_folder(path);
    if (!done) {
      done.error().outcome_unknown = true;
      return fail(std::move(done.error()));
    }
  }
  return Written{path, bytes.size(), 0};
}

}  // namespace tributary::connectors::file
