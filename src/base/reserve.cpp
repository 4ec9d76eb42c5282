#include "base/reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <cerrno>

namespace tributary {

int read_space(const std::string& path, DiskSpace& into) {
  struct statvfs found{};
  while (::statvfs(path.c_str(), &found) != 0) {
    if (errno != EINTR) return errno;
  }
  const auto block = static_cast<std::int64_t>(found.f_frsize);
  into.free = static_cast<std::int64_t>(found.f_bavail) * block;
  into.size = static_cast<std::int64_t>(found.f_blocks) * block;
  return 0;
}

int Reserve::hold(std::int64_t besides) {
  struct stat found{};
  if (::stat(path_.c_str(), &found) == 0 && found.st_size >= bytes_) return 0;
  int file = -1;
  do file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  while (file < 0 && errno == EINTR);
  if (file < 0) return errno;
  DiskSpace space;
  int error = read_space(path_, space);
  if (error == 0 && besides > 0 && space.free < bytes_ + besides) error = ENOSPC;
  if (error == 0) error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(file, 0, bytes_);
  ::close(file);
  if (error != 0) release();
  return error;
}

void Reserve::release() {
  while (::unlink(path_.c_str()) != 0 && errno == EINTR) {
  }
}

}  // namespace tributary
