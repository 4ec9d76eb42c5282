// The pages of a database file and of its WAL as bytes, for a file that SQLite refuses or shows
// only in part. Sources: "Database File Format" of SQLite, sections 1.6 (b-tree pages), 2 (cells
// and overflow) and 4 (the WAL).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spool/files.hpp"

namespace tributary::spool {

class Pages {
 public:
  // Reads the directory of what is there; files that are missing are empty.
  static Result<Pages> open(const Paths& paths);

  // Calls `take` with every stretch of bytes in which records may lie. kTables: the content of each
  // cell of tables with row numbers. kAll: that of every cell, then chains of overflow pages that
  // no cell leads to. One stretch at a time is in memory.
  enum class Where : std::uint8_t { kTables, kAll };
  Result<void> for_each_stretch(Where where,
                                const std::function<Result<void>(std::string_view)>& take);

 private:
  Result<void> read_wal();
  // The newest page with that number; false when there is none.
  Result<bool> read(std::uint32_t number, std::string& into);
  Result<void> read_cells(std::uint32_t number, const std::string& page, Where where,
                          const std::function<Result<void>(std::string_view)>& take);
  Result<std::string> read_cell(const std::string& page, std::size_t at, int type);
  Result<void> follow(std::uint32_t first, std::size_t wanted, std::string& into);
  Result<void> read_orphans(const std::function<Result<void>(std::string_view)>& take);

  File database_;
  File wal_;
  std::uint32_t count_ = 0;
  std::map<std::uint32_t, std::int64_t>
      in_wal_;                 // where the newest frame of a page has its content
  std::vector<bool> visited_;  // overflow pages that a cell leads to
};

}  // namespace tributary::spool
