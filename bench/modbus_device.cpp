#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include "bench/modbus_throughput.hpp"

namespace tributary::bench {
namespace {

constexpr std::size_t kRequest = 12;  // MBAP header (7), function, address, quantity

[[noreturn]] void serve(int listener) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int poll = epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 256> ready;
  std::array<unsigned char, 9 + 250> answer{};
  while (true) {
    int count = epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
    for (int i = 0; i < count; ++i) {
      int fd = ready[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        int client = accept(listener, nullptr, nullptr);
        int one = 1;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        event = {.events = EPOLLIN, .data = {.fd = client}};
        epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
        continue;
      }
      std::array<unsigned char, kRequest> request;
      if (recv(fd, request.data(), request.size(), 0) != static_cast<ssize_t>(kRequest)) {
        close(fd);
        continue;
      }
      auto quantity = static_cast<unsigned>(request[10] << 8 | request[11]);
      auto length = 3 + 2 * quantity;
      std::memcpy(answer.data(), request.data(), 8);
      answer[4] = static_cast<unsigned char>(length >> 8);
      answer[5] = static_cast<unsigned char>(length);
      answer[8] = static_cast<unsigned char>(2 * quantity);
      if (send(fd, answer.data(), 6 + length, MSG_NOSIGNAL) < 0) close(fd);
    }
  }
}

}  // namespace

Device::Device() {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 1024) != 0) {
    std::perror("the bench device cannot listen");
    std::exit(1);
  }
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  pid_ = fork();
  if (pid_ == 0) serve(listener);
  close(listener);
}

Device::~Device() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace tributary::bench
