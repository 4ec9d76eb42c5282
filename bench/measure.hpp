// What every bench measures with: the time and memory of a process, and a process for each
// candidate.
#pragma once

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <type_traits>

#include "base/error.hpp"

namespace tributary::bench {

// User and system time of this process so far, in seconds.
inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Seconds of the monotonic clock.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Memory of this process that is in RAM, in bytes.
inline double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double all = 0;
  double resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

[[noreturn]] inline void give_up(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

// A failed step ends the bench: a number measured over errors would be worth nothing.
template <typename T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  give_up(result.error().code + ": " + result.error().message);
}

// What `candidate()` returns, found in a process of its own: its CPU time is its own, and nothing
// is left over for the next.
template <typename Candidate, typename Figures = std::invoke_result_t<Candidate>>
Figures in_own_process(Candidate candidate) {
  static_assert(std::is_trivially_copyable_v<Figures>);
  int ends[2];
  if (pipe(ends) != 0) give_up("no pipe");
  const pid_t pid = fork();
  if (pid == 0) {
    const Figures figures = candidate();
    _exit(write(ends[1], &figures, sizeof figures) == sizeof figures ? 0 : 1);
  }
  close(ends[1]);
  Figures figures;
  const bool complete = read(ends[0], &figures, sizeof figures) == sizeof figures;
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (!complete || status != 0) give_up("a candidate failed");
  return figures;
}

}  // namespace tributary::bench
