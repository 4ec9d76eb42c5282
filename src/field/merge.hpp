// Which requests read a set of values: neighbours together, at the least cost. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace tributary::field {

// Where a value lies: [begin, end) in the units of its space. A space is what one request can
// reach: one area of one unit, one data block.
struct Extent {
  std::uint32_t space = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 1;
};

// What a request costs. Reading over a gap costs its length; not reading over it costs another
// request. `request_cost` is therefore the longest gap worth reading over, in units of the space,
// and 0 never reads what nobody asked for.
struct MergeRules {
  std::uint32_t longest = 1;  // units in one request
  std::uint32_t request_cost = 0;
};

// One request and the values it answers, in order of their place.
struct Block {
  std::uint32_t space = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::vector<std::uint32_t> items;  // indexes of extents
};

// The blocks of least cost (requests × request_cost + units read) that cover every extent once;
// among equals, the fewest. Each is within the limits of its space; an extent that is longer than
// a request has a block of its own. Sorted by space and place.
std::vector<Block> merge(std::span<const Extent> extents,
                         const std::function<MergeRules(std::uint32_t space)>& rules);

// The smaller blocks to try when a device refused this one: without the gaps if it has some, else
// its two halves. Empty when it cannot be made smaller: then the device refuses what the values
// ask for.
std::vector<Block> split(const Block& block, std::span<const Extent> extents);

}  // namespace tributary::field
