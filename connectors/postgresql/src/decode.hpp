// Values as the server writes them (text form, DateStyle ISO, TimeZone UTC, hexadecimal bytea) as
// JSON, exact or as text. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connectors/postgresql/src/types.hpp"
#include "model/json.hpp"

namespace tributary::connectors::postgresql {

struct DecodeOptions {
  bool numeric_as_text = false;
};

// Whole numbers keep all 64 bits; a numeric is a number when that is exact, else text; timestamps
// are "2026-11-22T10:00:00.123Z", without Z when they have no zone; json is the document, bytea
// base64, an array a list. NaN and infinities are null. What is not understood stays text.
Json decode_value(std::string_view text, Type type, const DecodeOptions& options = {});

// "NaN", "Infinity", "-Infinity": what a value that became null really is; nullopt otherwise.
std::optional<std::string> special_number(std::string_view text, Type type);

std::string to_base64(std::string_view bytes);

}  // namespace tributary::connectors::postgresql
