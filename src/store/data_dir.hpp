// The data directory: made private, and locked so that one server works on it at a time.
#pragma once

#include <string>

#include "base/error.hpp"

namespace tributary::store {

// Holds DIR/tributary.lock as long as it lives. The file also tells how the last run ended: a
// server writes its process id into it and empties it as its very last act.
class DataDir {
 public:
  // Makes the directory (0700) if need be and takes the lock. Errors, kInternal:
  // "data_dir_unwritable", "data_dir_locked" (the message names the process), "disk_full".
  static Result<DataDir> open(const std::string& path);
  ~DataDir();
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;

  const std::string& path() const { return path_; }
  std::string database() const { return path_ + "/tributary.db"; }
  // The last run did not end with mark_clean(), or the database came here without its lock file.
  bool was_unclean() const { return was_unclean_; }
  // Makes an empty database file (0600) unless there is one. Errors as open().
  Result<void> create_database_file() const;
  void mark_clean();

 private:
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  Result<void> write_pid();

  std::string path_;
  int lock_ = -1;
  bool was_unclean_ = false;
};

}  // namespace tributary::store
