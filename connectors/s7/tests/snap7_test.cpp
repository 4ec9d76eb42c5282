// Peers that we did not write: snap7's server, and snap7's client against our simulated CPU.
#include <gtest/gtest.h>

#include <signal.h>

#include <thread>

#include "connectors/s7/tests/fixture.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::s7 {
namespace {

using namespace std::chrono_literals;

class Snap7Test : public S7Test {
 protected:
  static std::uint16_t port_of(test::Process& server) {
    const std::string port = server.wait_for_line("port ");
    if (port.empty()) throw std::runtime_error("the server did not start: " + server.output());
    return static_cast<std::uint16_t>(std::stoi(port));
  }

  test::Process server_{{SNAP7_SERVER}};
  std::uint16_t port_ = port_of(server_);
};

TEST_F(Snap7Test, AThousandWordsHoldTheirOwnNumber) {
  auto session = open(port_);
  const auto operation =
      prepare("s7.read", R"({"points": [{"name": "w{0..999}", "address": "DB1.DBW0"}]})");
  const auto batch = call(*session, *operation);
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  ASSERT_EQ(batch->size(), 1000U);
  for (const Sample& sample : batch->scans().at(0).samples) {
    ASSERT_TRUE(sample.quality.is_good());
    ASSERT_EQ(std::get<std::int64_t>(sample.value), sample.point);
  }
}

TEST_F(Snap7Test, ManyScatteredPointsAreRightTogether) {
  auto session = open(port_);
  std::string list;
  for (int i = 0; i < 120; ++i)
    list += (i == 0 ? "" : ",") + point(fmt::format("p{}", i), fmt::format("DB1.DBW{}", i * 34));
  list += "," + point("m", "MB77") + "," + point("t", "T4") + "," + point("c", "C12");
  const Json read = values(call(*session, "s7.read", R"({"points": [)" + list + "]}"));
  for (int i = 0; i < 120; ++i) ASSERT_EQ(read[fmt::format("p{}", i)], i * 17);
  EXPECT_EQ(read["m"], 77);
  EXPECT_EQ(read["t"], 123'000);
  EXPECT_EQ(read["c"], 456);
}

TEST_F(Snap7Test, WhatIsWrittenIsReadBackInEveryType) {
  auto session = open(port_);
  const std::string list = R"("points": [
      {"name": "bit", "address": "DB1.DBX3000.5"}, {"name": "byte", "address": "DB1.DBB3001"},
      {"name": "int", "address": "DB1,INT3002"}, {"name": "dint", "address": "DB1,DINT3004"},
      {"name": "real", "address": "DB1,REAL3008"}, {"name": "lreal", "address": "DB1,LREAL3012"},
      {"name": "text", "address": "DB1,STRING3020.20"}, {"name": "dt", "address": "DB1,DT3050"},
      {"name": "m", "address": "M9.2"}, {"name": "q", "address": "QB5"}, {"name": "timer", "address": "T2"},
      {"name": "long", "address": "DB1,INT3100.300"}])";
  Json wanted =
      json(R"({"bit": true, "byte": 200, "int": -2, "dint": -70000, "real": 0.5, "lreal": 1e-9,
      "text": "Füller", "dt": "2026-03-31T13:45:12.250", "m": true, "q": 17, "timer": 5000})");
  Json long_list = json_array();
  for (int i = 0; i < 300; ++i) long_list.push_back(i - 150);
  wanted["long"] = long_list;
  // Memory that nobody declared as a text: its first byte is not a length that holds this.
  values(call(*session, "s7.write",
              R"({"points": [{"name": "b", "address": "DB1.DBB3020"}], "values": {"b": 0}})"));
  EXPECT_EQ(
      values(call(*session, "s7.write", "{" + list + R"(, "verify": true})", to_text(wanted))),
      wanted);
  EXPECT_EQ(values(call(*session, "s7.read", "{" + list + "}")), wanted);
}

TEST_F(Snap7Test, WhatItDoesNotHaveIsRefusedAlone) {
  auto session = open(port_);
  const Json read =
      values(call(*session, "s7.read", points({"DB1.DBW4094", "DB1.DBW4096", "DB77.DBW0", "MB0"})));
  EXPECT_EQ(read["DB1.DBW4094"], 2047);
  EXPECT_EQ(read["MB0"], 0);
  EXPECT_EQ(read["DB1.DBW4096"], "address_out_of_range");
  EXPECT_EQ(read["DB77.DBW0"], "no_such_object");
}

TEST_F(Snap7Test, TheCpuTellsWhatItIs) {
  profile_ = profile(port_, R"({"allowControl": true})");
  std::unique_ptr<sdk::Session> session;
  const auto identity = try_open(session);
  ASSERT_TRUE(identity.has_value()) << identity.error().message;
  EXPECT_THAT(identity->product, ::testing::HasSubstr("6ES7 315-2EH14-0AB0"));
  EXPECT_THAT(identity->product, ::testing::HasSubstr("CPU 315-2 PN/DP"));
  EXPECT_EQ(identity->version, "V3.2.6");
  EXPECT_EQ(record(call(*session, "s7.system", R"({"question": "state"})")),
            json(R"({"state": "run"})"));
  const Json blocks = record(call(*session, "s7.system", R"({"question": "blocks"})"));
  bool listed = false;
  for (const Json& one : blocks["blocks"].array_range())
    listed = listed || (one["type"] == "DB" && one["numbers"] == json("[1, 2]"));
  EXPECT_TRUE(listed) << to_text(blocks);
  const std::string clock =
      record(call(*session, "s7.system", R"({"question": "clock"})"))["clock"].as<std::string>();
  EXPECT_THAT(clock, ::testing::StartsWith("20"));
  EXPECT_EQ(record(call(*session, "s7.control",
                        R"({"action": "setClock", "time": "2026-03-31T13:45:12"})")),
            json(R"({"clock": "2026-03-31T13:45:12"})"));
  EXPECT_EQ(record(call(*session, "s7.control", R"({"action": "stop"})")),
            json(R"({"state": "stop"})"));
  EXPECT_EQ(record(call(*session, "s7.system", R"({"question": "state"})")),
            json(R"({"state": "stop"})"));
  EXPECT_EQ(record(call(*session, "s7.control", R"({"action": "run"})")),
            json(R"({"state": "run"})"));
}

TEST_F(Snap7Test, Edge04_FiveHundredFlapsNeverUseMoreThanOneConnection) {
  for (int flap = 0; flap < 500; ++flap) {
    auto session = open(port_);
    ASSERT_EQ(values(call(*session, "s7.read", points({"DB1.DBW10"})))["DB1.DBW10"], 5) << flap;
    context_.run(session->close(context_.in(2s)));
  }
  auto session = open(port_);
  EXPECT_EQ(values(call(*session, "s7.read", points({"DB2.DBW2"}))), json(R"({"DB2.DBW2": 1})"))
      << "the most that it held at any time";
}

TEST_F(Snap7Test, Edge01_AServerThatStandsStillIsALossByARealRead) {
  auto session = open(port_);
  ASSERT_EQ(::kill(server_.pid(), SIGSTOP), 0);
  // It takes its time to stop: checks may still be answered.
  Result<void> health;
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (health && std::chrono::steady_clock::now() < until)
    health = context_.run(session->check_health(context_.in(300ms)));
  ::kill(server_.pid(), SIGCONT);
  ASSERT_FALSE(health.has_value());
  EXPECT_EQ(health.error().code, "timeout");
  EXPECT_EQ(health.error().error_class, ErrorClass::kTransient);
}

TEST_F(Snap7Test, AKilledServerIsALossWithinASecond) {
  auto session = open(port_);
  server_.kill();
  const auto started = std::chrono::steady_clock::now();
  const auto health = context_.run(session->check_health(context_.in(5s)));
  ASSERT_FALSE(health.has_value());
  EXPECT_EQ(health.error().error_class, ErrorClass::kTransient);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 1s);
}

TEST(SimulatedCpuTest, IsACpuForSnap7sClientToo) {
  asio::io_context loop(1);
  simulator::PlainDevice device({{Area::kDataBlocks, 1, 64}});
  device.memory(0).bytes()[0] = std::byte{0x05};
  device.memory(0).bytes()[1] = std::byte{0xDC};
  simulator::S7Server server(loop.get_executor(), device);
  const std::uint16_t port = server.start("127.0.0.1", 0).value();
  std::thread thread([&] { loop.run(); });
  test::Process client({SNAP7_CLIENT, std::to_string(port)});
  const std::string line = client.wait_for_line("seen ");
  loop.stop();
  thread.join();
  ASSERT_NE(line, "") << client.output();
  EXPECT_EQ(
      parse_json(line).value(),
      parse_json(R"({"single": 0, "multi": 0, "items": [0, 0], "first": 1500, "wrote": 0, "read": 0,
                "back": 777, "missing": 1, "ordered": 0, "order": "6ES7 315-2EH14-0AB0 ", "version": "3.2.6",
                "listed": 0, "dbs": 1, "stated": 0, "state": 8, "timed": 0, "year": 1990})")
          .value());
}

}  // namespace
}  // namespace tributary::connectors::s7
