// A .tar.gz in memory: a few text files for people who look into a hub from afar.
#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"

namespace tributary::api {

struct ArchiveFile {
  std::string name;  // at most 100 bytes
  std::string content;
};

// POSIX ustar inside gzip (RFC 1952).
std::string make_tar_gz(const std::vector<ArchiveFile>& files, UtcTime modified);

}  // namespace tributary::api
