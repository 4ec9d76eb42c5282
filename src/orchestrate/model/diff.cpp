#include "orchestrate/model/diff.hpp"

#include <string>

#include "model/difference.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kPosition = "/position";

bool is_layout(const std::string& pointer) {
  return pointer.starts_with(kPosition) &&
         (pointer.size() == kPosition.size() || pointer[kPosition.size()] == '/');
}

// The changes with a mark at those that move a node on the canvas; whether there were others.
bool mark_layout(Json& changes, bool of_node) {
  bool others = false;
  for (Json& change : changes.array_range()) {
    const bool layout = of_node && is_layout(get_string(change, "pointer"));
    change.insert_or_assign("layout", layout);
    others = others || !layout;
  }
  return others;
}

const Json* find_node(const Json& nodes, const std::string& id) {
  if (!nodes.is_array()) return nullptr;
  for (const Json& node : nodes.array_range()) {
    if (get_string(node, "id") == id) return &node;
  }
  return nullptr;
}

// Elements of `list` that `other` does not have.
Json missing_in(const Json& list, const Json& other) {
  Json found = json_array();
  if (!list.is_array()) return found;
  for (const Json& element : list.array_range()) {
    bool there = false;
    for (std::size_t i = 0; other.is_array() && i < other.size() && !there; ++i)
      there = other[i] == element;
    if (!there) found.push_back(element);
  }
  return found;
}

// Nodes of `list` whose ids `other` does not have.
Json nodes_missing_in(const Json& list, const Json& other) {
  Json found = json_array();
  if (!list.is_array()) return found;
  for (const Json& node : list.array_range()) {
    if (find_node(other, get_string(node, "id")) == nullptr) found.push_back(node);
  }
  return found;
}

Json without_graph(const Json& document) {
  Json rest = document.is_object() ? document : json_object();
  rest.erase("nodes");
  rest.erase("edges");
  // Left out is as good as empty.
  if (get_string(rest, "description").empty()) rest.erase("description");
  if (rest.contains("labels") && rest.at("labels").empty()) rest.erase("labels");
  return rest;
}

}  // namespace

Json diff_documents(const Json& before, const Json& after) {
  const Json& old_nodes = get_member(before, "nodes");
  const Json& new_nodes = get_member(after, "nodes");
  Json nodes = json_object();
  nodes.insert_or_assign("added", nodes_missing_in(new_nodes, old_nodes));
  nodes.insert_or_assign("removed", nodes_missing_in(old_nodes, new_nodes));
  Json changed = json_array();
  bool layout_only = true;
  for (std::size_t i = 0; new_nodes.is_array() && i < new_nodes.size(); ++i) {
    const std::string id = get_string(new_nodes[i], "id");
    const Json* old_node = find_node(old_nodes, id);
    if (old_node == nullptr) continue;
    Json changes = differences(*old_node, new_nodes[i]);
    if (changes.empty()) continue;
    if (mark_layout(changes, true)) layout_only = false;
    Json entry = json_object();
    entry.insert_or_assign("id", id);
    entry.insert_or_assign("changes", std::move(changes));
    changed.push_back(std::move(entry));
  }
  Json edges = json_object();
  edges.insert_or_assign("added",
                         missing_in(get_member(after, "edges"), get_member(before, "edges")));
  edges.insert_or_assign("removed",
                         missing_in(get_member(before, "edges"), get_member(after, "edges")));
  Json members = differences(without_graph(before), without_graph(after));
  mark_layout(members, false);

  const bool graph = !nodes.at("added").empty() || !nodes.at("removed").empty() ||
                     !edges.at("added").empty() || !edges.at("removed").empty();
  const bool same = !graph && changed.empty() && members.empty();
  Json diff = json_object();
  diff.insert_or_assign("same", same);
  diff.insert_or_assign("layoutOnly", !same && !graph && members.empty() && layout_only);
  nodes.insert_or_assign("changed", std::move(changed));
  diff.insert_or_assign("nodes", std::move(nodes));
  diff.insert_or_assign("edges", std::move(edges));
  diff.insert_or_assign("members", std::move(members));
  return diff;
}

}  // namespace tributary::orchestrate
