#include "tests/support/fault_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <variant>
#include <vector>

#include "tests/support/fault_flow.hpp"
#include "tests/support/sockets.hpp"

namespace tributary::test {

namespace {

sockaddr_in parse_address(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
    throw std::system_error(std::make_error_code(std::errc::invalid_argument), host);
  return address;
}

void no_delay(const Descriptor& socket) {
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// A client, its connection to the good peer, and the bytes between them.
struct Pair {
  Descriptor client;
  Descriptor upstream;
  Flow to_upstream{Side::kClient};
  Flow to_client{Side::kServer};

  void set_fault(const Fault& fault, Flow::Time now) {
    to_upstream.set_fault(fault, now);
    to_client.set_fault(fault, now);
  }
  Flow::Time due() const { return std::min(to_upstream.due(), to_client.due()); }
  bool over() const { return !client.valid(); }
  void end(bool reset) {
    if (reset) {
      client.reset();
      upstream.reset();
    }
    client.close();
    upstream.close();
  }
};

pollfd watch(const Descriptor& socket, const Flow& from_it, const Flow& to_it, Flow::Time now) {
  const int events = (from_it.wants_input() ? POLLIN : 0) | (to_it.wants_room(now) ? POLLOUT : 0);
  return {socket.get(), static_cast<short>(events), 0};
}

// A socket that is not read can only tell us that it is gone.
bool gone(const pollfd& polled) {
  return (polled.events & POLLIN) == 0 && (polled.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

void advance(Pair& pair, const pollfd& client, const pollfd& upstream, Flow::Time now) {
  using Outcome = Flow::Outcome;
  if (gone(client) || gone(upstream)) return pair.end(true);
  std::array<Outcome, 4> outcomes{};
  if (client.revents != 0) outcomes[0] = pair.to_upstream.take(pair.client, now);
  if (upstream.revents != 0) outcomes[1] = pair.to_client.take(pair.upstream, now);
  outcomes[2] = pair.to_upstream.give(pair.upstream, now);
  outcomes[3] = pair.to_client.give(pair.client, now);
  if (std::ranges::find(outcomes, Outcome::kBroken) != outcomes.end()) {
    pair.end(true);
  } else if (std::ranges::find(outcomes, Outcome::kEnded) != outcomes.end()) {
    pair.end(false);
  }
}

}  // namespace

// One thread polls everything; an order is handed to it and waited for.
struct FaultProxy::Impl {
  struct Stop {};
  using Command = std::variant<Fault, Cut, AskStats, Stop>;

  explicit Impl(const sockaddr_in& address) : upstream(address), listener(listen_loopback(port)) {
    thread = std::thread([this] { run(); });
  }
  ~Impl() {
    order(Stop{});
    thread.join();
  }

  // Carried out when it returns; the numbers as they are then.
  Stats order(Command next) {
    std::unique_lock lock(mutex);
    command = next;
    wake(woken);
    done.wait(lock, [&] { return !command; });
    return stats;
  }

  void run() {
    bool going = true;
    while (going) {
      auto now = std::chrono::steady_clock::now();
      std::vector<pollfd> polled{{woken.get(), POLLIN, 0},
                                 {listener.get(), static_cast<short>(listening() ? POLLIN : 0), 0}};
      for (const Pair& pair : pairs) {
        polled.push_back(watch(pair.client, pair.to_upstream, pair.to_client, now));
        polled.push_back(watch(pair.upstream, pair.to_client, pair.to_upstream, now));
      }
      ::poll(polled.data(), polled.size(), time_to_wait(now));
      now = std::chrono::steady_clock::now();
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        advance(pairs[i], polled[2 + 2 * i], polled[3 + 2 * i], now);
      }
      if ((polled[1].revents & POLLIN) != 0) accept(now);
      forget_what_is_over();
      if (polled[0].revents != 0) going = obey(now);
    }
  }

  // Until the next byte comes due; -1: only a socket or an order can wake us.
  int time_to_wait(Flow::Time now) const {
    auto next = Flow::Time::max();
    for (const Pair& pair : pairs) next = std::min(next, pair.due());
    if (next == Flow::Time::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now);
    // What is due already waits for room in a sink, and poll tells us of that.
    return left.count() <= 0 ? -1 : static_cast<int>(left.count());
  }

  bool listening() const { return fault.kind != Fault::Kind::kRefuse; }

  void accept(Flow::Time now) {
    Descriptor client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client.valid()) return;
    ++past.accepted;
    if (fault.kind == Fault::Kind::kDrop) return;
    Descriptor to(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const bool begun =
        to.valid() &&
        (::connect(to.get(), reinterpret_cast<const sockaddr*>(&upstream), sizeof upstream) == 0 ||
         errno == EINPROGRESS);
    if (!begun) return client.reset();
    no_delay(client);
    no_delay(to);
    Pair& pair = pairs.emplace_back();
    pair.client = std::move(client);
    pair.upstream = std::move(to);
    pair.set_fault(fault, now);
  }

  // False when it is time to stop.
  bool obey(Flow::Time now) {
    std::uint64_t times = 0;
    static_cast<void>(!::read(woken.get(), &times, sizeof times));
    const std::lock_guard lock(mutex);
    if (!command) return true;
    const Command given = *std::exchange(command, std::nullopt);
    if (const auto* next = std::get_if<Fault>(&given)) become(*next, now);
    if (const auto* cut = std::get_if<Cut>(&given)) end_all(cut->reset);
    forget_what_is_over();
    stats = past;
    stats.open = pairs.size();
    for (const Pair& pair : pairs) add(pair, stats);
    done.notify_all();
    return !std::holds_alternative<Stop>(given);
  }

  void become(const Fault& next, Flow::Time now) {
    const bool listened = listening();
    fault = next;
    if (listened && !listening()) {
      listener.close();
      listener = rebind_loopback(port);  // kept for us, so that nobody else answers there
    } else if (!listened && listening()) {
      ::listen(listener.get(), SOMAXCONN);
    }
    if (fault.kind == Fault::Kind::kDrop) end_all(false);
    for (Pair& pair : pairs) {
      pair.set_fault(fault, now);
      advance(pair, {}, {}, now);  // what the fault before held back
    }
  }

  void end_all(bool reset) {
    for (Pair& pair : pairs) pair.end(reset);
  }

  static void add(const Pair& pair, Stats& sum) {
    sum.client_bytes += pair.to_upstream.taken();
    sum.server_bytes += pair.to_client.taken();
  }

  void forget_what_is_over() {
    for (const Pair& pair : pairs) {
      if (pair.over()) add(pair, past);
    }
    std::erase_if(pairs, [](const Pair& pair) { return pair.over(); });
  }

  const sockaddr_in upstream;
  std::uint16_t port = 0;
  Descriptor listener;
  Descriptor woken = make_wake();
  // The thread's own.
  Fault fault;
  std::deque<Pair> pairs;
  Stats past;  // of the pairs that are over; everything that was accepted
  // Shared.
  Stats stats;  // as of the last order
  std::mutex mutex;
  std::condition_variable done;
  std::optional<Command> command;
  std::thread thread;
};

FaultProxy::FaultProxy(std::uint16_t upstream) : FaultProxy("127.0.0.1", upstream) {}
FaultProxy::FaultProxy(const std::string& host, std::uint16_t port)
    : impl_(std::make_unique<Impl>(parse_address(host, port))) {}
FaultProxy::~FaultProxy() = default;
std::uint16_t FaultProxy::port() const {
  return impl_->port;
}
void FaultProxy::set_fault(const Fault& fault) {
  impl_->order(fault);
}
void FaultProxy::cut(bool reset) {
  impl_->order(Cut{reset});
}
FaultProxy::Stats FaultProxy::stats() const {
  // Asked, not watched: what a client has heard is counted by then.
  return impl_->order(AskStats{});
}

}  // namespace tributary::test
