// Everything that reads bytes from the network: frames, messages, answers to each kind of question,
// questions, and values.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "connectors/s7/src/codec.hpp"
#include "connectors/s7/src/lists.hpp"
#include "connectors/s7/src/types.hpp"

using namespace tributary::connectors::s7;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void try_answers(const Message& message) {
  const std::array<Item, 3> items{{{Area::kDataBlocks, 1, 0, 4, -1},
                                   {Area::kTimers, 0, 5, 2, -1},
                                   {Area::kMerkers, 0, 0, 1, 3}}};
  for (std::size_t count = 1; count <= items.size(); ++count) {
    ItemReplies replies;
    if (!decode_read(message, std::span(items).first(count), replies)) continue;
    for (std::size_t i = 0; i < count; ++i)
      require(replies[i].code != kItemDone || replies[i].data.size() == size_of(items[i]));
  }
  ItemReplies replies;
  decode_write(message, 2, replies);
  std::uint16_t pdu = 0;
  decode_setup(message, pdu);
  UserReply user;
  for (const Group group : {Group::kCpu, Group::kBlocks, Group::kTime}) {
    if (!decode_user_data(message, {group, 1, {}, 0}, user)) continue;
    CpuInfo info;
    if (const auto list = parse_system_list(user.data)) {
      add_module(*list, info);
      add_component(*list, info);
      parse_state(*list);
    }
    parse_block_counts(user.data);
    parse_block_numbers(user.data);
    parse_clock_reply(user.data);
  }
}

// A question that was understood is written as it was meant.
void try_questions(const Message& message) {
  Items items;
  std::array<std::span<const std::byte>, kMaxItems> data;
  const std::size_t count = decode_items(message, items, data);
  UserData user;
  decode_user_request(message, user);
  if (count == 0) return;
  std::array<std::byte, kMaxFrameSize> out;
  std::size_t size = 0;
  if (message.parameters[0] == static_cast<std::byte>(Function::kRead)) {
    size = encode_read(message.reference, std::span(items).first(count), out);
  } else {
    std::array<WriteItem, kMaxItems> writes;
    for (std::size_t i = 0; i < count; ++i) writes[i] = {items[i], data[i]};
    size = encode_write(message.reference, std::span(writes).first(count), out);
  }
  Frame frame;
  require(parse_frame(std::span(out).first(size), frame) == FrameState::kComplete);
  Message again;
  Items same;
  require(parse_message(frame.payload, again));
  require(decode_items(again, same, data) == count);
  require(
      std::equal(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count), same.begin()));
}

void try_values(std::span<const std::byte> bytes) {
  for (int type = 0; type <= static_cast<int>(Type::kCounter); ++type) {
    for (const std::uint16_t count : {std::uint16_t{1}, std::uint16_t{3}}) {
      const Layout layout{static_cast<Type>(type), 4, count, {}};
      const std::size_t size = size_of(layout, 7);
      if (bytes.size() >= size) decode(layout, 7, bytes.first(size));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::byte> rest = std::as_bytes(std::span(data, size));
  try_values(rest);
  Frame frame;
  while (parse_frame(rest, frame) == FrameState::kComplete) {
    require(frame.size <= rest.size() && frame.size <= kMaxFrameSize);
    Message message;
    if (parse_message(frame.payload, message)) {
      try_answers(message);
      try_questions(message);
    }
    rest = rest.subspan(frame.size);
  }
  return 0;
}
