// Which headers an answer may have. Pure.
#pragma once

#include <string_view>

namespace tributary::orchestrate::hooks {

constexpr std::size_t kMostHeaderValue = 4096;

// A token (RFC 9110, 5.6.2) of at most 64 characters.
bool is_header_name(std::string_view name);
// Printable ASCII, blanks and tabs: nothing that could begin another header or another answer.
bool is_header_value(std::string_view value);
// Those that the server itself writes, that frame the message, or that would act on the hub's own
// pages: an answer cannot set them.
bool is_reserved_header(std::string_view name);

}  // namespace tributary::orchestrate::hooks
