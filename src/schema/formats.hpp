// Checks for "format". Private to this module.
#pragma once

#include <string_view>

namespace tributary::schema {

// A name (labels of letters, digits, _ and -, at most 63 each and 253 in all, one trailing dot), an
// IPv4 or an IPv6 address, the latter also with a zone: RFC 1123 section 2.1, RFC 4291 section 2.2,
// RFC 4007 section 11. The underscore is not in the RFC, but container networks have it.
bool is_host(std::string_view text);
// scheme:rest, RFC 3986 section 3; with "//" there has to be an authority.
bool is_uri(std::string_view text);

}  // namespace tributary::schema
