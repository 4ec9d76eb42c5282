// Chance in pauses, so that those who failed together do not try again together.
#pragma once

#include "base/random.hpp"
#include "base/time.hpp"

namespace tributary::orchestrate {

// Half to all of `delay`.
inline Duration jittered(Duration delay, Random& random) {
  constexpr std::uint64_t kSteps = 1 << 20;
  const auto part = static_cast<std::int64_t>(random.next() % kSteps);
  return delay / 2 + delay / 2 * part / static_cast<std::int64_t>(kSteps);
}

}  // namespace tributary::orchestrate
