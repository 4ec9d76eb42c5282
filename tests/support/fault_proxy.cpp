#include "tests/support/fault_proxy.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "tests/support/sockets.hpp"

namespace tributary::test {

// One thread polls everything; a command is handed to it and waited for.
struct FaultProxy::Impl {
  struct Pair {
    Descriptor client;
    Descriptor upstream;
  };
  enum class Command : std::uint8_t { kNone, kMode, kCut, kReset, kStop };

  explicit Impl(std::uint16_t upstream_) : upstream(upstream_), listener(listen_loopback(port)) {
    thread = std::thread([this] { run(); });
  }
  ~Impl() {
    order(Command::kStop);
    thread.join();
  }

  void order(Command next) {
    std::unique_lock lock(mutex);
    command = next;
    wake(woken);
    done.wait(lock, [&] { return command == Command::kNone; });
  }

  void run() {
    bool going = true;
    while (going) {
      const bool flows = mode.load() != Mode::kStall;
      std::vector<pollfd> polled{{woken.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}};
      for (const Pair& pair : pairs) {
        polled.push_back({pair.client.get(), static_cast<short>(flows ? POLLIN : 0), 0});
        polled.push_back({pair.upstream.get(), static_cast<short>(flows ? POLLIN : 0), 0});
      }
      ::poll(polled.data(), polled.size(), -1);
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        Pair& pair = pairs[i];
        bool alive = true;
        if (polled[2 + 2 * i].revents != 0)
          alive = flows && forward(pair.client, pair.upstream, true);
        if (alive && polled[3 + 2 * i].revents != 0)
          alive = flows && forward(pair.upstream, pair.client, false);
        if (!alive) pair = Pair{Descriptor(), Descriptor()};
      }
      std::erase_if(pairs, [](const Pair& pair) { return !pair.client.valid(); });
      if (polled[1].revents != 0) accept();
      if (polled[0].revents != 0) going = obey();
      open.store(pairs.size());
    }
  }

  void accept() {
    Descriptor client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.valid()) return;
    accepted.fetch_add(1);
    Descriptor to = connect_loopback(upstream);
    if (!to.valid()) return client.reset();
    const int on = 1;
    ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(to.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pairs.push_back({std::move(client), std::move(to)});
  }

  bool forward(const Descriptor& from, const Descriptor& to, bool from_client) {
    char buffer[65536];
    const ssize_t count = ::recv(from.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    const std::string_view bytes(buffer, static_cast<std::size_t>(count));
    if (from_client) bytes_from_clients.fetch_add(bytes.size());
    if (mode.load() != Mode::kSlice) return send_all(to.get(), bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (!send_all(to.get(), bytes.substr(i, 1))) return false;
    }
    return true;
  }

  // False when it is time to stop.
  bool obey() {
    std::uint64_t count = 0;
    static_cast<void>(!::read(woken.get(), &count, sizeof count));
    const std::lock_guard lock(mutex);
    const Command now = std::exchange(command, Command::kNone);
    if (now == Command::kMode) mode.store(next_mode);
    if (now == Command::kCut) pairs.clear();
    if (now == Command::kReset) {
      for (Pair& pair : pairs) pair.client.reset();
      pairs.clear();
    }
    open.store(pairs.size());
    done.notify_all();
    return now != Command::kStop;
  }

  std::uint16_t upstream;
  std::uint16_t port = 0;
  Descriptor listener;
  Descriptor woken = make_wake();
  std::deque<Pair> pairs;  // the thread's own
  std::atomic<Mode> mode{Mode::kPass};
  std::atomic<std::size_t> accepted{0};
  std::atomic<std::size_t> open{0};
  std::atomic<std::uint64_t> bytes_from_clients{0};
  std::mutex mutex;
  std::condition_variable done;
  Command command = Command::kNone;
  Mode next_mode = Mode::kPass;
  std::thread thread;
};

FaultProxy::FaultProxy(std::uint16_t upstream) : impl_(std::make_unique<Impl>(upstream)) {}
FaultProxy::~FaultProxy() = default;
std::uint16_t FaultProxy::port() const {
  return impl_->port;
}
void FaultProxy::set_mode(Mode mode) {
  impl_->next_mode = mode;
  impl_->order(Impl::Command::kMode);
}
void FaultProxy::cut(bool reset) {
  impl_->order(reset ? Impl::Command::kReset : Impl::Command::kCut);
}
std::size_t FaultProxy::accepted() const {
  return impl_->accepted.load();
}
std::size_t FaultProxy::open() const {
  return impl_->open.load();
}
std::uint64_t FaultProxy::bytes_from_clients() const {
  return impl_->bytes_from_clients.load();
}

}  // namespace tributary::test
