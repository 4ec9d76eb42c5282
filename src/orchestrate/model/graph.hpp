// Questions about a directed graph given by its edges.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace tributary::orchestrate {

struct Graph {
  std::vector<std::vector<std::size_t>> next;  // by node

  // Every node after all that lead to it; shorter than `next` when there is a cycle.
  std::vector<std::size_t> order() const;
  // The nodes of one cycle, in order; empty when there is none.
  std::vector<std::size_t> cycle() const;
  // By node: reachable from any of `starts` (themselves included).
  std::vector<bool> reachable(const std::vector<std::size_t>& starts) const;
};

}  // namespace tributary::orchestrate
