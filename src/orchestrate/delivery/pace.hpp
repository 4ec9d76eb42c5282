// How much of a backlog is sent between calls with live records (order "liveFirst"). Pure.
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace tributary::orchestrate {

// Three rules. A live record waits for at most one turn of older ones (a call and its settlement),
// so such a turn shall take no longer than those of live records do. While there are live records,
// the time between two turns is as long as a turn, for whatever else needs the destination, the
// disk and the processor. And a backlog shall end: for each live record two older ones are sent,
// even when that makes live ones wait.
class BacklogPace {
 public:
  // `most`: records of one call.
  explicit BacklogPace(std::size_t most) : most_(most) {}

  // Records of the next call with older ones.
  std::size_t size() const;
  // The backlog has its turn although live records wait.
  bool is_due() const { return owed_ >= most_; }

  // How long to wait before the next such turn.
  Duration pause() const;

  // `took`: the turn.
  void live_sent(std::size_t records, Duration took);
  void backlog_sent(std::size_t records, Duration took);
  // A backlog begins to be passed, or is gone.
  void restart();

 private:
  const std::size_t most_;
  std::size_t size_ = 16;
  std::size_t owed_ = 0;    // older records that live ones have bought
  bool live_seen_ = false;  // since the backlog began to be passed
  Duration live_turn_{};    // what a turn of live records takes; zero: not known
  Duration last_turn_{};    // of older ones
};

}  // namespace tributary::orchestrate
