// Texts of fixed length in a device's memory. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "field/codec.hpp"

namespace tributary::field {

bool is_utf8(std::string_view text);
std::string latin1_to_utf8(std::string_view latin);

Decoded decode_text(const Format& format, std::span<const std::byte> bytes);
// Errors: kFunction "too_long", "not_allowed" (a character that the encoding does not have).
Result<void> encode_text(const Format& format, std::string_view text, std::span<std::byte> out);

}  // namespace tributary::field
