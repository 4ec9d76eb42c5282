// What travels between an S7 client and a CPU, both directions, without I/O: RFC 1006 (TPKT), ISO
// 8073 class 0 (COTP), and the S7 protocol inside. The last is published by nobody; the names are
// those of the Wireshark dissector and of the libraries of this field. Nothing here allocates;
// views point into the caller's buffer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tributary::connectors::s7 {

// TPKT (4): version, reserved, length of all. COTP data (3): length, type, end of message.
inline constexpr std::size_t kDataHeaderSize = 7;
// Of an S7 message: without and with an error code.
inline constexpr std::size_t kJobHeaderSize = 10;
inline constexpr std::size_t kAckHeaderSize = 12;
inline constexpr std::size_t kMinPduSize = 112;
inline constexpr std::size_t kMaxPduSize = 960;
// We announce 1024 bytes of COTP; some CPUs send lists in messages of their own size.
inline constexpr std::size_t kMaxFrameSize = 2048;
// Of one request: what every CPU takes.
inline constexpr std::size_t kMaxItems = 20;
inline constexpr std::size_t kItemSize = 12;      // in a request
inline constexpr std::size_t kItemReplySize = 4;  // before the data of an item
// What a reply to one item leaves for its data, and what a write of one item does.
inline constexpr std::size_t kReadOverhead = kAckHeaderSize + 2 + kItemReplySize;
inline constexpr std::size_t kWriteOverhead = kJobHeaderSize + 2 + kItemSize + kItemReplySize;

enum class Area : std::uint8_t {
  kCounters = 0x1C,
  kTimers = 0x1D,
  kPeripheral = 0x80,
  kInputs = 0x81,
  kOutputs = 0x82,
  kMerkers = 0x83,
  kDataBlocks = 0x84,
};
// Timers and counters are counted; all else is bytes.
constexpr bool is_counted(Area area) {
  return area == Area::kTimers || area == Area::kCounters;
}

inline std::uint16_t load_u16(const std::byte* at) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(at[0]) << 8) |
                                    std::to_integer<unsigned>(at[1]));
}
inline void store_u16(std::byte* at, std::uint16_t value) {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value & 0xFF);
}

enum class CotpType : std::uint8_t {
  kConnectRequest = 0xE0,
  kConnectConfirm = 0xD0,
  kDisconnectRequest = 0x80,
  kData = 0xF0,
};

// A whole TPKT in a receive buffer.
struct Frame {
  CotpType type = CotpType::kData;
  bool last = true;                      // kData: no more of this message follows
  std::uint8_t reason = 0;               // kDisconnectRequest
  std::uint16_t remote_tsap = 0;         // kConnectRequest: who is called
  std::span<const std::byte> payload{};  // kData
  std::size_t size = 0;                  // of all, headers included
};
enum class FrameState : std::uint8_t { kIncomplete, kComplete, kNotS7 };
// Looks for one frame at the start of `buffer`. What follows it stays for the next call.
FrameState parse_frame(std::span<const std::byte> buffer, Frame& frame);

// kJob and kUserData are asked, kAckData (or kAck, without data) and kUserData answered.
enum class MessageType : std::uint8_t { kJob = 1, kAck = 2, kAckData = 3, kUserData = 7 };
struct Message {
  MessageType type = MessageType::kJob;
  std::uint16_t reference = 0;
  std::uint16_t error = 0;  // class and code; 0: none
  std::span<const std::byte> parameters;
  std::span<const std::byte> data;
};
bool parse_message(std::span<const std::byte> bytes, Message& message);

enum class Function : std::uint8_t {
  kRead = 0x04,
  kWrite = 0x05,
  kStart = 0x28,
  kStop = 0x29,
  kSetup = 0xF0,
};

// One piece of memory: `amount` bytes from a byte, `amount` timers or counters from a number, or
// one bit.
struct Item {
  Area area = Area::kMerkers;
  std::uint16_t db = 0;
  std::uint32_t begin = 0;   // byte, or number of the timer or counter
  std::uint16_t amount = 1;  // bytes, or timers or counters; 1 of a bit
  std::int8_t bit = -1;      // 0 to 7: this bit of the byte

  friend bool operator==(const Item&, const Item&) = default;
};
// Bytes that it travels in; 1 for a bit.
constexpr std::size_t size_of(const Item& item) {
  return is_counted(item.area) ? item.amount * std::size_t{2} : item.amount;
}
constexpr std::size_t padded(std::size_t size) {
  return size + size % 2;
}

// Frames of a client. Each returns the size of the frame in `out`, which has kMaxFrameSize bytes.
using Out = std::span<std::byte, kMaxFrameSize>;
std::size_t encode_connect(std::uint16_t local_tsap, std::uint16_t remote_tsap, Out out);
std::size_t encode_disconnect(Out out);
std::size_t encode_setup(std::uint16_t reference, std::uint16_t pdu_size, Out out);
std::size_t encode_read(std::uint16_t reference, std::span<const Item> items, Out out);
struct WriteItem {
  Item item;
  std::span<const std::byte> data;  // size_of(item) bytes; a bit is 0 or 1
};
std::size_t encode_write(std::uint16_t reference, std::span<const WriteItem> items, Out out);
std::size_t encode_stop(std::uint16_t reference, Out out);
std::size_t encode_start(std::uint16_t reference, bool cold, Out out);

// What is not memory: groups of functions with data in pieces.
enum class Group : std::uint8_t { kBlocks = 3, kCpu = 4, kSecurity = 5, kTime = 7 };
struct UserData {
  Group group = Group::kCpu;
  std::uint8_t function = 0;
  std::span<const std::byte> data{};  // empty: asks without saying anything
  std::uint8_t sequence = 0;          // not 0: the next piece of the answer with this number
};
std::size_t encode_user_data(std::uint16_t reference, const UserData& request, Out out);

// Answers. False: what came does not answer what was asked.
bool decode_setup(const Message& message, std::uint16_t& pdu_size);
struct ItemReply {
  std::uint8_t code = 0xFF;         // 0xFF: done
  std::span<const std::byte> data;  // reads that were done: size_of(item) bytes
};
inline constexpr std::uint8_t kItemDone = 0xFF;
using ItemReplies = std::array<ItemReply, kMaxItems>;
bool decode_read(const Message& message, std::span<const Item> items, ItemReplies& replies);
bool decode_write(const Message& message, std::size_t items, ItemReplies& replies);
struct UserReply {
  std::uint8_t sequence = 0;
  bool more = false;
  std::uint16_t error = 0;
  std::uint8_t code = kItemDone;
  std::span<const std::byte> data;
};
bool decode_user_data(const Message& message, const UserData& request, UserReply& reply);

// The server's side: the items of a read or a write. Returns how many, 0 for none or a mistake.
// Writes: `data` gets what is to be written, by item.
using Items = std::array<Item, kMaxItems>;
std::size_t decode_items(const Message& message, Items& items,
                         std::array<std::span<const std::byte>, kMaxItems>& data);
bool decode_user_request(const Message& message, UserData& request);
// An answer: the header, then what the caller put behind kDataHeaderSize + kAckHeaderSize (or
// kJobHeaderSize for user data).
std::size_t finish_frame(MessageType type, std::uint16_t reference, std::uint16_t error,
                         std::size_t parameters, std::size_t data, Out out);
std::size_t encode_confirm(std::span<const std::byte> request, Out out);

// Passwords of protected CPUs travel folded, eight characters.
std::array<std::byte, 8> fold_password(std::string_view password);

}  // namespace tributary::connectors::s7
