#include "bench/modbus_throughput.hpp"

#include <cstdio>
#include <string>

namespace tributary::bench {

namespace {

using Poll = Figures (*)(std::uint16_t port, const Load& load);

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
    Figures figures = in_own_process([&] { return poll(device.port(), load); });
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
