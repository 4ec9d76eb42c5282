#include "orchestrate/hooks/headers.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace tributary::orchestrate::hooks {

bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  constexpr std::size_t kMostName = 64;
  return !name.empty() && name.size() <= kMostName && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.contains(c);
  });
}

bool is_header_value(std::string_view value) {
  return value.size() <= kMostHeaderValue &&
         std::ranges::all_of(value, [](char c) { return c == '\t' || (c >= 0x20 && c < 0x7f); });
}

bool is_reserved_header(std::string_view name) {
  constexpr std::array<std::string_view, 19> kReserved = {"connection",
                                                          "content-length",
                                                          "content-security-policy",
                                                          "cross-origin-opener-policy",
                                                          "cross-origin-resource-policy",
                                                          "date",
                                                          "keep-alive",
                                                          "proxy-authenticate",
                                                          "referrer-policy",
                                                          "set-cookie",
                                                          "strict-transport-security",
                                                          "te",
                                                          "trailer",
                                                          "transfer-encoding",
                                                          "upgrade",
                                                          "www-authenticate",
                                                          "x-content-type-options",
                                                          "x-correlation-id",
                                                          "x-frame-options"};
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::ranges::find(kReserved, lower) != kReserved.end() || lower == "clear-site-data" ||
         lower.starts_with("access-control-");
}

}  // namespace tributary::orchestrate::hooks
