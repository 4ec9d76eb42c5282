// What one seed means: how many connections, how patient, and which misfortunes it knows.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace tributary::simulation {

struct Options {
  std::uint64_t seed = 0;
  int connections = 3;
  int peers = 3;  // fewer than connections: some share a target
  int attempts_per_target = 2;
  int actions = 20;
  Duration pace{};  // mean time between two actions
  // Each world knows a random part of the misfortunes: a world with all of them seldom gets deep
  // into one.
  bool patient = false;  // now and then people let minutes go by
  bool weather = true;
  bool pieces = false;        // answers of the peers come in pieces
  bool edits = false;         // settings, secrets, functions, deletion, creation
  bool calls = false;         // reads and writes
  bool crashes = false;       // the hub is killed, or the power goes
  bool restarts = false;      // the hub stops politely and starts again
  bool slow_disk = false;     // commits take long
  bool broken_disk = false;   // full, or a flush is refused
  bool clock = false;         // the wall clock is set
  bool host_suspend = false;  // the machine sleeps for hours
};

Options options_of(std::uint64_t seed);
std::string describe(const Options& options);

}  // namespace tributary::simulation
