// Which requests read a set of variables: neighbours as one item, many items in one message, within
// what the CPU granted. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "connectors/s7/src/codec.hpp"
#include "connectors/s7/src/types.hpp"

namespace tributary::connectors::s7 {

// Where one value lives and what it is. Its name is kept elsewhere, by index.
struct Variable {
  Area area = Area::kMerkers;
  std::uint16_t db = 0;
  std::uint32_t begin = 0;  // byte, or number of the timer or counter
  std::uint8_t bit = 0;
  Layout layout;

  std::size_t bytes() const { return size_of(layout, bit); }
  // In bytes, or timers or counters.
  std::uint32_t end() const {
    const std::size_t size = bytes();
    return begin + static_cast<std::uint32_t>(is_counted(area) ? size / 2 : size);
  }
};

struct Limits {
  std::size_t pdu_size = 240;
  std::size_t max_items = kMaxItems;
  // Unused bytes worth reading to save an item: an item costs 12 bytes to ask for and 4 to answer.
  std::uint32_t max_gap_bytes = 16;
};

// Memory that is read as one, and the variables it answers. Longer than a message only where one
// variable is.
struct Block {
  Area area = Area::kMerkers;
  std::uint16_t db = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::size_t offset = 0;                // of its first byte in the image of all
  std::vector<std::uint32_t> variables;  // indexes

  std::size_t bytes_to(std::uint32_t place) const {
    return (place - begin) * (is_counted(area) ? std::size_t{2} : std::size_t{1});
  }
  std::size_t bytes() const { return bytes_to(end); }
};

// Covers every variable once. Blocks follow each other in the image without a gap.
std::vector<Block> make_blocks(std::span<const Variable> variables, const Limits& limits);
// The smaller blocks to try when the CPU refused this one: without the gaps if it has some, else
// its two halves. Empty when it cannot be made smaller. They keep their place in the image.
std::vector<Block> split(const Block& block, std::span<const Variable> variables);

// One item of a request, and where its answer belongs.
struct Chunk {
  Item item;
  std::uint32_t block = 0;  // index
  std::size_t offset = 0;   // in the image
};
using Chunks = std::vector<Chunk>;  // 1 to kMaxItems: one request
// Requests for the blocks with these indexes, in their order.
std::vector<Chunks> pack(std::span<const Block> blocks, std::span<const std::uint32_t> indexes,
                         const Limits& limits);

// Most bytes of one item, of reads and of writes; of timers and counters an even number.
std::size_t longest_read(const Limits& limits);
std::size_t longest_write(const Limits& limits);

}  // namespace tributary::connectors::s7
