// The figures of health once more, straight from rows of history and without any roll-up: slow,
// plain, and written from the specification (lifecycle §6). What the roll-up answers is compared
// with it.
#pragma once

#include "connect/health/figures.hpp"

namespace tributary::connect::health::reference {

// When each row took effect: a boot's rows lie on one line, from its first row on.
inline std::vector<UtcTime> times_of(const std::vector<store::HistoryRow>& rows) {
  const auto micros = [](std::int64_t ns) {
    return std::chrono::floor<Micros>(std::chrono::nanoseconds{ns});
  };
  std::vector<UtcTime> times;
  std::size_t anchor = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool same_boot = i > 0 && rows[anchor].boot_id == rows[i].boot_id &&
                           rows[anchor].monotonic_ns != 0 && rows[i].monotonic_ns != 0;
    if (same_boot) {
      times.push_back(times[anchor] + micros(rows[i].monotonic_ns) -
                      micros(rows[anchor].monotonic_ns));
      continue;
    }
    anchor = i;
    times.push_back(i > 0 ? std::max(rows[i].at, times.back()) : rows[i].at);
  }
  return times;
}

struct Interval {
  UtcTime from, to;
  Status status;
};

// The whole of time, up to `end`; the first interval is Unknown.
inline std::vector<Interval> intervals_of(const std::vector<store::HistoryRow>& rows, UtcTime begin,
                                          UtcTime end) {
  const auto times = times_of(rows);
  std::vector<Interval> intervals{
      {std::min(begin, times.empty() ? begin : times[0]), end, Status::kUnknown}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    intervals.back().to = times[i];
    intervals.push_back({times[i], std::max(end, times[i]), *parse_status(rows[i].to)});
  }
  return intervals;
}

struct Outage {
  UtcTime from;
  UtcTime over;  // when it was known to be over
  Micros length{};
  enum { kOpen, kRecovered, kExcluded } kind = kOpen;
};

inline std::vector<Outage> outages_of(const std::vector<store::HistoryRow>& rows) {
  const auto times = times_of(rows);
  std::vector<Outage> outages;
  std::optional<UtcTime> lost;
  std::optional<UtcTime> connected;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Status to = *parse_status(rows[i].to);
    if (to != Status::kConnected) connected.reset();
    if (to == Status::kConnected && !connected) connected = times[i];
    const bool loss =
        rows[i].from == "Connected" && (to == Status::kDisconnected || to == Status::kFailed);
    if (loss && !lost) lost = times[i];
    if (!lost) continue;
    if (to == Status::kIdle || to == Status::kSuspended || to == Status::kUnknown) {
      outages.push_back({*lost, times[i], times[i] - *lost, Outage::kExcluded});
      lost.reset();
    } else if (connected) {
      std::size_t next = i + 1;
      while (next < rows.size() && rows[next].to == "Connected") ++next;
      const bool last = next == rows.size();
      if (last || times[next] - *connected >= std::chrono::seconds{30}) {
        outages.push_back(
            {*lost, *connected + std::chrono::seconds{30}, *connected - *lost, Outage::kRecovered});
        lost.reset();
      }
    }
  }
  if (lost) outages.push_back({*lost, UtcTime::max(), {}, Outage::kOpen});
  return outages;
}

inline bool counts_as_failure(const store::HistoryRow& row) {
  if (row.note.starts_with("maintenance")) return false;
  if (row.to == "Failed") return true;
  return row.from == "Connected" && row.to == "Disconnected";
}

inline std::optional<UtcTime> flapping_since(const std::vector<store::HistoryRow>& rows,
                                             UtcTime at) {
  const auto times = times_of(rows);
  std::vector<UtcTime> losses;
  std::optional<UtcTime> since;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool loss =
        rows[i].from == "Connected" && (rows[i].to == "Disconnected" || rows[i].to == "Failed");
    if (!loss || times[i] >= at) continue;
    if (!losses.empty() && times[i] - losses.back() >= std::chrono::minutes{30}) {
      losses.clear();
      since.reset();
    }
    losses.push_back(times[i]);
    if (losses.size() < 5 || since) continue;
    const UtcTime fifth_last = losses[losses.size() - 5];
    if (times[i] - fifth_last <= std::chrono::minutes{15}) since = fifth_last;
  }
  if (!losses.empty() && at - losses.back() >= std::chrono::minutes{30}) since.reset();
  return since;
}

inline Figures figures_of(const std::vector<store::HistoryRow>& rows, UtcTime from, UtcTime to) {
  Figures figures;
  for (const auto& interval : intervals_of(rows, from, to)) {
    const UtcTime begin = std::clamp(interval.from, from, to);
    const UtcTime end = std::clamp(interval.to, from, to);
    figures.spent[static_cast<std::size_t>(interval.status)] += end - begin;
  }
  const auto times = times_of(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (times[i] < from || times[i] >= to) continue;
    ++figures.changes;
    if (counts_as_failure(rows[i])) ++figures.failures;
  }
  for (const auto& outage : outages_of(rows)) {
    const bool recovered = outage.kind == Outage::kRecovered;
    // A recovery is known after its half minute; a stop is known at once.
    const bool before_from = recovered ? outage.over <= from : outage.over < from;
    const bool over = recovered ? outage.over <= to : outage.over < to;
    if (!over && outage.from < to) figures.open_outage = to - outage.from;
    if (!over || before_from) continue;
    figures.longest.add({outage.length, recovered ? std::optional(outage.length) : std::nullopt});
    if (!recovered) continue;
    ++figures.recoveries;
    figures.recovery_time += outage.length;
  }
  figures.flapping_since = flapping_since(rows, to);
  return figures;
}

inline std::vector<Segment> timeline_of(const std::vector<store::HistoryRow>& rows, UtcTime from,
                                        UtcTime to) {
  std::vector<Segment> timeline;
  for (const auto& interval : intervals_of(rows, from, to)) {
    const Segment part{std::clamp(interval.from, from, to), std::clamp(interval.to, from, to),
                       interval.status};
    if (part.from == part.to) continue;
    if (!timeline.empty() && timeline.back().status == part.status) {
      timeline.back().to = part.to;
    } else {
      timeline.push_back(part);
    }
  }
  return timeline;
}

}  // namespace tributary::connect::health::reference
