// What pipelines tell each other: that they have ended a run, and what failed in it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/json.hpp"
#include "orchestrate/run/statistics.hpp"

namespace tributary::orchestrate {

// The last records of a run that a trigger.pipeline may ask for.
constexpr std::size_t kMaxToldOutputs = 10;
// Different errors of one pipeline that wait to be told; further ones are only counted.
constexpr std::size_t kMaxToldErrors = 200;

// The records of a node that failed in one way.
struct NodeFailure {
  std::string node_id;
  Error error;
  Json input = Json::null();  // of the last one, bounded
  std::int64_t count = 0;
  bool handled = false;  // the records went on (onError)
};

// One run, or several that ended before anybody could be told.
struct RunEnd {
  std::string pipeline_id;
  std::string pipeline_name;
  std::string run_id;  // of the last one, like everything that is not a sum
  std::string trigger;
  std::string status;
  UtcTime started_at;
  UtcTime ended_at;
  FlowCounts flow;
  std::int64_t runs = 1;
  std::deque<Json> output;  // bounded copies of the last records that came out
  std::vector<NodeFailure> failures;
  // The run was started by an error: its own errors are told to nobody, so that two pipelines for
  // errors do not keep each other busy.
  bool from_error = false;

  bool succeeded() const { return status == "completed"; }
  bool failed() const { return status == "failed" || status == "completed_with_errors"; }
  // A later end of the same pipeline.
  void merge(RunEnd later);
};

// Adds a failure to a bounded list; equal ones (node and code) become one.
void add_failure(std::vector<NodeFailure>& list, NodeFailure failure);

// What a trigger.pipeline gives to its pipeline, and a trigger.error.
Json end_record(const RunEnd& end, const std::string& trigger, bool output);
Json failure_record(const RunEnd& end, const NodeFailure& failure, std::int64_t suppressed,
                    const std::string& trigger);

}  // namespace tributary::orchestrate
