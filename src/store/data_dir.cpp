#include "store/data_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tributary::store {

namespace {

constexpr mode_t kPrivateDirectory = 0700;
constexpr mode_t kPrivateFile = 0600;

std::unexpected<Error> refused(const std::string& what, int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return fail(ErrorClass::kInternal, "disk_full",
                fmt::format("{} cannot be written: the disk is full.", what),
                "Free space on that disk and start again.");
  }
  return fail(ErrorClass::kInternal, "data_dir_unwritable",
              fmt::format("The data directory cannot be used: {}: {}.", what, std::strerror(error)),
              "Choose a directory the server may write to (--data-dir), or change its owner.");
}

Result<void> make_directories(const std::string& path) {
  // Parents made on the way are as private as the directory itself.
  std::filesystem::path made;
  for (const auto& part : std::filesystem::path(path)) {
    made /= part;
    if (::mkdir(made.c_str(), kPrivateDirectory) != 0 && errno != EEXIST && errno != EISDIR) {
      const int error = errno;
      if (!std::filesystem::is_directory(made)) return refused(made.string(), error);
    }
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return refused(path, errno);
  if (!S_ISDIR(status.st_mode)) return refused(path, ENOTDIR);
  return {};
}

std::string read_all(int file) {
  std::array<char, 64> text{};
  const ssize_t length = ::pread(file, text.data(), text.size(), 0);
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

}  // namespace

Result<DataDir> DataDir::open(const std::string& path) {
  TRIBUTARY_TRY(make_directories(path));
  const std::string lock_path = path + "/tributary.lock";
  // A database that arrives without its lock file (a copy, a restored backup) is checked as after a
  // crash.
  bool made_now = false;
  int lock = ::open(lock_path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0 && errno == ENOENT) {
    made_now = true;
    lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kPrivateFile);
  }
  if (lock < 0) return refused(lock_path, errno);
  DataDir dir(path, lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    std::string pid = read_all(lock);
    std::erase(pid, '\n');
    dir.lock_ = -1;
    ::close(lock);
    if (error != EWOULDBLOCK) return refused(lock_path, error);
    return fail(ErrorClass::kInternal, "data_dir_locked",
                fmt::format("Another server (process {}) already works on {}.",
                            pid.empty() ? "unknown" : pid, path),
                "Stop it first, or use its API.");
  }
  struct stat database_status{};
  const bool has_data =
      ::stat(dir.database().c_str(), &database_status) == 0 && database_status.st_size > 0;
  dir.was_unclean_ = has_data && (made_now || !read_all(lock).empty());
  TRIBUTARY_TRY(dir.write_pid());
  return dir;
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      was_unclean_(other.was_unclean_) {}

DataDir::~DataDir() {
  if (lock_ >= 0) ::close(lock_);
}

Result<void> DataDir::write_pid() {
  const std::string pid = fmt::format("{}\n", ::getpid());
  // Written before it is cut to length: the file is never empty in between, which would read as a
  // clean stop.
  const ssize_t written = ::pwrite(lock_, pid.data(), pid.size(), 0);
  if (written >= 0 && written != static_cast<ssize_t>(pid.size()))
    return refused(path_ + "/tributary.lock", ENOSPC);
  if (written < 0 || ::ftruncate(lock_, written) != 0 || ::fsync(lock_) != 0) {
    return refused(path_ + "/tributary.lock", errno);
  }
  return {};
}

Result<void> DataDir::create_database_file() const {
  const int file =
      ::open(database().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kPrivateFile);
  if (file < 0) return refused(database(), errno);
  ::close(file);
  return {};
}

void DataDir::mark_clean() {
  // When this fails the next start checks the database once more than it had to.
  if (::ftruncate(lock_, 0) == 0) ::fsync(lock_);
}

}  // namespace tributary::store
