#include "orchestrate/triggers/error_digest.hpp"

namespace tributary::orchestrate {

void ErrorDigest::add(const RunEnd& end, const NodeFailure& failure) {
  const std::string key = end.pipeline_id + "\n" + failure.node_id + "\n" + failure.error.code;
  if (entries_.size() >= kMaxErrors && !entries_.contains(key)) return;
  Entry& entry = entries_[key];
  const std::int64_t before = entry.pending ? entry.pending->suppressed + 1 : 0;
  Told told{end, failure, before + failure.count - 1};
  told.end.failures.clear();
  told.end.output.clear();
  entry.pending = std::move(told);
}

std::optional<SteadyTime> ErrorDigest::due() const {
  std::optional<SteadyTime> first;
  for (const auto& [key, entry] : entries_) {
    if (!entry.pending) continue;
    const SteadyTime when = entry.last_told ? *entry.last_told + debounce_ : SteadyTime::min();
    if (!first || when < *first) first = when;
  }
  return first;
}

std::optional<ErrorDigest::Told> ErrorDigest::take(SteadyTime now) {
  for (auto& [key, entry] : entries_) {
    const bool resting = entry.last_told && now - *entry.last_told < debounce_;
    if (!entry.pending || resting) continue;
    Told told = std::move(*entry.pending);
    entry.pending.reset();
    entry.last_told = now;
    return told;
  }
  forget(now);
  return std::nullopt;
}

// What was told long ago is as good as new.
void ErrorDigest::forget(SteadyTime now) {
  std::erase_if(entries_, [&](const auto& item) {
    const Entry& entry = item.second;
    return !entry.pending && entry.last_told && now - *entry.last_told >= debounce_;
  });
}

}  // namespace tributary::orchestrate
