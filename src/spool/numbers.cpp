#include "spool/numbers.hpp"

namespace tributary::spool {

void Numbers::load(const std::map<std::int64_t, Slot>& slots, std::int64_t next_queue) {
  const std::lock_guard lock(mutex_);
  slots_.clear();
  for (const auto& [id, slot] : slots) {
    slots_.emplace(slot.name, slot);
    if (!started_ && slot.waiting > 0) before_start_.emplace(slot.name, slot.accepted());
  }
  next_queue_ = next_queue;
  started_ = true;
}

std::vector<std::int64_t> Numbers::publish(const Changes& changes) {
  const std::lock_guard lock(mutex_);
  std::vector<std::int64_t> gone;
  for (const QueueId& name : changes.gone) {
    const auto known = slots_.find(name);
    if (known == slots_.end()) continue;
    gone.push_back(known->second.id);
    slots_.erase(known);
    before_start_.erase(name);
  }
  for (const auto& [name, slot] : changes.slots) slots_.insert_or_assign(name, slot);
  if (changes.meta) next_queue_ = changes.meta->next;
  return gone;
}

std::optional<Slot> Numbers::find(const QueueId& name) const {
  const std::lock_guard lock(mutex_);
  const auto known = slots_.find(name);
  if (known == slots_.end()) return std::nullopt;
  return known->second;
}

std::vector<Slot> Numbers::of(const std::string& pipeline) const {
  const std::lock_guard lock(mutex_);
  std::vector<Slot> found;
  for (auto at = slots_.lower_bound({pipeline, ""});
       at != slots_.end() && at->first.pipeline == pipeline; ++at) {
    found.push_back(at->second);
  }
  return found;
}

std::vector<Slot> Numbers::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Slot> found;
  for (const auto& [name, slot] : slots_) found.push_back(slot);
  return found;
}

std::int64_t Numbers::next_queue() const {
  const std::lock_guard lock(mutex_);
  return next_queue_;
}

std::optional<QueueStats> Numbers::stats(const QueueId& name) const {
  const std::lock_guard lock(mutex_);
  const auto known = slots_.find(name);
  if (known == slots_.end()) return std::nullopt;
  const Slot& slot = known->second;
  QueueStats stats;
  stats.accepted = slot.accepted() + slot.turned_away;
  stats.delivered = slot.delivered;
  stats.dead = slot.dead;
  stats.dropped = slot.dropped + slot.turned_away;
  stats.lost = slot.lost;
  stats.waiting = slot.waiting;
  stats.bytes = slot.bytes;
  stats.dead_letters = slot.dead_letters;
  stats.last_seq = slot.accepted();
  if (slot.waiting > 0) stats.oldest_at = from_micros(slot.oldest_us);
  const auto before = before_start_.find(name);
  if (before != before_start_.end()) stats.accepted_before_start = before->second;
  return stats;
}

}  // namespace tributary::spool
