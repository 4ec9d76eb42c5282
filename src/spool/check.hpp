// Reads a whole spool and says whether it is sound: the structure of the file, every checksum of
// every record, and whether the numbers of the queues are those of what lies there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "spool/database.hpp"
#include "spool/files.hpp"
#include "spool/format.hpp"

namespace tributary::spool {

struct Inventory {
  std::map<std::int64_t, Slot> slots;  // by identifier
  Slot meta;                           // identifier 0
  std::int64_t generation = 0;         // of the last commit that is here
  std::string last_dead_letter;        // the largest id
  // Queues of which settled chunks are still there, and identifiers that are no queue any more.
  std::vector<std::int64_t> leftovers;
};

// The parts of the file's head that never change. SQLite would believe what it finds there.
Result<void> check_head(const Paths& paths);

// Errors, kInternal: "spool_damaged" with what is wrong; "spool_too_new"; "spool_failed".
Result<Inventory> take_inventory(Database& database);

// Of what is in a chunk's row besides its entries.
struct ChunkHead {
  std::int64_t queue = 0;
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  std::int64_t oldest_us = 0;

  std::int64_t last() const { return first + count - 1; }
  std::int64_t sum() const;
};

}  // namespace tributary::spool
