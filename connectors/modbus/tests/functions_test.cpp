// The rarer functions: bits in registers, reading back, function 23, the FIFO queue, diagnostics.
#include "connectors/modbus/src/identification.hpp"
#include "connectors/modbus/tests/fixture.hpp"

namespace tributary::connectors::modbus {
namespace {

using test::hex;
using test::Script;
using test::ScriptedPeer;

class FunctionsTest : public ModbusTest {};

constexpr const char* kBits = R"("points": [
    {"name": "start", "address": 4, "dataType": "bit", "bit": 0},
    {"name": "mode", "address": 4, "dataType": "bits", "bit": 4, "bits": 3}],
    "values": {"start": true, "mode": 5})";

TEST_F(FunctionsTest, BitsOfOneRegisterAreWrittenByOneMaskWrite) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0008 01 16 0004 ff8e 0051"))
                        .send(hex("0001 0000 0008 01 16 0004 ff8e 0051")));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "modbus.write", fmt::format("{{{}}}", kBits))),
            json(R"({"start": true, "mode": 5})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(FunctionsTest, BitsAreWrittenByReadingTheRegisterWhereThereIsNoMaskWrite) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0006 01 03 0004 0001"))
                        .send(hex("0001 0000 0005 01 03 02 ff7e"))
                        .expect(hex("0002 0000 0006 01 06 0004 ff5f"))
                        .send(hex("0002 0000 0006 01 06 0004 ff5f")));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "modbus.write",
                        fmt::format(R"({{{}, "bitWrites": "readModifyWrite"}})", kBits))),
            json(R"({"start": true, "mode": 5})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(FunctionsTest, ADeviceWithoutMaskWriteSaysWhatToDo) {
  ScriptedPeer peer(Script().receive(14).send(hex("0001 0000 0003 01 96 01")));
  auto session = open(peer.port());
  const auto written = call(*session, "modbus.write", fmt::format("{{{}}}", kBits));
  EXPECT_EQ(written.error().code, "illegal_function");
  EXPECT_THAT(written.error().hint, ::testing::HasSubstr("readModifyWrite"));
}

constexpr const char* kVerified = R"({"verify": true, "points": [
    {"name": "speed", "address": 1, "dataType": "uint16"},
    {"name": "start", "area": "coils", "address": 0, "dataType": "bool"}],
    "values": {"speed": 1500, "start": true}})";

TEST_F(FunctionsTest, WhatWasWrittenIsReadBack) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0006 01 06 0001 05dc"))
                        .send(hex("0001 0000 0006 01 06 0001 05dc"))
                        .expect(hex("0002 0000 0006 01 03 0001 0001"))
                        .send(hex("0002 0000 0005 01 03 02 05dc"))
                        .expect(hex("0003 0000 0006 01 05 0000 ff00"))
                        .send(hex("0003 0000 0006 01 05 0000 ff00"))
                        .expect(hex("0004 0000 0006 01 01 0000 0001"))
                        .send(hex("0004 0000 0004 01 01 01 01")));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "modbus.write", kVerified)),
            json(R"({"speed": 1500, "start": true})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(FunctionsTest, WhatReadsBackAsSomethingElseStopsTheWrite) {
  ScriptedPeer peer(Script()
                        .receive(12)
                        .send(hex("0001 0000 0006 01 06 0001 05dc"))
                        .receive(12)
                        .send(hex("0002 0000 0005 01 03 02 03e8")));
  auto session = open(peer.port());
  const auto written = call(*session, "modbus.write", kVerified);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, "not_verified");
  EXPECT_THAT(written.error().message, ::testing::HasSubstr("holding register 1"));
  EXPECT_EQ(peer.unmet(), "") << "the coil was not written";
}

TEST_F(FunctionsTest, OneRequestWritesAndReads) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 000f 01 17 0003 0002 000e 0002 04 05dc 0007"))
                        .send(hex("0001 0000 0007 01 17 04 41ac 0000")));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "modbus.readWrite", R"({
      "points": [{"name": "speed", "address": 14, "dataType": "uint16"},
                 {"name": "recipe", "address": 15, "dataType": "uint16"}],
      "values": {"speed": 1500, "recipe": 7},
      "readPoints": [{"name": "temperature", "address": 3, "dataType": "float32"}]})")),
            json(R"({"temperature": 21.5})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(FunctionsTest, OneRequestNeedsOneRunOfRegistersAndAllValues) {
  profile_ = profile(502);
  const auto refused = [&](std::string_view second, std::string_view read) {
    const std::string settings = fmt::format(
        R"({{"points": [{{"name": "a", "address": 14, "dataType": "uint16"}}, {{"name": "b", {}}}],
            "readPoints": [{{"name": "t", {}}}]}})",
        second, read);
    const sdk::FunctionSpec spec{"modbus.readWrite", json(settings)};
    const auto operation = connector_->prepare(profile_, spec);
    return operation ? "taken" : operation.error().code + " " + operation.error().pointer;
  };
  constexpr const char* kNext = R"("address": 15, "dataType": "uint16")";
  EXPECT_EQ(refused(kNext, kNext), "taken");
  EXPECT_EQ(refused(R"("address": 16, "dataType": "uint16")", kNext),
            "not_allowed /settings/points/1/address");
  EXPECT_EQ(refused(R"("address": 15, "dataType": "bit")", kNext),
            "not_allowed /settings/points/1/address");
  EXPECT_EQ(refused(kNext, R"("address": 0, "dataType": "uint16", "area": "inputRegisters")"),
            "not_allowed /settings/readPoints/0/address");
  EXPECT_EQ(refused(kNext, R"("address": 0, "dataType": "uint16", "unitId": 9)"),
            "not_allowed /settings/readPoints/0/address");
}

TEST_F(FunctionsTest, AQueueIsAListOfValues) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0004 01 18 04de"))
                        .send(hex("0001 0000 000a 01 18 0006 0002 01b8 ffff")));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "modbus.readFifo", R"({"address": 1246, "name": "events"})")),
            json(R"({"events": [440, 65535]})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(FunctionsTest, ADiagnosisSaysWhatTheUnitKnows) {
  ScriptedPeer peer(Script()
                        .expect(hex("0001 0000 0005 01 2b 0e 02 00"))
                        .send(hex("0001 0000 000d 01 2b 0e 02 82 ff 02 01 00 03 414243"))
                        .expect(hex("0002 0000 0005 01 2b 0e 02 02"))
                        .send(hex("0002 0000 000d 01 2b 0e 02 82 00 00 01 02 03 312e32"))
                        .expect(hex("0003 0000 0002 01 07"))
                        .send(hex("0003 0000 0003 01 07 05"))
                        .expect(hex("0004 0000 0006 01 08 0000 a537"))
                        .send(hex("0004 0000 0006 01 08 0000 a537"))
                        .expect(hex("0005 0000 0002 01 0b"))
                        .send(hex("0005 0000 0006 01 0b 0000 0108"))
                        .expect(hex("0006 0000 0006 01 08 000b 0000"))
                        .send(hex("0006 0000 0003 01 88 01")));
  auto session = open(peer.port());
  const auto batch = call(*session, "modbus.diagnose", "{}");
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  const Json& record = batch->records().at(0);
  EXPECT_EQ(record.at("identification"), json(R"({"vendorName": "ABC", "revision": "1.2"})"));
  EXPECT_EQ(record.at("exceptionStatus"), 5);
  EXPECT_EQ(record.at("echo"), true);
  EXPECT_EQ(record.at("eventCounter"), json(R"({"busy": false, "count": 264})"));
  EXPECT_EQ(record.at("counters").at("error").at("code"), "illegal_function");
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(FunctionsTest, TheIdentityIsAskedForWhenWanted) {
  ScriptedPeer peer(
      Script()
          .expect(hex("0001 0000 0005 01 2b 0e 02 00"))
          .send(hex("0001 0000 0003 01 ab 03"))  // only the basic ones
          .expect(hex("0002 0000 0005 01 2b 0e 01 00"))
          .send(hex("0002 0000 0015 01 2b 0e 01 01 00 00 03 00 03 414243 01 02 5831 02 02 3137")));
  profile_ = profile(peer.port(), R"({"identify": true})");
  auto session = connector_->make_session(context_.session_context(), profile_).value();
  const auto identity =
      context_.run(session->open(context_.in(std::chrono::seconds(5)), context_.stages()));
  ASSERT_TRUE(identity.has_value()) << identity.error().message;
  EXPECT_EQ(identity->vendor, "ABC");
  EXPECT_EQ(identity->product, "X1");
  EXPECT_EQ(identity->version, "17");
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(FunctionsTest, ADeviceThatKnowsNoIdentityIsConnectedAllTheSame) {
  ScriptedPeer peer(Script().receive(11).send(hex("0001 0000 0003 01 ab 01")));
  auto session = open(peer.port(), R"({"identify": true})");
  EXPECT_EQ(peer.unmet(), "");
}

TEST(Identification, WhatAServerWritesIsReadInParts) {
  std::vector<IdentificationObject> objects;
  for (std::uint8_t id = 0; id < 7; ++id)
    objects.push_back({id, std::string(60, static_cast<char>('a' + id))});
  std::vector<IdentificationObject> read;
  IdentificationPage page;
  page.more = true;
  for (int parts = 0; page.more; ++parts) {
    ASSERT_LT(parts, 7);
    const auto data = write_identification(objects, kReadRegular, page.next);
    ASSERT_TRUE(parse_identification(data, page));
    read.insert(read.end(), page.objects.begin(), page.objects.end());
  }
  ASSERT_EQ(read.size(), objects.size());
  for (std::size_t i = 0; i < read.size(); ++i) EXPECT_EQ(read[i].text, objects[i].text);
  EXPECT_FALSE(parse_identification(std::vector<std::byte>(7), page));
}

}  // namespace
}  // namespace tributary::connectors::modbus
