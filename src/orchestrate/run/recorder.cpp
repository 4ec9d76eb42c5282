#include "orchestrate/run/recorder.hpp"

namespace tributary::orchestrate {
namespace {

constexpr Duration kFlushInterval = std::chrono::seconds{1};
constexpr Duration kMaxRowSpan = std::chrono::minutes{1};
constexpr std::size_t kSampleBytes = 4 * 1024;

double to_milliseconds(Duration duration) {
  return to_seconds(duration) * 1000;
}

}  // namespace

std::string_view run_status(const FlowCounts& flow, bool cancelled) {
  if (cancelled) return "cancelled";
  if (flow.errors == 0 && flow.handled == 0) return "completed";
  return flow.errors > 0 && flow.out == 0 && flow.filtered == 0 ? "failed"
                                                                : "completed_with_errors";
}

Recorder::Recorder(const Plan& plan, const Executor& executor, Timers& timers,
                   std::function<void(store::RunRow)> publish)
    : plan_(plan), executor_(executor), timers_(timers), publish_(std::move(publish)) {}

void Recorder::add(const BatchReport& report) {
  if (plan_.history == History::kOff) return;
  const SteadyTime now = timers_.now();
  const bool goes_on = current_ && now - current_->last_batch <= kFlushInterval &&
                       now - current_->opened < kMaxRowSpan;
  if (!goes_on) {
    if (dirty_) flush();
    current_ = open(report);
  }
  merge(*current_, report);
  current_->last_batch = now;
  dirty_ = true;
  const SteadyTime due = last_flush_ ? *last_flush_ + kFlushInterval : now;
  if (due <= now) {
    flush();
  } else {
    arm(due);
  }
}

store::RunRow Recorder::alone(const BatchReport& report) const {
  Sum sum = open(report);
  merge(sum, report);
  return finish(sum);
}

void Recorder::close() {
  timer_.reset();
  if (dirty_) flush();
  current_.reset();
}

void Recorder::flush() {
  timer_.reset();
  dirty_ = false;
  last_flush_ = timers_.now();
  publish_(finish(*current_));
}

void Recorder::arm(SteadyTime when) {
  if (timer_) return;
  timer_ = timers_.at(executor_, when, [this] { flush(); });
}

Recorder::Sum Recorder::open(const BatchReport& report) const {
  Sum sum;
  sum.row.id = report.run_id;
  sum.row.pipeline_id = plan_.pipeline_id;
  sum.row.started_at = report.started_at;
  sum.nodes.resize(plan_.nodes.size());
  sum.opened = timers_.now();
  sum.last_batch = sum.opened;
  return sum;
}

void Recorder::merge(Sum& sum, const BatchReport& report) {
  sum.flow.add(report.flow);
  ++sum.batches;
  sum.took += report.took;
  sum.cancelled = sum.cancelled || report.cancelled;
  sum.row.ended_at = report.ended_at;
  // Of many runs in one row: of the last one that failed.
  if (!report.input.is_null()) sum.row.input = report.input;
  std::string& triggers = sum.row.trigger;
  if (triggers.empty()) {
    triggers = report.trigger;
  } else if ((", " + triggers + ", ").find(", " + report.trigger + ", ") == std::string::npos) {
    triggers += ", " + report.trigger;
  }
  for (const NodeTrace& trace : report.nodes) {
    NodeTrace& total = sum.nodes[trace.node];
    total.counts.add(trace.counts);
    total.took += trace.took;
    total.first_input = trace.first_input;
    total.first_output = trace.first_output;
    total.log.insert(total.log.end(), trace.log.begin(), trace.log.end());
    if (total.log.size() > kMaxLogLines) {
      total.log.erase(total.log.begin(), total.log.end() - kMaxLogLines);
    }
  }
}

store::RunRow Recorder::finish(const Sum& sum) const {
  store::RunRow row = sum.row;
  row.status = run_status(sum.flow, sum.cancelled);
  row.records_in = sum.flow.in;
  row.records_out = sum.flow.out;
  row.errors = sum.flow.errors;
  row.detail = detail(sum);
  if (!row.input.is_null() && to_text(row.input).size() > kMaxRunInputBytes) {
    row.input = Json::null();
    row.detail.insert_or_assign("inputTooLong", true);
  }
  row.input_kept = !row.input.is_null();
  return row;
}

Json Recorder::detail(const Sum& sum) const {
  Json detail = json_object();
  detail.insert_or_assign("batches", sum.batches);
  detail.insert_or_assign("durationMs", to_milliseconds(sum.took));
  detail.insert_or_assign("copied", sum.flow.copied);
  detail.insert_or_assign("filtered", sum.flow.filtered);
  detail.insert_or_assign("dropped", sum.flow.dropped);
  detail.insert_or_assign("held", sum.flow.held);
  detail.insert_or_assign("handledErrors", sum.flow.handled);
  if (plan_.history == History::kMinimal || plan_.history == History::kOff) return detail;
  Json nodes = json_array();
  for (std::size_t i = 0; i < sum.nodes.size(); ++i) {
    Json node = json_object();
    node.insert_or_assign("nodeId", plan_.nodes[i].id);
    const Json counted = node_detail(sum.nodes[i]);
    for (const auto& member : counted.object_range()) {
      node.insert_or_assign(member.key(), member.value());
    }
    nodes.push_back(std::move(node));
  }
  detail.insert_or_assign("nodes", std::move(nodes));
  return detail;
}

Json Recorder::node_detail(const NodeTrace& trace) const {
  const NodeCounts& counts = trace.counts;
  Json node = json_object();
  node.insert_or_assign("recordsIn", counts.in);
  node.insert_or_assign("recordsOut", counts.out);
  node.insert_or_assign("errors", counts.errors);
  node.insert_or_assign("filtered", counts.filtered);
  node.insert_or_assign("dropped", counts.dropped);
  node.insert_or_assign("held", counts.held);
  node.insert_or_assign("durationMs", to_milliseconds(trace.took));
  if (counts.last_error) {
    Json error = json_object();
    error.insert_or_assign("class", to_string(counts.last_error->error_class));
    error.insert_or_assign("code", counts.last_error->code);
    error.insert_or_assign("message", counts.last_error->message);
    node.insert_or_assign("error", std::move(error));
    node.insert_or_assign("failedInput", counts.last_failed_input);
  }
  if (!trace.log.empty()) node.insert_or_assign("log", trace.log);
  if (plan_.history == History::kFull) {
    node.insert_or_assign("input", bounded_copy(trace.first_input, kSampleBytes));
    node.insert_or_assign("output", bounded_copy(trace.first_output, kSampleBytes));
  }
  return node;
}

}  // namespace tributary::orchestrate
