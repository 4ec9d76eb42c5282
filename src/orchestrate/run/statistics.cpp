#include "orchestrate/run/statistics.hpp"

#include "orchestrate/expression/unicode.hpp"

namespace tributary::orchestrate {

void NodeCounts::add(const NodeCounts& more) {
  in += more.in;
  out += more.out;
  errors += more.errors;
  filtered += more.filtered;
  dropped += more.dropped;
  held += more.held;
  if (more.last_error) {
    last_error = more.last_error;
    last_error_at = more.last_error_at;
  }
  if (!more.last_failed_input.is_null()) last_failed_input = more.last_failed_input;
}

void FlowCounts::add(const FlowCounts& more) {
  in += more.in;
  copied += more.copied;
  out += more.out;
  errors += more.errors;
  handled += more.handled;
  filtered += more.filtered;
  dropped += more.dropped;
  held += more.held;
}

Snapshot Statistics::snapshot() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void Statistics::add_node(std::size_t node, const NodeCounts& counts) {
  const std::lock_guard lock(mutex_);
  now_.nodes[node].add(counts);
}

void Statistics::finish_batch(const FlowCounts& flow, UtcTime at) {
  const std::lock_guard lock(mutex_);
  now_.flow.add(flow);
  now_.last_run_at = at;
  now_.last_failed = flow.errors > 0;
}

void Statistics::set_waiting(std::size_t node, const Error& error, UtcTime at) {
  const std::lock_guard lock(mutex_);
  now_.last_failed = true;
  now_.nodes[node].last_error = error;
  now_.nodes[node].last_error_at = at;
}

void Statistics::restore_held(std::size_t node, std::int64_t records) {
  const std::lock_guard lock(mutex_);
  now_.flow.in += records;
  now_.flow.held += records;
  now_.nodes[node].held += records;
}

void Statistics::add_missed_ticks(std::int64_t ticks) {
  const std::lock_guard lock(mutex_);
  now_.missed_ticks += ticks;
}

void Statistics::drop_held(std::size_t node, std::int64_t records) {
  const std::lock_guard lock(mutex_);
  now_.flow.held -= records;
  now_.flow.dropped += records;
  now_.nodes[node].held -= records;
  now_.nodes[node].dropped += records;
}

void Statistics::add_skipped(std::int64_t records) {
  const std::lock_guard lock(mutex_);
  now_.skipped += records;
}

void Statistics::source_failed(std::size_t node, const Error& error, UtcTime at) {
  const std::lock_guard lock(mutex_);
  failing_.insert(node);
  now_.failing_sources = failing_.size();
  ++now_.nodes[node].errors;
  now_.nodes[node].last_error = error;
  now_.nodes[node].last_error_at = at;
}

void Statistics::source_recovered(std::size_t node) {
  const std::lock_guard lock(mutex_);
  failing_.erase(node);
  now_.failing_sources = failing_.size();
}

Json bounded_copy(const Json& record, std::size_t max_bytes) {
  std::string text = to_text(record);
  if (text.size() <= max_bytes) return record;
  std::size_t cut = 0;
  while (cut + expression::character_size(text, cut) <= max_bytes) {
    cut += expression::character_size(text, cut);
  }
  Json shortened = json_object();
  shortened.insert_or_assign("truncated", true);
  shortened.insert_or_assign("bytes", text.size());
  text.resize(cut);
  shortened.insert_or_assign("text", std::move(text));
  return shortened;
}

}  // namespace tributary::orchestrate
