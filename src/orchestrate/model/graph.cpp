#include "orchestrate/model/graph.hpp"

#include <algorithm>
#include <optional>

namespace tributary::orchestrate {

std::vector<std::size_t> Graph::order() const {
  std::vector<std::size_t> incoming(next.size(), 0);
  for (const auto& targets : next) {
    for (const std::size_t target : targets) ++incoming[target];
  }
  std::vector<std::size_t> order;
  for (std::size_t node = 0; node < next.size(); ++node) {
    if (incoming[node] == 0) order.push_back(node);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (const std::size_t target : next[order[i]]) {
      if (--incoming[target] == 0) order.push_back(target);
    }
  }
  return order;
}

std::vector<std::size_t> Graph::cycle() const {
  const auto sorted = order();
  std::vector<bool> left(next.size(), true);
  for (const std::size_t node : sorted) left[node] = false;
  // What is left leads to a cycle or lies on one; going backwards from any of it must come round.
  std::vector<std::optional<std::size_t>> before(next.size());
  std::optional<std::size_t> at;
  for (std::size_t node = 0; node < next.size(); ++node) {
    if (!left[node]) continue;
    at = node;
    for (const std::size_t target : next[node]) {
      if (left[target]) before[target] = node;
    }
  }
  if (!at) return {};
  std::vector<std::size_t> path;
  while (std::find(path.begin(), path.end(), *at) == path.end()) {
    path.push_back(*at);
    at = before[*at];
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), *at));
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<bool> Graph::reachable(const std::vector<std::size_t>& starts) const {
  std::vector<bool> seen(next.size(), false);
  std::vector<std::size_t> open = starts;
  while (!open.empty()) {
    const std::size_t node = open.back();
    open.pop_back();
    if (seen[node]) continue;
    seen[node] = true;
    open.insert(open.end(), next[node].begin(), next[node].end());
  }
  return seen;
}

}  // namespace tributary::orchestrate
