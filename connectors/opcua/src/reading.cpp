#include "connectors/opcua/src/reading.hpp"

#include <open62541/nodeids.h>

#include "connectors/opcua/src/definitions.hpp"
#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/types.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::string_view kReading = "reading";

Sample bad_sample(std::uint32_t point, Error error) {
  Sample sample;
  sample.point = point;
  sample.quality = kBadConfigurationError;
  sample.error = std::make_shared<const Error>(std::move(error));
  return sample;
}

}  // namespace

Task<Result<std::vector<Owned<UA_DataValue>>>> read_attributes(Shared state,
                                                               std::vector<Wanted> wanted,
                                                               double max_age_ms,
                                                               SteadyTime deadline) {
  std::vector<Owned<UA_DataValue>> answers;
  answers.reserve(wanted.size());
  while (answers.size() < wanted.size()) {
    const std::size_t begin = answers.size();
    const std::size_t count = part_of(wanted.size(), begin, state->limits.read);
    Owned<UA_ReadRequest> request;
    request->maxAge = max_age_ms;
    request->timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
    request->nodesToRead = new_array<UA_ReadValueId>(count, UA_TYPES[UA_TYPES_READVALUEID]);
    request->nodesToReadSize = count;
    for (std::size_t i = 0; i < count; ++i) {
      UA_NodeId_copy(&wanted[begin + i].id, &request->nodesToRead[i].nodeId);
      request->nodesToRead[i].attributeId = wanted[begin + i].attribute;
    }
    auto response = co_await Client::ask<UA_ReadResponse>(state->client, std::move(request),
                                                          kReading, deadline);
    if (!response) co_return fail(std::move(response.error()));
    if ((*response)->resultsSize != count) {
      co_return fail(ErrorClass::kTransient, "protocol_error",
                     "The server answered another number of values than were asked for");
    }
    for (std::size_t i = 0; i < count; ++i) {
      Owned<UA_DataValue> value;
      std::swap(*value, (*response)->results[i]);
      answers.push_back(std::move(value));
    }
  }
  co_return answers;
}

Task<Result<Batch>> read_nodes(Shared state, const ReadOperation& operation, SteadyTime deadline) {
  const Nodes& nodes = operation.nodes;
  Scan scan;
  scan.points = nodes.names;
  std::vector<Owned<UA_NodeId>> ids;
  std::vector<std::uint32_t> points;
  std::vector<Wanted> wanted;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    auto id = resolve(*nodes.ids[i], state->namespaces);
    if (!id) {
      scan.samples.push_back(bad_sample(i, std::move(id.error())));
      continue;
    }
    wanted.push_back({**id, UA_ATTRIBUTEID_VALUE});
    ids.push_back(*std::move(id));
    points.push_back(i);
  }
  const auto named = co_await learn_enumerations(state, nodes.ids, deadline);
  if (!named) co_return fail(named.error());
  const auto answers = co_await read_attributes(
      state, std::move(wanted), static_cast<double>(operation.max_age_ms), deadline);
  if (!answers) co_return fail(answers.error());
  scan.receive_time = state->context.clock.utc_now();
  const std::size_t refused = scan.samples.size();
  for (int round = 0;; ++round) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      const NodeName& node = *nodes.ids[points[i]];
      scan.samples.push_back(to_sample(points[i], *(*answers)[i], state->values(), "Reading", node,
                                       enumeration_of(*state, node)));
    }
    if (!state->catalog.has_missed() || round == kMostRounds) break;
    const auto learned = co_await learn_missed(state, deadline);
    if (!learned) co_return fail(learned.error());
    scan.samples.resize(refused);
  }
  co_return Batch::of(std::move(scan));
}

Task<Result<void>> read_namespaces(Shared state, SteadyTime deadline) {
  std::vector<Wanted> wanted;
  wanted.push_back({UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_NAMESPACEARRAY), UA_ATTRIBUTEID_VALUE});
  const auto answers = co_await read_attributes(state, std::move(wanted), 0, deadline);
  if (!answers) co_return fail(answers.error());
  const UA_Variant& list = answers->front()->value;
  if (!UA_Variant_hasArrayType(&list, &UA_TYPES[UA_TYPES_STRING])) co_return Result<void>{};
  state->namespaces.clear();
  for (std::size_t i = 0; i < list.arrayLength; ++i)
    state->namespaces.push_back(to_std(static_cast<const UA_String*>(list.data)[i]));
  co_return Result<void>{};
}

}  // namespace tributary::connectors::opcua
