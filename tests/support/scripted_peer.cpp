#include "tests/support/scripted_peer.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/support/sockets.hpp"

namespace tributary::test {
namespace {

constexpr std::chrono::seconds kLongest{30};  // no test waits longer; a forgotten peer still ends

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  throw std::invalid_argument(fmt::format("'{}' is not a hexadecimal digit", c));
}

}  // namespace

std::string hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ' && c != '\n') digits.push_back(c);
  }
  if (digits.size() % 2 != 0) throw std::invalid_argument("an odd number of hexadecimal digits");
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(digit(digits[i]) * 16 + digit(digits[i + 1])));
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(text), "{}{:02x}", text.empty() ? "" : " ",
                   static_cast<unsigned char>(c));
  }
  return text;
}

Script& Script::expect(std::string bytes) {
  steps_.push_back({Kind::kExpect, std::move(bytes), 0, {}, {}});
  return *this;
}
Script& Script::receive(std::size_t count) {
  steps_.push_back({Kind::kReceive, {}, count, {}, {}});
  return *this;
}
Script& Script::receive_any() {
  steps_.push_back({Kind::kReceiveAny, {}, 0, {}, {}});
  return *this;
}
Script& Script::send(std::string bytes, std::chrono::milliseconds after, std::size_t slice) {
  steps_.push_back({Kind::kSend, std::move(bytes), slice, after, {}});
  return *this;
}
Script& Script::serve(std::size_t request_size,
                      std::function<std::string(std::string_view)> respond) {
  steps_.push_back({Kind::kServe, {}, request_size, {}, std::move(respond)});
  return *this;
}
Script& Script::mute() {
  steps_.push_back({Kind::kMute, {}, 0, {}, {}});
  return *this;
}
Script& Script::close() {
  steps_.push_back({Kind::kClose, {}, 0, {}, {}});
  return *this;
}
Script& Script::reset() {
  steps_.push_back({Kind::kReset, {}, 0, {}, {}});
  return *this;
}

struct ScriptedPeer::Impl {
  // One accepted connection and where its script stands.
  struct Line {
    Descriptor socket;
    const Script* script;
    std::thread thread;
  };

  explicit Impl(std::vector<Script> scripts_) : scripts(std::move(scripts_)) {
    listener = listen_loopback(port);
    acceptor = std::thread([this] { accept(); });
  }
  ~Impl() {
    wake(stop);
    acceptor.join();
    for (Line& line : lines) line.thread.join();
  }

  void accept() {
    while (wait_ready(listener.get(), stop, kLongest) == Ready::kReadable) {
      Descriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket.valid()) continue;
      const int on = 1;
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::lock_guard lock(mutex);
      const Script& script = scripts[std::min(lines.size(), scripts.size() - 1)];
      lines.push_back({std::move(socket), &script, {}});
      Line& line = lines.back();
      ++busy;
      accepted.fetch_add(1);
      line.thread = std::thread([this, &line] { play(line); });
    }
  }

  void play(Line& line) {
    bool open = true;
    for (const Script::Step& step : line.script->steps_) {
      open = run(line, step);
      if (!open) break;
    }
    {
      const std::lock_guard lock(mutex);
      --busy;
    }
    changed.notify_all();
    if (!open) return;
    // The script is over: keep the connection, and drop what still comes, until the client ends it.
    std::string waste;
    while (receive(line, 4096, false, waste)) waste.clear();
    line.socket.close();
  }

  // False when the connection is over.
  bool run(Line& line, const Script::Step& step) {
    std::string bytes;
    switch (step.kind) {
      case Script::Kind::kExpect:
        if (receive(line, step.bytes.size(), true, bytes) && bytes == step.bytes) return true;
        note(fmt::format("expected [{}], got [{}]", to_hex(step.bytes), to_hex(bytes)));
        line.socket.close();
        return false;
      case Script::Kind::kReceive:
        if (receive(line, step.count, true, bytes)) return true;
        note(fmt::format("expected {} bytes, got [{}]", step.count, to_hex(bytes)));
        return false;
      case Script::Kind::kReceiveAny:
        if (receive(line, 4096, false, bytes)) return true;
        note("expected some bytes, got none");
        return false;
      case Script::Kind::kSend:
        return send(line, step);
      case Script::Kind::kServe:
        while (receive(line, step.count, true, bytes)) {
          if (!send_all(line.socket.get(), step.respond(bytes))) return false;
          bytes.clear();
        }
        return false;
      case Script::Kind::kMute:
        wait_ready(line.socket.get(), stop, kLongest, false);
        return false;
      case Script::Kind::kClose:
        line.socket.close();
        return false;
      case Script::Kind::kReset:
        line.socket.reset();
        return false;
    }
    return false;
  }

  bool send(Line& line, const Script::Step& step) {
    if (step.after.count() > 0 && wait_ready(stop.get(), stop, step.after) != Ready::kTimeout)
      return false;
    const std::string_view bytes = step.bytes;
    const std::size_t slice = step.count == 0 ? bytes.size() : step.count;
    for (std::size_t at = 0; at < bytes.size(); at += slice) {
      if (!send_all(line.socket.get(), bytes.substr(at, slice))) return false;
      if (step.count != 0) std::this_thread::yield();
    }
    return true;
  }

  bool receive(Line& line, std::size_t count, bool exactly, std::string& bytes) {
    char buffer[4096];
    while (bytes.size() < count) {
      const Ready ready = wait_ready(line.socket.get(), stop, kLongest);
      if (ready != Ready::kReadable) return false;
      const ssize_t got =
          ::recv(line.socket.get(), buffer, std::min(sizeof buffer, count - bytes.size()), 0);
      if (got <= 0) return false;
      bytes.append(buffer, static_cast<std::size_t>(got));
      if (!exactly) return true;
    }
    return true;
  }

  void note(std::string text) {
    const std::lock_guard lock(mutex);
    notes += notes.empty() ? text : "; " + text;
  }

  std::vector<Script> scripts;
  std::uint16_t port = 0;
  Descriptor listener;
  Descriptor stop = make_wake();
  std::atomic<std::size_t> accepted{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Line> lines;  // addresses stay
  std::size_t busy = 0;    // scripts that are not over
  std::string notes;
  std::thread acceptor;
};

ScriptedPeer::ScriptedPeer(std::vector<Script> scripts)
    : impl_(std::make_unique<Impl>(std::move(scripts))) {}
ScriptedPeer::~ScriptedPeer() = default;
std::uint16_t ScriptedPeer::port() const {
  return impl_->port;
}
std::size_t ScriptedPeer::accepted() const {
  return impl_->accepted.load();
}

std::string ScriptedPeer::unmet() {
  std::unique_lock lock(impl_->mutex);
  const bool over =
      impl_->changed.wait_for(lock, std::chrono::seconds(5), [&] { return impl_->busy == 0; });
  if (!over) return "the script is not over";
  if (impl_->lines.empty()) return "nobody connected";
  return impl_->notes;
}

RefusingPort::RefusingPort() : socket_(std::make_unique<Descriptor>(bind_loopback(port_))) {}
RefusingPort::~RefusingPort() = default;

SilentPort::SilentPort() : listener_(std::make_unique<Descriptor>(listen_loopback(port_, 0))) {
  // A backlog of 0 holds one connection on Linux; what follows gets no answer to its SYN.
  for (int i = 0; i < 2; ++i) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Descriptor filler(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    static_cast<void>(
        ::connect(filler.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
    fillers_.push_back(std::move(filler));
  }
}
SilentPort::~SilentPort() = default;

}  // namespace tributary::test
