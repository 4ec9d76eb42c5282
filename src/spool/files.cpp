#include "spool/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "runtime/log.hpp"

namespace tributary::spool {

namespace {

constexpr mode_t kPrivateFile = 0600;
// Of damaged files the newest are kept: everything that could be read in them was saved.
constexpr std::size_t kMaxSetAside = 3;
constexpr std::string_view kSetAside = "spool.damaged-";

bool unlink_if_there(const std::string& path) {
  return ::unlink(path.c_str()) == 0 || errno == ENOENT;
}

Result<void> rename_if_there(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return {};
  return fail(from_errno(errno, fmt::format("{} cannot be renamed", from)));
}

// "20261126T014000123Z": sorts by time, fit for a file name.
std::string label(UtcTime now) {
  std::string text = format_utc(now);
  std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == '.'; });
  return text;
}

std::vector<std::filesystem::path> set_aside_files(const std::string& dir) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kSetAside) && name.ends_with(".db")) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

void remove_older_set_aside(const std::string& dir) {
  auto found = set_aside_files(dir);
  for (std::size_t i = 0; i + kMaxSetAside < found.size(); ++i) {
    (void)unlink_if_there(found[i].string());
    (void)unlink_if_there(found[i].string() + "-wal");
  }
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Paths::Paths(const std::string& directory)
    : dir(directory),
      database(dir + "/spool.db"),
      wal(database + "-wal"),
      shm(database + "-shm"),
      building(dir + "/spool.building.db"),
      ready(dir + "/spool.ready.db"),
      seen(dir + "/spool.seen"),
      reserve(dir + "/spool.reserve") {}

bool is_out_of_space(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

Error from_errno(int error, const std::string& what, const char* code) {
  if (is_out_of_space(error)) {
    return {ErrorClass::kInternal, "disk_full", fmt::format("{}: the disk is full.", what),
            "Free space on the disk of the data directory; the server goes on by itself."};
  }
  return {ErrorClass::kInternal, code, fmt::format("{}: {}.", what, std::strerror(error)),
          "Check the disk of the data directory and who may write to it."};
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::int64_t size_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

Result<File> open_file(const std::string& path, bool create) {
  const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0);
  File file(::open(path.c_str(), flags, kPrivateFile));
  if (!file)
    return fail(from_errno(errno, fmt::format("{} cannot be opened", path), "spool_unwritable"));
  return file;
}

Result<std::size_t> read_at(const File& file, char* into, std::size_t length, std::int64_t offset) {
  std::size_t done = 0;
  while (done < length) {
    const ssize_t count =
        ::pread(file.get(), into + done, length - done, offset + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(from_errno(errno, "The spool cannot be read"));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<void> flush_directory(const std::string& dir) {
  const File file(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0)
    return fail(from_errno(errno, fmt::format("{} cannot be flushed", dir)));
  return {};
}

Result<void> flush_file(const std::string& path) {
  const File file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0)
    return fail(from_errno(errno, fmt::format("{} cannot be flushed", path)));
  return {};
}

Result<void> cut_file(const std::string& path, std::int64_t bytes) {
  if (size_of(path) <= bytes) return {};
  const File file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file || ::ftruncate(file.get(), bytes) != 0)
    return fail(from_errno(errno, fmt::format("{} cannot be cut to length", path)));
  return {};
}

void forget_cached(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file) (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
}

namespace {

Result<void> finish_ready(const Paths& paths, UtcTime now) {
  std::string aside = fmt::format("{}/{}{}.db", paths.dir, kSetAside, label(now));
  // A clock that stands still or went back must not make one damaged file cover another.
  for (int i = 2; exists(aside); ++i)
    aside = fmt::format("{}/{}{}-{}.db", paths.dir, kSetAside, label(now), i);
  const bool anything = exists(paths.database);
  TRIBUTARY_TRY(rename_if_there(paths.database, aside));
  TRIBUTARY_TRY(rename_if_there(paths.wal, aside + "-wal"));
  if (!unlink_if_there(paths.shm))
    return fail(from_errno(errno, fmt::format("{} cannot be removed", paths.shm)));
  // The old WAL must be gone for good before the new database bears its name: SQLite would apply
  // the one to the other.
  TRIBUTARY_TRY(flush_directory(paths.dir));
  TRIBUTARY_TRY(rename_if_there(paths.ready, paths.database));
  TRIBUTARY_TRY(flush_directory(paths.dir));
  if (anything) log::warning("spool", "the damaged file was set aside", {{"path", aside}});
  remove_older_set_aside(paths.dir);
  return {};
}

}  // namespace

Result<void> swap_in(const Paths& paths, UtcTime now) {
  TRIBUTARY_TRY(flush_file(paths.building));
  TRIBUTARY_TRY(rename_if_there(paths.building, paths.ready));
  TRIBUTARY_TRY(flush_directory(paths.dir));
  return finish_ready(paths, now);
}

Result<void> finish_swap(const Paths& paths, UtcTime now) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    const std::string path = paths.building + suffix;
    if (!unlink_if_there(path))
      return fail(from_errno(errno, fmt::format("{} cannot be removed", path), "spool_unwritable"));
  }
  return exists(paths.ready) ? finish_ready(paths, now) : Result<void>();
}

}  // namespace tributary::spool
