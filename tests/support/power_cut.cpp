// Preloaded into a process: remembers what of the files of one directory is really on the disk, so
// that a test that kills the process can see what a power cut would have left.
//
// A file is on the disk as it was at its last fsync or fdatasync; a name is when its directory was
// flushed behind it. Both are written down below another directory, the "disk":
//
//   TRIBUTARY_POWER_DIR    the directory that is watched
//   TRIBUTARY_POWER_DISK   N: the content of the file with inode N; names: a line "N NAME" for each
//   TRIBUTARY_POWER_LIES   flushes of files whose name ends like this are reported, and not done
//
// What was written and not flushed may be there after a power cut as well, in any mixture: the test
// mixes it in (tests/system/power.py).
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

namespace {

std::mutex one_at_a_time;

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string path_of(int file) {
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  std::string path(PATH_MAX, '\0');
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path;
}

// Takes the place of what was there at once: a kill in between leaves the one or the other.
void write_down(const std::string& name, std::string_view content) {
  const std::string path = setting("TRIBUTARY_POWER_DISK") + "/" + name;
  const std::string fresh = path + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written <= 0) std::abort();
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(file);
  if (::rename(fresh.c_str(), path.c_str()) != 0) std::abort();
}

// By another descriptor: that of the caller may be for writing only.
void keep_file(const std::string& path, const struct stat& about) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;  // it has no name any more
  std::string content(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t known = 0;
  while (known < content.size()) {
    const ssize_t part =
        ::pread(file, content.data() + known, content.size() - known, static_cast<off_t>(known));
    if (part <= 0) break;
    known += static_cast<std::size_t>(part);
  }
  content.resize(known);
  ::close(file);
  write_down(std::to_string(about.st_ino), content);
}

void keep_names(const std::string& path) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) std::abort();
  std::string names;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_type == DT_REG)
      names += std::to_string(entry->d_ino) + " " + static_cast<const char*>(entry->d_name) + "\n";
  }
  ::closedir(folder);
  write_down("names", names);
}

int flush(const char* call, int file) {
  const std::string dir = setting("TRIBUTARY_POWER_DIR");
  const std::string path = path_of(file);
  struct stat about{};
  if (dir.empty() || !path.starts_with(dir) || ::fstat(file, &about) != 0)
    return reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, call))(file);
  const std::string lies = setting("TRIBUTARY_POWER_LIES");
  if (!lies.empty() && path.ends_with(lies)) return 0;
  const std::lock_guard lock(one_at_a_time);
  if (S_ISDIR(about.st_mode)) {
    keep_names(path);
  } else {
    keep_file(path, about);
  }
  return 0;
}

}  // namespace

extern "C" {

int fsync(int file) {
  return flush("fsync", file);
}

int fdatasync(int file) {
  return flush("fdatasync", file);
}

}  // extern "C"
