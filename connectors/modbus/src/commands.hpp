// What is neither a read nor a write of points: the FIFO queue, who the device is, its diagnostics.
#pragma once

#include "connectors/modbus/src/link.hpp"
#include "connectors/modbus/src/operation.hpp"

namespace tributary::connectors::modbus {

// One sample: the list of the queue's values. Errors: the device's refusal (kFunction); those of
// Link::ask.
Task<Result<Scan>> read_fifo(Link& link, const ModbusOperation& operation, SteadyTime deadline);

// All identification objects of the basic and regular categories, in the order of their ids.
// Errors: kFunction when the device does not know the function or what it answers makes no sense;
// those of Link::ask.
Task<Result<std::vector<std::pair<std::uint8_t, std::string>>>> read_identification(
    Link& link, std::uint8_t unit, SteadyTime deadline);

// {"unitId", "identification": {"vendorName": …}, "exceptionStatus": 0 … 255, "echo": true,
// "eventCounter": {"busy", "count"}, "counters": {"busMessages", "busErrors", …}}; what the device
// refuses is {"error": {"code", "message"}} in its place. Errors: those of Link::ask.
Task<Result<Record>> diagnose(Link& link, std::uint8_t unit, SteadyTime deadline);

}  // namespace tributary::connectors::modbus
