// A loop, real timers and small peers for the tests of the network.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

#include "net/system_network.hpp"
#include "net/tcp_stream.hpp"
#include "runtime/event.hpp"
#include "runtime/timers.hpp"

namespace tributary::net {

using namespace std::chrono_literals;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

inline std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// A listening socket that nobody accepts from and whose queue is full: the kernel drops further
// connection requests, as a machine behind a silent firewall does.
class BlackHole {
 public:
  explicit BlackHole(const std::string& ip = "127.0.0.1", std::uint16_t port = 0) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address = at(ip, port);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 0), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (int i = 0; i < 8; ++i) {
      const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof address);
      fillers_.push_back(filler);
      pollfd ready{filler, POLLOUT, 0};
      if (::poll(&ready, 1, 100) == 0) return;  // this one hangs: so will the next
    }
    ADD_FAILURE() << "the listen queue never filled";
  }
  ~BlackHole() {
    for (const int filler : fillers_) ::close(filler);
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }

 private:
  static sockaddr_in at(const std::string& ip, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
    return address;
  }
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::vector<int> fillers_;
};

struct Stages final : StageObserver {
  void begin(std::string_view stage) override { seen.emplace_back(stage); }
  std::vector<std::string> seen;
};

class NetTest : public testing::Test {
 protected:
  // Runs one task to its end on this thread.
  template <typename T>
  T run(Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(context_, std::move(task), [&](std::exception_ptr failure, T value) {
      if (failure) std::rethrow_exception(failure);
      result = std::move(value);
    });
    context_.restart();
    while (!result) context_.run_one();
    return std::move(*result);
  }
  SteadyTime in(Duration time) const { return timers_->now() + time; }

  Result<std::unique_ptr<Stream>> dial(const std::string& host, std::uint16_t port, Duration time) {
    return run(network_->dial({host, port}, {}, in(time), stages_));
  }
  // A listener on a loopback address.
  Acceptor listen(const std::string& ip = "127.0.0.1", std::uint16_t port = 0) {
    return Acceptor(context_, {asio::ip::make_address(ip), port});
  }
  // Both ends of one connection.
  struct Pair {
    std::unique_ptr<Stream> ours;
    TcpSocket theirs;
  };
  Pair connect() {
    Acceptor acceptor = listen();
    auto stream = dial("127.0.0.1", acceptor.local_endpoint().port(), 5s);
    EXPECT_TRUE(stream.has_value());
    return {std::move(*stream), acceptor.accept()};
  }
  Result<std::size_t> read(Stream& stream, std::span<std::byte> buffer, Duration time) {
    return run(stream.read_some(buffer, in(time)));
  }
  static std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  std::unique_ptr<Timers> timers_ = make_system_timers();
  asio::io_context context_{1};
  std::unique_ptr<Network> network_ = make_system_network(*timers_);
  Stages stages_;
  std::array<std::byte, 256> buffer_{};
};

}  // namespace tributary::net
