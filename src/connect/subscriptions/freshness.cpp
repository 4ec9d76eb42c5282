#include "connect/subscriptions/freshness.hpp"

#include <algorithm>

namespace tributary::connect {

namespace {

// Arrivals this close together are one: a burst every ten minutes has gaps of ten minutes, not of
// nothing.
constexpr Duration kBurst{std::chrono::seconds{1}};
constexpr int kGapFactor = 3;
constexpr int kMostDoublings = 16;

}  // namespace

void GapStatistics::add(Duration gap) {
  if (gaps_.size() < kKept) {
    gaps_.push_back(gap);
    return;
  }
  gaps_[next_] = gap;
  next_ = (next_ + 1) % kKept;
}

std::optional<Duration> GapStatistics::expected() const {
  if (gaps_.size() < kNeeded) return std::nullopt;
  std::vector<Duration> sorted = gaps_;
  const auto rank = static_cast<std::ptrdiff_t>((sorted.size() * 99 + 99) / 100 - 1);
  std::ranges::nth_element(sorted, sorted.begin() + rank);
  return kGapFactor * sorted[static_cast<std::size_t>(rank)];
}

void Freshness::begin(SteadyTime now) {
  heard_ = now;
  burst_.reset();
  restored_ = false;
  held_ = 0;
}

void Freshness::value(SteadyTime now) {
  heard_ = now;
  restored_ = true;
  rebuilds_ = 0;
  if (!is_learnt()) return;
  if (burst_ && now - *burst_ < kBurst) return;
  if (burst_) gaps_.add(now - *burst_);
  burst_ = now;
}

void Freshness::release(SteadyTime now) {
  // What was begun in an earlier session may end in this one.
  held_ = std::max(0, held_ - 1);
  heard_ = now;
}

std::optional<Duration> Freshness::expected() const {
  if (rule_.declared > Duration{}) return rule_.declared;
  if (rule_.interval > Duration{}) return std::max(2 * rule_.interval, kLeastPolledFreshness);
  const auto learnt = gaps_.expected();
  if (!learnt) return std::nullopt;
  return std::max(*learnt, kLeastLearntFreshness);
}

std::optional<SteadyTime> Freshness::silent_since(SteadyTime now) const {
  const auto expect = expected();
  if (!expect || held_ > 0 || now - heard_ < *expect) return std::nullopt;
  return heard_;
}

std::optional<SteadyTime> Freshness::silent_at(SteadyTime now) const {
  const auto expect = expected();
  if (!expect) return std::nullopt;
  return (held_ > 0 ? now : heard_) + *expect;
}

std::optional<Duration> Freshness::rebuild_wait(std::optional<Duration> setting) const {
  const auto expect = expected();
  if (!expect) return std::nullopt;
  if (setting) {
    if (*setting <= Duration{}) return std::nullopt;
    return std::max(*setting, *expect);
  }
  // Something that was never promised is no reason to end a session.
  if (is_learnt()) return std::nullopt;
  return std::max(kRebuildFactor * *expect, kLeastRebuildWait);
}

std::optional<SteadyTime> Freshness::rebuild_at(std::optional<Duration> setting) const {
  const auto wait = rebuild_wait(setting);
  if (!wait || held_ > 0) return std::nullopt;
  const Duration cap = std::max(*wait, kLongestRebuildWait);
  Duration grown = *wait;
  for (int i = 0; i < std::min(rebuilds_, kMostDoublings) && grown < cap; ++i) grown *= 2;
  return heard_ + std::min(grown, cap);
}

}  // namespace tributary::connect
