#include <gtest/gtest.h>

#include "connectors/modbus/tests/fixture.hpp"

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;
using test::hex;
using test::Script;
using test::ScriptedPeer;

using WriteTest = ModbusTest;

constexpr const char* kSpeed =
    R"({"points": [{"name": "speed", "address": 1, "dataType": "uint16"}], "values": {"speed": 1500}})";

TEST_F(WriteTest, OneRegisterGoesOutAsFunction6) {
  const std::string request = hex("0001 0000 0006 01 06 0001 05dc");
  ScriptedPeer peer(Script().expect(request).send(request));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "modbus.write", kSpeed)), json(R"({"speed": 1500})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(WriteTest, ADeviceWithoutSingleWritesGetsMultipleOnes) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0009 01 10 0001 0001 02 05dc"))
                        .send(hex("0001 0000 0006 01 10 0001 0001")));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.write",
                          R"({"points": [{"name": "speed", "address": 1, "dataType": "uint16"}],
                          "values": {"speed": 1500}, "requests": "multiple"})");
  EXPECT_EQ(values(batch), json(R"({"speed": 1500})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(WriteTest, NeighboursShareARequestInTheOrderOfThePoints) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 000d 01 10 0001 0003 06 05dc 41ac 0000"))
                        .send(hex("0001 0000 0006 01 10 0001 0003"))
                        .expect(hex("0002 0000 0006 01 05 0000 ff00"))
                        .send(hex("0002 0000 0006 01 05 0000 ff00"))
                        .expect(hex("0003 0000 0008 01 0f 0007 0002 01 02"))
                        .send(hex("0003 0000 0006 01 0f 0007 0002")));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.write", R"({"points": [
      {"name": "speed", "address": 1, "dataType": "uint16"},
      {"name": "temperature", "address": 2, "dataType": "float32"},
      {"name": "start", "area": "coils", "address": 0, "dataType": "bool"},
      {"name": "lamp", "area": "coils", "address": 7, "dataType": "bool"},
      {"name": "clean", "area": "coils", "address": 8, "dataType": "bool"}],
      "values": {"clean": true, "start": true, "temperature": 21.5, "speed": 1500, "lamp": false}})");
  EXPECT_EQ(
      values(batch),
      json(R"({"speed": 1500, "temperature": 21.5, "start": true, "lamp": false, "clean": true})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(WriteTest, ParametersGoBeforeValuesAndPointsWithoutAValueAreLeftAlone) {
  const std::string request = hex("0001 0000 0006 01 06 0001 0064");
  ScriptedPeer peer(Script().expect(request).send(request));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.write", R"({"points": [
      {"name": "speed", "address": 1, "dataType": "uint16"}, {"name": "recipe", "address": 9, "dataType": "uint16"}],
      "values": {"speed": 1500}})",
                          R"({"speed": 100, "somethingElse": true})");
  EXPECT_EQ(values(batch), json(R"({"speed": 100})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(WriteTest, ScaledValuesAreWrittenInverse) {
  const std::string request = hex("0001 0000 0006 01 06 0001 0271");
  ScriptedPeer peer(Script().expect(request).send(request));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.write", R"({"points": [
      {"name": "celsius", "address": 1, "dataType": "int16", "scale": 0.1, "offset": -40}], "values": {"celsius": 22.5}})");
  EXPECT_EQ(values(batch), json(R"({"celsius": 22.5})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(WriteTest, NothingIsSentWhenOneValueDoesNotFit) {
  // The script ends at once when a byte arrives: it would be an unmet expectation of the next
  // request.
  const std::string request = hex("0001 0000 0006 01 03 0000 0001");
  ScriptedPeer peer(Script().expect(request).send(hex("0001 0000 0005 01 03 02 0000")));
  auto session = open(peer.port());
  constexpr const char* kTwo = R"({"points": [
      {"name": "speed", "address": 1, "dataType": "uint16"}, {"name": "recipe", "address": 9, "dataType": "uint16"}]})";
  const auto batch = call(*session, "modbus.write", kTwo, R"({"speed": 100, "recipe": 70000})");
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().code, "out_of_range");
  EXPECT_EQ(batch.error().pointer, "/parameters/recipe");
  EXPECT_THAT(batch.error().message, ::testing::HasSubstr("'recipe'"));
  EXPECT_EQ(call(*session, "modbus.write", kTwo).error().code, "missing_value");
  EXPECT_TRUE(context_.run(session->check_health(context_.in(1s))).has_value());
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(WriteTest, AfterARefusalNothingMoreIsWritten) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0006 01 06 0009 0001"))
                        .send(hex("0001 0000 0006 01 06 0009 0001"))
                        .expect(hex("0002 0000 0006 01 06 0001 05dc"))
                        .send(hex("0002 0000 0003 01 86 03"))
                        .expect(hex("0003 0000 0006 01 03 0000 0001"))
                        .send(hex("0003 0000 0005 01 03 02 0000")));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.write", R"({"points": [
      {"name": "recipe", "address": 9, "dataType": "uint16"},
      {"name": "speed", "address": 1, "dataType": "uint16"},
      {"name": "start", "area": "coils", "address": 0, "dataType": "bool"}],
      "values": {"recipe": 1, "speed": 1500, "start": true}})");
  EXPECT_EQ(values(batch),
            json(R"({"recipe": 1, "speed": "illegal_value", "start": "not_written"})"));
  EXPECT_TRUE(context_.run(session->check_health(context_.in(1s))).has_value())
      << "the start command was not sent";
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(WriteTest, ARefusedWriteIsAnErrorOfTheCall) {
  ScriptedPeer peer(Script().receive(12).send(hex("0001 0000 0003 01 86 02")));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.write", kSpeed);
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().error_class, ErrorClass::kFunction);
  EXPECT_EQ(batch.error().code, "illegal_address");
  EXPECT_FALSE(batch.error().outcome_unknown);
}

// Edge case 39: cut between request and answer. The device saw one write; the result is "not
// known", and it is not sent again.
TEST_F(WriteTest, Edge39ACutBetweenRequestAndAnswerIsAnUnknownOutcome) {
  ScriptedPeer closes(Script().expect(hex("0001 0000 0006 01 06 0001 05dc")).close());
  auto first = open(closes.port());
  const auto closed = call(*first, "modbus.write", kSpeed);
  EXPECT_TRUE(closed.error().outcome_unknown);
  EXPECT_EQ(closed.error().error_class, ErrorClass::kTransient);
  EXPECT_THAT(closed.error().message, ::testing::HasSubstr("not known: speed"));
  EXPECT_EQ(closes.unmet(), "");
  EXPECT_EQ(closes.accepted(), 1U);

  ScriptedPeer mute(Script().expect(hex("0001 0000 0006 01 06 0001 05dc")).mute());
  auto second = open(mute.port(), R"({"requestTimeoutMs": 50})");
  const auto timed_out = call(*second, "modbus.write", kSpeed);
  EXPECT_EQ(timed_out.error().code, "timeout");
  EXPECT_TRUE(timed_out.error().outcome_unknown);
}

TEST_F(WriteTest, AWrongConfirmationIsNoConfirmation) {
  ScriptedPeer peer(Script().receive(12).send(hex("0001 0000 0006 01 06 0001 05dd")));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.write", kSpeed);
  EXPECT_EQ(batch.error().code, "protocol_error");
  EXPECT_TRUE(batch.error().outcome_unknown);
}

}  // namespace
}  // namespace tributary::connectors::modbus
