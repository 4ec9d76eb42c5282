#include "connectors/s7/src/codec.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace tributary::connectors::s7 {
namespace {

constexpr std::uint8_t kProtocolId = 0x32;
// How an item is asked for.
constexpr std::uint8_t kAskBit = 0x01;
constexpr std::uint8_t kAskByte = 0x02;
// How the data of an item travel, and in what their length is counted.
constexpr std::uint8_t kDataNone = 0x00;
constexpr std::uint8_t kDataBit = 0x03;     // bits
constexpr std::uint8_t kDataBytes = 0x04;   // bits
constexpr std::uint8_t kDataInts = 0x05;    // bits
constexpr std::uint8_t kDataReals = 0x07;   // bytes
constexpr std::uint8_t kDataOctets = 0x09;  // bytes
constexpr std::string_view kProgram = "P_PROGRAM";

std::uint8_t at(std::span<const std::byte> bytes, std::size_t i) {
  return std::to_integer<std::uint8_t>(bytes[i]);
}

// Bytes of one element of the kinds a client may ask for: byte, char, word, int, double word,
// double int, real. 0: none of them.
std::size_t element_size(std::uint8_t ask) {
  constexpr std::array<std::uint8_t, 9> kSizes{0, 0, 1, 1, 2, 2, 4, 4, 4};
  return ask < kSizes.size() ? kSizes[ask] : 0;
}

// Puts bytes one after another.
class Writer {
 public:
  explicit Writer(std::span<std::byte> out, std::size_t at = 0) : out_(out), at_(at) {}
  Writer& u8(std::size_t value) {
    assert(at_ < out_.size());
    out_[at_++] = static_cast<std::byte>(value);
    return *this;
  }
  Writer& u16(std::size_t value) { return u8(value >> 8).u8(value & 0xFF); }
  Writer& bytes(std::span<const std::byte> from) {
    assert(at_ + from.size() <= out_.size());
    std::ranges::copy(from, out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += from.size();
    return *this;
  }
  Writer& text(std::string_view from) { return bytes(std::as_bytes(std::span(from))); }
  std::size_t size() const { return at_; }

 private:
  std::span<std::byte> out_;
  std::size_t at_;
};

Writer job(Out out) {
  return Writer(out, kDataHeaderSize + kJobHeaderSize);
}
std::size_t finish_job(std::uint16_t reference, std::size_t begin_of_data, const Writer& writer,
                       Out out) {
  constexpr std::size_t begin = kDataHeaderSize + kJobHeaderSize;
  return finish_frame(MessageType::kJob, reference, 0, begin_of_data - begin,
                      writer.size() - begin_of_data, out);
}

void put_item(Writer& writer, const Item& item) {
  const bool counted = is_counted(item.area);
  const auto transport = item.bit >= 0 ? kAskBit : kAskByte;
  writer.u8(0x12).u8(0x0A).u8(0x10);
  writer.u8(counted ? static_cast<std::uint8_t>(item.area) : transport);
  writer.u16(item.amount).u16(item.db).u8(static_cast<std::uint8_t>(item.area));
  const std::uint32_t address =
      counted ? item.begin
              : item.begin * 8 + static_cast<std::uint32_t>(std::max<int>(item.bit, 0));
  writer.u8((address >> 16) & 0xFF).u16(address & 0xFFFF);
}

bool take_item(std::span<const std::byte> bytes, Item& item) {
  if (at(bytes, 0) != 0x12 || at(bytes, 1) != 0x0A || at(bytes, 2) != 0x10) return false;
  const std::uint8_t transport = at(bytes, 3);
  const std::uint8_t area = at(bytes, 8);
  item.amount = load_u16(&bytes[4]);
  item.db = load_u16(&bytes[6]);
  const std::uint32_t address = (std::uint32_t{at(bytes, 9)} << 16) | load_u16(&bytes[10]);
  const bool counted = area == 0x1C || area == 0x1D;
  if (!counted && (area < 0x80 || area > 0x84)) return false;
  item.area = static_cast<Area>(area);
  item.bit = -1;
  item.begin = counted ? address : address / 8;
  if (counted) return transport == area && item.amount > 0;
  if (transport == kAskBit) {
    item.bit = static_cast<std::int8_t>(address % 8);
    return item.amount == 1;
  }
  const std::size_t size = element_size(transport) * item.amount;
  if (size == 0 || size > kMaxFrameSize || address % 8 != 0) return false;
  item.amount = static_cast<std::uint16_t>(size);
  return true;
}

// Bytes of data behind an item's four bytes.
std::size_t data_size(std::uint8_t transport, std::size_t length) {
  switch (transport) {
    case kDataBit:
    case kDataBytes:
    case kDataInts:
      return (length + 7) / 8;
    default:
      return length;
  }
}

// The next code, kind, length and data of `rest`; false when they do not fit. All but the last are
// padded to even length.
bool take_data(std::span<const std::byte>& rest, ItemReply& reply) {
  if (rest.size() < kItemReplySize) return false;
  reply.code = at(rest, 0);
  const std::uint8_t transport = at(rest, 1);
  const std::size_t size = transport == kDataNone ? 0 : data_size(transport, load_u16(&rest[2]));
  if (rest.size() < kItemReplySize + size) return false;
  reply.data = rest.subspan(kItemReplySize, size);
  rest = rest.subspan(std::min(kItemReplySize + padded(size), rest.size()));
  return true;
}

void put_data(Writer& writer, const WriteItem& item) {
  writer.u8(0);
  if (item.item.bit >= 0) {
    writer.u8(kDataBit).u16(1);
  } else if (is_counted(item.item.area)) {
    writer.u8(kDataOctets).u16(item.data.size());
  } else {
    writer.u8(kDataBytes).u16(item.data.size() * 8);
  }
  writer.bytes(item.data);
}

}  // namespace

FrameState parse_frame(std::span<const std::byte> buffer, Frame& frame) {
  // What cannot become a frame any more is said at once, not when a made-up length is reached.
  if (!buffer.empty() && at(buffer, 0) != 3) return FrameState::kNotS7;
  if (buffer.size() < 4) return FrameState::kIncomplete;
  const std::size_t size = load_u16(&buffer[2]);
  if (size < kDataHeaderSize || size > kMaxFrameSize) return FrameState::kNotS7;
  if (buffer.size() < size) return FrameState::kIncomplete;
  const auto all = buffer.first(size);
  const std::size_t header = at(all, 4) + std::size_t{1};  // the length does not count itself
  if (header < 3 || 4 + header > size) return FrameState::kNotS7;
  frame = {};
  frame.size = size;
  frame.type = static_cast<CotpType>(at(all, 5) & 0xF0);
  switch (frame.type) {
    case CotpType::kData:
      frame.last = (at(all, 6) & 0x80) != 0;
      frame.payload = all.subspan(4 + header);
      return FrameState::kComplete;
    case CotpType::kDisconnectRequest:
      frame.reason = header > 6 ? at(all, 10) : std::uint8_t{0};
      return FrameState::kComplete;
    case CotpType::kConnectConfirm:
      return header >= 7 ? FrameState::kComplete : FrameState::kNotS7;
    case CotpType::kConnectRequest:
      if (header < 7) return FrameState::kNotS7;
      for (std::size_t i = 11; i + 1 < 4 + header; i += std::size_t{2} + at(all, i + 1)) {
        if (at(all, i) == 0xC2 && at(all, i + 1) == 2 && i + 3 < 4 + header)
          frame.remote_tsap = load_u16(&all[i + 2]);
      }
      return FrameState::kComplete;
  }
  return FrameState::kNotS7;
}

bool parse_message(std::span<const std::byte> bytes, Message& message) {
  if (bytes.size() < kJobHeaderSize || at(bytes, 0) != kProtocolId) return false;
  const std::uint8_t type = at(bytes, 1);
  if (type != 1 && type != 2 && type != 3 && type != 7) return false;
  message.type = static_cast<MessageType>(type);
  message.reference = load_u16(&bytes[4]);
  const std::size_t parameters = load_u16(&bytes[6]);
  const std::size_t data = load_u16(&bytes[8]);
  const bool answers = type == 2 || type == 3;
  const std::size_t header = answers ? kAckHeaderSize : kJobHeaderSize;
  if (bytes.size() != header + parameters + data) return false;
  message.error = answers ? load_u16(&bytes[10]) : std::uint16_t{0};
  message.parameters = bytes.subspan(header, parameters);
  message.data = bytes.subspan(header + parameters, data);
  return true;
}

std::size_t finish_frame(MessageType type, std::uint16_t reference, std::uint16_t error,
                         std::size_t parameters, std::size_t data, Out out) {
  const bool answers = type == MessageType::kAck || type == MessageType::kAckData;
  const std::size_t header = answers ? kAckHeaderSize : kJobHeaderSize;
  const std::size_t size = kDataHeaderSize + header + parameters + data;
  Writer writer(out);
  writer.u8(3).u8(0).u16(size).u8(2).u8(static_cast<std::uint8_t>(CotpType::kData)).u8(0x80);
  writer.u8(kProtocolId).u8(static_cast<std::uint8_t>(type)).u16(0).u16(reference);
  writer.u16(parameters).u16(data);
  if (answers) writer.u16(error);
  return size;
}

std::size_t encode_connect(std::uint16_t local_tsap, std::uint16_t remote_tsap, Out out) {
  constexpr std::size_t kSize = 22;
  Writer writer(out);
  writer.u8(3).u8(0).u16(kSize).u8(kSize - 5);
  writer.u8(static_cast<std::uint8_t>(CotpType::kConnectRequest)).u16(0).u16(1).u8(0);
  writer.u8(0xC0).u8(1).u8(0x0A);  // TPDUs of 2^10 bytes
  writer.u8(0xC1).u8(2).u16(local_tsap).u8(0xC2).u8(2).u16(remote_tsap);
  return writer.size();
}

std::size_t encode_confirm(std::span<const std::byte> request, Out out) {
  Writer writer(out);
  writer.bytes(request);
  out[5] = static_cast<std::byte>(CotpType::kConnectConfirm);
  std::copy_n(request.begin() + 8, 2, out.begin() + 6);
  return request.size();
}

std::size_t encode_disconnect(Out out) {
  constexpr std::size_t kSize = 11;
  Writer writer(out);
  writer.u8(3).u8(0).u16(kSize).u8(kSize - 5);
  writer.u8(static_cast<std::uint8_t>(CotpType::kDisconnectRequest)).u16(0).u16(1).u8(0x80);
  return writer.size();
}

std::size_t encode_setup(std::uint16_t reference, std::uint16_t pdu_size, Out out) {
  Writer writer = job(out);
  writer.u8(static_cast<std::uint8_t>(Function::kSetup)).u8(0).u16(1).u16(1).u16(pdu_size);
  return finish_job(reference, writer.size(), writer, out);
}

std::size_t encode_read(std::uint16_t reference, std::span<const Item> items, Out out) {
  assert(!items.empty() && items.size() <= kMaxItems);
  Writer writer = job(out);
  writer.u8(static_cast<std::uint8_t>(Function::kRead)).u8(items.size());
  for (const Item& item : items) put_item(writer, item);
  return finish_job(reference, writer.size(), writer, out);
}

std::size_t encode_write(std::uint16_t reference, std::span<const WriteItem> items, Out out) {
  assert(!items.empty() && items.size() <= kMaxItems);
  Writer writer = job(out);
  writer.u8(static_cast<std::uint8_t>(Function::kWrite)).u8(items.size());
  for (const WriteItem& item : items) put_item(writer, item.item);
  const std::size_t begin_of_data = writer.size();
  for (std::size_t i = 0; i < items.size(); ++i) {
    put_data(writer, items[i]);
    if (i + 1 < items.size() && items[i].data.size() % 2 != 0) writer.u8(0);
  }
  return finish_job(reference, begin_of_data, writer, out);
}

std::size_t encode_stop(std::uint16_t reference, Out out) {
  Writer writer = job(out);
  writer.u8(static_cast<std::uint8_t>(Function::kStop)).u8(0).u16(0).u16(0);
  writer.u8(kProgram.size()).text(kProgram);
  return finish_job(reference, writer.size(), writer, out);
}

std::size_t encode_start(std::uint16_t reference, bool cold, Out out) {
  Writer writer = job(out);
  writer.u8(static_cast<std::uint8_t>(Function::kStart)).u16(0).u16(0).u16(0).u8(0xFD);
  if (cold) {
    writer.u16(2).text("C ");
  } else {
    writer.u16(0);
  }
  writer.u8(kProgram.size()).text(kProgram);
  return finish_job(reference, writer.size(), writer, out);
}

std::size_t encode_user_data(std::uint16_t reference, const UserData& request, Out out) {
  constexpr std::size_t begin = kDataHeaderSize + kJobHeaderSize;
  const bool next = request.sequence != 0;
  Writer writer = job(out);
  writer.u8(0).u8(1).u8(0x12).u8(next ? 8 : 4).u8(next ? 0x12 : 0x11);
  writer.u8(0x40U | static_cast<std::uint8_t>(request.group)).u8(request.function);
  writer.u8(request.sequence);
  if (next) writer.u16(0).u16(0);
  const std::size_t begin_of_data = writer.size();
  if (request.data.empty()) {
    writer.u8(0x0A).u8(kDataNone).u16(0);
  } else {
    writer.u8(kItemDone).u8(kDataOctets).u16(request.data.size()).bytes(request.data);
  }
  return finish_frame(MessageType::kUserData, reference, 0, begin_of_data - begin,
                      writer.size() - begin_of_data, out);
}

bool decode_setup(const Message& message, std::uint16_t& pdu_size) {
  if (message.type != MessageType::kAckData || message.parameters.size() != 8) return false;
  if (at(message.parameters, 0) != static_cast<std::uint8_t>(Function::kSetup)) return false;
  pdu_size = load_u16(&message.parameters[6]);
  return true;
}

bool decode_read(const Message& message, std::span<const Item> items, ItemReplies& replies) {
  const auto parameters = message.parameters;
  if (message.type != MessageType::kAckData || parameters.size() != 2) return false;
  if (at(parameters, 0) != static_cast<std::uint8_t>(Function::kRead)) return false;
  if (at(parameters, 1) != items.size() || items.size() > kMaxItems) return false;
  auto rest = message.data;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!take_data(rest, replies[i])) return false;
    if (replies[i].code == kItemDone && replies[i].data.size() != size_of(items[i])) return false;
  }
  return true;
}

bool decode_write(const Message& message, std::size_t items, ItemReplies& replies) {
  const auto parameters = message.parameters;
  if (message.type != MessageType::kAckData || parameters.size() != 2) return false;
  if (at(parameters, 0) != static_cast<std::uint8_t>(Function::kWrite)) return false;
  if (at(parameters, 1) != items || items > kMaxItems) return false;
  if (message.data.size() != items) return false;
  for (std::size_t i = 0; i < items; ++i) replies[i] = {at(message.data, i), {}};
  return true;
}

bool decode_user_data(const Message& message, const UserData& request, UserReply& reply) {
  const auto parameters = message.parameters;
  if (message.type != MessageType::kUserData || parameters.size() != 12) return false;
  if (at(parameters, 4) != 0x12) return false;
  if (at(parameters, 5) != (0x80U | static_cast<std::uint8_t>(request.group))) return false;
  if (at(parameters, 6) != request.function) return false;
  reply.sequence = at(parameters, 7);
  reply.more = at(parameters, 9) != 0;
  reply.error = load_u16(&parameters[10]);
  ItemReply item;
  auto rest = message.data;
  if (!take_data(rest, item)) return false;
  reply.code = item.code;
  reply.data = item.data;
  return true;
}

std::size_t decode_items(const Message& message, Items& items,
                         std::array<std::span<const std::byte>, kMaxItems>& data) {
  const auto parameters = message.parameters;
  if (message.type != MessageType::kJob || parameters.size() < 2) return 0;
  const std::uint8_t function = at(parameters, 0);
  const bool writes = function == static_cast<std::uint8_t>(Function::kWrite);
  if (!writes && function != static_cast<std::uint8_t>(Function::kRead)) return 0;
  const std::size_t count = at(parameters, 1);
  if (count > kMaxItems || parameters.size() != 2 + count * kItemSize) return 0;
  auto rest = message.data;
  for (std::size_t i = 0; i < count; ++i) {
    if (!take_item(parameters.subspan(2 + i * kItemSize, kItemSize), items[i])) return 0;
    if (!writes) continue;
    ItemReply taken;
    if (!take_data(rest, taken) || taken.data.size() != size_of(items[i])) return 0;
    data[i] = taken.data;
  }
  return count;
}

bool decode_user_request(const Message& message, UserData& request) {
  const auto parameters = message.parameters;
  if (message.type != MessageType::kUserData || parameters.size() < 8) return false;
  request.group = static_cast<Group>(at(parameters, 5) & 0x0F);
  request.function = at(parameters, 6);
  request.sequence = at(parameters, 7);
  ItemReply item;
  auto rest = message.data;
  if (!take_data(rest, item)) return false;
  request.data = item.data;
  return true;
}

std::array<std::byte, 8> fold_password(std::string_view password) {
  std::array<std::byte, 8> folded;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    folded[i] = static_cast<std::byte>(i < password.size() ? password[i] : ' ') ^ std::byte{0x55};
    if (i >= 2) folded[i] ^= folded[i - 2];
  }
  return folded;
}

}  // namespace tributary::connectors::s7
