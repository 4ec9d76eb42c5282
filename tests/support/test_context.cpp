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
