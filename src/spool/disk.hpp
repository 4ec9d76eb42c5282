// The spool's files in use: both connections, what is known beside them, and how all of it comes
// back after the disk has failed. Writer thread, but for read().
#pragma once

#include <deque>
#include <mutex>

#include "spool/check.hpp"
#include "spool/files.hpp"
#include "spool/numbers.hpp"
#include "spool/reading.hpp"
#include "spool/rows.hpp"
#include "spool/seen.hpp"
#include "spool/transaction.hpp"

namespace tributary::spool {

class Disk {
 public:
  // Opens what is there; see Spool::open.
  static Result<std::unique_ptr<Disk>> open(const std::string& dir, const Clock& clock);

  // Closes everything, forgets what the page cache believes and what was never acknowledged, and
  // reads the files again, mending what needs it.
  Result<void> reopen();
  void close();

  Database& database() { return *database_; }
  Rows& rows() { return rows_; }
  Numbers& numbers() { return numbers_; }
  DeadIds& dead_ids() { return dead_ids_; }
  const Paths& paths() const { return paths_; }
  std::int64_t next_generation() const { return generation_ + 1; }

  // The commit is on the disk: from now on it counts.
  void acknowledge(const Changes& changes, std::int64_t generation);
  Result<void> checkpoint(Database::Checkpoint kind);
  // Removes some of what is settled and still there. Inside a transaction.
  Result<void> sweep();
  bool swept() const { return leftovers_.empty(); }

  // Asks the reader; any thread, one at a time. `ask` takes a Reading&.
  template <typename Ask>
  auto read(Ask ask) -> std::invoke_result_t<Ask, Reading&> {
    const std::lock_guard lock(reading_mutex_);
    if (!reading_open_) return fail(closed());
    return ask(reading_);
  }

 private:
  Disk(const std::string& dir, const Clock& clock, Seen seen)
      : paths_(dir), clock_(clock), seen_(std::move(seen)) {}
  static Error closed();
  Result<void> open_files();
  Result<Inventory> look();
  Result<void> adopt(const Inventory& inventory);
  // Cuts off the WAL what was written behind the last acknowledged commit.
  Result<void> undo_unacknowledged();
  std::string wal_salts() const;

  const Paths paths_;
  const Clock& clock_;
  Seen seen_;
  std::unique_ptr<Database> database_;
  Rows rows_;
  Numbers numbers_;
  DeadIds dead_ids_;
  std::int64_t generation_ = 0;
  std::deque<std::int64_t> leftovers_;

  // Where the acknowledged part of the WAL ends; unknown before the first commit or checkpoint.
  struct WalEnd {
    std::int64_t pages = 0;
    std::string salts;  // of the WAL's head: it begins anew after a checkpoint, with others
  };
  std::optional<WalEnd> wal_end_;

  std::mutex reading_mutex_;
  Reading reading_;
  bool reading_open_ = false;
};

}  // namespace tributary::spool
