// History against open62541's in-memory database; aggregates against node-opcua.
#include <open62541/plugin/historydata/history_data_backend_memory.h>
#include <open62541/plugin/historydata/history_data_gathering_default.h>
#include <open62541/plugin/historydata/history_database_default.h>
#include <open62541/plugin/historydatabase.h>

#include "connectors/opcua/tests/node_opcua.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr UA_StatusCode kDoubtful = UA_STATUSCODE_UNCERTAINLASTUSABLEVALUE;

UA_DateTime at(std::string_view text) {
  return from_utc(parse_utc(text).value());
}
// One value for each second from 10:00 on.
UA_DateTime second(std::size_t number) {
  return at("2026-11-26T10:00:00Z") + static_cast<UA_DateTime>(number) * UA_DATETIME_SEC;
}

// Values at given times are not in the library's database: twice the seconds since 10:00.
void read_at_time(UA_Server*, void*, const UA_NodeId*, void*, const UA_RequestHeader*,
                  const UA_ReadAtTimeDetails* details, UA_TimestampsToReturn, UA_Boolean,
                  size_t nodes, const UA_HistoryReadValueId*, UA_HistoryReadResponse* response,
                  UA_HistoryData* const* const data) {
  for (std::size_t i = 0; i < nodes; ++i) {
    response->results[i].statusCode = UA_STATUSCODE_GOOD;
    data[i]->dataValues =
        new_array<UA_DataValue>(details->reqTimesSize, UA_TYPES[UA_TYPES_DATAVALUE]);
    data[i]->dataValuesSize = details->reqTimesSize;
    for (std::size_t k = 0; k < details->reqTimesSize; ++k) {
      UA_DataValue& value = data[i]->dataValues[k];
      const UA_Double number = 2.0 * static_cast<double>(details->reqTimes[k] - second(0)) /
                               static_cast<double>(UA_DATETIME_SEC);
      UA_Variant_setScalarCopy(&value.value, &number, &UA_TYPES[UA_TYPES_DOUBLE]);
      value.hasValue = value.hasSourceTimestamp = true;
      value.sourceTimestamp = details->reqTimes[k];
    }
  }
}

class History : public OpcuaTest {
 protected:
  // Two nodes with `count` values each; the server gives at most `page` of them at once.
  void start(std::size_t count, std::size_t page) {
    simulator::ServerOptions options;
    options.configure = [this](UA_ServerConfig& config) {
      gathering_ = UA_HistoryDataGathering_Default(2);
      config.historyDatabase = UA_HistoryDatabase_default(gathering_);
      config.historyDatabase.readAtTime = read_at_time;
      config.historizingEnabled = true;
      config.accessHistoryDataCapability = true;
    };
    server_ = std::make_unique<TestServer>(std::move(options));
    for (const char* name : {"double", "uint32"}) record(name, count, page);
    open(profile(server_->server->url(), kInsecure));
  }
  void record(const char* name, std::size_t count, std::size_t page) {
    UA_Server* const native = server_->server->native();
    const UA_NodeId id = server_->world->id(name);
    UA_Server_writeAccessLevel(native, id,
                               UA_ACCESSLEVELMASK_READ | UA_ACCESSLEVELMASK_HISTORYREAD);
    UA_Server_writeHistorizing(native, id, true);
    UA_HistorizingNodeIdSettings settings{};
    settings.historizingBackend = UA_HistoryDataBackend_Memory(1, count + 1);
    settings.maxHistoryDataResponseSize = page;
    settings.historizingUpdateStrategy = UA_HISTORIZINGUPDATESTRATEGY_USER;
    gathering_.registerNodeId(native, gathering_.context, &id, settings);
    const bool real = std::string_view(name) == "double";
    for (std::size_t i = 0; i < count; ++i) {
      UA_DataValue value{};
      UA_Double number = static_cast<double>(i) / 4;
      UA_UInt32 whole = static_cast<UA_UInt32>(i);
      UA_Variant_setScalar(&value.value, real ? static_cast<void*>(&number) : &whole,
                           &UA_TYPES[real ? UA_TYPES_DOUBLE : UA_TYPES_UINT32]);
      value.hasValue = value.hasSourceTimestamp = value.hasServerTimestamp = value.hasStatus = true;
      value.sourceTimestamp = second(i) + 1234567;
      value.serverTimestamp = second(i) + UA_DATETIME_SEC / 2;
      value.status = i % 10 == 3 ? kDoubtful : UA_STATUSCODE_GOOD;
      settings.historizingBackend.serverSetHistoryData(native, settings.historizingBackend.context,
                                                       nullptr, nullptr, &id, true, &value);
    }
  }
  static std::string read(std::string_view more) { return nodes({"double"}, more); }
  const std::vector<Record>& records(std::string_view settings) {
    batch_ = call("opcua.history", settings);
    if (!batch_) throw std::runtime_error(batch_.error().code + ": " + batch_.error().message);
    return batch_.value().records();
  }
  static constexpr std::string_view kHour =
      R"(,"from":"2026-11-26T10:00:00Z","to":"2026-11-26T11:00:00Z")";

  UA_HistoryDataGathering gathering_{};
  std::unique_ptr<TestServer> server_;
  Result<Batch> batch_ = Batch::of(std::vector<Record>{});
};

TEST_F(History, EveryValueComesWithItsQualityAndTimes) {
  start(5, 100);
  const auto& got = records(read(kHour));
  ASSERT_EQ(got.size(), 5U);
  EXPECT_EQ(
      got[2],
      json(fmt::format(
          R"({{"point":"double","value":0.5,"quality":"good","sourceTime":"2026-11-26T10:00:02.1234567Z",
                        "nodeId":"nsu={};s=double","serverTime":"2026-11-26T10:00:02.500Z"}})",
          kNamespace)));
  EXPECT_EQ(get_string(got[3], "quality"), "uncertain");
  EXPECT_EQ(get_string(got[3], "code"), "UncertainLastUsableValue");
  EXPECT_EQ(got[3].at("value"), Json(0.75));
}

TEST_F(History, PagesOfTheServerBecomeOneAnswer) {
  start(2500, 100);
  const auto& got = records(nodes({"double", "uint32"}, kHour));
  ASSERT_EQ(got.size(), 5000U);
  for (std::size_t i = 0; i < 2500; ++i) {
    ASSERT_EQ(got[i].at("value"), Json(static_cast<double>(i) / 4)) << i;
    ASSERT_EQ(got[2500 + i].at("value"), Json(static_cast<std::int64_t>(i))) << i;
    ASSERT_FALSE(got[i].contains("more"));
  }
}

TEST_F(History, MoreThanWasWantedIsSaidAndTheServersPlaceIsGivenBack) {
  start(300, 100);
  // Were the places not given back, the server would have no more of them (it has ten).
  for (int round = 0; round < 15; ++round) {
    const auto& got = records(read(std::string(kHour) + R"(,"maxValues":150)"));
    ASSERT_EQ(got.size(), 150U);
    EXPECT_FALSE(got[148].contains("more"));
    EXPECT_EQ(got[149].at("more"), Json(true));
  }
  const auto& all = records(read(std::string(kHour) + R"(,"maxValues":300)"));
  ASSERT_EQ(all.size(), 300U);
  EXPECT_FALSE(all.back().contains("more"));
}

TEST_F(History, TheNewestCanComeFirst) {
  start(300, 100);
  const auto& got = records(read(std::string(kHour) + R"(,"order":"newestFirst","maxValues":3)"));
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0].at("value"), Json(299.0 / 4));
  EXPECT_EQ(got[2].at("value"), Json(297.0 / 4));
  EXPECT_EQ(got[2].at("more"), Json(true));
}

TEST_F(History, APeriodHasABeginAndAnEnd) {
  start(300, 100);
  const auto& got = records(read(R"(,"from":"2026-11-26T10:00:10Z","to":"2026-11-26T10:00:20Z")"));
  ASSERT_EQ(got.size(), 10U);
  EXPECT_EQ(got.front().at("value"), Json(2.5));
  EXPECT_EQ(get_string(got.back(), "sourceTime"), "2026-11-26T10:00:19.1234567Z");
  // Without a begin: so long before the end.
  EXPECT_EQ(records(read(R"(,"to":"2026-11-26T10:00:20Z","lookBackMs":5000)")).size(), 5U);
  EXPECT_TRUE(records(read(R"(,"to":"2026-11-25T10:00:20Z","lookBackMs":5000)")).empty());
}

TEST_F(History, ValuesAtGivenTimes) {
  start(10, 100);
  const auto& got = records(
      read(R"(,"mode":"atTime","times":["2026-11-26T10:00:02.5Z","2026-11-26T11:00:01+01:00"])"));
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].at("value"), Json(5.0));
  EXPECT_EQ(get_string(got[0], "sourceTime"), "2026-11-26T10:00:02.500Z");
  EXPECT_EQ(got[1].at("value"), Json(2.0));
}

TEST_F(History, ANodeWithoutHistoryIsSaidAndTheOthersAreRead) {
  start(5, 100);
  const auto& got = records(nodes({"double", "text", "missing"}, kHour));
  ASSERT_EQ(got.size(), 7U);
  EXPECT_EQ(get_string(got[5], "point"), "text");
  EXPECT_EQ(get_string(got[5], "quality"), "bad");
  EXPECT_FALSE(get_string(got[5].at("error"), "code").empty());
  // What this server says of nodes that do not exist, too.
  EXPECT_EQ(get_string(got[6].at("error"), "code"), "bad_user_access_denied");
  const auto refused = call("opcua.history", nodes({"missing"}, kHour));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kFunction);
  EXPECT_EQ(refused.error().code, "bad_user_access_denied");
}

TEST_F(History, WhatTheServerCannotDoIsNamed) {
  start(5, 100);
  const auto refused = call("opcua.history", read(std::string(kHour) + R"(,"mode":"processed")"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kFunction);
  EXPECT_EQ(refused.error().code, "bad_not_supported");
  EXPECT_TRUE(context_.run(session_->check_health(context_.in(std::chrono::seconds(5)))));
}

TEST_F(History, WrongSettingsAreRefusedBeforeAnythingIsAsked) {
  const auto wrong = [this](std::string_view more) {
    for (const auto& function : resources().function_schemas) {
      const Json document = parse_json(function).value();
      if (get_string(document, "x-function") != "opcua.history") continue;
      const sdk::FunctionSpec spec{"opcua.history", with_defaults(function, json(read(more)))};
      const auto prepared = connector_->prepare(profile_, spec);
      EXPECT_FALSE(prepared.has_value()) << more;
      return prepared ? std::string() : prepared.error().code + " " + prepared.error().pointer;
    }
    return std::string("no such function");
  };
  EXPECT_EQ(wrong(R"(,"from":"yesterday")"), "invalid_time /settings/from");
  EXPECT_EQ(wrong(R"(,"to":"2026-13-01")"), "invalid_time /settings/to");
  EXPECT_EQ(wrong(R"(,"from":"2026-11-26T10:00:00Z","to":"2026-11-26T10:00:00Z")"),
            "empty_period /settings/from");
  EXPECT_EQ(wrong(R"(,"mode":"atTime")"), "times_missing /settings/times");
  EXPECT_EQ(wrong(R"(,"mode":"atTime","times":["noon"])"), "invalid_time /settings/times/0");
}

// The peer has recorded 1800 values, one for each second from 10:00 on: 0, 1, 2 …
TEST_F(NodeOpcua, HistoryIsReadRawAndProcessed) {
  Peer peer({"history=1800"});
  open(trusting(peer));
  const auto read = [&](std::string_view more) {
    auto batch = call(
        "opcua.history",
        peer_nodes(
            {"recorded"},
            fmt::format(R"(,"from":"2026-11-26T10:00:00Z","to":"2026-11-26T11:00:00Z"{})", more)));
    if (!batch) throw std::runtime_error(batch.error().code + ": " + batch.error().message);
    return batch->records();
  };
  const auto raw = read("");
  ASSERT_EQ(raw.size(), 1800U);
  for (std::size_t i = 0; i < raw.size(); ++i)
    ASSERT_EQ(raw[i].at("value"), Json(static_cast<double>(i))) << i;
  EXPECT_EQ(get_string(raw[61], "sourceTime"), "2026-11-26T10:01:01.000Z");
  const auto averages = read(R"(,"mode":"processed","aggregate":"average","intervalMs":600000)");
  ASSERT_GE(averages.size(), 3U);
  EXPECT_EQ(averages[0].at("value"), Json(299.5));
  EXPECT_EQ(averages[1].at("value"), Json(899.5));
  EXPECT_EQ(get_string(averages[1], "sourceTime"), "2026-11-26T10:10:00.000Z");
  const auto most = read(R"(,"mode":"processed","aggregate":"maximum","intervalMs":600000)");
  EXPECT_EQ(most[2].at("value"), Json(1799.0));
}

}  // namespace
}  // namespace tributary::connectors::opcua
