#include "connectors/opcua/src/definitions.hpp"

#include <open62541/nodeids.h>

#include <algorithm>
#include <set>

#include "connectors/opcua/src/browsing.hpp"
#include "connectors/opcua/src/reading.hpp"
#include "connectors/opcua/src/types.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::string_view kLooking = "looking up a type";
// A server with more types than this has them made up.
constexpr std::size_t kMostTypes = 2000;

// Types on their way into the catalogue: nobody finds them before all their fields are linked.
struct Found {
  Owned<UA_NodeId> id;
  DataType type;
  StructureType* structure = nullptr;
};

// What one type said about itself.
struct Answers {
  const UA_DataValue* definition;
  const UA_DataValue* abstract;
  const UA_DataValue* name;
};

template <typename T>
const T* scalar(const UA_DataValue& value, const UA_DataType& type) {
  if (!value.hasValue || !UA_Variant_hasScalarType(&value.value, &type)) return nullptr;
  return static_cast<const T*>(value.value.data);
}

std::string name_in(const UA_DataValue& value) {
  const auto* name = scalar<UA_QualifiedName>(value, UA_TYPES[UA_TYPES_QUALIFIEDNAME]);
  return name != nullptr ? to_std(name->name) : std::string("structure");
}

StructureType::Kind kind_of(UA_StructureType type) {
  switch (type) {
    case UA_STRUCTURETYPE_STRUCTUREWITHOPTIONALFIELDS:
      return StructureType::Kind::kOptionalFields;
    case UA_STRUCTURETYPE_UNION:
    case UA_STRUCTURETYPE_UNIONWITHSUBTYPEDVALUES:
      return StructureType::Kind::kUnion;
    default:
      return StructureType::Kind::kPlain;
  }
}

void fill(StructureType& structure, const UA_StructureDefinition& definition) {
  structure.kind = kind_of(definition.structureType);
  structure.encoding = Owned<UA_NodeId>::of(definition.defaultEncodingId);
  // Where subtypes are allowed, the mark of an optional field says which field allows them.
  const bool subtypes = definition.structureType == UA_STRUCTURETYPE_STRUCTUREWITHSUBTYPEDVALUES ||
                        definition.structureType == UA_STRUCTURETYPE_UNIONWITHSUBTYPEDVALUES;
  for (const UA_StructureField& each : std::span(definition.fields, definition.fieldsSize)) {
    StructureField field;
    field.name = to_std(each.name);
    field.data_type = Owned<UA_NodeId>::of(each.dataType);
    field.rank = each.valueRank;
    field.subtyped = subtypes && each.isOptional;
    field.optional = !subtypes && each.isOptional;
    structure.fields.push_back(std::move(field));
  }
}

void fill(Enumeration& enumeration, const UA_EnumDefinition& definition) {
  for (const UA_EnumField& each : std::span(definition.fields, definition.fieldsSize)) {
    const UA_String& name = each.name.length > 0 ? each.name : each.displayName.text;
    enumeration.values.emplace_back(each.value, to_std(name));
  }
}

// The lists that enumerations had before they had definitions.
void fill(Enumeration& enumeration, const UA_Variant& list) {
  if (UA_Variant_hasArrayType(&list, &UA_TYPES[UA_TYPES_LOCALIZEDTEXT])) {
    const auto* texts = static_cast<const UA_LocalizedText*>(list.data);
    for (std::size_t i = 0; i < list.arrayLength; ++i)
      enumeration.values.emplace_back(static_cast<std::int64_t>(i), to_std(texts[i].text));
  } else if (UA_Variant_hasArrayType(&list, &UA_TYPES[UA_TYPES_ENUMVALUETYPE])) {
    const auto* values = static_cast<const UA_EnumValueType*>(list.data);
    for (std::size_t i = 0; i < list.arrayLength; ++i)
      enumeration.values.emplace_back(values[i].value, to_std(values[i].displayName.text));
  }
}

// The first reference of each node that its `description` asks for; null ids where there is none.
// A server that refuses to browse knows none.
Task<Result<std::vector<Owned<UA_NodeId>>>> first_references(
    Shared state, std::vector<Owned<UA_NodeId>> nodes, UA_UInt32 reference,
    UA_BrowseDirection direction, std::string_view name, SteadyTime deadline) {
  std::vector<Owned<UA_NodeId>> found;
  while (found.size() < nodes.size()) {
    const std::size_t begin = found.size();
    const std::size_t count = part_of(nodes.size(), begin, state->limits.browse);
    auto request = references_of(std::span(nodes).subspan(begin, count), direction, reference);
    const auto response = co_await Client::ask<UA_BrowseResponse>(state->client, std::move(request),
                                                                  kLooking, deadline);
    if (!response && response.error().error_class != ErrorClass::kFunction)
      co_return fail(response.error());
    for (std::size_t i = 0; i < count; ++i) {
      Owned<UA_NodeId> id;
      if (response && i < (*response)->resultsSize) {
        const UA_BrowseResult& result = (*response)->results[i];
        for (const auto& each : std::span(result.references, result.referencesSize)) {
          if (!view(each.browseName.name).starts_with(name)) continue;
          UA_NodeId_copy(&each.nodeId.nodeId, &*id);
          break;
        }
      }
      found.push_back(std::move(id));
    }
  }
  co_return found;
}

// EnumStrings and EnumValues of enumerations without a definition.
Task<Result<void>> learn_names(Shared state, std::vector<Found*> types,
                               std::vector<std::string> names, SteadyTime deadline) {
  std::vector<Owned<UA_NodeId>> ids;
  for (const Found* each : types) ids.push_back(Owned<UA_NodeId>::of(*each->id));
  auto lists = co_await first_references(state, std::move(ids), UA_NS0ID_HASPROPERTY,
                                         UA_BROWSEDIRECTION_FORWARD, "Enum", deadline);
  if (!lists) co_return fail(std::move(lists.error()));
  std::vector<Wanted> wanted;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (UA_NodeId_isNull(&*(*lists)[i])) continue;
    wanted.push_back({*(*lists)[i], UA_ATTRIBUTEID_VALUE});
    places.push_back(i);
  }
  const auto answers = co_await read_attributes(state, std::move(wanted), 0, deadline);
  if (!answers) co_return fail(answers.error());
  for (std::size_t i = 0; i < places.size(); ++i) {
    Enumeration& enumeration = state->catalog.make_enumeration();
    enumeration.name = names[places[i]];
    fill(enumeration, (*answers)[i]->value);
    types[places[i]]->type.enumeration = &enumeration;
  }
  co_return Result<void>{};
}

// A type that has a definition; false for one that has none.
bool describe(Found& found, const Answers& said, TypeCatalog& catalog) {
  const auto* abstract = scalar<UA_Boolean>(*said.abstract, UA_TYPES[UA_TYPES_BOOLEAN]);
  found.type.abstract = abstract != nullptr && *abstract;
  const auto* definition =
      scalar<UA_StructureDefinition>(*said.definition, UA_TYPES[UA_TYPES_STRUCTUREDEFINITION]);
  if (definition == nullptr) return false;
  found.structure = &catalog.make_structure();
  found.structure->name = name_in(*said.name);
  fill(*found.structure, *definition);
  found.type.wire = &UA_TYPES[UA_TYPES_EXTENSIONOBJECT];
  found.type.structure = found.structure;
  found.type.known = true;
  return true;
}

// One layer: what is said about types that are not of the library.
Task<Result<std::vector<Found>>> learn_layer(Shared state, std::vector<Owned<UA_NodeId>> types,
                                             SteadyTime deadline) {
  constexpr std::size_t kAttributes = 3;
  std::vector<Wanted> wanted;
  for (const auto& type : types) {
    wanted.push_back({*type, UA_ATTRIBUTEID_DATATYPEDEFINITION});
    wanted.push_back({*type, UA_ATTRIBUTEID_ISABSTRACT});
    wanted.push_back({*type, UA_ATTRIBUTEID_BROWSENAME});
  }
  const auto answers = co_await read_attributes(state, std::move(wanted), 0, deadline);
  if (!answers) co_return fail(answers.error());
  std::vector<Found> found(types.size());
  std::vector<std::size_t> others;
  std::vector<Owned<UA_NodeId>> other_ids;
  for (std::size_t i = 0; i < types.size(); ++i) {
    found[i].id = std::move(types[i]);
    const auto* said = &(*answers)[kAttributes * i];
    if (describe(found[i], {&*said[0], &*said[1], &*said[2]}, state->catalog)) continue;
    others.push_back(i);
    other_ids.push_back(Owned<UA_NodeId>::of(*found[i].id));
  }
  const auto wires = co_await wire_types(state, std::move(other_ids), deadline);
  if (!wires) co_return fail(wires.error());
  std::vector<Found*> nameless;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < others.size(); ++i) {
    Found& each = found[others[i]];
    const auto* said = &(*answers)[kAttributes * others[i]];
    each.type.wire = (*wires)[i];
    const bool structure = each.type.wire == &UA_TYPES[UA_TYPES_EXTENSIONOBJECT];
    each.type.known =
        structure ? each.type.abstract : each.type.wire != nullptr || takes_any(*each.id);
    if (each.type.wire != &UA_TYPES[UA_TYPES_INT32]) continue;
    const auto* definition = scalar<UA_EnumDefinition>(*said[0], UA_TYPES[UA_TYPES_ENUMDEFINITION]);
    if (definition == nullptr) {
      nameless.push_back(&each);
      names.push_back(name_in(*said[2]));
      continue;
    }
    Enumeration& enumeration = state->catalog.make_enumeration();
    enumeration.name = name_in(*said[2]);
    fill(enumeration, *definition);
    each.type.enumeration = &enumeration;
  }
  if (nameless.empty()) co_return found;
  const auto named = co_await learn_names(state, std::move(nameless), std::move(names), deadline);
  if (!named) co_return fail(named.error());
  co_return found;
}

// Where enumerations come from the library, their names do not.
bool add_standard(TypeCatalog& catalog, const UA_NodeId& id) {
  const UA_DataType* const type = UA_findDataType(&id);
  if (type == nullptr || type->typeKind == UA_DATATYPEKIND_ENUM) return false;
  catalog.add(id, standard_type(*type, catalog));
  return true;
}

void link(std::vector<Found>& all, TypeCatalog& catalog) {
  const auto type_of_field = [&](const UA_NodeId& id) {
    if (const DataType* known = catalog.find(id)) return *known;
    const auto found = std::ranges::find_if(
        all, [&id](const Found& each) { return UA_NodeId_equal(&*each.id, &id); });
    return found == all.end() ? DataType{} : found->type;
  };
  for (Found& each : all) {
    if (each.structure == nullptr) continue;
    for (StructureField& field : each.structure->fields) {
      field.type = type_of_field(*field.data_type);
      if (field.rank < -1) field.type.known = false;  // a field is one value or a list
    }
  }
  for (Found& each : all) {
    catalog.add(*each.id, each.type);
    if (each.structure != nullptr && !UA_NodeId_isNull(&*each.structure->encoding))
      catalog.add_encoding(*each.structure->encoding, each.structure);
  }
}

}  // namespace

Task<Result<std::vector<DataType>>> learn_data_types(Shared state,
                                                     std::vector<Owned<UA_NodeId>> types,
                                                     SteadyTime deadline) {
  std::vector<Found> all;
  const auto unknown = [&](const UA_NodeId& id, const std::vector<Owned<UA_NodeId>>& asked) {
    const auto same = [&id](const Owned<UA_NodeId>& each) { return UA_NodeId_equal(&*each, &id); };
    return !UA_NodeId_isNull(&id) && state->catalog.find(id) == nullptr &&
           std::ranges::none_of(all, same, &Found::id) && std::ranges::none_of(asked, same) &&
           !add_standard(state->catalog, id);
  };
  std::vector<Owned<UA_NodeId>> layer;
  for (const auto& each : types) {
    if (unknown(*each, layer)) layer.push_back(Owned<UA_NodeId>::of(*each));
  }
  for (int round = 0; round < kMostRounds && !layer.empty(); ++round) {
    if (state->catalog.size() + all.size() + layer.size() > kMostTypes) break;
    auto found = co_await learn_layer(state, std::exchange(layer, {}), deadline);
    if (!found) co_return fail(std::move(found.error()));
    const std::size_t fresh = all.size();
    std::ranges::move(*found, std::back_inserter(all));
    for (std::size_t i = fresh; i < all.size(); ++i) {
      if (all[i].structure == nullptr) continue;
      for (const StructureField& field : all[i].structure->fields) {
        if (unknown(*field.data_type, layer))
          layer.push_back(Owned<UA_NodeId>::of(*field.data_type));
      }
    }
  }
  link(all, state->catalog);
  std::vector<DataType> described;
  for (const auto& each : types) {
    const DataType* const known = state->catalog.find(*each);
    described.push_back(known != nullptr ? *known : DataType{});
  }
  co_return described;
}

Task<Result<void>> learn_missed(Shared state, SteadyTime deadline) {
  const std::vector<Owned<UA_NodeId>> encodings = state->catalog.take_missed();
  std::vector<Owned<UA_NodeId>> nodes;
  for (const auto& each : encodings) nodes.push_back(Owned<UA_NodeId>::of(*each));
  auto types = co_await first_references(state, std::move(nodes), UA_NS0ID_HASENCODING,
                                         UA_BROWSEDIRECTION_INVERSE, "", deadline);
  if (!types) co_return fail(std::move(types.error()));
  const auto described = co_await learn_data_types(state, *std::move(types), deadline);
  if (!described) co_return fail(described.error());
  for (std::size_t i = 0; i < encodings.size(); ++i)
    state->catalog.add_encoding(*encodings[i], (*described)[i].structure);
  co_return Result<void>{};
}

}  // namespace tributary::connectors::opcua
