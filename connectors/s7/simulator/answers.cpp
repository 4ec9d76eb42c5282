#include "connectors/s7/simulator/answers.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "connectors/s7/src/lists.hpp"

namespace tributary::connectors::s7::simulator {
namespace {

constexpr std::uint16_t kNotSupported = 0x8104;
constexpr std::uint16_t kNoSuchList = 0xD401;
constexpr std::uint16_t kWrongPassword = 0xD602;
constexpr std::uint16_t kNoPassword = 0xD605;

std::byte byte(std::size_t value) {
  return static_cast<std::byte>(value);
}

// Where the parameters of an answer begin.
std::span<std::byte> body(Out out) {
  return std::span<std::byte>(out).subspan(kDataHeaderSize + kAckHeaderSize);
}

std::size_t refuse(const Message& message, std::uint16_t error, Out out) {
  return finish_frame(MessageType::kAck, message.reference, error, 0, 0, out);
}

std::size_t answer_setup(const Message& message, const ServerOptions& options, Dialogue& dialogue,
                         Out out) {
  if (message.parameters.size() != 8) return 0;
  const auto to = body(out);
  std::ranges::copy(message.parameters, to.begin());
  dialogue.pdu_size = std::min(load_u16(&message.parameters[6]), options.pdu_size);
  store_u16(&to[6], dialogue.pdu_size);
  return finish_frame(MessageType::kAckData, message.reference, 0, 8, 0, out);
}

std::size_t answer_read(const Message& message, Device& device, bool open, const Dialogue& dialogue,
                        Out out) {
  Items items;
  std::array<std::span<const std::byte>, kMaxItems> ignored;
  const std::size_t count = decode_items(message, items, ignored);
  if (count == 0) return refuse(message, kNotSupported, out);
  const auto to = body(out);
  to[0] = byte(static_cast<std::size_t>(Function::kRead));
  to[1] = byte(count);
  std::size_t at = 2;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t size = size_of(items[i]);
    constexpr std::uint16_t kTooLong = 0x8500;
    if (kAckHeaderSize + at + kItemReplySize + size > dialogue.pdu_size)
      return refuse(message, kTooLong, out);
    const auto data = to.subspan(at + kItemReplySize, size);
    std::ranges::fill(data, std::byte{0});
    const std::uint8_t code = open ? device.read(items[i], data) : kAccessDenied;
    to[at] = byte(code);
    if (code != kItemDone) {
      to[at + 1] = std::byte{0};
      store_u16(&to[at + 2], 0);
      at += kItemReplySize;
      continue;
    }
    const bool bit = items[i].bit >= 0;
    const bool counted = is_counted(items[i].area);
    to[at + 1] = byte(bit ? 3 : counted ? 9 : 4);
    store_u16(&to[at + 2], static_cast<std::uint16_t>(bit ? 1 : counted ? size : size * 8));
    at += kItemReplySize + size;
    if (size % 2 != 0 && i + 1 < count) to[at++] = std::byte{0};
  }
  return finish_frame(MessageType::kAckData, message.reference, 0, 2, at - 2, out);
}

std::size_t answer_write(const Message& message, Device& device, bool open, Out out) {
  Items items;
  std::array<std::span<const std::byte>, kMaxItems> data;
  const std::size_t count = decode_items(message, items, data);
  if (count == 0) return refuse(message, kNotSupported, out);
  const auto to = body(out);
  to[0] = byte(static_cast<std::size_t>(Function::kWrite));
  to[1] = byte(count);
  for (std::size_t i = 0; i < count; ++i)
    to[2 + i] = byte(open ? device.write(items[i], data[i]) : kAccessDenied);
  return finish_frame(MessageType::kAckData, message.reference, 0, 2, count, out);
}

// --- user data ---

using Bytes = std::vector<std::byte>;

void put_text(Bytes& to, std::string_view text, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) to.push_back(byte(i < text.size() ? text[i] : 0));
}
void put_u16(Bytes& to, std::size_t value) {
  to.push_back(byte(value >> 8));
  to.push_back(byte(value & 0xFF));
}

std::optional<Bytes> system_list(std::uint16_t id, const Device& device,
                                 const ServerOptions& options) {
  Bytes list;
  const auto head = [&](std::size_t size, std::size_t count) {
    put_u16(list, id);
    put_u16(list, 0);
    put_u16(list, size);
    put_u16(list, count);
  };
  switch (id) {
    case 0x0011:
      head(28, 2);
      put_u16(list, 1);
      put_text(list, options.order_number, 20);
      put_text(list, {}, 6);
      put_u16(list, 7);
      put_text(list, "Boot Loader", 20);
      put_u16(list, 0);
      put_text(list, {"V\x03\x02\x06", 4}, 4);
      return list;
    case 0x001C:
      head(34, 2);
      put_u16(list, 1);
      put_text(list, options.name, 32);
      put_u16(list, 7);
      put_text(list, options.module, 32);
      return list;
    case 0x0424:
      head(20, 1);
      put_u16(list, 0x0251);
      list.push_back(std::byte{0xFF});
      list.push_back(byte(device.running() ? 8 : 4));
      put_text(list, {}, 16);
      return list;
    default:
      return std::nullopt;
  }
}

std::optional<Bytes> block_list(const UserData& request, const Device& device) {
  const auto blocks = device.data_blocks();
  Bytes list;
  if (request.function == 1) {
    for (const BlockType& type : block_types()) {
      list.push_back(std::byte{0x30});
      list.push_back(type.code);
      put_u16(list, type.name == "DB" ? blocks.size() : 0);
    }
    return list;
  }
  if (request.function != 2 || request.data.size() != 2) return std::nullopt;
  for (const std::uint16_t number : blocks) {
    put_u16(list, number);
    put_u16(list, 0x2205);
  }
  return list;
}

std::size_t user_answer(const Message& message, const UserData& request, std::uint16_t error,
                        std::span<const std::byte> data, Out out) {
  const auto to = std::span<std::byte>(out).subspan(kDataHeaderSize + kJobHeaderSize);
  const std::array<std::byte, 12> parameters{
      std::byte{0},           std::byte{1},     std::byte{0x12},
      std::byte{8},           std::byte{0x12},  byte(0x80U | static_cast<unsigned>(request.group)),
      byte(request.function), std::byte{1},     std::byte{0},
      std::byte{0},           byte(error >> 8), byte(error & 0xFF)};
  std::ranges::copy(parameters, to.begin());
  const bool empty = data.empty();
  to[12] = byte(empty ? 0x0A : kItemDone);
  to[13] = byte(empty ? 0 : 9);
  store_u16(&to[14], static_cast<std::uint16_t>(data.size()));
  std::ranges::copy(data, to.begin() + 16);
  return finish_frame(MessageType::kUserData, message.reference, 0, 12, 4 + data.size(), out);
}

std::size_t answer_user(const Message& message, Device& device, const ServerOptions& options,
                        Dialogue& dialogue, Out out) {
  UserData request;
  if (!decode_user_request(message, request)) return 0;
  const auto say = [&](const std::optional<Bytes>& data, std::uint16_t otherwise) {
    if (!data) return user_answer(message, request, otherwise, {}, out);
    return user_answer(message, request, 0, *data, out);
  };
  if (request.group == Group::kCpu && request.function == 1 && request.data.size() == 4)
    return say(system_list(load_u16(request.data.data()), device, options), kNoSuchList);
  if (request.group == Group::kBlocks) return say(block_list(request, device), kNotSupported);
  if (request.group == Group::kTime && request.function == 1) {
    const auto clock = clock_request(device.clock());
    return say(clock ? std::optional<Bytes>(Bytes(clock->begin(), clock->end())) : std::nullopt,
               kNotSupported);
  }
  if (request.group == Group::kTime && request.function == 2) {
    const auto clock = parse_clock_reply(request.data);
    if (!clock) return say(std::nullopt, kNotSupported);
    device.set_clock(*clock);
    return say(Bytes{}, 0);
  }
  if (request.group == Group::kSecurity && request.function == 1) {
    if (options.password.empty()) return say(std::nullopt, kNoPassword);
    dialogue.unlocked = std::ranges::equal(request.data, fold_password(options.password));
    return dialogue.unlocked ? say(Bytes{}, 0) : say(std::nullopt, kWrongPassword);
  }
  return say(std::nullopt, kNotSupported);
}

std::size_t answer_state(const Message& message, Device& device, bool run, Out out) {
  device.set_running(run);
  body(out)[0] = message.parameters[0];
  return finish_frame(MessageType::kAckData, message.reference, 0, 1, 0, out);
}

}  // namespace

std::size_t answer(const Message& message, Device& device, const ServerOptions& options,
                   Dialogue& dialogue, Out out) {
  if (message.type == MessageType::kUserData)
    return answer_user(message, device, options, dialogue, out);
  if (message.type != MessageType::kJob || message.parameters.empty()) return 0;
  const bool open = options.password.empty() || dialogue.unlocked;
  switch (static_cast<Function>(message.parameters[0])) {
    case Function::kSetup:
      return answer_setup(message, options, dialogue, out);
    case Function::kRead:
      return answer_read(message, device, open, dialogue, out);
    case Function::kWrite:
      return answer_write(message, device, open, out);
    case Function::kStart:
      return answer_state(message, device, true, out);
    case Function::kStop:
      return answer_state(message, device, false, out);
  }
  return refuse(message, kNotSupported, out);
}

}  // namespace tributary::connectors::s7::simulator
