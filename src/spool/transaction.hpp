// What the jobs of one group do to the spool, in one transaction. A job looks before it writes: one
// that is refused has changed nothing, so no job needs to be undone alone. Writer thread.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "spool/numbers.hpp"
#include "spool/rows.hpp"
#include "spool/spool.hpp"

namespace tributary::spool {

// What intake is told while the disk is full.
Error intake_refused();

// The largest id of a dead letter so far: ids sort by time, whatever the clock does.
class DeadIds {
 public:
  void seen(const std::string& id) { last_ = std::max(last_, id); }
  std::string next(UtcTime now);

 private:
  std::string last_;
};

class Transaction {
 public:
  struct Setting {
    const Options& options;
    DeadIds& ids;
    UtcTime now;
    std::int64_t generation = 0;  // of this commit
    bool intake = true;           // false: the disk is full, only what drains goes on
  };
  Transaction(Rows& rows, const Numbers& numbers, Setting setting)
      : rows_(rows), numbers_(numbers), setting_(setting) {}

  // Errors: as the functions of Spool with these names; kInternal "spool_damaged" besides.
  Result<std::vector<Appended>> commit(const Commit& commit);
  Result<void> settle(const QueueId& queue, const Settlement& settlement);
  Result<void> forget_queue(const QueueId& queue);
  Result<void> forget_pipeline(const std::string& pipeline);
  // The first of `ids`, as many as one transaction should hold, at least one; how many of the list
  // were looked at, and how many of them were there.
  struct Moved {
    std::size_t looked_at = 0;
    std::int64_t found = 0;
  };
  Result<Moved> release(const std::string& pipeline, std::span<const std::string> ids);
  Result<std::int64_t> remove(const std::string& pipeline, std::span<const std::string> ids);

  // Writes the numbers; the last thing before the commit.
  Result<void> finish();
  const Changes& changes() const { return changes_; }

 private:
  Slot& meta();
  Slot& slot_of(const QueueId& name);
  std::optional<Slot> find(const QueueId& name) const;
  std::vector<Slot> queues_of(const std::string& pipeline) const;
  Result<void> check(const Commit& commit) const;
  Result<void> check_room(const Commit& commit) const;
  Result<Appended> append(const Commit::Append& append);
  // How many entries from the front of `append` are given up for the others.
  Result<std::size_t> make_room(Slot& slot, const Commit::Append& append, Appended& outcome);
  Result<std::int64_t> drop_oldest(Slot& slot, std::int64_t bytes);
  Result<void> put(Slot& slot, const std::vector<NewEntry>& entries);
  Result<void> put_back(std::span<const DeadRecord> letters);
  Result<std::optional<ChunkHead>> chunk_at(const Slot& slot, std::int64_t seq);

  // Of the entries from the head on, up to `up_to`.
  struct Span {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
  };
  // Takes them out of the queue; the caller says what became of them.
  Result<Span> advance(Slot& slot, std::int64_t up_to);
  // The same with those from `from` to `up_to`, behind others that go on waiting.
  Result<Span> cut(Slot& slot, std::int64_t from, std::int64_t up_to);
  // Writes what is left of a chunk when the entries from `from` to `up_to` are gone; these.
  Result<Span> trim(const ChunkHead& chunk, std::int64_t from, std::int64_t up_to);
  Result<void> find_head(Slot& slot);
  Result<std::vector<DeadRecord>> collect_dead(const Slot& slot, const Settlement& settlement);
  Result<void> check_dead_letters(const std::string& pipeline,
                                  const std::vector<DeadRecord>& dead) const;

  Rows& rows_;
  const Numbers& numbers_;
  Setting setting_;
  Changes changes_;
};

}  // namespace tributary::spool
