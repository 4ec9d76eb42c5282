// One folder and what lies below it. The kernel itself resolves each path below the folder
// (openat2, RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS): nobody can swap a part of it between a check
// and its use. Blocking: call it on a lane.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

struct stat;

namespace tributary::connectors::file {

// Closes when it goes.
class Handle {
 public:
  Handle() = default;
  explicit Handle(int value) : value_(value) {}
  ~Handle();
  Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  int get() const { return value_; }
  bool valid() const { return value_ >= 0; }

 private:
  int value_ = -1;
};

// Which file it is, and in which state.
struct FileState {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // since 1970
  // When the file was made, since 1970; 0 where the file system does not say. The number of a file
  // that was removed is soon that of another.
  std::int64_t born_ns = 0;
  bool is_same_file(const FileState& other) const {
    return device == other.device && inode == other.inode && born_ns == other.born_ns;
  }
  bool operator==(const FileState&) const = default;
};
FileState state_from(const struct statx& about);
Result<FileState> state_of(int descriptor, const std::string& path);
// Looks at `name` itself, not at what a link points to. False: errno tells.
bool look_at(int folder, const std::string& name, struct statx& about);

class Root {
 public:
  // Errors: kTransient "root_not_found"; kConfiguration "root_not_a_directory",
  // "root_not_accessible", "root_not_writable", "root_too_wide", "root_is_hub_data",
  // "openat2_unavailable".
  static Result<std::unique_ptr<Root>> open(const std::string& path, bool writable);

  // Whether the same folder is still there, and can still be written where it must. Errors: as
  // open(); kTransient "root_replaced".
  Result<void> check() const;

  enum class Use : std::uint8_t { kRead, kAppend };
  // A plain file with one name. For kAppend it is made (0600) where it is missing, with its folders
  // (0700), and is locked against other writers. Errors: kFunction "file_not_found",
  // "path_escapes", "not_a_plain_file", "not_accessible"; those of error_from.
  Result<Handle> open_file(const std::string& path, Use use, bool* created = nullptr) const;
  // A new file beside `path`, which becomes it with rename_over().
  Result<Handle> open_beside(const std::string& path) const;
  Result<void> rename_over(const std::string& path) const;
  void remove_beside(const std::string& path) const noexcept;
  // The folder of `path`, so that a new name in it is on the disk.
  Result<void> sync_folder(const std::string& path) const;

  // A folder, for reading; "." is the root. Errors: as open_file().
  Result<Handle> open_folder(const std::string& path) const;
  // Gives a file another place, in `folder`, which is made where it is missing: under its own name,
  // or a numbered one. Only if it still is what was `expected`. Errors: kFunction "file_changed".
  Result<void> move_file(const std::string& path, const std::string& folder,
                         const FileState& expected) const;
  Result<void> remove_file(const std::string& path, const FileState& expected) const;

  // What the operating system said. A full disk is kBusy "disk_full"; a broken one kTransient
  // "io_error".
  static Error error_from(int error_number, std::string_view action, std::string_view path);

 private:
  Root(std::string path, bool writable, Handle handle);
  Result<Handle> open_at(const std::string& path, std::uint64_t flags, std::uint64_t mode) const;
  Result<bool> rename_if(int from, const std::string& name, int to, const std::string& new_name,
                         const FileState& expected) const;
  Result<void> make_folders(const std::string& path) const;
  Result<void> check_plain(int descriptor, const std::string& path) const;

  std::string path_;
  bool writable_;
  Handle handle_;
};

}  // namespace tributary::connectors::file
