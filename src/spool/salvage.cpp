#include "spool/salvage.hpp"

#include "runtime/log.hpp"
#include "spool/check.hpp"
#include "spool/pages.hpp"
#include "spool/rows.hpp"

namespace tributary::spool {

namespace {

class Salvage {
 public:
  Salvage(const Paths& paths, const std::map<std::int64_t, Slot>& seen)
      : paths_(paths), slots_(seen) {}

  Result<void> build();

 private:
  void take_slot(Slot slot);
  Result<void> take_by_sql();
  void take_entry(const EntryView& entry);
  void take_dead(const DeadRecord& dead);
  void take_state(const StateRecord& state);
  Result<void> write_run();
  Result<void> write_uncovered();
  Result<void> write_numbers();
  Result<void> count_chunks();
  Result<void> count_dead();
  void note(Result<void> done) {
    if (!done && outcome_) outcome_ = std::move(done);
  }

  const Paths& paths_;
  std::unique_ptr<Database> out_;
  Rows rows_;
  std::map<std::int64_t, Slot> slots_;
  std::vector<Entry> run_;  // entries that follow one another
  std::int64_t run_queue_ = 0;
  std::size_t run_bytes_ = 0;
  std::int64_t homeless_ = 0;  // entries of queues that nothing is known of
  bool dead_by_sql_ = false;
  bool states_by_sql_ = false;
  Result<void> outcome_;  // the first failure to write
};

Result<void> Salvage::build() {
  {
    // Ours alone; SQLite gives its other files the same rights.
    const auto file = open_file(paths_.building, true);
    if (!file) return fail(file.error());
  }
  auto made = Database::open(paths_.building, Database::Use::kBuild);
  if (!made) return fail(std::move(made.error()));
  out_ = std::move(*made);
  TRIBUTARY_TRY(create_tables(*out_));
  TRIBUTARY_TRY(rows_.prepare(*out_));
  TRIBUTARY_TRY(out_->run("begin immediate"));
  auto pages = Pages::open(paths_);
  if (!pages) return fail(std::move(pages.error()));
  // The numbers first: they say which of the entries still wait.
  const Found numbers{.entry = {},
                      .slot = [this](Slot slot) { take_slot(std::move(slot)); },
                      .dead = {},
                      .state = {}};
  TRIBUTARY_TRY(
      pages->for_each_stretch(Pages::Where::kTables, [&](std::string_view bytes) -> Result<void> {
        find_records(bytes, numbers);
        return {};
      }));
  TRIBUTARY_TRY(take_by_sql());
  const Found rest{.entry = [this](const EntryView& entry) { take_entry(entry); },
                   .slot = {},
                   .dead =
                       [this](const DeadRecord& dead) {
                         if (!dead_by_sql_) take_dead(dead);
                       },
                   .state =
                       [this](const StateRecord& state) {
                         if (!states_by_sql_) take_state(state);
                       }};
  TRIBUTARY_TRY(
      pages->for_each_stretch(Pages::Where::kAll, [&](std::string_view bytes) -> Result<void> {
        find_records(bytes, rest);
        note(write_run());
        return outcome_;
      }));
  TRIBUTARY_TRY(write_numbers());
  TRIBUTARY_TRY(out_->run("commit"));
  rows_ = {};
  TRIBUTARY_TRY(out_->finish());
  out_.reset();
  if (homeless_ > 0) {
    log::error("spool", "entries of queues that nothing is known of were left in the damaged file",
               {{"entries", std::to_string(homeless_)}});
  }
  return {};
}

void Salvage::take_slot(Slot slot) {
  const auto [known, made] = slots_.try_emplace(slot.id, slot);
  if (!made && known->second.generation < slot.generation) known->second = std::move(slot);
}

// What SQLite still reads without complaint is exact. Pages that it no longer uses may hold letters
// and states that are gone for good, so these are looked at only when it fails.
Result<void> Salvage::take_by_sql() {
  if (!exists(paths_.database) || !check_head(paths_)) return {};
  auto opened = Database::open(paths_.database, Database::Use::kRead);
  if (!opened) return {};
  std::int64_t letters = 0;
  const auto read_all = [&](const char* query, const auto& take) {
    auto statement = (*opened)->prepare(query);
    if (!statement) return false;
    for (;;) {
      auto row = statement->step();
      if (!row) return false;
      if (!*row) return true;
      if (!take(statement->bytes(0))) return false;
    }
  };
  dead_by_sql_ = read_all("select record from dead", [&](std::string_view bytes) {
    const auto record = read_dead(bytes);
    if (!record) return false;
    ++letters;
    take_dead(*record);
    return true;
  });
  states_by_sql_ = read_all("select record from states", [&](std::string_view bytes) {
    const auto record = read_state(bytes);
    if (!record) return false;
    take_state(*record);
    return true;
  });
  std::int64_t expected = 0;
  for (const auto& [id, slot] : slots_) expected += slot.dead_letters;
  dead_by_sql_ = dead_by_sql_ && letters >= expected;
  return outcome_;
}

void Salvage::take_entry(const EntryView& entry) {
  const auto slot = slots_.find(entry.queue);
  if (slot == slots_.end()) {
    ++homeless_;
    return;
  }
  if (entry.seq < slot->second.head) return;  // settled
  const bool follows = !run_.empty() && run_queue_ == entry.queue &&
                       run_.back().seq + 1 == entry.seq && run_bytes_ < kChunkBytes;
  if (!follows) note(write_run());
  run_queue_ = entry.queue;
  run_bytes_ += entry.payload.size();
  run_.push_back(to_entry(entry));
}

Result<void> Salvage::write_run() {
  if (run_.empty()) return {};
  auto done = write_uncovered();
  run_.clear();
  run_bytes_ = 0;
  return done;
}

// Several copies of a chunk may be found, each damaged elsewhere: every entry is taken once.
Result<void> Salvage::write_uncovered() {
  std::vector<NewEntry> fresh;
  std::int64_t first = 0;
  const auto flush = [&]() -> Result<void> {
    if (fresh.empty()) return {};
    auto done = rows_.put_entries(run_queue_, first, fresh);
    fresh.clear();
    return done;
  };
  auto nearest = rows_.chunk_before(run_queue_, run_.back().seq);
  if (!nearest) return fail(std::move(nearest.error()));
  const bool overlaps = *nearest && (*nearest)->last() >= run_.front().seq;
  for (const Entry& entry : run_) {
    if (overlaps) {
      auto holder = rows_.chunk_before(run_queue_, entry.seq);
      if (!holder) return fail(std::move(holder.error()));
      if (*holder && (*holder)->last() >= entry.seq) {
        TRIBUTARY_TRY(flush());
        continue;
      }
    }
    if (fresh.empty()) first = entry.seq;
    fresh.push_back({to_micros(entry.at), entry.payload,
                     entry.released_at ? to_micros(*entry.released_at) : 0});
  }
  return flush();
}

void Salvage::take_dead(const DeadRecord& dead) {
  if (!slots_.contains(dead.queue)) {
    Slot slot;
    slot.id = dead.queue;
    slot.name = dead.letter.queue;
    slots_.emplace(slot.id, slot);
  }
  note(rows_.put_dead(dead));
}

void Salvage::take_state(const StateRecord& state) {
  auto known = rows_.state(state);
  if (!known) return note(fail(std::move(known.error())));
  if (*known && (*known)->generation >= state.generation) return;
  note(rows_.put_state(state));
}

Result<void> Salvage::write_numbers() {
  Slot& meta = slots_[0];
  std::int64_t generation = 0;
  for (auto& [id, slot] : slots_) {
    generation = std::max(generation, slot.generation);
    meta.next = std::max(meta.next, id + 1);
    if (id == 0) continue;
    slot.head = slot.next;
    slot.waiting = slot.bytes = slot.oldest_us = slot.dead_letters = slot.dead_bytes = 0;
  }
  meta.head = kFormatVersion;
  TRIBUTARY_TRY(count_chunks());
  TRIBUTARY_TRY(count_dead());
  for (auto& [id, slot] : slots_) {
    slot.generation = generation + 1;
    if (id != 0) {
      // What had left the queue before older entries may be found again: it waits once more.
      slot.delivered -= std::max<std::int64_t>(0, slot.waiting - slot.owed());
      const std::int64_t missing = slot.owed() - slot.waiting;
      slot.lost += missing;
      if (missing > 0) {
        log::error("spool", "entries were lost to damage on the disk",
                   {{"pipeline", slot.name.pipeline},
                    {"node", slot.name.node},
                    {"entries", std::to_string(missing)}});
      }
    }
    TRIBUTARY_TRY(rows_.put_slot(slot));
  }
  return {};
}

Result<void> Salvage::count_chunks() {
  auto rows =
      out_->prepare("select queue, first, count, bytes, oldest from chunks order by queue, first");
  if (!rows) return fail(std::move(rows.error()));
  for (;;) {
    auto row = rows->step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return {};
    Slot& slot = slots_[rows->number(0)];
    const std::int64_t first = rows->number(1);
    if (slot.waiting == 0) {
      slot.head = first;
      slot.oldest_us = rows->number(4);
    }
    slot.waiting += rows->number(2);
    slot.bytes += rows->number(3);
    slot.next = std::max(slot.next, first + rows->number(2));
  }
}

Result<void> Salvage::count_dead() {
  auto rows = out_->prepare("select queue, count(*), sum(bytes) from dead group by queue");
  if (!rows) return fail(std::move(rows.error()));
  for (;;) {
    auto row = rows->step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return {};
    Slot& slot = slots_[rows->number(0)];
    slot.dead_letters = rows->number(1);
    slot.dead_bytes = rows->number(2);
  }
}

}  // namespace

Result<void> salvage(const Paths& paths, const std::map<std::int64_t, Slot>& seen, UtcTime now) {
  TRIBUTARY_TRY(finish_swap(paths, now));
  {
    Salvage work(paths, seen);
    TRIBUTARY_TRY(work.build());
  }
  return swap_in(paths, now);
}

}  // namespace tributary::spool
