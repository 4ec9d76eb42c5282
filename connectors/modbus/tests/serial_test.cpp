// Serial lines: RTU and ASCII over pseudo-terminals, shared by units and by connections; RTU over
// TCP; UDP.
#include "connectors/modbus/tests/serial_device.hpp"

#include <boost/asio/ip/udp.hpp>

#include "connectors/modbus/tests/fixture.hpp"

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;
using test::hex;
using test::Script;
using test::ScriptedPeer;

class SerialTest : public ModbusTest {
 protected:
  sdk::Profile serial_profile(std::string_view transport, std::string_view more = "{}") {
    sdk::Profile made;
    made.connection_name = "line";
    made.connection_id = "line";
    Json settings = json(R"({"unitId": 1, "requestTimeoutMs": 300, "parity": "none"})");
    settings["transport"] = std::string(transport);
    settings["serialPort"] = line_.path();
    made.settings = merge_patch(settings, json(more));
    return made;
  }
  Result<std::unique_ptr<sdk::Session>> try_open(const sdk::Profile& with) {
    auto session = connector_->make_session(context_.session_context(), with).value();
    const auto opened = context_.run(session->open(context_.in(5s), context_.stages()));
    if (!opened) return std::unexpected(opened.error());
    return session;
  }
  std::unique_ptr<sdk::Session> open_line(std::string_view transport,
                                          std::string_view more = "{}") {
    profile_ = serial_profile(transport, more);
    auto session = try_open(profile_);
    EXPECT_TRUE(session.has_value()) << (session ? "" : session.error().message);
    return session ? *std::move(session) : nullptr;
  }
  PseudoTerminal line_;
};

constexpr const char* kThreeUnits = R"({"intervalMs": 100, "points": [
    {"name": "one", "address": 1, "dataType": "uint16"},
    {"name": "two", "address": 1, "dataType": "uint16", "unitId": 2},
    {"name": "three", "address": 1, "dataType": "uint16", "unitId": 3}]})";

TEST_F(SerialTest, RtuReadsAndWrites) {
  LineServer server(line_, Framing::kRtu);
  auto session = open_line("rtu");
  EXPECT_EQ(values(call(*session, "modbus.subscribe", kThreeUnits)),
            json(R"({"one": 101, "two": 201, "three": 301})"));
  EXPECT_EQ(values(call(*session, "modbus.write", R"({"verify": true, "points": [
                {"name": "p", "address": 5, "dataType": "float32", "unitId": 2}], "values": {"p": 21.5}})")),
            json(R"({"p": 21.5})"));
  EXPECT_EQ(values(call(*session, "modbus.read", registers(49, 2))),
            json(R"({"r0": 149, "r1": "illegal_address"})"));
  EXPECT_TRUE(context_.run(session->check_health(context_.in(1s))).has_value());
}

TEST_F(SerialTest, AsciiReadsAndWrites) {
  LineServer server(line_, Framing::kAscii);
  auto session = open_line("ascii");
  EXPECT_EQ(values(call(*session, "modbus.subscribe", kThreeUnits)),
            json(R"({"one": 101, "two": 201, "three": 301})"));
  EXPECT_EQ(values(call(*session, "modbus.read", registers(0, 40))).at("r39"), 139);
}

// What a pseudo-terminal shows of the format: speed, stop bits and the kind of parity. Its kernel
// driver takes no data bits and no parity; that the driver is told those is in the test of
// net/serial_stream.hpp.
TEST_F(SerialTest, AsciiTravelsInEveryFormatOfTheStandard) {
  struct Format {
    const char* settings;
    bool odd;
    bool two_stop_bits;
  };
  constexpr Format kFormats[] = {
      {R"({"dataBits": 7, "parity": "even", "stopBits": 1})", false, false},
      {R"({"dataBits": 7, "parity": "odd", "stopBits": 1})", true, false},
      {R"({"dataBits": 7, "parity": "odd", "stopBits": 2})", true, true},
      {R"({"dataBits": 7, "parity": "none", "stopBits": 2})", false, true},
      {R"({"dataBits": 8, "parity": "even", "stopBits": 1})", false, false}};
  LineServer server(line_, Framing::kAscii);
  for (const Format& format : kFormats) {
    SCOPED_TRACE(format.settings);
    auto session = open_line("ascii", tributary::to_text(merge_patch(json(R"({"baudRate": 9600})"),
                                                                     json(format.settings))));
    ASSERT_NE(session, nullptr);
    const termios shown = line_.settings();
    EXPECT_EQ(::cfgetospeed(&shown), speed_t{B9600});
    EXPECT_EQ((shown.c_cflag & CSTOPB) != 0, format.two_stop_bits);
    EXPECT_EQ((shown.c_cflag & PARODD) != 0, format.odd);
    EXPECT_EQ((shown.c_lflag & (ICANON | ECHO | ISIG)), 0U) << "no byte means anything to the tty";
    EXPECT_EQ((shown.c_iflag & (IXON | ICRNL)), 0U);
    EXPECT_EQ(values(call(*session, "modbus.read", registers(3, 2))),
              json(R"({"r0": 103, "r1": 104})"));
    session.reset();
    context_.drain();
  }
}

TEST_F(SerialTest, AnAdapterThatEchoesIsTakenWhenItIsKnown) {
  LineServer server(line_, Framing::kRtu, [](std::uint8_t) { return true; }, true);
  auto session = open_line("rtu", R"({"localEcho": true})");
  EXPECT_EQ(values(call(*session, "modbus.write", R"({"points": [
                {"name": "p", "address": 5, "dataType": "uint16"}], "values": {"p": 7}})")),
            json(R"({"p": 7})"));
  EXPECT_EQ(values(call(*session, "modbus.read", registers(5, 1))), json(R"({"r0": 7})"));
}

TEST_F(SerialTest, ASilentUnitLeavesTheOthersOfTheLine) {
  LineServer server(line_, Framing::kRtu, [](std::uint8_t unit) { return unit != 2; });
  auto session = open_line("rtu", R"({"requestTimeoutMs": 100, "restAfter": 1})");
  const auto operation = prepare("modbus.subscribe", kThreeUnits);
  EXPECT_EQ(values(call(*session, *operation)),
            json(R"({"one": 101, "two": "timeout", "three": 301})"));
  const auto started = std::chrono::steady_clock::now();
  for (int scan = 0; scan < 5; ++scan) {
    EXPECT_EQ(values(call(*session, *operation)),
              json(R"({"one": 101, "two": "timeout", "three": 301})"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - started, 90ms * 5) << "unit 2 rests";
}

TEST_F(SerialTest, TwoConnectionsShareTheLineOneRequestAtATime) {
  LineServer server(line_, Framing::kRtu);
  auto first = open_line("rtu");
  auto second = open_line("rtu", R"({"unitId": 2})");
  ASSERT_TRUE(first && second);
  profile_ = serial_profile("rtu");
  const auto ones = prepare("modbus.read", registers(0, 3));
  profile_ = serial_profile("rtu", R"({"unitId": 2})");
  const auto twos = prepare("modbus.read", registers(0, 3));
  const Json none = json_object();
  for (int round = 0; round < 20; ++round) {
    auto a = context_.start(first->call(*ones, none, context_.in(5s)));
    auto b = context_.start(second->call(*twos, none, context_.in(5s)));
    EXPECT_EQ(values(context_.finish(a)), json(R"({"r0": 100, "r1": 101, "r2": 102})"));
    EXPECT_EQ(values(context_.finish(b)), json(R"({"r0": 200, "r1": 201, "r2": 202})"));
  }
  EXPECT_FALSE(server.collided());
  EXPECT_EQ(server.requests(), 40);
  first->abort();
  EXPECT_EQ(values(call(*second, *twos)), json(R"({"r0": 200, "r1": 201, "r2": 202})"))
      << "the line is there as long as somebody uses it";
}

TEST_F(SerialTest, OneLineHasOneSpeed) {
  auto first = open_line("rtu");
  const auto other = try_open(serial_profile("rtu", R"({"baudRate": 9600})"));
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, "line_in_use");
  EXPECT_EQ(other.error().error_class, ErrorClass::kConfiguration);
  first.reset();
  context_.drain();
  EXPECT_TRUE(try_open(serial_profile("rtu", R"({"baudRate": 9600})")).has_value());
}

TEST_F(SerialTest, RtuNeedsEightDataBits) {
  const auto opened = try_open(serial_profile("rtu", R"({"dataBits": 7, "parity": "even"})"));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(opened.error().code, "not_allowed");
  EXPECT_EQ(opened.error().pointer, "/settings/dataBits");
}

TEST_F(SerialTest, APortThatIsNotThereMayCome) {
  auto missing = serial_profile("rtu");
  missing.settings["serialPort"] = "/dev/ttyNotThere0";
  const auto opened = try_open(missing);
  EXPECT_EQ(opened.error().code, "no_such_device");
  EXPECT_EQ(opened.error().error_class, ErrorClass::kTransient);
  missing.settings["serialPort"] = "/dev/null";
  const auto wrong = try_open(missing);
  EXPECT_EQ(wrong.error().code, "not_a_serial_port");
  EXPECT_EQ(wrong.error().error_class, ErrorClass::kConfiguration);
}

TEST_F(SerialTest, AnUnpluggedAdapterEndsTheSession) {
  auto server = std::make_unique<LineServer>(line_, Framing::kRtu);
  auto session = open_line("rtu");
  const auto operation = prepare("modbus.read", registers(0, 1));
  EXPECT_EQ(values(call(*session, *operation)), json(R"({"r0": 100})"));
  server.reset();
  line_.hang_up();
  const auto read = call(*session, *operation);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().error_class, ErrorClass::kTransient);
  EXPECT_NE(read.error().code, "timeout") << "the port itself says so";
}

TEST_F(SerialTest, AbortEndsAWaitingCallAtOnceAndWritesNothingMore) {
  LineServer server(line_, Framing::kRtu, [](std::uint8_t) { return false; });
  auto session = open_line("rtu", R"({"requestTimeoutMs": 10000})");
  auto waits = open_line("rtu", R"({"requestTimeoutMs": 10000, "unitId": 2})");
  const auto read = prepare("modbus.read", registers(0, 1));
  const auto write = prepare("modbus.write", R"({"points": [
      {"name": "p", "address": 5, "dataType": "uint16"}], "values": {"p": 7}})");
  const Json none = json_object();
  auto reading = context_.start(session->call(*read, none, context_.in(30s)));
  auto writing = context_.start(waits->call(*write, none, context_.in(30s)));
  EXPECT_TRUE(context_.run_until([&] { return server.requests() == 1; }));
  waits->abort();
  session->abort();
  EXPECT_EQ(context_.finish(writing, 2s).error().error_class, ErrorClass::kCancelled);
  EXPECT_EQ(context_.finish(reading, 2s).error().error_class, ErrorClass::kCancelled);
  context_.run(sleep_until(context_.timers(), context_.in(100ms)));
  EXPECT_EQ(server.requests(), 1) << "the write never left";
}

// Edge case 2 for a converter: the connection is dropped after a time-out, and the next one first
// asks what only the right answer can answer.
TEST_F(SerialTest, Edge02RtuOverTcpReconnectsAndIsInStep) {
  std::vector<Script> scripts;
  scripts.push_back(Script().expect(hex("01 03 0000 0001 840a")).mute());
  scripts.push_back(Script()
                        .receive(8)  // the echo question
                        .send(hex("01 03 02 0bad 7ec9"))
                        .send(hex("01 08 0000 0001 21cb"), 20ms)
                        .expect(hex("01 03 0000 0001 840a"))
                        .send(hex("01 03 02 0007 f986")));
  ScriptedPeer peer(std::move(scripts));
  constexpr const char* kOver = R"({"transport": "rtuOverTcp", "requestTimeoutMs": 300})";
  auto first = open(peer.port(), kOver);
  const auto lost = call(*first, "modbus.read", registers(0, 1));
  EXPECT_EQ(lost.error().code, "timeout");
  EXPECT_EQ(lost.error().error_class, ErrorClass::kTransient);
  first->abort();
  auto second = open(peer.port(), kOver);
  EXPECT_EQ(values(call(*second, "modbus.read", registers(0, 1))), json(R"({"r0": 7})"));
  EXPECT_EQ(peer.unmet(), "");
}

// A UDP device on a thread of its own that loses the datagrams it is told to lose.
class UdpDevice {
 public:
  explicit UdpDevice(std::vector<int> lost) : lost_(std::move(lost)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~UdpDevice() {
    stopping_ = true;
    thread_.join();
  }
  std::uint16_t port() { return socket_.local_endpoint().port(); }

 private:
  void serve() {
    for (int number = 1; !stopping_;) {
      pollfd ready{socket_.native_handle(), POLLIN, 0};
      if (::poll(&ready, 1, 20) <= 0) continue;
      std::array<std::byte, 512> in;
      boost::asio::ip::udp::endpoint from;
      const std::size_t size = socket_.receive_from(boost::asio::buffer(in), from);
      Frame frame;
      if (parse_frame(std::span<const std::byte>(in).first(size), frame) != FrameState::kComplete)
        continue;
      if (std::ranges::find(lost_, number++) != lost_.end()) continue;
      std::array<std::byte, kMaxFrameSize> out;
      const std::size_t pdu =
          responder_.answer(frame.unit, frame.pdu, std::span(out).subspan<kHeaderSize>());
      const std::size_t whole = put_header(frame.transaction, frame.unit, pdu, out);
      const std::string noise = "what is this";
      socket_.send_to(boost::asio::buffer(noise), from);
      socket_.send_to(boost::asio::buffer(out.data(), whole), from);
    }
  }
  boost::asio::io_context loop_;
  boost::asio::ip::udp::socket socket_{
      loop_, boost::asio::ip::udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::vector<int> lost_;
  LineUnits units_;
  simulator::Responder responder_{units_};
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

constexpr const char* kUdp = R"({"transport": "udp", "requestTimeoutMs": 100})";

TEST_F(SerialTest, UdpReadsAndALostDatagramIsNoLoss) {
  UdpDevice device({2, 4, 5});
  auto session = open(device.port(), kUdp);
  const auto operation = prepare("modbus.subscribe", R"({"intervalMs": 100, "points": [
      {"name": "r", "address": 3, "dataType": "uint16"}]})");
  EXPECT_EQ(values(call(*session, *operation)), json(R"({"r": 103})"));
  EXPECT_EQ(values(call(*session, *operation)), json(R"({"r": "timeout"})"));
  EXPECT_EQ(values(call(*session, *operation)), json(R"({"r": 103})"));
  EXPECT_EQ(values(call(*session, *operation)), json(R"({"r": "timeout"})"));
  EXPECT_EQ(values(call(*session, *operation)), json(R"({"r": "timeout"})"));
  EXPECT_EQ(values(call(*session, *operation)), json(R"({"r": 103})"));
}

TEST_F(SerialTest, UdpThatStaysSilentIsALoss) {
  UdpDevice device({1, 2, 3});
  auto session = open(device.port(), kUdp);
  const auto operation = prepare("modbus.subscribe", R"({"intervalMs": 100, "points": [
      {"name": "r", "address": 3, "dataType": "uint16"}]})");
  EXPECT_TRUE(call(*session, *operation).has_value());
  EXPECT_TRUE(call(*session, *operation).has_value());
  const auto third = call(*session, *operation);
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().error_class, ErrorClass::kTransient);
}

}  // namespace
}  // namespace tributary::connectors::modbus
