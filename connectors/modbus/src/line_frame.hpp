// Frames of serial lines: RTU (binary, CRC-16) and ASCII (hexadecimal, LRC), from MODBUS over
// Serial Line V1.02, sections 2.5.1 and 2.5.2. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "connectors/modbus/src/codec.hpp"

namespace tributary::connectors::modbus {

enum class Framing : std::uint8_t { kRtu, kAscii };

// RTU: unit, PDU, CRC. ASCII: ':', twice that in hexadecimal with a one-byte LRC, CR, LF.
inline constexpr std::size_t kMaxRtuFrame = 1 + kMaxPduSize + 2;
inline constexpr std::size_t kMaxLineFrame = 1 + 2 * (1 + kMaxPduSize + 1) + 2;

std::uint16_t crc16(std::span<const std::byte> bytes);
std::uint8_t lrc(std::span<const std::byte> bytes);

// Writes a frame and returns its size.
std::size_t encode_line_frame(Framing framing, std::uint8_t unit, std::span<const std::byte> pdu,
                              std::span<std::byte, kMaxLineFrame> out);

struct LineFrame {
  std::uint8_t unit = 0;
  std::span<const std::byte> pdu;  // points into the buffer (RTU) or into `scratch` (ASCII)
  std::size_t end = 0;             // bytes of the buffer up to the end of the frame
};
using LineScratch = std::array<std::byte, 1 + kMaxPduSize + 1>;
enum class Side : std::uint8_t { kReply, kRequest };

// The first whole frame with a right checksum; noise before it is passed over. False when there is
// none (yet). What may still become a frame of `unit` (of any, without one) is waited for: bytes
// inside it are values, even when they look like a frame.
bool find_line_frame(Framing framing, Side side, std::optional<std::uint8_t> unit,
                     std::span<const std::byte> buffer, LineFrame& frame, LineScratch& scratch);

}  // namespace tributary::connectors::modbus
