// Store-and-forward: what a pipeline has promised to deliver, on disk until the destination has
// acknowledged it; besides, what its nodes hold, and its dead letters. One SQLite file in the data
// directory, one writer thread that groups commits (synchronous=FULL: committed means on disk).
// Any executor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "runtime/task.hpp"

namespace tributary::spool {

// One destination of one pipeline. Its entries have numbers without gaps, from 1, never reused.
struct QueueId {
  std::string pipeline;  // id
  std::string node;      // id

  friend auto operator<=>(const QueueId&, const QueueId&) = default;
};

// What to do when a queue is at its bound.
enum class WhenFull : std::uint8_t { kBlock, kDropOldest, kDropNewest };

struct Bounds {
  std::int64_t max_bytes = 256LL << 20;  // of payloads
  WhenFull when_full = WhenFull::kBlock;
};

// Larger payloads are refused at intake (edge case 26).
constexpr std::size_t kMaxEntryBytes = 16U << 20;

// A record on its way to a destination. The payload is opaque here.
struct Entry {
  std::int64_t seq = 0;  // set by the spool
  UtcTime at;            // when it was accepted
  std::string payload;
  std::optional<UtcTime> released_at = std::nullopt;  // from the dead letters; set by the spool
};

struct DeadLetter {
  std::string id;  // set by the spool: sorts by time
  QueueId queue;
  UtcTime accepted_at;
  UtcTime dead_at;
  std::int64_t attempts = 0;
  Error reason;
  std::string payload;
};

// A document that a node holds under a key between two batches.
struct StateChange {
  std::string node;
  std::string key;
  std::optional<std::string> value;  // nullopt: gone
};

// Everything that one batch leaves behind: on disk together or not at all.
struct Commit {
  struct Append {
    QueueId queue;
    Bounds bounds;
    std::vector<Entry> entries;
  };
  std::string pipeline;
  std::vector<Append> appends;
  std::vector<StateChange> states;
};

// By Commit::appends.
struct Appended {
  std::int64_t first_seq = 0;
  std::int64_t accepted = 0;
  std::int64_t dropped_oldest = 0;
  std::int64_t dropped_newest = 0;
};

// How entries of a queue ended: everything from `from` to `up_to` leaves it; those named in `dead`
// become dead letters, all others were delivered. What was settled before stays as it was.
struct Settlement {
  std::int64_t from = 0;  // 0: the oldest. Later: those before it go on waiting
  std::int64_t up_to = 0;
  struct Dead {
    std::int64_t seq = 0;
    std::int64_t attempts = 0;
    Error reason;
  };
  std::vector<Dead> dead;
};

// Counters survive restarts. accepted = delivered + dead + dropped + lost + waiting, always.
struct QueueStats {
  std::int64_t accepted = 0;  // also what was released from the dead letters
  std::int64_t delivered = 0;
  std::int64_t dead = 0;     // became dead letters, ever
  std::int64_t dropped = 0;  // by the queue's policy
  std::int64_t lost = 0;     // damaged on disk: known to have been there, not readable
  std::int64_t waiting = 0;
  std::int64_t bytes = 0;         // of what waits
  std::int64_t dead_letters = 0;  // now
  std::int64_t last_seq = 0;      // of the newest entry that ever was there; 0: none
  std::optional<UtcTime> oldest_at;
  // First entry that was accepted before the spool was opened lies at or before this number: it is
  // backfill after a restart. 0: none.
  std::int64_t accepted_before_start = 0;
};

// How the spool stands with its disk.
struct Room {
  std::int64_t free_bytes = 0;  // what this process may still take
  std::int64_t disk_bytes = 0;  // size of the file system
  // Why nothing is taken now, kInternal: "disk_full", "spool_failed".
  std::optional<Error> trouble;
};

struct Options {
  std::int64_t max_dead_letters = 10'000;  // of each pipeline; the queue blocks beyond it
  std::int64_t max_dead_letter_bytes = 256LL << 20;
};

class Spool {
 public:
  // Opens or creates DIR/spool.db. A damaged file is set aside (spool.damaged-<time>.db), every
  // complete entry in it is saved into a new one, and what is missing is counted as lost.
  // Blocking. Errors, kInternal: "spool_unwritable", "spool_too_new", "disk_full".
  static Result<std::unique_ptr<Spool>> open(const std::string& data_dir, const Clock& clock,
                                             Options options = {});
  virtual ~Spool() = default;  // commits what is queued

  // Resumes when it is on disk: the source may be acknowledged then. Commits of one caller keep
  // their order. Errors: kBusy "spool_full" (a queue with kBlock is at its bound: nothing of the
  // commit was taken), kInternal "disk_full", "spool_failed" (nothing was taken), kFunction
  // "record_too_large".
  virtual Task<Result<std::vector<Appended>>> commit(Commit commit) = 0;
  // The oldest entries behind `after`, in order; at most `max_entries` and, beyond the first,
  // `max_bytes`. Empty: nothing waits.
  virtual Task<Result<std::vector<Entry>>> read(QueueId queue, std::int64_t after,
                                                std::size_t max_entries, std::size_t max_bytes) = 0;
  // Errors: kInternal "disk_full", "spool_failed"; kBusy "dead_letters_full" (nothing changed).
  virtual Task<Result<void>> settle(QueueId queue, Settlement settlement) = 0;

  virtual Task<Result<QueueStats>> stats(QueueId queue) = 0;
  // One system call, no wait for the writer. Error: kInternal "spool_failed".
  virtual Result<Room> room() const = 0;
  // Queues that exist, also those whose node is gone.
  virtual Task<Result<std::vector<QueueId>>> queues(std::string pipeline) = 0;
  virtual Task<Result<std::vector<StateChange>>> states(std::string pipeline) = 0;
  // Forgets a pipeline and everything of it; or one queue, its waiting entries counted as dropped.
  virtual Task<Result<void>> forget_pipeline(std::string pipeline) = 0;
  virtual Task<Result<void>> forget_queue(QueueId queue) = 0;

  // Newest first, those before `before` (an id; empty: from the start).
  virtual Task<Result<std::vector<DeadLetter>>> dead_letters(std::string pipeline,
                                                             std::string before,
                                                             std::size_t limit) = 0;
  // Error: kFunction "not_found".
  virtual Task<Result<DeadLetter>> dead_letter(std::string pipeline, std::string id) = 0;
  // Puts dead letters back at the end of their queues, in the order in which they were accepted;
  // the number of those that were there. Empty `ids`: all.
  virtual Task<Result<std::int64_t>> release(std::string pipeline,
                                             std::vector<std::string> ids) = 0;
  virtual Task<Result<std::int64_t>> remove(std::string pipeline, std::vector<std::string> ids) = 0;
};

}  // namespace tributary::spool
