// spool.seen: the numbers of every queue after the last commit, written without a flush. It is
// never needed to know what is there, only to know what is not: when the end of the database or of
// its WAL is gone, SQLite quietly shows an older state, and this file tells how much is missing.
// After a power cut it may be older than the database, and is ignored then.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "spool/files.hpp"
#include "spool/format.hpp"

namespace tributary::spool {

class Seen {
 public:
  // Opens or makes the file and locks it: one process works on a spool at a time. Errors,
  // kInternal: "spool_unwritable", "disk_full".
  static Result<Seen> open(const std::string& path);

  // The newest of each queue, by identifier.
  const std::map<std::int64_t, Slot>& slots() const { return slots_; }
  // Best effort: a disk that refuses it costs knowledge about a later damage, nothing else.
  void write(const Slot& slot);
  void erase(std::int64_t queue);

 private:
  explicit Seen(File file) : file_(std::move(file)) {}
  Result<void> load();
  // Two slots, written in turn.
  struct Place {
    std::int64_t index = 0;
    std::size_t next_half = 0;
  };
  Place& place_of(std::int64_t queue);
  void write_at(std::int64_t offset, std::string bytes);

  File file_;
  std::map<std::int64_t, Slot> slots_;
  std::map<std::int64_t, Place> places_;
  std::set<std::int64_t> free_;
  std::int64_t end_ = 0;
  bool refused_ = false;
};

}  // namespace tributary::spool
