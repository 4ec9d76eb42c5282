#include "app/own_listeners.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

namespace tributary::app {
namespace {

std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address != nullptr && address->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text,
                sizeof text);
  } else if (address != nullptr && address->sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text,
                sizeof text);
  }
  return text;
}

}  // namespace

std::vector<net::Address> own_listeners(const std::string& address, std::uint16_t port) {
  std::vector<net::Address> found = {{address, port}};
  if (address != "0.0.0.0" && address != "::") return found;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return found;
  for (const ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
    std::string ip = text_of(at->ifa_addr);
    if (!ip.empty()) found.push_back({std::move(ip), port});
  }
  ::freeifaddrs(all);
  return found;
}

}  // namespace tributary::app
