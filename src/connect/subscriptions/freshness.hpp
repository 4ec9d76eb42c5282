// Connected but silent: how often a subscription is expected to say something, and since when it
// says nothing. Pure: arrivals go in, what they mean comes out.
#pragma once

#include <optional>
#include <vector>

#include "base/time.hpp"

namespace tributary::connect {

// Where the expectation of a subscription comes from.
struct FreshnessRule {
  Duration declared{};  // "freshness": {"expectMs"} of the function; zero: not declared
  Duration interval{};  // of a polled function; zero: the peer sends by itself
};

// What is expected is never less than this, so that ordinary delays raise no alarm.
inline constexpr Duration kLeastPolledFreshness{std::chrono::seconds{5}};
inline constexpr Duration kLeastLearntFreshness{std::chrono::seconds{10}};
inline constexpr Duration kLeastRebuildWait{std::chrono::seconds{60}};
inline constexpr Duration kLongestRebuildWait{std::chrono::hours{1}};
inline constexpr int kRebuildFactor = 10;

// The pace of a subscription that nobody described, learnt from the gaps between its arrivals.
class GapStatistics {
 public:
  static constexpr std::size_t kKept = 256;  // newest gaps
  static constexpr std::size_t kNeeded = 20;

  void add(Duration gap);
  std::size_t count() const { return gaps_.size(); }
  // Three times the 99th percentile of the gaps; nullopt before there are enough of them.
  std::optional<Duration> expected() const;

 private:
  std::vector<Duration> gaps_;  // a ring once it is full
  std::size_t next_ = 0;
};

// Of one function; outlives its sessions, so that a new one is measured by what the last one did.
class Freshness {
 public:
  explicit Freshness(FreshnessRule rule = {}) : rule_(rule) {}

  // A session begins: nothing has arrived in it.
  void begin(SteadyTime now);
  // A value that says how things are now.
  void value(SteadyTime now);
  // The peer answered without a value, or is not asked on purpose: a failing function is not a
  // silent one.
  void answered(SteadyTime now) { heard_ = now; }
  // Consumers are busy with what came: until release() nothing more can come.
  void hold() { ++held_; }
  void release(SteadyTime now);

  // A value arrived in this session.
  bool restored() const { return restored_; }
  std::optional<Duration> expected() const;
  bool is_learnt() const { return rule_.declared <= Duration{} && rule_.interval <= Duration{}; }

  // Since when nothing came, when that is longer than expected.
  std::optional<SteadyTime> silent_since(SteadyTime now) const;
  // When it will be silent if nothing comes until then. nullopt: nothing is expected.
  std::optional<SteadyTime> silent_at(SteadyTime now) const;

  // When the session is to be made anew because of this subscription. `setting` as
  // Policy::rebuild_silent_after. Each new session that brought nothing doubles the wait.
  std::optional<SteadyTime> rebuild_at(std::optional<Duration> setting) const;
  void rebuilt() { ++rebuilds_; }

 private:
  std::optional<Duration> rebuild_wait(std::optional<Duration> setting) const;

  FreshnessRule rule_;
  GapStatistics gaps_;
  SteadyTime heard_;
  std::optional<SteadyTime> burst_;  // its begin, in this session
  bool restored_ = false;
  int held_ = 0;
  int rebuilds_ = 0;  // since the last value
};

}  // namespace tributary::connect
