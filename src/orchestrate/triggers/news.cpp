#include "orchestrate/triggers/news.hpp"

#include <algorithm>

namespace tributary::orchestrate {

void add_failure(std::vector<NodeFailure>& list, NodeFailure failure) {
  const auto same = std::ranges::find_if(list, [&failure](const NodeFailure& known) {
    return known.node_id == failure.node_id && known.error.code == failure.error.code &&
           known.handled == failure.handled;
  });
  if (same != list.end()) {
    failure.count += same->count;
    *same = std::move(failure);
  } else if (list.size() < kMaxToldErrors) {
    list.push_back(std::move(failure));
  } else {
    list.back().count += failure.count;
  }
}

void RunEnd::merge(RunEnd later) {
  later.flow.add(flow);
  later.runs += runs;
  later.from_error = later.from_error && from_error;
  std::vector<NodeFailure> all = std::move(failures);
  for (NodeFailure& failure : later.failures) add_failure(all, std::move(failure));
  later.failures = std::move(all);
  while (later.output.size() < kMaxToldOutputs && !output.empty()) {
    later.output.push_front(std::move(output.back()));
    output.pop_back();
  }
  *this = std::move(later);
}

Json end_record(const RunEnd& end, const std::string& trigger, bool output) {
  Json counters = json_object();
  counters.insert_or_assign("recordsIn", end.flow.in);
  counters.insert_or_assign("recordsOut", end.flow.out);
  counters.insert_or_assign("errors", end.flow.errors);
  counters.insert_or_assign("handledErrors", end.flow.handled);
  counters.insert_or_assign("filtered", end.flow.filtered);
  counters.insert_or_assign("dropped", end.flow.dropped);
  Json meta = json_object();
  meta.insert_or_assign("trigger", trigger);
  meta.insert_or_assign("time", format_utc(end.ended_at));
  Json record = json_object();
  record.insert_or_assign("pipeline", end.pipeline_name);
  record.insert_or_assign("pipelineId", end.pipeline_id);
  record.insert_or_assign("runId", end.run_id);
  record.insert_or_assign("status", end.status);
  record.insert_or_assign("startedAt", format_utc(end.started_at));
  record.insert_or_assign("endedAt", format_utc(end.ended_at));
  record.insert_or_assign("runs", end.runs);
  record.insert_or_assign("counters", std::move(counters));
  if (output) {
    Json list = json_array();
    for (const Json& kept : end.output) list.push_back(kept);
    record.insert_or_assign("output", std::move(list));
  }
  record.insert_or_assign("$meta", std::move(meta));
  return record;
}

Json failure_record(const RunEnd& end, const NodeFailure& failure, std::int64_t suppressed,
                    const std::string& trigger) {
  Json error = json_object();
  error.insert_or_assign("class", std::string(to_string(failure.error.error_class)));
  error.insert_or_assign("code", failure.error.code);
  error.insert_or_assign("message", failure.error.message);
  Json meta = json_object();
  meta.insert_or_assign("trigger", trigger);
  meta.insert_or_assign("time", format_utc(end.ended_at));
  Json record = json_object();
  record.insert_or_assign("pipeline", end.pipeline_name);
  record.insert_or_assign("pipelineId", end.pipeline_id);
  record.insert_or_assign("node", failure.node_id);
  record.insert_or_assign("error", std::move(error));
  record.insert_or_assign("input", failure.input);
  record.insert_or_assign("runId", end.run_id);
  record.insert_or_assign("handled", failure.handled);
  record.insert_or_assign("suppressed", suppressed);
  record.insert_or_assign("$meta", std::move(meta));
  return record;
}

}  // namespace tributary::orchestrate
