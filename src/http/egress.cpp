#include "http/egress.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

namespace tributary::http {
namespace {

constexpr std::string_view kPointer = "/url";

using Bytes = std::array<unsigned char, 16>;  // an IPv6 address, or an IPv4 one in mapped form

std::unexpected<Error> invalid_url(std::string message, std::string hint = {}) {
  return fail(ErrorClass::kConfiguration, "invalid_url", std::move(message), std::move(hint),
              std::string(kPointer));
}
std::unexpected<Error> refused(const Target& target, std::string_view ip, std::string_view why) {
  const std::string what =
      target.host == ip ? target.host : fmt::format("{} ({})", target.host, ip);
  return fail(
      ErrorClass::kConfiguration, "egress_refused",
      fmt::format("{} is {}: the hub sends nothing there.", what, why),
      fmt::format("If this is meant, an administrator starts the hub with --allow-egress "
                  "{}:{}.",
                  target.host.contains(':') ? "[" + target.host + "]" : target.host, target.port),
      std::string(kPointer));
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string lowered(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(), lower);
  return copy;
}

// The usual spellings only: four decimal numbers without leading zeros, or RFC 4291 text.
std::optional<Bytes> parse_address(const std::string& text) {
  Bytes bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes[10] = bytes[11] = 0xff;
  if (::inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1) return bytes;
  return std::nullopt;
}

bool starts_with(const Bytes& bytes, std::span<const unsigned char> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

// The IPv4 address inside an IPv6 one: mapped, compatible (deprecated), NAT64 (RFC 6052), 6to4.
std::optional<std::array<unsigned char, 4>> embedded_v4(const Bytes& b) {
  const auto at = [&b](std::size_t i) {
    return std::array<unsigned char, 4>{b[i], b[i + 1], b[i + 2], b[i + 3]};
  };
  constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr unsigned char kCompatible[12] = {};
  constexpr unsigned char kNat64[12] = {0, 0x64, 0xff, 0x9b};
  constexpr unsigned char k6to4[2] = {0x20, 0x02};
  if (starts_with(b, kMapped) || starts_with(b, kNat64)) return at(12);
  const bool low = b[12] == 0 && b[13] == 0 && b[14] == 0 && b[15] <= 1;  // :: and ::1
  if (starts_with(b, kCompatible) && !low) return at(12);
  if (starts_with(b, k6to4)) return at(2);
  return std::nullopt;
}

std::string_view why_not_v4(const std::array<unsigned char, 4>& ip) {
  // Alibaba's metadata service has an address of its own kind (100.100.100.200).
  if (ip == std::array<unsigned char, 4>{169, 254, 169, 254} ||
      ip == std::array<unsigned char, 4>{100, 100, 100, 200})
    return "a metadata address of a cloud";
  if (ip[0] == 127) return "an address of this machine (loopback)";
  if (ip[0] == 0) return "the unspecified address";
  if (ip[0] == 169 && ip[1] == 254) return "a link-local address";
  if (ip[0] >= 224 && ip[0] < 240) return "a multicast address";
  if (ip[0] >= 240) return "a reserved or broadcast address";
  return {};
}

// Why nothing is sent to this address; empty: it may be.
std::string_view why_not(const Bytes& b) {
  if (const auto inner = embedded_v4(b)) return why_not_v4(*inner);
  if (std::all_of(b.begin(), b.end() - 1, [](unsigned char c) { return c == 0; })) {
    return b[15] == 0 ? "the unspecified address" : "an address of this machine (loopback)";
  }
  // fd00:ec2::254 (Amazon) and fd20:ce::254 (Google).
  constexpr unsigned char kAmazon[4] = {0xfd, 0x00, 0x0e, 0xc2};
  constexpr unsigned char kGoogle[4] = {0xfd, 0x20, 0x00, 0xce};
  if (starts_with(b, kAmazon) || starts_with(b, kGoogle)) return "a metadata address of a cloud";
  if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) return "a link-local address";
  if (b[0] == 0xff) return "a multicast address";
  return {};
}

std::string_view why_not_name(std::string_view name) {
  constexpr std::array<std::string_view, 6> kMetadata = {
      "metadata",      "metadata.google.internal",   "metadata.goog",
      "instance-data", "instance-data.ec2.internal", "metadata.azure.internal"};
  if (std::ranges::find(kMetadata, name) != kMetadata.end()) return "a metadata name of a cloud";
  constexpr std::array<std::string_view, 4> kLocal = {"localhost", "localhost.localdomain",
                                                      "ip6-localhost", "ip6-loopback"};
  if (std::ranges::find(kLocal, name) != kLocal.end() || name.ends_with(".localhost"))
    return "a name of this machine";
  return {};
}

// Names made of digits and dots, or with 0x in a label, are addresses to the C library
// ("2130706433", "0x7f.1", "0177.0.0.1"): only the usual spelling of an address is accepted.
bool looks_like_a_number(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  if (last.empty()) return false;
  const bool digits = std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
  return digits || last.starts_with("0x");
}

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 253 && name.front() != '.' && !name.contains("..") &&
         std::ranges::all_of(name, allowed);
}

Result<std::uint16_t> read_port(std::string_view text, bool secure) {
  if (text.empty()) return static_cast<std::uint16_t>(secure ? 443 : 80);
  unsigned port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || port == 0 ||
      port > 65535) {
    return invalid_url(fmt::format("'{}' is not a port.", text), "A port is 1 to 65535.");
  }
  return static_cast<std::uint16_t>(port);
}

// "[2001:db8::1]:8443" or "host:8443" into host and the text behind the colon.
Result<std::pair<std::string, std::string_view>> split_authority(std::string_view authority) {
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    const bool port = end != std::string_view::npos && end + 1 < authority.size();
    if (end == std::string_view::npos || (port && authority[end + 1] != ':'))
      return invalid_url("The address in brackets is not complete.", "Write [2001:db8::1]:8080.");
    return std::pair(lowered(authority.substr(1, end - 1)),
                     port ? authority.substr(end + 2) : std::string_view());
  }
  const auto colon = authority.find(':');
  std::string host = lowered(authority.substr(0, colon));
  if (host.size() > 1 && host.ends_with('.')) host.pop_back();
  return std::pair(std::move(host), colon == std::string_view::npos ? std::string_view()
                                                                    : authority.substr(colon + 1));
}

Result<void> check_host_text(Target& target, bool bracketed) {
  target.is_address = parse_address(target.host).has_value();
  if (bracketed) {
    if (target.is_address && target.host.contains(':')) return {};
    return invalid_url(fmt::format("[{}] is not an IPv6 address.", target.host),
                       "Zones such as %eth0 are not possible.");
  }
  if (target.is_address && !target.host.contains(':')) return {};
  if (!is_name(target.host)) {
    return invalid_url(fmt::format("'{}' is not a host name.", target.host),
                       "Names have letters, digits, hyphens and dots; international ones are "
                       "written in their xn-- form.");
  }
  if (looks_like_a_number(target.host)) {
    return invalid_url(fmt::format("'{}' is an unusual way to write an address.", target.host),
                       "Write four decimal numbers, as in 192.0.2.10.");
  }
  return {};
}

}  // namespace

Result<Target> parse_url(std::string_view url) {
  if (url.size() > kMaxUrl)
    return invalid_url(fmt::format("The URL is longer than {} characters.", kMaxUrl));
  const bool clean =
      std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f && c != '\\'; });
  if (!clean) {
    return invalid_url("The URL has a blank, a backslash or a character outside ASCII.",
                       "Write such characters as %20 and so on.");
  }
  Target target;
  const auto colon = url.find("://");
  const std::string scheme = lowered(url.substr(0, colon == std::string_view::npos ? 0 : colon));
  if (scheme != "http" && scheme != "https") {
    return invalid_url("The URL must begin with http:// or https://.",
                       "Other kinds of addresses are not possible here.");
  }
  target.secure = scheme == "https";
  std::string_view rest = url.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));  // a fragment is never sent
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (authority.contains('@')) {
    return invalid_url("The URL has a user or password in it.",
                       "Put credentials into the secrets, not into the URL.");
  }
  target.path = std::string(rest.substr(end));
  if (!target.path.starts_with('/')) target.path.insert(0, "/");
  auto split = split_authority(authority);
  TRIBUTARY_TRY(split);
  target.host = std::move(split->first);
  TRIBUTARY_TRY(check_host_text(target, authority.starts_with('[')));
  auto port = read_port(split->second, target.secure);
  TRIBUTARY_TRY(port);
  target.port = *port;
  return target;
}

std::string Target::url() const {
  const bool six = host.contains(':');
  return fmt::format("{}://{}{}{}:{}{}", secure ? "https" : "http", six ? "[" : "", host,
                     six ? "]" : "", port, path);
}

EgressGuard::EgressGuard(std::vector<AllowedTarget> allowed, OwnListeners own)
    : allowed_(std::move(allowed)), own_(std::move(own)) {
  for (AllowedTarget& target : allowed_) target.host = lowered(target.host);
}

bool EgressGuard::is_listed(std::string_view host, std::uint16_t port) const {
  return std::ranges::any_of(allowed_, [&](const AllowedTarget& target) {
    return target.host == host && target.port == port;
  });
}

Result<Target> EgressGuard::check_url(std::string_view url) const {
  auto target = parse_url(url);
  TRIBUTARY_TRY(target);
  return check_name(std::move(*target));
}

Result<Target> EgressGuard::check_host(std::string_view host, std::uint16_t port) const {
  Target target;
  target.host = lowered(host);
  if (target.host.size() > 1 && target.host.ends_with('.')) target.host.pop_back();
  target.port = port;
  const bool six = target.host.contains(':');
  TRIBUTARY_TRY(check_host_text(target, six));
  return check_name(std::move(target));
}

Result<Target> EgressGuard::check_name(Target target) const {
  if (target.is_address) {
    TRIBUTARY_TRY(check_address(target, target.host));
    return target;
  }
  const std::string_view why = why_not_name(target.host);
  if (!why.empty() && !is_listed(target.host, target.port))
    return refused(target, target.host, why);
  return target;
}

Result<void> EgressGuard::check_address(const Target& target, const std::string& ip) const {
  if (is_listed(target.host, target.port) || is_listed(ip, target.port)) return {};
  const auto bytes = parse_address(ip);
  if (!bytes) return refused(target, ip, "not an address");
  if (const std::string_view why = why_not(*bytes); !why.empty()) return refused(target, ip, why);
  if (!own_) return {};
  for (const net::Address& own : own_()) {
    if (own.port == target.port && parse_address(own.ip) == bytes)
      return refused(target, ip, "where the hub itself listens");
  }
  return {};
}

}  // namespace tributary::http
