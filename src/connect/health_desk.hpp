// Answers about health: of one connection and of all. Reading and counting happen on the store's
// reader, so the control executor is free meanwhile.
#pragma once

#include <map>

#include "connect/catalogue.hpp"
#include "connect/health/figures.hpp"

namespace tributary::connect {

// Bounds of an answer.
inline constexpr std::size_t kMaxBuckets = 2000;
inline constexpr std::size_t kMaxTimelineBlocks = 160;  // 10 240 changes
inline constexpr std::size_t kMaxClockSteps = 100;
inline constexpr std::size_t kMaxIssues = 1000;
inline constexpr std::size_t kTopRanked = 10;
inline constexpr std::size_t kMaxFlapping = 100;

struct ConnectionHealth {
  UtcTime from, to;
  health::Figures figures;
  std::vector<health::Segment> timeline;
  bool timeline_complete = true;  // false: it ends after kMaxTimelineBlocks; the figures do not
  std::vector<health::Bucket> buckets;
  std::int64_t changes_in_last_hour = 0;  // before `to`
  std::vector<store::ClockStepRow> clock_steps;
};

struct HealthSubject {
  std::string id, name, type;
  Status status = Status::kIdle;
};

struct RankedHealth {
  HealthSubject subject;
  health::Figures figures;
  std::int64_t changes_in_last_hour = 0;
};

struct HealthIssue {
  HealthSubject subject;
  StateView state;
};

enum class HealthRank : std::uint8_t { kFailures, kDowntime, kFlapping };

struct SystemHealthQuery {
  UtcTime from, to;
  std::function<bool(const store::ConnectionRow& row)> wanted;
  HealthRank rank = HealthRank::kFailures;
  std::size_t limit = 100;
  std::string after;  // SystemHealth::next of the page before; empty: the first page
};

struct SystemHealth {
  UtcTime from, to;
  std::size_t connections = 0;
  std::array<std::int64_t, health::kStatuses> totals{};  // now, by Status
  health::Figures figures;                               // of all together
  std::vector<RankedHealth> page;                        // the worst first
  std::optional<std::string> next;
  std::vector<RankedHealth> most_failures, most_downtime, flapping;
  std::size_t issue_count = 0;
  std::vector<HealthIssue> issues;  // the longest first
  std::vector<store::ClockStepRow> clock_steps;
};

class HealthDesk {
 public:
  using Entries = std::map<std::string, ConnectionEntry>;
  // `entries` is read on the control executor; all of it outlives the desk.
  HealthDesk(Runtime& runtime, store::Store& store, std::shared_ptr<const health::Rollup> rollup,
             const Entries& entries);

  // The window's end is cut to now. `buckets` 0 to kMaxBuckets. Also of deleted connections, as
  // long as their history is kept. Error: kFunction "not_found".
  Task<Result<ConnectionHealth>> health(std::string id, UtcTime from, UtcTime to,
                                        std::size_t buckets);
  Task<Result<SystemHealth>> system(SystemHealthQuery query);
  // Whether there is, or was, such a connection.
  Task<Result<bool>> knows(std::string id);

 private:
  Runtime& runtime_;
  store::Store& store_;
  std::shared_ptr<const health::Rollup> rollup_;
  const Entries& entries_;
};

}  // namespace tributary::connect
