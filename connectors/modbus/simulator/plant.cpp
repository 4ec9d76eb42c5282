#include "connectors/modbus/simulator/plant.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "field/codec.hpp"

namespace tributary::connectors::modbus::simulator {
namespace {

constexpr Duration kStep = std::chrono::milliseconds(50);
constexpr double kStepSeconds = 0.05;

constexpr double kAcceleration = 350;   // bottles/min per second
constexpr double kMeanTimeToStop = 75;  // s of running between two stops
constexpr double kRejectShare = 0.008;
constexpr double kAmbient = 19.0;           // °C
constexpr double kCleanTemperature = 75.0;  // °C
constexpr double kTankLow = 25.0;           // %
constexpr double kOverTemperature = 60.0;   // °C
constexpr std::uint16_t kHighestSetpoint = 2000;
constexpr double kMainsVoltage = 398.0;  // V
constexpr double kRootOfThree = 1.7320508;
constexpr double kPowerFactor = 0.86;

void put(std::span<std::byte> image, std::uint16_t address, std::uint64_t bits, std::size_t count) {
  for (std::size_t i = count; i-- > 0; bits >>= 16)
    store_u16(&image[(address + i) * 2], static_cast<std::uint16_t>(bits));
}
std::uint32_t float_bits(double value) {
  return std::bit_cast<std::uint32_t>(static_cast<float>(value));
}

std::uint16_t to_bcd(unsigned value) {
  unsigned bits = 0;
  for (unsigned shift = 0; shift < 16; shift += 4, value /= 10) bits |= (value % 10) << shift;
  return static_cast<std::uint16_t>(bits);
}

bool is_writable(std::uint16_t address) {
  using namespace registers;
  return address == kSpeedSetpoint || address == kRecipe || address == kTemperatureSetpoint ||
         address == kTemperatureSetpoint + 1 || (address >= kProduct && address < kProduct + 8);
}

bool answers_to(std::uint8_t unit) {
  return unit == 0 || unit == 1 || unit == 255;
}

}  // namespace

Plant::Plant(std::uint64_t seed) : random_(seed) {
  constexpr std::string_view kProductName = "Apple juice 0.5";
  std::memcpy(product_.data(), kProductName.data(), kProductName.size());
  next_disturbance_ = 40 + 20 * chance();
}

double Plant::chance() {
  return static_cast<double>(random_.next() >> 11) * 0x1.0p-53;
}
double Plant::noise(double amplitude) {
  return amplitude * (chance() + chance() + chance() - 1.5) / 1.5;
}

void Plant::advance(Duration time) {
  rest_ += time;
  for (; rest_ >= kStep; rest_ -= kStep) step();
}

void Plant::step() {
  time_ += kStepSeconds;
  step_state();
  step_speed();
  step_product();
  step_process();
}

void Plant::step_state() {
  if (state_ == PlantState::kFault && cause_ != 0 && time_ >= clears_at_) {
    cause_ = 0;
    state_ = PlantState::kStopped;
    start();
  }
  if (state_ == PlantState::kRunning && time_ >= next_disturbance_) disturb();
  if (state_ == PlantState::kStarting && speed_ >= setpoint_ - 1) state_ = PlantState::kRunning;
  if (state_ == PlantState::kStopping && speed_ <= 0) state_ = PlantState::kStopped;
}

// A jam most of the time, a door now and then, rarely somebody's hand on the emergency stop.
void Plant::disturb() {
  const double kind = chance();
  if (kind < 0.70) {
    fault(alarms::kJam, 6 + 8 * chance());
  } else if (kind < 0.93) {
    fault(alarms::kDoorOpen, 5 + 5 * chance());
  } else {
    fault(alarms::kEmergencyStop, 12 + 10 * chance());
  }
}

void Plant::fault(std::uint16_t cause, double seconds) {
  state_ = PlantState::kFault;
  cause_ = cause;
  clears_at_ = time_ + seconds;
  if (faults_.size() == kMaxFifoRegisters) faults_.erase(faults_.begin());
  faults_.push_back(cause);
}

void Plant::start() {
  if (clean_mode_ || cause_ != 0) return;
  state_ = PlantState::kStarting;
  next_disturbance_ = time_ - kMeanTimeToStop * std::log(1 - chance()) + 10;
}

void Plant::step_speed() {
  const bool drives = state_ == PlantState::kStarting || state_ == PlantState::kRunning;
  // The starved filler slows down before it runs dry.
  const double starved = std::clamp(tank_level_ / 5.0, 0.0, 1.0);
  const double target = drives ? setpoint_ * starved : 0;
  const double brake = state_ == PlantState::kFault ? 4 : 1;
  const double change = kAcceleration * kStepSeconds * (target < speed_ ? brake : 1);
  speed_ = target > speed_ ? std::min(target, speed_ + change) : std::max(target, speed_ - change);
  shown_speed_ = speed_ <= 0 ? 0 : std::max(0.0, speed_ + noise(12));
}

void Plant::step_product() {
  bottles_ += shown_speed_ / 60 * kStepSeconds;
  for (; counted_ < static_cast<std::uint64_t>(bottles_); ++counted_) {
    if (chance() < kRejectShare) ++rejects_;
  }
  tank_level_ -= shown_speed_ / 60 * kStepSeconds * 0.035;
  if (tank_level_ < kTankLow + 5) refilling_ = true;
  if (tank_level_ > 92) refilling_ = false;
  if (refilling_) tank_level_ += 2.4 * kStepSeconds;
  tank_level_ = std::clamp(tank_level_, 0.0, 100.0);
}

void Plant::step_process() {
  const double drive = shown_speed_ / kHighestSetpoint;
  const double wanted = clean_mode_ ? kCleanTemperature : temperature_setpoint_;
  temperature_ +=
      ((wanted - temperature_) * 0.05 + (kAmbient - temperature_) * 0.004 + drive * 0.12) *
          kStepSeconds +
      noise(0.01);
  const double pressure = (speed_ > 0 ? 3.2 + 0.4 * drive : 2.4);
  pressure_ += (pressure - pressure_) * 0.8 * kStepSeconds + noise(0.008);
  current_ = speed_ > 0 ? 2.1 + 14.5 * drive + noise(0.3) : 0.2;
  energy_ += current_ * 0.4 * 1.73 * kStepSeconds / 3600;
  if (speed_ > 0) operating_seconds_ += kStepSeconds;
}

std::uint16_t Plant::alarms() const {
  std::uint16_t bits = cause_;
  if (tank_level_ < kTankLow) bits |= alarms::kTankLow;
  if (temperature_ > kOverTemperature) bits |= alarms::kOverTemperature;
  return bits;
}

std::array<std::byte, registers::kCount * 2> Plant::image() const {
  using namespace registers;
  std::array<std::byte, kCount * 2> out{};
  put(out, kSpeed, static_cast<std::uint64_t>(std::lround(shown_speed_)), 1);
  put(out, kSpeedSetpoint, setpoint_, 1);
  put(out, kBottles, bottles(), 2);
  put(out, kRejects, rejects_, 2);
  put(out, kState, static_cast<std::uint64_t>(state_), 1);
  put(out, kAlarms, alarms(), 1);
  put(out, kMotorCurrent, static_cast<std::uint64_t>(std::lround(current_ * 10)), 1);
  put(out, kRecipe, recipe_, 1);
  put(out, kTemperature, float_bits(temperature_), 2);
  put(out, kTankLevel, float_bits(tank_level_), 2);
  put(out, kPressure, float_bits(pressure_), 2);
  put(out, kOperatingHours, static_cast<std::uint64_t>(operating_seconds_ / 36), 2);
  put(out, kHeartbeat, static_cast<std::uint64_t>(time_), 1);
  put(out, kBatchNumber, to_bcd(static_cast<unsigned>(bottles_ / 10'000) % 10'000 + 1), 1);
  put(out, kTemperatureSetpoint, float_bits(temperature_setpoint_), 2);
  put(out, kEnergy, std::bit_cast<std::uint64_t>(energy_), 4);
  put(out, kLifetimeBottles, 5'000'000'000ULL + static_cast<std::uint64_t>(bottles_), 4);
  std::memcpy(&out[kProduct * 2], product_.data(), product_.size());
  put(out, kTemperatureSwapped, std::rotr(float_bits(temperature_), 16), 2);
  return out;
}

bool Plant::coil(std::uint16_t address) const {
  switch (address) {
    case coils::kRunning:
    case coils::kLampGreen:
      return state_ == PlantState::kRunning;
    case coils::kLampYellow:
      return state_ == PlantState::kStarting || state_ == PlantState::kStopping || clean_mode_;
    case coils::kLampRed:
      return state_ == PlantState::kFault;
    case coils::kBeacon:
      return beacon_;
    case coils::kCleanMode:
      return clean_mode_;
    default:
      return false;  // commands fall back at once
  }
}

bool Plant::input(std::uint16_t address) const {
  const auto passing = static_cast<std::uint64_t>(bottles_ * 2);
  switch (address) {
    case inputs::kDoorOpen:
      return (cause_ & alarms::kDoorOpen) != 0;
    case inputs::kEmergencyStop:
      return (cause_ & alarms::kEmergencyStop) != 0;
    case inputs::kJam:
      return (cause_ & alarms::kJam) != 0;
    case inputs::kPhotoEyeInfeed:
      return passing % 2 == 0;
    case inputs::kPhotoEyeOutfeed:
      return passing % 2 == 1;
    case inputs::kTankLow:
      return tank_level_ < kTankLow;
    case inputs::kAirPressureOk:
      return pressure_ > 1.0;
    case inputs::kPowerOk:
      return true;
    default:
      return false;
  }
}

std::optional<ExceptionCode> Plant::read(std::uint8_t unit, const Request& request,
                                         std::span<std::byte> out) {
  const std::uint32_t end = std::uint32_t{request.address} + request.quantity;
  if (unit == meter::kUnit) {
    if (is_bit_function(request.function) || end > meter::kCount)
      return ExceptionCode::kIllegalDataAddress;
    const auto all = meter_image();
    std::memcpy(out.data(), &all[request.address * 2U], out.size());
    return std::nullopt;
  }
  if (!answers_to(unit)) return ExceptionCode::kGatewayTargetNoResponse;
  if (!is_bit_function(request.function)) {
    if (end > registers::kCount) return ExceptionCode::kIllegalDataAddress;
    const auto all = image();
    std::memcpy(out.data(), &all[request.address * 2U], out.size());
    return std::nullopt;
  }
  const bool reads_coils = request.function == FunctionCode::kReadCoils;
  if (end > (reads_coils ? coils::kCount : inputs::kCount))
    return ExceptionCode::kIllegalDataAddress;
  for (std::uint16_t i = 0; i < request.quantity; ++i) {
    const auto address = static_cast<std::uint16_t>(request.address + i);
    const bool on = reads_coils ? coil(address) : input(address);
    out[i / 8] |= std::byte{on} << (i % 8);
  }
  return std::nullopt;
}

std::array<std::byte, meter::kCount * 2> Plant::meter_image() const {
  std::array<std::byte, meter::kCount * 2> out{};
  const double power = kRootOfThree * kMainsVoltage * current_ * kPowerFactor / 1000;
  put(out, meter::kVoltage, float_bits(kMainsVoltage), 2);
  put(out, meter::kCurrent, float_bits(current_), 2);
  put(out, meter::kPower, float_bits(power), 2);
  put(out, meter::kEnergy, float_bits(energy_), 2);
  return out;
}

std::vector<IdentificationObject> Plant::identification(std::uint8_t unit) const {
  if (unit == meter::kUnit)
    return {{kVendorName, "Tributary"},
            {kProductCode, "PM-1"},
            {kRevision, "1.0"},
            {kProductName, "Simulated power meter"}};
  if (!answers_to(unit)) return {};
  return {{kVendorName, "Tributary"},
          {kProductCode, "BP-1"},
          {kRevision, "1.0"},
          {kProductName, "Simulated bottling plant"}};
}

std::optional<std::vector<std::uint16_t>> Plant::fifo(std::uint8_t unit,
                                                      std::uint16_t address) const {
  if (!answers_to(unit) || address != kFaultQueue) return std::nullopt;
  return faults_;
}

std::optional<ExceptionCode> Plant::write(std::uint8_t unit, const Request& request) {
  if (unit == meter::kUnit) return ExceptionCode::kIllegalDataAddress;
  if (!answers_to(unit)) return ExceptionCode::kGatewayTargetNoResponse;
  switch (request.function) {
    case FunctionCode::kWriteSingleCoil:
      return write_coil(request.address, request.data[0] != std::byte{0});
    case FunctionCode::kWriteMultipleCoils:
      for (std::uint16_t i = 0; i < request.quantity; ++i) {
        const auto exception =
            write_coil(static_cast<std::uint16_t>(request.address + i), load_bit(request.data, i));
        if (exception) return exception;
      }
      return std::nullopt;
    case FunctionCode::kWriteSingleRegister:
    case FunctionCode::kWriteMultipleRegisters:
      return write_registers(request.address, request.data);
    default:
      return ExceptionCode::kIllegalFunction;
  }
}

std::optional<ExceptionCode> Plant::write_coil(std::uint16_t address, bool on) {
  switch (address) {
    case coils::kStart:
    case coils::kStop:
    case coils::kReset:
      if (on) run_command(address);
      return std::nullopt;
    case coils::kBeacon:
      beacon_ = on;
      return std::nullopt;
    case coils::kCleanMode:
      clean_mode_ = on;
      if (on && state_ != PlantState::kFault) state_ = PlantState::kStopping;
      return std::nullopt;
    default:
      return ExceptionCode::kIllegalDataAddress;
  }
}

void Plant::run_command(std::uint16_t address) {
  const bool moving = state_ == PlantState::kStarting || state_ == PlantState::kRunning;
  if (address == coils::kStart && !moving && state_ != PlantState::kFault) start();
  if (address == coils::kStop && moving) state_ = PlantState::kStopping;
  if (address == coils::kReset && state_ == PlantState::kFault) {
    cause_ = 0;
    state_ = PlantState::kStopped;
  }
}

std::optional<ExceptionCode> Plant::write_registers(std::uint16_t address,
                                                    std::span<const std::byte> data) {
  const std::size_t count = data.size() / 2;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_writable(static_cast<std::uint16_t>(address + i)))
      return ExceptionCode::kIllegalDataAddress;
  }
  auto all = image();
  std::memcpy(&all[address * 2U], data.data(), data.size());
  const std::uint16_t setpoint = load_u16(&all[registers::kSpeedSetpoint * 2]);
  const std::uint16_t recipe = load_u16(&all[registers::kRecipe * 2]);
  const std::uint32_t bits =
      (std::uint32_t{load_u16(&all[registers::kTemperatureSetpoint * 2])} << 16) |
      load_u16(&all[registers::kTemperatureSetpoint * 2 + 2]);
  const auto temperature = std::bit_cast<float>(bits);
  const bool valid = setpoint <= kHighestSetpoint && recipe >= 1 && recipe <= 4 &&
                     temperature >= 4 && temperature <= 80;
  if (!valid) return ExceptionCode::kIllegalDataValue;
  setpoint_ = setpoint;
  recipe_ = recipe;
  temperature_setpoint_ = temperature;
  std::memcpy(product_.data(), &all[registers::kProduct * 2], product_.size());
  return std::nullopt;
}

PlantServer::PlantServer(Executor executor, Timers& timers, std::uint64_t seed)
    : executor_(executor), timers_(timers), plant_(seed), server_(executor, plant_) {}
PlantServer::~PlantServer() {
  stop();
}

Result<std::uint16_t> PlantServer::start(const std::string& host, std::uint16_t port) {
  auto bound = server_.start(host, port);
  if (!bound) return bound;
  moved_ = timers_.now();
  arm();
  return bound;
}

void PlantServer::stop() {
  timer_.reset();
  server_.stop();
}

void PlantServer::arm() {
  timer_ = timers_.at(executor_, timers_.now() + kStep, [this] {
    const SteadyTime now = timers_.now();
    // A machine that slept does not replay hours of production.
    plant_.advance(std::min<Duration>(now - moved_, std::chrono::seconds(5)));
    moved_ = now;
    arm();
  });
}

}  // namespace tributary::connectors::modbus::simulator
