#include "connectors/opcua/src/framing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tributary::connectors::opcua {
namespace {

constexpr auto kTypes = std::to_array<std::string_view>({"ACK", "ERR", "MSG", "OPN", "CLO"});

std::unexpected<Error> no_message(std::string message) {
  return fail(ErrorClass::kTransient, "protocol_error", std::move(message),
              "Is this the port of an OPC UA server with the binary protocol (opc.tcp)?",
              "/settings/endpointUrl");
}

std::unexpected<Error> too_large(std::string message) {
  return fail(ErrorClass::kTransient, "message_too_large", std::move(message),
              "Ask for less at once, or allow larger messages.", "/settings/maxMessageBytes");
}

}  // namespace

Result<void> Framing::begin_chunk() {
  // Before the body of a chunk: its header, the channel, the token and the sequence header.
  constexpr std::uint32_t kOverhead = 24;
  const char kind = header_[3];
  const bool message = type() == "MSG";
  if (kind != 'F' && !(message && (kind == 'C' || kind == 'A')))
    return no_message("The server sent a message in pieces that there are not");
  std::uint32_t size = 0;
  for (std::size_t i = kHeader; i > 4; --i)
    size = size << 8U | static_cast<unsigned char>(header_[i - 1]);
  if (size <= kHeader)
    return no_message(fmt::format("The server sent a message of {} bytes", size));
  if (size > kLargestChunk) {
    return too_large(fmt::format("The server announced a chunk of {} bytes; {} were agreed", size,
                                 kLargestChunk));
  }
  rest_ = size - static_cast<std::uint32_t>(kHeader);
  bytes_ += size > kOverhead ? size - kOverhead : 0;
  if (kind == 'A') {
    // Which request it was the answer to is not in the clear: somebody would wait for it in vain.
    return fail(ErrorClass::kTransient, "message_aborted",
                "The server gave up an answer while it sent it",
                "Ask for less at once, or look into the server's log.");
  }
  if (bytes_ > most_bytes_)
    return too_large(fmt::format("The server sent a message of more than {} bytes", most_bytes_));
  if (kind == 'F') {
    if (message && bytes_ == 0) return no_message("The server sent a message with nothing in it");
    bytes_ = 0;
    chunks_ = 0;
  } else if (++chunks_ > most_chunks_) {
    return too_large(fmt::format("The server sent a message in more than {} pieces", most_chunks_));
  }
  return {};
}

Result<void> Framing::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (rest_ > 0) {
      const std::size_t count = std::min<std::size_t>(rest_, bytes.size());
      rest_ -= static_cast<std::uint32_t>(count);
      bytes.remove_prefix(count);
      continue;
    }
    header_[header_size_++] = bytes.front();
    bytes.remove_prefix(1);
    if (header_size_ == type().size() && std::ranges::find(kTypes, type()) == kTypes.end())
      return no_message("The server sent something that is no message of OPC UA");
    if (header_size_ < kHeader) continue;
    header_size_ = 0;
    TRIBUTARY_TRY(begin_chunk());
  }
  return {};
}

}  // namespace tributary::connectors::opcua
