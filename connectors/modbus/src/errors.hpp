// What a device's refusal means: exception code → error class, code, sentence; and the quality of
// the points it hits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "connectors/modbus/src/codec.hpp"
#include "model/quality.hpp"

namespace tributary::connectors::modbus {

// "read holding registers 100 to 109 of unit 1".
std::string describe(const Request& request, std::uint8_t unit);

// The error of an exception reply (MODBUS Application Protocol V1.1b3, section 7). kFunction,
// except kBusy for a device that asks to come back later (codes 5 and 6): neither ends the session.
Error exception_error(std::uint8_t exception, const Request& request, std::uint8_t unit);
Quality exception_quality(std::uint8_t exception);

// A request that was not answered in time, of a class that ends the session.
Error no_answer(std::string_view peer, const Request& request, std::uint8_t unit);

// True when a smaller request may succeed: a refused address, or a refused length.
bool worth_splitting(std::uint8_t exception);
// True when the gateway answered that it cannot reach the unit: asking more of it only costs the
// gateway's time-out again.
bool unit_is_away(std::uint8_t exception);

}  // namespace tributary::connectors::modbus
