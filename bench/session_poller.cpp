
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "bench/modbus_throughput.hpp"
#include "connectors/modbus/resources.hpp"
#include "sdk/registry.hpp"

namespace tributary::bench {
namespace {

class NoEvents final : public sdk::SessionEvents {
 public:
  void lost(Error error) override {
    std::fprintf(stderr, "lost: %s\n", error.message.c_str());
    std::exit(1);
  }
};

struct Shared {
  sdk::Connector& connector;
  sdk::SessionContext context;
  sdk::Profile profile;
  sdk::FunctionSpec function;
  const Load& load;
  SteadyTime end;
  double registers = 0;
  int running = 0;
};

// A failed step ends the bench: a number measured over errors would be worth nothing.
template <typename T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

Task<void> poll(Shared& shared) {
  auto operation = must(shared.connector.prepare(shared.profile, shared.function));
  auto session = must(shared.connector.make_session(shared.context, shared.profile));
  net::StageObserver stages;
  auto opened =
      co_await session->open(shared.context.clock.steady_now() + std::chrono::seconds(5), stages);
  must(std::move(opened));
  Json no_parameters = json_object();
  while (shared.context.clock.steady_now() < shared.end) {
    auto deadline = shared.context.clock.steady_now() + std::chrono::seconds(5);
    auto answer = co_await session->call(*operation, no_parameters, deadline);
    shared.registers += static_cast<double>(must(std::move(answer)).size());
  }
  session->abort();
  if (--shared.running == 0) asio::query(shared.context.executor, asio::execution::context).stop();
}

}  // namespace

Json modbus_points(int registers) {
  Json points = json_array();
  for (int i = 0; i < registers; ++i) {
    Json point = json_object();
    point.insert_or_assign("name", fmt::format("r{}", i));
    point.insert_or_assign("area", "holdingRegisters");
    point.insert_or_assign("address", i);
    point.insert_or_assign("dataType", "uint16");
    points.push_back(std::move(point));
  }
  return points;
}

Figures poll_sessions(std::uint16_t port, const Load& load) {
  asio::io_context io(1);
  SystemClock clock;
  auto timers = make_system_timers();
  auto network = net::make_system_network(*timers);
  NoEvents events;
  sdk::Registry registry;
  auto added = registry.add(connectors::modbus::resources(), connectors::modbus::make_connector());
  if (!added) std::exit(1);
  const sdk::Entry& entry = *registry.find("modbus");

  Json settings = json_object();
  settings.insert_or_assign("host", "127.0.0.1");
  settings.insert_or_assign("port", port);
  Json function = json_object();
  function.insert_or_assign("points", modbus_points(load.registers));
  sdk::Profile profile;
  profile.connection_id = profile.connection_name = "bench";
  profile.settings = entry.connection.with_defaults(settings);
  sdk::FunctionSpec spec{"modbus.read",
                         entry.function("modbus.read")->schema.with_defaults(function)};
  sdk::SessionContext context{io.get_executor(), clock, *timers, *network, events};

  double cpu = cpu_seconds();
  auto begin = clock.steady_now();
  auto length = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(load.seconds));
  Shared shared{*entry.connector, context, profile, spec, load, begin + length, 0, load.devices};
  for (int i = 0; i < load.devices; ++i) spawn(io.get_executor(), poll(shared));
  io.run();
  return {shared.registers, to_seconds(clock.steady_now() - begin), cpu_seconds() - cpu};
}

}  // namespace tributary::bench
