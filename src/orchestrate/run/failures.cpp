#include "orchestrate/run/failures.hpp"

namespace tributary::orchestrate {
namespace {

constexpr Duration kFlushInterval = std::chrono::seconds{1};

}  // namespace

void FailureKeeper::add(const BatchReport& report) {
  for (const NodeTrace& trace : report.nodes) {
    const NodeCounts& counts = trace.counts;
    if (!counts.last_error || counts.last_failed_input.is_null()) continue;
    const std::string& node = plan_.nodes[trace.node].id;
    pending_[node] = {plan_.pipeline_id,
                      node,
                      std::string(to_string(counts.last_error->error_class)),
                      counts.last_error->code,
                      counts.last_error->message,
                      counts.last_error_at.value_or(report.ended_at),
                      counts.last_failed_input};
  }
  if (pending_.empty() || timer_) return;
  const SteadyTime now = timers_.now();
  const SteadyTime due = last_flush_ ? *last_flush_ + kFlushInterval : now;
  if (due <= now) {
    flush();
  } else {
    timer_ = timers_.at(executor_, due, [this] { flush(); });
  }
}

void FailureKeeper::close() {
  timer_.reset();
  if (!pending_.empty()) flush();
}

void FailureKeeper::flush() {
  timer_.reset();
  last_flush_ = timers_.now();
  std::vector<store::PipelineFailureRow> rows;
  for (auto& [node, row] : pending_) rows.push_back(std::move(row));
  pending_.clear();
  publish_(std::move(rows));
}

}  // namespace tributary::orchestrate
