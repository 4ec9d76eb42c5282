#include "orchestrate/nodes/node_state.hpp"

namespace tributary::orchestrate {

const Json* NodeState::find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void NodeState::put(std::string key, Json value) {
  changed_.insert(key);
  entries_.insert_or_assign(std::move(key), std::move(value));
}

Json* NodeState::edit(std::string_view key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  changed_.insert(found->first);
  return &found->second;
}

Json NodeState::take(std::string_view key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return Json::null();
  Json value = std::move(found->second);
  changed_.insert(found->first);
  entries_.erase(found);
  return value;
}

const NodeState::Entries::value_type* NodeState::first(std::string_view prefix) const {
  const auto found = entries_.lower_bound(prefix);
  return found != entries_.end() && found->first.starts_with(prefix) ? &*found : nullptr;
}

void NodeState::restore(std::string key, Json value) {
  if (key.starts_with(kHeldPrefix)) held_bytes += get_int(value, "bytes", 0);
  entries_.insert_or_assign(std::move(key), std::move(value));
}

void NodeState::erase(std::string_view key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  changed_.insert(found->first);
  entries_.erase(found);
}

}  // namespace tributary::orchestrate
