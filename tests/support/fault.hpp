// What a fault proxy does to the bytes that pass through it, and the language in which it is told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace tributary::test {

// Whose bytes: those that the client sends, or those that the server answers.
enum class Side : std::uint8_t { kClient, kServer };

// One misbehaviour at a time. Bytes are counted per connection, from 0, since the fault was set or
// since the connection began, whichever is later.
struct Fault {
  enum class Kind : std::uint8_t {
    kPass,     // forwards both ways
    kDelay,    // forwards everything `delay` late
    kRate,     // forwards at most `count` bytes a second each way
    kSlice,    // forwards one byte per segment
    kCorrupt,  // inverts byte `count` of `side`
    kStall,    // reads nothing and forwards nothing, keeps connections open: a peer that vanished
    kStallAfter,  // forwards `count` bytes of `side` and no more of that side; the other side flows
    kCutAfter,    // forwards `count` bytes of `side`, then ends the connection with FIN
    kMute,        // accepts and reads, answers nothing: a peer whose process hangs
    kDrop,        // accepts and closes at once; open connections end too
    kRefuse,      // stops listening: connects are refused; open connections go on
  };

  Kind kind = Kind::kPass;
  std::chrono::milliseconds delay{};
  std::uint64_t count = 0;
  Side side = Side::kClient;
};

// Ends all connections now; new ones are treated as the fault says.
struct Cut {
  bool reset = false;
};
struct AskStats {};

using Order = std::variant<Fault, Cut, AskStats>;

// One line of the control language: `pass`, `delay 50`, `rate 1000`, `slice`, `corrupt server 12`,
// `stall`, `stall-after client 10`, `cut-after server 4`, `mute`, `drop`, `refuse`, `cut fin`,
// `cut rst`, `stats`. Nothing: not understood.
std::optional<Order> parse_order(std::string_view line);

}  // namespace tributary::test
