// Preloaded into a process: lets one call on the files of one directory fail, once. What SQLite's
// own tests do with its file layer, for a whole process with the library as the system ships it.
//
//   TRIBUTARY_FAULT_DIR    only files below it count
//   TRIBUTARY_FAULT_CALL   open, write, pwrite, fsync, fdatasync, rename, ftruncate, unlink
//   TRIBUTARY_FAULT_KIND   EIO, ENOSPC, EINTR, SHORT (half of a write is written)
//   TRIBUTARY_FAULT_NTH    which call, from 1
//   TRIBUTARY_FAULT_FIRED  a file that is made when it happens
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<long> calls{0};

const char* setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool below(const char* path) {
  const char* dir = setting("TRIBUTARY_FAULT_DIR");
  return *dir != '\0' && std::strncmp(path, dir, std::strlen(dir)) == 0;
}

bool below(int file) {
  char link[64];
  char path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  if (length <= 0) return false;
  path[length] = '\0';
  return below(path);
}

void note_fired() {
  const char* path = setting("TRIBUTARY_FAULT_FIRED");
  const long made = ::syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (made >= 0) ::syscall(SYS_close, made);
}

// True for the one call that is to fail; errno says how.
template <typename Target>
bool fails(const char* call, Target target) {
  if (std::strcmp(setting("TRIBUTARY_FAULT_CALL"), call) != 0 || !below(target)) return false;
  if (++calls != std::atol(setting("TRIBUTARY_FAULT_NTH"))) return false;
  note_fired();
  const char* kind = setting("TRIBUTARY_FAULT_KIND");
  errno = std::strcmp(kind, "ENOSPC") == 0 ? ENOSPC : std::strcmp(kind, "EINTR") == 0 ? EINTR : EIO;
  return true;
}

bool is_short() {
  return std::strcmp(setting("TRIBUTARY_FAULT_KIND"), "SHORT") == 0;
}

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

int open_as(const char* name, const char* path, int flags, mode_t mode) {
  if (fails("open", path)) return -1;
  return real<int (*)(const char*, int, ...)>(name)(path, flags, mode);
}

ssize_t pwrite_as(const char* name, int file, const void* data, size_t count, off_t offset) {
  const auto next = real<ssize_t (*)(int, const void*, size_t, off_t)>(name);
  if (!fails("pwrite", file)) return next(file, data, count, offset);
  return is_short() ? next(file, data, count / 2, offset) : -1;
}

int flush_as(const char* name, int file) {
  return fails(name, file) ? -1 : real<int (*)(int)>(name)(file);
}

int cut_as(const char* name, int file, off_t length) {
  return fails("ftruncate", file) ? -1 : real<int (*)(int, off_t)>(name)(file, length);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = static_cast<mode_t>(va_arg(rest, int));
  va_end(rest);
  return open_as("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = static_cast<mode_t>(va_arg(rest, int));
  va_end(rest);
  return open_as("open64", path, flags, mode);
}

ssize_t write(int file, const void* data, size_t count) {
  const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  if (!fails("write", file)) return next(file, data, count);
  return is_short() ? next(file, data, count / 2) : -1;
}

ssize_t pwrite(int file, const void* data, size_t count, off_t offset) {
  return pwrite_as("pwrite", file, data, count, offset);
}

ssize_t pwrite64(int file, const void* data, size_t count, off_t offset) {
  return pwrite_as("pwrite64", file, data, count, offset);
}

int fsync(int file) {
  return flush_as("fsync", file);
}

int fdatasync(int file) {
  return flush_as("fdatasync", file);
}

int ftruncate(int file, off_t length) noexcept {
  return cut_as("ftruncate", file, length);
}

int ftruncate64(int file, off_t length) noexcept {
  return cut_as("ftruncate64", file, length);
}

int rename(const char* from, const char* to) noexcept {
  return fails("rename", from) ? -1 : real<int (*)(const char*, const char*)>("rename")(from, to);
}

int unlink(const char* path) noexcept {
  return fails("unlink", path) ? -1 : real<int (*)(const char*)>("unlink")(path);
}

}  // extern "C"
