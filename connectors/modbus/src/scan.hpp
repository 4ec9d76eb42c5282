// Reading a set of points over a channel: one pass over the blocks, and what is learnt about
// addresses the device refuses.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "connectors/modbus/src/link.hpp"
#include "connectors/modbus/src/operation.hpp"

namespace tributary::connectors::modbus {

// A device with points it refuses has its own, finer plan for as long as the session lasts. A
// refused block is parked: a polled operation asks for it again only every kRetryParkedEvery scans,
// so that one wrong address does not cost a request in every scan for ever, and is yet found when
// the device gets it. (Counted, not timed: a connector has no timers.)
inline constexpr std::uint64_t kRetryParkedEvery = 60;

struct LiveBlock {
  Block block;
  std::shared_ptr<const Error> refused;  // null: answers
  Quality quality;                       // of its points while refused
  std::uint64_t retry_at = 0;            // the scan that asks again
};
struct LivePlan {
  std::vector<LiveBlock> blocks;
  std::uint64_t scans = 0;
};

// What a session has learnt, by operation. Empty in the normal case.
class LivePlans {
 public:
  // Null when nothing was learnt.
  LivePlan* find(std::uint64_t operation);
  LivePlan& make(std::uint64_t operation, const std::vector<Block>& blocks);

 private:
  // Far more functions than a connection has; the bound keeps edited functions from piling up.
  static constexpr std::size_t kMaxPlans = 256;
  std::unordered_map<std::uint64_t, LivePlan> plans_;
};

// One pass, until `deadline`. Points that fail alone are bad samples with their error: refused by
// the device, of a unit that does not answer or rests, or not asked before the deadline
// ("scan_too_slow"). Errors: those of Link::ask that end the session.
Task<Result<Scan>> read_points(Link& link, LivePlans& plans, const ModbusOperation& operation,
                               SteadyTime deadline);

// The samples of `points` from the registers or bits of a block.
void decode_points(const Block& block, std::span<const Point> points, const PointNames& names,
                   std::span<const std::byte> data, std::vector<Sample>& samples);

}  // namespace tributary::connectors::modbus
