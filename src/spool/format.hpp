// What the spool writes, byte by byte: records that say themselves what they are, each with its own
// checksums, so that they can be told from anything else even in a file whose structure is broken.
// Numbers are little-endian. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spool/spool.hpp"

namespace tributary::spool {

// CRC-32C (Castagnoli), as in RFC 3720, appendix B.4.
std::uint32_t crc32c(std::string_view bytes);
// Without help of the processor.
std::uint32_t crc32c_portable(std::string_view bytes);

// ---- entries ----

// An entry in a chunk is its header and its payload; between them, only for what was released from
// the dead letters, when that was.
constexpr std::size_t kEntryHeaderBytes = 40;
constexpr std::size_t kReleasedBytes = 8;

struct EntryView {
  std::int64_t queue = 0;
  std::int64_t seq = 0;
  std::int64_t at_us = 0;
  std::string_view payload;
  std::int64_t released_us = 0;  // 0: never

  // On disk.
  std::size_t size() const {
    return kEntryHeaderBytes + (released_us == 0 ? 0 : kReleasedBytes) + payload.size();
  }
};

void append_entry(std::string& chunk, const EntryView& entry);
// The entry at the start of `bytes`; nullopt when it is not whole or a checksum is wrong.
std::optional<EntryView> read_entry(std::string_view bytes);
Entry to_entry(const EntryView& view);
// The whole entries of a chunk, in order, none when only one of them is not exactly what is
// expected: numbers from `first` on, of `queue`, up to the end.
std::optional<std::vector<EntryView>> read_chunk(std::string_view chunk, std::int64_t queue,
                                                 std::int64_t first, std::int64_t count);

// ---- queues ----

constexpr std::size_t kSlotBytes = 512;
// Of pipeline and node together.
constexpr std::size_t kMaxQueueNameBytes = 368;
constexpr std::int64_t kFormatVersion = 1;

// A queue and its numbers, as they were after the commit with the number `generation`. In the
// database and in the file beside it. Identifier 0 is no queue but the spool itself: `next` is the
// identifier of the next queue, `head` the version of the format.
struct Slot {
  std::int64_t generation = 0;
  std::int64_t id = 0;
  QueueId name;
  std::int64_t head = 1;  // the oldest number that waits, or `next`
  std::int64_t next = 1;  // the number of the entry that comes next
  std::int64_t delivered = 0;
  std::int64_t dead = 0;
  std::int64_t dropped = 0;
  std::int64_t turned_away = 0;  // dropped without a number: the newest, at a queue that was full
  std::int64_t lost = 0;
  std::int64_t waiting = 0;
  std::int64_t bytes = 0;
  std::int64_t dead_letters = 0;  // now
  std::int64_t dead_bytes = 0;    // of those
  std::int64_t oldest_us = 0;     // when the oldest that waits was accepted
  bool forgotten = false;         // kept for its numbers only

  std::int64_t accepted() const { return next - 1; }
  // What waits, seen from the other counters.
  std::int64_t owed() const { return accepted() - delivered - dead - dropped - lost; }
  friend bool operator==(const Slot&, const Slot&) = default;
};

std::string write_slot(const Slot& slot);
std::optional<Slot> read_slot(std::string_view bytes);

// ---- dead letters and states ----

struct DeadRecord {
  std::int64_t queue = 0;
  std::int64_t seq = 0;  // in its queue
  DeadLetter letter;
};
std::string write_dead(const DeadRecord& record);
std::optional<DeadRecord> read_dead(std::string_view bytes);

struct StateRecord {
  std::string pipeline;
  std::int64_t generation = 0;
  StateChange change;
};
std::string write_state(const StateRecord& record);
std::optional<StateRecord> read_state(std::string_view bytes);

// ---- searching ----

// Finds the records in bytes of which nothing is known.
struct Found {
  std::function<void(const EntryView&)> entry;
  std::function<void(Slot)> slot;
  std::function<void(DeadRecord)> dead;
  std::function<void(StateRecord)> state;
};
void find_records(std::string_view bytes, const Found& found);

}  // namespace tributary::spool
