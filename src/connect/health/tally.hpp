// What is counted of one connection as time goes by: seconds per status, failures, recoveries
// (lifecycle §6). What is known at a moment depends only on what happened before it, so the figures
// of any window are the difference of two tallies.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "connect/status.hpp"
#include "store/rows.hpp"

namespace tributary::connect::health {

using Micros = std::chrono::microseconds;
inline constexpr std::size_t kStatuses = 8;

// An outage is over when the connection held for this long.
inline constexpr Micros kRecoveredAfter = std::chrono::seconds{30};
// Flapping: this many losses within this time; calm again after that time without one.
inline constexpr std::size_t kFlappingLosses = 5;
inline constexpr Micros kFlappingWithin = std::chrono::minutes{15};
inline constexpr Micros kCalmAfter = std::chrono::minutes{30};

// One transition on the timeline.
struct Mark {
  UtcTime at;
  Status to = Status::kUnknown;
  bool loss = false;     // from Connected into Disconnected or Failed
  bool failure = false;  // counts as a failure
  bool operator==(const Mark&) const = default;
};

Mark mark_of(const store::HistoryRow& row, UtcTime at);

// What ends an outage without a recovery: people stopped it, or nobody knows.
bool is_excluded(Status status);

// Not held against the target, nor for it.
class Flapping {
 public:
  void lost(UtcTime at);
  void advance(UtcTime to);
  // The first of the losses that made it flap; nullopt: calm.
  const std::optional<UtcTime>& since() const { return since_; }
  const std::vector<UtcTime>& losses() const { return losses_; }
  static Flapping restore(std::vector<UtcTime> losses, std::optional<UtcTime> since);
  bool operator==(const Flapping&) const = default;

 private:
  std::vector<UtcTime> losses_;  // the newest kFlappingLosses
  std::optional<UtcTime> since_;
};

// The longest of what ended while a tally went on. An outage belongs to the moment it ends, with
// its whole length.
struct Longest {
  std::optional<Micros> outage;
  std::optional<Micros> recovery;
  void add(const Longest& other);
  bool operator==(const Longest&) const = default;
};

struct Tally {
  UtcTime at;  // everything before it is counted
  Status status = Status::kUnknown;
  UtcTime since;  // begin of the status
  std::array<Micros, kStatuses> spent{};
  std::int64_t changes = 0;
  std::int64_t failures = 0;
  std::int64_t recoveries = 0;
  Micros recovery_time{};
  std::optional<UtcTime> lost;  // begin of the outage that is not over
  Flapping flapping;

  // Lets time pass; never backwards.
  void advance(UtcTime to, Longest& longest);
  // Marks come in order of time.
  void apply(const Mark& mark, Longest& longest);
  bool operator==(const Tally&) const = default;

 private:
  void end_outage(UtcTime at, bool recovered, Longest& longest);
};

}  // namespace tributary::connect::health
