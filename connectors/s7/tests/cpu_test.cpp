// With the simulated CPU: functions as a whole.
#include <gtest/gtest.h>

#include "connectors/s7/tests/fixture.hpp"

namespace tributary::connectors::s7 {
namespace {

using namespace std::chrono_literals;

TEST_F(CpuTest, ReadsAllAreasInOneRequest) {
  const auto set = [&](std::size_t memory, std::size_t at, std::initializer_list<int> bytes) {
    for (const int byte : bytes)
      device_.memory(memory).bytes()[at++] = static_cast<std::byte>(byte);
  };
  set(0, 8, {0x41, 0xAC, 0, 0});
  set(1, 0, {0x08});
  set(2, 1, {0x7F});
  set(3, 0, {0x80});
  set(4, 256, {0x01, 0x02});
  set(5, 10, {0x21, 0x23});
  set(6, 6, {0x04, 0x56});
  auto session = open(port_);
  const auto before = server_.requests();
  const auto batch =
      call(*session, "s7.read", points({"DB1,REAL8", "M0.3", "IB1", "Q0.7", "PIW256", "T5", "C3"}));
  EXPECT_EQ(values(batch), json(R"({"DB1,REAL8": 21.5, "M0.3": true, "IB1": 127, "Q0.7": true,
      "PIW256": 258, "T5": 123000, "C3": 456})"));
  EXPECT_EQ(server_.requests(), before + 1);
}

TEST_F(CpuTest, WhatIsWrittenIsReadBack) {
  auto session = open(port_);
  const std::string list = R"([
      {"name": "bit", "address": "DB1.DBX0.3"}, {"name": "bits", "address": "DB1.DBX1.6", "count": 4},
      {"name": "int", "address": "DB1,INT2"}, {"name": "dint", "address": "DB1.DBD4", "dataType": "DINT"},
      {"name": "real", "address": "DB1,REAL8", "scale": 0.5, "offset": 1}, {"name": "lreal", "address": "DB1,LREAL12"},
      {"name": "ulint", "address": "DB1,ULINT20"}, {"name": "text", "address": "DB1,STRING30.20"},
      {"name": "wide", "address": "DB1,WSTRING60.10"}, {"name": "dt", "address": "DB1,DT100"},
      {"name": "dtl", "address": "DB1,DTL110"}, {"name": "list", "address": "DB1,REAL130.3"},
      {"name": "timer", "address": "T1"}, {"name": "counter", "address": "C1"}])";
  const std::string wanted =
      R"({"bit": true, "bits": [true, false, true, true], "int": -5, "dint": 70000,
      "real": 3.5, "lreal": -1e100, "ulint": 18446744073709551615, "text": "Füller", "wide": "€ 5",
      "dt": "2026-03-31T13:45:12.250", "dtl": "2026-03-31T13:45:12.000000001", "list": [1.5, 2.5, -3.5],
      "timer": 5000, "counter": 77})";
  const auto written =
      call(*session, "s7.write",
           fmt::format(R"({{"points": {}, "values": {}, "verify": true}})", list, wanted));
  EXPECT_EQ(values(written), json(wanted));
  EXPECT_EQ(values(call(*session, "s7.read", fmt::format(R"({{"points": {}}})", list))),
            json(wanted));
  EXPECT_EQ(db1()[0], std::byte{0x08}) << "the bits beside it are as they were";
}

TEST_F(CpuTest, AnalogueValuesAreScaledInBothDirections) {
  auto session = open(port_);
  const std::string point =
      R"("points": [{"name": "bar", "address": "PIW256", "dataType": "INT", "scaling": "linear",
                     "rawHigh": 27648, "high": 6, "clamp": true, "unit": "bar"}])";
  EXPECT_EQ(values(call(*session, "s7.write", "{" + point + R"(, "values": {"bar": 1.5}})")),
            json(R"({"bar": 1.5})"));
  EXPECT_EQ(device_.memory(4).bytes()[256], std::byte{6912 >> 8});
  EXPECT_EQ(values(call(*session, "s7.read", "{" + point + "}")), json(R"({"bar": 1.5})"));
  EXPECT_EQ(refused_prepare("s7.write", "{" + point + R"(, "values": {"bar": 7}})").code,
            "out_of_range");
  EXPECT_EQ(refused_prepare(
                "s7.read",
                R"({"points": [{"name": "t", "address": "DB1,STRING0", "scaling": "linear"}]})")
                .pointer,
            "/settings/points/0/scaling");
}

TEST_F(CpuTest, ATextNeverRunsOverWhatLiesBehindIt) {
  db1()[0] = std::byte{4};  // STRING[4]
  db1()[6] = std::byte{0x77};
  auto session = open(port_);
  const std::string point = R"("points": [{"name": "text", "address": "DB1,STRING0"}])";
  const auto batch = call(*session, "s7.write", "{" + point + R"(, "values": {"text": "12345"}})");
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().code, "too_long");
  EXPECT_EQ(batch.error().pointer, "/settings/values/text");
  EXPECT_TRUE(
      call(*session, "s7.write", "{" + point + R"(, "values": {"text": "1234"}})").has_value());
  EXPECT_EQ(db1()[0], std::byte{4});
  EXPECT_EQ(db1()[1], std::byte{4});
  EXPECT_EQ(db1()[5], std::byte{'4'});
  EXPECT_EQ(db1()[6], std::byte{0x77});
}

TEST_F(CpuTest, BadPointsAreIsolatedAndNamedByCause) {
  auto session = open(port_);
  db1()[1023] = std::byte{9};
  const std::string list = points({"DB1.DBB1022", "DB1.DBB1023", "DB1.DBB1024", "DB1.DBB1025",
                                   "DB9.DBW0", "M0.0", "MB63", "MB64"});
  const auto operation = prepare("s7.read", list);
  EXPECT_EQ(values(call(*session, *operation)),
            json(R"({"DB1.DBB1022": 0, "DB1.DBB1023": 9, "DB1.DBB1024": "address_out_of_range",
                     "DB1.DBB1025": "address_out_of_range", "DB9.DBW0": "no_such_object", "M0.0": false,
                     "MB63": 0, "MB64": "address_out_of_range"})"));
  const auto before = server_.requests();
  call(*session, *operation);
  EXPECT_EQ(server_.requests(), before + 1) << "what was learnt is kept";
}

TEST_F(CpuTest, ARefusedPointOfASubscriptionIsAskedAgainOnlyNowAndThen) {
  auto session = open(port_);
  const auto operation = prepare(
      "s7.subscribe",
      R"({"points": [{"name": "good", "address": "DB1.DBW0"}, {"name": "bad", "address": "DB9.DBW0"}]})");
  const Json expected = json(R"({"good": 0, "bad": "no_such_object"})");
  for (int i = 0; i < 130; ++i) ASSERT_EQ(values(call(*session, *operation)), expected) << i;
}

TEST_F(CpuTest, AFunctionOfWhichNothingIsThereIsAnErrorOfTheCall) {
  auto session = open(port_);
  const auto batch = call(*session, "s7.read", points({"DB9.DBW0"}));
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().code, "no_such_object");
  EXPECT_EQ(batch.error().error_class, ErrorClass::kFunction);
  EXPECT_THAT(batch.error().hint, ::testing::HasSubstr("optimized"));
}

TEST_F(CpuTest, RefusedWritesAreNamedAndWhatFollowsIsNotWritten) {
  auto session = open(port_);
  const std::string list =
      R"("points": [{"name": "a", "address": "DB1.DBW0"}, {"name": "bad", "address": "DB9.DBW0"},
                    {"name": "b", "address": "DB1.DBW2"}], "values": {"a": 1, "bad": 2, "b": 3})";
  EXPECT_EQ(values(call(*session, "s7.write", "{" + list + "}")),
            json(R"({"a": 1, "bad": "no_such_object", "b": 3})"));
  EXPECT_EQ(values(call(*session, "s7.write", "{" + list + R"(, "order": "oneByOne"})")),
            json(R"({"a": 1, "bad": "no_such_object", "b": "not_written"})"));
}

TEST_F(CpuTest, LongValuesTravelInSeveralMessages) {
  auto session = open(port_);
  Json list = json_array();
  for (int i = 0; i < 300; ++i) list.push_back(i);
  const std::string point = R"("points": [{"name": "list", "address": "DB1,INT0.300"}])";
  Json parameters = json_object();
  parameters["list"] = list;
  const auto written =
      call(*session, "s7.write", "{" + point + R"(, "verify": true})", to_text(parameters));
  EXPECT_EQ(values(written)["list"], list);
  EXPECT_EQ(values(call(*session, "s7.read", "{" + point + "}"))["list"], list);
}

TEST_F(CpuTest, AWriteGoesInBetweenTwoRequestsOfALongScan) {
  auto session = open(port_, R"({"pduSize": 112, "maxGapBytes": 0})");
  // Every fourth byte: 256 items in some thirty requests.
  const auto scan = prepare(
      "s7.read", R"({"points": [{"name": "b{1..256}", "address": "DB1.DBB0", "addressStep": 4}]})");
  const auto write =
      prepare("s7.write", R"({"points": [{"name": "m", "address": "MB5"}], "values": {"m": 7}})");
  ASSERT_GT(scan->round_trips(), 10U);
  const Json none = json_object();
  auto reading = context_.start(session->call(*scan, none, context_.in(5s)));
  auto writing = context_.start(session->call(*write, none, context_.in(5s)));
  auto checking = context_.start(session->check_health(context_.in(5s)));
  EXPECT_EQ(values(context_.finish(writing)), json(R"({"m": 7})"));
  EXPECT_FALSE(reading.done()) << "the write did not wait for the scan";
  EXPECT_TRUE(context_.finish(checking).has_value());
  EXPECT_FALSE(reading.done()) << "nor did the health check";
  EXPECT_EQ(context_.finish(reading).value().size(), 256U);
}

TEST_F(CpuTest, ARangeStandsForManyPoints) {
  for (int i = 0; i < 4; ++i)
    db1()[static_cast<std::size_t>(i) * 10 + 1] = static_cast<std::byte>(i + 1);
  auto session = open(port_);
  EXPECT_EQ(
      values(call(
          *session, "s7.read",
          R"({"points": [{"name": "Motor[1..4].Speed", "address": "DB1.DBW0", "addressStep": 10},
                                       {"name": "Flag{1..2}", "address": "M0.7"}]})")),
      json(R"({"Motor[1].Speed": 1, "Motor[2].Speed": 2, "Motor[3].Speed": 3, "Motor[4].Speed": 4,
                     "Flag1": false, "Flag2": false})"));
}

// What is wrong is found when the function is saved.
TEST_F(CpuTest, WrongFunctionsAreRefusedWithTheirPlace) {
  profile_ = profile(port_);
  const auto refused = [&](std::string_view point) {
    return refused_prepare("s7.read", fmt::format(R"({{"points": [{}]}})", point));
  };
  EXPECT_EQ(refused(R"({"name": "x", "address": "DBX"})").pointer, "/settings/points/0/address");
  EXPECT_EQ(refused(R"({"name": "x", "address": "DB1.DBW0", "dataType": "REAL"})").pointer,
            "/settings/points/0/dataType");
  EXPECT_EQ(refused(R"({"name": "x", "address": "DB1.DBX0.1", "dataType": "INT"})").code,
            "not_allowed");
  EXPECT_EQ(refused(R"({"name": "x", "address": "T1", "dataType": "REAL"})").code, "not_allowed");
  EXPECT_EQ(refused(R"({"name": "x", "address": "DB1,INT0", "length": 4})").pointer,
            "/settings/points/0/length");
  EXPECT_EQ(refused(R"({"name": "x", "address": "DB1,STRING0.300"})").code, "out_of_range");
  EXPECT_EQ(refused(R"({"name": "x", "address": "DB1,STRING0", "scale": 2})").pointer,
            "/settings/points/0/scale");
  EXPECT_EQ(refused(R"({"name": "$x", "address": "DB1.DBW0"})").pointer, "/settings/points/0/name");
  EXPECT_EQ(refused(R"({"name": "a{1..99999}", "address": "DB1.DBW0"})").pointer,
            "/settings/points/0/name");
  EXPECT_EQ(refused(R"({"name": "x", "address": "DB1.DBD2097150"})").code, "out_of_range");
  EXPECT_EQ(
      refused(R"({"name": "x1", "address": "MB0"}, {"name": "x{1..2}", "address": "MB0"})").code,
      "not_allowed");
  EXPECT_EQ(
      refused_prepare("s7.write",
                      R"({"points": [{"name": "x", "address": "MB0"}], "values": {"x": 256}})")
          .pointer,
      "/settings/values/x");
  EXPECT_EQ(refused_prepare("s7.write",
                            R"({"points": [{"name": "x", "address": "MB0"}], "values": {"y": 1}})")
                .code,
            "unknown_point");
}

TEST_F(CpuTest, TellsWhatTheCpuIs) {
  profile_ = profile(port_);
  std::unique_ptr<sdk::Session> session;
  const auto identity = try_open(session);
  ASSERT_TRUE(identity.has_value());
  EXPECT_EQ(identity->product, "CPU 315-2 PN/DP (6ES7 315-2EH14-0AB0)");
  EXPECT_EQ(identity->version, "V3.2.6");
  EXPECT_EQ(record(call(*session, "s7.system", R"({"question": "info"})"))["name"],
            "Simulated CPU");
  EXPECT_EQ(record(call(*session, "s7.system", R"({"question": "state"})")),
            json(R"({"state": "run"})"));
  const Json blocks = record(call(*session, "s7.system", R"({"question": "blocks"})"));
  EXPECT_EQ(blocks["blocks"].at(3), json(R"({"type": "DB", "count": 1, "numbers": [1]})"));
  EXPECT_EQ(record(call(*session, "s7.system", R"({"question": "clock"})")),
            json(R"({"clock": "1990-01-01T00:00:00"})"));
}

TEST_F(CpuTest, IsControlledOnlyWhereTheConnectionAllowsIt) {
  profile_ = profile(port_);
  const Error error = refused_prepare("s7.control", R"({"action": "stop"})");
  EXPECT_EQ(error.code, "not_allowed");
  EXPECT_THAT(error.hint, ::testing::HasSubstr("allowControl"));
  auto session = open(port_, R"({"allowControl": true})");
  EXPECT_EQ(record(call(*session, "s7.control", R"({"action": "stop"})")),
            json(R"({"state": "stop"})"));
  EXPECT_FALSE(device_.running());
  EXPECT_EQ(record(call(*session, "s7.control", R"({"action": "coldStart"})")),
            json(R"({"state": "run"})"));
  EXPECT_TRUE(device_.running());
  call(*session, "s7.control", R"({"action": "setClock", "time": "2026-03-31T13:45:12"})");
  EXPECT_EQ(clock_text(device_.clock()), "2026-03-31T13:45:12");
  EXPECT_EQ(refused_prepare("s7.control", R"({"action": "setClock", "time": "soon"})").pointer,
            "/settings/time");
}

// A tenth of the flaps keeps the fast tests fast; snap7_test has the whole five hundred.
TEST_F(CpuTest, Edge04_NoConnectionOfTheCpuIsLeaked) {
  for (int flap = 0; flap < 50; ++flap) {
    auto session = open(port_);
    ASSERT_EQ(values(call(*session, "s7.read", points({"DB1.DBW0"}))), json(R"({"DB1.DBW0": 0})"));
    if (flap % 2 == 0) {
      context_.run(session->close(context_.in(1s)));
    } else {
      session->abort();
    }
    ASSERT_TRUE(context_.run_until([&] { return server_.clients() == 0; })) << flap;
  }
  EXPECT_EQ(server_.most_clients(), 1U);
}

class ProtectedCpuTest : public CpuTest {
 protected:
  ProtectedCpuTest() : CpuTest({.password = "geheim"}) {}
};

TEST_F(ProtectedCpuTest, ThePasswordOpensIt) {
  profile_ = profile(port_);
  std::unique_ptr<sdk::Session> session;
  ASSERT_TRUE(try_open(session).has_value());
  EXPECT_EQ(call(*session, "s7.read", points({"DB1.DBW0"})).error().code, "access_denied");
  profile_.secrets.emplace_back("password", Secret("geheim"));
  ASSERT_TRUE(try_open(session).has_value());
  EXPECT_EQ(context_.stages().stages.back(), "login");
  EXPECT_EQ(values(call(*session, "s7.read", points({"DB1.DBW0"}))), json(R"({"DB1.DBW0": 0})"));
}

TEST_F(ProtectedCpuTest, AWrongPasswordIsAnIdentityErrorAndIsNotRepeated) {
  profile_ = profile(port_);
  profile_.secrets.emplace_back("password", Secret("canary"));
  std::unique_ptr<sdk::Session> session;
  const auto opened = try_open(session);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().error_class, ErrorClass::kIdentity);
  EXPECT_EQ(opened.error().code, "wrong_password");
  EXPECT_THAT(opened.error().message, ::testing::Not(::testing::HasSubstr("canary")));
}

}  // namespace
}  // namespace tributary::connectors::s7
