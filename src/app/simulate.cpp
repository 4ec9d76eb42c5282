#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "app/command.hpp"
#include "app/exit_codes.hpp"
#include "app/plant_s7.hpp"
#include "app/signals.hpp"
#include "connectors/modbus/simulator/plant.hpp"
#include "connectors/opcua/simulator/plant.hpp"

namespace tributary::app {
namespace {

using namespace connectors::modbus;

constexpr Option kOptions[] = {
    {"--host", "ADDRESS", "Address to listen on; 127.0.0.1 by default."},
    {"--port", "N", "Port to listen on; 0, the default, takes a free one and prints it."},
    {"--opcua-port", "N",
     "The plant also is an OPC UA server on this port; 0 takes a free one and prints it."},
    {"--opcua-dir", "DIR",
     "Keeps that server's certificate; without it, the server has a new one each time."},
    {"--s7-port", "N",
     "The plant is an S7 CPU at this port too; 0 takes a free one. Without this it is none."},
    {"--seed", "N", "The plant's chance: the same seed behaves the same; random by default."},
};

// 65536 writable registers and as many coils; input registers and discrete inputs show the same.
class PlainDevice final : public simulator::Device {
 public:
  std::optional<ExceptionCode> read(std::uint8_t, const Request& request,
                                    std::span<std::byte> out) override {
    if (!fits(request)) return ExceptionCode::kIllegalDataAddress;
    if (!is_bit_function(request.function)) {
      std::memcpy(out.data(), &registers_[request.address * 2UL], out.size());
      return std::nullopt;
    }
    for (std::size_t i = 0; i < request.quantity; ++i) {
      if (coils_[request.address + i]) out[i / 8] |= std::byte{1} << (i % 8);
    }
    return std::nullopt;
  }

  std::optional<ExceptionCode> write(std::uint8_t, const Request& request) override {
    if (!fits(request)) return ExceptionCode::kIllegalDataAddress;
    switch (request.function) {
      case FunctionCode::kWriteSingleCoil:
        coils_[request.address] = request.data[0] != std::byte{0};
        return std::nullopt;
      case FunctionCode::kWriteMultipleCoils:
        for (std::size_t i = 0; i < request.quantity; ++i)
          coils_[request.address + i] = load_bit(request.data, i);
        return std::nullopt;
      default:
        std::memcpy(&registers_[request.address * 2UL], request.data.data(),
                    request.quantity * 2UL);
        return std::nullopt;
    }
  }

 private:
  static constexpr std::size_t kSize = 65536;
  static bool fits(const Request& request) {
    return std::size_t{request.address} + request.quantity <= kSize;
  }
  std::vector<std::byte> registers_ = std::vector<std::byte>(kSize * 2);
  std::vector<bool> coils_ = std::vector<bool>(kSize);
};

// A directory that goes with the program.
class Scratch {
 public:
  Scratch() {
    std::string name = std::filesystem::temp_directory_path() / "tributary-plant-XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The plant's second face: shows its values as OPC UA nodes, and takes the set point from there.
class OpcuaFace {
 public:
  OpcuaFace(const Executor& executor, Timers& timers, simulator::Plant& plant)
      : executor_(executor), timers_(timers), plant_(plant) {}

  Result<void> start(const std::string& host, std::uint16_t port, const std::string& folder) {
    const std::string kept = folder.empty() ? scratch_.emplace().path() + "/keys" : folder;
    auto server = connectors::opcua::simulator::PlantServer::start(host, port, kept);
    TRIBUTARY_TRY(server);
    server_ = *std::move(server);
    remember();
    look();
    return {};
  }
  std::string description() const {
    return fmt::format("It also is an OPC UA server: {} (SHA-256 of its certificate: {}).",
                       server_->url(), server_->fingerprint());
  }

 private:
  connectors::opcua::simulator::PlantValues values() const {
    return {.speed = plant_.speed(),
            .setpoint = plant_.setpoint(),
            .bottles = plant_.bottles(),
            .rejects = plant_.rejects(),
            .state = static_cast<std::int32_t>(plant_.state()),
            .temperature = plant_.temperature(),
            .tank_level = plant_.tank_level(),
            .alarms = plant_.alarms()};
  }
  // The line has run for an hour already: a new chart is not empty.
  void remember() {
    constexpr std::chrono::seconds kStep{1};
    const UtcTime now = SystemClock().utc_now();
    for (UtcTime time = now - std::chrono::hours(1); time < now; time += kStep) {
      plant_.advance(kStep);
      server_->record(values(), time);
    }
  }
  void look() {
    for (const auto& command : server_->take_commands()) run(command);
    if (const auto setpoint = server_->take_setpoint())
      write(FunctionCode::kWriteSingleRegister, simulator::registers::kSpeedSetpoint, *setpoint);
    server_->show(values());
    constexpr std::chrono::milliseconds kInterval{100};
    timer_ = timers_.at(executor_, timers_.now() + kInterval, [this] { look(); });
  }
  void run(const connectors::opcua::simulator::PlantCommand& command) {
    using What = connectors::opcua::simulator::PlantCommand::What;
    constexpr std::uint16_t kOn = 0xFF00;
    switch (command.what) {
      case What::kStart:
        return write(FunctionCode::kWriteSingleCoil, simulator::coils::kStart, kOn);
      case What::kStop:
        return write(FunctionCode::kWriteSingleCoil, simulator::coils::kStop, kOn);
      case What::kReset:
        return write(FunctionCode::kWriteSingleCoil, simulator::coils::kReset, kOn);
      case What::kLoadRecipe:
        return write(FunctionCode::kWriteSingleRegister, simulator::registers::kRecipe,
                     command.recipe);
    }
  }
  void write(FunctionCode function, std::uint16_t address, std::uint16_t value) {
    const std::array<std::byte, 2> data{static_cast<std::byte>(value >> 8U),
                                        static_cast<std::byte>(value & 0xFFU)};
    static_cast<void>(plant_.write(1, {function, address, 1, data}));
  }

  Executor executor_;
  Timers& timers_;
  simulator::Plant& plant_;
  std::optional<Scratch> scratch_;
  std::unique_ptr<connectors::opcua::simulator::PlantServer> server_;
  std::unique_ptr<Timer> timer_;
};

// Runs `context` until somebody asks the program to stop.
void run_until_signal(asio::io_context& context) {
  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&context](const boost::system::error_code&, int) { context.stop(); });
  context.run();
}

int simulate(const Arguments& arguments) {
  if (arguments.words().empty())
    return report(usage_error("Say what to simulate: plant or modbus."));
  const std::string& kind = arguments.words().front();
  auto port = arguments.number("--port", 0, 0, 65535);
  if (!port) return report(port.error());
  auto s7_port = arguments.number("--s7-port", 0, 0, 65535);
  if (!s7_port) return report(s7_port.error());
  auto seed = arguments.number("--seed", 0, 0, std::numeric_limits<std::int64_t>::max());
  if (!seed) return report(seed.error());
  const std::string host = arguments.get("--host", "127.0.0.1");

  ignore_broken_pipes();
  asio::io_context context(1);
  auto timers = make_system_timers();
  PlainDevice device;
  simulator::ModbusServer server(context.get_executor(), device);
  simulator::PlantServer plant(
      context.get_executor(), *timers,
      arguments.has("--seed") ? static_cast<std::uint64_t>(*seed) : random_seed());
  const SystemClock clock;
  PlantS7 cpu(plant.plant(), clock);
  connectors::s7::simulator::S7Server s7_server(context.get_executor(), cpu, {.name = "Bottling"});
  Result<std::uint16_t> listening = 0;
  if (kind == "plant") {
    listening = plant.start(host, static_cast<std::uint16_t>(*port));
  } else if (kind == "modbus") {
    listening = server.start(host, static_cast<std::uint16_t>(*port));
  } else {
    return report(
        usage_error(fmt::format("\"{}\" cannot be simulated; plant and modbus can.", kind)));
  }
  if (!listening) return report(listening.error());
  fmt::print("{} listens on {}:{} (Modbus TCP, unit 1). Ctrl-C ends it.\n",
             kind == "plant" ? "The simulated bottling plant" : "The simulated Modbus device", host,
             *listening);
  OpcuaFace face(context.get_executor(), *timers, plant.plant());
  if (kind == "plant" && arguments.has("--opcua-port")) {
    const auto opcua_port = arguments.number("--opcua-port", 0, 0, 65535);
    if (!opcua_port) return report(opcua_port.error());
    const auto started =
        face.start(host, static_cast<std::uint16_t>(*opcua_port), arguments.get("--opcua-dir", ""));
    if (!started) return report(started.error());
    fmt::print("{}\n", face.description());
  }
  if (kind == "plant" && arguments.has("--s7-port")) {
    const auto s7_listening = s7_server.start(host, static_cast<std::uint16_t>(*s7_port));
    if (!s7_listening) return report(s7_listening.error());
    fmt::print("It is an S7 CPU at {}:{} too (rack 0, slot 1).\n", host, *s7_listening);
  }
  std::fflush(stdout);
  run_until_signal(context);
  return kOk;
}

}  // namespace

const Command kSimulateCommand{
    "simulate",
    "plant|modbus [--host ADDRESS] [--port N] [--opcua-port N] [--s7-port N]",
    "Play a device to connect to: a bottling plant, or plain Modbus registers.",
    "plant   a Modbus TCP device that behaves like a filler: speed, temperature, level, counters, "
    "alarms, and a stop\n"
    "        now and then. Its registers: connectors/modbus/simulator/README.md. With "
    "--opcua-port\n"
    "        it is an OPC UA server as well (connectors/opcua/simulator/README.md): methods, "
    "alarms, "
    "and the history\n"
    "        of an hour; with --s7-port an S7 CPU (connectors/s7/simulator/README.md).\n"
    "modbus  a Modbus TCP device with 65536 registers and coils that keep what is written to them.",
    kOptions,
    1,
    simulate};

}  // namespace tributary::app
