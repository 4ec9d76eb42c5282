#include "bench/modbus_throughput.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace tributary::bench {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

namespace {

using Poll = Figures (*)(std::uint16_t port, const Load& load);

// In a process of its own, so that its CPU time is its own and nothing is left over for the next.
Figures measure(Poll poll, std::uint16_t port, const Load& load) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) std::exit(1);
  if (fork() == 0) {
    Figures figures = poll(port, load);
    bool written =
        write(pipe_ends[1], &figures, sizeof figures) == static_cast<ssize_t>(sizeof figures);
    _exit(written ? 0 : 1);
  }
  close(pipe_ends[1]);
  Figures figures;
  bool complete =
      read(pipe_ends[0], &figures, sizeof figures) == static_cast<ssize_t>(sizeof figures);
  close(pipe_ends[0]);
  int status = 0;
  wait(&status);
  if (!complete || status != 0) {
    std::fprintf(stderr, "a poller failed\n");
    std::exit(1);
  }
  return figures;
}

void compare(const Load& load) {
  Device device;
  std::printf("%d device%s of %d registers\n", load.devices, load.devices == 1 ? "" : "s",
              load.registers);
  double raw_cost = 0;
  struct Candidate {
    const char* name;
    Poll poll;
  };
  for (auto [name, poll] :
       {Candidate{"raw epoll loop", poll_raw}, Candidate{"connector", poll_sessions},
        Candidate{"hub, 10 ms grid", poll_hub}}) {
    Figures figures = measure(poll, device.port(), load);
    double cost = figures.cpu_seconds / (figures.registers / 1e6);
    if (raw_cost == 0) raw_cost = cost;
    std::printf("  %-16s %12.0f registers/s  %8.3f CPU s per million registers  %5.2f x raw\n",
                name, figures.registers / figures.seconds, cost, cost / raw_cost);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace tributary::bench

int main(int argc, char** argv) {
  double seconds = argc > 1 ? std::stod(argv[1]) : 5;
  tributary::bench::compare({1, 1000, seconds});
  tributary::bench::compare({10, 100, seconds});
  tributary::bench::compare({100, 100, seconds});
}
