// Writing values to variables over a channel.
#pragma once

#include "connectors/s7/src/channel.hpp"
#include "connectors/s7/src/operation.hpp"
#include "connectors/s7/src/scan.hpp"

namespace tributary::connectors::s7 {

// Everything is encoded and range-checked before the first byte is sent. Before a text is written,
// its declared length is read from the CPU: one that is too long is refused ("too_long") instead of
// running over what lies behind it. Then the values go out in the order of the points; what comes
// after a request in which the CPU refused something is not written ("not_written"), with
// one_by_one after the first refused value. A value longer than a message goes out in several. With
// verify, what reads back differently is bad with "not_verified".
// The scan has one sample for each point that had a value. Errors: kFunction "missing_value",
// "wrong_type", "out_of_range", "too_long" (pointer "/parameters/<name>" or
// "/settings/values/<name>"); those of Channel::exchange, with outcome_unknown and the names of
// what was confirmed before.
Task<Result<Scan>> write_variables(Channel& channel, const S7Operation& operation,
                                   const Json& parameters, CallLimits limits, const Clock& clock);

}  // namespace tributary::connectors::s7
