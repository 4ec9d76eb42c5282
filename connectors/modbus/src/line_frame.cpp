#include "connectors/modbus/src/line_frame.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace tributary::connectors::modbus {
namespace {

constexpr std::array<std::uint16_t, 256> make_crc_table() {
  std::array<std::uint16_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0xA001U : crc >> 1U;
    table[byte] = static_cast<std::uint16_t>(crc);
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

constexpr char kHex[] = "0123456789ABCDEF";

int nibble(std::byte c) {
  const char text = static_cast<char>(c);
  if (text >= '0' && text <= '9') return text - '0';
  if (text >= 'A' && text <= 'F') return text - 'A' + 10;
  if (text >= 'a' && text <= 'f') return text - 'a' + 10;
  return -1;
}

enum class AtStart : std::uint8_t { kNothing, kBeginning, kFrame };

// What the buffer begins with.
AtStart rtu_frame_at(Side side, std::span<const std::byte> buffer, LineFrame& frame) {
  const auto pdu = buffer.subspan(1);
  const auto size = side == Side::kReply ? reply_pdu_size(pdu) : request_pdu_size(pdu);
  if (size && *size == 0) return AtStart::kNothing;
  if (!size || buffer.size() < *size + 3) return AtStart::kBeginning;
  const std::uint16_t sum = crc16(buffer.first(*size + 1));
  const auto low = static_cast<std::byte>(sum & 0xFF);
  const auto high = static_cast<std::byte>(sum >> 8);
  if (buffer[*size + 1] != low || buffer[*size + 2] != high) return AtStart::kNothing;
  frame = {std::to_integer<std::uint8_t>(buffer[0]), buffer.subspan(1, *size), *size + 3};
  return AtStart::kFrame;
}

// `digits` is what stands between ':' and CR.
bool ascii_frame(std::span<const std::byte> digits, LineFrame& frame, LineScratch& scratch) {
  if (digits.size() % 2 != 0 || digits.size() < 6 || digits.size() > 2 * scratch.size())
    return false;
  const std::size_t size = digits.size() / 2;
  for (std::size_t i = 0; i < size; ++i) {
    const int high = nibble(digits[2 * i]);
    const int low = nibble(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    scratch[i] = static_cast<std::byte>(high * 16 + low);
  }
  const auto bytes = std::span<const std::byte>(scratch).first(size);
  if (lrc(bytes.first(size - 1)) != std::to_integer<std::uint8_t>(bytes[size - 1])) return false;
  frame.unit = std::to_integer<std::uint8_t>(bytes[0]);
  frame.pdu = bytes.subspan(1, size - 2);
  return true;
}

bool find_ascii_frame(std::span<const std::byte> buffer, LineFrame& frame, LineScratch& scratch) {
  std::size_t begin = buffer.size();
  for (std::size_t i = 0; i < buffer.size(); ++i) {
    if (buffer[i] == std::byte{':'}) {
      begin = i + 1;  // a new one begins, whatever came before
    } else if (buffer[i] == std::byte{'\n'} && begin < i) {
      const std::size_t end = buffer[i - 1] == std::byte{'\r'} ? i - 1 : i;
      if (end > begin && ascii_frame(buffer.subspan(begin, end - begin), frame, scratch)) {
        frame.end = i + 1;
        return true;
      }
      begin = buffer.size();
    }
  }
  return false;
}

}  // namespace

std::uint16_t crc16(std::span<const std::byte> bytes) {
  unsigned crc = 0xFFFF;
  for (const std::byte byte : bytes)
    crc = (crc >> 8U) ^ kCrcTable[(crc ^ std::to_integer<unsigned>(byte)) & 0xFFU];
  return static_cast<std::uint16_t>(crc);
}

std::uint8_t lrc(std::span<const std::byte> bytes) {
  unsigned sum = 0;
  for (const std::byte byte : bytes) sum += std::to_integer<unsigned>(byte);
  return static_cast<std::uint8_t>(0U - sum);
}

std::size_t encode_line_frame(Framing framing, std::uint8_t unit, std::span<const std::byte> pdu,
                              std::span<std::byte, kMaxLineFrame> out) {
  assert(!pdu.empty() && pdu.size() <= kMaxPduSize);
  LineScratch raw;
  raw[0] = static_cast<std::byte>(unit);
  std::memcpy(&raw[1], pdu.data(), pdu.size());
  const auto body = std::span<const std::byte>(raw).first(1 + pdu.size());
  if (framing == Framing::kRtu) {
    std::ranges::copy(body, out.begin());
    const std::uint16_t sum = crc16(body);
    out[body.size()] = static_cast<std::byte>(sum & 0xFF);
    out[body.size() + 1] = static_cast<std::byte>(sum >> 8);
    return body.size() + 2;
  }
  std::size_t size = 0;
  const auto put = [&](char c) { out[size++] = static_cast<std::byte>(c); };
  const auto put_hex = [&](unsigned byte) {
    put(kHex[byte >> 4]);
    put(kHex[byte & 0xF]);
  };
  put(':');
  for (const std::byte byte : body) put_hex(std::to_integer<unsigned>(byte));
  put_hex(lrc(body));
  put('\r');
  put('\n');
  return size;
}

bool find_line_frame(Framing framing, Side side, std::optional<std::uint8_t> unit,
                     std::span<const std::byte> buffer, LineFrame& frame, LineScratch& scratch) {
  if (framing == Framing::kAscii) return find_ascii_frame(buffer, frame, scratch);
  for (std::size_t begin = 0; begin < buffer.size(); ++begin) {
    const AtStart found = rtu_frame_at(side, buffer.subspan(begin), frame);
    if (found == AtStart::kFrame) {
      frame.end += begin;
      return true;
    }
    const bool asked = !unit || buffer[begin] == static_cast<std::byte>(*unit);
    if (found == AtStart::kBeginning && asked) return false;
  }
  return false;
}

}  // namespace tributary::connectors::modbus
