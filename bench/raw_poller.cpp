#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "bench/modbus_throughput.hpp"

namespace tributary::bench {
namespace {

struct Poller {
  int fd = -1;
  int next = 0;  // register the outstanding request starts at
  int asked = 0;
  std::size_t received = 0;
};

void ask(Poller& poller, int registers) {
  if (poller.next >= registers) poller.next = 0;
  poller.asked = std::min(125, registers - poller.next);
  poller.received = 0;
  auto high = [](int v) { return static_cast<unsigned char>(v >> 8); };
  auto low = [](int v) { return static_cast<unsigned char>(v); };
  std::array<unsigned char, 12> frame{0,
                                      1,
                                      0,
                                      0,
                                      0,
                                      6,
                                      1,
                                      3,
                                      high(poller.next),
                                      low(poller.next),
                                      high(poller.asked),
                                      low(poller.asked)};
  if (send(poller.fd, frame.data(), frame.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(frame.size()))
    std::exit(1);
  poller.next += poller.asked;
}

int dial(std::uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("the raw poller cannot connect");
    std::exit(1);
  }
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

}  // namespace

Figures poll_raw(std::uint16_t port, const Load& load) {
  int poll = epoll_create1(0);
  std::vector<Poller> pollers(static_cast<std::size_t>(load.devices));
  for (auto& poller : pollers) {
    poller.fd = dial(port);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &poller}};
    epoll_ctl(poll, EPOLL_CTL_ADD, poller.fd, &event);
  }
  Figures figures;
  double cpu = cpu_seconds();
  auto begin = std::chrono::steady_clock::now();
  auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  for (auto& poller : pollers) ask(poller, load.registers);
  std::array<epoll_event, 256> ready;
  std::array<unsigned char, 300> buffer;
  while (elapsed() < load.seconds) {
    int count = epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), 100);
    for (int i = 0; i < count; ++i) {
      auto& poller = *static_cast<Poller*>(ready[static_cast<std::size_t>(i)].data.ptr);
      auto got = recv(poller.fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) std::exit(1);
      poller.received += static_cast<std::size_t>(got);
      if (poller.received < 9 + 2 * static_cast<std::size_t>(poller.asked)) continue;
      figures.registers += poller.asked;
      ask(poller, load.registers);
    }
  }
  figures.seconds = elapsed();
  figures.cpu_seconds = cpu_seconds() - cpu;
  for (auto& poller : pollers) close(poller.fd);
  close(poll);
  return figures;
}

}  // namespace tributary::bench
