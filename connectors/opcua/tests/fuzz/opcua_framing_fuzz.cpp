// Bytes of a server in whatever pieces: the same verdict, and never more than the limits allow. The
// first byte says how long the pieces are.
#include <cstdlib>

#include "connectors/opcua/src/framing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary::connectors::opcua;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = 1U + data[0];
  constexpr std::uint32_t kMost = 65536;
  Framing whole(kMost);
  const auto said = whole.take(bytes);
  Framing pieces(kMost);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = pieces.take(bytes.substr(at, piece));
    if (part) continue;
    if (said || said.error().code != part.error().code) std::abort();
    return 0;
  }
  if (!said || whole.within_message() != pieces.within_message()) std::abort();
  return 0;
}
