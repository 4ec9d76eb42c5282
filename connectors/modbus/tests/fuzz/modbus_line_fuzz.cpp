// What comes on a serial line: a frame that is found has a right checksum, is a part of what came,
// and is found again when it is written.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "connectors/modbus/src/line_frame.hpp"

using namespace tributary::connectors::modbus;

namespace {

void try_line(Framing framing, Side side, std::optional<std::uint8_t> unit,
              std::span<const std::byte> rest) {
  LineFrame frame;
  LineScratch scratch;
  while (find_line_frame(framing, side, unit, rest, frame, scratch)) {
    if (frame.end > rest.size() || frame.pdu.empty() || frame.pdu.size() > kMaxPduSize)
      std::abort();
    std::array<std::byte, kMaxLineFrame> out;
    const std::size_t size = encode_line_frame(framing, frame.unit, frame.pdu, out);
    LineFrame again;
    LineScratch other;
    const auto written = std::span<const std::byte>(out).first(size);
    if (!find_line_frame(framing, side, frame.unit, written, again, other)) std::abort();
    if (again.unit != frame.unit || !std::ranges::equal(again.pdu, frame.pdu)) std::abort();
    rest = rest.subspan(frame.end);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const Framing framing : {Framing::kRtu, Framing::kAscii}) {
    for (const Side side : {Side::kReply, Side::kRequest}) {
      try_line(framing, side, std::nullopt, bytes);
      try_line(framing, side, 1, bytes);
    }
  }
  return 0;
}
