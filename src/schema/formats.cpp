#include "schema/formats.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

namespace tributary::schema {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
    return false;
  return std::ranges::all_of(
      label, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_ipv6(std::string_view text) {
  const auto zone = text.find('%');
  if (zone != std::string_view::npos && zone + 1 == text.size()) return false;
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text.substr(0, zone)).c_str(), &address) == 1;
}

}  // namespace

bool is_host(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return false;
  if (text.find(':') != std::string_view::npos) return is_ipv6(text);
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  std::size_t begin = 0;
  std::string_view last;
  while (begin <= text.size()) {
    const auto end = std::min(text.find('.', begin), text.size());
    last = text.substr(begin, end - begin);
    if (!is_label(last)) return false;
    begin = end + 1;
  }
  // No top-level domain is a number: what ends in one is meant as an address, and has to be one.
  if (!std::ranges::all_of(last, is_digit)) return true;
  in_addr address{};
  return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

bool is_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text[0])) return false;
  const auto scheme = text.substr(0, colon);
  if (!std::ranges::all_of(scheme, [](char c) {
        return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
      })) {
    return false;
  }
  const auto rest = text.substr(colon + 1);
  constexpr std::string_view kNever = "<>\"{}|\\^`";
  const bool clean = std::ranges::all_of(rest, [&](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7F &&
           kNever.find(c) == std::string_view::npos;
  });
  if (!clean || rest.empty()) return false;
  if (!rest.starts_with("//")) return true;
  const bool local = scheme == "file";
  return local ||
         (rest.size() > 2 && rest[2] != '/' && rest[2] != ':' && rest[2] != '?' && rest[2] != '#');
}

}  // namespace tributary::schema
