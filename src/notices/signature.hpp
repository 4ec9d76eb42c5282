// How a receiver knows that a notice comes from this hub and is not an old one sent again.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "base/time.hpp"

namespace tributary::notices {

// "t=1763805600,v1=5257a8…": seconds since 1970, and HMAC-SHA256 of "1763805600." + body, in
// hexadecimal (docs/notices.md says how to check it).
std::string signature(const Secret& secret, UtcTime at, std::string_view body);

}  // namespace tributary::notices
