// A proxy before a good OPC UA server in the clear, which replaces messages of the server by lies.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "tests/support/sockets.hpp"

namespace tributary::connectors::opcua {

inline std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> 8U * i));
  return text;
}
inline std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i > 0; --i)
    value = value << 8U | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}
// A chunk with another size in its header than it has; by default with the right one.
inline std::string resized(std::string chunk, std::size_t size = 0) {
  return chunk.replace(4, 4, little_endian(size == 0 ? chunk.size() : size, 4));
}

class LyingServer {
 public:
  // Takes a whole chunk of the server and says what the client gets instead. Called on a thread of
  // the proxy, one at a time.
  using Lie = std::function<std::string(std::string chunk)>;

  explicit LyingServer(std::uint16_t upstream) : upstream_(upstream) {
    listener_ = test::listen_loopback(port_);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~LyingServer() { test::wake(stop_); }
  LyingServer(const LyingServer&) = delete;
  LyingServer& operator=(const LyingServer&) = delete;

  std::string url() const { return "opc.tcp://127.0.0.1:" + std::to_string(port_); }
  void lie(Lie lie) {
    const std::scoped_lock lock(mutex_);
    lie_ = std::move(lie);
  }
  // Chunks of the client that begin with this type.
  std::size_t heard(std::string_view type) {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(heard_, type));
  }

 private:
  void accept_all() {
    std::list<std::jthread> connections;
    for (;;) {
      const auto ready = test::wait_ready(listener_.get(), stop_, std::chrono::minutes{5});
      if (ready != test::Ready::kReadable) return;
      test::Descriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) continue;
      connections.emplace_back(
          [this, client = std::move(client)]() mutable { serve(std::move(client)); });
    }
  }
  void serve(test::Descriptor client) {
    const test::Descriptor server = test::connect_loopback(upstream_);
    std::string asked;
    std::string answered;
    while (server.valid()) {
      if (!pump(client.get(), asked, [&](const std::string& chunk) {
            const std::scoped_lock lock(mutex_);
            heard_.push_back(chunk.substr(0, 3));
            return test::send_all(server.get(), chunk);
          }))
        return;
      if (!pump(server.get(), answered, [&](const std::string& chunk) {
            const std::scoped_lock lock(mutex_);
            return test::send_all(client.get(), lie_ ? lie_(chunk) : chunk);
          }))
        return;
      if (test::wait_ready(client.get(), stop_, std::chrono::milliseconds{1}, false) ==
          test::Ready::kWoken)
        return;
    }
  }
  // Hands on what is complete; false when one side is gone.
  template <typename HandOn>
  bool pump(int from, std::string& waiting, HandOn hand_on) {
    const auto ready = test::wait_ready(from, stop_, std::chrono::milliseconds{2});
    if (ready == test::Ready::kTimeout) return true;
    if (ready == test::Ready::kWoken) return false;
    std::array<char, 65536> buffer{};
    const auto count = ::recv(from, buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    waiting.append(buffer.data(), static_cast<std::size_t>(count));
    while (waiting.size() >= 8 && waiting.size() >= number_at(waiting, 4)) {
      const std::size_t size = number_at(waiting, 4);
      if (!hand_on(waiting.substr(0, size))) return false;
      waiting.erase(0, size);
    }
    return true;
  }

  std::uint16_t upstream_;
  std::uint16_t port_ = 0;
  test::Descriptor listener_;
  test::Descriptor stop_ = test::make_wake();
  std::mutex mutex_;
  Lie lie_;
  std::list<std::string> heard_;
  std::jthread acceptor_;
};

}  // namespace tributary::connectors::opcua
