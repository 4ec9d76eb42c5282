#include "connectors/modbus/simulator/responder.hpp"

namespace tributary::connectors::modbus::simulator {
namespace {

constexpr std::uint16_t kEcho = 0;
constexpr std::uint16_t kBusMessages = 11;

void put_u16(std::vector<std::byte>& data, std::uint16_t value) {
  data.resize(data.size() + 2);
  store_u16(&data[data.size() - 2], value);
}

}  // namespace

std::size_t Responder::answer(std::uint8_t unit, std::span<const std::byte> pdu,
                              std::span<std::byte, kMaxPduSize> out) {
  ++requests_;
  Request request;
  auto exception = decode_request(pdu, request);
  std::vector<std::byte> data;
  if (!exception) exception = perform(unit, request, data);
  if (exception)
    return encode_exception_pdu(std::to_integer<std::uint8_t>(pdu[0]), *exception, out);
  if (request.function != FunctionCode::kGetCommEventCounter) ++events_;
  return encode_reply_pdu(request, data, out);
}

std::optional<ExceptionCode> Responder::perform(std::uint8_t unit, const Request& request,
                                                std::vector<std::byte>& data) {
  switch (request.function) {
    case FunctionCode::kReadCoils:
    case FunctionCode::kReadDiscreteInputs:
    case FunctionCode::kReadHoldingRegisters:
    case FunctionCode::kReadInputRegisters:
      data.resize(is_bit_function(request.function) ? (request.quantity + 7U) / 8U
                                                    : request.quantity * 2U);
      return device_.read(unit, request, data);
    case FunctionCode::kWriteSingleCoil:
    case FunctionCode::kWriteSingleRegister:
    case FunctionCode::kWriteMultipleCoils:
    case FunctionCode::kWriteMultipleRegisters:
      return device_.write(unit, request);
    case FunctionCode::kMaskWriteRegister:
      return mask_write(unit, request);
    case FunctionCode::kReadWriteRegisters:
      return exchange(unit, request, data);
    case FunctionCode::kReadFifoQueue: {
      const auto queue = device_.fifo(unit, request.address);
      if (!queue) return ExceptionCode::kIllegalDataAddress;
      for (const std::uint16_t value : *queue) put_u16(data, value);
      return std::nullopt;
    }
    case FunctionCode::kReadExceptionStatus:
      data.push_back(std::byte{0});
      return std::nullopt;
    case FunctionCode::kDiagnostics:
      return diagnostics(request, data);
    case FunctionCode::kGetCommEventCounter:
      put_u16(data, 0);
      put_u16(data, events_);
      return std::nullopt;
    case FunctionCode::kReadDeviceIdentification:
      return identify(unit, request, data);
  }
  return ExceptionCode::kIllegalFunction;
}

std::optional<ExceptionCode> Responder::mask_write(std::uint8_t unit, const Request& request) {
  std::array<std::byte, 2> word{};
  const Request read{FunctionCode::kReadHoldingRegisters, request.address, 1, {}};
  if (const auto exception = device_.read(unit, read, word)) return exception;
  const std::uint16_t keep = load_u16(&request.data[0]);
  const std::uint16_t set = load_u16(&request.data[2]);
  const auto now = load_u16(word.data());
  store_u16(word.data(), static_cast<std::uint16_t>((now & keep) | (set & ~keep)));
  const Request write{FunctionCode::kWriteSingleRegister, request.address, 1, word};
  return device_.write(unit, write);
}

std::optional<ExceptionCode> Responder::exchange(std::uint8_t unit, const Request& request,
                                                 std::vector<std::byte>& data) {
  const Request write{FunctionCode::kWriteMultipleRegisters, request.write_address,
                      static_cast<std::uint16_t>(request.data.size() / 2), request.data};
  if (const auto exception = device_.write(unit, write)) return exception;
  const Request read{FunctionCode::kReadHoldingRegisters, request.address, request.quantity, {}};
  data.resize(request.quantity * 2U);
  return device_.read(unit, read, data);
}

std::optional<ExceptionCode> Responder::diagnostics(const Request& request,
                                                    std::vector<std::byte>& data) {
  if (request.address == kEcho) {
    data.assign(request.data.begin(), request.data.end());
    return std::nullopt;
  }
  if (request.address != kBusMessages) return ExceptionCode::kIllegalDataValue;
  put_u16(data, static_cast<std::uint16_t>(requests_));
  return std::nullopt;
}

std::optional<ExceptionCode> Responder::identify(std::uint8_t unit, const Request& request,
                                                 std::vector<std::byte>& data) {
  const auto objects = device_.identification(unit);
  if (objects.empty()) return ExceptionCode::kIllegalFunction;
  const auto code = static_cast<std::uint8_t>(request.address >> 8);
  const auto first = static_cast<std::uint8_t>(request.address & 0xFF);
  if (code != kReadBasic && code != kReadRegular) return ExceptionCode::kIllegalDataValue;
  std::vector<IdentificationObject> wanted;
  for (const IdentificationObject& object : objects) {
    if (code == kReadRegular || object.id <= kRevision) wanted.push_back(object);
  }
  data = write_identification(wanted, code, first);
  return std::nullopt;
}

}  // namespace tributary::connectors::modbus::simulator
