// What is logged, changed while the program runs, and the newest lines. Any thread. Nothing of it
// has an effect before log::start().
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/log.hpp"

namespace tributary::log {

struct Levels {
  Level level = Level::kInfo;
  std::map<std::string, Level, std::less<>> components;  // those that have one of their own
  std::int64_t version = 1;                              // goes up with every set_levels()
};

// The version is set by it. Holds until the program ends: the next start begins with the level of
// its command line.
void set_levels(Levels levels);
Levels levels();

inline constexpr std::size_t kMostLastLines = 1000;
// Oldest first, each ends with a newline.
std::vector<std::string> last_lines();

}  // namespace tributary::log
