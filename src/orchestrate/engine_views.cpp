// What the front desk says about a pipeline.
#include "orchestrate/engine_impl.hpp"

namespace tributary::orchestrate {
namespace {

// The class as it was written down.
ErrorClass class_of(std::string_view text) {
  for (int value = 0; value <= static_cast<int>(ErrorClass::kInternal); ++value) {
    const auto error_class = static_cast<ErrorClass>(value);
    if (to_string(error_class) == text) return error_class;
  }
  return ErrorClass::kInternal;
}

NodeCounters counters_of(const std::string& id, const NodeCounts& counts) {
  NodeCounters counters;
  counters.node_id = id;
  counters.records_in = counts.in;
  counters.records_out = counts.out;
  counters.errors = counts.errors;
  counters.last_error = counts.last_error;
  counters.last_error_at = counts.last_error_at;
  counters.filtered = counts.filtered;
  counters.dropped = counts.dropped;
  counters.held = counts.held;
  counters.last_failed_input = counts.last_failed_input;
  return counters;
}

// What is known from before this start, or from before the last change of the pipeline.
void add_earlier_failure(NodeCounters& counters,
                         const std::map<std::string, store::PipelineFailureRow>& failures) {
  if (counters.last_error) return;
  const auto found = failures.find(counters.node_id);
  if (found == failures.end()) return;
  const store::PipelineFailureRow& row = found->second;
  counters.last_error = Error(class_of(row.error_class), row.code, row.message);
  counters.last_error_at = row.at;
  counters.last_failed_input = row.input;
}

bool wants_durability(const store::PipelineRow& row) {
  const Json& nodes = get_member(row.document, "nodes");
  if (!nodes.is_array()) return false;
  for (const Json& node : nodes.array_range()) {
    const Json& delivery = get_member(node, "delivery");
    if (delivery.is_object() && get_string(delivery, "mode") == "durable") return true;
  }
  return false;
}

}  // namespace

const std::string* Engine::Impl::awaited_connection(const Entry& entry) const {
  for (const PlanNode& node : entry.runner->plan().nodes) {
    if (node.trigger != TriggerKind::kFunction && node.trigger != TriggerKind::kPoll) continue;
    const auto found = entry.functions.find(node.function_id);
    const bool known = found != entry.functions.end() && found->second;
    if (known && !functions->is_connected(found->second->connection_id))
      return &found->second->connection_id;
  }
  return nullptr;
}

std::string Engine::Impl::status(const Entry& entry, const Snapshot* snapshot) const {
  if (!entry.row.enabled) return "disabled";
  if (entry.error) return "failing";
  if (!entry.running || awaited_connection(entry)) return "waiting";  // or being changed
  const bool failing =
      snapshot != nullptr && (snapshot->last_failed || snapshot->failing_sources > 0);
  return failing ? "failing" : "running";
}

PipelineView Engine::Impl::view(const Entry& entry) const {
  PipelineView view;
  if (!entry.draft.document.is_null()) view.draft = entry.draft;
  view.row = entry.row;
  view.error = entry.error;
  view.durability = wants_durability(entry.row) ? "disk" : "none";
  if (!entry.runner) {
    view.status = status(entry, nullptr);
    const Json& nodes = get_member(entry.row.document, "nodes");
    if (!nodes.is_array()) return view;
    for (const Json& node : nodes.array_range()) {
      view.nodes.push_back(counters_of(get_string(node, "id"), {}));
      add_earlier_failure(view.nodes.back(), entry.failures);
      const auto queue = entry.queues.find(view.nodes.back().node_id);
      if (queue != entry.queues.end()) {
        view.nodes.back().delivery.emplace();
        view.nodes.back().delivery->queue = queue->second;
      }
    }
    return view;
  }
  const Snapshot snapshot = entry.runner->snapshot();
  view.status = status(entry, &snapshot);
  if (view.status == "waiting" && entry.running) {
    if (const std::string* connection = awaited_connection(entry))
      view.waiting_reason = functions->why_not_connected(*connection);
  }
  view.records_in = snapshot.flow.in;
  view.records_out = snapshot.flow.out;
  view.errors = snapshot.flow.errors;
  view.dropped = snapshot.flow.dropped;
  view.copied = snapshot.flow.copied;
  view.filtered = snapshot.flow.filtered;
  view.held = snapshot.flow.held;
  view.handled_errors = snapshot.flow.handled;
  view.missed_ticks = snapshot.missed_ticks;
  view.skipped = snapshot.skipped;
  view.triggers = triggers_of(entry);
  view.last_run_at = snapshot.last_run_at;
  const Desk* desk = entry.runner->desk();
  for (std::size_t i = 0; i < snapshot.nodes.size(); ++i) {
    view.nodes.push_back(counters_of(entry.runner->plan().nodes[i].id, snapshot.nodes[i]));
    add_earlier_failure(view.nodes.back(), entry.failures);
    if (desk == nullptr || desk->courier(i) == nullptr) continue;
    view.nodes.back().delivery = desk->courier(i)->view();
    if (view.status == "running" && view.nodes.back().delivery->last_error) view.status = "failing";
  }
  if (desk != nullptr && entry.running) {
    if (auto trouble = desk->trouble()) {
      view.status = "failing";
      view.error = std::move(trouble);
    }
  }
  return view;
}

}  // namespace tributary::orchestrate
