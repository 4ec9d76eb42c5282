// Scripted peers: what a session does with every kind of right and wrong answer.
#include <gtest/gtest.h>

#include <set>

#include "connectors/modbus/tests/fixture.hpp"

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;
using test::hex;
using test::Script;
using test::ScriptedPeer;

using SessionTest = ModbusTest;

constexpr const char* kTwo = R"({"points": [
  {"name": "a", "area": "holdingRegisters", "address": 0, "dataType": "uint16"},
  {"name": "b", "area": "holdingRegisters", "address": 1, "dataType": "uint16"}]})";
const std::string kAskTwo = hex("0001 0000 0006 01 03 0000 0002");
const std::string kTwoValues = hex("0001 0000 0007 01 03 04 05dc 0007");

TEST_F(SessionTest, ReadsNeighboursWithOneRequest) {
  ScriptedPeer peer(Script().expect(kAskTwo).send(kTwoValues));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "modbus.read", kTwo)), json(R"({"a": 1500, "b": 7})"));
  EXPECT_EQ(peer.unmet(), "");
  EXPECT_EQ(context_.stages().stages, (std::vector<std::string>{"resolve", "tcp"}));
}

TEST_F(SessionTest, ReadsAllAreas) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0006 01 01 0003 0002"))
                        .send(hex("0001 0000 0004 01 01 01 02"))
                        .expect(hex("0002 0000 0006 01 02 0000 0001"))
                        .send(hex("0002 0000 0004 01 02 01 01"))
                        .expect(hex("0003 0000 0006 01 03 000a 0002"))
                        .send(hex("0003 0000 0007 01 03 04 41ac 0000"))
                        .expect(hex("0004 0000 0006 07 04 0005 0001"))
                        .send(hex("0004 0000 0005 07 04 02 8000")));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.read", R"({"points": [
      {"name": "input", "area": "inputRegisters", "address": 5, "dataType": "int16", "unitId": 7},
      {"name": "temperature", "area": "holdingRegisters", "address": 10, "dataType": "float32"},
      {"name": "off", "area": "coils", "address": 3, "dataType": "bool"},
      {"name": "on", "area": "coils", "address": 4, "dataType": "bool"},
      {"name": "door", "area": "discreteInputs", "address": 0, "dataType": "bool"}]})");
  EXPECT_EQ(
      values(batch),
      json(R"({"input": -32768, "temperature": 21.5, "off": false, "on": true, "door": true})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(SessionTest, TheConnectionsByteOrderIsTheDefault) {
  ScriptedPeer peer(Script().receive(12).send(hex("0001 0000 000b 01 03 08 0000 41ac 41ac 0000")));
  auto session = open(peer.port(), R"({"byteOrder": "CDAB"})");
  const auto batch = call(*session, "modbus.read", R"({"points": [
      {"name": "theirs", "address": 0, "dataType": "float32"},
      {"name": "own", "address": 2, "dataType": "float32", "byteOrder": "ABCD"}]})");
  EXPECT_EQ(values(batch), json(R"({"theirs": 21.5, "own": 21.5})"));
}

TEST_F(SessionTest, AFrameInOneByteSegmentsIsAFrame) {
  ScriptedPeer peer(Script().expect(kAskTwo).send(kTwoValues, 0ms, 1));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "modbus.read", kTwo)), json(R"({"a": 1500, "b": 7})"));
}

TEST_F(SessionTest, MergedFramesAreTakenOneByOne) {
  // The answer to the first request comes twice in one segment; the copy must not answer the second
  // request.
  ScriptedPeer peer(Script()
                        .expect(kAskTwo)
                        .send(kTwoValues + kTwoValues)
                        .expect(hex("0002 0000 0006 01 03 0000 0002"))
                        .send(hex("0002 0000 0007 01 03 04 0001 0002")));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "modbus.read", kTwo)), json(R"({"a": 1500, "b": 7})"));
  EXPECT_EQ(values(call(*session, "modbus.read", kTwo)), json(R"({"a": 1, "b": 2})"));
  EXPECT_EQ(peer.unmet(), "");
}

// Answers that end the session: each with its class and code, and never with a value.
struct WrongAnswer {
  const char* name;
  const char* answer;
  const char* says;
};
class WrongAnswers : public ModbusTest, public ::testing::WithParamInterface<WrongAnswer> {};

TEST_P(WrongAnswers, AreAProtocolError) {
  ScriptedPeer peer(Script().expect(kAskTwo).send(hex(GetParam().answer)));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.read", kTwo);
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().error_class, ErrorClass::kTransient);
  EXPECT_EQ(batch.error().code, "protocol_error");
  EXPECT_THAT(batch.error().message, ::testing::HasSubstr(GetParam().says));
  EXPECT_NE(batch.error().hint, "");
  // The session is over and says why.
  const auto again = call(*session, "modbus.read", kTwo);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "protocol_error");
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongAnswers,
    ::testing::Values(
        WrongAnswer{"transaction_never_asked", "0007 0000 0007 01 03 04 05dc 0007",
                    "transaction 7"},
        WrongAnswer{"other_unit", "0001 0000 0007 02 03 04 05dc 0007", "as unit 2"},
        WrongAnswer{"other_function", "0001 0000 0007 01 04 04 05dc 0007", "another function"},
        WrongAnswer{"too_few_registers", "0001 0000 0005 01 03 02 05dc", "another length"},
        WrongAnswer{"truncated_data", "0001 0000 0005 01 03 04 05dc", "another length"},
        WrongAnswer{"protocol_id", "0001 0001 0007 01 03 04 05dc 0007", "not Modbus TCP"},
        WrongAnswer{"endless_length", "0001 0000 ffff 01 03", "not Modbus TCP"},
        WrongAnswer{"no_length", "0001 0000 0001 01", "not Modbus TCP"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(SessionTest, AGatewaysOwnUnitIdIsTakenOnlyWhenAllowed) {
  ScriptedPeer peer(Script().expect(kAskTwo).send(hex("0001 0000 0007 ff 03 04 05dc 0007")));
  auto session = open(peer.port(), R"({"replyUnitCheck": "ignore"})");
  EXPECT_EQ(values(call(*session, "modbus.read", kTwo)), json(R"({"a": 1500, "b": 7})"));
}

TEST_F(SessionTest, AMutePeerIsATimeout) {
  ScriptedPeer peer(Script().expect(kAskTwo).mute());
  auto session = open(peer.port(), R"({"requestTimeoutMs": 50})");
  const auto started = std::chrono::steady_clock::now();
  const auto batch = call(*session, "modbus.read", kTwo);
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().error_class, ErrorClass::kTransient);
  EXPECT_EQ(batch.error().code, "timeout");
  EXPECT_FALSE(batch.error().outcome_unknown) << "a read has no outcome";
  EXPECT_THAT(batch.error().message, ::testing::HasSubstr("holding registers 0 to 1 of unit 1"));
  EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
}

TEST_F(SessionTest, ATruncatedFrameIsATimeoutAndNoValue) {
  ScriptedPeer peer(
      Script().expect(kAskTwo).send(kTwoValues.substr(0, kTwoValues.size() - 1)).mute());
  auto session = open(peer.port(), R"({"requestTimeoutMs": 50})");
  EXPECT_EQ(call(*session, "modbus.read", kTwo).error().code, "timeout");
}

TEST_F(SessionTest, ACloseOrAResetInsteadOfAnAnswerIsALoss) {
  ScriptedPeer closes(Script().expect(kAskTwo).close());
  auto first = open(closes.port());
  EXPECT_EQ(call(*first, "modbus.read", kTwo).error().code, "connection_closed");

  ScriptedPeer resets(Script().expect(kAskTwo).reset());
  auto second = open(resets.port());
  const auto batch = call(*second, "modbus.read", kTwo);
  EXPECT_EQ(batch.error().code, "connection_reset");
  EXPECT_EQ(batch.error().error_class, ErrorClass::kTransient);
}

TEST_F(SessionTest, ARefusedConnectionNamesHostAndPort) {
  test::RefusingPort port;
  profile_ = profile(port.port());
  auto session = connector_->make_session(context_.session_context(), profile_).value();
  const auto opened = context_.run(session->open(context_.in(5s), context_.stages()));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, "connection_refused");
  EXPECT_THAT(opened.error().message,
              ::testing::HasSubstr(fmt::format("127.0.0.1:{}", port.port())));
  EXPECT_THAT(opened.error().hint, ::testing::HasSubstr("Modbus server"));
}

TEST_F(SessionTest, HealthIsAnyAnswer) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0006 01 03 0000 0001"))
                        .send(hex("0001 0000 0005 01 03 02 0000"))
                        .expect(hex("0002 0000 0006 01 03 0000 0001"))
                        .send(hex("0002 0000 0003 01 83 02")));
  auto session = open(peer.port());
  EXPECT_TRUE(context_.run(session->check_health(context_.in(1s))).has_value());
  EXPECT_TRUE(context_.run(session->check_health(context_.in(1s))).has_value())
      << "a refusal proves that it is alive";
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(SessionTest, AHealthCheckWaitsForTheRunningCall) {
  ScriptedPeer peer(Script()
                        .expect(kAskTwo)
                        .send(kTwoValues, 30ms)
                        .expect(hex("0002 0000 0006 01 03 0000 0001"))
                        .send(hex("0002 0000 0005 01 03 02 0000")));
  auto session = open(peer.port());
  const auto operation = prepare("modbus.read", kTwo);
  const Json none = json_object();
  auto reading = context_.start(session->call(*operation, none, context_.in(5s)));
  auto checking = context_.start(session->check_health(context_.in(5s)));
  EXPECT_TRUE(context_.finish(checking).has_value());
  EXPECT_EQ(values(context_.finish(reading)), json(R"({"a": 1500, "b": 7})"));
  EXPECT_EQ(peer.unmet(), "");
}

// A device that refuses one address of a block: the others are answered, and what was learnt is
// kept.
class HoleDevice {
 public:
  explicit HoleDevice(std::set<int> holes) : holes_(std::move(holes)) {}
  std::string operator()(std::string_view request) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(request[i]); };
    const int address = byte(8) * 256 + byte(9);
    const int count = byte(10) * 256 + byte(11);
    ++*requests;
    std::string reply(request.substr(0, 4));
    for (int i = 0; i < count; ++i) {
      if (holes_.contains(address + i)) {
        reply += std::string({0, 3, request[6], static_cast<char>(byte(7) | 0x80), 2});
        return reply;
      }
    }
    reply += std::string({0, static_cast<char>(3 + 2 * count), request[6], request[7],
                          static_cast<char>(2 * count)});
    for (int i = 0; i < count; ++i) {
      reply += static_cast<char>((address + i) / 256);
      reply += static_cast<char>((address + i) % 256);
    }
    return reply;
  }
  std::shared_ptr<std::atomic<int>> requests = std::make_shared<std::atomic<int>>(0);

 private:
  std::set<int> holes_;
};

TEST_F(SessionTest, OneRefusedAddressLeavesTheOthersAnswered) {
  HoleDevice device({37});
  ScriptedPeer peer(Script().serve(12, device));
  auto session = open(peer.port());
  const auto operation = prepare("modbus.read", registers(0, 100));
  Json expected = json_object();
  for (int i = 0; i < 100; ++i) expected[fmt::format("r{}", i)] = i;
  expected["r37"] = "illegal_address";
  EXPECT_EQ(values(call(*session, *operation)), expected);
  const int learning = device.requests->exchange(0);
  EXPECT_LE(learning, 16) << "halving finds one address among 100";
  EXPECT_EQ(values(call(*session, *operation)), expected);
  EXPECT_LE(*device.requests, 8) << "what was learnt is kept";
}

TEST_F(SessionTest, AGapThatTheDeviceRefusesIsNoLongerReadOver) {
  HoleDevice device({5, 6});
  ScriptedPeer peer(Script().serve(12, device));
  auto session = open(peer.port());
  const auto operation = prepare("modbus.read", R"({"points": [
      {"name": "before", "address": 4, "dataType": "uint16"}, {"name": "after", "address": 7, "dataType": "uint16"}]})");
  EXPECT_EQ(values(call(*session, *operation)), json(R"({"before": 4, "after": 7})"));
  EXPECT_EQ(device.requests->exchange(0), 3);
  EXPECT_EQ(values(call(*session, *operation)), json(R"({"before": 4, "after": 7})"));
  EXPECT_EQ(*device.requests, 2);
}

// The framework asks rarely then; what it asks has to reach the device.
TEST_F(SessionTest, APolledOperationOfWhichNothingIsAnsweredAsksInEveryScan) {
  HoleDevice device({3});
  ScriptedPeer peer(Script().serve(12, device));
  auto session = open(peer.port());
  const auto operation = prepare("modbus.subscribe", R"({"intervalMs": 100, "points": [
      {"name": "gone", "address": 3, "dataType": "uint16"}]})");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(values(call(*session, *operation)), json(R"({"gone": "illegal_address"})"));
  EXPECT_EQ(*device.requests, 3);
}

TEST_F(SessionTest, APolledOperationAsksForARefusedPointOnlyNowAndThen) {
  HoleDevice device({3});
  ScriptedPeer peer(Script().serve(12, device));
  auto session = open(peer.port());
  const auto operation = prepare("modbus.subscribe", R"({"intervalMs": 100, "points": [
      {"name": "good", "address": 2, "dataType": "uint16"}, {"name": "hole", "address": 3, "dataType": "uint16"}]})");
  const Json expected = json(R"({"good": 2, "hole": "illegal_address"})");
  EXPECT_EQ(values(call(*session, *operation)), expected);
  device.requests->store(0);
  for (int scan = 0; scan < 120; ++scan) ASSERT_EQ(values(call(*session, *operation)), expected);
  EXPECT_EQ(*device.requests, 120 + 2) << "the good point each time, the refused one every 60th";
}

TEST_F(SessionTest, AReadThatAchievesNothingIsAnError) {
  HoleDevice device({0, 1});
  ScriptedPeer peer(Script().serve(12, device));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.read", kTwo);
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().error_class, ErrorClass::kFunction) << "the session goes on";
  EXPECT_EQ(batch.error().code, "illegal_address");
  EXPECT_TRUE(context_.run(session->check_health(context_.in(1s))).has_value());
}

struct Refusal {
  int exception;
  const char* code;
  ErrorClass error_class;
};
class Refusals : public ModbusTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(Refusals, ArePointErrorsWithACodeOfTheirOwn) {
  const std::string refusal = hex(fmt::format("0001 0000 0003 01 83 {:02x}", GetParam().exception));
  ScriptedPeer peer(Script().expect(hex("0001 0000 0006 01 03 0000 0001")).send(refusal));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.subscribe", registers(0, 1));
  ASSERT_TRUE(batch.has_value());
  const Sample& sample = batch->scans().at(0).samples.at(0);
  EXPECT_TRUE(sample.quality.is_bad());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(sample.value));
  ASSERT_NE(sample.error, nullptr);
  EXPECT_EQ(sample.error->code, GetParam().code);
  EXPECT_EQ(sample.error->error_class, GetParam().error_class);
  EXPECT_THAT(sample.error->message, ::testing::HasSubstr("holding register 0 of unit 1"));
}

INSTANTIATE_TEST_SUITE_P(
    All, Refusals,
    ::testing::Values(Refusal{1, "illegal_function", ErrorClass::kFunction},
                      Refusal{2, "illegal_address", ErrorClass::kFunction},
                      Refusal{3, "illegal_value", ErrorClass::kFunction},
                      Refusal{4, "device_failure", ErrorClass::kFunction},
                      Refusal{5, "still_processing", ErrorClass::kBusy},
                      Refusal{6, "device_busy", ErrorClass::kBusy},
                      Refusal{8, "memory_parity_error", ErrorClass::kFunction},
                      Refusal{10, "gateway_path_unavailable", ErrorClass::kFunction},
                      Refusal{11, "gateway_target_no_response", ErrorClass::kFunction},
                      Refusal{77, "device_exception", ErrorClass::kFunction}),
    [](const auto& info) { return std::string(info.param.code); });

TEST_F(SessionTest, AnAbsentUnitBehindAGatewayIsAskedOncePerScan) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0006 05 03 0000 0001"))
                        .send(hex("0001 0000 0003 05 83 0b"))
                        .expect(hex("0002 0000 0006 06 03 0000 0001"))
                        .send(hex("0002 0000 0005 06 03 02 0009")));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.read", R"({"points": [
      {"name": "away", "address": 0, "dataType": "uint16", "unitId": 5},
      {"name": "awayToo", "address": 1000, "dataType": "uint16", "unitId": 5},
      {"name": "here", "address": 0, "dataType": "uint16", "unitId": 6}]})");
  EXPECT_EQ(
      values(batch),
      json(
          R"({"away": "gateway_target_no_response", "awayToo": "gateway_target_no_response", "here": 9})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(SessionTest, AbortEndsARunningCallAtOnce) {
  ScriptedPeer peer(Script().expect(kAskTwo).mute());
  auto session = open(peer.port());
  const auto operation = prepare("modbus.read", kTwo);
  const Json none = json_object();
  auto reading = context_.start(session->call(*operation, none, context_.in(30s)));
  context_.drain();
  session->abort();
  const auto batch = context_.finish(reading, 2s);
  EXPECT_EQ(batch.error().error_class, ErrorClass::kCancelled);
  EXPECT_EQ(call(*session, *operation).error().error_class, ErrorClass::kCancelled);
}

TEST_F(SessionTest, PrepareNamesWhatIsWrong) {
  profile_ = profile(502, R"({"maxRegistersPerRead": 10})");
  const auto refused = [&](const std::string& type, std::string_view settings) {
    const sdk::FunctionSpec spec{type, json(settings)};
    const auto operation = connector_->prepare(profile_, spec);
    EXPECT_FALSE(operation.has_value());
    return operation ? std::string() : operation.error().code + " " + operation.error().pointer;
  };
  const auto point = [](std::string_view rest) {
    return fmt::format(R"({{"points": [{{"name": "p", {}}}]}})", rest);
  };
  EXPECT_EQ(refused("modbus.read", point(R"("area": "coils", "address": 0, "dataType": "uint16")")),
            "not_allowed /settings/points/0/dataType");
  EXPECT_EQ(refused("modbus.read",
                    point(R"("area": "holdingRegisters", "address": 0, "dataType": "bool")")),
            "not_allowed /settings/points/0/dataType");
  EXPECT_EQ(refused("modbus.read", point(R"("address": 65535, "dataType": "uint32")")),
            "out_of_range /settings/points/0/address");
  EXPECT_EQ(refused("modbus.read", point(R"("address": 0, "dataType": "string", "length": 11)")),
            "out_of_range /settings/points/0/length");
  EXPECT_EQ(refused("modbus.read", point(R"("address": 0, "dataType": "int16", "scale": 0)")),
            "out_of_range /settings/points/0/scale");
  EXPECT_EQ(refused("modbus.read", point(R"("address": 0, "dataType": "bit", "scale": 2)")),
            "not_allowed /settings/points/0/scale");
  EXPECT_EQ(
      refused(
          "modbus.write",
          R"({"points": [{"name": "p", "address": 0, "dataType": "int16"}], "values": {"q": 1}})"),
      "unknown_point /settings/values/q");
  EXPECT_EQ(
      refused(
          "modbus.write",
          R"({"points": [{"name": "p", "address": 0, "dataType": "int16"}], "values": {"p": 70000}})"),
      "out_of_range /settings/values/p");
  EXPECT_EQ(refused("modbus.read",
                    R"({"points": [{"name": "$meta", "address": 0, "dataType": "int16"}]})"),
            "not_allowed /settings/points/0/name");
  EXPECT_EQ(refused("modbus.dance", "{}"), "unknown_function /type");
}

}  // namespace
}  // namespace tributary::connectors::modbus
