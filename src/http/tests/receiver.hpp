// A loopback HTTP server for tests, on a thread of its own: one connection after the other, each
// request answered with what the test says.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tributary::http {

class Receiver {
 public:
  using Respond = std::function<std::string(const std::string& request)>;

  explicit Receiver(Respond respond, const char* ip = "127.0.0.1") : respond_(std::move(respond)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, ip, &address.sin_addr);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 16);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Receiver() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  std::uint16_t port() const { return port_; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  // "HTTP/1.1 200 OK …" with this body.
  static std::string answer(const std::string& status, const std::string& body = {},
                            const std::string& headers = {}) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }

 private:
  void serve() {
    while (true) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      const std::string request = read_request(peer);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const std::string text = respond_(request);
      std::size_t sent = 0;
      while (sent < text.size()) {
        const ssize_t size = ::send(peer, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (size <= 0) break;
        sent += static_cast<std::size_t>(size);
      }
      ::close(peer);
    }
  }
  static std::string read_request(int peer) {
    std::string text;
    char buffer[4096];
    while (!complete(text)) {
      const ssize_t size = ::recv(peer, buffer, sizeof buffer, 0);
      if (size <= 0) break;
      text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
  }
  static bool complete(const std::string& text) {
    const auto head = text.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const auto length = text.find("Content-Length: ");
    if (length == std::string::npos || length > head) return true;
    return text.size() >= head + 4 + std::stoul(text.substr(length + 16));
  }

  Respond respond_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace tributary::http
