#include "tests/simulation/options.hpp"

#include <fmt/format.h>

#include "base/random.hpp"

namespace tributary::simulation {

Options options_of(std::uint64_t seed) {
  SeededRandom chance(seed ^ 0x5eed);
  const auto below = [&](std::uint64_t bound) { return chance.next() % bound; };
  const auto one_in = [&](std::uint64_t count) { return below(count) == 0; };
  Options options;
  options.seed = seed;
  options.connections = 3 + static_cast<int>(below(4));
  options.peers = one_in(3) ? 1 + static_cast<int>(below(2)) : options.connections;
  options.attempts_per_target = 1 + static_cast<int>(below(2));
  options.actions = 12 + static_cast<int>(below(20));
  options.pace = std::chrono::milliseconds{100 << below(6)};
  options.patient = one_in(6);
  options.weather = !one_in(8);
  options.pieces = one_in(4);
  options.edits = one_in(2);
  options.calls = one_in(2);
  options.crashes = one_in(2);
  options.restarts = one_in(4);
  options.slow_disk = one_in(3);
  options.broken_disk = one_in(6);
  options.clock = one_in(3);
  options.host_suspend = one_in(5);
  return options;
}

std::string describe(const Options& options) {
  std::string text = fmt::format(
      "seed {}: {} connections to {} peers, {} at once to one, {} actions about {} ms apart;",
      options.seed, options.connections, options.peers, options.attempts_per_target,
      options.actions, options.pace / std::chrono::milliseconds{1});
  const std::pair<bool, const char*> families[] = {{options.patient, "patient people"},
                                                   {options.weather, "weather"},
                                                   {options.pieces, "pieces"},
                                                   {options.edits, "edits"},
                                                   {options.calls, "calls"},
                                                   {options.crashes, "crashes"},
                                                   {options.restarts, "restarts"},
                                                   {options.slow_disk, "slow disk"},
                                                   {options.broken_disk, "broken disk"},
                                                   {options.clock, "clock steps"},
                                                   {options.host_suspend, "host suspend"}};
  for (const auto& [on, name] : families) {
    if (on) text += fmt::format(" {},", name);
  }
  text.pop_back();
  return text;
}

}  // namespace tributary::simulation
