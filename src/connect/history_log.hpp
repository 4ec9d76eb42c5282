// Where decisions become durable before they have an effect (lifecycle §1).
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "connect/health/rollup.hpp"
#include "runtime/event.hpp"
#include "store/rows.hpp"
#include "store/store.hpp"

namespace tributary::connect {

class HistoryLog {
 public:
  virtual ~HistoryLog() = default;
  // Stores the rows, and the intent when it changes, in one transaction. `done` is called once, on
  // any thread, after the commit or its failure. Calls are applied in the order in which they are
  // made.
  virtual void append(std::vector<store::HistoryRow> rows,
                      std::optional<store::ConnectionRow> intent,
                      std::move_only_function<void(Result<void>)> done) = 0;
  virtual const std::string& boot_id() const = 0;
};

// Rows of one append are of one connection; its roll-up goes into the same transaction.
class StoreHistoryLog final : public HistoryLog {
 public:
  StoreHistoryLog(store::Store& store, std::shared_ptr<health::Rollup> rollup)
      : store_(store), rollup_(std::move(rollup)) {}
  void append(std::vector<store::HistoryRow> rows, std::optional<store::ConnectionRow> intent,
              std::move_only_function<void(Result<void>)> done) override;
  const std::string& boot_id() const override { return store_.boot_id(); }

 private:
  store::Store& store_;
  std::shared_ptr<health::Rollup> rollup_;
};

// The rows of one connection: numbers them without holes, and keeps what could not be stored for
// the next time. Lives on the connection's executor.
class Recorder : public std::enable_shared_from_this<Recorder> {
 public:
  Recorder(HistoryLog& log, Executor executor, std::string connection_id, std::int64_t last_seq);

  // Waits until the rows are on disk, for `patience` at most: a disk that hangs must not keep a
  // loss from being shown. The rows then stay queued behind the disk, in order. Error: the rows
  // were not stored; they will be tried again with the next ones unless `intent` was given: then
  // nothing happened, and nobody must act on it.
  Task<Result<void>> record(std::vector<store::HistoryRow> rows,
                            std::optional<store::ConnectionRow> intent, Timers& timers,
                            Duration patience);
  const std::string& boot_id() const { return log_.boot_id(); }
  std::int64_t last_seq() const { return last_seq_; }

 private:
  void keep_unsaved(std::vector<store::HistoryRow> rows);

  HistoryLog& log_;
  Executor executor_;
  std::string connection_id_;
  std::int64_t last_seq_;
  std::vector<store::HistoryRow> unsaved_;
};

}  // namespace tributary::connect
