// Types as a server could declare them, made by hand.
#pragma once

#include "connectors/opcua/src/catalog.hpp"

namespace tributary::connectors::opcua {

struct TestTypes {
  explicit TestTypes(TypeCatalog& catalog)
      : plain(catalog.make_structure()),
        optional(catalog.make_structure()),
        choice(catalog.make_structure()),
        lists(catalog.make_structure()),
        empties(catalog.make_structure()),
        endless(catalog.make_structure()),
        modes(catalog.make_structure()) {
    const DataType byte = of(UA_TYPES_BYTE);
    plain.fields.push_back(field("count", of(UA_TYPES_UINT16)));
    plain.fields.push_back(field("text", of(UA_TYPES_STRING)));
    optional.kind = StructureType::Kind::kOptionalFields;
    optional.fields.push_back(field("inner", of(plain)));
    optional.fields.push_back(field("always", byte));
    optional.fields.push_back(field("flag", of(UA_TYPES_BOOLEAN)));
    optional.fields[0].optional = optional.fields[2].optional = true;
    choice.kind = StructureType::Kind::kUnion;
    choice.fields.push_back(field("number", of(UA_TYPES_DOUBLE)));
    choice.fields.push_back(field("plain", of(plain)));
    lists.fields.push_back(field("list", of(plain), 1));
    lists.fields.push_back(field("matrix", byte, 2));
    StructureType& nothing = catalog.make_structure();
    empties.fields.push_back(field("empties", of(nothing), 1));
    endless.kind = StructureType::Kind::kUnion;
    endless.fields.push_back(field("again", of(endless)));
    Enumeration& mode = catalog.make_enumeration();
    mode.name = "Mode";
    mode.values = {{0, "Off"}, {1, "Manual"}, {5, "Automatic"}};
    DataType named = of(UA_TYPES_INT32);
    named.enumeration = &mode;
    modes.fields.push_back(field("now", named));
    modes.fields.push_back(field("next", named));
  }
  StructureType& plain;
  StructureType& optional;
  StructureType& choice;
  StructureType& lists;
  StructureType& empties;
  StructureType& endless;
  StructureType& modes;

 private:
  static DataType of(int type) { return {.wire = &UA_TYPES[type], .known = true}; }
  static DataType of(const StructureType& structure) {
    return {.wire = &UA_TYPES[UA_TYPES_EXTENSIONOBJECT], .structure = &structure, .known = true};
  }
  static StructureField field(std::string name, DataType type, std::int32_t rank = -1) {
    StructureField made;
    made.name = std::move(name);
    made.rank = rank;
    made.type = type;
    return made;
  }
};

}  // namespace tributary::connectors::opcua
