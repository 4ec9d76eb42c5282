#include "connectors/opcua/src/history.hpp"

#include <open62541/nodeids.h>

#include <algorithm>
#include <cmath>

#include "connectors/opcua/src/definitions.hpp"
#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/types.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::string_view kReadingHistory = "reading history";

using Response = Owned<UA_HistoryReadResponse>;

std::uint32_t aggregate_id(HistorySettings::Aggregate aggregate) {
  switch (aggregate) {
    case HistorySettings::Aggregate::kTimeAverage:
      return UA_NS0ID_AGGREGATEFUNCTION_TIMEAVERAGE;
    case HistorySettings::Aggregate::kMinimum:
      return UA_NS0ID_AGGREGATEFUNCTION_MINIMUM;
    case HistorySettings::Aggregate::kMaximum:
      return UA_NS0ID_AGGREGATEFUNCTION_MAXIMUM;
    case HistorySettings::Aggregate::kRange:
      return UA_NS0ID_AGGREGATEFUNCTION_RANGE;
    case HistorySettings::Aggregate::kCount:
      return UA_NS0ID_AGGREGATEFUNCTION_COUNT;
    case HistorySettings::Aggregate::kTotal:
      return UA_NS0ID_AGGREGATEFUNCTION_TOTAL;
    case HistorySettings::Aggregate::kStart:
      return UA_NS0ID_AGGREGATEFUNCTION_START;
    case HistorySettings::Aggregate::kEnd:
      return UA_NS0ID_AGGREGATEFUNCTION_END;
    case HistorySettings::Aggregate::kDelta:
      return UA_NS0ID_AGGREGATEFUNCTION_DELTA;
    case HistorySettings::Aggregate::kInterpolative:
      return UA_NS0ID_AGGREGATEFUNCTION_INTERPOLATIVE;
    case HistorySettings::Aggregate::kStandardDeviation:
      return UA_NS0ID_AGGREGATEFUNCTION_STANDARDDEVIATIONSAMPLE;
    case HistorySettings::Aggregate::kDurationGood:
      return UA_NS0ID_AGGREGATEFUNCTION_DURATIONGOOD;
    case HistorySettings::Aggregate::kPercentGood:
      return UA_NS0ID_AGGREGATEFUNCTION_PERCENTGOOD;
    default:
      return UA_NS0ID_AGGREGATEFUNCTION_AVERAGE;
  }
}

// From the older to the newer.
struct Period {
  UA_DateTime from = 0;
  UA_DateTime to = 0;
};

Period period_of(const HistorySettings& settings, UtcTime now) {
  const auto time = [](const std::optional<std::string>& text) -> std::optional<UA_DateTime> {
    const auto parsed = parse_utc(text.value_or(""));
    return parsed ? std::optional(from_utc(*parsed)) : std::nullopt;
  };
  Period period;
  period.to = time(settings.to).value_or(from_utc(now));
  period.from = time(settings.from).value_or(period.to - settings.look_back_ms * UA_DATETIME_MSEC);
  return period;
}

struct Reading {
  const HistoryOperation& operation;
  Period period;
};

void set_raw(UA_ExtensionObject& details, const Reading& reading, std::size_t wanted) {
  auto* raw = UA_ReadRawModifiedDetails_new();
  const bool newest_first =
      reading.operation.settings.order == HistorySettings::Order::kNewestFirst;
  raw->startTime = newest_first ? reading.period.to : reading.period.from;
  raw->endTime = newest_first ? reading.period.from : reading.period.to;
  raw->numValuesPerNode = static_cast<UA_UInt32>(std::min(wanted, kHistoryPage));
  UA_ExtensionObject_setValue(&details, raw, &UA_TYPES[UA_TYPES_READRAWMODIFIEDDETAILS]);
}

void set_processed(UA_ExtensionObject& details, const Reading& reading, std::size_t nodes) {
  const HistorySettings& settings = reading.operation.settings;
  auto* processed = UA_ReadProcessedDetails_new();
  processed->startTime = reading.period.from;
  processed->endTime = reading.period.to;
  processed->processingInterval = settings.interval_ms;
  processed->aggregateConfiguration.useServerCapabilitiesDefaults = true;
  processed->aggregateType = new_array<UA_NodeId>(nodes, UA_TYPES[UA_TYPES_NODEID]);
  processed->aggregateTypeSize = nodes;
  for (std::size_t i = 0; i < nodes; ++i)
    processed->aggregateType[i] = UA_NODEID_NUMERIC(0, aggregate_id(settings.aggregate));
  UA_ExtensionObject_setValue(&details, processed, &UA_TYPES[UA_TYPES_READPROCESSEDDETAILS]);
}

void set_at_time(UA_ExtensionObject& details, const Reading& reading) {
  const auto& times = reading.operation.times;
  auto* at_time = UA_ReadAtTimeDetails_new();
  at_time->reqTimes = new_array<UA_DateTime>(times.size(), UA_TYPES[UA_TYPES_DATETIME]);
  at_time->reqTimesSize = times.size();
  std::ranges::copy(times, at_time->reqTimes);
  UA_ExtensionObject_setValue(&details, at_time, &UA_TYPES[UA_TYPES_READATTIMEDETAILS]);
}

// One node on its way.
struct Progress {
  std::uint32_t point = 0;
  Owned<UA_NodeId> id;
  std::string continuation;
  std::vector<Owned<UA_DataValue>> values;
  std::optional<Error> error;
  bool more = false;
  bool done = false;
};

Owned<UA_HistoryReadRequest> make_request(const Reading& reading,
                                          std::span<Progress* const> nodes) {
  Owned<UA_HistoryReadRequest> request;
  std::size_t wanted = 0;
  for (const Progress* node : nodes) {
    const auto most = static_cast<std::size_t>(reading.operation.settings.max_values);
    wanted = std::max(wanted, most - std::min(most, node->values.size()));
  }
  switch (reading.operation.settings.mode) {
    case HistorySettings::Mode::kProcessed:
      set_processed(request->historyReadDetails, reading, nodes.size());
      break;
    case HistorySettings::Mode::kAtTime:
      set_at_time(request->historyReadDetails, reading);
      break;
    default:
      set_raw(request->historyReadDetails, reading, wanted);
      break;
  }
  request->timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
  request->nodesToRead =
      new_array<UA_HistoryReadValueId>(nodes.size(), UA_TYPES[UA_TYPES_HISTORYREADVALUEID]);
  request->nodesToReadSize = nodes.size();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    UA_NodeId_copy(&*nodes[i]->id, &request->nodesToRead[i].nodeId);
    if (!nodes[i]->continuation.empty())
      request->nodesToRead[i].continuationPoint = copy_of(nodes[i]->continuation);
  }
  return request;
}

Error history_error(UA_StatusCode status, const Progress& node, const HistoryOperation& operation) {
  return node_error(status, "Reading the history", operation.nodes.ids[node.point]->text);
}

void take(Progress& node, UA_HistoryReadResult& result, const HistoryOperation& operation) {
  const auto most = static_cast<std::size_t>(operation.settings.max_values);
  node.continuation = to_std(result.continuationPoint);
  node.done = node.continuation.empty();
  if (Quality(result.statusCode).is_bad()) {
    node.error = history_error(result.statusCode, node, operation);
    node.done = true;
    return;
  }
  const UA_ExtensionObject& data = result.historyData;
  if (data.encoding < UA_EXTENSIONOBJECT_DECODED ||
      data.content.decoded.type != &UA_TYPES[UA_TYPES_HISTORYDATA])
    return;
  auto& list = *static_cast<UA_HistoryData*>(data.content.decoded.data);
  const std::size_t count = std::min(list.dataValuesSize, most - node.values.size());
  for (std::size_t i = 0; i < count; ++i) {
    Owned<UA_DataValue> value;
    std::swap(*value, list.dataValues[i]);
    node.values.push_back(std::move(value));
  }
  node.more = node.values.size() == most && (!node.done || count < list.dataValuesSize);
}

// The server forgets where the reader was. `full` outlives the call.
Task<Result<void>> release(Shared state, const Reading& reading, const std::vector<Progress*>& full,
                           SteadyTime deadline) {
  std::vector<Progress*> nodes;
  std::ranges::copy_if(full, std::back_inserter(nodes),
                       [](const Progress* node) { return !node->continuation.empty(); });
  if (nodes.empty()) co_return Result<void>{};
  auto request = make_request(reading, nodes);
  request->releaseContinuationPoints = true;
  const auto done = co_await Client::ask<UA_HistoryReadResponse>(state->client, std::move(request),
                                                                 kReadingHistory, deadline);
  if (!done && is_connection_error(done.error().error_class)) co_return fail(done.error());
  co_return Result<void>{};
}

// Reads some nodes to their ends. Errors: connection classes, and what the server says of the whole
// request.
Task<Result<void>> read_some(Shared state, const Reading& reading, std::vector<Progress*> nodes,
                             SteadyTime deadline) {
  const auto most = static_cast<std::size_t>(reading.operation.settings.max_values);
  std::vector<Progress*> alone;
  while (!nodes.empty()) {
    auto request = make_request(reading, nodes);
    auto response = co_await Client::ask<UA_HistoryReadResponse>(state->client, std::move(request),
                                                                 kReadingHistory, deadline);
    if (!response) co_return fail(std::move(response.error()));
    if ((*response)->resultsSize != nodes.size()) {
      co_return fail(ErrorClass::kTransient, "protocol_error",
                     "The server answered another number of histories than were asked for");
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      UA_HistoryReadResult& result = (*response)->results[i];
      // The server can keep its place in only so many histories at once: later there is room.
      if (result.statusCode == UA_STATUSCODE_BADNOCONTINUATIONPOINTS && nodes.size() > 1) {
        alone.push_back(nodes[i]);
        continue;
      }
      take(*nodes[i], result, reading.operation);
    }
    std::vector<Progress*> full;
    for (Progress* node : nodes) {
      if (!node->done && node->values.size() >= most) full.push_back(node);
    }
    const auto released = co_await release(state, reading, full, deadline);
    if (!released) co_return released;
    for (Progress* node : full) node->done = true;
    std::erase_if(nodes, [&alone](const Progress* node) {
      return node->done || std::ranges::find(alone, node) != alone.end();
    });
  }
  for (Progress* node : alone) {
    std::vector<Progress*> one{node};
    const auto read = co_await read_some(state, reading, std::move(one), deadline);
    if (!read) co_return read;
  }
  co_return Result<void>{};
}

void add_records(std::vector<Record>& records, const Progress& node, State& state,
                 const HistoryOperation& operation, UtcTime now) {
  Scan scan;
  scan.points = operation.nodes.names;
  scan.receive_time = now;
  const NodeName& name = *operation.nodes.ids[node.point];
  const auto finish = [&](const Sample& sample, const UA_DataValue* value) {
    Record record = to_json(scan, sample);
    record["nodeId"] = name.text;
    record.erase("receiveTime");
    if (!sample.quality.is_good()) record["code"] = status_name(sample.quality.status_code());
    record["sourceTime"] = value != nullptr && value->hasSourceTimestamp
                               ? Json(time_text(value->sourceTimestamp))
                               : Json::null();
    record["serverTime"] = value != nullptr && value->hasServerTimestamp
                               ? Json(time_text(value->serverTimestamp))
                               : Json::null();
    records.push_back(std::move(record));
  };
  for (const auto& value : node.values) {
    finish(to_sample(node.point, *value, state.values(), "Reading the history", name,
                     enumeration_of(state, name)),
           &*value);
  }
  if (node.more && !node.values.empty()) records.back()["more"] = true;
  if (!node.error) return;
  Sample sample;
  sample.point = node.point;
  sample.quality = kBad;
  sample.error = std::make_shared<const Error>(*node.error);
  finish(sample, nullptr);
}

}  // namespace

Task<Result<Batch>> read_history(Shared state, const HistoryOperation& operation,
                                 SteadyTime deadline) {
  const UtcTime now = state->context.clock.utc_now();
  const Reading reading{operation, period_of(operation.settings, now)};
  const auto named = co_await learn_enumerations(state, operation.nodes.ids, deadline);
  if (!named) co_return fail(named.error());
  std::vector<Progress> all(operation.nodes.size());
  std::vector<Progress*> asked;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    all[i].point = i;
    auto id = resolve(*operation.nodes.ids[i], state->namespaces);
    if (!id) {
      all[i].error = std::move(id.error());
      continue;
    }
    all[i].id = *std::move(id);
    asked.push_back(&all[i]);
  }
  const std::size_t together = std::min(state->limits.history, kHistoryNodes);
  for (std::size_t begin = 0; begin < asked.size(); begin += together) {
    const std::size_t count = part_of(asked.size(), begin, together);
    std::vector<Progress*> some(asked.begin() + static_cast<std::ptrdiff_t>(begin),
                                asked.begin() + static_cast<std::ptrdiff_t>(begin + count));
    const auto read = co_await read_some(state, reading, std::move(some), deadline);
    if (!read) co_return fail(read.error());
  }
  const bool refused = std::ranges::all_of(
      all, [](const Progress& node) { return node.error && node.values.empty(); });
  if (refused) co_return fail(*all.front().error);
  std::vector<Record> records;
  for (int round = 0;; ++round) {
    for (const Progress& node : all) add_records(records, node, *state, operation, now);
    if (!state->catalog.has_missed() || round == kMostRounds) break;
    const auto learned = co_await learn_missed(state, deadline);
    if (!learned) co_return fail(learned.error());
    records.clear();
  }
  co_return Batch::of(std::move(records));
}

}  // namespace tributary::connectors::opcua
