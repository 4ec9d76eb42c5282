#include "orchestrate/model/diff.hpp"

#include <string>

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kPosition = "/position";

bool is_layout(const std::string& pointer) {
  return pointer.starts_with(kPosition) &&
         (pointer.size() == kPosition.size() || pointer[kPosition.size()] == '/');
}

// The changes below one place, in the order of `after`.
class Changes {
 public:
  explicit Changes(bool of_node) : of_node_(of_node) {}

  void compare(const std::string& pointer, const Json& before, const Json& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) {
      for (const auto& member : after.object_range()) {
        const std::string below = pointer + "/" + escape_pointer(member.key());
        if (before.contains(member.key())) {
          compare(below, before.at(member.key()), member.value());
        } else {
          add(below, nullptr, &member.value());
        }
      }
      for (const auto& member : before.object_range()) {
        if (!after.contains(member.key()))
          add(pointer + "/" + escape_pointer(member.key()), &member.value(), nullptr);
      }
      return;
    }
    // Lists of one length are compared place by place; others as a whole, because nothing says
    // which elements are the same.
    if (before.is_array() && after.is_array() && before.size() == after.size()) {
      for (std::size_t i = 0; i < after.size(); ++i)
        compare(pointer + "/" + std::to_string(i), before[i], after[i]);
      return;
    }
    add(pointer, &before, &after);
  }

  bool empty() const { return list_.empty(); }
  bool layout_only() const { return layout_only_; }
  Json take() { return std::move(list_); }

 private:
  void add(const std::string& pointer, const Json* from, const Json* to) {
    const bool layout = of_node_ && is_layout(pointer);
    layout_only_ = layout_only_ && layout;
    Json change = json_object();
    change.insert_or_assign("pointer", pointer);
    if (from != nullptr) change.insert_or_assign("from", *from);
    if (to != nullptr) change.insert_or_assign("to", *to);
    change.insert_or_assign("layout", layout);
    list_.push_back(std::move(change));
  }

  bool of_node_;
  bool layout_only_ = true;
  Json list_ = json_array();
};

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
    Changes changes(true);
    changes.compare("", *old_node, new_nodes[i]);
    if (changes.empty()) continue;
    layout_only = layout_only && changes.layout_only();
    Json entry = json_object();
    entry.insert_or_assign("id", id);
    entry.insert_or_assign("changes", changes.take());
    changed.push_back(std::move(entry));
  }
  Json edges = json_object();
  edges.insert_or_assign("added",
                         missing_in(get_member(after, "edges"), get_member(before, "edges")));
  edges.insert_or_assign("removed",
                         missing_in(get_member(before, "edges"), get_member(after, "edges")));
  Changes members(false);
  members.compare("", without_graph(before), without_graph(after));

  const bool graph = !nodes.at("added").empty() || !nodes.at("removed").empty() ||
                     !edges.at("added").empty() || !edges.at("removed").empty();
  const bool same = !graph && changed.empty() && members.empty();
  Json diff = json_object();
  diff.insert_or_assign("same", same);
  diff.insert_or_assign("layoutOnly", !same && !graph && members.empty() && layout_only);
  nodes.insert_or_assign("changed", std::move(changed));
  diff.insert_or_assign("nodes", std::move(nodes));
  diff.insert_or_assign("edges", std::move(edges));
  diff.insert_or_assign("members", members.take());
  return diff;
}

}  // namespace tributary::orchestrate
