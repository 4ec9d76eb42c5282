// The numbers of all queues as the last commit left them, in memory: asked from any thread, changed
// by the writer.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "spool/format.hpp"

namespace tributary::spool {

// What a commit changed.
struct Changes {
  std::map<QueueId, Slot> slots;
  std::set<QueueId> gone;
  std::vector<std::int64_t> leftovers;  // queues of which chunks are to be removed by and by
  std::optional<Slot> meta;             // of the spool itself, when it changed
};

class Numbers {
 public:
  // What was found on disk. What waits now is backfill, unless it was known before (the spool
  // mended itself while it ran).
  void load(const std::map<std::int64_t, Slot>& slots, std::int64_t next_queue);
  // Answers the identifiers of the queues that are gone.
  std::vector<std::int64_t> publish(const Changes& changes);

  std::optional<Slot> find(const QueueId& name) const;
  std::vector<Slot> of(const std::string& pipeline) const;
  std::vector<Slot> all() const;
  std::int64_t next_queue() const;
  std::optional<QueueStats> stats(const QueueId& name) const;

 private:
  mutable std::mutex mutex_;
  std::map<QueueId, Slot> slots_;
  std::map<QueueId, std::int64_t> before_start_;
  bool started_ = false;
  std::int64_t next_queue_ = 1;
};

}  // namespace tributary::spool
