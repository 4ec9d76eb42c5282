#include "connect/history_keeper.hpp"

#include "connect/health/block.hpp"
#include "runtime/log.hpp"
#include "store/health_rows.hpp"
#include "store/repositories.hpp"

namespace tributary::connect {

namespace {

constexpr Duration kFirstSweep{std::chrono::minutes{1}};
constexpr Duration kSweepEvery{std::chrono::hours{1}};
constexpr Duration kBetweenSteps{std::chrono::milliseconds{200}};

// The seq below which the rows of one connection may go, and whether the connection goes with them.
struct Limit {
  std::int64_t seq = 0;
  bool forget = false;
};

Result<Limit> limit_of(soci::session& sql, const std::string& id, UtcTime before) {
  auto newest = store::HistoryEnds::newest(sql, id);
  if (!newest) return fail(std::move(newest.error()));
  auto exists = store::HistoryEnds::connection_exists(sql, id);
  if (!exists) return fail(std::move(exists.error()));
  // By the timeline, not by the wall clock of the row: a start without a clock writes 1970 and must
  // not take everything before it along.
  auto found = store::HealthBlocks::before(sql, id, before);
  if (!found) return fail(std::move(found.error()));
  if (!*newest || !*found) return Limit{};
  auto block = health::from_row(**found);
  if (!block) return fail(std::move(block.error()));
  const auto older = std::ranges::lower_bound(block->marks, before, {}, &health::Mark::at);
  const std::int64_t anchor = block->seq + (older - block->marks.begin()) - 1;
  if (!*exists && anchor == (*newest)->seq) return Limit{anchor + 1, true};
  return Limit{anchor, false};
}

}  // namespace

Result<std::optional<std::string>> trim_history(soci::session& sql, const std::string& after,
                                                UtcTime before) {
  std::string done = after;
  std::int64_t budget = kTrimmedRowsPerStep;
  for (std::size_t i = 0; i < kTrimmedConnectionsPerStep; ++i) {
    auto next = store::HistoryEnds::next_connection(sql, done);
    if (!next) return fail(std::move(next.error()));
    if (!*next) return std::nullopt;
    const std::string& id = **next;
    auto limit = limit_of(sql, id, before);
    if (!limit) return fail(std::move(limit.error()));
    auto removed =
        store::HistoryEnds::remove_before(sql, id, limit->seq, static_cast<std::size_t>(budget));
    if (!removed) return fail(std::move(removed.error()));
    budget -= *removed;
    // Perhaps not all of its rows: the next step begins with it again.
    if (budget <= 0) return done;
    if (limit->forget) TRIBUTARY_TRY(store::HealthBlocks::remove(sql, id));
    done = id;
  }
  return done;
}

HistoryKeeper::HistoryKeeper(Runtime& runtime, store::Store& store, int days)
    : runtime_(runtime),
      store_(store),
      days_(days),
      first_utc_(runtime.clock().utc_now()),
      first_steady_(runtime.clock().steady_now()) {}

void HistoryKeeper::start() {
  arm(kFirstSweep);
}

void HistoryKeeper::arm(Duration wait) {
  timer_ =
      runtime_.timers().at(runtime_.control(), runtime_.timers().now() + wait, [this] { step(); });
}

UtcTime HistoryKeeper::cut_off() const {
  // A wall clock that is set far ahead for a moment must not cost the history.
  const auto passed =
      std::chrono::floor<std::chrono::microseconds>(runtime_.clock().steady_now() - first_steady_);
  return std::min(runtime_.clock().utc_now(), first_utc_ + passed) - std::chrono::days{days_};
}

void HistoryKeeper::step() {
  auto next = std::make_shared<std::optional<std::string>>();
  store_.post_write(
      [next, after = after_, before = cut_off()](soci::session& sql) -> Result<void> {
        auto trimmed = trim_history(sql, after, before);
        if (!trimmed) return fail(std::move(trimmed.error()));
        *next = *std::move(trimmed);
        return {};
      },
      [next, weak = weak_from_this(), control = runtime_.control()](Result<void> done) {
        if (!done) {
          log::warning("connect", "Old history could not be removed; it is tried again later.",
                       {{"error", done.error().message}});
          next->reset();
        }
        asio::post(control, [next, weak] {
          const auto self = weak.lock();
          if (!self) return;
          if (!*next) return self->finish_sweep();
          self->after_ = **next;
          self->arm(kBetweenSteps);
        });
      });
}

void HistoryKeeper::finish_sweep() {
  after_.clear();
  store_.post_write(
      [before = cut_off()](soci::session& sql) -> Result<void> {
        TRIBUTARY_TRY(store::Alarms::expire(sql, before));
        TRIBUTARY_TRY(store::Boots::expire(sql, before));
        return store::ClockSteps::expire(sql, before);
      },
      [](Result<void> done) {
        if (!done)
          log::warning("connect", "Old alarms could not be removed; it is tried again later.",
                       {{"error", done.error().message}});
      });
  arm(kSweepEvery);
}

}  // namespace tributary::connect
