#include "store/node_identity.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/id.hpp"

namespace tributary::store {

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// What a copy of the directory does not share with it. The device's number may change when the
// machine starts, the inode does not.
Result<std::string> home_of(const std::string& data_dir) {
  struct stat status{};
  if (::stat(data_dir.c_str(), &status) != 0) {
    return fail(ErrorClass::kInternal, "data_dir_unwritable",
                fmt::format("{} cannot be read: {}.", data_dir, std::strerror(errno)));
  }
  return fmt::format("{}:{}", first_line("/etc/machine-id"), status.st_ino);
}

Result<void> write_private(const std::string& path, const std::string& text) {
  const std::string draft = path + ".new";
  const int file =
      ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = file >= 0 &&
                 ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                 ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  written = written && ::rename(draft.c_str(), path.c_str()) == 0;
  if (written) return {};
  return fail(ErrorClass::kInternal, "data_dir_unwritable",
              fmt::format("{} cannot be written: {}.", path, std::strerror(errno)));
}

}  // namespace

Result<std::string> node_id(const std::string& data_dir, UtcTime now) {
  const auto home = home_of(data_dir);
  TRIBUTARY_TRY(home);
  const std::string path = data_dir + "/node.id";
  std::ifstream file(path);
  std::string id;
  std::string made_for;
  if (std::getline(file, id) && std::getline(file, made_for) && is_id(id) && made_for == *home) {
    return id;
  }
  id = make_id(now);
  TRIBUTARY_TRY(write_private(path, id + "\n" + *home + "\n"));
  return id;
}

}  // namespace tributary::store
