#include "connectors/s7/src/plan.hpp"

#include <algorithm>

#include "field/merge.hpp"

namespace tributary::connectors::s7 {
namespace {

std::uint32_t space_of(Area area, std::uint16_t db) {
  return (static_cast<std::uint32_t>(area) << 16) | db;
}

std::vector<field::Extent> extents_of(std::span<const Variable> variables) {
  std::vector<field::Extent> extents;
  extents.reserve(variables.size());
  for (const Variable& variable : variables)
    extents.push_back({space_of(variable.area, variable.db), variable.begin, variable.end()});
  return extents;
}

std::vector<Block> to_blocks(std::vector<field::Block> merged) {
  std::vector<Block> blocks;
  blocks.reserve(merged.size());
  for (field::Block& from : merged) {
    blocks.push_back({static_cast<Area>(from.space >> 16),
                      static_cast<std::uint16_t>(from.space & 0xFFFF), from.begin, from.end, 0,
                      std::move(from.items)});
  }
  return blocks;
}

}  // namespace

std::size_t longest_read(const Limits& limits) {
  return (limits.pdu_size - kReadOverhead) / 2 * 2;
}
std::size_t longest_write(const Limits& limits) {
  return (limits.pdu_size - kWriteOverhead) / 2 * 2;
}

std::vector<Block> make_blocks(std::span<const Variable> variables, const Limits& limits) {
  const auto longest = static_cast<std::uint32_t>(longest_read(limits));
  auto blocks = to_blocks(field::merge(extents_of(variables), [&](std::uint32_t space) {
    const bool counted = is_counted(static_cast<Area>(space >> 16));
    const std::uint32_t unit = counted ? 2 : 1;
    return field::MergeRules{longest / unit, limits.max_gap_bytes / unit};
  }));
  std::size_t offset = 0;
  for (Block& block : blocks) {
    block.offset = offset;
    offset += block.bytes();
  }
  return blocks;
}

std::vector<Block> split(const Block& block, std::span<const Variable> variables) {
  // Only the block's own variables: the others are not looked at.
  std::vector<Variable> own;
  own.reserve(block.variables.size());
  for (const std::uint32_t index : block.variables) own.push_back(variables[index]);
  field::Block whole{space_of(block.area, block.db), block.begin, block.end, {}};
  for (std::uint32_t i = 0; i < own.size(); ++i) whole.items.push_back(i);
  auto parts = to_blocks(field::split(whole, extents_of(own)));
  for (Block& part : parts) {
    part.offset = block.offset + block.bytes_to(part.begin);
    for (std::uint32_t& index : part.variables) index = block.variables[index];
  }
  return parts;
}

std::vector<Chunks> pack(std::span<const Block> blocks, std::span<const std::uint32_t> indexes,
                         const Limits& limits) {
  constexpr std::size_t kReplyHeader = kAckHeaderSize + 2;
  const std::size_t longest = longest_read(limits);
  const std::size_t most_items =
      std::min(limits.max_items, (limits.pdu_size - kJobHeaderSize - 2) / kItemSize);
  std::vector<Chunks> requests;
  std::size_t used = limits.pdu_size;  // of the reply to the last request
  for (const std::uint32_t index : indexes) {
    const Block& block = blocks[index];
    const std::size_t unit = is_counted(block.area) ? 2 : 1;
    for (std::size_t done = 0; done < block.bytes();) {
      const std::size_t size = std::min(block.bytes() - done, longest);
      const std::size_t cost = kItemReplySize + padded(size);
      if (requests.empty() || requests.back().size() >= most_items ||
          used + cost > limits.pdu_size) {
        requests.emplace_back();
        used = kReplyHeader;
      }
      used += cost;
      Chunk chunk;
      chunk.item = {block.area, block.db, block.begin + static_cast<std::uint32_t>(done / unit),
                    static_cast<std::uint16_t>(size / unit), -1};
      chunk.block = index;
      chunk.offset = block.offset + done;
      requests.back().push_back(chunk);
      done += size;
    }
  }
  return requests;
}

}  // namespace tributary::connectors::s7
