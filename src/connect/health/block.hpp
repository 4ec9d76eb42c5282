// The roll-up of history: transitions in blocks, each with the tally of everything before it. Any
// window needs two blocks, however long it is. Made of rows and always makeable again; kept when
// the rows are gone.
#pragma once

#include <string>
#include <vector>

#include "connect/health/tally.hpp"
#include "store/health_rows.hpp"

namespace tributary::connect::health {

// Bounds what one more transition costs: the newest block is written again for each.
inline constexpr std::size_t kMarksPerBlock = 64;

// Where the newest row stands, for placing the next one on the timeline.
struct Place {
  UtcTime at;
  std::string boot_id;
  std::int64_t monotonic_ns = 0;
};

// The moment at which a row took effect. Within one boot it is as long after the row before as the
// monotonic clock says, whatever the wall clock did; across boots it is the row's own UTC time,
// never before the row before. `before` is null for a connection's first row.
UtcTime place_of(const store::HistoryRow& row, const Place* before);

struct Block {
  std::string connection_id;
  std::int64_t seq = 0;     // of the first mark's row; they are dense
  Tally base;               // at the first mark, without it
  std::vector<Mark> marks;  // at least one
  Longest longest;          // of what ended since `base`
  Place last;

  UtcTime start() const { return marks.front().at; }
  std::int64_t through_seq() const { return seq + static_cast<std::int64_t>(marks.size()) - 1; }
  // The tally at `time`, marks at `time` itself not included. `time` is not before `start`.
  Tally at(UtcTime time) const;
  // Goes on from `tally`, which at(tally.at) made, to `time`.
  void carry_on(Tally& tally, UtcTime time, Longest& longest) const;
  // The same through all that is left, up to the start of the next block; marks may stand there.
  void finish(Tally& tally, UtcTime next_start, Longest& longest) const;
};

// A connection's newest block with one more row. When it was full, the row begins a new one, and
// the full one, now complete, is `closed`. `tail` is null for the first row.
struct Folded {
  std::optional<Block> closed;
  Block tail;
};
Folded fold(const Block* tail, const store::HistoryRow& row);

// As stored; store::kNoLength is none.
Longest longest_of(std::int64_t outage_us, std::int64_t recovery_us);
store::HealthBlockRow to_row(const Block& block);
Result<Block> from_row(const store::HealthBlockRow& row);
// Only what the figures need; no longest, no place of the last row.
Result<Block> from_body(const std::string& body);

}  // namespace tributary::connect::health
