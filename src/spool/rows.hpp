// The rows of the spool's tables. One row of `chunks` holds entries that follow one another without
// a gap; it is written once and never changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "spool/check.hpp"
#include "spool/database.hpp"
#include "spool/format.hpp"

namespace tributary::spool {

// The entries of one append share a row up to this size; a larger entry has one of its own.
constexpr std::size_t kChunkBytes = 256U << 10;

// What is to become an entry.
struct NewEntry {
  std::int64_t at_us = 0;
  std::string_view payload;
  std::int64_t released_us = 0;  // 0: never
};

class Rows {
 public:
  Result<void> prepare(Database& database);

  Result<void> put_slot(const Slot& slot);
  Result<void> erase_slot(std::int64_t queue);

  // As chunks; the first gets the number `first`.
  Result<void> put_entries(std::int64_t queue, std::int64_t first,
                           const std::vector<NewEntry>& entries);
  // The chunk with the largest first number that is not above `seq`.
  Result<std::optional<ChunkHead>> chunk_before(std::int64_t queue, std::int64_t seq);
  // The first one whose first number is at least `seq`.
  Result<std::optional<ChunkHead>> chunk_after(std::int64_t queue, std::int64_t seq);
  // Error: "spool_damaged" when the chunk is not there or not whole. The last one is kept, as is
  // the answer until the next call.
  Result<const std::vector<EntryView>*> entries(const ChunkHead& chunk);
  // After a rollback: what was read in the transaction never was.
  void forget_kept() { kept_ = {}; }
  Result<void> erase_chunk(const ChunkHead& chunk);
  // Those whose first number is below `first`.
  Result<void> erase_chunks(std::int64_t queue, std::int64_t first);
  // The same, at most `limit`; how many there were.
  Result<std::int64_t> erase_some_chunks(std::int64_t queue, std::int64_t first,
                                         std::int64_t limit);

  // Keeps one that has the same id.
  Result<void> put_dead(const DeadRecord& record);
  Result<std::optional<DeadRecord>> dead(std::string_view pipeline, std::string_view id);
  Result<void> erase_dead(std::string_view pipeline, std::string_view id);
  Result<void> erase_dead_of(std::string_view pipeline);

  Result<void> put_state(const StateRecord& record);
  // What is stored under the same names; nullopt when nothing is.
  Result<std::optional<StateRecord>> state(const StateRecord& like);
  Result<void> erase_state(std::string_view pipeline, const StateChange& change);
  Result<void> erase_states_of(std::string_view pipeline);

 private:
  Result<std::optional<ChunkHead>> find_chunk(Statement& statement, std::int64_t queue,
                                              std::int64_t seq);
  Result<void> put_chunk(const ChunkHead& head, std::string_view data);

  Database* database_ = nullptr;
  Statement put_slot_, erase_slot_;
  Statement put_chunk_, before_, after_, data_, erase_chunk_, erase_chunks_, erase_some_;
  Statement put_dead_, dead_, erase_dead_, erase_dead_of_;
  Statement put_state_, state_, erase_state_, erase_states_of_;
  std::string chunk_;  // kept for its memory

  struct Kept {
    std::int64_t queue = 0;
    std::int64_t first = 0;
    std::string bytes;
    std::vector<EntryView> entries;
  };
  Kept kept_;
};

std::optional<ChunkHead> read_chunk_head(const Statement& row);

}  // namespace tributary::spool
