// Writing values to points.
#pragma once

#include "connectors/modbus/src/link.hpp"
#include "connectors/modbus/src/operation.hpp"

namespace tributary::connectors::modbus {

// Everything is encoded and range-checked before the first byte is sent. Then the values go out in
// the order of the points, neighbours in one request; bits of one register change together. When
// the device refuses one, or reading back gives something else ("not_verified"), those after it are
// not written ("not_written"): a start command must not follow a set point that was refused. The
// scan has one sample for each point that had a value. Errors: kFunction "missing_value",
// "wrong_type", "out_of_range", "too_long", "not_allowed" (pointer "/parameters/<name>" or
// "/settings/values/<name>"), and when nothing was written the device's refusal; those of
// Link::ask, with outcome_unknown and the names of what was confirmed before.
Task<Result<Scan>> write_points(Link& link, const ModbusOperation& operation,
                                const Json& parameters, SteadyTime deadline);

// Function 23: the values of the first points, and the scan of the others. Errors: as write_points.
Task<Result<Scan>> exchange_points(Link& link, const ModbusOperation& operation,
                                   const Json& parameters, SteadyTime deadline);

}  // namespace tributary::connectors::modbus
