// Addresses that may call: single ones and networks, of both families.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tributary::orchestrate::hooks {

// "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". An IPv4 address is its mapped form (::ffff:…).
struct Network {
  std::array<std::uint8_t, 16> address{};
  int bits = 128;

  // nullopt: not a network, or one with bits set behind the prefix.
  static std::optional<Network> parse(const std::string& text);
  bool contains(const std::array<std::uint8_t, 16>& other) const;
};

struct AddressList {
  std::vector<Network> networks;

  // An empty list lets everybody in; a text that is no address is let in by no other.
  bool allows(const std::string& address) const;
};

}  // namespace tributary::orchestrate::hooks
