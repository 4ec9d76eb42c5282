// Everything that reads bytes from the network: frames, replies to each kind of request, requests.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "connectors/modbus/src/codec.hpp"
#include "connectors/modbus/src/identification.hpp"

using namespace tributary::connectors::modbus;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void try_rarer_replies(std::span<const std::byte> pdu) {
  constexpr std::array<std::byte, 4> kData{};
  for (const FunctionCode function :
       {FunctionCode::kReadFifoQueue, FunctionCode::kReadExceptionStatus,
        FunctionCode::kGetCommEventCounter, FunctionCode::kReadDeviceIdentification}) {
    const Reply reply = decode_reply(pdu, {function, 0, 1, {}});
    require(reply.data.size() <= pdu.size());
    IdentificationPage page;
    if (function == FunctionCode::kReadDeviceIdentification) parse_identification(reply.data, page);
  }
  decode_reply(pdu, {FunctionCode::kMaskWriteRegister, 0, 1, kData});
  decode_reply(pdu, {FunctionCode::kDiagnostics, 0, 1, std::span(kData).first(2)});
  const auto size = reply_pdu_size(pdu);
  require(!size || *size <= kMaxPduSize);
}

void try_replies(std::span<const std::byte> pdu) {
  constexpr std::array<std::byte, 2> kValue{std::byte{0xFF}, std::byte{0}};
  std::array<std::byte, 2 * kMaxWriteRegisters> values{};
  const Request requests[] = {
      {FunctionCode::kReadCoils, 0, 9, {}},
      {FunctionCode::kReadHoldingRegisters, 0, 4, {}},
      {FunctionCode::kReadInputRegisters, 0, kMaxReadRegisters, {}},
      {FunctionCode::kWriteSingleCoil, 3, 1, kValue},
      {FunctionCode::kWriteMultipleRegisters, 0, kMaxWriteRegisters, values},
  };
  for (const Request& request : requests) {
    const Reply reply = decode_reply(pdu, request);
    if (reply.state != ReplyState::kOk || reply.data.empty()) continue;
    // What is accepted has exactly the size that was asked for.
    const std::size_t size =
        is_bit_function(request.function) ? (request.quantity + 7U) / 8U : request.quantity * 2U;
    require(reply.data.size() == size);
  }
  try_rarer_replies(pdu);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::byte> rest = std::as_bytes(std::span(data, size));
  Frame frame;
  while (parse_frame(rest, frame) == FrameState::kComplete) {
    require(frame.size <= rest.size() && frame.size <= kMaxFrameSize && !frame.pdu.empty());
    try_replies(frame.pdu);
    Request request;
    if (!decode_request(frame.pdu, request)) {
      // A request that was understood is written back as it came.
      std::array<std::byte, kMaxFrameSize> out;
      const std::size_t written = encode_request(frame.transaction, frame.unit, request, out);
      require(written == frame.size);
      require(std::equal(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(written),
                         rest.begin()));
    }
    rest = rest.subspan(frame.size);
  }
  return 0;
}
