// The simulated bottling plant: a filler that runs, stops now and then, and can be commanded. What
// it serves is in simulator/README.md; the addresses below are that table.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "connectors/modbus/simulator/server.hpp"
#include "runtime/timers.hpp"

namespace tributary::connectors::modbus::simulator {

enum class PlantState : std::uint8_t {
  kStopped = 0,
  kStarting = 1,
  kRunning = 2,
  kStopping = 3,
  kFault = 4
};

// Holding registers; input registers show the same and cannot be written.
namespace registers {
inline constexpr std::uint16_t kSpeed = 0;            // uint16, bottles/min
inline constexpr std::uint16_t kSpeedSetpoint = 1;    // uint16, bottles/min, writable 0 to 2000
inline constexpr std::uint16_t kBottles = 2;          // uint32
inline constexpr std::uint16_t kRejects = 4;          // uint32
inline constexpr std::uint16_t kState = 6;            // uint16, PlantState
inline constexpr std::uint16_t kAlarms = 7;           // bits
inline constexpr std::uint16_t kMotorCurrent = 8;     // int16, 0.1 A
inline constexpr std::uint16_t kRecipe = 9;           // uint16, writable 1 to 4
inline constexpr std::uint16_t kTemperature = 10;     // float32, °C
inline constexpr std::uint16_t kTankLevel = 12;       // float32, %
inline constexpr std::uint16_t kPressure = 14;        // float32, bar
inline constexpr std::uint16_t kOperatingHours = 16;  // uint32, 0.01 h
inline constexpr std::uint16_t kHeartbeat = 18;       // uint16, counts seconds
inline constexpr std::uint16_t kBatchNumber = 19;     // BCD, 4 digits
inline constexpr std::uint16_t kTemperatureSetpoint = 20;  // float32, °C, writable 4 to 80
inline constexpr std::uint16_t kEnergy = 22;               // float64, kWh
inline constexpr std::uint16_t kLifetimeBottles = 26;      // uint64
inline constexpr std::uint16_t kProduct = 30;              // text of 16 bytes, writable
inline constexpr std::uint16_t kTemperatureSwapped =
    38;  // float32 with the low word first (CDAB), °C
inline constexpr std::uint16_t kCount = 40;
}  // namespace registers

// Of unit 2, the line's power meter; holding and input registers alike, read only. float32.
namespace meter {
inline constexpr std::uint8_t kUnit = 2;
inline constexpr std::uint16_t kVoltage = 0;  // V
inline constexpr std::uint16_t kCurrent = 2;  // A
inline constexpr std::uint16_t kPower = 4;    // kW
inline constexpr std::uint16_t kEnergy = 6;   // kWh
inline constexpr std::uint16_t kCount = 8;
}  // namespace meter

// FIFO queue (function 24): the alarm bits of the latest faults, the oldest first.
inline constexpr std::uint16_t kFaultQueue = 100;

namespace coils {
inline constexpr std::uint16_t kStart = 0;      // command: write 1, falls back to 0
inline constexpr std::uint16_t kStop = 1;       // command
inline constexpr std::uint16_t kReset = 2;      // command: acknowledges a fault
inline constexpr std::uint16_t kRunning = 3;    // read only
inline constexpr std::uint16_t kLampGreen = 4;  // read only
inline constexpr std::uint16_t kLampYellow = 5;
inline constexpr std::uint16_t kLampRed = 6;
inline constexpr std::uint16_t kBeacon = 7;     // writable
inline constexpr std::uint16_t kCleanMode = 8;  // writable: stops the line and heats
inline constexpr std::uint16_t kCount = 9;
}  // namespace coils

namespace inputs {
inline constexpr std::uint16_t kDoorOpen = 0;
inline constexpr std::uint16_t kEmergencyStop = 1;
inline constexpr std::uint16_t kJam = 2;
inline constexpr std::uint16_t kPhotoEyeInfeed = 3;
inline constexpr std::uint16_t kPhotoEyeOutfeed = 4;
inline constexpr std::uint16_t kTankLow = 5;
inline constexpr std::uint16_t kAirPressureOk = 6;
inline constexpr std::uint16_t kPowerOk = 7;
inline constexpr std::uint16_t kCount = 8;
}  // namespace inputs

// Bits of registers::kAlarms.
namespace alarms {
inline constexpr std::uint16_t kJam = 1 << 0;
inline constexpr std::uint16_t kEmergencyStop = 1 << 1;
inline constexpr std::uint16_t kDoorOpen = 1 << 2;
inline constexpr std::uint16_t kTankLow = 1 << 3;
inline constexpr std::uint16_t kOverTemperature = 1 << 4;
}  // namespace alarms

// The model. Deterministic: the same seed and the same steps and writes give the same registers.
// Not thread-safe.
class Plant final : public Device {
 public:
  explicit Plant(std::uint64_t seed);

  // Lets this much time pass, in steps of 50 ms; a rest is kept for the next call.
  void advance(Duration time);

  // Answers to the unit ids 0, 1 and 255, and as the power meter to 2; to others as a gateway
  // without such a unit (exception 11).
  std::optional<ExceptionCode> read(std::uint8_t unit, const Request& request,
                                    std::span<std::byte> out) override;
  std::optional<ExceptionCode> write(std::uint8_t unit, const Request& request) override;
  std::vector<IdentificationObject> identification(std::uint8_t unit) const override;
  std::optional<std::vector<std::uint16_t>> fifo(std::uint8_t unit,
                                                 std::uint16_t address) const override;

  PlantState state() const { return state_; }
  double speed() const { return speed_; }
  std::uint16_t setpoint() const { return setpoint_; }
  std::uint32_t bottles() const { return static_cast<std::uint32_t>(bottles_); }
  std::uint32_t rejects() const { return rejects_; }
  double temperature() const { return temperature_; }
  double tank_level() const { return tank_level_; }
  std::uint16_t alarms() const;

 private:
  void step();
  void step_state();
  void step_speed();
  void step_product();
  void step_process();
  void disturb();
  void start();
  void fault(std::uint16_t cause, double seconds);
  void run_command(std::uint16_t coil);
  std::optional<ExceptionCode> write_coil(std::uint16_t coil, bool on);
  std::optional<ExceptionCode> write_registers(std::uint16_t address,
                                               std::span<const std::byte> data);
  std::array<std::byte, registers::kCount * 2> image() const;
  std::array<std::byte, meter::kCount * 2> meter_image() const;
  bool coil(std::uint16_t address) const;
  bool input(std::uint16_t address) const;
  double chance();                 // [0, 1)
  double noise(double amplitude);  // around 0, mostly within ± amplitude

  SeededRandom random_;
  Duration rest_{};
  double time_ = 0;  // s
  PlantState state_ = PlantState::kStarting;
  std::uint16_t cause_ = 0;            // alarm bit of the fault
  std::vector<std::uint16_t> faults_;  // the latest ones
  double clears_at_ = 0;               // when somebody clears it
  double next_disturbance_ = 0;
  bool clean_mode_ = false;
  bool beacon_ = false;
  std::uint16_t setpoint_ = 1500;
  std::uint16_t recipe_ = 1;
  float temperature_setpoint_ = 21.5F;
  std::array<std::byte, 16> product_{};
  double speed_ = 0;
  double shown_speed_ = 0;
  double bottles_ = 0;
  std::uint64_t counted_ = 0;  // whole bottles that passed the check weigher
  std::uint32_t rejects_ = 0;
  double temperature_ = 21.0;
  double tank_level_ = 72.0;
  bool refilling_ = false;
  double pressure_ = 3.2;
  double current_ = 0;        // A
  double energy_ = 48'231.5;  // kWh
  double operating_seconds_ = 12'345.0 * 3600;
};

// A plant on a server, moving in real time.
class PlantServer {
 public:
  PlantServer(Executor executor, Timers& timers, std::uint64_t seed);
  // stop()s. On the executor's thread, or when nothing runs it any more.
  ~PlantServer();
  PlantServer(const PlantServer&) = delete;
  PlantServer& operator=(const PlantServer&) = delete;

  // As ModbusServer::start.
  Result<std::uint16_t> start(const std::string& host, std::uint16_t port);
  void stop();
  Plant& plant() { return plant_; }
  const ModbusServer& server() const { return server_; }

 private:
  void arm();

  Executor executor_;
  Timers& timers_;
  Plant plant_;
  ModbusServer server_;
  std::unique_ptr<Timer> timer_;
  SteadyTime moved_{};
};

}  // namespace tributary::connectors::modbus::simulator
