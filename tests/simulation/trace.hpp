// What happened, in order: its hash tells two runs apart, its end explains a violation.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <string>

#include "tests/simulation/timeline.hpp"

namespace tributary::simulation {

class Trace {
 public:
  Trace(const Timeline& time, bool aloud) : time_(time), aloud_(aloud) {}

  template <typename... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    add(fmt::format(format, std::forward<Args>(args)...));
  }
  // Only the first one counts: what follows it may be its consequence.
  template <typename... Args>
  void violation(fmt::format_string<Args...> format, Args&&... args) {
    if (!violation_.empty()) return;
    violation_ = fmt::format(format, std::forward<Args>(args)...);
    add("VIOLATION " + violation_);
  }

  bool ok() const { return violation_.empty(); }
  const std::string& violation() const { return violation_; }
  std::uint64_t hash() const { return hash_; }
  const std::deque<std::string>& last() const { return last_; }

 private:
  static constexpr std::size_t kKept = 60;

  void add(const std::string& text) {
    std::string line = fmt::format("{:>11.6f} {}", to_seconds(time_.now() - begin_), text);
    for (const char c : line) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    if (aloud_) fmt::print("{}\n", line);
    last_.push_back(std::move(line));
    if (last_.size() > kKept) last_.pop_front();
  }

  const Timeline& time_;
  bool aloud_;
  SteadyTime begin_ = time_.now();
  std::uint64_t hash_ = 0xcbf29ce484222325;
  std::deque<std::string> last_;
  std::string violation_;
};

}  // namespace tributary::simulation
