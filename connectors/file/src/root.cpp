#include "connectors/file/src/root.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "connectors/file/src/path.hpp"

namespace tributary::connectors::file {
namespace {

constexpr std::uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
// The kernel answers EAGAIN when something was renamed while it looked.
constexpr int kResolveTries = 32;

std::unexpected<Error> unusable(std::string code, std::string message, std::string hint) {
  return fail(ErrorClass::kConfiguration, std::move(code), std::move(message), std::move(hint),
              "/settings/root");
}

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

int open_below(int folder, const std::string& path, std::uint64_t flags, std::uint64_t mode) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = kResolve;
  int result = -1;
  for (int i = 0; i < kResolveTries; ++i) {
    result = static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
    if (result >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return result;
}

std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::string beside(const std::string& name) {
  return fmt::format(".{}.tributary", name.substr(0, 240));
}

// Not a place for data, whoever may write there.
Result<void> check_place(int folder, const std::string& path) {
  struct statfs place{};
  struct stat here{};
  struct stat top{};
  if (::fstatfs(folder, &place) != 0 || ::fstat(folder, &here) != 0 || ::stat("/", &top) != 0)
    return fail(Root::error_from(errno, "look at", path));
  const std::array<long, 4> system{PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP2_SUPER_MAGIC,
                                   DEVPTS_SUPER_MAGIC};
  if ((here.st_dev == top.st_dev && here.st_ino == top.st_ino) ||
      std::ranges::find(system, static_cast<long>(place.f_type)) != system.end()) {
    return unusable("root_too_wide", fmt::format("{} is not a folder for data", path),
                    "Make a folder for this connection alone.");
  }
  if (::faccessat(folder, "master.key", F_OK, 0) == 0 &&
      ::faccessat(folder, "tributary.db", F_OK, 0) == 0) {
    return unusable("root_is_hub_data", fmt::format("{} is where a hub keeps its own data", path),
                    "Make a folder for this connection alone.");
  }
  return {};
}

Result<void> check_openat2(int folder) {
  const Handle self(open_below(folder, ".", O_PATH | O_DIRECTORY, 0));
  if (self.valid()) return {};
  return unusable("openat2_unavailable",
                  fmt::format("The kernel does not offer openat2: {}", reason(errno)),
                  "Files are only touched where the kernel keeps every path below the folder: "
                  "Linux 5.6 or later, and a sandbox that allows the call.");
}

// For what is about to be removed. Another ending than beside(): that may be a file that somebody
// writes just now.
std::string removed(const std::string& name) {
  return fmt::format(".{}.tributary-read", name.substr(0, 235));
}

constexpr std::size_t kMaxNumbers = 100'000;
constexpr unsigned kStateMask = STATX_BASIC_STATS | STATX_BTIME;

}  // namespace

FileState state_from(const struct statx& about) {
  const auto nanoseconds = [](const struct statx_timestamp& time) {
    return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
  };
  return {::makedev(about.stx_dev_major, about.stx_dev_minor), about.stx_ino, about.stx_size,
          nanoseconds(about.stx_mtime),
          (about.stx_mask & STATX_BTIME) != 0 ? nanoseconds(about.stx_btime) : 0};
}

bool look_at(int folder, const std::string& name, struct statx& about) {
  return ::statx(folder, name.c_str(), AT_SYMLINK_NOFOLLOW, kStateMask, &about) == 0;
}

Result<FileState> state_of(int descriptor, const std::string& path) {
  struct statx about{};
  if (::statx(descriptor, "", AT_EMPTY_PATH, kStateMask, &about) != 0)
    return fail(Root::error_from(errno, "look at", path));
  return state_from(about);
}

Handle::~Handle() {
  if (value_ >= 0) ::close(value_);
}

Root::Root(std::string path, bool writable, Handle handle)
    : path_(std::move(path)), writable_(writable), handle_(std::move(handle)) {}

Result<std::unique_ptr<Root>> Root::open(const std::string& path, bool writable) {
  Handle handle(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.valid()) {
    const int error_number = errno;
    if (error_number == ENOTDIR)
      return unusable("root_not_a_directory", fmt::format("{} is not a folder", path),
                      "Name a folder.");
    if (error_number == EACCES || error_number == EPERM)
      return unusable("root_not_accessible", fmt::format("The hub may not read {}", path),
                      "Give the hub's user the right to.");
    if (error_number == ENOENT) {
      return fail(ErrorClass::kTransient, "root_not_found", fmt::format("{} does not exist", path),
                  "Make the folder, or mount what it lies on.", "/settings/root");
    }
    return fail(error_from(error_number, "open", path));
  }
  TRIBUTARY_TRY(check_place(handle.get(), path));
  TRIBUTARY_TRY(check_openat2(handle.get()));
  auto root = std::unique_ptr<Root>(new Root(path, writable, std::move(handle)));
  TRIBUTARY_TRY(root->check());
  return root;
}

Result<void> Root::check() const {
  struct stat ours{};
  struct stat there{};
  if (::fstat(handle_.get(), &ours) != 0) return fail(error_from(errno, "look at", path_));
  if (::stat(path_.c_str(), &there) != 0 || ours.st_dev != there.st_dev ||
      ours.st_ino != there.st_ino) {
    return fail(ErrorClass::kTransient, "root_replaced",
                fmt::format("{} is gone, or another folder than before", path_),
                "Was it moved, or its disk unmounted?", "/settings/root");
  }
  if (writable_ && ::faccessat(handle_.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    return unusable("root_not_writable",
                    fmt::format("The hub may not write to {}: {}", path_, reason(errno)),
                    "Give the hub's user the right to, or switch \"Read only\" on.");
  }
  return {};
}

Error Root::error_from(int error_number, std::string_view action, std::string_view path) {
  const std::string message =
      fmt::format("Could not {} {}: {}", action, path, reason(error_number));
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return {ErrorClass::kBusy, "disk_full", message,
              "Free space on the disk. It will be tried again."};
    case ENOENT:
      return {ErrorClass::kFunction, "file_not_found", fmt::format("There is no file {}", path),
              "Is the path right?", "/settings/path"};
    case ELOOP:
    case EXDEV:
      return {ErrorClass::kFunction, "path_escapes",
              fmt::format("{} leads over a symbolic link, or out of the folder", path),
              "Links are not followed below the connection's folder.", "/settings/path"};
    case EISDIR:
    case ENOTDIR:
    case ENXIO:
      return {ErrorClass::kFunction, "not_a_plain_file",
              fmt::format("{} is not a plain file", path), "Name a file.", "/settings/path"};
    case ENAMETOOLONG:
    case EINVAL:
      return {ErrorClass::kFunction, "invalid_path", message, "Choose a shorter, simpler name.",
              "/settings/path"};
    case EACCES:
    case EPERM:
      return {ErrorClass::kFunction, "not_accessible", message, "Give the hub's user the right to.",
              "/settings/path"};
    case EFBIG:
      return {ErrorClass::kFunction, "file_too_large", message,
              "Let the file rotate: a date in its path, or a largest size.",
              "/settings/rotateBytes"};
    case EMFILE:
    case ENFILE:
      return {ErrorClass::kInternal, "out_of_descriptors", message,
              "Raise the limit of open files of the hub's service (LimitNOFILE)."};
    default:
      return {ErrorClass::kTransient, "io_error", message, "Is the disk all right? See its log."};
  }
}

Result<Handle> Root::open_at(const std::string& path, std::uint64_t flags,
                             std::uint64_t mode) const {
  Handle handle(open_below(handle_.get(), path, flags, mode));
  if (!handle.valid()) return fail(error_from(errno, "open", path));
  return handle;
}

Result<Handle> Root::open_folder(const std::string& path) const {
  return open_at(path, O_RDONLY | O_DIRECTORY, 0);
}

Result<void> Root::make_folders(const std::string& path) const {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    const auto [parent, name] = split(folder);
    if (const Handle there(open_below(handle_.get(), folder, O_PATH | O_DIRECTORY, 0));
        there.valid())
      continue;
    const auto above = open_folder(parent);
    TRIBUTARY_TRY(above);
    constexpr mode_t kOwnerOnly = 0700;
    if (::mkdirat(above->get(), name.c_str(), kOwnerOnly) != 0 && errno != EEXIST)
      return fail(error_from(errno, "make the folder", folder));
    ::fsync(above->get());
  }
  return {};
}

// A second name may lie anywhere, with anybody; devices and pipes are no files.
Result<void> Root::check_plain(int descriptor, const std::string& path) const {
  struct stat about{};
  if (::fstat(descriptor, &about) != 0) return fail(error_from(errno, "look at", path));
  if (S_ISREG(about.st_mode) && about.st_nlink <= 1) return {};
  return fail(ErrorClass::kFunction, "not_a_plain_file",
              fmt::format("{} is {}", path,
                          S_ISREG(about.st_mode) ? "a file with several names (hard links)"
                                                 : "not a plain file"),
              "Only plain files are read and written.", "/settings/path");
}

Result<Handle> Root::open_file(const std::string& path, Use use, bool* created) const {
  // O_NONBLOCK: a pipe without a reader must not hold the hub up. It means nothing for files.
  constexpr std::uint64_t kCommon = O_NOCTTY | O_NONBLOCK;
  // Opening a device may already do something, so it is looked at first, without opening it.
  if (const auto look = open_at(path, O_PATH, 0)) {
    TRIBUTARY_TRY(check_plain(look->get(), path));
  }
  if (use == Use::kRead) {
    auto file = open_at(path, O_RDONLY | kCommon, 0);
    TRIBUTARY_TRY(file);
    TRIBUTARY_TRY(check_plain(file->get(), path));
    return file;
  }
  constexpr std::uint64_t kOwnerOnly = 0600;
  auto file = open_at(path, O_RDWR | kCommon, 0);
  if (!file && file.error().code == "file_not_found") {
    TRIBUTARY_TRY(make_folders(path));
    file = open_at(path, O_RDWR | O_CREAT | kCommon, kOwnerOnly);
    if (file && created != nullptr) *created = true;
  }
  TRIBUTARY_TRY(file);
  TRIBUTARY_TRY(check_plain(file->get(), path));
  if (::flock(file->get(), LOCK_EX) != 0) return fail(error_from(errno, "lock", path));
  return file;
}

Result<Handle> Root::open_beside(const std::string& path) const {
  TRIBUTARY_TRY(make_folders(path));
  const auto [parent, name] = split(path);
  const auto folder = open_folder(parent);
  TRIBUTARY_TRY(folder);
  const std::string other = beside(name);
  // What a crash left behind.
  ::unlinkat(folder->get(), other.c_str(), 0);
  Handle file(open_below(folder->get(), other, O_RDWR | O_CREAT | O_EXCL, 0600));
  if (!file.valid()) return fail(error_from(errno, "make", path));
  return file;
}

Result<void> Root::rename_over(const std::string& path) const {
  const auto [parent, name] = split(path);
  const auto folder = open_folder(parent);
  TRIBUTARY_TRY(folder);
  if (::renameat(folder->get(), beside(name).c_str(), folder->get(), name.c_str()) != 0)
    return fail(error_from(errno, "replace", path));
  return {};
}

void Root::remove_beside(const std::string& path) const noexcept {
  const auto [parent, name] = split(path);
  const auto folder = open_folder(parent);
  if (folder) ::unlinkat(folder->get(), beside(name).c_str(), 0);
}

// False: the new name is taken. Who has got it is looked at under the new name, because the old one
// may be given to another file at any moment.
Result<bool> Root::rename_if(int from, const std::string& name, int to, const std::string& new_name,
                             const FileState& expected) const {
  if (::renameat2(from, name.c_str(), to, new_name.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return false;
    return fail(error_from(errno, "move", name));
  }
  struct statx about{};
  if (look_at(to, new_name, about) && state_from(about) == expected) return true;
  ::renameat2(to, new_name.c_str(), from, name.c_str(), RENAME_NOREPLACE);
  return fail(ErrorClass::kFunction, "file_changed",
              fmt::format("{} changed after it was read", name), "It is read again.");
}

Result<void> Root::move_file(const std::string& path, const std::string& folder,
                             const FileState& expected) const {
  const auto [parent, name] = split(path);
  const auto from = open_folder(parent);
  TRIBUTARY_TRY(from);
  TRIBUTARY_TRY(make_folders(folder + "/" + name));
  const auto to = open_folder(folder);
  TRIBUTARY_TRY(to);
  for (std::size_t number = 0; number < kMaxNumbers; ++number) {
    const auto moved = rename_if(from->get(), name, to->get(), numbered(name, number), expected);
    TRIBUTARY_TRY(moved);
    if (*moved) return {};
  }
  return fail(ErrorClass::kFunction, "too_many_files",
              fmt::format("{} holds {} files of the name {}", folder, kMaxNumbers, name),
              "Clear the folder.", "/settings/moveTo");
}

Result<void> Root::remove_file(const std::string& path, const FileState& expected) const {
  const auto [parent, name] = split(path);
  const auto folder = open_folder(parent);
  TRIBUTARY_TRY(folder);
  const std::string other = removed(name);
  // What a crash left behind: it had been read.
  ::unlinkat(folder->get(), other.c_str(), 0);
  const auto moved = rename_if(folder->get(), name, folder->get(), other, expected);
  TRIBUTARY_TRY(moved);
  if (!*moved || ::unlinkat(folder->get(), other.c_str(), 0) != 0)
    return fail(error_from(*moved ? errno : EEXIST, "delete", path));
  return {};
}

Result<void> Root::sync_folder(const std::string& path) const {
  const auto folder = open_folder(split(path).first);
  TRIBUTARY_TRY(folder);
  if (::fsync(folder->get()) != 0) return fail(error_from(errno, "make safe", path));
  return {};
}

}  // namespace tributary::connectors::file
