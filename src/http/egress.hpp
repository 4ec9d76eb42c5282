// Where the hub may send requests of its own (security checklist H). On a plant network internal
// addresses are the legitimate targets, so what is refused is what no receiver ever is: this
// machine, link-local and metadata addresses, and the hub's own listeners — in any spelling, unless
// the administrator lists it. Pure: names are resolved, and sockets made, by others.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "net/stream.hpp"

namespace tributary::http {

// A URL in parts that have one reading only.
struct Target {
  bool secure = false;
  std::string host;  // lower case; an IPv6 address without brackets
  std::uint16_t port = 0;
  std::string path;         // with the query: "/hook?line=3"
  bool is_address = false;  // the host is an address, not a name

  // The URL again, made of the parts: what is checked is what is used.
  std::string url() const;
};

// "HOST:PORT" as an administrator lists it; the host is a name or an address.
struct AllowedTarget {
  std::string host;
  std::uint16_t port = 0;
};

// Error: kConfiguration "invalid_url", pointer "/url".
Result<Target> parse_url(std::string_view url);

class EgressGuard {
 public:
  // Where the hub itself listens at this moment, as addresses; asked on every check.
  using OwnListeners = std::function<std::vector<net::Address>()>;

  explicit EgressGuard(std::vector<AllowedTarget> allowed = {}, OwnListeners own = {});

  // Errors, kConfiguration, pointer "/url": "invalid_url" (scheme, user in the URL, characters,
  // spellings of addresses that are not the usual one), "egress_refused".
  Result<Target> check_url(std::string_view url) const;
  // The same for a server that is not spoken HTTP with; pointer "/url".
  Result<Target> check_host(std::string_view host, std::uint16_t port) const;
  // Of each address that the target's host resolved to. Error: kConfiguration "egress_refused".
  Result<void> check_address(const Target& target, const std::string& ip) const;

 private:
  Result<Target> check_name(Target target) const;
  bool is_listed(std::string_view host, std::uint16_t port) const;

  std::vector<AllowedTarget> allowed_;
  OwnListeners own_;
};

constexpr std::size_t kMaxUrl = 2048;

}  // namespace tributary::http
