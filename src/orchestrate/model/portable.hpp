// Pipelines refer to functions, connections and other pipelines by ids. Documents that people write
// and that travel between hubs have names: "connection/function" in `function` instead of
// `functionId`, and so on.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {

// Names and ids of one kind of thing.
class NameTable {
 public:
  void add(const std::string& name, const std::string& id);
  // Another name for the thing with this id.
  void add_alias(const std::string& name, const std::string& id) { ids_[name] = id; }
  // Empty when nobody knows it.
  std::string id_of(const std::string& name) const;
  std::string name_of(const std::string& id) const;

 private:
  std::map<std::string, std::string> ids_;
  std::map<std::string, std::string> names_;
};

enum class ThingKind : std::uint8_t { kFunction, kConnection, kPipeline };
std::string_view to_string(ThingKind kind);

struct HubNames {
  NameTable functions;  // "connection/function"
  NameTable connections;
  NameTable pipelines;

  const NameTable& of(ThingKind kind) const;
  NameTable& of(ThingKind kind);
};

// A place in a document that refers to something.
struct Reference {
  ThingKind kind = ThingKind::kFunction;
  std::string node_id;
  std::string node_type;
  std::string pointer;  // "/nodes/2/settings/function"
  std::string name;     // empty: unknown
  std::string id;       // empty: unknown
};

// What the nodes of a body refer to by ids, in their order. A member is a reference when the
// settings of the node's type have it.
std::vector<Reference> references_of(const Json& body, const NodeCatalogue& catalogue);

// ids → names. Ids that nobody knows stay.
Json with_names(const Json& body, const NodeCatalogue& catalogue, const HubNames& names,
                std::vector<Reference>* found = nullptr);
// names → ids. Names that nobody knows stay, and are in `found` without an id.
Json with_ids(const Json& body, const NodeCatalogue& catalogue, const HubNames& names,
              std::vector<Reference>* found = nullptr);

}  // namespace tributary::orchestrate
