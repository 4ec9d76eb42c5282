#include "connectors/smtp/src/address.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/encoding.hpp"

namespace tributary::connectors::smtp {
namespace {

constexpr std::size_t kMaxLocal = 64;
constexpr std::size_t kMaxAddress = 254;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Parts between dots, none of them empty.
bool is_dotted(std::string_view text, std::string_view marks) {
  const bool allowed = std::ranges::all_of(
      text, [&](char c) { return is_letter_or_digit(c) || c == '.' || marks.contains(c); });
  return !text.empty() && allowed && text.front() != '.' && text.back() != '.' &&
         !text.contains("..");
}

bool is_address(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at > kMaxLocal || text.size() > kMaxAddress) return false;
  const std::string_view domain = text.substr(at + 1);
  return is_dotted(text.substr(0, at), "!#$%&'*+-/=?^_`{|}~") && is_dotted(domain, "-") &&
         domain.front() != '-' && domain.back() != '-';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

Result<Mailbox> parse_mailbox(std::string_view text, ErrorClass error_class, std::string pointer) {
  const std::string_view whole = trimmed(text);
  Mailbox mailbox;
  mailbox.address = whole;
  const auto open = whole.rfind('<');
  if (open != std::string_view::npos && whole.ends_with('>')) {
    mailbox.address = whole.substr(open + 1, whole.size() - open - 2);
    std::string_view name = trimmed(whole.substr(0, open));
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"'))
      name = name.substr(1, name.size() - 2);
    mailbox.name = name;
  }
  const bool clean = std::ranges::none_of(
      mailbox.name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (clean && is_address(mailbox.address)) return mailbox;
  return fail(error_class, "invalid_address",
              fmt::format("\"{}\" is not a mail address.", http::excerpt(text)),
              "Write shift@plant.example, or Shift leader <shift@plant.example>; one address for "
              "each entry.",
              std::move(pointer));
}

}  // namespace tributary::connectors::smtp
