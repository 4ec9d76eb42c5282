// What a pipeline counted since it was started. Written by its runner, read by the front desk on
// another thread.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/json.hpp"

namespace tributary::orchestrate {

// At most this much text of a failing input is kept.
constexpr std::size_t kMaxKeptInputBytes = 16 * 1024;

struct NodeCounts {
  std::int64_t in = 0;
  std::int64_t out = 0;       // left by a port; records of an answer count as many
  std::int64_t errors = 0;    // failed, whatever onError made of it
  std::int64_t filtered = 0;  // ended here without a fault
  std::int64_t dropped = 0;   // the pipeline stopped before they were delivered
  std::int64_t held = 0;      // wait here; of one batch: what it added
  std::optional<Error> last_error;
  std::optional<UtcTime> last_error_at;
  Json last_failed_input = Json::null();  // null when there was none

  void add(const NodeCounts& more);
};

// Records of a whole pipeline. Always: in + copied = out + errors + filtered + dropped + held.
struct FlowCounts {
  std::int64_t in = 0;       // given by triggers
  std::int64_t copied = 0;   // more than one edge from a port, or an answer of several records
  std::int64_t out = 0;      // reached an end: accepted by a destination
  std::int64_t errors = 0;   // ended by an error
  std::int64_t handled = 0;  // failed, but went on (onError); not part of the sum
  std::int64_t filtered = 0;
  std::int64_t dropped = 0;
  std::int64_t held = 0;  // by nodes that wait for more or for a time; of one batch: what it added

  void add(const FlowCounts& more);
  bool adds_up() const { return in + copied == out + errors + filtered + dropped + held; }
};

struct Snapshot {
  FlowCounts flow;
  std::vector<NodeCounts> nodes;    // in the order of Plan::nodes
  std::int64_t missed_ticks = 0;    // of schedules: the pipeline was still busy
  std::int64_t skipped = 0;         // records that the overlap policy refused; not part of `in`
  std::size_t failing_sources = 0;  // triggers that cannot get their data
  std::optional<UtcTime> last_run_at;
  bool last_failed = false;  // the last batch lost records to errors
};

class Statistics {
 public:
  explicit Statistics(std::size_t nodes) { now_.nodes.resize(nodes); }

  Snapshot snapshot() const;
  void add_node(std::size_t node, const NodeCounts& counts);
  void finish_batch(const FlowCounts& flow, UtcTime at);
  void set_waiting(std::size_t node, const Error& error, UtcTime at);
  // Records that nodes held when the hub ended came in then.
  void restore_held(std::size_t node, std::int64_t records);
  void add_missed_ticks(std::int64_t ticks);
  // What a node held when its pipeline ended.
  void drop_held(std::size_t node, std::int64_t records);
  void add_skipped(std::int64_t records);
  void source_failed(std::size_t node, const Error& error, UtcTime at);
  void source_recovered(std::size_t node);

 private:
  mutable std::mutex mutex_;
  Snapshot now_;
  std::set<std::size_t> failing_;
};

// A copy of a record that is small enough to keep: too long ones become their beginning, as text.
Json bounded_copy(const Json& record, std::size_t max_bytes = kMaxKeptInputBytes);

}  // namespace tributary::orchestrate
