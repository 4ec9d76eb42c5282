// The types that a server declares, as far as somebody has met them. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/opcua/src/ua.hpp"

namespace tributary::connectors::opcua {

struct StructureType;

struct Enumeration {
  std::string name;
  std::vector<std::pair<std::int64_t, std::string>> values;

  const std::string* name_of(std::int64_t value) const;
  std::optional<std::int64_t> value_of(std::string_view name) const;
};

// What values of a data type look like on the wire and mean.
struct DataType {
  const UA_DataType* wire = nullptr;  // built-in; null: a Variant, which carries its type with it
  const StructureType* structure = nullptr;  // of what the ExtensionObject holds, when it is known
  const Enumeration* enumeration = nullptr;
  bool abstract = false;
  bool known = false;  // enough to find the end of a value that is a field
};

struct StructureField {
  std::string name;
  Owned<UA_NodeId> data_type;
  std::int32_t rank = -1;  // -1: one value; n: an array with n dimensions (OPC 10000-3, 5.6.2)
  bool optional = false;
  bool subtyped = false;  // says itself which subtype it is: an ExtensionObject or a Variant
  DataType type;          // of `data_type`, linked when everything is known
};

// OPC 10000-3, 8.48; encoded as OPC 10000-6, 5.2.6 to 5.2.8 say.
struct StructureType {
  enum class Kind : std::uint8_t { kPlain, kOptionalFields, kUnion };
  std::string name;
  Kind kind = Kind::kPlain;
  Owned<UA_NodeId> encoding;  // of its values in the binary encoding; null: cannot be written
  std::vector<StructureField> fields;
};

// Grows only: what was handed out stays until the catalogue goes.
class TypeCatalog {
 public:
  // Null: nobody has asked the server.
  const DataType* find(const UA_NodeId& type) const;
  // The structure that an encoding stands for. Null: it is not known; the first time this is
  // noted, for take_missed().
  const StructureType* by_encoding(const UA_NodeId& encoding);
  // Of those that can be written. Null: nobody has met it.
  const StructureType* by_name(std::string_view name) const;
  // A structure that the library knows, of the standard.
  const StructureType& standard(const UA_DataType& type);

  // Places that stay where they are. What they hold is found by nobody before add().
  StructureType& make_structure() { return structures_.emplace_back(); }
  Enumeration& make_enumeration() { return enumerations_.emplace_back(); }
  // The first that comes for an id stays.
  void add(const UA_NodeId& type, const DataType& described);
  // `structure` null: the server does not say what it is.
  void add_encoding(const UA_NodeId& encoding, const StructureType* structure);

  bool has_missed() const { return !missed_.empty(); }
  std::vector<Owned<UA_NodeId>> take_missed() { return std::exchange(missed_, {}); }
  std::size_t size() const { return types_.size(); }

 private:
  struct Less {
    bool operator()(const Owned<UA_NodeId>& a, const Owned<UA_NodeId>& b) const;
  };
  std::deque<StructureType> structures_;
  std::deque<Enumeration> enumerations_;
  std::map<Owned<UA_NodeId>, DataType, Less> types_;
  std::map<Owned<UA_NodeId>, const StructureType*, Less> encodings_;
  std::map<const UA_DataType*, const StructureType*> standard_;
  std::vector<Owned<UA_NodeId>> missed_;
};

// What a member of a structure, a node or an argument that the library knows by `type` is.
DataType standard_type(const UA_DataType& type, TypeCatalog& types);

}  // namespace tributary::connectors::opcua
