// A client that listens: a WebSocket or server-sent events. Lives on the control executor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/task.hpp"

namespace tributary::api {

// Close codes of RFC 6455, 7.4.1, and one of our own.
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kPolicyViolation = 1008;
inline constexpr std::uint16_t kMessageTooBig = 1009;
inline constexpr std::uint16_t kSignedOut = 4401;

class EventChannel {
 public:
  virtual ~EventChannel() = default;
  // Resumes when the bytes are with the operating system; that is the back-pressure. False: the
  // client is gone. One call at a time. `event` is the event's name for server-sent events.
  virtual Task<bool> send(std::string text, std::string_view event) = 0;
  // Shows the client, and whatever stands between, that the stream lives. As send().
  virtual Task<bool> keep_alive() = 0;
  // The next text message; nullopt: the client is gone. Server-sent events never give a message.
  // One call at a time.
  virtual Task<std::optional<std::string>> receive() = 0;
  // Says goodbye and ends; send() and receive() then report that the client is gone. Never blocks,
  // idempotent.
  virtual void close(std::uint16_t code, std::string reason) = 0;
};

}  // namespace tributary::api
