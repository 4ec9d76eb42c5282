#include "connect/health/figures.hpp"

#include <numeric>

namespace tributary::connect::health {

namespace {

Micros sum(const std::array<Micros, kStatuses>& spent) {
  return std::accumulate(spent.begin(), spent.end(), Micros::zero());
}

// What was spent from `before` to `after`, which is `length` later. Time that no tally knows lies
// before the first row.
std::array<Micros, kStatuses> spent_between(const Tally& before, const Tally& after,
                                            Micros length) {
  std::array<Micros, kStatuses> spent{};
  for (std::size_t i = 0; i < kStatuses; ++i) spent[i] = after.spent[i] - before.spent[i];
  spent[static_cast<std::size_t>(Status::kUnknown)] += length - sum(spent);
  return spent;
}

double seconds_of(Micros duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

// The last block that starts before `time`; null: none does.
const Block* block_before(std::span<const Block> blocks, UtcTime time) {
  const auto after = std::ranges::lower_bound(blocks, time, {}, &Block::start);
  return after == blocks.begin() ? nullptr : &*std::prev(after);
}

}  // namespace

Micros Figures::down() const {
  return counted() - in(Status::kConnected);
}

Micros Figures::counted() const {
  return sum(spent) - in(Status::kIdle)-in(Status::kSuspended)-in(Status::kUnknown);
}

std::optional<double> Figures::uptime_percent() const {
  if (counted() <= Micros::zero()) return std::nullopt;
  return 100.0 * static_cast<double>(in(Status::kConnected).count()) /
         static_cast<double>(counted().count());
}

std::optional<double> Figures::mean_recovery_seconds() const {
  if (recoveries == 0) return std::nullopt;
  return seconds_of(recovery_time) / static_cast<double>(recoveries);
}

std::optional<double> Figures::mean_time_between_failures_seconds() const {
  if (failures == 0) return std::nullopt;
  return seconds_of(in(Status::kConnected)) / static_cast<double>(failures);
}

std::optional<Micros> Figures::longest_outage() const {
  if (!open_outage) return longest.outage;
  return std::max(longest.outage.value_or(Micros::zero()), *open_outage);
}

void Figures::add(const Figures& other) {
  for (std::size_t i = 0; i < kStatuses; ++i) spent[i] += other.spent[i];
  changes += other.changes;
  failures += other.failures;
  recoveries += other.recoveries;
  recovery_time += other.recovery_time;
  longest.add(other.longest);
}

Figures figures_of(const Ends& ends, UtcTime from, UtcTime to) {
  Figures figures;
  const Tally before = ends.first ? ends.first->at(from) : Tally{};
  Tally after;
  if (ends.last) {
    if (ends.first && ends.first->seq == ends.last->seq) {
      after = before;
    } else {
      if (ends.first) {
        Tally rest = before;
        ends.first->finish(rest, ends.next_start.value_or(ends.last->start()), figures.longest);
      }
      figures.longest.add(ends.between);
      after = ends.last->base;
    }
    ends.last->carry_on(after, to, figures.longest);
  }
  figures.spent = spent_between(before, after, to - from);
  figures.changes = after.changes - before.changes;
  figures.failures = after.failures - before.failures;
  figures.recoveries = after.recoveries - before.recoveries;
  figures.recovery_time = after.recovery_time - before.recovery_time;
  if (after.lost) figures.open_outage = to - *after.lost;
  figures.flapping_since = after.flapping.since();
  return figures;
}

std::vector<Segment> timeline_of(std::span<const Block> blocks, UtcTime from, UtcTime to) {
  std::vector<Segment> timeline;
  const auto add = [&](UtcTime begin, UtcTime end, Status status) {
    begin = std::clamp(begin, from, to);
    end = std::clamp(end, from, to);
    if (begin == end) return;
    if (!timeline.empty() && timeline.back().status == status) {
      timeline.back().to = end;
    } else {
      timeline.push_back({begin, end, status});
    }
  };
  UtcTime at = from;
  Status status = Status::kUnknown;
  for (const Block& block : blocks) {
    for (const Mark& mark : block.marks) {
      add(at, mark.at, status);
      at = mark.at;
      status = mark.to;
    }
  }
  add(at, to, status);
  return timeline;
}

Result<std::vector<Bucket>> buckets_of(const TallyAt& tally_at, UtcTime from, UtcTime to,
                                       std::size_t count) {
  std::vector<Bucket> buckets;
  buckets.reserve(count);
  const auto parts = static_cast<std::int64_t>(count);
  const std::int64_t length = (to - from).count();
  Result<Tally> before = tally_at(from);
  if (!before) return fail(std::move(before.error()));
  Bucket bucket{from, from};
  for (std::int64_t i = 1; i <= parts; ++i) {
    // In two terms, so that centuries of microseconds times 2000 parts do not overflow. Edges are
    // whole milliseconds, as they are shown.
    const Micros offset{length / parts * i + length % parts * i / parts};
    bucket.to = i == parts ? to : from + std::chrono::floor<std::chrono::milliseconds>(offset);
    Result<Tally> after = tally_at(bucket.to);
    if (!after) return fail(std::move(after.error()));
    bucket.spent = spent_between(*before, *after, bucket.to - bucket.from);
    bucket.failures = after->failures - before->failures;
    buckets.push_back(bucket);
    bucket.from = bucket.to;
    before = std::move(after);
  }
  return buckets;
}

Ends ends_in(std::span<const Block> blocks, UtcTime from, UtcTime to) {
  Ends ends;
  const Block* first = block_before(blocks, from);
  const Block* last = block_before(blocks, to);
  if (first) ends.first = *first;
  if (last) ends.last = *last;
  if (!last) return ends;
  const Block* next = first ? first + 1 : blocks.data();
  if (first && next <= last) ends.next_start = next->start();
  for (; next < last; ++next) ends.between.add(next->longest);
  return ends;
}

Tally tally_in(std::span<const Block> blocks, UtcTime time) {
  const Block* block = block_before(blocks, time);
  return block ? block->at(time) : Tally{};
}

}  // namespace tributary::connect::health
