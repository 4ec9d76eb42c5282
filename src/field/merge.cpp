#include "field/merge.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>
#include <tuple>

namespace tributary::field {
namespace {

// Extents that begin at one place: they always share a request.
struct Step {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::size_t first = 0;  // among the sorted indexes
};

Block block_of(std::span<const std::uint32_t> items, std::span<const Extent> extents) {
  const Extent& first = extents[items.front()];
  Block block{first.space, first.begin, first.end, {items.begin(), items.end()}};
  for (const std::uint32_t item : items) block.end = std::max(block.end, extents[item].end);
  return block;
}

std::vector<Step> steps_of(std::span<const std::uint32_t> sorted, std::span<const Extent> extents) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const Extent& extent = extents[sorted[i]];
    if (steps.empty() || steps.back().begin != extent.begin) {
      steps.push_back({extent.begin, extent.end, i});
    } else {
      steps.back().end = std::max(steps.back().end, extent.end);
    }
  }
  return steps;
}

// The cheapest cut of a run without a gap that is too long: where its blocks begin, as indexes of
// steps. Dynamic programming over the last block; its length only grows towards the left.
std::vector<std::size_t> cut(std::span<const Step> steps, const MergeRules& rules) {
  struct Best {
    std::uint64_t cost = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t requests = 0;
    std::size_t from = 0;
  };
  std::vector<Best> best(steps.size() + 1);
  best[0].cost = 0;
  for (std::size_t last = 0; last < steps.size(); ++last) {
    std::uint32_t end = 0;
    for (std::size_t from = last + 1; from-- > 0;) {
      end = std::max(end, steps[from].end);
      const std::uint32_t length = end - steps[from].begin;
      if (length > rules.longest && from != last) break;
      const std::uint64_t cost = best[from].cost + rules.request_cost + length;
      const std::uint64_t requests = best[from].requests + 1;
      Best& here = best[last + 1];
      if (std::tie(cost, requests) < std::tie(here.cost, here.requests))
        here = {cost, requests, from};
    }
  }
  std::vector<std::size_t> begins;
  for (std::size_t at = steps.size(); at > 0; at = best[at].from) begins.push_back(best[at].from);
  std::ranges::reverse(begins);
  return begins;
}

// Sorted indexes of one space → blocks.
void merge_space(std::span<const std::uint32_t> sorted, std::span<const Extent> extents,
                 const MergeRules& rules, std::vector<Block>& blocks) {
  const std::vector<Step> steps = steps_of(sorted, extents);
  for (std::size_t run = 0; run < steps.size();) {
    std::uint32_t end = steps[run].end;
    std::size_t next = run + 1;
    while (next < steps.size() &&
           std::uint64_t{steps[next].begin} <= std::uint64_t{end} + rules.request_cost)
      end = std::max(end, steps[next++].end);
    const auto here = std::span(steps).subspan(run, next - run);
    const std::vector<std::size_t> begins = cut(here, rules);
    for (std::size_t i = 0; i < begins.size(); ++i) {
      const std::size_t behind = run + (i + 1 < begins.size() ? begins[i + 1] : here.size());
      const std::size_t first = here[begins[i]].first;
      const std::size_t last = behind < steps.size() ? steps[behind].first : sorted.size();
      blocks.push_back(block_of(sorted.subspan(first, last - first), extents));
    }
    run = next;
  }
}

}  // namespace

std::vector<Block> merge(std::span<const Extent> extents,
                         const std::function<MergeRules(std::uint32_t space)>& rules) {
  std::vector<std::uint32_t> sorted(extents.size());
  std::iota(sorted.begin(), sorted.end(), 0U);
  std::ranges::stable_sort(sorted, {}, [&](std::uint32_t index) {
    const Extent& extent = extents[index];
    return std::tuple(extent.space, extent.begin, extent.end);
  });
  std::vector<Block> blocks;
  for (std::size_t from = 0; from < sorted.size();) {
    const std::uint32_t space = extents[sorted[from]].space;
    std::size_t to = from + 1;
    while (to < sorted.size() && extents[sorted[to]].space == space) ++to;
    merge_space(std::span(sorted).subspan(from, to - from), extents, rules(space), blocks);
    from = to;
  }
  return blocks;
}

std::vector<Block> split(const Block& block, std::span<const Extent> extents) {
  const bool whole = std::ranges::all_of(block.items, [&](std::uint32_t item) {
    return extents[item].begin == block.begin && extents[item].end == block.end;
  });
  if (whole) return {};
  const std::span<const std::uint32_t> items = block.items;
  std::vector<Block> parts;
  merge_space(items, extents, {block.end - block.begin, 0}, parts);
  if (parts.size() > 1) return parts;
  assert(items.size() > 1);
  const std::size_t middle = items.size() / 2;
  parts.clear();
  parts.push_back(block_of(items.first(middle), extents));
  parts.push_back(block_of(items.subspan(middle), extents));
  return parts;
}

}  // namespace tributary::field
