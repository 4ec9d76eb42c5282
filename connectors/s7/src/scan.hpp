// Reading a set of variables over a channel: one pass over the blocks, and what is learnt about
// memory that the CPU refuses.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "connectors/s7/src/channel.hpp"
#include "connectors/s7/src/operation.hpp"

namespace tributary::connectors::s7 {

// A refused block is parked: a polled operation asks for it again only every kRetryParkedEvery
// scans, so that one wrong address does not cost an item in every scan for ever, and is yet found
// when the CPU gets it. (Counted, not timed: a connector has no timers.)
inline constexpr std::uint64_t kRetryParkedEvery = 60;

// How a session reads one operation, with what the CPU granted and what it refused.
struct LivePlan {
  std::vector<Block> blocks;
  struct Refusal {
    std::shared_ptr<const Error> error;  // null: answers
    Quality quality;                     // of its variables while refused
    std::uint64_t retry_at = 0;          // the scan that asks again
  };
  std::vector<Refusal> refusals;  // by block
  std::vector<Chunks> requests;   // for all blocks; empty: to be packed
  std::vector<std::byte> image;   // what was read last
  std::uint64_t scans = 0;
};

// What a session has made of its operations.
class LivePlans {
 public:
  // Made when there is none.
  LivePlan& of(const S7Operation& operation, std::span<const Variable> variables,
               const Limits& limits);

 private:
  // Far more functions than a connection has; the bound keeps edited functions from piling up.
  static constexpr std::size_t kMaxPlans = 256;
  std::unordered_map<std::uint64_t, LivePlan> plans_;
};

struct CallLimits {
  Limits wire;
  SteadyTime deadline;         // of the whole call
  Duration request_timeout{};  // of each request
};

// Reads these items into `replies`, which point into the channel's buffer. `refused` gets the CPU's
// code when it refused the whole request; the replies are then void. The caller has the turn.
// Errors: those of Channel::exchange.
Task<Result<void>> read_items(Channel& channel, std::span<const Item> items, SteadyTime deadline,
                              ItemReplies& replies, std::uint16_t& refused);

// One pass. Variables that fail alone are bad samples with their error; those that could not be
// asked for before the deadline are bad with "scan_too_slow". Errors: those of Channel::exchange.
Task<Result<Scan>> read_variables(Channel& channel, LivePlans& plans, const S7Operation& operation,
                                  CallLimits limits, const Clock& clock);

}  // namespace tributary::connectors::s7
