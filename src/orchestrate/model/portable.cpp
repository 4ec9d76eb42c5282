#include "orchestrate/model/portable.hpp"

#include <fmt/format.h>

#include <array>

namespace tributary::orchestrate {
namespace {

struct Member {
  std::string_view id;    // in the hub
  std::string_view name;  // in documents
  ThingKind kind;
};

// A member that holds a list of ids holds a list of names.
constexpr std::array kMembers = {
    Member{"functionId", "function", ThingKind::kFunction},
    Member{"functionIds", "functions", ThingKind::kFunction},
    Member{"connectionId", "connection", ThingKind::kConnection},
    Member{"connectionIds", "connections", ThingKind::kConnection},
    Member{"pipelineId", "pipeline", ThingKind::kPipeline},
    Member{"pipelineIds", "pipelines", ThingKind::kPipeline},
};

bool has_property(const NodeCatalogue& catalogue, const std::string& type,
                  std::string_view member) {
  const auto* entry = catalogue.find(type);
  if (entry == nullptr) return false;
  return get_member(entry->schema.document(), "properties").contains(member);
}

// Walks the references of a body, and puts others in their place.
class Translator {
 public:
  Translator(const NodeCatalogue& catalogue, const HubNames& names, bool to_names)
      : catalogue_(catalogue), names_(names), to_names_(to_names) {}

  Json translate(const Json& body) {
    Json copy = body;
    if (!copy.is_object() || !copy.contains("nodes") || !copy.at("nodes").is_array()) return copy;
    Json& nodes = copy.at("nodes");
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      Json& node = nodes[i];
      if (!node.is_object() || !node.contains("settings") || !node.at("settings").is_object())
        continue;
      for (const Member& member : kMembers) {
        if (has_property(catalogue_, get_string(node, "type"), member.id))
          translate_member(i, node, member);
      }
    }
    return copy;
  }

  std::vector<Reference> found;

 private:
  void translate_member(std::size_t index, Json& node, const Member& member) {
    Json& settings = node.at("settings");
    const std::string from(to_names_ ? member.id : member.name);
    const std::string to(to_names_ ? member.name : member.id);
    if (!settings.contains(from)) return;
    Reference reference;
    reference.kind = member.kind;
    reference.node_id = get_string(node, "id");
    reference.node_type = get_string(node, "type");
    const std::string pointer = fmt::format("/nodes/{}/settings/{}", index, from);
    Json& value = settings.at(from);
    bool all_known = true;
    if (value.is_string()) {
      reference.pointer = pointer;
      all_known = translate_value(reference, value);
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (!value[i].is_string()) return;
        reference.pointer = fmt::format("{}/{}", pointer, i);
        all_known = translate_value(reference, value[i]) && all_known;
      }
    } else {
      return;
    }
    if (!all_known) return;
    Json moved = std::move(value);
    settings.erase(from);
    settings.insert_or_assign(to, std::move(moved));
  }

  // False when nobody knows it: the value stays.
  bool translate_value(Reference reference, Json& value) {
    const auto text = value.as<std::string>();
    const NameTable& table = names_.of(reference.kind);
    reference.id = to_names_ ? text : table.id_of(text);
    reference.name = to_names_ ? table.name_of(text) : text;
    const std::string other = to_names_ ? reference.name : reference.id;
    found.push_back(std::move(reference));
    if (other.empty()) return false;
    value = other;
    return true;
  }

  const NodeCatalogue& catalogue_;
  const HubNames& names_;
  bool to_names_;
};

}  // namespace

void NameTable::add(const std::string& name, const std::string& id) {
  ids_[name] = id;
  names_[id] = name;
}

std::string NameTable::id_of(const std::string& name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? std::string() : found->second;
}

std::string NameTable::name_of(const std::string& id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? std::string() : found->second;
}

std::string_view to_string(ThingKind kind) {
  switch (kind) {
    case ThingKind::kConnection:
      return "connection";
    case ThingKind::kPipeline:
      return "pipeline";
    case ThingKind::kFunction:
      break;
  }
  return "function";
}

const NameTable& HubNames::of(ThingKind kind) const {
  if (kind == ThingKind::kConnection) return connections;
  return kind == ThingKind::kPipeline ? pipelines : functions;
}
NameTable& HubNames::of(ThingKind kind) {
  if (kind == ThingKind::kConnection) return connections;
  return kind == ThingKind::kPipeline ? pipelines : functions;
}

std::vector<Reference> references_of(const Json& body, const NodeCatalogue& catalogue) {
  const HubNames nobody;
  Translator translator(catalogue, nobody, true);
  translator.translate(body);
  return std::move(translator.found);
}

Json with_names(const Json& body, const NodeCatalogue& catalogue, const HubNames& names,
                std::vector<Reference>* found) {
  Translator translator(catalogue, names, true);
  Json translated = translator.translate(body);
  if (found != nullptr) *found = std::move(translator.found);
  return translated;
}

Json with_ids(const Json& body, const NodeCatalogue& catalogue, const HubNames& names,
              std::vector<Reference>* found) {
  Translator translator(catalogue, names, false);
  Json translated = translator.translate(body);
  if (found != nullptr) *found = std::move(translator.found);
  return translated;
}

}  // namespace tributary::orchestrate
