// Peers that nobody of this project wrote, on every transport: pymodbus (RTU over TCP, UDP, RTU and
// ASCII on a pseudo-terminal), libmodbus (RTU), modbus-serial (TCP, with one unit that answers).
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "connectors/modbus/tests/fixture.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPython = "/usr/bin/python3";  // Debian's: the one its pymodbus belongs to

// Two serial ports with a cable between them.
class Cable {
 public:
  Cable() {
    for (int i = 0; i < 500 && !(ready("hub") && ready("device")); ++i)
      std::this_thread::sleep_for(10ms);
  }
  std::string hub() const { return end("hub"); }
  std::string device() const { return end("device"); }

 private:
  std::string link(const char* name) const { return (folder_.path() / name).string(); }
  bool ready(const char* name) const { return std::filesystem::exists(link(name)); }
  std::string end(const char* name) const {
    return std::filesystem::canonical(link(name)).string();
  }
  std::string address(const char* name) const { return "pty,raw,echo=0,link=" + link(name); }

  test::TempDir folder_;
  test::Process socat_{{"socat", address("hub"), address("device")}};
};

class RealLinePeer : public ModbusTest {
 protected:
  static std::uint16_t port_of(test::Process& server) {
    const std::string port = server.wait_for_line("port ");
    if (port.empty()) throw std::runtime_error("the server did not start: " + server.output());
    return static_cast<std::uint16_t>(std::stoi(port));
  }
  static std::string script() { return MODBUS_PEERS "/pymodbus_server.py"; }
  // Settings that go over network() for a serial port.
  static std::string line(const char* transport, const std::string& device) {
    return fmt::format(
        R"({{"transport": "{}", "serialPort": "{}", "parity": "none", "requestTimeoutMs": 3000}})",
        transport, device);
  }
  // What all pymodbus servers have.
  void expect_pymodbus(sdk::Session& session) {
    EXPECT_TRUE(context_.run(session.check_health(context_.in(5s))).has_value());
    EXPECT_EQ(
        values(call(session, "modbus.read", kValues)),
        json(R"({"float": 21.5, "low": -123456789, "other": 54321, "on": true, "off": false})"));
    const auto many = call(session, "modbus.read", registers(1000, 300));
    ASSERT_TRUE(many.has_value()) << many.error().message;
    for (const Sample& sample : many->scans().at(0).samples)
      ASSERT_EQ(std::get<std::int64_t>(sample.value), 1000 + sample.point);
    EXPECT_EQ(values(call(session, "modbus.write", kWrite)),
              json(R"({"a": 7, "b": -2.5, "text": "Tübingen"})"));
    EXPECT_EQ(values(call(session, "modbus.read", registers(1998, 3))),
              json(R"({"r0": 1998, "r1": 1999, "r2": "illegal_address"})"));
  }
  static constexpr const char* kValues = R"({"points": [
      {"name": "float", "address": 14, "dataType": "float32"},
      {"name": "low", "address": 202, "dataType": "int32", "byteOrder": "CDAB"},
      {"name": "other", "address": 1, "dataType": "uint16", "unitId": 7, "area": "inputRegisters"},
      {"name": "on", "area": "coils", "address": 3, "dataType": "bool"},
      {"name": "off", "area": "discreteInputs", "address": 4, "dataType": "bool"}]})";
  static constexpr const char* kWrite = R"({"verify": true, "points": [
      {"name": "a", "address": 600, "dataType": "uint16"},
      {"name": "b", "address": 610, "dataType": "float64", "unitId": 7},
      {"name": "text", "address": 620, "dataType": "string", "length": 6}],
      "values": {"a": 7, "b": -2.5, "text": "Tübingen"}})";
};

TEST_F(RealLinePeer, PymodbusOverUdp) {
  test::Process server({kPython, "-B", script(), "udp"});
  auto session = open(port_of(server), R"({"transport": "udp"})");
  expect_pymodbus(*session);
}

TEST_F(RealLinePeer, PymodbusAsRtuOverTcp) {
  test::Process server({kPython, "-B", script(), "rtuOverTcp"});
  auto session = open(port_of(server), R"({"transport": "rtuOverTcp"})");
  expect_pymodbus(*session);
}

TEST_F(RealLinePeer, PymodbusAsRtu) {
  Cable cable;
  test::Process server({kPython, "-B", script(), "rtu", cable.device()});
  port_of(server);
  auto session = open(0, line("rtu", cable.hub()));
  expect_pymodbus(*session);
}

TEST_F(RealLinePeer, PymodbusAsAscii) {
  Cable cable;
  test::Process server({kPython, "-B", script(), "ascii", cable.device()});
  port_of(server);
  auto session = open(0, line("ascii", cable.hub()));
  expect_pymodbus(*session);
}

TEST_F(RealLinePeer, PymodbusKnowsTheRarerFunctions) {
  test::Process server({kPython, "-B", script()});
  auto session = open(port_of(server), R"({"maxOutstanding": 4})");
  EXPECT_EQ(values(call(*session, "modbus.write", R"({"verify": true, "points": [
                {"name": "bit", "address": 700, "dataType": "bit", "bit": 3},
                {"name": "mode", "address": 700, "dataType": "bits", "bit": 8, "bits": 4}],
                "values": {"bit": true, "mode": 9}})")),
            json(R"({"bit": true, "mode": 9})"));
  EXPECT_EQ(values(call(*session, "modbus.read", registers(700, 1))), json(R"({"r0": 2312})"));
  EXPECT_EQ(values(call(*session, "modbus.readWrite", R"({
                "points": [{"name": "a", "address": 701, "dataType": "uint16"}], "values": {"a": 77},
                "readPoints": [{"name": "bits", "address": 700, "dataType": "uint16"},
                               {"name": "back", "address": 701, "dataType": "uint16"}]})")),
            json(R"({"bits": 2312, "back": 77})"));
  const auto diagnosis = call(*session, "modbus.diagnose", "{}");
  ASSERT_TRUE(diagnosis.has_value()) << diagnosis.error().message;
  const Json& record = diagnosis->records().at(0);
  EXPECT_EQ(record.at("identification").at("vendorName"), "Pymodbus");
  EXPECT_EQ(record.at("identification").at("productName"), "Test server");
  EXPECT_EQ(record.at("echo"), true);
}

TEST_F(RealLinePeer, LibmodbusAsRtu) {
  Cable cable;
  test::Process server({LIBMODBUS_SERVER, "rtu", cable.device()});
  port_of(server);
  auto session = open(0, line("rtu", cable.hub()));
  const auto all = call(*session, "modbus.read", registers(0, 400));
  ASSERT_TRUE(all.has_value()) << all.error().message;
  for (const Sample& sample : all->scans().at(0).samples)
    ASSERT_EQ(std::get<std::int64_t>(sample.value), sample.point);
  EXPECT_EQ(values(call(*session, "modbus.write", R"({"verify": true, "points": [
                {"name": "bit", "address": 900, "dataType": "bit", "bit": 15},
                {"name": "coil", "area": "coils", "address": 5, "dataType": "bool"}],
                "values": {"bit": false, "coil": true}})")),
            json(R"({"bit": false, "coil": true})"));
  EXPECT_EQ(values(call(*session, "modbus.read", registers(999, 2))),
            json(R"({"r0": 999, "r1": "illegal_address"})"));
}

TEST_F(RealLinePeer, ModbusSerialAnswersAsOneUnitAndTheOthersAreSilent) {
  test::Process server({"node", TRIBUTARY_SOURCE_DIR "/tests/peers/modbus_serial.mjs"});
  profile_ =
      profile(port_of(server), R"({"requestTimeoutMs": 300, "restAfter": 1, "identify": true})");
  profile_.connection_id = "modbus-serial";
  const auto operation = prepare("modbus.subscribe", R"({"intervalMs": 100, "points": [
      {"name": "holding", "address": 999, "dataType": "uint16"},
      {"name": "input", "area": "inputRegisters", "address": 7, "dataType": "uint16"},
      {"name": "coil", "area": "coils", "address": 6, "dataType": "bool"},
      {"name": "beyond", "address": 1000, "dataType": "uint16"},
      {"name": "silent", "address": 1, "dataType": "uint16", "unitId": 9}]})");
  auto session = connector_->make_session(context_.session_context(), profile_).value();
  const auto identity = context_.run(session->open(context_.in(5s), context_.stages()));
  ASSERT_TRUE(identity.has_value()) << identity.error().message;
  EXPECT_EQ(identity->vendor, "yaacov");
  EXPECT_EQ(identity->product, "modbus-serial");
  const Json expected = json(R"({"holding": 999, "input": 10007, "coil": true,
                                 "beyond": "illegal_address", "silent": "timeout"})");
  EXPECT_EQ(values(call(*session, *operation)), expected);
  const auto started = std::chrono::steady_clock::now();
  for (int scan = 0; scan < 10; ++scan) EXPECT_EQ(values(call(*session, *operation)), expected);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 2s) << "nobody waits for unit 9";
  EXPECT_EQ(values(call(*session, "modbus.write", R"({"verify": true, "points": [
                {"name": "a", "address": 5, "dataType": "int32"},
                {"name": "on", "area": "coils", "address": 1, "dataType": "bool"}],
                "values": {"a": -5, "on": true}})")),
            json(R"({"a": -5, "on": true})"));
}

}  // namespace
}  // namespace tributary::connectors::modbus
