// A loopback TCP server that follows a script: expect these bytes, answer those after 4 ms, then
// cut. It runs on a thread of its own, so the code under test may use any loop it likes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/sockets.hpp"

namespace tributary::test {

// "00 01 ff" → the bytes. Blanks are ignored; anything else that is not hexadecimal is a defect of
// the test and throws.
std::string hex(std::string_view text);
// The inverse, for messages.
std::string to_hex(std::string_view bytes);

// What the peer does with one accepted connection, in this order. After the last step it waits
// until the client closes.
class Script {
 public:
  // Reads exactly these bytes; anything else is noted as unmet and ends the script with a close.
  Script& expect(std::string bytes);
  // Reads `count` bytes, whatever they are.
  Script& receive(std::size_t count);
  // Reads something: at least one byte.
  Script& receive_any();
  // Sends, `after` this long, in pieces of `slice` bytes (0: in one piece). TCP_NODELAY: each piece
  // is a segment.
  Script& send(std::string bytes, std::chrono::milliseconds after = {}, std::size_t slice = 0);
  // Hears requests of `request_size` bytes and answers each with what `respond` says, until the
  // client closes.
  Script& serve(std::size_t request_size,
                std::function<std::string(std::string_view request)> respond);
  // Says nothing any more, and reads nothing, until the client closes or the peer is stopped.
  Script& mute();
  // Closes with FIN, or with a reset.
  Script& close();
  Script& reset();

 private:
  friend class ScriptedPeer;
  enum class Kind : std::uint8_t {
    kExpect,
    kReceive,
    kReceiveAny,
    kSend,
    kServe,
    kMute,
    kClose,
    kReset
  };
  struct Step {
    Kind kind;
    std::string bytes;
    std::size_t count = 0;  // bytes to receive, or the slice
    std::chrono::milliseconds after{};
    std::function<std::string(std::string_view)> respond;
  };
  std::vector<Step> steps_;
};

class ScriptedPeer {
 public:
  // One script per connection, in order of acceptance; the last one serves every further
  // connection.
  explicit ScriptedPeer(std::vector<Script> scripts);
  explicit ScriptedPeer(Script script) : ScriptedPeer(std::vector<Script>{std::move(script)}) {}
  // Stops the thread and closes everything.
  ~ScriptedPeer();
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;

  std::uint16_t port() const;
  // Connections accepted so far.
  std::size_t accepted() const;
  // Waits (at most 5 s) until every script that was started is over, or waits for the client's
  // close; then says what was expected and did not come. Empty: the peer got all it expected.
  std::string unmet();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A loopback port that refuses connections as long as this lives.
class RefusingPort {
 public:
  RefusingPort();
  ~RefusingPort();
  RefusingPort(const RefusingPort&) = delete;
  RefusingPort& operator=(const RefusingPort&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  std::unique_ptr<Descriptor> socket_;
};

// A loopback port whose accept queue is full: the handshake of a new connection is never finished,
// like a host that drops packets.
class SilentPort {
 public:
  SilentPort();
  ~SilentPort();
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  std::unique_ptr<Descriptor> listener_;
  std::vector<Descriptor> fillers_;
};

}  // namespace tributary::test
