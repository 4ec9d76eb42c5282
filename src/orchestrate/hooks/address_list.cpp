#include "orchestrate/hooks/address_list.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace tributary::orchestrate::hooks {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

struct Address {
  Bytes bytes{};
  bool is_v4 = false;
};

std::optional<Address> parse_address(const std::string& text) {
  Address address;
  if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  address.bytes[10] = address.bytes[11] = 0xff;
  address.is_v4 = true;
  if (::inet_pton(AF_INET, text.c_str(), address.bytes.data() + 12) == 1) return address;
  return std::nullopt;
}

bool same_prefix(const Bytes& a, const Bytes& b, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin()))
    return false;
  const int rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

std::optional<Network> Network::parse(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network network{address->bytes, 128};
  if (slash == std::string::npos) return network;
  const char* begin = text.data() + slash + 1;
  const char* end = text.data() + text.size();
  int bits = 0;
  const auto read = std::from_chars(begin, end, bits);
  const int most = address->is_v4 ? 32 : 128;
  if (read.ec != std::errc{} || read.ptr != end || bits < 0 || bits > most) return std::nullopt;
  network.bits = address->is_v4 ? bits + 96 : bits;
  // 192.0.2.7/24 is more likely a slip than a network.
  Bytes zeros = network.address;
  for (int bit = network.bits; bit < 128; ++bit)
    zeros[static_cast<std::size_t>(bit / 8)] &= static_cast<std::uint8_t>(~(0x80 >> (bit % 8)));
  if (zeros != network.address) return std::nullopt;
  return network;
}

bool Network::contains(const Bytes& other) const {
  return same_prefix(address, other, bits);
}

bool AddressList::allows(const std::string& text) const {
  if (networks.empty()) return true;
  const auto address = parse_address(text);
  return address && std::ranges::any_of(networks, [&address](const Network& network) {
           return network.contains(address->bytes);
         });
}

}  // namespace tributary::orchestrate::hooks
