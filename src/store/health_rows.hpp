// What uptime and its relatives are answered from (connect/health/), and how far history reaches
// back. For use inside Store::write and Store::read.
#pragma once

#include <functional>

#include "base/error.hpp"
#include "store/rows.hpp"

namespace soci {
class session;
}

namespace tributary::store {

// Nothing ended: not the same as something that lasted no time.
inline constexpr std::int64_t kNoLength = -1;

// Some transitions of one connection in a row, with everything that was counted before the first of
// them.
struct HealthBlockRow {
  std::string connection_id;
  UtcTime start;                 // of its first transition, on the timeline
  std::int64_t seq = 0;          // of the history row of its first transition
  std::int64_t through_seq = 0;  // and of its last
  // Of the row of the last transition: the next one is placed on the timeline after it.
  std::string boot_id;
  std::int64_t monotonic_ns = 0;
  // Of what ended within the block.
  std::int64_t longest_outage_us = kNoLength;
  std::int64_t longest_recovery_us = kNoLength;
  std::string body;
};

struct HealthBlocks {
  static Result<void> put(soci::session& sql, const HealthBlockRow& row);  // insert or replace
  static Result<std::optional<HealthBlockRow>> newest(soci::session& sql,
                                                      const std::string& connection_id);
  // The last one that starts before `time`.
  static Result<std::optional<HealthBlockRow>> before(soci::session& sql,
                                                      const std::string& connection_id,
                                                      UtcTime time);
  // The same for every connection that exists and has one; the body only, in order of id.
  static Result<void> before_for_all(
      soci::session& sql, UtcTime time,
      const std::function<void(const std::string& id, const std::string& body)>& take);
  // Those behind `after_seq` that start before `to`, in order, at most `limit`.
  static Result<std::vector<HealthBlockRow>> range(soci::session& sql,
                                                   const std::string& connection_id,
                                                   std::int64_t after_seq, UtcTime to,
                                                   std::size_t limit);
  // Of the blocks between two: the longest of what ended in them, and where the first one starts.
  struct Between {
    std::int64_t longest_outage_us = kNoLength;
    std::int64_t longest_recovery_us = kNoLength;
    std::optional<UtcTime> first_start;
  };
  static Result<Between> between(soci::session& sql, const std::string& connection_id,
                                 std::int64_t after_seq, std::int64_t before_seq);
  static Result<void> remove(soci::session& sql, const std::string& connection_id);
};

// The wall clock was set while the hub ran, or went back while it did not.
struct ClockStepRow {
  UtcTime at;  // where the timeline of the status puts it
  std::int64_t step_us = 0;
  std::string boot_id;
};

struct ClockSteps {
  static Result<void> append(soci::session& sql, const ClockStepRow& row);
  // Those with from <= at < to, oldest first.
  static Result<std::vector<ClockStepRow>> range(soci::session& sql, UtcTime from, UtcTime to,
                                                 std::size_t limit);
  static Result<void> expire(soci::session& sql, UtcTime before);
};

struct BootRow {
  std::string boot_id;
  UtcTime at;  // of its last sign of life
  std::int64_t monotonic_ns = 0;
};

struct Boots {
  static Result<std::vector<BootRow>> all(soci::session& sql);  // in the order they came
  // The newest two stay whatever their time is.
  static Result<void> expire(soci::session& sql, UtcTime before);
};

// Ends of history, for its retention.
struct HistoryEnds {
  // The first connection with history behind this id; deleted ones too.
  static Result<std::optional<std::string>> next_connection(soci::session& sql,
                                                            const std::string& after);
  static Result<bool> connection_exists(soci::session& sql, const std::string& connection_id);
  static Result<std::optional<HistoryRow>> newest(soci::session& sql,
                                                  const std::string& connection_id);
  // Rows behind seq `after` in order, at most `limit`.
  static Result<std::vector<HistoryRow>> after(soci::session& sql, const std::string& connection_id,
                                               std::int64_t after, std::size_t limit);
  // Removes the oldest rows below `seq`, at most `limit`; answers how many went.
  static Result<std::int64_t> remove_before(soci::session& sql, const std::string& connection_id,
                                            std::int64_t seq, std::size_t limit);
};

}  // namespace tributary::store
