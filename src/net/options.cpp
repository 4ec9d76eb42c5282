#include "net/options.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

namespace tributary::net {
namespace {

Result<void> set_option(int descriptor, int level, int name, int value, std::string_view label) {
  if (::setsockopt(descriptor, level, name, &value, sizeof value) == 0) return {};
  const int error_number = errno;
  return fail(ErrorClass::kInternal, "socket_option_failed",
              fmt::format("The socket option {} could not be set: {}.", label,
                          std::generic_category().message(error_number)));
}

Error unreachable(std::string message, std::string hint) {
  return {ErrorClass::kTransient, "unreachable", std::move(message), std::move(hint)};
}

}  // namespace

Result<void> apply_keepalive(int descriptor, const Keepalive& keepalive) {
  const auto idle = static_cast<int>(keepalive.idle.count());
  const auto interval = static_cast<int>(keepalive.interval.count());
  const auto user_timeout = static_cast<int>(keepalive.user_timeout.count());
  TRIBUTARY_TRY(set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"));
  TRIBUTARY_TRY(set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE"));
  TRIBUTARY_TRY(set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, idle, "TCP_KEEPIDLE"));
  TRIBUTARY_TRY(set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, interval, "TCP_KEEPINTVL"));
  TRIBUTARY_TRY(set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, keepalive.count, "TCP_KEEPCNT"));
  return set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout, "TCP_USER_TIMEOUT");
}

Result<void> check_connected(int descriptor, std::string_view peer) {
  int error_number = 0;
  socklen_t size = sizeof error_number;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error_number, &size) != 0) {
    error_number = errno;
  }
  sockaddr_storage ours{};
  sockaddr_storage theirs{};
  socklen_t ours_size = sizeof ours;
  socklen_t theirs_size = sizeof theirs;
  if (error_number == 0 &&
      (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&ours), &ours_size) != 0 ||
       ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&theirs), &theirs_size) != 0)) {
    error_number = errno;
  }
  const bool itself = ours_size == theirs_size &&
                      std::memcmp(&ours, &theirs, static_cast<std::size_t>(ours_size)) == 0;
  if (error_number == 0 && itself) error_number = ECONNREFUSED;
  if (error_number == 0) return {};
  return fail(error_from_errno(error_number, "connect to", peer));
}

Error error_from_errno(int error_number, std::string_view action, std::string_view peer) {
  const std::string reason = std::generic_category().message(error_number);
  switch (error_number) {
    case ECONNREFUSED:
      return {
          ErrorClass::kTransient, "connection_refused",
          fmt::format("{} refused the connection", peer),
          "The machine answers, but nothing listens on this port: is the service there switched "
          "on, and is the port right?"};
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return {ErrorClass::kTransient, "connection_reset",
              fmt::format("{} reset the connection", peer),
              "The other side, or something between, cut the connection. Does it limit how many "
              "clients may connect?"};
    case ETIMEDOUT:
      // On an established connection: keepalive or TCP_USER_TIMEOUT gave up.
      return unreachable(
          fmt::format("{} no longer answers: nothing sent was confirmed any more", peer),
          "Is it switched on, and is the network path to it up?");
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      return unreachable(fmt::format("{} cannot be reached: {}", peer, reason),
                         "Is the address right, and is there a route from this machine to it?");
    case EACCES:
    case EPERM:
      return unreachable(
          fmt::format("This machine does not let the hub {} {}: {}", action, peer, reason),
          "A firewall rule on the hub's own machine forbids it.");
    case EMFILE:
    case ENFILE:
      return {ErrorClass::kInternal, "out_of_descriptors",
              fmt::format("The hub has no free file descriptor to {} {}", action, peer),
              "Raise the limit of open files of the hub's service (LimitNOFILE)."};
    case ENOMEM:
    case ENOBUFS:
      return {ErrorClass::kInternal, "out_of_memory",
              fmt::format("The operating system has no memory to {} {}", action, peer),
              "Free memory on the hub's machine."};
    case ECANCELED:
    case EBADF:
      return {ErrorClass::kCancelled, "cancelled",
              fmt::format("The connection to {} was ended by the hub", peer)};
    default:
      return {ErrorClass::kTransient, "io_error",
              fmt::format("Could not {} {}: {}", action, peer, reason)};
  }
}

}  // namespace tributary::net
