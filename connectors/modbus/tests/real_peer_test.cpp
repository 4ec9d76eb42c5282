// Peers that nobody of this project wrote: pymodbus as server and as client, libmodbus as server.
#include <gtest/gtest.h>

#include <thread>

#include "connectors/modbus/simulator/plant.hpp"
#include "connectors/modbus/tests/fixture.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;

// Debian's interpreter: the one its pymodbus package belongs to.
constexpr const char* kPython = "/usr/bin/python3";

constexpr const char* kOrders[] = {"ABCD", "BADC", "CDAB", "DCBA"};

// One value of each type, as the Python side lays them out.
std::string all_types(int base, std::string_view order) {
  return fmt::format(R"([
      {{"name": "int16", "address": {}, "dataType": "int16", "byteOrder": "{}"}},
      {{"name": "uint16", "address": {}, "dataType": "uint16", "byteOrder": "{}"}},
      {{"name": "int32", "address": {}, "dataType": "int32", "byteOrder": "{}"}},
      {{"name": "uint32", "address": {}, "dataType": "uint32", "byteOrder": "{}"}},
      {{"name": "int64", "address": {}, "dataType": "int64", "byteOrder": "{}"}},
      {{"name": "uint64", "address": {}, "dataType": "uint64", "byteOrder": "{}"}},
      {{"name": "float32", "address": {}, "dataType": "float32", "byteOrder": "{}"}},
      {{"name": "float64", "address": {}, "dataType": "float64", "byteOrder": "{}"}}])",
                     base, order, base + 1, order, base + 2, order, base + 4, order, base + 6,
                     order, base + 10, order, base + 14, order, base + 16, order);
}

class RealPeerTest : public ModbusTest {
 protected:
  static std::uint16_t port_of(test::Process& server) {
    const std::string port = server.wait_for_line("port ");
    if (port.empty()) throw std::runtime_error("the server did not start: " + server.output());
    return static_cast<std::uint16_t>(std::stoi(port));
  }
  static std::string script(const char* name) { return std::string(MODBUS_PEERS "/") + name; }
  // What the pymodbus client saw.
  static Json client(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {kPython, "-B", script("pymodbus_client.py")});
    test::Process process(std::move(arguments));
    const std::string seen = process.wait_for_line("seen ");
    if (seen.empty()) throw std::runtime_error("the client failed: " + process.output());
    return json(seen);
  }
};

class PymodbusTest : public RealPeerTest {
 protected:
  test::Process server_{{kPython, "-B", script("pymodbus_server.py")}};
  std::uint16_t port_ = port_of(server_);
};

TEST_F(PymodbusTest, EveryTypeInEveryByteOrderIsReadAsItWasWritten) {
  auto session = open(port_);
  for (int i = 0; i < 4; ++i) {
    const Json read =
        values(call(*session, "modbus.read",
                    fmt::format(R"({{"points": {}}})", all_types(i * 100, kOrders[i]))));
    EXPECT_EQ(read,
              json(R"({"int16": -12345, "uint16": 54321, "int32": -123456789, "uint32": 3123456789,
        "int64": -1234567890123456789, "uint64": 12345678901234567890, "float32": 21.5, "float64": -1e100})"))
        << kOrders[i];
  }
}

TEST_F(PymodbusTest, EveryTypeInEveryByteOrderIsWrittenAsItIsRead) {
  auto session = open(port_);
  const std::string wanted =
      R"({"int16": -32768, "uint16": 65535, "int32": -2147483648, "uint32": 4294967295,
      "int64": -9223372036854775808, "uint64": 18446744073709551615, "float32": -0.15625, "float64": 1.25e-200})";
  for (int i = 0; i < 4; ++i) {
    const int base = 500 + i * 100;
    const auto batch =
        call(*session, "modbus.write",
             fmt::format(R"({{"points": {}, "values": {}}})", all_types(base, kOrders[i]), wanted));
    ASSERT_EQ(values(batch), json(wanted));
    EXPECT_EQ(client({std::to_string(port_), "types", kOrders[i], std::to_string(base)}),
              json(wanted))
        << kOrders[i];
  }
}

TEST_F(PymodbusTest, BitsAreReadAndWritten) {
  auto session = open(port_);
  std::string points;
  Json expected = json_object();
  for (int i = 0; i < 99; ++i) {
    points += fmt::format(R"({}{{"name": "c{}", "area": "{}", "address": {}, "dataType": "bool"}})",
                          i == 0 ? "" : ",", i, i % 2 == 0 ? "coils" : "discreteInputs", i);
    expected[fmt::format("c{}", i)] = i % 3 == 0;
  }
  EXPECT_EQ(values(call(*session, "modbus.read", R"({"points": [)" + points + "]}")), expected);

  constexpr const char* kPoints = R"("points": [
      {"name": "a", "area": "coils", "address": 50, "dataType": "bool"},
      {"name": "b", "area": "coils", "address": 51, "dataType": "bool"},
      {"name": "c", "area": "coils", "address": 60, "dataType": "bool"}])";
  const Json wanted = json(R"({"a": true, "b": false, "c": false})");
  EXPECT_EQ(values(call(*session, "modbus.write",
                        fmt::format(R"({{{}, "values": {}}})", kPoints, to_text(wanted)))),
            wanted);
  EXPECT_EQ(values(call(*session, "modbus.read", fmt::format("{{{}}}", kPoints))), wanted);
}

TEST_F(PymodbusTest, AThousandRegistersHoldTheirOwnAddress) {
  auto session = open(port_);
  const auto operation = prepare("modbus.read", registers(1000, 1000));
  EXPECT_EQ(operation->round_trips(), 8U);
  const auto batch = call(*session, *operation);
  ASSERT_TRUE(batch.has_value());
  ASSERT_EQ(batch->size(), 1000U);
  for (const Sample& sample : batch->scans().at(0).samples) {
    ASSERT_TRUE(sample.quality.is_good());
    ASSERT_EQ(std::get<std::int64_t>(sample.value), 1000 + sample.point);
  }
}

TEST_F(PymodbusTest, AnAddressItDoesNotHaveIsRefusedAlone) {
  auto session = open(port_);
  const auto batch = call(*session, "modbus.read", registers(1997, 5));
  EXPECT_EQ(
      values(batch),
      json(
          R"({"r0": 1997, "r1": 1998, "r2": 1999, "r3": "illegal_address", "r4": "illegal_address"})"));
}

TEST_F(PymodbusTest, AKilledServerIsALossWithinASecond) {
  auto session = open(port_);
  server_.kill();
  const auto started = std::chrono::steady_clock::now();
  const auto health = context_.run(session->check_health(context_.in(5s)));
  ASSERT_FALSE(health.has_value());
  EXPECT_EQ(health.error().error_class, ErrorClass::kTransient);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 1s);
}

TEST_F(RealPeerTest, LibmodbusIsReadAndWritten) {
  test::Process server({LIBMODBUS_SERVER});
  auto session = open(port_of(server));
  const auto all = call(*session, "modbus.read", registers(0, 1000));
  ASSERT_TRUE(all.has_value());
  for (const Sample& sample : all->scans().at(0).samples)
    ASSERT_EQ(std::get<std::int64_t>(sample.value), sample.point);

  const std::string points = all_types(500, "CDAB");
  const std::string wanted =
      R"({"int16": -1, "uint16": 1, "int32": -2, "uint32": 2, "int64": -3, "uint64": 3,
                                 "float32": 0.5, "float64": -0.25})";
  EXPECT_EQ(values(call(*session, "modbus.write",
                        fmt::format(R"({{"points": {}, "values": {}}})", points, wanted))),
            json(wanted));
  EXPECT_EQ(values(call(*session, "modbus.read", fmt::format(R"({{"points": {}}})", points))),
            json(wanted));

  constexpr const char* kCoils = R"("points": [
      {"name": "a", "area": "coils", "address": 7, "dataType": "bool"}, {"name": "b", "area": "coils", "address": 8, "dataType": "bool"},
      {"name": "single", "area": "coils", "address": 20, "dataType": "bool"}])";
  const Json on = json(R"({"a": false, "b": true, "single": true})");
  EXPECT_EQ(values(call(*session, "modbus.write",
                        fmt::format(R"({{{}, "values": {}}})", kCoils, to_text(on)))),
            on);
  EXPECT_EQ(values(call(*session, "modbus.read", fmt::format("{{{}}}", kCoils))), on);

  EXPECT_EQ(values(call(*session, "modbus.read", registers(998, 4))),
            json(R"({"r0": 998, "r1": 999, "r2": "illegal_address", "r3": "illegal_address"})"));
}

TEST_F(RealPeerTest, ThePlantIsAPlantForPymodbusToo) {
  // The plant runs on a thread of its own, because the client's process is waited for here.
  asio::io_context loop(1);
  simulator::PlantServer server(loop.get_executor(), context_.timers(), 1);
  server.plant().advance(20s);
  const auto port = server.start("127.0.0.1", 0);
  ASSERT_TRUE(port.has_value());
  std::thread thread([&] { loop.run(); });
  Json seen;
  EXPECT_NO_THROW(seen = client({std::to_string(*port), "plant"}));
  loop.stop();
  thread.join();
  ASSERT_TRUE(seen.is_object());
  EXPECT_NEAR(seen["speed"].as<double>(), 1500, 30);
  EXPECT_EQ(seen["setpoint"], 1500);
  EXPECT_GT(seen["bottles"].as<int>(), 100);
  EXPECT_NEAR(seen["temperature"].as<double>(), 21, 3);
  EXPECT_EQ(seen["coils"][simulator::coils::kRunning], true);
  EXPECT_EQ(seen["inputs"][simulator::inputs::kPowerOk], true);
  EXPECT_EQ(seen["refusedAddress"], 2);
  EXPECT_EQ(seen["refusedUnit"], 11);
  EXPECT_EQ(seen["written"], true);
  EXPECT_EQ(seen["setpointAfter"], 777);
  EXPECT_EQ(seen["refusedValue"], 3);
}

}  // namespace
}  // namespace tributary::connectors::modbus
