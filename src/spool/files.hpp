// The files of the spool, apart from what SQLite does with them: where they lie, how one takes the
// place of another, and forgetting what the page cache says.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"

namespace tributary::spool {

// A file descriptor that is closed when it goes.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();
  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

struct Paths {
  explicit Paths(const std::string& dir);

  std::string dir;
  std::string database;  // spool.db
  std::string wal;       // spool.db-wal
  std::string shm;       // spool.db-shm
  std::string building;  // a new database that is not finished; worth nothing
  std::string ready;     // one that is, on its way to take the place of `database`
  std::string seen;      // the numbers after the last commit
  std::string reserve;   // space for what must go on when the disk is full
};

// "disk_full" for what means that, else `code`.
Error from_errno(int error, const std::string& what, const char* code = "spool_failed");
bool is_out_of_space(int error);

bool exists(const std::string& path);
std::int64_t size_of(const std::string& path);  // 0 when there is none
// Opens for reading and writing, makes it (0600) with `create`.
Result<File> open_file(const std::string& path, bool create);
// Reads up to `length` bytes at `offset`; how many there were.
Result<std::size_t> read_at(const File& file, char* into, std::size_t length, std::int64_t offset);
Result<void> flush_directory(const std::string& dir);
Result<void> flush_file(const std::string& path);
Result<void> cut_file(const std::string& path, std::int64_t bytes);
// Makes the system forget what it believes the file holds, so that it is read from the disk.
void forget_cached(const std::string& path);

// Takes `building` (complete, closed) into use; what was in its place is set aside as
// spool.damaged-<time>.db and its WAL. Can be broken off at any point and taken up again by
// finish_swap().
Result<void> swap_in(const Paths& paths, UtcTime now);
// Finishes a swap that was broken off, throws away what was being built.
Result<void> finish_swap(const Paths& paths, UtcTime now);

}  // namespace tributary::spool
