// The history of the simulated plant: by this connector, and by a client that nobody here wrote.
#include "connectors/opcua/simulator/plant.hpp"

#include <open62541/client.h>
#include <open62541/client_config_default.h>

#include <map>

#include "connectors/opcua/tests/fixture.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::opcua {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr const char* kClient = TRIBUTARY_SOURCE_DIR "/tests/peers/opcua_client.mjs";

// 2500 values of each variable, one a second from 10:00 on: the temperature is a quarter of the
// second, the bottles are the seconds.
class PlantHistory : public OpcuaTest {
 protected:
  PlantHistory() {
    for (std::uint32_t i = 0; i < 2500; ++i) {
      plant_->record({.bottles = i, .state = i < 100 ? 1 : 2, .temperature = i / 4.0},
                     parse_utc("2026-11-26T10:00:00Z").value() + std::chrono::seconds(i));
    }
  }
  void connect() { open(profile(plant_->url(), kInsecure)); }
  const std::vector<Record>& records(std::string_view name, std::string_view more) {
    batch_ =
        call("opcua.history",
             fmt::format(R"({{"nodes":[{{"name":"{0}","nodeId":"nsu={1};s=Filler.{0}"}}]{2}}})",
                         name, simulator::kPlantNamespace, more));
    if (!batch_) throw std::runtime_error(batch_.error().code + ": " + batch_.error().message);
    return batch_.value().records();
  }
  // Of 10:00 to 10:20 in intervals of ten minutes.
  std::vector<Json> summed(std::string_view name, std::string_view aggregate) {
    const auto& got = records(
        name,
        fmt::format(
            R"(,"mode":"processed","aggregate":"{}","intervalMs":600000,"from":"2026-11-26T10:00:00Z","to":"2026-11-26T10:20:00Z")",
            aggregate));
    std::vector<Json> all;
    for (const Record& each : got) all.push_back(each.at("value"));
    return all;
  }
  static constexpr std::string_view kHour =
      R"(,"from":"2026-11-26T10:00:00Z","to":"2026-11-26T11:00:00Z")";

  const test::TempDir folder_;
  std::unique_ptr<simulator::PlantServer> plant_ =
      simulator::PlantServer::start("127.0.0.1", 0, (folder_.path() / "keys").string()).value();
  Result<Batch> batch_ = Batch::of(std::vector<Record>{});
};

TEST_F(PlantHistory, RecordedValuesComeInPagesAndInEitherDirection) {
  connect();
  const auto all = records("Temperature", kHour);
  ASSERT_EQ(all.size(), 2500U);
  for (std::size_t i = 0; i < all.size(); ++i)
    ASSERT_EQ(all[i].at("value"), Json(static_cast<double>(i) / 4)) << i;
  EXPECT_EQ(get_string(all[61], "sourceTime"), "2026-11-26T10:01:01.000Z");
  EXPECT_FALSE(all.back().contains("more"));
  const auto newest =
      records("Bottles", std::string(kHour) + R"(,"order":"newestFirst","maxValues":1500)");
  ASSERT_EQ(newest.size(), 1500U);
  EXPECT_EQ(newest.front().at("value"), Json(2499));
  EXPECT_EQ(newest.back().at("value"), Json(1000));
  EXPECT_EQ(newest.back().at("more"), Json(true));
}

TEST_F(PlantHistory, EveryAggregateOfTheHubIsThere) {
  connect();
  EXPECT_THAT(summed("Bottles", "average"), ElementsAre(299.5, 899.5));
  EXPECT_THAT(summed("Temperature", "timeAverage"), ElementsAre(75.0, 225.0));
  EXPECT_THAT(summed("Bottles", "minimum"), ElementsAre(0, 600));
  EXPECT_THAT(summed("Bottles", "maximum"), ElementsAre(599, 1199));
  EXPECT_THAT(summed("Bottles", "range"), ElementsAre(599, 599));
  EXPECT_THAT(summed("Bottles", "count"), ElementsAre(600, 600));
  EXPECT_THAT(summed("Temperature", "total"), ElementsAre(45000.0, 135000.0));
  EXPECT_THAT(summed("Bottles", "start"), ElementsAre(0, 600));
  EXPECT_THAT(summed("Bottles", "end"), ElementsAre(599, 1199));
  EXPECT_THAT(summed("Bottles", "delta"), ElementsAre(599.0, 599.0));
  EXPECT_THAT(summed("Temperature", "interpolative"), ElementsAre(0.0, 150.0));
  EXPECT_NEAR(summed("Bottles", "standardDeviation").at(0).as<double>(), 173.349, 0.001);
  EXPECT_THAT(summed("State", "durationGood"), ElementsAre(600000.0, 600000.0));
  EXPECT_THAT(summed("State", "percentGood"), ElementsAre(100.0, 100.0));
}

TEST_F(PlantHistory, IntervalsComeInPages) {
  connect();
  const auto all = records(
      "Bottles",
      R"(,"mode":"processed","aggregate":"maximum","intervalMs":1000,"from":"2026-11-26T10:00:00Z","to":"2026-11-26T10:25:00.5Z")");
  ASSERT_EQ(all.size(), 1501U);
  for (std::size_t i = 0; i < all.size(); ++i)
    ASSERT_EQ(all[i].at("value"), Json(static_cast<std::int64_t>(i))) << i;
}

TEST_F(PlantHistory, ValuesAtTimesAreBetweenTheRecordedOnes) {
  connect();
  const auto at = [&](std::string_view name) {
    return records(
        name,
        R"(,"mode":"atTime","times":["2026-11-26T10:00:02Z","2026-11-26T10:00:02.5Z","2026-11-26T09:00:00Z","2026-11-26T12:00:00Z"])");
  };
  const auto temperature = at("Temperature");
  ASSERT_EQ(temperature.size(), 4U);
  EXPECT_EQ(temperature[0].at("value"), Json(0.5));
  EXPECT_EQ(temperature[1].at("value"), Json(0.625));
  EXPECT_EQ(get_string(temperature[2], "code"), "BadNoData");
  EXPECT_EQ(get_string(temperature[3], "code"), "UncertainDataSubNormal");
  EXPECT_EQ(at("Bottles")[1].at("value"), Json(2)) << "whole bottles";
}

TEST_F(PlantHistory, WhatIsShownIsRecordedOnceASecond) {
  connect();
  plant_->show({.temperature = 70});
  plant_->show({.temperature = 80});
  const auto now = records("Temperature", R"(,"lookBackMs":60000)");
  ASSERT_EQ(now.size(), 1U);
  EXPECT_EQ(now[0].at("value"), Json(70.0));
}

TEST_F(PlantHistory, WhatHasNoHistorySaysSo) {
  connect();
  const auto refused = call("opcua.history", R"({"nodes":[{"name":"time","nodeId":"i=2258"}]})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "bad_history_operation_unsupported");
}

TEST_F(PlantHistory, TheAddressSpaceSaysWhatCanBeRead) {
  connect();
  const auto below = [&](std::string_view node, std::string_view references) {
    const auto batch =
        call("opcua.browse",
             fmt::format(R"({{"nodeId":"{}","references":"{}","depth":2}})", node, references));
    std::map<std::string, std::string> ids;
    for (const Record& each : batch.value().records())
      ids.emplace(get_string(each, "name"), get_string(each, "nodeId"));
    return ids;
  };
  EXPECT_EQ(below("i=2997", "organizes").size(), 14U);
  EXPECT_EQ(below("i=11201", "organizes").size(), 14U);
  const auto stepped = [&](std::string_view name) {
    const auto ids =
        below(fmt::format("nsu={};s=Filler.{}", simulator::kPlantNamespace, name), "all");
    return values(call("opcua.read", fmt::format(R"({{"nodes":[{{"name":"it","nodeId":"{}"}}]}})",
                                                 ids.at("Stepped"))));
  };
  EXPECT_EQ(stepped("Bottles"), json(R"({"it":true})"));
  EXPECT_EQ(stepped("Speed"), json(R"({"it":false})"));
}

// The library's own client, for requests that this connector never makes.
class BareClient {
 public:
  explicit BareClient(const std::string& url) {
    UA_ClientConfig* const config = UA_Client_getConfig(client_);
    UA_ClientConfig_setDefault(config);
    config->logging->log = [](void*, UA_LogLevel, UA_LogCategory, const char*, va_list) {};
    EXPECT_EQ(UA_Client_connect(client_, url.c_str()), UA_STATUSCODE_GOOD);
  }
  ~BareClient() { UA_Client_delete(client_); }
  BareClient(const BareClient&) = delete;
  BareClient& operator=(const BareClient&) = delete;

  // What is answered of the speed: by the service, or else of the node.
  template <typename T>
  UA_StatusCode ask(T details, UA_TimestampsToReturn stamps, std::string_view continuation = "") {
    constexpr bool raw = std::is_same_v<T, UA_ReadRawModifiedDetails>;
    constexpr int type = raw ? UA_TYPES_READRAWMODIFIEDDETAILS : UA_TYPES_READPROCESSEDDETAILS;
    UA_HistoryReadValueId node;
    UA_HistoryReadValueId_init(&node);
    node.nodeId.namespaceIndex = 2;
    node.nodeId.identifierType = UA_NODEIDTYPE_STRING;
    node.nodeId.identifier.string = borrow("Filler.Speed");
    node.continuationPoint = borrow(continuation);
    UA_HistoryReadRequest request;
    UA_HistoryReadRequest_init(&request);
    UA_ExtensionObject_setValueNoDelete(&request.historyReadDetails, &details, &UA_TYPES[type]);
    request.timestampsToReturn = stamps;
    request.nodesToRead = &node;
    request.nodesToReadSize = 1;
    UA_HistoryReadResponse response = UA_Client_Service_historyRead(client_, request);
    UA_StatusCode status = response.responseHeader.serviceResult;
    if (status == UA_STATUSCODE_GOOD) status = response.results[0].statusCode;
    UA_HistoryReadResponse_clear(&response);
    return status;
  }

 private:
  UA_Client* client_ = UA_Client_new();
};

TEST_F(PlantHistory, WhatIsWronglyAskedForIsRefusedByItsName) {
  BareClient client(plant_->url());
  constexpr auto kBoth = UA_TIMESTAMPSTORETURN_BOTH;
  const UA_DateTime begin = from_utc(parse_utc("2026-11-26T10:00:00Z").value());
  UA_ReadRawModifiedDetails raw{};
  EXPECT_EQ(client.ask(raw, kBoth), UA_STATUSCODE_BADHISTORYOPERATIONINVALID);
  raw.startTime = begin;
  raw.numValuesPerNode = 1;
  EXPECT_EQ(client.ask(raw, UA_TIMESTAMPSTORETURN_SOURCE), UA_STATUSCODE_GOOD);
  EXPECT_EQ(client.ask(raw, UA_TIMESTAMPSTORETURN_NEITHER),
            UA_STATUSCODE_BADTIMESTAMPSTORETURNINVALID);
  EXPECT_EQ(client.ask(raw, kBoth, "no place"), UA_STATUSCODE_BADCONTINUATIONPOINTINVALID);
  UA_ReadProcessedDetails processed{};
  processed.startTime = begin;
  processed.endTime = begin + UA_DATETIME_SEC * 60;
  EXPECT_EQ(client.ask(processed, kBoth), UA_STATUSCODE_BADAGGREGATELISTMISMATCH);
  UA_NodeId average = UA_NODEID_NUMERIC(0, UA_NS0ID_AGGREGATEFUNCTION_AVERAGE);
  UA_NodeId unknown = UA_NODEID_NUMERIC(0, UA_NS0ID_AGGREGATEFUNCTION_MINIMUMACTUALTIME);
  processed.aggregateTypeSize = 1;
  processed.aggregateType = &unknown;
  processed.aggregateConfiguration.useServerCapabilitiesDefaults = true;
  EXPECT_EQ(client.ask(processed, kBoth), UA_STATUSCODE_BADAGGREGATENOTSUPPORTED);
  processed.aggregateType = &average;
  EXPECT_EQ(client.ask(processed, kBoth), UA_STATUSCODE_GOOD);
  const simulator::Cursor beyond{.next = begin - 1, .finish = processed.endTime};
  EXPECT_EQ(client.ask(processed, kBoth, beyond.text()), UA_STATUSCODE_BADCONTINUATIONPOINTINVALID);
  processed.processingInterval = -1;
  EXPECT_EQ(client.ask(processed, kBoth), UA_STATUSCODE_BADINVALIDARGUMENT);
  processed.processingInterval = 0;
  processed.aggregateConfiguration.useServerCapabilitiesDefaults = false;
  processed.aggregateConfiguration.useSlopedExtrapolation = true;
  EXPECT_EQ(client.ask(processed, kBoth), UA_STATUSCODE_BADAGGREGATECONFIGURATIONREJECTED);
}

TEST_F(PlantHistory, NodeOpcuaReadsTheSame) {
  test::Process client({"node", kClient, (folder_.path() / "client").string(), plant_->url(),
                        "history", "ns=2;s=Filler.Temperature", "2026-11-26T10:00:00Z",
                        "2026-11-26T10:40:00Z", "600000", "2026-11-26T10:00:02.500Z",
                        "2026-11-26T09:00:00.000Z"});
  ASSERT_EQ(client.wait(60s), 0) << client.output();
  EXPECT_EQ(client.wait_for_line("pages "), "3");
  const Json raw = json(client.wait_for_line("raw "));
  ASSERT_EQ(raw.size(), 2400U);
  for (std::size_t i = 0; i < raw.size(); ++i)
    ASSERT_EQ(raw[i][1].as<double>(), static_cast<double>(i) / 4) << i;
  EXPECT_EQ(raw[61][0], Json("2026-11-26T10:01:01.000Z"));
  EXPECT_EQ(
      json(client.wait_for_line("newest ")),
      json(R"([["2026-11-26T10:40:00.000Z",600,"Good"],["2026-11-26T10:39:59.000Z",599.75,"Good"],
                     ["2026-11-26T10:39:58.000Z",599.5,"Good"]])"));
  const Json averages = json(client.wait_for_line("averages "));
  ASSERT_EQ(averages.size(), 4U);
  EXPECT_EQ(averages[3][1].as<double>(), 524.875);
  EXPECT_EQ(averages[3][0], Json("2026-11-26T10:30:00.000Z"));
  const Json at_time = json(client.wait_for_line("atTime "));
  EXPECT_EQ(at_time[0][1].as<double>(), 0.625);
  EXPECT_EQ(at_time[1][1], Json::null());
  EXPECT_EQ(at_time[1][2], Json("BadNoData"));
}

}  // namespace
}  // namespace tributary::connectors::opcua
