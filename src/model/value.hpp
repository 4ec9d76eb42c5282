// A value as a device, a broker or a database gives it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "model/json.hpp"

namespace tributary {

using Bytes = std::vector<std::byte>;

// monostate is "no value". 64-bit integers keep their sign and all their bits. Structured values
// (an OPC UA structure, a JSON payload) are documents.
using Value = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string,
                           Bytes, Json>;

// How 64-bit integers beyond ±2^53 leave as JSON.
enum class BigInt : std::uint8_t { kNumber, kString };

// Bytes become base64. NaN and infinities become null (the caller marks quality and raw text, see
// to_json(Sample)).
Json to_json(const Value& value, BigInt big = BigInt::kNumber);
// The inverse for JSON that came from outside: integers, doubles, strings, bools, null; arrays and
// objects as Json.
Value from_json(const Json& json);
// |a − b| for two numbers; nullopt when either is not a number. For deadbands.
std::optional<double> distance(const Value& a, const Value& b);

}  // namespace tributary
