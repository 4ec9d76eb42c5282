#include "tests/support/test_context.hpp"

#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

namespace tributary::test {

TestContext::TestContext()
    : timers_(make_system_timers()), network_(net::make_system_network(*timers_)) {
  // Asio makes its own descriptors with the first socket of a loop: now, so that tests that count
  // descriptors see only theirs.
  asio::ip::tcp::socket first(loop_);
  first.open(asio::ip::tcp::v4());
}
TestContext::~TestContext() = default;

void TestContext::allow_egress(std::uint16_t port) {
  for (const auto& known : egress_) {
    if (known.port == port) return;
  }
  for (const char* host : {"127.0.0.1", "localhost"}) egress_.push_back({host, port});
  http_.reset();  // a client has the guard that it was made with
  static_cast<void>(http());  // its descriptors are there before a test counts them
}

http::Client& TestContext::http() {
  if (!http_) {
    http_ = std::make_unique<http::Client>(clock_, *network_, http::EgressGuard(egress_));
  }
  return *http_;
}

bool TestContext::run_until(const std::function<bool()>& condition, Duration limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    if (loop_.stopped()) loop_.restart();
    // In slices: when nothing is pending the loop stops at once, and the condition may need another
    // thread's work.
    const auto slice = std::min<Duration>(limit, std::chrono::milliseconds(20));
    if (loop_.run_one_for(slice) == 0 && loop_.stopped()) std::this_thread::yield();
  }
  return true;
}

bool TestContext::step(Duration limit) {
  if (loop_.stopped()) loop_.restart();
  return loop_.run_one_for(limit) > 0;
}

void TestContext::drain() {
  if (loop_.stopped()) loop_.restart();
  while (loop_.poll() > 0) loop_.restart();
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace tributary::test
