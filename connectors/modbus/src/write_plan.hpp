// What a write sends: values found, encoded and put into requests. Pure.
#pragma once

#include <vector>

#include "connectors/modbus/src/operation.hpp"

namespace tributary::connectors::modbus {

enum class WriteKind : std::uint8_t { kCoils, kRegisters, kBits };

// One request: its points, and its data in WritePlan::bytes.
struct WriteStep {
  WriteKind kind = WriteKind::kRegisters;
  std::uint8_t unit = 1;
  std::uint16_t address = 0;
  std::uint16_t quantity = 0;
  std::size_t offset = 0;  // registers: where its bytes begin; coils: one byte, 0 or 1, for each
  std::uint16_t mask = 0;  // kBits: what is written of the register, as it travels
  std::uint16_t bits = 0;
  std::vector<std::uint32_t> points;
};

struct WritePlan {
  std::vector<WriteStep> steps;
  std::vector<std::byte> bytes;
  Scan scan;  // one good sample for each point that has a value
};

// Errors: those of write_points that come before the first byte.
Result<WritePlan> plan_write(const WriteWork& work, const std::shared_ptr<const PointNames>& names,
                             const Json& parameters);

// The request of a step; its data points into `scratch` or the plan. Not for kBits with
// read-modify-write.
Request to_request(const WriteStep& step, const WritePlan& plan, bool multiple,
                   std::array<std::byte, kMaxPduSize>& scratch);
// Whether what was read back is what was written. `data` is the answer to a read of the step's
// place.
bool same_as_written(const WriteStep& step, const WritePlan& plan, std::span<const std::byte> data);

}  // namespace tributary::connectors::modbus
