#include "connectors/modbus/src/codec.hpp"

#include <cassert>
#include <cstring>

namespace tributary::connectors::modbus {
namespace {

constexpr std::uint16_t kCoilOn = 0xFF00;
constexpr std::uint16_t kCoilOff = 0x0000;

constexpr std::size_t packed_size(std::size_t bits) {
  return (bits + 7) / 8;
}

bool is_single_write(FunctionCode function) {
  return function == FunctionCode::kWriteSingleCoil ||
         function == FunctionCode::kWriteSingleRegister;
}
bool is_multiple_write(FunctionCode function) {
  return function == FunctionCode::kWriteMultipleCoils ||
         function == FunctionCode::kWriteMultipleRegisters;
}
bool is_read(FunctionCode function) {
  return function >= FunctionCode::kReadCoils && function <= FunctionCode::kReadInputRegisters;
}

// Bytes that `quantity` bits or registers take in a PDU.
std::size_t data_size(FunctionCode function, std::size_t quantity) {
  return is_bit_function(function) ? packed_size(quantity) : quantity * 2;
}

std::uint16_t max_quantity(FunctionCode function) {
  switch (function) {
    case FunctionCode::kReadCoils:
    case FunctionCode::kReadDiscreteInputs:
      return kMaxReadBits;
    case FunctionCode::kReadHoldingRegisters:
    case FunctionCode::kReadInputRegisters:
      return kMaxReadRegisters;
    case FunctionCode::kWriteMultipleCoils:
      return kMaxWriteBits;
    case FunctionCode::kWriteMultipleRegisters:
      return kMaxWriteRegisters;
    case FunctionCode::kWriteSingleCoil:
    case FunctionCode::kWriteSingleRegister:
      return 1;
  }
  return 0;
}

std::size_t put_header(std::uint16_t transaction, std::uint8_t unit, std::size_t pdu_size,
                       std::span<std::byte, kMaxFrameSize> out) {
  assert(pdu_size >= 1 && pdu_size <= kMaxPduSize);
  store_u16(&out[0], transaction);
  store_u16(&out[2], 0);
  store_u16(&out[4], static_cast<std::uint16_t>(pdu_size + 1));
  out[6] = static_cast<std::byte>(unit);
  return kHeaderSize + pdu_size;
}

}  // namespace

FrameState parse_frame(std::span<const std::byte> buffer, Frame& frame) {
  // Each field is judged as soon as it is there: a peer that is no Modbus device is recognised by
  // its first bytes.
  if (buffer.size() >= 4 && load_u16(&buffer[2]) != 0) return FrameState::kNotModbus;
  if (buffer.size() < 6) return FrameState::kIncomplete;
  const std::size_t length = load_u16(&buffer[4]);
  if (length < 2 || length > kMaxPduSize + 1) return FrameState::kNotModbus;
  const std::size_t size = 6 + length;
  if (buffer.size() < size) return FrameState::kIncomplete;
  frame.transaction = load_u16(&buffer[0]);
  frame.unit = std::to_integer<std::uint8_t>(buffer[6]);
  frame.pdu = buffer.subspan(kHeaderSize, size - kHeaderSize);
  frame.size = size;
  return FrameState::kComplete;
}

std::size_t encode_request(std::uint16_t transaction, std::uint8_t unit, const Request& request,
                           std::span<std::byte, kMaxFrameSize> out) {
  assert(request.quantity >= 1 && request.quantity <= max_quantity(request.function));
  std::byte* pdu = &out[kHeaderSize];
  pdu[0] = static_cast<std::byte>(request.function);
  store_u16(pdu + 1, request.address);
  if (is_single_write(request.function)) {
    assert(request.data.size() == 2);
    std::memcpy(pdu + 3, request.data.data(), 2);
    return put_header(transaction, unit, 5, out);
  }
  store_u16(pdu + 3, request.quantity);
  if (is_read(request.function)) return put_header(transaction, unit, 5, out);
  const std::size_t size = data_size(request.function, request.quantity);
  assert(request.data.size() == size);
  pdu[5] = static_cast<std::byte>(size);
  std::memcpy(pdu + 6, request.data.data(), size);
  return put_header(transaction, unit, 6 + size, out);
}

std::optional<ExceptionCode> decode_request(std::span<const std::byte> pdu, Request& request) {
  if (pdu.empty()) return ExceptionCode::kIllegalFunction;
  request.function = static_cast<FunctionCode>(pdu[0]);
  const bool known = is_read(request.function) || is_single_write(request.function) ||
                     is_multiple_write(request.function);
  if (!known) return ExceptionCode::kIllegalFunction;
  if (pdu.size() < 5) return ExceptionCode::kIllegalDataValue;
  request.address = load_u16(&pdu[1]);
  if (is_single_write(request.function)) {
    if (pdu.size() != 5) return ExceptionCode::kIllegalDataValue;
    request.quantity = 1;
    request.data = pdu.subspan(3, 2);
    const std::uint16_t value = load_u16(&pdu[3]);
    const bool coil = request.function == FunctionCode::kWriteSingleCoil;
    if (coil && value != kCoilOn && value != kCoilOff) return ExceptionCode::kIllegalDataValue;
    return std::nullopt;
  }
  request.quantity = load_u16(&pdu[3]);
  if (request.quantity < 1 || request.quantity > max_quantity(request.function))
    return ExceptionCode::kIllegalDataValue;
  if (is_read(request.function)) {
    if (pdu.size() != 5) return ExceptionCode::kIllegalDataValue;
  } else {
    const std::size_t size = data_size(request.function, request.quantity);
    if (pdu.size() != 6 + size || std::to_integer<std::size_t>(pdu[5]) != size)
      return ExceptionCode::kIllegalDataValue;
    request.data = pdu.subspan(6);
  }
  if (std::size_t{request.address} + request.quantity > 65536)
    return ExceptionCode::kIllegalDataAddress;
  return std::nullopt;
}

Reply decode_reply(std::span<const std::byte> pdu, const Request& request) {
  Reply reply;
  const auto asked = static_cast<std::uint8_t>(request.function);
  const auto answered = pdu.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(pdu[0]);
  if (answered == (asked | 0x80)) {
    reply.state = pdu.size() == 2 ? ReplyState::kException : ReplyState::kWrongLength;
    if (pdu.size() == 2) reply.exception = std::to_integer<std::uint8_t>(pdu[1]);
    return reply;
  }
  if (answered != asked) {
    reply.state = ReplyState::kWrongFunction;
    return reply;
  }
  if (is_read(request.function)) {
    const std::size_t size = data_size(request.function, request.quantity);
    if (pdu.size() != 2 + size || std::to_integer<std::size_t>(pdu[1]) != size) {
      reply.state = ReplyState::kWrongLength;
      return reply;
    }
    reply.data = pdu.subspan(2);
    return reply;
  }
  if (pdu.size() != 5) {
    reply.state = ReplyState::kWrongLength;
    return reply;
  }
  const bool echoed = is_single_write(request.function)
                          ? std::memcmp(&pdu[3], request.data.data(), 2) == 0
                          : load_u16(&pdu[3]) == request.quantity;
  if (load_u16(&pdu[1]) != request.address || !echoed) reply.state = ReplyState::kWrongEcho;
  return reply;
}

std::size_t encode_read_reply(std::uint16_t transaction, std::uint8_t unit, FunctionCode function,
                              std::span<const std::byte> data,
                              std::span<std::byte, kMaxFrameSize> out) {
  assert(data.size() <= kMaxPduSize - 2);
  out[kHeaderSize] = static_cast<std::byte>(function);
  out[kHeaderSize + 1] = static_cast<std::byte>(data.size());
  if (!data.empty()) std::memcpy(&out[kHeaderSize + 2], data.data(), data.size());
  return put_header(transaction, unit, 2 + data.size(), out);
}

std::size_t encode_write_reply(std::uint16_t transaction, std::uint8_t unit, const Request& request,
                               std::span<std::byte, kMaxFrameSize> out) {
  std::byte* pdu = &out[kHeaderSize];
  pdu[0] = static_cast<std::byte>(request.function);
  store_u16(pdu + 1, request.address);
  if (is_single_write(request.function)) {
    std::memcpy(pdu + 3, request.data.data(), 2);
  } else {
    store_u16(pdu + 3, request.quantity);
  }
  return put_header(transaction, unit, 5, out);
}

std::size_t encode_exception(std::uint16_t transaction, std::uint8_t unit, std::uint8_t function,
                             ExceptionCode exception, std::span<std::byte, kMaxFrameSize> out) {
  out[kHeaderSize] = static_cast<std::byte>(function | 0x80);
  out[kHeaderSize + 1] = static_cast<std::byte>(exception);
  return put_header(transaction, unit, 2, out);
}

}  // namespace tributary::connectors::modbus
