// When the connections of a hub that comes up begin: not all in the same instant (lifecycle T2,
// G29).
#pragma once

#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"

namespace tributary::connect {

// A delay of 0 … `spread` for each of `count` connections. They fill the spread from its beginning
// to its end in equal steps with some chance in each, in random order: moments that are purely
// random would leave heaps and gaps. A single connection gets any moment, because a hundred hubs
// with one connection each may come up together.
std::vector<Duration> spread_starts(std::size_t count, Duration spread, Random& random);

}  // namespace tributary::connect
