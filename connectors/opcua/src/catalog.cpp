#include "connectors/opcua/src/catalog.hpp"

#include <algorithm>
#include <span>

namespace tributary::connectors::opcua {
namespace {

// Encodings that wait to be asked for, at most: a server may send any number of unknown ones.
constexpr std::size_t kMostMissed = 1000;

bool is_structure(const UA_DataType& type) {
  return type.typeKind == UA_DATATYPEKIND_STRUCTURE || type.typeKind == UA_DATATYPEKIND_OPTSTRUCT ||
         type.typeKind == UA_DATATYPEKIND_UNION;
}

StructureType::Kind kind_of(const UA_DataType& type) {
  if (type.typeKind == UA_DATATYPEKIND_UNION) return StructureType::Kind::kUnion;
  return type.typeKind == UA_DATATYPEKIND_OPTSTRUCT ? StructureType::Kind::kOptionalFields
                                                    : StructureType::Kind::kPlain;
}

}  // namespace

const std::string* Enumeration::name_of(std::int64_t value) const {
  const auto found = std::ranges::find(values, value, &std::pair<std::int64_t, std::string>::first);
  return found == values.end() ? nullptr : &found->second;
}

std::optional<std::int64_t> Enumeration::value_of(std::string_view wanted) const {
  const auto found =
      std::ranges::find(values, wanted, &std::pair<std::int64_t, std::string>::second);
  if (found == values.end()) return std::nullopt;
  return found->first;
}

bool TypeCatalog::Less::operator()(const Owned<UA_NodeId>& a, const Owned<UA_NodeId>& b) const {
  return UA_NodeId_order(&*a, &*b) == UA_ORDER_LESS;
}

const DataType* TypeCatalog::find(const UA_NodeId& type) const {
  const auto found = types_.find(Owned<UA_NodeId>::of(type));
  return found == types_.end() ? nullptr : &found->second;
}

const StructureType* TypeCatalog::by_encoding(const UA_NodeId& encoding) {
  auto key = Owned<UA_NodeId>::of(encoding);
  const auto found = encodings_.find(key);
  if (found != encodings_.end()) return found->second;
  const bool noted = std::ranges::any_of(missed_, [&encoding](const Owned<UA_NodeId>& each) {
    return UA_NodeId_equal(&*each, &encoding);
  });
  if (!noted && missed_.size() < kMostMissed) missed_.push_back(std::move(key));
  return nullptr;
}

const StructureType* TypeCatalog::by_name(std::string_view name) const {
  const auto found = std::ranges::find_if(structures_, [name](const StructureType& each) {
    return each.name == name && !UA_NodeId_isNull(&*each.encoding);
  });
  return found == structures_.end() ? nullptr : &*found;
}

const StructureType& TypeCatalog::standard(const UA_DataType& type) {
  if (const auto known = standard_.find(&type); known != standard_.end()) return *known->second;
  StructureType& made = make_structure();
  standard_.emplace(&type, &made);
  made.name = type.typeName;
  made.kind = kind_of(type);
  made.encoding = Owned<UA_NodeId>::of(type.binaryEncodingId);
  for (const UA_DataTypeMember& member : std::span(type.members, type.membersSize)) {
    StructureField field;
    field.name = member.memberName;
    field.data_type = Owned<UA_NodeId>::of(member.memberType->typeId);
    field.rank = member.isArray ? 1 : -1;
    field.optional = member.isOptional;
    field.type = standard_type(*member.memberType, *this);
    made.fields.push_back(std::move(field));
  }
  return made;
}

void TypeCatalog::add(const UA_NodeId& type, const DataType& described) {
  types_.emplace(Owned<UA_NodeId>::of(type), described);
}

void TypeCatalog::add_encoding(const UA_NodeId& encoding, const StructureType* structure) {
  encodings_.emplace(Owned<UA_NodeId>::of(encoding), structure);
}

DataType standard_type(const UA_DataType& type, TypeCatalog& types) {
  DataType described;
  described.known = true;
  if (is_structure(type)) {
    described.wire = &UA_TYPES[UA_TYPES_EXTENSIONOBJECT];
    described.structure = &types.standard(type);
  } else if (type.typeKind == UA_DATATYPEKIND_ENUM) {
    described.wire = &UA_TYPES[UA_TYPES_INT32];
  } else if (type.typeKind != UA_DATATYPEKIND_VARIANT) {
    // Aliases (UtcTime, Duration) have the kind of their base.
    described.wire = &UA_TYPES[type.typeKind];
  }
  return described;
}

}  // namespace tributary::connectors::opcua
