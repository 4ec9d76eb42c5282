#include "orchestrate/run/live_runs.hpp"

#include <algorithm>

namespace tributary::orchestrate {

void LiveRun::entered(std::size_t node, const Items& items) {
  counts_[node].in += static_cast<std::int64_t>(items.size());
  counts_[node].entered = true;
  changed_ = true;
}

void LiveRun::left(std::size_t node, std::size_t, const Record&) {
  ++counts_[node].out;
  changed_ = true;
}

void LiveRun::failed(std::size_t node, const Record&, const Error&) {
  ++counts_[node].errors;
  changed_ = true;
}

void LiveRun::done(std::size_t node, const NodeCounts& counts, Duration) {
  counts_[node] = {counts.in, counts.out, counts.errors, true, true};
  changed_ = true;
}

LiveRuns::LiveRuns(const Plan& plan, const Executor& executor, Timers& timers,
                   std::function<void(store::RunRow, bool)> tell)
    : plan_(plan), executor_(executor), timers_(timers), tell_(std::move(tell)) {}

std::shared_ptr<LiveRun> LiveRuns::begin(bool alone) {
  auto run = std::make_shared<LiveRun>(executor_, plan_.nodes.size(), alone, timers_.now());
  if (stopping_) run->stopping.set();
  runs_.push_back(run);
  arm();
  return run;
}

void LiveRuns::name(LiveRun& run, std::string id, std::string trigger, UtcTime started_at) {
  run.id_ = std::move(id);
  run.trigger_ = std::move(trigger);
  run.started_at_ = started_at;
}

void LiveRuns::end(const std::shared_ptr<LiveRun>& run) {
  runs_.remove(run);
}

bool LiveRuns::cancel(const std::string& id) {
  const auto found = std::ranges::find(runs_, id, [](const auto& run) { return run->id_; });
  if (found == runs_.end()) return false;
  (*found)->cancelled_ = true;
  (*found)->stopping.set();
  return true;
}

void LiveRuns::stop() {
  stopping_ = true;
  for (const auto& run : runs_) run->stopping.set();
}

// One timer for all, armed by the first run that finds none: a thousand short runs a second cost
// five shots.
void LiveRuns::arm() {
  if (timer_) return;
  timer_ = timers_.at(executor_, timers_.now() + kProgressInterval, [this] { tick(); });
}

void LiveRuns::tick() {
  timer_.reset();
  const SteadyTime now = timers_.now();
  for (const auto& run : runs_) {
    if (run->id_.empty()) continue;
    const bool long_at_work = now - run->begun_ >= kShowAfter;
    const bool told_soon = run->alone_ && now - run->begun_ >= kProgressInterval;
    run->shown_ = run->shown_ || told_soon || long_at_work;
    const bool store = run->shown_ && long_at_work && !run->stored_;
    if (run->shown_ && (run->changed_ || store)) tell(*run);
  }
  if (!runs_.empty()) arm();
}

void LiveRuns::tell(LiveRun& run) {
  const bool store = !run.stored_ && timers_.now() - run.begun_ >= kShowAfter;
  run.stored_ = run.stored_ || store;
  run.changed_ = false;
  tell_(row_of(run), store);
}

store::RunRow LiveRuns::row_of(const LiveRun& run) const {
  store::RunRow row;
  row.id = run.id_;
  row.pipeline_id = plan_.pipeline_id;
  row.status = "running";
  row.trigger = run.trigger_;
  row.started_at = run.started_at_;
  Json nodes = json_array();
  for (std::size_t i = 0; i < run.counts_.size(); ++i) {
    const LiveRun::Progress& progress = run.counts_[i];
    if (!progress.entered) continue;
    const PlanNode& node = plan_.nodes[i];
    if (node.trigger != TriggerKind::kNone) row.records_in += progress.in;
    if (node.is_end()) row.records_out += progress.out;
    row.errors += progress.errors;
    Json item = json_object();
    item.insert_or_assign("nodeId", node.id);
    item.insert_or_assign("recordsIn", progress.in);
    item.insert_or_assign("recordsOut", progress.out);
    item.insert_or_assign("errors", progress.errors);
    item.insert_or_assign("done", progress.done);
    nodes.push_back(std::move(item));
  }
  row.detail = json_object();
  row.detail.insert_or_assign("durationMs", to_seconds(timers_.now() - run.begun_) * 1000);
  row.detail.insert_or_assign("nodes", std::move(nodes));
  return row;
}

}  // namespace tributary::orchestrate
