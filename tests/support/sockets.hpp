// Plain blocking sockets on loopback, for peers that run on threads of their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tributary::test {

// Closes when it goes.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  int get() const { return value_; }
  bool valid() const { return value_ >= 0; }
  void close();
  // With a reset instead of a goodbye.
  void reset();

 private:
  int value_ = -1;
};

// A socket bound to a free port of 127.0.0.1, not listening yet. Throws std::system_error.
Descriptor bind_loopback(std::uint16_t& port);
// The same port again, not listening yet, while connections of an earlier listener may linger.
Descriptor rebind_loopback(std::uint16_t port);
Descriptor listen_loopback(std::uint16_t& port, int backlog = 64);
// Connects to 127.0.0.1:port; invalid when refused.
Descriptor connect_loopback(std::uint16_t port);
// Wakes a thread that polls: an eventfd.
Descriptor make_wake();
void wake(const Descriptor& event);

enum class Ready : std::uint8_t { kReadable, kHungUp, kWoken, kTimeout };
// Waits for `descriptor` to be readable (or, with `readable` false, only for its end) or for
// `stop`.
Ready wait_ready(int descriptor, const Descriptor& stop, std::chrono::milliseconds limit,
                 bool readable = true);
// False when the other side is gone.
bool send_all(int descriptor, std::string_view bytes);

}  // namespace tributary::test
