#include "connect/history_log.hpp"

#include "runtime/log.hpp"
#include "store/repositories.hpp"

namespace tributary::connect {

void StoreHistoryLog::append(std::vector<store::HistoryRow> rows,
                             std::optional<store::ConnectionRow> intent,
                             std::move_only_function<void(Result<void>)> done) {
  const std::string id = rows.empty() ? std::string() : rows.front().connection_id;
  store_.post_write(
      [rows = std::move(rows), intent = std::move(intent),
       rollup = rollup_](soci::session& sql) -> Result<void> {
        if (intent) TRIBUTARY_TRY(store::Connections::set_intent(sql, *intent));
        for (const auto& row : rows) TRIBUTARY_TRY(store::History::append(sql, row));
        return rollup->append(sql, rows);
      },
      [id, rollup = rollup_, done = std::move(done)](Result<void> stored) mutable {
        if (stored) {
          rollup->committed(id);
        } else {
          rollup->rolled_back(id);
        }
        done(std::move(stored));
      });
}

Recorder::Recorder(HistoryLog& log, Executor executor, std::string connection_id,
                   std::int64_t last_seq)
    : log_(log),
      executor_(executor),
      connection_id_(std::move(connection_id)),
      last_seq_(last_seq) {}

void Recorder::keep_unsaved(std::vector<store::HistoryRow> rows) {
  unsaved_.insert(unsaved_.end(), std::make_move_iterator(rows.begin()),
                  std::make_move_iterator(rows.end()));
  std::ranges::sort(unsaved_, {}, &store::HistoryRow::seq);
}

Task<Result<void>> Recorder::record(std::vector<store::HistoryRow> rows,
                                    std::optional<store::ConnectionRow> intent, Timers& timers,
                                    Duration patience) {
  const std::int64_t seq_before = last_seq_;
  for (auto& row : rows) {
    row.connection_id = connection_id_;
    row.seq = ++last_seq_;
    // The row that closes the run before this one belongs to that run's clock.
    if (row.to != to_string(Status::kUnknown)) row.boot_id = log_.boot_id();
  }
  std::vector<store::HistoryRow> batch = std::exchange(unsaved_, {});
  const std::size_t kept = batch.size();
  batch.insert(batch.end(), rows.begin(), rows.end());

  struct Outcome {
    explicit Outcome(Executor executor) : done(executor) {}
    Event done;
    std::optional<Result<void>> result;
  };
  auto outcome = std::make_shared<Outcome>(executor_);
  const bool is_command = intent.has_value();
  auto copy = batch;
  log_.append(
      std::move(copy), std::move(intent),
      [self = shared_from_this(), outcome, batch, is_command, kept](Result<void> result) mutable {
        Executor executor = self->executor_;
        asio::post(executor, [self = std::move(self), outcome, batch = std::move(batch), is_command,
                              kept, result = std::move(result)]() mutable {
          if (!result) {
            log::error("connect", "History could not be stored; it will be tried again.",
                       {{"connection", self->connection_id_}, {"error", result.error().message}});
            // A command that was not stored did not happen: only the rows from before it are still
            // to be told.
            if (is_command) batch.resize(kept);
            self->keep_unsaved(std::move(batch));
          }
          outcome->result = std::move(result);
          outcome->done.set();
        });
      });
  const SteadyTime deadline = timers.now() + patience;
  const bool answered = co_await outcome->done.wait_until(timers, deadline);
  if (!answered || !outcome->result) co_return Result<void>{};
  if (!*outcome->result && is_command) last_seq_ = seq_before;
  co_return std::move(*outcome->result);
}

}  // namespace tributary::connect
