// One direction of a connection through the fault proxy.
#pragma once

#include <chrono>
#include <deque>
#include <string>

#include "tests/support/fault.hpp"
#include "tests/support/sockets.hpp"

namespace tributary::test {

// Takes bytes from one socket, keeps them as long as the fault wants, and gives them to the other.
// Both sockets are non-blocking. Pure but for the sockets: the caller polls and tells the time.
class Flow {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Outcome : std::uint8_t {
    kGoesOn,
    kEnded,   // the source is at its end and everything was forwarded, or a cut-after came due
    kBroken,  // one of the two sockets failed: the other deserves a reset
  };

  explicit Flow(Side side) : side_(side) {}

  // Starts counting bytes anew. What is kept already is still forwarded under the old terms.
  void set_fault(const Fault& fault, Time now);

  // Whether to poll the source for input, and the sink for room.
  bool wants_input() const;
  bool wants_room(Time now) const;
  // When there is something to do even if no socket moves; Time::max() when there is not.
  Time due() const;

  Outcome take(const Descriptor& from, Time now);
  Outcome give(const Descriptor& to, Time now);

  std::uint64_t taken() const { return taken_; }

 private:
  struct Piece {
    std::string bytes;
    Time due;
    std::size_t gone = 0;  // of bytes
  };

  bool blocked() const;
  // The sink must not learn that the source said goodbye.
  bool hides_end() const;
  void keep(std::string bytes, Time now);
  // How much of `size` may go now.
  std::size_t allowance(std::size_t size, Time now);
  bool finished() const;

  Side side_;
  Fault fault_;
  std::deque<Piece> pieces_;
  std::size_t kept_ = 0;       // bytes in pieces_
  std::uint64_t taken_ = 0;    // since the connection began
  std::uint64_t counted_ = 0;  // taken since the fault was set
  bool at_end_ = false;        // the source said goodbye
  bool cut_due_ = false;       // kCutAfter: the last allowed byte was taken
  double budget_ = 0;          // kRate: bytes that may go now
  Time budget_at_{};
};

}  // namespace tributary::test
