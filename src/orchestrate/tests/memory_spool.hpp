// A spool in memory: what the header promises and nothing of a disk. Any thread.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "base/id.hpp"
#include "spool/spool.hpp"

namespace tributary::orchestrate {

class MemorySpool final : public spool::Spool {
 public:
  explicit MemorySpool(const Clock& clock) : clock_(clock) {}

  Task<Result<std::vector<spool::Appended>>> commit(spool::Commit commit) override {
    const std::lock_guard lock(mutex_);
    ++commits;
    if (refusal) co_return fail(*refusal);
    for (const auto& append : commit.appends) {
      if (append.bounds.when_full == spool::WhenFull::kBlock &&
          queues_[append.queue].stats.bytes + bytes_of(append.entries) > append.bounds.max_bytes) {
        co_return fail(ErrorClass::kBusy, "spool_full", "The queue is full.");
      }
    }
    std::vector<spool::Appended> result;
    for (auto& append : commit.appends) result.push_back(add(append));
    for (auto& change : commit.states) {
      auto& kept = states_[commit.pipeline];
      const auto key = std::pair(change.node, change.key);
      if (change.value) {
        kept[key] = *change.value;
      } else {
        kept.erase(key);
      }
    }
    co_return result;
  }

  Task<Result<std::vector<spool::Entry>>> read(spool::QueueId queue, std::int64_t after,
                                               std::size_t max_entries,
                                               std::size_t max_bytes) override {
    const std::lock_guard lock(mutex_);
    ++reads;
    std::vector<spool::Entry> page;
    std::size_t bytes = 0;
    for (const auto& entry : queues_[queue].entries) {
      if (entry.seq <= after) continue;
      if (page.size() == max_entries || (!page.empty() && bytes + entry.payload.size() > max_bytes))
        break;
      bytes += entry.payload.size();
      page.push_back(entry);
    }
    co_return page;
  }

  Task<Result<void>> settle(spool::QueueId id, spool::Settlement settlement) override {
    const std::lock_guard lock(mutex_);
    if (settle_refusal) co_return fail(*settle_refusal);
    Queue& queue = queues_[id];
    std::deque<spool::Entry> kept;
    for (spool::Entry& entry : std::exchange(queue.entries, {})) {
      if (entry.seq < settlement.from || entry.seq > settlement.up_to) {
        kept.push_back(std::move(entry));
        continue;
      }
      --queue.stats.waiting;
      queue.stats.bytes -= static_cast<std::int64_t>(entry.payload.size());
      const auto dead =
          std::ranges::find(settlement.dead, entry.seq, &spool::Settlement::Dead::seq);
      if (dead == settlement.dead.end()) {
        ++queue.stats.delivered;
        continue;
      }
      ++queue.stats.dead;
      ++queue.stats.dead_letters;
      letters_.push_back({make_id(clock_.utc_now()), id, entry.at, clock_.utc_now(), dead->attempts,
                          dead->reason, std::move(entry.payload)});
    }
    queue.entries = std::move(kept);
    co_return Result<void>{};
  }

  Task<Result<spool::QueueStats>> stats(spool::QueueId queue) override {
    const std::lock_guard lock(mutex_);
    co_return queues_[queue].stats;
  }
  Result<spool::Room> room() const override {
    const std::lock_guard lock(mutex_);
    return room_now;
  }
  Task<Result<std::vector<spool::QueueId>>> queues(std::string pipeline) override {
    const std::lock_guard lock(mutex_);
    std::vector<spool::QueueId> found;
    for (const auto& [id, queue] : queues_) {
      if (id.pipeline == pipeline) found.push_back(id);
    }
    co_return found;
  }
  Task<Result<std::vector<spool::StateChange>>> states(std::string pipeline) override {
    const std::lock_guard lock(mutex_);
    std::vector<spool::StateChange> found;
    for (const auto& [key, value] : states_[pipeline])
      found.push_back({key.first, key.second, value});
    co_return found;
  }
  Task<Result<void>> forget_pipeline(std::string pipeline) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(queues_, [&](const auto& queue) { return queue.first.pipeline == pipeline; });
    std::erase_if(letters_, [&](const auto& letter) { return letter.queue.pipeline == pipeline; });
    states_.erase(pipeline);
    co_return Result<void>{};
  }
  Task<Result<void>> forget_queue(spool::QueueId queue) override {
    const std::lock_guard lock(mutex_);
    queues_.erase(queue);
    co_return Result<void>{};
  }

  Task<Result<std::vector<spool::DeadLetter>>> dead_letters(std::string pipeline,
                                                            std::string before,
                                                            std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<spool::DeadLetter> found;
    for (auto letter = letters_.rbegin(); letter != letters_.rend(); ++letter) {
      const bool wanted =
          letter->queue.pipeline == pipeline && (before.empty() || letter->id < before);
      if (wanted && found.size() < limit) found.push_back(*letter);
    }
    co_return found;
  }
  Task<Result<spool::DeadLetter>> dead_letter(std::string, std::string id) override {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(letters_, id, &spool::DeadLetter::id);
    if (found == letters_.end())
      co_return fail(ErrorClass::kFunction, "not_found", "No such letter.");
    co_return *found;
  }
  Task<Result<std::int64_t>> release(std::string pipeline, std::vector<std::string> ids) override {
    const std::lock_guard lock(mutex_);
    std::int64_t count = 0;
    for (const auto& letter : take(pipeline, ids)) {
      spool::Commit::Append append{letter.queue, {}, {{0, letter.accepted_at, letter.payload, clock_.utc_now()}}};
      add(append);
      ++count;
    }
    co_return count;
  }
  Task<Result<std::int64_t>> remove(std::string pipeline, std::vector<std::string> ids) override {
    const std::lock_guard lock(mutex_);
    co_return static_cast<std::int64_t>(take(pipeline, ids).size());
  }

  const spool::QueueStats& stats_of(const std::string& node) { return queues_[{"P1", node}].stats; }
  const std::vector<spool::DeadLetter>& letters() const { return letters_; }

  std::optional<Error> refusal;  // of commits
  std::optional<Error> settle_refusal;
  spool::Room room_now{100LL << 30, 200LL << 30, std::nullopt};
  int commits = 0;
  int reads = 0;

 private:
  struct Queue {
    std::deque<spool::Entry> entries;
    spool::QueueStats stats;
  };

  static std::int64_t bytes_of(const std::vector<spool::Entry>& entries) {
    std::int64_t bytes = 0;
    for (const auto& entry : entries) bytes += static_cast<std::int64_t>(entry.payload.size());
    return bytes;
  }

  spool::Appended add(spool::Commit::Append& append) {
    Queue& queue = queues_[append.queue];
    spool::Appended result;
    result.first_seq = queue.stats.last_seq + 1;
    for (spool::Entry& entry : append.entries) {
      ++queue.stats.accepted;
      const auto size = static_cast<std::int64_t>(entry.payload.size());
      if (append.bounds.when_full == spool::WhenFull::kDropNewest && queue.stats.waiting > 0 &&
          queue.stats.bytes + size > append.bounds.max_bytes) {
        ++queue.stats.dropped;
        ++result.dropped_newest;
        continue;
      }
      entry.seq = ++queue.stats.last_seq;
      ++result.accepted;
      ++queue.stats.waiting;
      queue.stats.bytes += static_cast<std::int64_t>(entry.payload.size());
      queue.entries.push_back(std::move(entry));
    }
    return result;
  }

  std::vector<spool::DeadLetter> take(const std::string& pipeline,
                                      const std::vector<std::string>& ids) {
    std::vector<spool::DeadLetter> taken;
    std::erase_if(letters_, [&](const spool::DeadLetter& letter) {
      const bool wanted = letter.queue.pipeline == pipeline &&
                          (ids.empty() || std::ranges::find(ids, letter.id) != ids.end());
      if (!wanted) return false;
      taken.push_back(letter);
      --queues_[letter.queue].stats.dead_letters;
      return true;
    });
    return taken;
  }

  mutable std::mutex mutex_;
  const Clock& clock_;
  std::map<spool::QueueId, Queue> queues_;
  std::map<std::string, std::map<std::pair<std::string, std::string>, std::string>> states_;
  std::vector<spool::DeadLetter> letters_;
};

}  // namespace tributary::orchestrate
