#include <unistd.h>

#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include "bench/modbus_throughput.hpp"
#include "connect/manager.hpp"
#include "connectors/modbus/resources.hpp"

namespace tributary::bench {

Json modbus_points(int registers);

namespace {

using namespace std::chrono_literals;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

// Runs a task on the control executor and waits for it, from the main thread.
template <typename F>
auto wait_on_control(Runtime& runtime, F make_task) {
  return asio::co_spawn(runtime.control(), std::move(make_task), asio::use_future).get();
}

Json connection_body(std::uint16_t port, int index) {
  Json settings = json_object();
  settings.insert_or_assign("host", "127.0.0.1");
  settings.insert_or_assign("port", port);
  Json body = json_object();
  body.insert_or_assign("name", fmt::format("device {}", index));
  body.insert_or_assign("type", "modbus");
  body.insert_or_assign("settings", std::move(settings));
  body.insert_or_assign("autostart", true);
  return body;
}

Json function_body(int registers) {
  Json settings = json_object();
  settings.insert_or_assign("points", modbus_points(registers));
  settings.insert_or_assign("intervalMs", 10);
  settings.insert_or_assign("reportOn", "always");
  Json body = json_object();
  body.insert_or_assign("name", "scan");
  body.insert_or_assign("type", "modbus.subscribe");
  body.insert_or_assign("settings", std::move(settings));
  return body;
}

}  // namespace

Figures poll_hub(std::uint16_t port, const Load& load) {
  auto folder =
      std::filesystem::temp_directory_path() / fmt::format("tributary-bench-{}", getpid());
  std::filesystem::create_directories(folder);
  SystemClock clock;
  auto timers = make_system_timers();
  auto network = net::make_system_network(*timers);
  auto store = store::Store::open(folder.string(), clock);
  auto vault = secrets::Vault::open(folder.string(), true);
  sdk::Registry registry;
  if (!store || !vault ||
      !registry.add(connectors::modbus::resources(), connectors::modbus::make_connector())) {
    give_up("the bench hub cannot open its store");
  }
  Figures figures;
  {
    Runtime runtime(1, clock, *timers);
    connect::ManagerOptions options;
    options.attempts_per_second = 10'000;
    options.attempts_burst = 10'000;
    options.attempts_per_target = 10'000;
    options.start_spread = Duration::zero();
    connect::Manager manager(runtime, *network, **store, **vault, registry, options);
    std::atomic<std::int64_t> samples{0};
    std::vector<connect::Registration> watchers;
    auto prepare = [&]() -> Task<bool> {
      auto loaded = manager.load();
      if (!loaded) co_return false;
      for (int i = 0; i < load.devices; ++i) {
        Json body = connection_body(port, i);
        connect::Actor actor{"bench"};
        auto made = co_await manager.create(body, actor, false);
        if (!made) co_return false;
        Json function = function_body(load.registers);
        auto added = co_await manager.create_function(made->row.id, function, actor, false);
        if (!added) co_return false;
        auto watcher = manager.watch_values(
            added->row.id, [&samples](const std::shared_ptr<const Batch>& batch) {
              samples.fetch_add(static_cast<std::int64_t>(batch->size()),
                                std::memory_order_relaxed);
            });
        if (!watcher) co_return false;
        watchers.push_back(*watcher);
      }
      co_return true;
    };
    if (!wait_on_control(runtime, prepare)) give_up("the bench hub cannot make its connections");
    std::this_thread::sleep_for(3s);  // every device connected and scanning
    double cpu = cpu_seconds();
    auto begin = clock.steady_now();
    auto before = samples.load();
    std::this_thread::sleep_for(std::chrono::duration<double>(load.seconds));
    figures = {static_cast<double>(samples.load() - before), to_seconds(clock.steady_now() - begin),
               cpu_seconds() - cpu};
    auto finish = [&]() -> Task<bool> {
      watchers.clear();
      co_await manager.shutdown(5s);
      co_return true;
    };
    wait_on_control(runtime, finish);
  }
  store->reset();
  std::filesystem::remove_all(folder);
  return figures;
}

}  // namespace tributary::bench
