#include "net/dial.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/asio/redirect_error.hpp>

#include "net/options.hpp"
#include "net/tcp_stream.hpp"
#include "runtime/event.hpp"

namespace tributary::net {
namespace {

constexpr std::chrono::milliseconds kStagger{250};
constexpr std::size_t kMaxFailuresNamed = 4;
constexpr std::string_view kPointer = "/settings/host";

// One dial: shared with its attempts, which may resume after it is over.
struct Dial {
  Dial(Executor executor_, Timers& timers_, Endpoint endpoint_)
      : executor(executor_), timers(timers_), endpoint(std::move(endpoint_)) {}

  // "192.0.2.10:502", or "plc1 (192.0.2.10:502)" when a name was given.
  std::string label(const Address& address) const {
    return endpoint.host == address.ip ? to_text(address)
                                       : fmt::format("{} ({})", endpoint.host, to_text(address));
  }
  void wake() {
    if (changed) changed->set();
  }

  Executor executor;
  Timers& timers;
  Endpoint endpoint;
  std::vector<std::shared_ptr<TcpSocket>> sockets;
  std::vector<Error> failures;
  std::vector<Address> tried;
  std::shared_ptr<TcpSocket> winner;
  std::shared_ptr<Event> changed;  // set when an attempt ended or the dial was cancelled
  std::size_t pending = 0;
  bool over = false;
};

// Ends the attempts that lost, whichever way the dial ends.
struct Finish {
  std::shared_ptr<Dial> dial;
  ~Finish() {
    dial->over = true;
    for (auto& socket : dial->sockets) {
      if (socket != dial->winner) reset_socket(*socket);
    }
    dial->sockets.clear();
  }
};

// A socket that dials a local port nobody listens on may be given that very port as its own and
// connect to itself (TCP simultaneous open). Nobody answered.
bool connected_to_itself(const TcpSocket& socket) {
  boost::system::error_code ignored;
  return socket.local_endpoint(ignored) == socket.remote_endpoint(ignored);
}

Task<void> attempt(std::shared_ptr<Dial> dial, Address address, std::shared_ptr<TcpSocket> socket) {
  boost::system::error_code error;
  const asio::ip::tcp::endpoint target(asio::ip::make_address(address.ip, error), address.port);
  if (!error) socket->open(target.protocol(), error);
  if (!error) co_await socket->async_connect(target, asio::redirect_error(use_task, error));
  if (dial->over) {
    reset_socket(*socket);
    co_return;
  }
  if (!error && connected_to_itself(*socket))
    error.assign(ECONNREFUSED, boost::system::system_category());
  if (!error && !dial->winner) {
    dial->winner = socket;
  } else {
    reset_socket(*socket);
    dial->failures.push_back(error_from_errno(error.value(), "connect to", dial->label(address)));
  }
  --dial->pending;
  dial->wake();
}

void start_attempt(const std::shared_ptr<Dial>& dial, const Address& address) {
  auto socket = std::make_shared<TcpSocket>(dial->executor);
  dial->sockets.push_back(socket);
  dial->tried.push_back(address);
  ++dial->pending;
  spawn(dial->executor, attempt(dial, address, socket));
}

// Returns when there is a winner, when every address has failed, at the deadline, or when
// cancelled.
Task<void> race(std::shared_ptr<Dial> dial, std::vector<Address> addresses, SteadyTime deadline,
                std::shared_ptr<DialCancel> cancel) {
  std::size_t next = 0;
  SteadyTime next_start = dial->timers.now();
  while (!dial->winner && !cancel->cancelled()) {
    const SteadyTime now = dial->timers.now();
    if (now >= deadline) co_return;
    const bool more = next < addresses.size();
    if (more && (dial->pending == 0 || now >= next_start)) {
      start_attempt(dial, addresses[next++]);
      next_start = now + kStagger;
      continue;
    }
    if (!more && dial->pending == 0) co_return;
    const auto changed = std::make_shared<Event>(dial->executor);
    dial->changed = changed;
    const SteadyTime until = more ? std::min(next_start, deadline) : deadline;
    co_await changed->wait_until(dial->timers, until);
  }
}

Error no_answer(const Dial& dial, Duration waited) {
  std::vector<std::string> labels;
  for (const Address& address : dial.tried) labels.push_back(to_text(address));
  const std::string addresses = fmt::format("{}", fmt::join(labels, ", "));
  const bool literal = dial.tried.size() == 1 && dial.tried.front().ip == dial.endpoint.host;
  const std::string peer =
      literal ? addresses : fmt::format("{} ({})", dial.endpoint.host, addresses);
  return {ErrorClass::kTransient, "connect_timeout",
          fmt::format("{} did not answer within {:.1f} s", peer, to_seconds(waited)),
          "Is it switched on, is the address right, and does a firewall drop the connection?",
          std::string(kPointer)};
}

// Why nothing answered: what the hub lacks first, then the first address's reason; the message
// names the others too.
Error all_failed(const Dial& dial) {
  for (const Error& failure : dial.failures) {
    if (failure.error_class == ErrorClass::kInternal) return failure;
  }
  Error error = dial.failures.front();
  // A host that is up but refuses says more than an address family without a route.
  for (const Error& failure : dial.failures) {
    if (error.code == "unreachable" && failure.code != "unreachable") error = failure;
  }
  std::vector<std::string> messages{error.message};
  for (const Error& failure : dial.failures) {
    if (failure.message != error.message && messages.size() < kMaxFailuresNamed) {
      messages.push_back(failure.message);
    }
  }
  error.message = fmt::format("{}", fmt::join(messages, "; "));
  error.pointer = kPointer;
  return error;
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> dial_addresses(Timers& timers, Endpoint endpoint,
                                                     std::vector<Address> addresses,
                                                     Keepalive keepalive, SteadyTime deadline,
                                                     std::shared_ptr<DialCancel> cancel) {
  const Executor executor = co_await asio::this_coro::executor;
  const auto dial = std::make_shared<Dial>(executor, timers, std::move(endpoint));
  const Finish finish{dial};
  const std::shared_ptr<void> guard = cancel->on_cancel([dial] { dial->wake(); });
  const SteadyTime started = timers.now();
  co_await race(dial, std::move(addresses), deadline, cancel);

  if (cancel->cancelled()) {
    if (dial->winner) reset_socket(*std::exchange(dial->winner, nullptr));
    co_return fail(ErrorClass::kCancelled, "cancelled", "Connecting was ended by the hub");
  }
  if (!dial->winner) {
    const bool all = dial->pending == 0 && !dial->failures.empty();
    co_return fail(all ? all_failed(*dial) : no_answer(*dial, timers.now() - started));
  }
  boost::system::error_code ignored;
  const auto remote = dial->winner->remote_endpoint(ignored);
  const Address address{remote.address().to_string(), remote.port()};
  const Result<void> applied = apply_keepalive(dial->winner->native_handle(), keepalive);
  if (!applied) {
    reset_socket(*std::exchange(dial->winner, nullptr));
    co_return fail(applied.error());
  }
  co_return make_tcp_stream(std::move(*dial->winner), to_text(address), timers);
}

}  // namespace tributary::net
