#include "spool/disk.hpp"

#include <unistd.h>
#include <cerrno>
#include <limits>

#include "runtime/log.hpp"
#include "spool/salvage.hpp"

namespace tributary::spool {

namespace {

// The second time is for what the first one could not see; a third would show the same again.
constexpr int kMaxMends = 2;
constexpr std::int64_t kSweepChunks = 64;
constexpr std::int64_t kWalHeadBytes = 32;
constexpr std::int64_t kFrameBytes = 24 + kPageBytes;

}  // namespace

Error Disk::closed() {
  return {ErrorClass::kInternal, "spool_failed", "The spool cannot be read: the disk has failed.",
          "Check the disk of the data directory; the server goes on by itself when it works."};
}

Result<std::unique_ptr<Disk>> Disk::open(const std::string& dir, const Clock& clock) {
  auto seen = Seen::open(Paths(dir).seen);
  if (!seen) return fail(std::move(seen.error()));
  std::unique_ptr<Disk> disk(new Disk(dir, clock, std::move(*seen)));
  TRIBUTARY_TRY(disk->open_files());
  return disk;
}

Result<void> Disk::reopen() {
  close();
  TRIBUTARY_TRY(undo_unacknowledged());
  // Everything that could be trusted was flushed; the rest must be asked of the disk itself.
  forget_cached(paths_.database);
  forget_cached(paths_.wal);
  return open_files();
}

void Disk::close() {
  const std::lock_guard lock(reading_mutex_);
  reading_open_ = false;
  reading_.close();
  rows_ = {};
  database_.reset();
}

Result<void> Disk::open_files() {
  for (int mends = 0;; ++mends) {
    auto inventory = look();
    if (inventory) return adopt(*inventory);
    close();
    if (inventory.error().code != kDamaged) return fail(std::move(inventory.error()));
    if (mends == kMaxMends) {
      inventory.error().code = "spool_failed";
      return fail(std::move(inventory.error()));
    }
    const bool anything = exists(paths_.database) || exists(paths_.wal) || !seen_.slots().empty();
    if (anything) {
      log::error("spool", "what can be read is saved into a new file",
                 {{"path", paths_.database}, {"reason", inventory.error().message}});
    }
    auto saved = salvage(paths_, seen_.slots(), clock_.utc_now());
    if (!saved && saved.error().code == kDamaged) saved.error().code = "spool_failed";
    if (!saved) return saved;
    wal_end_.reset();
  }
}

Result<Inventory> Disk::look() {
  TRIBUTARY_TRY(finish_swap(paths_, clock_.utc_now()));
  if (!exists(paths_.database)) return damaged("there is no file");
  if (::access(paths_.database.c_str(), R_OK | W_OK) != 0)
    return fail(from_errno(errno, paths_.database, "spool_unwritable"));
  TRIBUTARY_TRY(check_head(paths_));
  auto opened = Database::open(paths_.database, Database::Use::kWrite);
  if (!opened) return fail(std::move(opened.error()));
  database_ = std::move(*opened);
  auto inventory = take_inventory(*database_);
  if (!inventory) return inventory;
  for (const auto& [id, slot] : seen_.slots()) {
    if (slot.generation > inventory->generation)
      return damaged("commits that were acknowledged are missing at its end");
  }
  return inventory;
}

Result<void> Disk::adopt(const Inventory& inventory) {
  TRIBUTARY_TRY(rows_.prepare(*database_));
  {
    const std::lock_guard lock(reading_mutex_);
    TRIBUTARY_TRY(reading_.open(paths_.database));
    reading_open_ = true;
  }
  numbers_.load(inventory.slots, inventory.meta.next);
  dead_ids_.seen(inventory.last_dead_letter);
  generation_ = inventory.generation;
  leftovers_.assign(inventory.leftovers.begin(), inventory.leftovers.end());
  // A queue that only this file remembers was forgotten, or the check above had missed commits.
  std::vector<std::int64_t> gone;
  for (const auto& [id, slot] : seen_.slots()) {
    if (id != 0 && !inventory.slots.contains(id)) gone.push_back(id);
  }
  for (const std::int64_t id : gone) seen_.erase(id);
  const auto known = [this](const Slot& slot) {
    const auto at = seen_.slots().find(slot.id);
    return at != seen_.slots().end() && at->second == slot;
  };
  if (!known(inventory.meta)) seen_.write(inventory.meta);
  for (const auto& [id, slot] : inventory.slots) {
    if (!known(slot)) seen_.write(slot);
  }
  wal_end_.reset();
  // An empty WAL is a known end. A disk without room for it leaves the WAL as it is.
  auto emptied = checkpoint(Database::Checkpoint::kTruncate);
  return emptied || emptied.error().code == "disk_full" ? Result<void>() : emptied;
}

void Disk::acknowledge(const Changes& changes, std::int64_t generation) {
  generation_ = generation;
  const std::int64_t pages = database_->wal_pages();
  if (!wal_end_ || wal_end_->pages == 0 || pages <= wal_end_->pages)
    wal_end_ = WalEnd{pages, wal_salts()};
  wal_end_->pages = pages;
  for (const std::int64_t id : numbers_.publish(changes)) seen_.erase(id);
  for (const auto& [name, slot] : changes.slots) seen_.write(slot);
  if (changes.meta) seen_.write(*changes.meta);
  leftovers_.insert(leftovers_.end(), changes.leftovers.begin(), changes.leftovers.end());
}

Result<void> Disk::checkpoint(Database::Checkpoint kind) {
  if (kind == Database::Checkpoint::kPassive) return database_->checkpoint(kind);
  // Between two questions no snapshot is held, so nothing is in the way of cutting the WAL.
  const std::lock_guard lock(reading_mutex_);
  TRIBUTARY_TRY(database_->checkpoint(kind));
  if (size_of(paths_.wal) == 0) wal_end_ = WalEnd{};
  return {};
}

Result<void> Disk::sweep() {
  const std::int64_t queue = leftovers_.front();
  std::int64_t head = std::numeric_limits<std::int64_t>::max();
  for (const Slot& slot : numbers_.all()) {
    if (slot.id == queue) head = slot.head;
  }
  // Whole chunks only: the one that holds the head stays.
  if (head != std::numeric_limits<std::int64_t>::max()) {
    auto holder = rows_.chunk_before(queue, head);
    if (!holder) return fail(std::move(holder.error()));
    if (*holder && (*holder)->last() >= head) head = (*holder)->first;
  }
  auto removed = rows_.erase_some_chunks(queue, head, kSweepChunks);
  if (!removed) return fail(std::move(removed.error()));
  if (*removed < kSweepChunks) leftovers_.pop_front();
  return {};
}

std::string Disk::wal_salts() const {
  std::string salts(8, '\0');
  auto file = open_file(paths_.wal, false);
  if (file) (void)read_at(*file, salts.data(), salts.size(), 16);
  return salts;
}

Result<void> Disk::undo_unacknowledged() {
  if (!wal_end_) return {};
  // Under another head lie only frames of commits that were not acknowledged: SQLite begins the WAL
  // anew when everything in it is in the database.
  const bool same = wal_end_->pages > 0 && wal_salts() == wal_end_->salts;
  return cut_file(paths_.wal, same ? kWalHeadBytes + wal_end_->pages * kFrameBytes : 0);
}

}  // namespace tributary::spool
