// The fault proxy as a program, for tests that are not written in C++ and for trying things by
// hand.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "tests/support/fault_proxy.hpp"
#include "tests/support/sockets.hpp"

namespace tributary::test {

namespace {

constexpr std::size_t kMaxLine = 256;
constexpr int kWaitingControllers = 8;

constexpr const char* kUsage =
    "Usage: fault_proxy --upstream HOST:PORT [--control PATH]\n"
    "  Listens on a free port of 127.0.0.1, prints it, and forwards to HOST:PORT (HOST in "
    "figures).\n"
    "  --control PATH  a local socket that takes orders, one a line, and answers each with a "
    "line:\n"
    "                  pass, delay MS, rate BYTES_PER_S, slice, corrupt SIDE N, stall,\n"
    "                  stall-after SIDE N, cut-after SIDE N, mute, drop, refuse, cut fin|rst, "
    "stats;\n"
    "                  SIDE is client or server: whose bytes\n"
    "  Ends on SIGTERM or SIGINT.\n";

struct Options {
  std::string host;
  std::uint16_t port = 0;
  std::string control;
};

std::optional<Options> parse_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    const std::string_view value = arguments[i + 1];
    if (name == "--control") {
      options.control = value;
    } else if (name == "--upstream") {
      const auto colon = value.rfind(':');
      if (colon == std::string_view::npos) return {};
      options.host = value.substr(0, colon);
      const char* end = value.data() + value.size();
      const auto parsed = std::from_chars(value.data() + colon + 1, end, options.port);
      if (parsed.ec != std::errc{} || parsed.ptr != end) return {};
    } else {
      return {};
    }
  }
  const bool complete = count % 2 == 1 && options.port != 0;
  return complete ? std::optional(options) : std::nullopt;
}

Descriptor listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::system_error(std::make_error_code(std::errc::filename_too_long), path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), kWaitingControllers) != 0)
    throw std::system_error(errno, std::generic_category(), path);
  return socket;
}

std::string carry_out(FaultProxy& proxy, std::string_view line) {
  const auto order = parse_order(line);
  if (!order) return "error: not understood: " + std::string(line) + "\n";
  if (const auto* fault = std::get_if<Fault>(&*order)) proxy.set_fault(*fault);
  if (const auto* cut = std::get_if<Cut>(&*order)) proxy.cut(cut->reset);
  if (!std::holds_alternative<AskStats>(*order)) return "ok\n";
  const auto stats = proxy.stats();
  return "accepted " + std::to_string(stats.accepted) + " open " + std::to_string(stats.open) +
         " client-bytes " + std::to_string(stats.client_bytes) + " server-bytes " +
         std::to_string(stats.server_bytes) + "\n";
}

// Until the controller hangs up, or writes a line longer than any order.
void serve(FaultProxy& proxy, const Descriptor& controller) {
  std::string pending;
  char buffer[kMaxLine];
  while (pending.size() < kMaxLine) {
    const ssize_t count = ::recv(controller.get(), buffer, sizeof buffer, 0);
    if (count <= 0) return;
    pending.append(buffer, static_cast<std::size_t>(count));
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      if (!send_all(controller.get(), carry_out(proxy, std::string_view(pending).substr(0, end))))
        return;
      pending.erase(0, end + 1);
    }
  }
}

int run(const Options& options) {
  // The signals that end us are waited for; every thread inherits that they are blocked.
  sigset_t endings;
  sigemptyset(&endings);
  sigaddset(&endings, SIGTERM);
  sigaddset(&endings, SIGINT);
  pthread_sigmask(SIG_BLOCK, &endings, nullptr);
  FaultProxy proxy(options.host, options.port);
  Descriptor control;
  if (!options.control.empty()) {
    control = listen_at(options.control);
    // Ends with the process: it may be in the middle of a wait for a controller.
    std::thread([&proxy, &control] {
      while (true) {
        const Descriptor controller(::accept4(control.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (controller.valid()) serve(proxy, controller);
      }
    }).detach();
  }
  std::printf("%d\n", proxy.port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&endings, &signal);
  if (!options.control.empty()) ::unlink(options.control.c_str());
  std::_Exit(0);
}

}  // namespace

}  // namespace tributary::test

int main(int count, char** arguments) {
  const auto options = tributary::test::parse_options(count, arguments);
  if (!options) {
    std::fputs(tributary::test::kUsage, stderr);
    return 2;
  }
  try {
    return tributary::test::run(*options);
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "fault_proxy: %s\n", error.what());
    return 1;
  }
}
