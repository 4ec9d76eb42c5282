// Scripted peers: what a session does with every kind of right and wrong answer.
#include <gtest/gtest.h>

#include "connectors/s7/tests/fixture.hpp"

namespace tributary::connectors::s7 {
namespace {

using namespace std::chrono_literals;
using test::hex;
using test::Script;
using test::ScriptedPeer;

using SessionTest = S7Test;

const std::string kCall = hex("03000016 11e0 0000 0001 00 c0010a c1020100 c2020101");
const std::string kConfirm = hex("03000016 11d0 0001 0001 00 c0010a c1020100 c2020101");
const std::string kSetup = hex("03000019 02f080 3201 0000 0001 0008 0000 f000 0001 0001 03c0");
const std::string kSetupDone =
    hex("0300001b 02f080 3203 0000 0001 0008 0000 0000 f000 0001 0001 00f0");
constexpr std::size_t kListRequest = 33;
// A CPU that does not tell who it is.
std::string no_such_list(int reference) {
  return hex(fmt::format(
      "03000021 02f080 3207 0000 {:04x} 000c 0004 000112 08 12 84 01 01 0000 d401 0a00 0000",
      reference));
}
Script opened() {
  return Script()
      .expect(kCall)
      .send(kConfirm)
      .expect(kSetup)
      .send(kSetupDone)
      .receive(kListRequest)
      .send(no_such_list(2))
      .receive(kListRequest)
      .send(no_such_list(3));
}

// DB1 bytes 0 to 3, as question 4.
const std::string kAsk =
    hex("0300001f 02f080 3201 0000 0004 000e 0000 0401 120a10 02 0004 0001 84 000000");
const std::string kValues =
    hex("0300001d 02f080 3203 0000 0004 0002 0008 0000 0401 ff04 0020 05dc 0007");
const std::string kTwo = R"({"points": [{"name": "a", "address": "DB1.DBW0", "dataType": "INT"},
                                        {"name": "b", "address": "DB1.DBW2"}]})";
const std::size_t kReadSize = kAsk.size();

TEST_F(SessionTest, OpensAndReadsNeighboursAsOneItem) {
  ScriptedPeer peer(opened().expect(kAsk).send(kValues));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "s7.read", kTwo)), json(R"({"a": 1500, "b": 7})"));
  EXPECT_EQ(peer.unmet(), "");
  EXPECT_EQ(context_.stages().stages, (std::vector<std::string>{"resolve", "tcp", "protocol"}));
}

TEST_F(SessionTest, NamesTheCpuAsTheSettingsSay) {
  ScriptedPeer rack(
      Script().expect(hex("03000016 11e0 0000 0001 00 c0010a c1020100 c2020243")).close());
  refused_open(rack.port(), R"({"rack": 2, "slot": 3, "connectionType": "op"})");
  EXPECT_EQ(rack.unmet(), "");
  ScriptedPeer tsap(
      Script().expect(hex("03000016 11e0 0000 0001 00 c0010a c1024d57 c2020301")).close());
  refused_open(tsap.port(),
               R"({"addressing": "tsap", "localTsap": "4D57", "remoteTsap": "03.01"})");
  EXPECT_EQ(tsap.unmet(), "");
}

TEST_F(SessionTest, AFrameInOneByteSegmentsIsAFrame) {
  ScriptedPeer peer(opened().expect(kAsk).send(kValues, 0ms, 1));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "s7.read", kTwo)), json(R"({"a": 1500, "b": 7})"));
}

TEST_F(SessionTest, AMessageInTwoPiecesIsAMessage) {
  const std::string first = hex("03000013 02f000") + kValues.substr(7, 12);
  const std::string second = hex("03000011 02f080") + kValues.substr(19);
  ScriptedPeer peer(opened().expect(kAsk).send(first + second));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "s7.read", kTwo)), json(R"({"a": 1500, "b": 7})"));
}

TEST_F(SessionTest, Edge02_AnAnswerToAnEarlierQuestionIsNotTakenForThisOne) {
  std::string late = kValues;
  late[12] = 0x03;  // its reference
  late[late.size() - 1] = 0x55;
  ScriptedPeer peer(opened().expect(kAsk).send(late + kValues));
  auto session = open(peer.port());
  EXPECT_EQ(values(call(*session, "s7.read", kTwo)), json(R"({"a": 1500, "b": 7})"));
}

TEST_F(SessionTest, Edge02_AfterATimeoutTheSessionIsOver) {
  ScriptedPeer peer(opened().expect(kAsk).send(kValues, 300ms));
  auto session = open(peer.port(), R"({"requestTimeoutMs": 50})");
  const auto batch = call(*session, "s7.read", kTwo);
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().error_class, ErrorClass::kTransient);
  EXPECT_EQ(batch.error().code, "timeout");
  EXPECT_FALSE(batch.error().outcome_unknown) << "a read has no outcome";
  EXPECT_THAT(batch.error().message, ::testing::HasSubstr("DB1 bytes 0 to 3"));
  std::this_thread::sleep_for(350ms);
  EXPECT_EQ(call(*session, "s7.read", kTwo).error().code, "timeout")
      << "the late answer is nobody's";
}

// Answers that end the session: each with its class and code, and never with a value.
struct WrongAnswer {
  const char* name;
  const char* answer;
};
class WrongAnswers : public S7Test, public ::testing::WithParamInterface<WrongAnswer> {};

TEST_P(WrongAnswers, AreAProtocolError) {
  ScriptedPeer peer(opened().expect(kAsk).send(hex(GetParam().answer)));
  auto session = open(peer.port());
  const auto batch = call(*session, "s7.read", kTwo);
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().error_class, ErrorClass::kTransient);
  EXPECT_EQ(batch.error().code, "protocol_error") << batch.error().message;
  EXPECT_NE(batch.error().hint, "");
  const auto again = call(*session, "s7.read", kTwo);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "protocol_error") << "the session is over and says why";
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongAnswers,
    ::testing::Values(
        WrongAnswer{"reference_never_asked",
                    "0300001d 02f080 3203 0000 0099 0002 0008 0000 0401 ff04 0020 05dc 0007"},
        WrongAnswer{"more_data_than_asked",
                    "0300001f 02f080 3203 0000 0004 0002 000a 0000 0401 ff04 0030 05dc 0007 0009"},
        WrongAnswer{"less_data_than_asked",
                    "0300001b 02f080 3203 0000 0004 0002 0006 0000 0401 ff04 0010 05dc"},
        WrongAnswer{"length_beyond_the_message",
                    "0300001d 02f080 3203 0000 0004 0002 0008 0000 0401 ff04 0300 05dc 0007"},
        WrongAnswer{"two_items_for_one",
                    "0300001d 02f080 3203 0000 0004 0002 0008 0000 0402 ff04 0020 05dc 0007"},
        WrongAnswer{"answers_a_write",
                    "0300001d 02f080 3203 0000 0004 0002 0008 0000 0501 ff04 0020 05dc 0007"},
        WrongAnswer{"sizes_do_not_add_up",
                    "0300001d 02f080 3203 0000 0004 0002 0009 0000 0401 ff04 0020 05dc 0007"},
        WrongAnswer{"a_question_instead",
                    "0300001f 02f080 3201 0000 0004 000e 0000 0401 120a10 02 0004 0001 84 000000"},
        WrongAnswer{"not_s7", "0300000b 02f080 72 010000"},
        WrongAnswer{"not_tpkt", "48545450 2f312e31"},
        WrongAnswer{"endless_length", "0300ffff 02f080 32"},
        WrongAnswer{"no_length", "03000002 02f080 32"},
        WrongAnswer{"confirms_a_connection",
                    "03000016 11d0 0001 0001 00 c0010a c1020100 c2020101"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(SessionTest, ACloseOrAResetOrAGoodbyeInsteadOfAnAnswerIsALoss) {
  ScriptedPeer closes(opened().expect(kAsk).close());
  auto first = open(closes.port());
  EXPECT_EQ(call(*first, "s7.read", kTwo).error().code, "connection_closed");
  ScriptedPeer resets(opened().expect(kAsk).reset());
  auto second = open(resets.port());
  EXPECT_EQ(call(*second, "s7.read", kTwo).error().code, "connection_reset");
  ScriptedPeer leaves(opened().expect(kAsk).send(hex("0300000b 0680 0000 0001 80")));
  auto third = open(leaves.port());
  const auto batch = call(*third, "s7.read", kTwo);
  EXPECT_EQ(batch.error().code, "connection_closed");
  EXPECT_EQ(batch.error().error_class, ErrorClass::kTransient);
}

TEST_F(SessionTest, ARefusedTcpConnectionNamesHostAndPort) {
  test::RefusingPort port;
  const Error error = refused_open(port.port());
  EXPECT_EQ(error.code, "connection_refused");
  EXPECT_THAT(error.message, ::testing::HasSubstr(fmt::format("127.0.0.1:{}", port.port())));
  EXPECT_THAT(error.hint, ::testing::HasSubstr("102"));
}

TEST_F(SessionTest, AWrongSlotIsToldAsWhatItMayBe) {
  ScriptedPeer closes(Script().expect(kCall).close());
  const Error closed = refused_open(closes.port());
  EXPECT_EQ(closed.code, "connection_closed");
  EXPECT_EQ(closed.error_class, ErrorClass::kTransient);
  EXPECT_THAT(closed.hint, ::testing::HasSubstr("slot"));
  ScriptedPeer refuses(Script().expect(kCall).send(hex("0300000b 0680 0001 0000 03")));
  const Error refused = refused_open(refuses.port());
  EXPECT_EQ(refused.code, "connection_refused_by_cpu");
  EXPECT_THAT(refused.message, ::testing::HasSubstr("reason 3"));
}

TEST_F(SessionTest, AMuteCpuIsATimeoutInTheProtocolStage) {
  ScriptedPeer peer(Script().expect(kCall).mute());
  profile_ = profile(peer.port());
  auto session = connector_->make_session(context_.session_context(), profile_).value();
  const auto started = std::chrono::steady_clock::now();
  const auto result = context_.run(session->open(context_.in(200ms), context_.stages()));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, "timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
  EXPECT_EQ(context_.stages().stages.back(), "protocol");
}

TEST_F(SessionTest, HealthIsAnyAnswerToARealRead) {
  ScriptedPeer peer(
      opened()
          .expect(
              hex("0300001f 02f080 3201 0000 0004 000e 0000 0401 120a10 02 0001 0000 83 000000"))
          .send(hex("0300001a 02f080 3203 0000 0004 0002 0005 0000 0401 ff04 0008 00"))
          .receive(kReadSize)
          .send(hex("03000019 02f080 3203 0000 0005 0002 0004 0000 0401 0500 0000"))
          .receive(kReadSize)
          .mute());
  auto session = open(peer.port());
  EXPECT_TRUE(context_.run(session->check_health(context_.in(1s))).has_value());
  EXPECT_TRUE(context_.run(session->check_health(context_.in(1s))).has_value())
      << "a refusal proves that it is alive";
  EXPECT_EQ(context_.run(session->check_health(context_.in(50ms))).error().code, "timeout")
      << "a socket that is still open proves nothing";
}

TEST_F(SessionTest, AHealthCheckWaitsForTheRunningRequest) {
  ScriptedPeer peer(
      opened()
          .expect(kAsk)
          .send(kValues, 30ms)
          .receive(kReadSize)
          .send(hex("0300001a 02f080 3203 0000 0005 0002 0005 0000 0401 ff04 0008 00")));
  auto session = open(peer.port());
  const auto operation = prepare("s7.read", kTwo);
  const Json none = json_object();
  auto reading = context_.start(session->call(*operation, none, context_.in(5s)));
  auto checking = context_.start(session->check_health(context_.in(5s)));
  EXPECT_TRUE(context_.finish(checking).has_value());
  EXPECT_EQ(values(context_.finish(reading)), json(R"({"a": 1500, "b": 7})"));
  EXPECT_EQ(peer.unmet(), "");
}

TEST_F(SessionTest, AWriteThatIsCutOffIsUnknown) {
  ScriptedPeer peer(opened().receive(37).close());
  auto session = open(peer.port());
  const auto batch = call(
      *session, "s7.write",
      R"({"points": [{"name": "a", "address": "DB1.DBW0", "dataType": "INT"}], "values": {"a": 7}})");
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().code, "connection_closed");
  EXPECT_TRUE(batch.error().outcome_unknown);
  EXPECT_THAT(batch.error().message, ::testing::HasSubstr("not known: a"));
}

TEST_F(SessionTest, AWholeMessageThatIsRefusedIsNoLoss) {
  ScriptedPeer peer(
      opened()
          .expect(kAsk)
          .send(hex("03000013 02f080 3202 0000 0004 0000 0000 d241"))
          .receive(kReadSize)
          .send(hex("0300001d 02f080 3203 0000 0005 0002 0008 0000 0401 ff04 0020 05dc 0007")));
  auto session = open(peer.port());
  const auto batch = call(*session, "s7.read", kTwo);
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().error_class, ErrorClass::kFunction);
  EXPECT_EQ(batch.error().code, "access_denied");
  EXPECT_EQ(values(call(*session, "s7.read", kTwo)), json(R"({"a": 1500, "b": 7})"));
}

TEST_F(SessionTest, GoodbyeWaitsForTheCpuToCloseButNotForEver) {
  ScriptedPeer closes(opened().expect(hex("0300000b 0680 0000 0001 80")).close());
  auto session = open(closes.port());
  context_.run(session->close(context_.in(5s)));
  EXPECT_EQ(closes.unmet(), "");
  ScriptedPeer stays(opened().mute());
  auto other = open(stays.port());
  const auto started = std::chrono::steady_clock::now();
  context_.run(other->close(context_.in(5s)));
  EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
  EXPECT_EQ(call(*other, "s7.read", kTwo).error().code, "cancelled");
}

TEST_F(SessionTest, ACpuThatTakesNoPasswordsIsAMatterOfConfiguration) {
  constexpr std::size_t kPasswordRequest = 37;
  ScriptedPeer peer(Script()
                        .expect(kCall)
                        .send(kConfirm)
                        .expect(kSetup)
                        .send(kSetupDone)
                        .receive(kPasswordRequest)
                        .send(hex("03000013 02f080 3202 0000 0002 0000 0000 8104")));
  profile_ = profile(peer.port());
  profile_.secrets.emplace_back("password", Secret("geheim"));
  std::unique_ptr<sdk::Session> session;
  const auto result = try_open(session);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(result.error().code, "not_supported");
  EXPECT_EQ(result.error().pointer, "/secrets/password");
}

TEST_F(SessionTest, AWriteThatCannotBeReadBackHadBeenConfirmed) {
  ScriptedPeer peer(opened()
                        .receive(37)
                        .send(hex("03000016 02f080 3203 0000 0004 0002 0001 0000 0501 ff"))
                        .receive(kReadSize)
                        .close());
  auto session = open(peer.port());
  const auto batch = call(*session, "s7.write",
                          R"({"points": [{"name": "a", "address": "DB1.DBW0", "dataType": "INT"}],
                              "values": {"a": 7}, "verify": true})");
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().code, "connection_closed");
  EXPECT_FALSE(batch.error().outcome_unknown);
  EXPECT_THAT(batch.error().message, ::testing::HasSubstr("had been confirmed"));
}

TEST_F(SessionTest, APasswordBeyondEightCharactersIsRefusedAtOnce) {
  profile_ = profile(102);
  profile_.secrets.emplace_back("password", Secret("canary-9f2b6d"));
  const auto session = connector_->make_session(context_.session_context(), profile_);
  ASSERT_FALSE(session.has_value());
  EXPECT_EQ(session.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(session.error().pointer, "/secrets/password");
  EXPECT_THAT(session.error().message, ::testing::Not(::testing::HasSubstr("canary")));
}

}  // namespace
}  // namespace tributary::connectors::s7
