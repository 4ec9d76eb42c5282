#include "connect/health.hpp"

#include <numeric>

#include "connect/lifecycle/reduce.hpp"

namespace tributary::connect {

namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

// An outage is over when the connection held for this long (lifecycle §6).
constexpr microseconds kRecoveredAfter = std::chrono::seconds{30};

Status status_of(const store::HistoryRow& row) {
  return parse_status(row.to).value_or(Status::kUnknown);
}

bool is_planned(const store::HistoryRow& row) {
  return row.note.starts_with(lifecycle::kMaintenanceNote);
}

double seconds_of(microseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

// One stretch of one status inside the window, with the row that began it (none before the first
// row).
struct Stretch {
  UtcTime from, to;
  Status status;
  const store::HistoryRow* row;
};

std::vector<Stretch> stretches_of(std::span<const store::HistoryRow> rows, UtcTime from,
                                  UtcTime to) {
  std::vector<Stretch> stretches;
  const auto times = effective_times(rows);
  const auto add = [&](UtcTime begin, UtcTime end, Status status, const store::HistoryRow* row) {
    begin = std::clamp(begin, from, to);
    end = std::clamp(end, from, to);
    if (begin < end) stretches.push_back({begin, end, status, row});
  };
  add(from, rows.empty() ? to : times.front(), Status::kUnknown, nullptr);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    add(times[i], i + 1 < rows.size() ? times[i + 1] : to, status_of(rows[i]), &rows[i]);
  }
  return stretches;
}

bool is_loss(const store::HistoryRow& row) {
  const Status to = status_of(row);
  return parse_status(row.from) == Status::kConnected &&
         (to == Status::kDisconnected || to == Status::kFailed);
}

bool counts_as_failure(const store::HistoryRow& row) {
  if (is_planned(row)) return false;
  return is_loss(row) || status_of(row) == Status::kFailed;
}

// What ends an outage without a recovery: people stopped it, or nobody knows.
bool excluded(Status status) {
  return status == Status::kIdle || status == Status::kSuspended || status == Status::kUnknown;
}

struct Outages {
  std::vector<microseconds> recovered;
  std::optional<microseconds> longest;
};

Outages find_outages(std::span<const Stretch> stretches) {
  Outages outages;
  std::optional<UtcTime> lost;
  const auto end = [&](UtcTime at, bool recovered) {
    const auto length = at - *std::exchange(lost, std::nullopt);
    if (recovered) outages.recovered.push_back(length);
    outages.longest = std::max(outages.longest.value_or(microseconds::zero()), length);
  };
  for (const auto& stretch : stretches) {
    if (!lost && stretch.row && is_loss(*stretch.row)) lost = stretch.from;
    if (!lost) continue;
    if (excluded(stretch.status)) {
      end(stretch.from, false);
    } else if (stretch.status == Status::kConnected &&
               stretch.to - stretch.from >= kRecoveredAfter) {
      end(stretch.from, true);
    }
  }
  // Still open at the end: part of the longest outage, not of the mean.
  if (lost) end(stretches.back().to, false);
  return outages;
}

void merge_into_timeline(std::vector<Segment>& timeline, const Stretch& stretch) {
  if (!timeline.empty() && timeline.back().status == stretch.status &&
      timeline.back().to == stretch.from) {
    timeline.back().to = stretch.to;
  } else {
    timeline.push_back({stretch.from, stretch.to, stretch.status});
  }
}

}  // namespace

std::vector<UtcTime> effective_times(std::span<const store::HistoryRow> rows) {
  std::vector<UtcTime> times;
  times.reserve(rows.size());
  const store::HistoryRow* anchor = nullptr;
  UtcTime anchor_time{};
  for (const auto& row : rows) {
    const bool same_boot =
        anchor && anchor->boot_id == row.boot_id && row.monotonic_ns >= anchor->monotonic_ns;
    UtcTime time = row.at;
    if (same_boot && row.monotonic_ns != 0) {
      time = anchor_time + std::chrono::duration_cast<microseconds>(
                               nanoseconds{row.monotonic_ns - anchor->monotonic_ns});
    } else {
      if (!times.empty()) time = std::max(time, times.back());
      anchor = &row;
      anchor_time = time;
    }
    times.push_back(times.empty() ? time : std::max(time, times.back()));
  }
  return times;
}

Health compute_health(std::span<const store::HistoryRow> rows, const HealthWindow& window) {
  Health health;
  health.from = window.from;
  health.to = std::max(window.from, std::min(window.to, window.now));
  const auto stretches = stretches_of(rows, health.from, health.to);
  std::array<microseconds, 8> spent{};
  for (const auto& stretch : stretches) {
    merge_into_timeline(health.timeline, stretch);
    spent[static_cast<std::size_t>(stretch.status)] += stretch.to - stretch.from;
  }
  for (std::size_t i = 0; i < spent.size(); ++i) health.seconds[i] = seconds_of(spent[i]);

  const auto time_in = [&](Status status) { return spent[static_cast<std::size_t>(status)]; };
  const auto counted = (health.to - health.from) - time_in(Status::kIdle) -
                       time_in(Status::kSuspended) - time_in(Status::kUnknown);
  const auto connected = time_in(Status::kConnected);
  if (counted > microseconds::zero()) {
    health.uptime_percent =
        100.0 * static_cast<double>(connected.count()) / static_cast<double>(counted.count());
  }

  const auto times = effective_times(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool inside = times[i] >= health.from && times[i] < health.to;
    if (inside && counts_as_failure(rows[i])) ++health.failure_count;
  }
  const auto outages = find_outages(stretches);
  if (!outages.recovered.empty()) {
    const auto sum =
        std::accumulate(outages.recovered.begin(), outages.recovered.end(), microseconds::zero());
    health.mean_recovery_seconds = seconds_of(sum) / static_cast<double>(outages.recovered.size());
  }
  if (outages.longest) health.longest_outage_seconds = seconds_of(*outages.longest);
  if (health.failure_count > 0) {
    health.mean_time_between_failures_seconds = seconds_of(connected) / health.failure_count;
  }
  return health;
}

}  // namespace tributary::connect
