#include "connectors/opcua/src/types.hpp"

#include <open62541/nodeids.h>

#include "connectors/opcua/src/browsing.hpp"
#include "connectors/opcua/src/definitions.hpp"
#include "connectors/opcua/src/reading.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr int kDeepestInheritance = 16;
constexpr std::int32_t kScalar = -1;
constexpr std::int32_t kAnyRank = -2;
constexpr std::int32_t kScalarOrList = -3;

// The type that values of `id` have on the wire; null when `id` is not one of
// the standard's, or is abstract.
const UA_DataType* wire_type(const UA_NodeId& id) {
  const UA_DataType* type = UA_findDataType(&id);
  if (type == nullptr) {
    const UA_NodeId enumeration = UA_NODEID_NUMERIC(0, UA_NS0ID_ENUMERATION);
    return UA_NodeId_equal(&id, &enumeration) ? &UA_TYPES[UA_TYPES_INT32] : nullptr;
  }
  if (type->typeKind == UA_DATATYPEKIND_ENUM) return &UA_TYPES[UA_TYPES_INT32];
  if (type->typeKind >= UA_DATATYPEKIND_STRUCTURE) return &UA_TYPES[UA_TYPES_EXTENSIONOBJECT];
  // Aliases (UtcTime, Duration) have the kind of their base.
  if (type->typeKind < UA_DATATYPEKIND_VARIANT && type->typeKind != UA_DATATYPEKIND_EXTENSIONOBJECT)
    return &UA_TYPES[type->typeKind];
  return type->typeKind == UA_DATATYPEKIND_VARIANT ? nullptr : type;
}

// The types above the given ones, one for each; null ids where there is none.
Task<Result<std::vector<Owned<UA_NodeId>>>> supertypes(Shared state,
                                                       std::vector<Owned<UA_NodeId>> types,
                                                       SteadyTime deadline) {
  std::vector<Owned<UA_NodeId>> above;
  while (above.size() < types.size()) {
    const std::size_t begin = above.size();
    const std::size_t count = part_of(types.size(), begin, state->limits.browse);
    auto request = references_of(std::span(types).subspan(begin, count), UA_BROWSEDIRECTION_INVERSE,
                                 UA_NS0ID_HASSUBTYPE);
    const std::string_view what = "looking up a type";
    auto response =
        co_await Client::ask<UA_BrowseResponse>(state->client, std::move(request), what, deadline);
    if (!response) co_return fail(std::move(response.error()));
    for (std::size_t i = 0; i < count; ++i) {
      Owned<UA_NodeId> id;
      if (i < (*response)->resultsSize && (*response)->results[i].referencesSize > 0)
        UA_NodeId_copy(&(*response)->results[i].references[0].nodeId.nodeId, &*id);
      above.push_back(std::move(id));
    }
  }
  co_return above;
}

}  // namespace

bool takes_any(const UA_NodeId& type) {
  return type.namespaceIndex == 0 && type.identifierType == UA_NODEIDTYPE_NUMERIC &&
         (type.identifier.numeric == UA_NS0ID_BASEDATATYPE ||
          type.identifier.numeric == UA_NS0ID_NUMBER ||
          type.identifier.numeric == UA_NS0ID_INTEGER ||
          type.identifier.numeric == UA_NS0ID_UINTEGER);
}

void set_rank(TargetType& target, std::int32_t rank) {
  target.scalar = rank == kScalar || rank == kAnyRank || rank == kScalarOrList;
  target.array = rank != kScalar;
}

void set_type(TargetType& target, const DataType& type) {
  target.type = type.wire;
  target.structure = type.abstract ? nullptr : type.structure;
  target.enumeration = type.enumeration;
}

Task<Result<std::vector<const UA_DataType*>>> wire_types(Shared state,
                                                         std::vector<Owned<UA_NodeId>> types,
                                                         SteadyTime deadline) {
  std::vector<const UA_DataType*> found(types.size(), nullptr);
  std::vector<std::size_t> places(types.size());
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  for (int level = 0; level < kDeepestInheritance; ++level) {
    std::vector<Owned<UA_NodeId>> left;
    std::vector<std::size_t> left_places;
    for (std::size_t i = 0; i < types.size(); ++i) {
      found[places[i]] = wire_type(*types[i]);
      if (found[places[i]] != nullptr || takes_any(*types[i]) || UA_NodeId_isNull(&*types[i]))
        continue;
      left.push_back(std::move(types[i]));
      left_places.push_back(places[i]);
    }
    if (left.empty()) break;
    auto above = co_await supertypes(state, std::move(left), deadline);
    if (!above) co_return fail(std::move(above.error()));
    types = *std::move(above);
    places = std::move(left_places);
  }
  co_return found;
}

Task<Result<void>> learn_types(Shared state, std::vector<SharedNodeName> nodes,
                               SteadyTime deadline) {
  std::vector<Owned<UA_NodeId>> ids;
  std::vector<std::string> texts;
  std::vector<Wanted> wanted;
  for (const auto& node : nodes) {
    if (state->types.contains(node->text)) continue;
    auto id = resolve(*node, state->namespaces);
    if (!id) continue;
    wanted.push_back({**id, UA_ATTRIBUTEID_DATATYPE});
    wanted.push_back({**id, UA_ATTRIBUTEID_VALUERANK});
    ids.push_back(*std::move(id));
    texts.push_back(node->text);
  }
  if (wanted.empty()) co_return Result<void>{};
  const auto answers = co_await read_attributes(state, std::move(wanted), 0, deadline);
  if (!answers) co_return fail(answers.error());
  std::vector<Owned<UA_NodeId>> types;
  std::vector<std::pair<std::string, TargetType>> targets;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const UA_Variant& type = (*answers)[2 * i]->value;
    const UA_Variant& rank = (*answers)[2 * i + 1]->value;
    if (!UA_Variant_hasScalarType(&type, &UA_TYPES[UA_TYPES_NODEID])) continue;
    TargetType target;
    set_rank(target, UA_Variant_hasScalarType(&rank, &UA_TYPES[UA_TYPES_INT32])
                         ? *static_cast<const UA_Int32*>(rank.data)
                         : kAnyRank);
    types.push_back(Owned<UA_NodeId>::of(*static_cast<const UA_NodeId*>(type.data)));
    targets.emplace_back(texts[i], target);
  }
  const auto found = co_await learn_data_types(state, std::move(types), deadline);
  if (!found) co_return fail(found.error());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    set_type(targets[i].second, (*found)[i]);
    state->types[targets[i].first] = targets[i].second;
  }
  co_return Result<void>{};
}

Task<Result<void>> learn_enumerations(Shared state, const std::vector<SharedNodeName>& nodes,
                                      SteadyTime deadline) {
  if (state->settings.enumerations == ConnectionSettings::Enumerations::kNumber)
    co_return Result<void>{};
  co_return co_await learn_types(state, nodes, deadline);
}

const Enumeration* enumeration_of(const State& state, const NodeName& node) {
  if (state.settings.enumerations == ConnectionSettings::Enumerations::kNumber) return nullptr;
  const auto known = state.types.find(node.text);
  return known == state.types.end() ? nullptr : known->second.enumeration;
}

}  // namespace tributary::connectors::opcua
