// Modbus PDUs and Modbus TCP frames, both directions, without I/O: MODBUS Application Protocol
// V1.1b3 (the PDUs), MODBUS Messaging on TCP/IP Implementation Guide V1.0b (the MBAP header).
// Nothing here allocates; views point into the caller's buffer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tributary::connectors::modbus {

// MBAP: transaction (2), protocol (2), length (2, counts what follows it), unit (1); then a PDU of
// at most 253 bytes.
inline constexpr std::size_t kHeaderSize = 7;
inline constexpr std::size_t kMaxPduSize = 253;
inline constexpr std::size_t kMaxFrameSize = kHeaderSize + kMaxPduSize;

inline constexpr std::uint16_t kMaxReadBits = 2000;
inline constexpr std::uint16_t kMaxReadRegisters = 125;
inline constexpr std::uint16_t kMaxWriteBits = 1968;
inline constexpr std::uint16_t kMaxWriteRegisters = 123;
inline constexpr std::uint16_t kMaxExchangeWriteRegisters = 121;  // function 23
inline constexpr std::uint16_t kMaxFifoRegisters = 31;

enum class FunctionCode : std::uint8_t {
  kReadCoils = 1,
  kReadDiscreteInputs = 2,
  kReadHoldingRegisters = 3,
  kReadInputRegisters = 4,
  kWriteSingleCoil = 5,
  kWriteSingleRegister = 6,
  kReadExceptionStatus = 7,
  kDiagnostics = 8,
  kGetCommEventCounter = 11,
  kWriteMultipleCoils = 15,
  kWriteMultipleRegisters = 16,
  kMaskWriteRegister = 22,
  kReadWriteRegisters = 23,
  kReadFifoQueue = 24,
  kReadDeviceIdentification = 43,  // MEI type 14
};

// V1.1b3, section 7. A device may send others.
enum class ExceptionCode : std::uint8_t {
  kIllegalFunction = 1,
  kIllegalDataAddress = 2,
  kIllegalDataValue = 3,
  kServerDeviceFailure = 4,
  kAcknowledge = 5,
  kServerDeviceBusy = 6,
  kMemoryParityError = 8,
  kGatewayPathUnavailable = 10,
  kGatewayTargetNoResponse = 11,
};

// True when the device's memory or outputs may change: what is not confirmed may have happened.
constexpr bool is_write(FunctionCode function) {
  return function == FunctionCode::kWriteSingleCoil ||
         function == FunctionCode::kWriteSingleRegister ||
         function == FunctionCode::kWriteMultipleCoils ||
         function == FunctionCode::kWriteMultipleRegisters ||
         function == FunctionCode::kMaskWriteRegister ||
         function == FunctionCode::kReadWriteRegisters;
}

constexpr bool is_bit_function(FunctionCode function) {
  return function == FunctionCode::kReadCoils || function == FunctionCode::kReadDiscreteInputs ||
         function == FunctionCode::kWriteMultipleCoils;
}

inline std::uint16_t load_u16(const std::byte* at) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(at[0]) << 8) |
                                    std::to_integer<unsigned>(at[1]));
}
inline void store_u16(std::byte* at, std::uint16_t value) {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value & 0xFF);
}
// Bits are packed from the lowest bit of the first byte on (V1.1b3, 6.1).
inline bool load_bit(std::span<const std::byte> packed, std::size_t index) {
  return ((std::to_integer<unsigned>(packed[index / 8]) >> (index % 8)) & 1U) != 0;
}

// A whole frame in a receive buffer.
struct Frame {
  std::uint16_t transaction = 0;
  std::uint8_t unit = 0;
  std::span<const std::byte> pdu;  // function code and what follows, 1 to 253 bytes
  std::size_t size = 0;            // bytes of the frame, header included

  std::uint8_t function() const { return std::to_integer<std::uint8_t>(pdu[0]); }
};

enum class FrameState : std::uint8_t {
  kIncomplete,  // more bytes are needed
  kComplete,
  kNotModbus,  // protocol id is not 0, or a length that no Modbus frame has
};

// Looks for one frame at the start of `buffer`. What follows it stays for the next call.
FrameState parse_frame(std::span<const std::byte> buffer, Frame& frame);

// A request as a client sends it and a server reads it. Which members matter depends on the
// function.
struct Request {
  FunctionCode function = FunctionCode::kReadHoldingRegisters;
  // Of what is read or written; function 8: the sub-function; 43: read code × 256 + object id.
  std::uint16_t address = 0;
  // Bits or registers that are read (23: read) or written; 1 for single writes and all others.
  std::uint16_t quantity = 1;
  // Writes: registers big-endian, or packed bits; single writes: the two value bytes; 22: AND mask
  // and OR mask; 8: two bytes.
  std::span<const std::byte> data{};
  std::uint16_t write_address = 0;  // function 23
};

// Writes the PDU into `out` and returns its size. The request must be within the limits above: an
// assertion else.
std::size_t encode_request_pdu(const Request& request, std::span<std::byte, kMaxPduSize> out);

// The same in a Modbus TCP frame.
std::size_t encode_request(std::uint16_t transaction, std::uint8_t unit, const Request& request,
                           std::span<std::byte, kMaxFrameSize> out);

// The server's side. On success `request.data` points into the PDU.
// Error: the exception a server answers with (V1.1b3, the state diagrams of section 6).
std::optional<ExceptionCode> decode_request(std::span<const std::byte> pdu, Request& request);

// What a reply was, compared with the request it answers.
enum class ReplyState : std::uint8_t {
  kOk,
  kException,
  kWrongFunction,  // answers another function
  kWrongLength,    // byte count or size does not fit the request
  kWrongEcho,      // a write that confirms another address, quantity or value
};
struct Reply {
  ReplyState state = ReplyState::kOk;
  std::uint8_t exception = 0;  // kException
  // Reads, 23 and 24: the registers, or the packed bits; 7: one byte; 8: the two bytes behind the
  // sub-function; 11: status and counter; 43: what follows the function code.
  std::span<const std::byte> data;
};
// Strict: anything that does not fit the request exactly is refused.
Reply decode_reply(std::span<const std::byte> pdu, const Request& request);

// Size of a whole PDU, as far as its beginning tells: nullopt when more bytes are needed, 0 when
// the function is not known. For transports whose frames do not say how long they are.
std::optional<std::size_t> reply_pdu_size(std::span<const std::byte> begin);
std::optional<std::size_t> request_pdu_size(std::span<const std::byte> begin);

// The server's answers: PDUs, and their size. `data` is what Reply::data will be.
std::size_t encode_reply_pdu(const Request& request, std::span<const std::byte> data,
                             std::span<std::byte, kMaxPduSize> out);
std::size_t encode_exception_pdu(std::uint8_t function, ExceptionCode exception,
                                 std::span<std::byte, kMaxPduSize> out);
// A PDU in a Modbus TCP frame, in place: the PDU stands behind the header already.
std::size_t put_header(std::uint16_t transaction, std::uint8_t unit, std::size_t pdu_size,
                       std::span<std::byte, kMaxFrameSize> out);
// A reply in a Modbus TCP frame.
std::size_t encode_reply(std::uint16_t transaction, std::uint8_t unit, const Request& request,
                         std::span<const std::byte> data, std::span<std::byte, kMaxFrameSize> out);

}  // namespace tributary::connectors::modbus
