#include "script/worker/budget.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "script/frames.hpp"
#include "script/worker/sandbox.hpp"

namespace tributary::script::budget {
namespace {

constexpr std::uint64_t kTickMs = 4;

// A signal handler reaches nothing but globals: this is the only one, of a process with one thread
// that does nothing but evaluate scripts.
struct State {
  volatile std::uint64_t ticks = 0;
  volatile bool running = false;
  volatile std::uint64_t soft = 0;  // ticks at which spent() says yes
  volatile std::uint64_t hard = 0;  // ticks at which the process ends
  const char* finished = nullptr;
  std::size_t finished_size = 0;
  std::array<char, 32> expired{};
  std::size_t expired_size = 0;
};
State state;

void write_all(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(kChannel, data, size);
    if (written <= 0) return;
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

// Only calls that are safe in a handler.
void tick(int) {
  state.ticks = state.ticks + 1;
  if (!state.running || state.ticks < state.hard) return;
  write_all(state.finished, state.finished_size);
  write_all(state.expired.data(), state.expired_size);
  ::_exit(0);
}

}  // namespace

bool start() {
  struct sigaction action{};
  action.sa_handler = &tick;
  action.sa_flags = SA_RESTART;
  if (::sigaction(SIGPROF, &action, nullptr) != 0) return false;
  const timeval each{0, kTickMs * 1000};
  const itimerval timer{each, each};
  return ::setitimer(ITIMER_PROF, &timer, nullptr) == 0;
}

void begin(std::uint64_t cpu_ms, std::uint64_t record, const std::string& finished) {
  std::string expired;
  encode_expired(expired, record);
  state.running = false;
  std::memcpy(state.expired.data(), expired.data(), expired.size());
  state.expired_size = expired.size();
  state.finished = finished.data();
  state.finished_size = finished.size();
  const std::uint64_t limit = cpu_ms / kTickMs + 1;
  state.soft = state.ticks + limit;
  // The next question usually comes soon after: a quarter more, at least five ticks.
  state.hard = state.soft + std::max<std::uint64_t>(limit / 4, 5);
  state.running = true;
}

void end() {
  state.running = false;
}

bool spent() {
  return state.running && state.ticks >= state.soft;
}

std::uint64_t used_ms() {
  return state.ticks * kTickMs;
}

}  // namespace tributary::script::budget
