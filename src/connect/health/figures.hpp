// Uptime and its relatives over a window in UTC (lifecycle §6). Pure: blocks of the roll-up in,
// numbers out, all in whole microseconds. The time before a connection's first row is Unknown.
#pragma once

#include <functional>
#include <span>

#include "connect/health/block.hpp"

namespace tributary::connect::health {

struct Figures {
  std::array<Micros, kStatuses> spent{};  // by Status; they add up to the window
  std::int64_t changes = 0;
  std::int64_t failures = 0;
  std::int64_t recoveries = 0;
  Micros recovery_time{};  // of all recoveries together
  Longest longest;         // what is open at the end of the window is not in here
  std::optional<Micros> open_outage;
  std::optional<UtcTime> flapping_since;  // at the end of the window

  Micros in(Status status) const { return spent[static_cast<std::size_t>(status)]; }
  Micros down() const;     // Connecting, Disconnected, Reconnecting, Failed
  Micros counted() const;  // what uptime is a part of: the window without Idle, Suspended, Unknown
  std::optional<double> uptime_percent() const;  // nullopt: nothing to count
  std::optional<double> mean_recovery_seconds() const;
  std::optional<double> mean_time_between_failures_seconds() const;
  std::optional<Micros> longest_outage() const;  // the open one included
  // Of several connections over the same window; flapping and open outages are of each alone.
  void add(const Figures& other);
  bool operator==(const Figures&) const = default;
};

// What of the roll-up a window needs.
struct Ends {
  std::optional<Block> first;         // the last block that starts before the window
  std::optional<Block> last;          // the last block that starts before the window's end
  Longest between;                    // of the blocks between the two
  std::optional<UtcTime> next_start;  // of the block behind `first`, when that is not the last
};

Figures figures_of(const Ends& ends, UtcTime from, UtcTime to);

struct Segment {
  UtcTime from, to;
  Status status = Status::kUnknown;
  bool operator==(const Segment&) const = default;
};

struct Bucket {
  UtcTime from, to;
  std::array<Micros, kStatuses> spent{};
  std::int64_t failures = 0;
};

// Adjacent segments of different status that fill the window without a gap. `blocks` begins with
// the last one before the window when there is one.
std::vector<Segment> timeline_of(std::span<const Block> blocks, UtcTime from, UtcTime to);

// The tally of everything before a time.
using TallyAt = std::function<Result<Tally>(UtcTime time)>;
// `count` parts of the window, equal to the millisecond.
Result<std::vector<Bucket>> buckets_of(const TallyAt& tally_at, UtcTime from, UtcTime to,
                                       std::size_t count);

// The ends of a window in blocks that are all there, as timeline_of() takes them.
Ends ends_in(std::span<const Block> blocks, UtcTime from, UtcTime to);
Tally tally_in(std::span<const Block> blocks, UtcTime time);

}  // namespace tributary::connect::health
