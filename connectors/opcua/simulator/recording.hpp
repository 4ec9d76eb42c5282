// What one variable was, and what OPC 10000-11 and OPC 10000-13 let a reader make of it: the values
// themselves in either direction and with their bounds, values at times, aggregates. Every value is
// good. Pure: no server, no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/opcua/src/ua.hpp"

namespace tributary::connectors::opcua::simulator {

struct RecordedValue {
  UA_DateTime time = 0;
  std::optional<double> value;  // none: the status says why
  UA_StatusCode status = UA_STATUSCODE_GOOD;
};

// Where a reader of recorded values or of intervals goes on. A server hands it out as continuation
// point and keeps nothing, so it never runs out of places.
struct Cursor {
  UA_DateTime next = 0;
  UA_DateTime finish = 0;    // beyond it there is nothing to read
  bool backwards = false;    // from newer to older
  bool with_finish = false;  // a value exactly there belongs to it
  // A bound is wanted, and nothing was recorded there.
  bool lacks_first_bound = false;
  bool lacks_last_bound = false;

  std::string text() const;
  // Nothing when it is none.
  static std::optional<Cursor> parse(std::string_view text);
};

struct Page {
  std::vector<RecordedValue> values;
  std::optional<Cursor> rest;
};

// Times that are 0 are not said; two of the three must be (OPC 10000-11, 6.5.3).
struct RawRange {
  UA_DateTime start = 0;
  UA_DateTime end = 0;
  std::size_t most = 0;  // 0: all
  bool bounds = false;
};

enum class Aggregate : std::uint8_t {
  kAverage,
  kTimeAverage,
  kMinimum,
  kMaximum,
  kRange,
  kCount,
  kTotal,
  kStart,
  kEnd,
  kDelta,
  kInterpolative,
  kStandardDeviation,
  kDurationGood,
  kPercentGood
};

class Recording {
 public:
  // `stepped`: a value holds until the next one; else there is a straight line between them. The
  // oldest go when there are more than `most`.
  Recording(bool stepped, std::size_t most) : stepped_(stepped), most_(most) {}

  // In any order; there is one value at a time.
  void add(UA_DateTime time, double value);
  bool stepped() const { return stepped_; }

  // Where to begin. Nothing: the range says too little.
  std::optional<Cursor> begin(const RawRange& range) const;
  // At most `most` values.
  Page read(Cursor cursor, std::size_t most) const;

  // Between recorded values: interpolated. Before the first: BadNoData. After the last: that one,
  // and uncertain.
  RecordedValue at(UA_DateTime time) const;
  // Of the interval from `start`, which belongs to it, to `end`, which does not; in either
  // direction, never empty. BadNoData when there are no values. The time is the start, but the
  // value's own for the first and the last one.
  RecordedValue aggregate(Aggregate what, UA_DateTime start, UA_DateTime end) const;

 private:
  struct Entry {
    UA_DateTime time = 0;
    double value = 0;
  };
  using Place = std::deque<Entry>::const_iterator;
  Place first_from(UA_DateTime time) const;
  Place first_after(UA_DateTime time) const;
  RecordedValue weighed(Aggregate what, UA_DateTime from, UA_DateTime to) const;
  RecordedValue counted(Aggregate what, Place begin, Place end) const;

  std::deque<Entry> entries_;  // by time
  bool stepped_;
  std::size_t most_;
};

}  // namespace tributary::connectors::opcua::simulator
