// How a server's bytes become messages (OPC 10000-6, 6.7.2 and 7.1.2). The headers of chunks are in
// the clear on every channel: what is no message, is too large or never ends is known from them,
// before anything is kept. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"

namespace tributary::connectors::opcua {

// The largest chunk that we take, and the smallest buffer that a server may send from.
inline constexpr std::uint32_t kLargestChunk = 64U << 10;
inline constexpr std::uint32_t kSmallestChunk = 8192;

class Framing {
 public:
  // `most_bytes` are those of a whole message.
  explicit Framing(std::uint32_t most_bytes)
      : most_bytes_(most_bytes), most_chunks_(most_bytes / kSmallestChunk) {}

  std::uint32_t most_bytes() const { return most_bytes_; }
  std::uint32_t most_chunks() const { return most_chunks_; }
  // Follows what came, whatever pieces it comes in. After an error it is of no more use. Errors,
  // kTransient: "protocol_error", "message_too_large", "message_aborted".
  Result<void> take(std::string_view bytes);
  // What came last is why the server ends the connection.
  bool is_farewell() const { return type() == "ERR"; }
  // A message has begun and is not complete.
  bool within_message() const { return header_size_ > 0 || rest_ > 0 || chunks_ > 0; }

 private:
  static constexpr std::size_t kHeader = 8;  // type, kind of chunk, size of all

  std::string_view type() const { return {header_.data(), 3}; }
  Result<void> begin_chunk();

  std::uint32_t most_bytes_;
  std::uint32_t most_chunks_;
  std::array<char, kHeader> header_{};
  std::size_t header_size_ = 0;  // of it that is here
  std::uint32_t rest_ = 0;       // of the chunk that is under way
  std::uint64_t bytes_ = 0;      // of the message that is under way
  std::uint32_t chunks_ = 0;     // of that message, all but its last
};

}  // namespace tributary::connectors::opcua
