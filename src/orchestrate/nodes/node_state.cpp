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

void NodeState::erase(std::string_view key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  changed_.insert(found->first);
  entries_.erase(found);
}

}  // namespace tributary::orchestrate
