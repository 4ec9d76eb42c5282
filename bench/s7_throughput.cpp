// S7 polling: what the connector costs per point, next to bare snap7 doing the same reads of the
// same device. What counts is the CPU time of the poller's process; the device runs in another.
#include <fmt/format.h>
#include <snap7.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "connectors/s7/resources.hpp"
#include "connectors/s7/simulator/server.hpp"
#include "runtime/event.hpp"
#include "sdk/registry.hpp"

namespace tributary::bench {
namespace {

using connectors::s7::Area;
namespace simulator = connectors::s7::simulator;

constexpr std::uint16_t kPduSize = 480;  // what snap7 asks for
constexpr std::size_t kMemory = 65'536;

// `points` words of DB1, `distance` bytes from one to the next: 2 is side by side.
struct Load {
  const char* name;
  std::size_t devices;
  int points;
  int distance;
  double seconds;
};
struct Figures {
  double points = 0;
  double seconds = 0;
  double cpu_seconds = 0;
};

// The simulated CPU in a process of its own; ends with its parent.
class Device {
 public:
  Device() {
    int ends[2];
    if (pipe(ends) != 0) give_up("no pipe");
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve(ends[1]);
    }
    close(ends[1]);
    if (read(ends[0], &port_, sizeof port_) != sizeof port_) give_up("the device did not start");
    close(ends[0]);
  }
  ~Device() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  [[noreturn]] static void serve(int out) {
    asio::io_context io(1);
    simulator::PlainDevice memory({{Area::kDataBlocks, 1, kMemory}, {Area::kMerkers, 0, 64}});
    simulator::S7Server server(io.get_executor(), memory,
                               {.pdu_size = kPduSize, .connections = 1024});
    const std::uint16_t port = must(server.start("127.0.0.1", 0));
    if (write(out, &port, sizeof port) != sizeof port) std::exit(1);
    io.run();
    std::exit(0);
  }
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

// As somebody would write it who knows the addresses: neighbours as one read, others as items of as
// few requests as fit the PDU; one device after the other.
class Snap7 {
 public:
  Snap7(std::uint16_t port, const Load& load) : load_(load), bytes_(kMemory) {
    Cli_SetParam(client_, p_u16_RemotePort, &port);
    if (Cli_ConnectTo(client_, "127.0.0.1", 0, 1) != 0) give_up("snap7 cannot connect");
    for (int i = 0; i < load.points; ++i) {
      const int at = i * load.distance;
      items_.push_back({S7AreaDB, S7WLByte, 0, 1, at, 2, &bytes_[static_cast<std::size_t>(at)]});
    }
  }
  void scan() {
    if (load_.distance == 2) {
      if (Cli_DBRead(client_, 1, 0, load_.points * 2, bytes_.data()) != 0)
        give_up("snap7 cannot read");
      return;
    }
    constexpr int kItems = 20;
    for (int at = 0; at < load_.points; at += kItems) {
      if (Cli_ReadMultiVars(client_, &items_[static_cast<std::size_t>(at)],
                            std::min(kItems, load_.points - at)) != 0)
        give_up("snap7 cannot read");
    }
  }

 private:
  const Load& load_;
  S7Object client_ = Cli_Create();  // until the process ends
  std::vector<unsigned char> bytes_;
  std::vector<TS7DataItem> items_;
};

Figures poll_snap7(std::uint16_t port, const Load& load) {
  std::vector<Snap7> clients;
  for (std::size_t i = 0; i < load.devices; ++i) clients.emplace_back(port, load);
  Figures figures;
  const double begin = now();
  const double cpu = cpu_seconds();
  while (now() < begin + load.seconds) {
    for (Snap7& client : clients) client.scan();
    figures.points += static_cast<double>(load.points) * static_cast<double>(load.devices);
  }
  figures.cpu_seconds = cpu_seconds() - cpu;
  figures.seconds = now() - begin;
  return figures;
}

class NoEvents final : public sdk::SessionEvents {
 public:
  void lost(Error error) override { give_up(error.message); }
};

struct Shared {
  sdk::Connector& connector;
  sdk::SessionContext context;
  sdk::Profile profile;
  sdk::FunctionSpec function;
  const Load& load;
  double end = 0;
  Figures figures{};
  std::size_t opened = 0;
  std::size_t running = 0;
};

Task<void> poll(Shared& shared) {
  const auto operation = must(shared.connector.prepare(shared.profile, shared.function));
  auto session = must(shared.connector.make_session(shared.context, shared.profile));
  net::StageObserver stages;
  const auto soon = [&] { return shared.context.clock.steady_now() + std::chrono::seconds(5); };
  auto opened = co_await session->open(soon(), stages);
  must(std::move(opened));
  // Those who come first wait: what is measured is polling.
  if (++shared.opened == shared.load.devices) {
    shared.end = now() + shared.load.seconds;
    shared.figures.cpu_seconds = cpu_seconds();
  }
  while (shared.end == 0) co_await asio::post(shared.context.executor, use_task);
  const Json no_parameters = json_object();
  while (now() < shared.end) {
    auto answer = co_await session->call(*operation, no_parameters, soon());
    const Batch batch = must(std::move(answer));
    if (!batch.scans().front().samples.back().quality.is_good()) give_up("a bad value");
    shared.figures.points += static_cast<double>(batch.size());
  }
  session->abort();
  if (--shared.running > 0) co_return;
  shared.figures.cpu_seconds = cpu_seconds() - shared.figures.cpu_seconds;
  shared.figures.seconds = shared.load.seconds;
}

// What a session needs, and its load.
struct Setup {
  Setup(std::uint16_t port, const Load& load)
      : shared{*connector,
               {io.get_executor(), clock, *timers, *network, events},
               profile_of(port),
               {"s7.read", function_of(load)},
               load} {
    shared.running = load.devices;
  }

  static sdk::Profile profile_of(std::uint16_t port) {
    sdk::Profile profile;
    profile.connection_name = "bench";
    profile.settings = json_object();
    profile.settings["host"] = "127.0.0.1";
    profile.settings["port"] = port;
    profile.settings["pduSize"] = kPduSize;
    return profile;
  }
  static Json function_of(const Load& load) {
    Json points = json_array();
    for (int i = 0; i < load.points; ++i) {
      Json point = json_object();
      point["name"] = fmt::format("w{}", i);
      point["address"] = fmt::format("DB1.DBW{}", i * load.distance);
      points.push_back(std::move(point));
    }
    Json function = json_object();
    function["points"] = std::move(points);
    return function;
  }

  asio::io_context io{1};
  SystemClock clock;
  std::unique_ptr<Timers> timers = make_system_timers();
  std::unique_ptr<net::Network> network = net::make_system_network(*timers);
  NoEvents events;
  std::unique_ptr<sdk::Connector> connector = connectors::s7::make_connector();
  Shared shared;
};

Figures poll_session(std::uint16_t port, const Load& load) {
  Setup setup(port, load);
  for (std::size_t i = 0; i < load.devices; ++i) spawn(setup.io.get_executor(), poll(setup.shared));
  setup.io.run();
  return setup.shared.figures;
}

// How long a write takes, alone or while a scan of everything runs without a pause: milliseconds,
// sorted.
struct Beside {
  Shared& shared;
  std::unique_ptr<sdk::Session> session;
  std::vector<double> latencies{};
};

Task<void> read_on(Beside& beside, std::shared_ptr<const sdk::Operation> scan) {
  const auto& clock = beside.shared.context.clock;
  const Json none = json_object();
  while (now() < beside.shared.end) {
    const SteadyTime soon = clock.steady_now() + std::chrono::seconds(5);
    auto answer = co_await beside.session->call(*scan, none, soon);
    must(std::move(answer));
  }
}

Task<void> write_on(Beside& beside, Timers& timers) {
  const auto& context = beside.shared.context;
  Json function = parse_json(R"({"points": [{"name": "m", "address": "MB5"}]})").value();
  const auto write = must(
      beside.shared.connector.prepare(beside.shared.profile, {"s7.write", std::move(function)}));
  for (int i = 0; now() < beside.shared.end; ++i) {
    Json parameters = json_object();
    parameters["m"] = i % 256;
    const double begin = now();
    auto answer = co_await beside.session->call(
        *write, parameters, context.clock.steady_now() + std::chrono::seconds(5));
    must(std::move(answer));
    beside.latencies.push_back((now() - begin) * 1000);
    Event pause(context.executor);
    co_await pause.wait_until(timers, context.clock.steady_now() + std::chrono::milliseconds(5));
  }
}

Task<void> time_writes(Shared& shared, Timers& timers, bool scanning,
                       std::vector<double>& latencies) {
  const auto scan = must(shared.connector.prepare(shared.profile, shared.function));
  Beside beside{shared, must(shared.connector.make_session(shared.context, shared.profile))};
  net::StageObserver stages;
  auto opened = co_await beside.session->open(
      shared.context.clock.steady_now() + std::chrono::seconds(5), stages);
  must(std::move(opened));
  shared.end = now() + shared.load.seconds;
  if (scanning) spawn(shared.context.executor, read_on(beside, scan));
  co_await write_on(beside, timers);
  latencies = std::move(beside.latencies);
  std::ranges::sort(latencies);
  asio::query(shared.context.executor, asio::execution::context).stop();
}

using Poll = Figures (*)(std::uint16_t port, const Load& load);

void compare(const Load& load) {
  const Device device;
  fmt::print("{}\n", load.name);
  double bare = 0;
  struct Candidate {
    const char* name;
    Poll poll;
  };
  for (const auto& [name, poll] :
       {Candidate{"bare snap7", poll_snap7}, Candidate{"connector", poll_session}}) {
    const Figures figures = in_own_process([&] { return poll(device.port(), load); });
    const double cost = figures.cpu_seconds / (figures.points / 1e6);
    if (bare == 0) bare = cost;
    fmt::print("  {:<11} {:>12.0f} points/s  {:>8.3f} CPU s per million points  {:>5.2f} x snap7\n",
               name, figures.points / figures.seconds, cost, cost / bare);
    std::fflush(stdout);
  }
}

// The writes without a scan say what the machine itself does to them while others use it.
void compare_lane(const Load& load) {
  const Device device;
  for (const bool scanning : {false, true}) {
    Setup setup(device.port(), load);
    std::vector<double> latencies;
    spawn(setup.io.get_executor(), time_writes(setup.shared, *setup.timers, scanning, latencies));
    setup.io.run();
    const auto share = [&](double part) {
      return latencies[static_cast<std::size_t>(static_cast<double>(latencies.size() - 1) * part)];
    };
    fmt::print("{} writes {}: p50 {:.2f} ms, p99 {:.2f} ms, longest {:.2f} ms\n", latencies.size(),
               scanning ? fmt::format("beside an endless scan of {} words, {} bytes apart",
                                      load.points, load.distance)
                        : "alone",
               share(0.5), share(0.99), share(1));
  }
}

}  // namespace
}  // namespace tributary::bench

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::stod(argv[1]) : 5;
  tributary::bench::compare({"1 device, 1000 words side by side", 1, 1000, 2, seconds});
  tributary::bench::compare({"1 device, 500 words, 100 bytes apart", 1, 500, 100, seconds});
  tributary::bench::compare({"10 devices, 100 words side by side", 10, 100, 2, seconds});
  tributary::bench::compare({"100 devices, 100 words side by side", 100, 100, 2, seconds});
  tributary::bench::compare_lane({"", 1, 500, 100, seconds});
}
