#include "orchestrate/delivery/pace.hpp"

#include <algorithm>

namespace tributary::orchestrate {
namespace {

constexpr std::size_t kOlderForEachLive = 2;
// Shorter turns are not worth measuring.
constexpr Duration kShortTurn{std::chrono::milliseconds{5}};
// While nothing is known about live ones.
constexpr Duration kUnknownTurn{std::chrono::milliseconds{50}};
constexpr Duration kLongestPause{std::chrono::milliseconds{100}};
constexpr int kMeanOf = 8;
// One turn that hung says little about the next.
constexpr int kMostOfMean = 4;

}  // namespace

std::size_t BacklogPace::size() const {
  return std::clamp<std::size_t>(std::max(size_, owed_), 1, most_);
}

Duration BacklogPace::pause() const {
  return live_seen_ && owed_ == 0 ? std::min(last_turn_, kLongestPause) : Duration{};
}

void BacklogPace::restart() {
  owed_ = 0;
  live_seen_ = false;
}

void BacklogPace::live_sent(std::size_t records, Duration took) {
  live_seen_ = true;
  owed_ = std::min(owed_ + kOlderForEachLive * records, kOlderForEachLive * most_);
  if (live_turn_ == Duration{}) live_turn_ = took;
  live_turn_ += (std::min(took, live_turn_ * kMostOfMean) - live_turn_) / kMeanOf;
}

void BacklogPace::backlog_sent(std::size_t records, Duration took) {
  owed_ -= std::min(owed_, records);
  last_turn_ = took;
  const Duration known = live_turn_ == Duration{} ? kUnknownTurn : live_turn_;
  const Duration wanted = std::max(known * 5 / 4, kShortTurn);
  if (took > wanted && records <= size_) size_ = std::max<std::size_t>(1, records / 2);
  if (took <= wanted && records >= size_) size_ = std::min(most_, size_ + size_ / 4 + 1);
}

}  // namespace tributary::orchestrate
