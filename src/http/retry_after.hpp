// The Retry-After of an answer (RFC 9110, section 10.2.3). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace tributary::http {

constexpr std::int64_t kMaxRetryAfterMs = std::int64_t{24} * 3600 * 1000;

// Seconds, or a date in any form that HTTP knows; at most kMaxRetryAfterMs. A date that is over is
// 0.
std::optional<std::int64_t> parse_retry_after(std::string_view text, UtcTime now);

}  // namespace tributary::http
