#include "connectors/modbus/simulator/plant.hpp"

#include <gtest/gtest.h>

#include <set>

#include "connectors/modbus/tests/fixture.hpp"
#include "field/codec.hpp"

namespace tributary::connectors::modbus::simulator {
namespace {

using namespace std::chrono_literals;

Json read(Plant& plant, std::uint16_t address, field::Format format) {
  const Request request{FunctionCode::kReadHoldingRegisters,
                        address,
                        static_cast<std::uint16_t>(field::size_of(format) / 2),
                        {}};
  std::vector<std::byte> out(request.quantity * 2U);
  EXPECT_EQ(plant.read(1, request, out), std::nullopt);
  return to_json(field::decode_value(format, out).value);
}

std::optional<ExceptionCode> write_register(Plant& plant, std::uint16_t address,
                                            std::uint16_t value) {
  std::array<std::byte, 2> data;
  store_u16(data.data(), value);
  return plant.write(1, {FunctionCode::kWriteSingleRegister, address, 1, data});
}

std::optional<ExceptionCode> write_coil(Plant& plant, std::uint16_t address, bool on) {
  std::array<std::byte, 2> data{std::byte{on ? std::uint8_t{0xFF} : std::uint8_t{0}}, std::byte{0}};
  return plant.write(1, {FunctionCode::kWriteSingleCoil, address, 1, data});
}

TEST(Plant, TheSameSeedGivesTheSamePlant) {
  Plant a(5);
  Plant b(5);
  for (int i = 0; i < 1'000; ++i) a.advance(100ms);
  b.advance(100s);
  for (std::uint16_t address = 0; address < registers::kCount; ++address) {
    EXPECT_EQ(read(a, address, {}), read(b, address, {})) << address;
  }
}

TEST(Plant, FillsBottlesAndStopsNowAndThen) {
  Plant plant(1);
  std::set<PlantState> seen;
  int stops = 0;
  std::uint32_t before = 0;
  for (int second = 0; second < 1'800; ++second) {
    const PlantState was = plant.state();
    plant.advance(1s);
    seen.insert(plant.state());
    if (was == PlantState::kRunning && plant.state() == PlantState::kFault) ++stops;
    ASSERT_GE(plant.bottles(), before) << "a counter does not go back";
    before = plant.bottles();
    ASSERT_GE(plant.tank_level(), 0);
    ASSERT_LE(plant.tank_level(), 100);
    ASSERT_LE(plant.speed(), 2000);
  }
  EXPECT_GE(stops, 5);
  EXPECT_LE(stops, 60);
  EXPECT_TRUE(seen.contains(PlantState::kRunning));
  EXPECT_TRUE(seen.contains(PlantState::kFault));
  EXPECT_GT(plant.bottles(), 20'000U) << "half an hour at about 1500 a minute, stops included";
  EXPECT_GT(plant.rejects(), 50U);
  EXPECT_LT(plant.rejects(), plant.bottles() / 50);
  EXPECT_NEAR(plant.temperature(), 21.5, 3.0);
}

TEST(Plant, RunsAtTheSetPoint) {
  Plant plant(2);
  plant.advance(20s);
  ASSERT_EQ(plant.state(), PlantState::kRunning);
  EXPECT_NEAR(read(plant, registers::kSpeed, {}).as<double>(), 1500, 30);
  EXPECT_EQ(write_register(plant, registers::kSpeedSetpoint, 800), std::nullopt);
  plant.advance(5s);
  EXPECT_NEAR(read(plant, registers::kSpeed, {}).as<double>(), 800, 30);
}

TEST(Plant, ObeysStopAndStart) {
  Plant plant(2);
  plant.advance(20s);
  EXPECT_EQ(write_coil(plant, coils::kStop, true), std::nullopt);
  plant.advance(10s);
  EXPECT_EQ(plant.state(), PlantState::kStopped);
  const auto bottles = plant.bottles();
  plant.advance(10s);
  EXPECT_EQ(plant.bottles(), bottles);
  EXPECT_EQ(write_coil(plant, coils::kStart, true), std::nullopt);
  plant.advance(10s);
  EXPECT_EQ(plant.state(), PlantState::kRunning);
  EXPECT_GT(plant.bottles(), bottles);
}

TEST(Plant, CleaningStopsTheLineAndHeats) {
  Plant plant(2);
  plant.advance(20s);
  EXPECT_EQ(write_coil(plant, coils::kCleanMode, true), std::nullopt);
  plant.advance(120s);
  EXPECT_EQ(plant.state(), PlantState::kStopped);
  EXPECT_GT(plant.temperature(), 60);
  EXPECT_NE(plant.alarms() & alarms::kOverTemperature, 0);
  EXPECT_EQ(write_coil(plant, coils::kStart, true), std::nullopt);
  plant.advance(5s);
  EXPECT_EQ(plant.state(), PlantState::kStopped) << "not while it is being cleaned";
}

TEST(Plant, RefusesWhatAPlcWouldRefuse) {
  Plant plant(1);
  EXPECT_EQ(write_register(plant, registers::kSpeed, 1), ExceptionCode::kIllegalDataAddress);
  EXPECT_EQ(write_register(plant, registers::kSpeedSetpoint, 2001),
            ExceptionCode::kIllegalDataValue);
  EXPECT_EQ(write_register(plant, registers::kRecipe, 0), ExceptionCode::kIllegalDataValue);
  EXPECT_EQ(write_coil(plant, coils::kRunning, true), ExceptionCode::kIllegalDataAddress);
  std::array<std::byte, 2> out;
  EXPECT_EQ(plant.read(1, {FunctionCode::kReadHoldingRegisters, registers::kCount, 1, {}}, out),
            ExceptionCode::kIllegalDataAddress);
  EXPECT_EQ(plant.read(7, {FunctionCode::kReadHoldingRegisters, 0, 1, {}}, out),
            ExceptionCode::kGatewayTargetNoResponse);
}

class PlantServerTest : public ModbusTest {};

TEST_F(PlantServerTest, IsReadThroughTheConnector) {
  PlantServer server(context_.executor(), context_.timers(), 1);
  const auto port = server.start("127.0.0.1", 0);
  ASSERT_TRUE(port.has_value());
  server.plant().advance(20s);
  auto session = open(*port);
  const auto operation = prepare("modbus.read", R"({"points": [
      {"name": "speed", "address": 0, "dataType": "uint16"},
      {"name": "setpoint", "area": "inputRegisters", "address": 1, "dataType": "uint16"},
      {"name": "bottles", "address": 2, "dataType": "uint32"},
      {"name": "temperature", "address": 10, "dataType": "float32"},
      {"name": "temperatureSwapped", "address": 38, "dataType": "float32", "byteOrder": "CDAB"},
      {"name": "current", "address": 8, "dataType": "int16", "scale": 0.1},
      {"name": "batch", "address": 19, "dataType": "bcd16"},
      {"name": "lifetime", "address": 26, "dataType": "uint64"},
      {"name": "product", "address": 30, "dataType": "string", "length": 8},
      {"name": "running", "area": "coils", "address": 3, "dataType": "bool"},
      {"name": "power", "area": "discreteInputs", "address": 7, "dataType": "bool"}]})");
  const Json read = values(call(*session, *operation));
  EXPECT_NEAR(read["speed"].as<double>(), 1500, 30);
  EXPECT_EQ(read["setpoint"], 1500);
  EXPECT_GT(read["bottles"].as<int>(), 100);
  EXPECT_NEAR(read["temperature"].as<double>(), 21, 3);
  EXPECT_EQ(read["temperature"], read["temperatureSwapped"]);
  EXPECT_NEAR(read["current"].as<double>(), 13, 3);
  EXPECT_EQ(read["batch"], 1);
  EXPECT_GT(read["lifetime"].as<std::int64_t>(), 5'000'000'000);
  EXPECT_EQ(read["product"], "Apple juice 0.5");
  EXPECT_EQ(read["running"], true);
  EXPECT_EQ(read["power"], true);

  // It moves by itself.
  const auto heartbeat = prepare(
      "modbus.read", R"({"points": [{"name": "bottles", "address": 2, "dataType": "uint32"}]})");
  const bool moved = context_.run_until(
      [&] { return server.plant().bottles() > read["bottles"].as<std::uint32_t>(); }, 10s);
  EXPECT_TRUE(moved);
  EXPECT_GT(values(call(*session, *heartbeat))["bottles"].as<int>(), read["bottles"].as<int>());
}

TEST_F(PlantServerTest, IsCommandedThroughTheConnector) {
  PlantServer server(context_.executor(), context_.timers(), 1);
  const auto port = server.start("127.0.0.1", 0);
  ASSERT_TRUE(port.has_value());
  server.plant().advance(20s);
  auto session = open(*port);
  const auto batch = call(*session, "modbus.write", R"({"points": [
      {"name": "setpoint", "address": 1, "dataType": "uint16"},
      {"name": "product", "address": 30, "dataType": "string", "length": 8},
      {"name": "temperature", "address": 20, "dataType": "float32"},
      {"name": "stop", "area": "coils", "address": 1, "dataType": "bool"}],
      "values": {"setpoint": 900, "product": "Tonic 0.2", "temperature": 18.5, "stop": true}})");
  EXPECT_EQ(
      values(batch),
      json(R"({"setpoint": 900, "product": "Tonic 0.2", "temperature": 18.5, "stop": true})"));
  const auto back = call(*session, "modbus.read", R"({"points": [
      {"name": "setpoint", "address": 1, "dataType": "uint16"},
      {"name": "product", "address": 30, "dataType": "string", "length": 8},
      {"name": "temperature", "address": 20, "dataType": "float32"}]})");
  EXPECT_EQ(values(back),
            json(R"({"setpoint": 900, "product": "Tonic 0.2", "temperature": 18.5})"));
  EXPECT_EQ(server.plant().state(), PlantState::kStopping);
}

TEST_F(PlantServerTest, SaysWhenItCannotListen) {
  PlantServer first(context_.executor(), context_.timers(), 1);
  const auto port = first.start("127.0.0.1", 0);
  ASSERT_TRUE(port.has_value());
  PlantServer second(context_.executor(), context_.timers(), 1);
  const auto taken = second.start("127.0.0.1", *port);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().code, "cannot_listen");
  EXPECT_THAT(taken.error().message, ::testing::HasSubstr(std::to_string(*port)));
  EXPECT_EQ(second.start("nowhere", 0).error().pointer, "/host");
}

TEST(Plant, HasAPowerMeterAsASecondUnit) {
  Plant plant(1);
  plant.advance(30s);
  const auto read_meter = [&](std::uint16_t address) {
    std::array<std::byte, 4> out{};
    const Request request{FunctionCode::kReadInputRegisters, address, 2, {}};
    EXPECT_EQ(plant.read(meter::kUnit, request, out), std::nullopt);
    const field::Format format{.type = field::DataType::kFloat32};
    return to_json(field::decode_value(format, out).value).as<double>();
  };
  EXPECT_NEAR(read_meter(meter::kVoltage), 398, 1);
  EXPECT_GT(read_meter(meter::kPower), 0.5) << "the filler runs";
  std::array<std::byte, 2> out{};
  const Request beyond{FunctionCode::kReadInputRegisters, meter::kCount, 1, {}};
  EXPECT_EQ(plant.read(meter::kUnit, beyond, out), ExceptionCode::kIllegalDataAddress);
}

TEST(Plant, KnowsItsNameAndItsLatestFaults) {
  Plant plant(1);
  EXPECT_EQ(plant.identification(1).at(3).text, "Simulated bottling plant");
  EXPECT_EQ(plant.identification(2).at(3).text, "Simulated power meter");
  EXPECT_TRUE(plant.identification(9).empty());
  EXPECT_TRUE(plant.fifo(1, kFaultQueue).value().empty());
  plant.advance(std::chrono::hours(2));
  const auto faults = plant.fifo(1, kFaultQueue).value();
  EXPECT_GT(faults.size(), 5U);
  EXPECT_LE(faults.size(), 31U);
  for (const std::uint16_t fault : faults) EXPECT_NE(fault, 0);
  EXPECT_EQ(plant.fifo(1, 5), std::nullopt);
}

}  // namespace
}  // namespace tributary::connectors::modbus::simulator
