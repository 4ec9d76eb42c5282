#include "connect/start_spread.hpp"

#include <utility>

#include "connect/lifecycle/backoff.hpp"

namespace tributary::connect {

std::vector<Duration> spread_starts(std::size_t count, Duration spread, Random& random) {
  const auto part = [spread](double share) {
    return Duration{static_cast<Duration::rep>(static_cast<double>(spread.count()) * share)};
  };
  if (count == 1) return {part(lifecycle::unit_interval(random.next()))};
  std::vector<Duration> delays;
  delays.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const bool end = i == 0 || i + 1 == count;
    const double chance = end ? 0.0 : lifecycle::unit_interval(random.next()) - 0.5;
    delays.push_back(part((static_cast<double>(i) + chance) /
                          static_cast<double>(std::max<std::size_t>(1, count - 1))));
  }
  for (std::size_t i = count; i > 1; --i) std::swap(delays[i - 1], delays[random.next() % i]);
  return delays;
}

}  // namespace tributary::connect
