#include "tests/support/sockets.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <system_error>

namespace tributary::test {
namespace {

[[noreturn]] void fail_with(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void allow_rebinding(const Descriptor& socket) {
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

}  // namespace

void Descriptor::close() {
  if (value_ >= 0) ::close(std::exchange(value_, -1));
}

void Descriptor::reset() {
  if (value_ < 0) return;
  const linger now{1, 0};
  ::setsockopt(value_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

Descriptor bind_loopback(std::uint16_t& port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) fail_with("socket");
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) fail_with("bind");
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    fail_with("getsockname");
  port = ntohs(address.sin_port);
  // Only now: a port that is still to be chosen must not be shared. It lets the port be bound again
  // while accepted connections linger.
  allow_rebinding(socket);
  return socket;
}

Descriptor rebind_loopback(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) fail_with("socket");
  allow_rebinding(socket);
  sockaddr_in address = loopback(port);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail_with("bind");
  return socket;
}

Descriptor listen_loopback(std::uint16_t& port, int backlog) {
  Descriptor socket = bind_loopback(port);
  if (::listen(socket.get(), backlog) != 0) fail_with("listen");
  return socket;
}

Descriptor connect_loopback(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    socket.close();
  return socket;
}

Descriptor make_wake() {
  return Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void wake(const Descriptor& event) {
  const std::uint64_t one = 1;
  // It only fails when the counter is full, and then the event is set already.
  static_cast<void>(!::write(event.get(), &one, sizeof one));
}

Ready wait_ready(int descriptor, const Descriptor& stop, std::chrono::milliseconds limit,
                 bool readable) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    pollfd polled[2] = {{descriptor, static_cast<short>(readable ? POLLIN : POLLRDHUP), 0},
                        {stop.get(), POLLIN, 0}};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const int count = ::poll(polled, 2, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) return Ready::kTimeout;
    if (polled[1].revents != 0) return Ready::kWoken;
    if ((polled[0].revents & POLLIN) != 0) return Ready::kReadable;
    return Ready::kHungUp;
  }
}

bool send_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace tributary::test
