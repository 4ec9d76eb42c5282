#include "api/process.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace tributary::api {
namespace {

// Entries of a folder of /proc; 0 when it cannot be read.
std::int64_t entries_of(const char* path) {
  DIR* folder = opendir(path);
  if (!folder) return 0;
  std::int64_t count = -2;  // "." and ".."
  while (readdir(folder)) ++count;
  closedir(folder);
  return count;
}

}  // namespace

std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::int64_t open_descriptors() {
  return entries_of("/proc/self/fd") - 1;  // the folder itself
}

std::int64_t thread_count() {
  return entries_of("/proc/self/task");
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace tributary::api
