#include "connectors/modbus/src/codec.hpp"

#include <cassert>
#include <cstring>

namespace tributary::connectors::modbus {
namespace {

constexpr std::uint16_t kCoilOn = 0xFF00;
constexpr std::uint16_t kCoilOff = 0x0000;
constexpr std::byte kMeiDeviceIdentification{14};

constexpr std::size_t packed_size(std::size_t bits) {
  return (bits + 7) / 8;
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

// 0: the function is not known.
std::uint16_t max_quantity(FunctionCode function) {
  switch (function) {
    case FunctionCode::kReadCoils:
    case FunctionCode::kReadDiscreteInputs:
      return kMaxReadBits;
    case FunctionCode::kReadHoldingRegisters:
    case FunctionCode::kReadInputRegisters:
    case FunctionCode::kReadWriteRegisters:
      return kMaxReadRegisters;
    case FunctionCode::kWriteMultipleCoils:
      return kMaxWriteBits;
    case FunctionCode::kWriteMultipleRegisters:
      return kMaxWriteRegisters;
    case FunctionCode::kWriteSingleCoil:
    case FunctionCode::kWriteSingleRegister:
    case FunctionCode::kReadExceptionStatus:
    case FunctionCode::kDiagnostics:
    case FunctionCode::kGetCommEventCounter:
    case FunctionCode::kMaskWriteRegister:
    case FunctionCode::kReadFifoQueue:
    case FunctionCode::kReadDeviceIdentification:
      return 1;
  }
  return 0;
}

void put(std::byte* at, std::span<const std::byte> data) {
  if (!data.empty()) std::memcpy(at, data.data(), data.size());
}

}  // namespace

std::size_t put_header(std::uint16_t transaction, std::uint8_t unit, std::size_t pdu_size,
                       std::span<std::byte, kMaxFrameSize> out) {
  assert(pdu_size >= 1 && pdu_size <= kMaxPduSize);
  store_u16(&out[0], transaction);
  store_u16(&out[2], 0);
  store_u16(&out[4], static_cast<std::uint16_t>(pdu_size + 1));
  out[6] = static_cast<std::byte>(unit);
  return kHeaderSize + pdu_size;
}

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

std::size_t encode_request_pdu(const Request& request, std::span<std::byte, kMaxPduSize> out) {
  assert(request.quantity >= 1 && request.quantity <= max_quantity(request.function));
  std::byte* pdu = out.data();
  pdu[0] = static_cast<std::byte>(request.function);
  switch (request.function) {
    case FunctionCode::kReadExceptionStatus:
    case FunctionCode::kGetCommEventCounter:
      return 1;
    case FunctionCode::kReadDeviceIdentification:
      pdu[1] = kMeiDeviceIdentification;
      store_u16(pdu + 2, request.address);
      return 4;
    default:
      break;
  }
  store_u16(pdu + 1, request.address);
  switch (request.function) {
    case FunctionCode::kReadFifoQueue:
      return 3;
    case FunctionCode::kWriteSingleCoil:
    case FunctionCode::kWriteSingleRegister:
    case FunctionCode::kDiagnostics:
    case FunctionCode::kMaskWriteRegister:
      assert(request.data.size() ==
             (request.function == FunctionCode::kMaskWriteRegister ? 4U : 2U));
      put(pdu + 3, request.data);
      return 3 + request.data.size();
    case FunctionCode::kReadWriteRegisters:
      assert(request.data.size() >= 2 && request.data.size() <= 2U * kMaxExchangeWriteRegisters);
      store_u16(pdu + 3, request.quantity);
      store_u16(pdu + 5, request.write_address);
      store_u16(pdu + 7, static_cast<std::uint16_t>(request.data.size() / 2));
      pdu[9] = static_cast<std::byte>(request.data.size());
      put(pdu + 10, request.data);
      return 10 + request.data.size();
    default:
      break;
  }
  store_u16(pdu + 3, request.quantity);
  if (is_read(request.function)) return 5;
  assert(request.data.size() == data_size(request.function, request.quantity));
  pdu[5] = static_cast<std::byte>(request.data.size());
  put(pdu + 6, request.data);
  return 6 + request.data.size();
}

std::size_t encode_request(std::uint16_t transaction, std::uint8_t unit, const Request& request,
                           std::span<std::byte, kMaxFrameSize> out) {
  const std::size_t size = encode_request_pdu(request, out.subspan<kHeaderSize>());
  return put_header(transaction, unit, size, out);
}

namespace {

std::optional<ExceptionCode> decode_exchange(std::span<const std::byte> pdu, Request& request) {
  if (pdu.size() < 10) return ExceptionCode::kIllegalDataValue;
  request.quantity = load_u16(&pdu[3]);
  request.write_address = load_u16(&pdu[5]);
  const std::size_t writes = load_u16(&pdu[7]);
  const bool fits = request.quantity >= 1 && request.quantity <= kMaxReadRegisters && writes >= 1 &&
                    writes <= kMaxExchangeWriteRegisters && pdu.size() == 10 + 2 * writes &&
                    std::to_integer<std::size_t>(pdu[9]) == 2 * writes;
  if (!fits) return ExceptionCode::kIllegalDataValue;
  request.data = pdu.subspan(10);
  const bool inside = std::size_t{request.address} + request.quantity <= 65536 &&
                      std::size_t{request.write_address} + writes <= 65536;
  if (!inside) return ExceptionCode::kIllegalDataAddress;
  return std::nullopt;
}

// The functions that stand alone: 5 to 8, 11, 22, 24, 43. Their sizes are fixed.
std::optional<ExceptionCode> decode_fixed(std::span<const std::byte> pdu, Request& request) {
  request.quantity = 1;
  if (pdu.size() != request_pdu_size(pdu)) return ExceptionCode::kIllegalDataValue;
  switch (request.function) {
    case FunctionCode::kReadExceptionStatus:
    case FunctionCode::kGetCommEventCounter:
      return std::nullopt;
    case FunctionCode::kReadDeviceIdentification:
      if (pdu[1] != kMeiDeviceIdentification) return ExceptionCode::kIllegalFunction;
      request.address = load_u16(&pdu[2]);
      return std::nullopt;
    default:
      break;
  }
  request.address = load_u16(&pdu[1]);
  request.data = pdu.subspan(3);
  if (request.function != FunctionCode::kWriteSingleCoil) return std::nullopt;
  const std::uint16_t value = load_u16(&pdu[3]);
  if (value != kCoilOn && value != kCoilOff) return ExceptionCode::kIllegalDataValue;
  return std::nullopt;
}

}  // namespace

std::optional<ExceptionCode> decode_request(std::span<const std::byte> pdu, Request& request) {
  if (pdu.empty()) return ExceptionCode::kIllegalFunction;
  request = Request{};
  request.function = static_cast<FunctionCode>(pdu[0]);
  if (max_quantity(request.function) == 0) return ExceptionCode::kIllegalFunction;
  if (!is_read(request.function) && !is_multiple_write(request.function) &&
      request.function != FunctionCode::kReadWriteRegisters)
    return decode_fixed(pdu, request);
  if (pdu.size() < 5) return ExceptionCode::kIllegalDataValue;
  request.address = load_u16(&pdu[1]);
  if (request.function == FunctionCode::kReadWriteRegisters) return decode_exchange(pdu, request);
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

namespace {

ReplyState take_fifo(std::span<const std::byte> pdu, std::span<const std::byte>& data) {
  if (pdu.size() < 5) return ReplyState::kWrongLength;
  const std::size_t count = load_u16(&pdu[3]);
  if (count > kMaxFifoRegisters || load_u16(&pdu[1]) != 2 + 2 * count ||
      pdu.size() != 5 + 2 * count)
    return ReplyState::kWrongLength;
  data = pdu.subspan(5);
  return ReplyState::kOk;
}

// Reads and 23: a byte count, then what was asked for.
ReplyState take_values(std::span<const std::byte> pdu, const Request& request,
                       std::span<const std::byte>& data) {
  const std::size_t size = data_size(request.function, request.quantity);
  if (pdu.size() != 2 + size || std::to_integer<std::size_t>(pdu[1]) != size)
    return ReplyState::kWrongLength;
  data = pdu.subspan(2);
  return ReplyState::kOk;
}

ReplyState check_echo(std::span<const std::byte> pdu, const Request& request) {
  const std::size_t size = is_multiple_write(request.function) ? 5 : 3 + request.data.size();
  if (pdu.size() != size) return ReplyState::kWrongLength;
  const bool echoed = is_multiple_write(request.function)
                          ? load_u16(&pdu[3]) == request.quantity
                          : std::memcmp(&pdu[3], request.data.data(), request.data.size()) == 0;
  return echoed && load_u16(&pdu[1]) == request.address ? ReplyState::kOk : ReplyState::kWrongEcho;
}

ReplyState take_reply(std::span<const std::byte> pdu, const Request& request,
                      std::span<const std::byte>& data) {
  switch (request.function) {
    case FunctionCode::kReadFifoQueue:
      return take_fifo(pdu, data);
    case FunctionCode::kReadExceptionStatus:
    case FunctionCode::kGetCommEventCounter:
      data = pdu.subspan(1);
      return pdu.size() == reply_pdu_size(pdu) ? ReplyState::kOk : ReplyState::kWrongLength;
    case FunctionCode::kDiagnostics:
      if (pdu.size() != 5) return ReplyState::kWrongLength;
      data = pdu.subspan(3);
      return load_u16(&pdu[1]) == request.address ? ReplyState::kOk : ReplyState::kWrongEcho;
    case FunctionCode::kReadDeviceIdentification:
      data = pdu.subspan(1);
      return pdu.size() == reply_pdu_size(pdu) ? ReplyState::kOk : ReplyState::kWrongLength;
    default:
      if (is_read(request.function) || request.function == FunctionCode::kReadWriteRegisters)
        return take_values(pdu, request, data);
      return check_echo(pdu, request);
  }
}

}  // namespace

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
  reply.state = take_reply(pdu, request, reply.data);
  if (reply.state != ReplyState::kOk) reply.data = {};
  return reply;
}

namespace {

// Function 43/14: code, MEI type, read code, conformity, more, next, count; then id, length, text.
std::optional<std::size_t> identification_size(std::span<const std::byte> begin) {
  if (begin.size() < 7) return std::nullopt;
  std::size_t size = 7;
  for (unsigned objects = std::to_integer<unsigned>(begin[6]); objects > 0; --objects) {
    if (begin.size() < size + 2) return size + 2 <= kMaxPduSize ? std::nullopt : std::optional(0U);
    size += 2 + std::to_integer<std::size_t>(begin[size + 1]);
  }
  return size <= kMaxPduSize ? size : 0;
}

std::optional<std::size_t> counted(std::span<const std::byte> begin, std::size_t at) {
  if (begin.size() <= at) return std::nullopt;
  const std::size_t size = at + 1 + std::to_integer<std::size_t>(begin[at]);
  return size <= kMaxPduSize ? size : 0;
}

}  // namespace

std::optional<std::size_t> reply_pdu_size(std::span<const std::byte> begin) {
  if (begin.empty()) return std::nullopt;
  const auto function = std::to_integer<std::uint8_t>(begin[0]);
  if ((function & 0x80) != 0) return max_quantity(FunctionCode(function & 0x7F)) == 0 ? 0 : 2;
  switch (static_cast<FunctionCode>(function)) {
    case FunctionCode::kReadCoils:
    case FunctionCode::kReadDiscreteInputs:
    case FunctionCode::kReadHoldingRegisters:
    case FunctionCode::kReadInputRegisters:
    case FunctionCode::kReadWriteRegisters:
      return counted(begin, 1);
    case FunctionCode::kReadExceptionStatus:
      return 2;
    case FunctionCode::kMaskWriteRegister:
      return 7;
    case FunctionCode::kReadFifoQueue:
      if (begin.size() < 3) return std::nullopt;
      return load_u16(&begin[1]) <= 2 + 2 * kMaxFifoRegisters ? 3U + load_u16(&begin[1]) : 0U;
    case FunctionCode::kReadDeviceIdentification:
      return identification_size(begin);
    default:
      return max_quantity(static_cast<FunctionCode>(function)) == 0 ? 0 : 5;
  }
}

std::optional<std::size_t> request_pdu_size(std::span<const std::byte> begin) {
  if (begin.empty()) return std::nullopt;
  switch (static_cast<FunctionCode>(begin[0])) {
    case FunctionCode::kReadExceptionStatus:
    case FunctionCode::kGetCommEventCounter:
      return 1;
    case FunctionCode::kReadFifoQueue:
      return 3;
    case FunctionCode::kReadDeviceIdentification:
      return 4;
    case FunctionCode::kMaskWriteRegister:
      return 7;
    case FunctionCode::kReadWriteRegisters:
      return counted(begin, 9);
    case FunctionCode::kWriteMultipleCoils:
    case FunctionCode::kWriteMultipleRegisters:
      return counted(begin, 5);
    default:
      return max_quantity(static_cast<FunctionCode>(begin[0])) == 0 ? 0 : 5;
  }
}

std::size_t encode_reply_pdu(const Request& request, std::span<const std::byte> data,
                             std::span<std::byte, kMaxPduSize> out) {
  assert(data.size() + (request.function == FunctionCode::kReadFifoQueue ? 5U : 2U) <= kMaxPduSize);
  std::byte* pdu = out.data();
  pdu[0] = static_cast<std::byte>(request.function);
  switch (request.function) {
    case FunctionCode::kReadExceptionStatus:
    case FunctionCode::kGetCommEventCounter:
    case FunctionCode::kReadDeviceIdentification:
      put(pdu + 1, data);
      return 1 + data.size();
    case FunctionCode::kReadFifoQueue:
      store_u16(pdu + 1, static_cast<std::uint16_t>(2 + data.size()));
      store_u16(pdu + 3, static_cast<std::uint16_t>(data.size() / 2));
      put(pdu + 5, data);
      return 5 + data.size();
    case FunctionCode::kDiagnostics:
      store_u16(pdu + 1, request.address);
      put(pdu + 3, data);
      return 3 + data.size();
    default:
      break;
  }
  if (is_read(request.function) || request.function == FunctionCode::kReadWriteRegisters) {
    pdu[1] = static_cast<std::byte>(data.size());
    put(pdu + 2, data);
    return 2 + data.size();
  }
  store_u16(pdu + 1, request.address);
  if (is_multiple_write(request.function)) {
    store_u16(pdu + 3, request.quantity);
    return 5;
  }
  put(pdu + 3, request.data);
  return 3 + request.data.size();
}

std::size_t encode_exception_pdu(std::uint8_t function, ExceptionCode exception,
                                 std::span<std::byte, kMaxPduSize> out) {
  out[0] = static_cast<std::byte>(function | 0x80);
  out[1] = static_cast<std::byte>(exception);
  return 2;
}

std::size_t encode_reply(std::uint16_t transaction, std::uint8_t unit, const Request& request,
                         std::span<const std::byte> data, std::span<std::byte, kMaxFrameSize> out) {
  const std::size_t size = encode_reply_pdu(request, data, out.subspan<kHeaderSize>());
  return put_header(transaction, unit, size, out);
}

}  // namespace tributary::connectors::modbus
