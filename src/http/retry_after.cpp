#include "http/retry_after.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <string>

namespace tributary::http {
namespace {

constexpr std::size_t kLongestDate = 64;

}  // namespace

std::optional<std::int64_t> parse_retry_after(std::string_view text, UtcTime now) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.empty() || text.size() > kLongestDate) return std::nullopt;
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (digits) {
    std::int64_t seconds = 0;
    for (const char c : text) {
      seconds = seconds * 10 + (c - '0');
      if (seconds * 1000 >= kMaxRetryAfterMs) return kMaxRetryAfterMs;
    }
    return seconds * 1000;
  }
  const std::time_t at = curl_getdate(std::string(text).c_str(), nullptr);
  if (at < 0) return std::nullopt;
  const auto ms = std::int64_t{at} * 1000 - to_micros(now) / 1000;
  return std::clamp<std::int64_t>(ms, 0, kMaxRetryAfterMs);
}

}  // namespace tributary::http
