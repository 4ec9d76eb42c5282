// Values in every layout: decoding takes any bytes, and what was decoded as good is written back as
// it came.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "field/codec.hpp"

using namespace tributary;
using namespace tributary::field;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  Format format;
  format.type = static_cast<DataType>(data[0] % 16);
  format.order = static_cast<ByteOrder>(data[1] % 8);
  format.encoding = static_cast<Encoding>(data[2] % 4);
  format.padding = static_cast<Padding>(data[2] / 4 % 2);
  format.word = static_cast<std::uint8_t>(1U << (data[3] % 4));
  format.bit = static_cast<std::uint8_t>(data[3] / 4 % (8 * format.word));
  format.bits = static_cast<std::uint8_t>(1 + data[4] % (8 * format.word - format.bit));
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(5);
  format.length = static_cast<std::uint16_t>(std::min<std::size_t>(bytes.size(), 64));
  if (bytes.size() < size_of(format)) return 0;
  const auto raw = bytes.first(size_of(format));
  const Decoded decoded = decode_value(format, raw);
  if (!decoded.quality.is_good()) return 0;
  const Json value = to_json(decoded.value);
  if (format.type == DataType::kBit || format.type == DataType::kBits) {
    const auto change = encode_bits(format, value);
    if (!change || (load_word(format.order, raw) & change->mask) != change->bits) std::abort();
    return 0;
  }
  if (format.type == DataType::kBool) return 0;
  std::vector<std::byte> out(raw.size());
  if (!encode_value(format, value, out)) std::abort();
  const bool same = format.type == DataType::kString
                        ? to_json(decode_value(format, out).value) == value
                        : std::ranges::equal(out, raw);
  if (!same) std::abort();
  return 0;
}
