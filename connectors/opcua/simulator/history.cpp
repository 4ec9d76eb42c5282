#include "connectors/opcua/simulator/history.hpp"

#include <open62541/server.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace tributary::connectors::opcua::simulator {
namespace {

constexpr std::size_t kMostValues = 14'400;  // of a node: four hours, one a second
constexpr std::size_t kPage = 1000;          // values or intervals of a node in one answer
constexpr std::size_t kMostTimes = 10'000;   // that are asked for at once

struct NamedAggregate {
  std::uint32_t id;
  Aggregate what;
  const UA_DataType* type;  // of the result; null: the variable's own
};
constexpr auto kAggregates = std::to_array<NamedAggregate>({
    {UA_NS0ID_AGGREGATEFUNCTION_AVERAGE, Aggregate::kAverage, &UA_TYPES[UA_TYPES_DOUBLE]},
    {UA_NS0ID_AGGREGATEFUNCTION_TIMEAVERAGE, Aggregate::kTimeAverage, &UA_TYPES[UA_TYPES_DOUBLE]},
    {UA_NS0ID_AGGREGATEFUNCTION_MINIMUM, Aggregate::kMinimum, nullptr},
    {UA_NS0ID_AGGREGATEFUNCTION_MAXIMUM, Aggregate::kMaximum, nullptr},
    {UA_NS0ID_AGGREGATEFUNCTION_RANGE, Aggregate::kRange, nullptr},
    {UA_NS0ID_AGGREGATEFUNCTION_COUNT, Aggregate::kCount, &UA_TYPES[UA_TYPES_INT32]},
    {UA_NS0ID_AGGREGATEFUNCTION_TOTAL, Aggregate::kTotal, &UA_TYPES[UA_TYPES_DOUBLE]},
    {UA_NS0ID_AGGREGATEFUNCTION_START, Aggregate::kStart, nullptr},
    {UA_NS0ID_AGGREGATEFUNCTION_END, Aggregate::kEnd, nullptr},
    {UA_NS0ID_AGGREGATEFUNCTION_DELTA, Aggregate::kDelta, &UA_TYPES[UA_TYPES_DOUBLE]},
    {UA_NS0ID_AGGREGATEFUNCTION_INTERPOLATIVE, Aggregate::kInterpolative, nullptr},
    {UA_NS0ID_AGGREGATEFUNCTION_STANDARDDEVIATIONSAMPLE, Aggregate::kStandardDeviation,
     &UA_TYPES[UA_TYPES_DOUBLE]},
    {UA_NS0ID_AGGREGATEFUNCTION_DURATIONGOOD, Aggregate::kDurationGood, &UA_TYPES[UA_TYPES_DOUBLE]},
    {UA_NS0ID_AGGREGATEFUNCTION_PERCENTGOOD, Aggregate::kPercentGood, &UA_TYPES[UA_TYPES_DOUBLE]},
});

const NamedAggregate* find_aggregate(const UA_NodeId& id) {
  if (id.namespaceIndex != 0 || id.identifierType != UA_NODEIDTYPE_NUMERIC) return nullptr;
  const auto found = std::ranges::find(kAggregates, id.identifier.numeric, &NamedAggregate::id);
  return found == kAggregates.end() ? nullptr : &*found;
}

bool is_time(UA_DateTime time) {
  constexpr UA_DateTime kLast = UA_DATETIME_SEC * 86'400LL * 366 * 8400;  // about the year 10000
  return time > 0 && time < kLast;
}

template <typename T>
void set_number(UA_Variant& variant, double value, const UA_DataType& type) {
  const T number = static_cast<T>(value);
  UA_Variant_setScalarCopy(&variant, &number, &type);
}

void set_value(UA_Variant& variant, double value, const UA_DataType& type) {
  switch (type.typeKind) {
    case UA_DATATYPEKIND_UINT16:
      return set_number<UA_UInt16>(variant, value, type);
    case UA_DATATYPEKIND_INT32:
      return set_number<UA_Int32>(variant, value, type);
    case UA_DATATYPEKIND_UINT32:
      return set_number<UA_UInt32>(variant, value, type);
    default:
      return set_number<UA_Double>(variant, value, UA_TYPES[UA_TYPES_DOUBLE]);
  }
}

void write_out(const std::vector<RecordedValue>& values, const UA_DataType& type,
               UA_TimestampsToReturn stamps, UA_HistoryData& data) {
  data.dataValues = new_array<UA_DataValue>(values.size(), UA_TYPES[UA_TYPES_DATAVALUE]);
  data.dataValuesSize = values.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    UA_DataValue& out = data.dataValues[i];
    out.hasValue = values[i].value.has_value();
    if (out.hasValue) set_value(out.value, *values[i].value, type);
    out.hasStatus = true;
    out.status = values[i].status;
    out.hasSourceTimestamp = stamps != UA_TIMESTAMPSTORETURN_SERVER;
    out.hasServerTimestamp = stamps != UA_TIMESTAMPSTORETURN_SOURCE;
    out.sourceTimestamp = out.serverTimestamp = values[i].time;
  }
}

UA_NodeId numeric(std::uint32_t id) {
  return UA_NODEID_NUMERIC(0, id);
}

}  // namespace

void PlantHistory::configure(UA_ServerConfig& config) {
  config.historizingEnabled = true;
  config.accessHistoryDataCapability = true;
  config.maxReturnDataValues = kPage;
  UA_HistoryDatabase& database = config.historyDatabase;
  database.context = this;
  database.readRaw = [](UA_Server*, void* self, const UA_NodeId*, void*, const UA_RequestHeader*,
                        const UA_ReadRawModifiedDetails* how, UA_TimestampsToReturn stamps,
                        UA_Boolean release, size_t count, const UA_HistoryReadValueId* nodes,
                        UA_HistoryReadResponse* response, UA_HistoryData* const* const data) {
    if (release) return;
    static_cast<PlantHistory*>(self)->answer(
        *response, {nodes, count}, data, stamps,
        [how](const Track& track, Wanted& wanted, std::size_t) { read_raw(track, wanted, *how); });
  };
  database.readProcessed = [](UA_Server*, void* self, const UA_NodeId*, void*,
                              const UA_RequestHeader*, const UA_ReadProcessedDetails* how,
                              UA_TimestampsToReturn stamps, UA_Boolean release, size_t count,
                              const UA_HistoryReadValueId* nodes, UA_HistoryReadResponse* response,
                              UA_HistoryData* const* const data) {
    if (release) return;
    if (how->aggregateTypeSize != count) {
      response->responseHeader.serviceResult = UA_STATUSCODE_BADAGGREGATELISTMISMATCH;
      return;
    }
    static_cast<PlantHistory*>(self)->answer(
        *response, {nodes, count}, data, stamps,
        [how](const Track& track, Wanted& wanted, std::size_t i) {
          read_processed(track, wanted, *how, how->aggregateType[i]);
        });
  };
  database.readAtTime = [](UA_Server*, void* self, const UA_NodeId*, void*, const UA_RequestHeader*,
                           const UA_ReadAtTimeDetails* how, UA_TimestampsToReturn stamps,
                           UA_Boolean release, size_t count, const UA_HistoryReadValueId* nodes,
                           UA_HistoryReadResponse* response, UA_HistoryData* const* const data) {
    if (release) return;
    if (how->reqTimesSize > kMostTimes) {
      response->responseHeader.serviceResult = UA_STATUSCODE_BADTOOMANYOPERATIONS;
      return;
    }
    static_cast<PlantHistory*>(self)->answer(
        *response, {nodes, count}, data, stamps,
        [how](const Track& track, Wanted& wanted, std::size_t) {
          read_at_time(track, wanted, *how);
        });
  };
}

void PlantHistory::add_nodes(UA_Server* server) {
  for (const std::uint32_t folder : {UA_NS0ID_SERVER_SERVERCAPABILITIES_AGGREGATEFUNCTIONS,
                                     UA_NS0ID_HISTORYSERVERCAPABILITIES_AGGREGATEFUNCTIONS}) {
    for (const NamedAggregate& each : kAggregates) {
      UA_Server_addReference(server, numeric(folder), numeric(UA_NS0ID_ORGANIZES),
                             {numeric(each.id), UA_STRING_NULL, 0}, true);
    }
  }
}

void PlantHistory::keep(UA_Server* server, const UA_NodeId& node, const UA_DataType& type) {
  const bool stepped = type.typeKind != UA_DATATYPEKIND_DOUBLE;
  tracks_.emplace(to_std(node.identifier.string), Track{Recording(stepped, kMostValues), &type});
  UA_Byte access = 0;
  UA_Server_readAccessLevel(server, node, &access);
  UA_Server_writeAccessLevel(server, node, access | UA_ACCESSLEVELMASK_HISTORYREAD);
  UA_Server_writeHistorizing(server, node, true);
  // How clients know which way values are interpolated (OPC 10000-11, 5.2.2).
  UA_ObjectAttributes attributes = UA_ObjectAttributes_default;
  attributes.displayName = {UA_STRING_NULL, borrow("HA Configuration")};
  Owned<UA_NodeId> configuration;
  UA_Server_addObjectNode(
      server, UA_NODEID_NUMERIC(node.namespaceIndex, 0), node,
      numeric(UA_NS0ID_HASHISTORICALCONFIGURATION), {0, borrow("HA Configuration")},
      numeric(UA_NS0ID_HISTORICALDATACONFIGURATIONTYPE), attributes, nullptr, &*configuration);
  UA_Boolean steps = stepped;
  UA_Server_writeObjectProperty_scalar(server, *configuration, {0, borrow("Stepped")}, &steps,
                                       &UA_TYPES[UA_TYPES_BOOLEAN]);
}

void PlantHistory::add(std::string_view node, UA_DateTime time, double value) {
  const std::lock_guard lock(mutex_);
  tracks_.find(node)->second.recording.add(time, value);
}

const PlantHistory::Track* PlantHistory::find(const UA_NodeId& node) const {
  if (node.identifierType != UA_NODEIDTYPE_STRING) return nullptr;
  const auto found = tracks_.find(view(node.identifier.string));
  return found == tracks_.end() ? nullptr : &found->second;
}

template <typename Read>
void PlantHistory::answer(UA_HistoryReadResponse& response,
                          std::span<const UA_HistoryReadValueId> nodes, UA_HistoryData* const* data,
                          UA_TimestampsToReturn stamps, Read read) {
  if (stamps >= UA_TIMESTAMPSTORETURN_NEITHER) {
    response.responseHeader.serviceResult = UA_STATUSCODE_BADTIMESTAMPSTORETURNINVALID;
    return;
  }
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    UA_HistoryReadResult& result = response.results[i];
    if (const Track* const track = find(nodes[i].nodeId)) {
      Wanted wanted{nodes[i], result, *data[i], stamps};
      read(*track, wanted, i);
    } else {
      result.statusCode = UA_STATUSCODE_BADHISTORYOPERATIONUNSUPPORTED;
    }
  }
}

void PlantHistory::read_raw(const Track& track, Wanted& wanted,
                            const UA_ReadRawModifiedDetails& how) {
  const bool goes_on = wanted.node.continuationPoint.length > 0;
  const auto cursor = goes_on ? Cursor::parse(view(wanted.node.continuationPoint))
                              : track.recording.begin({how.startTime, how.endTime,
                                                       how.numValuesPerNode, how.returnBounds});
  if (!cursor) {
    wanted.result.statusCode = goes_on ? UA_STATUSCODE_BADCONTINUATIONPOINTINVALID
                                       : UA_STATUSCODE_BADHISTORYOPERATIONINVALID;
    return;
  }
  const std::size_t most =
      how.numValuesPerNode == 0 ? kPage : std::min<std::size_t>(how.numValuesPerNode, kPage);
  const Page page = track.recording.read(*cursor, most);
  if (page.rest) wanted.result.continuationPoint = copy_of(page.rest->text());
  if (page.values.empty()) wanted.result.statusCode = UA_STATUSCODE_GOODNODATA;
  write_out(page.values, *track.type, wanted.stamps, wanted.data);
}

void PlantHistory::read_processed(const Track& track, Wanted& wanted,
                                  const UA_ReadProcessedDetails& how, const UA_NodeId& aggregate) {
  const NamedAggregate* const named = find_aggregate(aggregate);
  const UA_AggregateConfiguration& rules = how.aggregateConfiguration;
  UA_StatusCode& status = wanted.result.statusCode;
  if (named == nullptr) status = UA_STATUSCODE_BADAGGREGATENOTSUPPORTED;
  if (!rules.useServerCapabilitiesDefaults && rules.useSlopedExtrapolation)
    status = UA_STATUSCODE_BADAGGREGATECONFIGURATIONREJECTED;
  if (!is_time(how.startTime) || !is_time(how.endTime) || how.startTime == how.endTime ||
      !(how.processingInterval >= 0))
    status = UA_STATUSCODE_BADINVALIDARGUMENT;
  const auto [oldest, newest] = std::minmax(how.startTime, how.endTime);
  auto cursor = Cursor{.next = how.startTime, .finish = how.endTime};
  if (const auto& point = wanted.node.continuationPoint; point.length > 0) {
    const auto said = Cursor::parse(view(point));
    cursor = said.value_or(cursor);
    if (!said || cursor.finish != how.endTime || cursor.next < oldest || cursor.next > newest)
      status = UA_STATUSCODE_BADCONTINUATIONPOINTINVALID;
  }
  if (status != UA_STATUSCODE_GOOD) return;
  // Nothing is shorter than a tick of the clock, or longer than the whole.
  const double ticks = how.processingInterval * static_cast<double>(UA_DATETIME_MSEC);
  const bool one = ticks == 0 || ticks > static_cast<double>(newest - oldest);
  const UA_DateTime step =
      one ? newest - oldest : std::max<UA_DateTime>(static_cast<UA_DateTime>(ticks), 1);
  std::vector<RecordedValue> values;
  while (cursor.next != cursor.finish && values.size() < kPage) {
    const UA_DateTime left = cursor.finish - cursor.next;
    const UA_DateTime end = cursor.next + std::clamp(left, -step, step);
    values.push_back(track.recording.aggregate(named->what, cursor.next, end));
    cursor.next = end;
  }
  if (cursor.next != cursor.finish) wanted.result.continuationPoint = copy_of(cursor.text());
  write_out(values, named->type == nullptr ? *track.type : *named->type, wanted.stamps,
            wanted.data);
}

void PlantHistory::read_at_time(const Track& track, Wanted& wanted,
                                const UA_ReadAtTimeDetails& how) {
  std::vector<RecordedValue> values;
  for (const UA_DateTime time : std::span(how.reqTimes, how.reqTimesSize))
    values.push_back(track.recording.at(time));
  write_out(values, *track.type, wanted.stamps, wanted.data);
}

}  // namespace tributary::connectors::opcua::simulator
