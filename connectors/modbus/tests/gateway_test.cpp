// Several units behind one connection: a silent one must cost its neighbours nothing.
#include "connectors/modbus/tests/fixture.hpp"

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;
using test::hex;
using test::Script;
using test::ScriptedPeer;

constexpr const char* kTwoUnits = R"({"intervalMs": 100, "points": [
    {"name": "five", "address": 0, "dataType": "uint16", "unitId": 5},
    {"name": "six", "address": 0, "dataType": "uint16", "unitId": 6}]})";

std::string ask(int transaction, int unit, int address = 0) {
  return hex(fmt::format("{:04x} 0000 0006 {:02x} 03 {:04x} 0001", transaction, unit, address));
}
std::string value(int transaction, int unit, int number) {
  return hex(fmt::format("{:04x} 0000 0005 {:02x} 03 02 {:04x}", transaction, unit, number));
}

class GatewayTest : public ModbusTest {
 protected:
  void SetUp() override { profile_.connection_id = "gateway"; }
  std::unique_ptr<sdk::Session> open_gateway(std::uint16_t port, std::string_view more = "{}") {
    profile_ = profile(port, more);
    profile_.connection_id = "gateway";
    operation_ = prepare("modbus.subscribe", kTwoUnits);
    auto session = connector_->make_session(context_.session_context(), profile_).value();
    const auto opened =
        context_.run(session->open(context_.in(std::chrono::seconds(5)), context_.stages()));
    EXPECT_TRUE(opened.has_value());
    return session;
  }
  std::shared_ptr<const sdk::Operation> operation_;
};

TEST_F(GatewayTest, ASilentUnitLeavesTheOthersAndTheConnection) {
  ScriptedPeer peer(Script().expect(ask(1, 5)).expect(ask(2, 6)).send(value(2, 6, 9)));
  auto session = open_gateway(peer.port(), R"({"requestTimeoutMs": 60})");
  const auto batch = call(*session, *operation_);
  EXPECT_EQ(values(batch), json(R"({"five": "timeout", "six": 9})"));
  const Sample& silent = batch->scans().at(0).samples.at(0);
  EXPECT_EQ(silent.error->error_class, ErrorClass::kFunction);
  EXPECT_EQ(silent.quality, kBadCommunicationError);
  EXPECT_THAT(silent.error->message, ::testing::HasSubstr("unit 5"));
  EXPECT_EQ(peer.unmet(), "") << "and nothing was asked twice";
}

// Edge case 2 with the connection kept: the late answer has the id of a request that nobody waits
// for any more.
TEST_F(GatewayTest, Edge02ALateAnswerOfTheSilentUnitIsDropped) {
  ScriptedPeer peer(Script()
                        .expect(ask(1, 5))
                        .expect(ask(2, 6))
                        .send(value(1, 5, 0x0bad) + value(2, 6, 9))
                        .expect(ask(3, 5))
                        .send(value(3, 5, 7))
                        .expect(ask(4, 6))
                        .send(value(4, 6, 8)));
  auto session = open_gateway(peer.port(), R"({"requestTimeoutMs": 60, "restAfter": 5})");
  EXPECT_EQ(values(call(*session, *operation_)), json(R"({"five": "timeout", "six": 9})"));
  EXPECT_EQ(values(call(*session, *operation_)), json(R"({"five": 7, "six": 8})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(GatewayTest, ASilentUnitRestsAndCostsNoTimeUntilItAnswersAProbe) {
  ScriptedPeer peer(Script()
                        .expect(ask(1, 5))
                        .expect(ask(2, 6))
                        .send(value(2, 6, 1))
                        .expect(ask(3, 6))  // 5 rests
                        .send(value(3, 6, 2))
                        .expect(ask(4, 5))  // its rest is over: asked, not waited for
                        .expect(ask(5, 6))
                        .send(value(4, 5, 40) + value(5, 6, 3))
                        .expect(ask(6, 5))
                        .send(value(6, 5, 41))
                        .expect(ask(7, 6))
                        .send(value(7, 6, 4)));
  auto session =
      open_gateway(peer.port(), R"({"requestTimeoutMs": 100, "restAfter": 1, "restMs": 300})");
  EXPECT_EQ(values(call(*session, *operation_)), json(R"({"five": "timeout", "six": 1})"));
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(values(call(*session, *operation_)), json(R"({"five": "timeout", "six": 2})"));
  EXPECT_LT(std::chrono::steady_clock::now() - started, 90ms) << "nobody waited for unit 5";
  context_.run(sleep_until(context_.timers(), context_.in(320ms)));
  EXPECT_EQ(values(call(*session, *operation_)), json(R"({"five": "timeout", "six": 3})"));
  EXPECT_EQ(values(call(*session, *operation_)), json(R"({"five": 41, "six": 4})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(GatewayTest, AnUnreachableUnitIsAskedRarelyToo) {
  ScriptedPeer peer(Script()
                        .expect(ask(1, 5))
                        .send(hex("0001 0000 0003 05 83 0b"))
                        .expect(ask(2, 6))
                        .send(value(2, 6, 1))
                        .expect(ask(3, 6))
                        .send(value(3, 6, 2)));
  auto session = open_gateway(peer.port(), R"({"restAfter": 1})");
  EXPECT_EQ(values(call(*session, *operation_)),
            json(R"({"five": "gateway_target_no_response", "six": 1})"));
  EXPECT_EQ(values(call(*session, *operation_)),
            json(R"({"five": "gateway_target_no_response", "six": 2})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(GatewayTest, WhenNobodyAnswersTheConnectionIsLost) {
  ScriptedPeer peer(Script().receive(12).receive(12).receive(12).mute());
  auto session = open_gateway(peer.port(), R"({"requestTimeoutMs": 50})");
  const auto health = context_.run(session->check_health(context_.in(2s)));
  ASSERT_FALSE(health.has_value());
  EXPECT_EQ(health.error().error_class, ErrorClass::kTransient);
  EXPECT_EQ(health.error().code, "timeout");
}

TEST_F(GatewayTest, HealthIsTheAnswerOfAnyUnit) {
  ScriptedPeer peer(Script().expect(ask(1, 1)).expect(ask(2, 5)).send(value(2, 5, 0)));
  auto session = open_gateway(peer.port(), R"({"requestTimeoutMs": 60})");
  EXPECT_TRUE(context_.run(session->check_health(context_.in(2s))).has_value());
  EXPECT_EQ(peer.unmet(), "");
}

// A write to a silent unit: the session goes on, and what happened is not known.
TEST_F(GatewayTest, Edge39AWriteToASilentUnitHasAnUnknownOutcome) {
  ScriptedPeer peer(Script()
                        .expect(ask(1, 5))
                        .send(value(1, 5, 0))
                        .expect(ask(2, 6))
                        .send(value(2, 6, 0))
                        .expect(hex("0003 0000 0006 05 06 0000 0007"))
                        .expect(ask(4, 5))
                        .send(value(4, 5, 1))
                        .expect(ask(5, 6))
                        .send(value(5, 6, 1)));
  auto session = open_gateway(peer.port(), R"({"requestTimeoutMs": 60})");
  call(*session, *operation_);
  const auto written = call(*session, "modbus.write", R"({"points": [
      {"name": "p", "address": 0, "dataType": "uint16", "unitId": 5}], "values": {"p": 7}})");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().error_class, ErrorClass::kFunction);
  EXPECT_TRUE(written.error().outcome_unknown);
  EXPECT_THAT(written.error().message, ::testing::HasSubstr("not known: p"));
  EXPECT_EQ(values(call(*session, *operation_)), json(R"({"five": 1, "six": 1})"));
  EXPECT_EQ(peer.unmet(), "") << "one write, and never again";
}

TEST_F(GatewayTest, SeveralRequestsAreOnTheirWayAndAnswersComeInAnyOrder) {
  ScriptedPeer peer(Script()
                        .expect(ask(1, 1, 0) + ask(2, 1, 500))
                        .send(value(2, 1, 500))
                        .send(value(1, 1, 0), 5ms)
                        .expect(ask(3, 1, 1000) + ask(4, 1, 1500))
                        .send(value(3, 1, 1000) + value(4, 1, 1500)));
  auto session = open(peer.port(), R"({"maxOutstanding": 2})");
  EXPECT_EQ(values(call(*session, "modbus.read", registers(0, 4, 500))),
            json(R"({"r0": 0, "r1": 500, "r2": 1000, "r3": 1500})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(GatewayTest, WhatIsRefusedAmongSeveralIsStillTakenApart) {
  ScriptedPeer peer(Script()
                        .expect(ask(1, 1, 0) + ask(2, 1, 500))
                        .send(hex("0001 0000 0003 01 83 02") + value(2, 1, 500))
                        .expect(ask(3, 1, 0))
                        .send(hex("0003 0000 0003 01 83 02")));
  auto session = open(peer.port(), R"({"maxOutstanding": 4})");
  EXPECT_EQ(values(call(*session, "modbus.read", registers(0, 2, 500))),
            json(R"({"r0": "illegal_address", "r1": 500})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(GatewayTest, AnIdOfTheGatewaysOwnIsTakenOnlyWhenAllowed) {
  ScriptedPeer peer(Script().expect(ask(1, 1)).send(value(77, 1, 5)));
  auto session = open(peer.port(), R"({"replyTransactionCheck": "ignore"})");
  EXPECT_EQ(values(call(*session, "modbus.read", registers(0, 1))), json(R"({"r0": 5})"));
}

TEST_F(GatewayTest, SwappedFunctionCodesAreAskedForSwapped) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0006 01 04 0000 0001"))
                        .send(hex("0001 0000 0005 01 04 02 0007")));
  auto session = open(peer.port(), R"({"readFunctions": "swapped"})");
  EXPECT_EQ(values(call(*session, "modbus.read", registers(0, 1))), json(R"({"r0": 7})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(GatewayTest, ADelayBetweenRequestsIsKept) {
  ScriptedPeer peer(
      Script().expect(ask(1, 1)).send(value(1, 1, 0)).expect(ask(2, 1, 500)).send(value(2, 1, 1)));
  auto session = open(peer.port(), R"({"requestDelayMs": 60})");
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(values(call(*session, "modbus.read", registers(0, 2, 500))),
            json(R"({"r0": 0, "r1": 1})"));
  EXPECT_GE(std::chrono::steady_clock::now() - started, 60ms);
}

// A write waits for the request that is under way, not for the scan.
TEST_F(GatewayTest, AWriteGoesBetweenTwoRequestsOfAScan) {
  ScriptedPeer peer(Script()
                        .expect(ask(1, 1, 0))
                        .send(value(1, 1, 0), 30ms)
                        .expect(hex("0002 0000 0006 01 06 0009 0001"))
                        .send(hex("0002 0000 0006 01 06 0009 0001"))
                        .expect(ask(3, 1, 500))
                        .send(value(3, 1, 500)));
  auto session = open(peer.port());
  const auto reads = prepare("modbus.read", registers(0, 2, 500));
  const auto writes = prepare("modbus.write", R"({"points": [
      {"name": "p", "address": 9, "dataType": "uint16"}], "values": {"p": 1}})");
  const Json none = json_object();
  auto reading = context_.start(session->call(*reads, none, context_.in(5s)));
  auto writing = context_.start(session->call(*writes, none, context_.in(5s)));
  EXPECT_EQ(values(context_.finish(writing)), json(R"({"p": 1})"));
  EXPECT_FALSE(reading.done());
  EXPECT_EQ(values(context_.finish(reading)), json(R"({"r0": 0, "r1": 500})"));
  EXPECT_EQ(peer.unmet(), "");
}

}  // namespace
}  // namespace tributary::connectors::modbus
