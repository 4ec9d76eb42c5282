// Writing values to points over a channel.
#pragma once

#include "connectors/modbus/src/channel.hpp"
#include "connectors/modbus/src/operation.hpp"
#include "connectors/modbus/src/scan.hpp"

namespace tributary::connectors::modbus {

// Everything is encoded and range-checked before the first byte is sent. Then the values go out in
// the order of the points, neighbours in one request. When the device refuses one, those after it
// are not written ("not_written"): a start command must not follow a set point that was refused.
// The scan has one sample for each point that had a value. Errors: kFunction "missing_value",
// "wrong_type", "out_of_range", "too_long" (pointer "/parameters/<name>" or
// "/settings/values/<name>"), and when nothing was written the device's refusal; those of
// Channel::exchange, with outcome_unknown and the names of what was confirmed before.
Task<Result<Scan>> write_points(Channel& channel, const ModbusOperation& operation,
                                const Json& parameters, ScanLimits limits, const Clock& clock);

}  // namespace tributary::connectors::modbus
