// How much space a disk has, and a part of it that is kept for what must go on when it is full: a
// file that nobody reads.
#pragma once

#include <cstdint>
#include <string>

namespace tributary {

struct DiskSpace {
  std::int64_t free = 0;  // bytes that this process may still take
  std::int64_t size = 0;  // of the file system
};
// 0, or errno.
int read_space(const std::string& path, DiskSpace& into);

class Reserve {
 public:
  Reserve(std::string path, std::int64_t bytes) : path_(std::move(path)), bytes_(bytes) {}
  // Takes the space, unless it is held already. 0, or errno; nothing of it is held then. ENOSPC
  // also when less than `besides` bytes would be left: what was released for work on a full disk
  // must not be taken back at once.
  int hold(std::int64_t besides = 0);
  void release();

 private:
  std::string path_;
  std::int64_t bytes_;
};

}  // namespace tributary
