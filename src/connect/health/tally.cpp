#include "connect/health/tally.hpp"

#include "connect/lifecycle/reduce.hpp"

namespace tributary::connect::health {

namespace {

void raise(std::optional<Micros>& longest, Micros length) {
  longest = std::max(longest.value_or(Micros::zero()), length);
}

}  // namespace

Mark mark_of(const store::HistoryRow& row, UtcTime at) {
  Mark mark{at, parse_status(row.to).value_or(Status::kUnknown)};
  const bool down = mark.to == Status::kDisconnected || mark.to == Status::kFailed;
  mark.loss = down && parse_status(row.from) == Status::kConnected;
  const bool planned = row.note.starts_with(lifecycle::kMaintenanceNote);
  mark.failure = !planned && (mark.loss || mark.to == Status::kFailed);
  return mark;
}

bool is_excluded(Status status) {
  return status == Status::kIdle || status == Status::kSuspended || status == Status::kUnknown;
}

void Flapping::lost(UtcTime at) {
  losses_.push_back(at);
  if (losses_.size() > kFlappingLosses) losses_.erase(losses_.begin());
  const bool dense = losses_.size() == kFlappingLosses && at - losses_.front() <= kFlappingWithin;
  if (!since_ && dense) since_ = losses_.front();
}

void Flapping::advance(UtcTime to) {
  if (losses_.empty() || to - losses_.back() < kCalmAfter) return;
  since_.reset();
  losses_.clear();
}

Flapping Flapping::restore(std::vector<UtcTime> losses, std::optional<UtcTime> since) {
  Flapping flapping;
  flapping.losses_ = std::move(losses);
  flapping.since_ = since;
  return flapping;
}

void Longest::add(const Longest& other) {
  if (other.outage) raise(outage, *other.outage);
  if (other.recovery) raise(recovery, *other.recovery);
}

void Tally::end_outage(UtcTime when, bool recovered, Longest& longest) {
  const Micros length = when - *std::exchange(lost, std::nullopt);
  raise(longest.outage, length);
  if (!recovered) return;
  ++recoveries;
  recovery_time += length;
  raise(longest.recovery, length);
}

void Tally::advance(UtcTime to, Longest& longest) {
  if (to <= at) return;
  spent[static_cast<std::size_t>(status)] += to - at;
  at = to;
  const bool held = status == Status::kConnected && to - since >= kRecoveredAfter;
  if (lost && held) end_outage(since, true, longest);
  flapping.advance(to);
}

void Tally::apply(const Mark& mark, Longest& longest) {
  advance(mark.at, longest);
  ++changes;
  if (mark.failure) ++failures;
  if (mark.to != status) since = mark.at;
  status = mark.to;
  if (lost && is_excluded(status)) end_outage(mark.at, false, longest);
  if (!mark.loss) return;
  if (!lost) lost = mark.at;
  flapping.lost(mark.at);
}

}  // namespace tributary::connect::health
