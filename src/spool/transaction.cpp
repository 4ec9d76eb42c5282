#include "spool/transaction.hpp"

#include "base/id.hpp"

namespace tributary::spool {

namespace {

// What one transaction of a release moves: more would make the WAL long.
constexpr std::size_t kReleaseBytes = 4U << 20;
constexpr std::size_t kReleaseLetters = 1000;

std::int64_t size_of(const Entry& entry) {
  return static_cast<std::int64_t>(entry.payload.size());
}

std::int64_t size_of(const Commit::Append& append) {
  std::int64_t bytes = 0;
  for (const Entry& entry : append.entries) bytes += size_of(entry);
  return bytes;
}

std::unexpected<Error> missing_chunk() {
  return fail(ErrorClass::kInternal, kDamaged, "The spool is damaged: a chunk is missing.");
}

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// The id that follows in sorting order.
std::string successor(std::string id) {
  for (std::size_t i = id.size(); i-- > 0;) {
    const std::size_t digit = kDigits.find(id[i]);
    if (digit + 1 < kDigits.size()) {
      id[i] = kDigits[digit + 1];
      return id;
    }
    id[i] = kDigits.front();
  }
  return id;
}

}  // namespace

Error intake_refused() {
  return {ErrorClass::kInternal, "disk_full", "The spool takes nothing: the disk is full.",
          "Free space on the disk of the data directory; the server goes on by itself."};
}

std::string DeadIds::next(UtcTime now) {
  std::string id = make_id(now);
  if (id <= last_) id = successor(last_);
  last_ = id;
  return id;
}

// ---- queues ----

std::optional<Slot> Transaction::find(const QueueId& name) const {
  const auto changed = changes_.slots.find(name);
  if (changed != changes_.slots.end()) return changed->second;
  if (changes_.gone.contains(name)) return std::nullopt;
  return numbers_.find(name);
}

std::vector<Slot> Transaction::queues_of(const std::string& pipeline) const {
  std::map<QueueId, Slot> found;
  for (Slot& slot : numbers_.of(pipeline)) {
    if (!changes_.gone.contains(slot.name)) found.emplace(slot.name, std::move(slot));
  }
  for (const auto& [name, slot] : changes_.slots) {
    if (name.pipeline == pipeline) found.insert_or_assign(name, slot);
  }
  std::vector<Slot> slots;
  for (auto& [name, slot] : found) slots.push_back(std::move(slot));
  return slots;
}

Slot& Transaction::meta() {
  if (!changes_.meta) {
    changes_.meta.emplace();
    changes_.meta->head = kFormatVersion;
    changes_.meta->next = numbers_.next_queue();
  }
  return *changes_.meta;
}

Slot& Transaction::slot_of(const QueueId& name) {
  if (auto known = find(name))
    return changes_.slots.try_emplace(name, *std::move(known)).first->second;
  Slot slot;
  slot.id = meta().next++;
  slot.name = name;
  return changes_.slots.insert_or_assign(name, std::move(slot)).first->second;
}

// ---- intake ----

Result<void> Transaction::check(const Commit& commit) const {
  if (!setting_.intake) return fail(intake_refused());
  for (const Commit::Append& append : commit.appends) {
    if (append.queue.pipeline.size() + append.queue.node.size() > kMaxQueueNameBytes)
      return fail(ErrorClass::kFunction, "invalid_queue", "The name of a queue is too long.");
    for (const Entry& entry : append.entries) {
      if (entry.payload.size() <= kMaxEntryBytes) continue;
      return fail(ErrorClass::kFunction, "record_too_large",
                  fmt::format("A record of {} bytes is too large to be kept; the limit is {}.",
                              entry.payload.size(), kMaxEntryBytes),
                  "Split it, or leave out what the destination does not need.");
    }
  }
  return check_room(commit);
}

Result<void> Transaction::check_room(const Commit& commit) const {
  std::map<QueueId, Slot> planned;
  for (const Commit::Append& append : commit.appends) {
    const auto [at, made] = planned.try_emplace(append.queue, find(append.queue).value_or(Slot()));
    Slot& slot = at->second;
    const std::int64_t bytes = size_of(append);
    // An empty queue takes anything: what is larger than its bound would wait for ever.
    if (append.bounds.when_full == WhenFull::kBlock && !append.entries.empty() &&
        slot.waiting > 0 && slot.bytes + bytes > append.bounds.max_bytes) {
      return fail(ErrorClass::kBusy, "spool_full",
                  fmt::format("{} bytes wait for node \"{}\"; its bound is {}.", slot.bytes,
                              append.queue.node, append.bounds.max_bytes),
                  "The pipeline goes on when its destination has taken some.");
    }
    slot.waiting += static_cast<std::int64_t>(append.entries.size());
    slot.bytes += bytes;
  }
  return {};
}

Result<std::vector<Appended>> Transaction::commit(const Commit& commit) {
  TRIBUTARY_TRY(check(commit));
  std::vector<Appended> outcomes;
  for (const Commit::Append& append : commit.appends) {
    auto outcome = this->append(append);
    if (!outcome) return fail(std::move(outcome.error()));
    outcomes.push_back(*outcome);
  }
  for (const StateChange& change : commit.states) {
    auto done = change.value ? rows_.put_state({commit.pipeline, setting_.generation, change})
                             : rows_.erase_state(commit.pipeline, change);
    if (!done) return fail(std::move(done.error()));
  }
  return outcomes;
}

Result<Appended> Transaction::append(const Commit::Append& append) {
  Appended outcome;
  if (append.entries.empty()) return outcome;
  Slot& slot = slot_of(append.queue);
  slot.forgotten = false;
  auto skip = make_room(slot, append, outcome);
  if (!skip) return fail(std::move(skip.error()));
  std::vector<NewEntry> taken;
  std::int64_t bytes = slot.bytes;
  for (std::size_t i = *skip; i < append.entries.size(); ++i) {
    const Entry& entry = append.entries[i];
    bytes += size_of(entry);
    const bool fits = bytes <= append.bounds.max_bytes || (slot.waiting == 0 && taken.empty());
    if (append.bounds.when_full == WhenFull::kDropNewest && !fits) break;
    taken.push_back({to_micros(entry.at), entry.payload});
  }
  const std::size_t refused = append.entries.size() - *skip - taken.size();
  outcome.first_seq = slot.next - static_cast<std::int64_t>(*skip);
  outcome.accepted = static_cast<std::int64_t>(*skip + taken.size());
  outcome.dropped_newest = static_cast<std::int64_t>(refused);
  slot.turned_away += outcome.dropped_newest;
  TRIBUTARY_TRY(put(slot, taken));
  return outcome;
}

Result<std::size_t> Transaction::make_room(Slot& slot, const Commit::Append& append,
                                           Appended& outcome) {
  if (append.bounds.when_full != WhenFull::kDropOldest) return 0;
  std::int64_t excess = slot.bytes + size_of(append) - append.bounds.max_bytes;
  if (excess > 0 && slot.waiting > 0) {
    const std::int64_t before = slot.bytes;
    auto dropped = drop_oldest(slot, excess);
    if (!dropped) return fail(std::move(dropped.error()));
    outcome.dropped_oldest = *dropped;
    excess -= before - slot.bytes;
  }
  // The batch alone is too large: its own oldest go. The newest entry always stays.
  std::size_t skip = 0;
  for (; excess > 0 && skip + 1 < append.entries.size(); ++skip)
    excess -= size_of(append.entries[skip]);
  const auto skipped = static_cast<std::int64_t>(skip);
  slot.next += skipped;
  slot.dropped += skipped;
  outcome.dropped_oldest += skipped;
  if (slot.waiting == 0) slot.head = slot.next;
  return skip;
}

// Drops whole entries until `bytes` are free; how many they were.
Result<std::int64_t> Transaction::drop_oldest(Slot& slot, std::int64_t bytes) {
  std::int64_t up_to = slot.head - 1;
  while (bytes > 0 && up_to < slot.accepted()) {
    auto chunk = chunk_at(slot, up_to + 1);
    if (!chunk) return fail(std::move(chunk.error()));
    if (!*chunk) break;
    if ((*chunk)->first > up_to && (*chunk)->bytes <= bytes) {
      bytes -= (*chunk)->bytes;
      up_to = (*chunk)->last();
      continue;
    }
    auto entries = rows_.entries(**chunk);
    if (!entries) return fail(std::move(entries.error()));
    for (const EntryView& entry : **entries) {
      if (entry.seq <= up_to || bytes <= 0) continue;
      bytes -= static_cast<std::int64_t>(entry.payload.size());
      up_to = entry.seq;
    }
  }
  auto span = advance(slot, up_to);
  if (!span) return fail(std::move(span.error()));
  slot.dropped += span->count;
  return span->count;
}

Result<void> Transaction::put(Slot& slot, const std::vector<NewEntry>& entries) {
  if (entries.empty()) return {};
  TRIBUTARY_TRY(rows_.put_entries(slot.id, slot.next, entries));
  if (slot.waiting == 0) {
    slot.head = slot.next;
    slot.oldest_us = entries.front().at_us;
  }
  slot.next += static_cast<std::int64_t>(entries.size());
  slot.waiting += static_cast<std::int64_t>(entries.size());
  for (const NewEntry& entry : entries)
    slot.bytes += static_cast<std::int64_t>(entry.payload.size());
  return {};
}

// ---- settlement ----

// The chunk that holds `seq`, or the next one.
Result<std::optional<ChunkHead>> Transaction::chunk_at(const Slot& slot, std::int64_t seq) {
  auto before = rows_.chunk_before(slot.id, seq);
  if (!before || (*before && (*before)->last() >= seq)) return before;
  return rows_.chunk_after(slot.id, seq);
}

Result<Transaction::Span> Transaction::advance(Slot& slot, std::int64_t up_to) {
  Span span;
  std::int64_t keep_from = up_to + 1;  // chunks that begin before it go
  auto chunk = chunk_at(slot, slot.head);
  while (chunk && *chunk && (*chunk)->first <= up_to) {
    const ChunkHead head = **chunk;
    const std::int64_t from = std::max(head.first, slot.head);
    const std::int64_t to = std::min(head.last(), up_to);
    span.count += to - from + 1;
    if (to - from + 1 == head.count) {
      span.bytes += head.bytes;
    } else {
      auto entries = rows_.entries(head);
      if (!entries) return fail(std::move(entries.error()));
      for (std::int64_t seq = from; seq <= to; ++seq) {
        const EntryView& entry = (**entries)[static_cast<std::size_t>(seq - head.first)];
        span.bytes += static_cast<std::int64_t>(entry.payload.size());
      }
    }
    if (to < head.last()) {
      keep_from = head.first;
      break;
    }
    chunk = rows_.chunk_after(slot.id, head.last() + 1);
  }
  if (!chunk) return fail(std::move(chunk.error()));
  TRIBUTARY_TRY(rows_.erase_chunks(slot.id, keep_from));
  slot.head = std::max(slot.head, up_to + 1);
  slot.waiting -= span.count;
  slot.bytes -= span.bytes;
  TRIBUTARY_TRY(find_head(slot));
  return span;
}

Result<Transaction::Span> Transaction::cut(Slot& slot, std::int64_t from, std::int64_t up_to) {
  Span span;
  auto chunk = chunk_at(slot, from);
  while (chunk && *chunk && (*chunk)->first <= up_to) {
    const ChunkHead head = **chunk;
    auto gone = trim(head, from, up_to);
    if (!gone) return gone;
    span.count += gone->count;
    span.bytes += gone->bytes;
    chunk = rows_.chunk_after(slot.id, head.last() + 1);
  }
  if (!chunk) return fail(std::move(chunk.error()));
  slot.waiting -= span.count;
  slot.bytes -= span.bytes;
  return span;
}

Result<Transaction::Span> Transaction::trim(const ChunkHead& chunk, std::int64_t from,
                                            std::int64_t up_to) {
  if (chunk.first >= from && chunk.last() <= up_to) {
    TRIBUTARY_TRY(rows_.erase_chunk(chunk));
    return Span{chunk.count, chunk.bytes};
  }
  auto entries = rows_.entries(chunk);
  if (!entries) return fail(std::move(entries.error()));
  Span gone;
  std::vector<NewEntry> before;
  std::vector<NewEntry> behind;
  for (const EntryView& entry : **entries) {
    if (entry.seq >= from && entry.seq <= up_to) {
      ++gone.count;
      gone.bytes += static_cast<std::int64_t>(entry.payload.size());
    } else {
      (entry.seq < from ? before : behind)
          .push_back({entry.at_us, entry.payload, entry.released_us});
    }
  }
  TRIBUTARY_TRY(rows_.erase_chunk(chunk));
  TRIBUTARY_TRY(rows_.put_entries(chunk.queue, chunk.first, before));
  TRIBUTARY_TRY(rows_.put_entries(chunk.queue, up_to + 1, behind));
  return gone;
}

Result<void> Transaction::find_head(Slot& slot) {
  slot.oldest_us = 0;
  if (slot.waiting == 0) {
    slot.head = slot.next;
    return {};
  }
  auto chunk = chunk_at(slot, slot.head);
  if (!chunk) return fail(std::move(chunk.error()));
  if (!*chunk) return missing_chunk();
  const ChunkHead head = **chunk;
  slot.head = std::max(slot.head, head.first);
  slot.oldest_us = head.oldest_us;
  if (slot.head == head.first) return {};
  auto entries = rows_.entries(head);
  if (!entries) return fail(std::move(entries.error()));
  slot.oldest_us = (**entries)[static_cast<std::size_t>(slot.head - head.first)].at_us;
  return {};
}

Result<void> Transaction::settle(const QueueId& queue, const Settlement& settlement) {
  const auto known = find(queue);
  // Forgotten while its entries were on their way, or settled before: there is nothing left to do.
  if (!known || settlement.up_to < known->head) return {};
  auto dead = collect_dead(*known, settlement);
  if (!dead) return fail(std::move(dead.error()));
  TRIBUTARY_TRY(check_dead_letters(queue.pipeline, *dead));
  Slot& slot = slot_of(queue);
  for (DeadRecord& record : *dead) {
    record.letter.id = setting_.ids.next(setting_.now);
    TRIBUTARY_TRY(rows_.put_dead(record));
    slot.dead_bytes += static_cast<std::int64_t>(record.letter.payload.size());
  }
  const std::int64_t up_to = std::min(settlement.up_to, slot.accepted());
  auto span =
      settlement.from > slot.head ? cut(slot, settlement.from, up_to) : advance(slot, up_to);
  if (!span) return fail(std::move(span.error()));
  const auto died = static_cast<std::int64_t>(dead->size());
  slot.dead += died;
  slot.dead_letters += died;
  slot.delivered += span->count - died;
  return {};
}

Result<std::vector<DeadRecord>> Transaction::collect_dead(const Slot& slot,
                                                          const Settlement& settlement) {
  std::map<std::int64_t, const Settlement::Dead*> named;
  for (const Settlement::Dead& dead : settlement.dead) {
    const std::int64_t first = std::max(slot.head, settlement.from);
    if (dead.seq >= first && dead.seq <= settlement.up_to) named.try_emplace(dead.seq, &dead);
  }
  std::vector<DeadRecord> records;
  std::int64_t bytes = 0;
  for (const auto& [seq, dead] : named) {
    auto chunk = rows_.chunk_before(slot.id, seq);
    if (!chunk) return fail(std::move(chunk.error()));
    if (!*chunk || (*chunk)->last() < seq) continue;  // lost before it could die
    auto entries = rows_.entries(**chunk);
    if (!entries) return fail(std::move(entries.error()));
    const EntryView& entry = (**entries)[static_cast<std::size_t>(seq - (*chunk)->first)];
    bytes += static_cast<std::int64_t>(entry.payload.size());
    DeadRecord record{.queue = slot.id, .seq = seq, .letter = {}};
    record.letter.queue = slot.name;
    record.letter.accepted_at = from_micros(entry.at_us);
    record.letter.dead_at = setting_.now;
    record.letter.attempts = dead->attempts;
    record.letter.reason = dead->reason;
    record.letter.payload = entry.payload;
    records.push_back(std::move(record));
    if (bytes > setting_.options.max_dead_letter_bytes) break;  // refused in any case
  }
  return records;
}

Result<void> Transaction::check_dead_letters(const std::string& pipeline,
                                             const std::vector<DeadRecord>& dead) const {
  if (dead.empty()) return {};
  auto count = static_cast<std::int64_t>(dead.size());
  std::int64_t bytes = 0;
  for (const DeadRecord& record : dead)
    bytes += static_cast<std::int64_t>(record.letter.payload.size());
  for (const Slot& slot : queues_of(pipeline)) {
    count += slot.dead_letters;
    bytes += slot.dead_bytes;
  }
  if (count <= setting_.options.max_dead_letters && bytes <= setting_.options.max_dead_letter_bytes)
    return {};
  return fail(
      ErrorClass::kBusy, "dead_letters_full",
      fmt::format("The pipeline has its {} dead letters, or {} bytes of them.",
                  setting_.options.max_dead_letters, setting_.options.max_dead_letter_bytes),
      "Look at the dead letters: release or delete them.");
}

// ---- forgetting ----

Result<void> Transaction::forget_queue(const QueueId& queue) {
  if (!find(queue)) return {};
  Slot& slot = slot_of(queue);
  slot.dropped += slot.waiting;
  slot.head = slot.next;
  slot.waiting = slot.bytes = slot.oldest_us = 0;
  slot.forgotten = true;
  changes_.leftovers.push_back(slot.id);
  return {};
}

Result<void> Transaction::forget_pipeline(const std::string& pipeline) {
  (void)meta();  // says when the last queue was forgotten
  for (const Slot& slot : queues_of(pipeline)) {
    TRIBUTARY_TRY(rows_.erase_slot(slot.id));
    changes_.leftovers.push_back(slot.id);
    changes_.slots.erase(slot.name);
    changes_.gone.insert(slot.name);
  }
  TRIBUTARY_TRY(rows_.erase_dead_of(pipeline));
  return rows_.erase_states_of(pipeline);
}

// ---- dead letters ----

Result<Transaction::Moved> Transaction::release(const std::string& pipeline,
                                                std::span<const std::string> ids) {
  Moved moved;
  std::vector<DeadRecord> letters;
  std::size_t bytes = 0;
  for (const std::string& id : ids) {
    if (letters.size() == kReleaseLetters || bytes > kReleaseBytes) break;
    ++moved.looked_at;
    auto letter = rows_.dead(pipeline, id);
    if (!letter) return fail(std::move(letter.error()));
    if (!*letter) continue;
    bytes += (*letter)->letter.payload.size();
    letters.push_back(**std::move(letter));
  }
  moved.found = static_cast<std::int64_t>(letters.size());
  const std::span<const DeadRecord> all(letters);
  for (std::size_t start = 0; start < all.size();) {
    std::size_t end = start + 1;
    while (end < all.size() && all[end].letter.queue == all[start].letter.queue) ++end;
    TRIBUTARY_TRY(put_back(all.subspan(start, end - start)));
    start = end;
  }
  return moved;
}

// Letters of one queue.
Result<void> Transaction::put_back(std::span<const DeadRecord> letters) {
  Slot& slot = slot_of(letters.front().letter.queue);
  slot.forgotten = false;
  std::vector<NewEntry> entries;
  for (const DeadRecord& record : letters) {
    const DeadLetter& letter = record.letter;
    entries.push_back({to_micros(letter.accepted_at), letter.payload, to_micros(setting_.now)});
    --slot.dead_letters;
    slot.dead_bytes -= static_cast<std::int64_t>(letter.payload.size());
    TRIBUTARY_TRY(rows_.erase_dead(letter.queue.pipeline, letter.id));
  }
  return put(slot, entries);
}

Result<std::int64_t> Transaction::remove(const std::string& pipeline,
                                         std::span<const std::string> ids) {
  std::int64_t removed = 0;
  for (const std::string& id : ids) {
    auto letter = rows_.dead(pipeline, id);
    if (!letter) return fail(std::move(letter.error()));
    if (!*letter) continue;
    Slot& slot = slot_of((*letter)->letter.queue);
    --slot.dead_letters;
    slot.dead_bytes -= static_cast<std::int64_t>((*letter)->letter.payload.size());
    TRIBUTARY_TRY(rows_.erase_dead(pipeline, id));
    ++removed;
  }
  return removed;
}

Result<void> Transaction::finish() {
  for (auto& [name, slot] : changes_.slots) {
    slot.generation = setting_.generation;
    TRIBUTARY_TRY(rows_.put_slot(slot));
  }
  if (!changes_.meta) return {};
  changes_.meta->generation = setting_.generation;
  return rows_.put_slot(*changes_.meta);
}

}  // namespace tributary::spool
