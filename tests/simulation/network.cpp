#include "tests/simulation/network.hpp"

#include <fmt/format.h>

namespace tributary::simulation {

namespace {

std::unexpected<Error> cancelled() {
  return fail(ErrorClass::kCancelled, "cancelled", "Ended by the hub.");
}
std::unexpected<Error> transient(std::string code, std::string message) {
  return fail(ErrorClass::kTransient, std::move(code), std::move(message));
}

}  // namespace

class SimulatedStream final : public net::Stream {
 public:
  SimulatedStream(Network& network, std::shared_ptr<Link> link)
      : network_(network), link_(std::move(link)), name_(link_->peer->host()) {}
  ~SimulatedStream() override { abort(); }

  Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, SteadyTime deadline) override {
    const auto link = link_;
    while (link->open && link->inbound.empty() && !link->reset && !link->ended) {
      link->readable = std::make_shared<Event>(co_await asio::this_coro::executor);
      const auto readable = link->readable;
      if (deadline == SteadyTime::max()) {
        co_await readable->wait();
        continue;
      }
      const bool woken = co_await readable->wait_until(network_.timers_, deadline);
      if (!woken) {
        abort();
        co_return transient("timeout", "No answer in time.");
      }
    }
    if (!link->open) co_return cancelled();
    if (link->inbound.empty() && link->reset)
      co_return transient("connection_reset", "The peer reset the connection.");
    if (link->inbound.empty()) co_return transient("connection_closed", "The peer closed.");
    const std::size_t count = std::min(buffer.size(), link->inbound.size());
    std::memcpy(buffer.data(), link->inbound.data(), count);
    link->inbound.erase(0, count);
    co_return count;
  }

  Task<Result<void>> write_all(std::span<const std::byte> data, SteadyTime /*deadline*/) override {
    const auto link = link_;
    if (!link->open) co_return cancelled();
    if (link->reset) co_return transient("connection_reset", "The peer reset the connection.");
    network_.witness_.packet(link->owner, "data");
    if (link->black_hole) co_return Result<void>{};
    auto& time = network_.time_;
    link->to_peer = std::max(link->to_peer, time.now() + link->peer->latency());
    std::string text(reinterpret_cast<const char*>(data.data()), data.size());
    time.at(link->to_peer, [link, text = std::move(text)] { link->peer->receive(link, text); });
    co_return Result<void>{};
  }

  void abort() noexcept override { end("reset"); }
  void close() noexcept override { end("fin"); }
  const std::string& peer() const override { return name_; }

 private:
  void end(std::string_view how) noexcept {
    if (!std::exchange(link_->open, false)) return;
    if (!network_.dead_) {
      if (!link_->reset) network_.witness_.packet(link_->owner, how);
      network_.witness_.sockets(link_->owner, -1);
    }
    link_->wake();
    auto& time = network_.time_;
    link_->to_peer = std::max(link_->to_peer, time.now() + std::chrono::microseconds{100});
    time.at(link_->to_peer, [link = link_] {
      if (!link->black_hole) link->peer->leave(link);
    });
  }

  Network& network_;
  std::shared_ptr<Link> link_;
  std::string name_;
};

// Counts as under way from its making until it is over, given up or gone.
struct Network::Dialling {
  Dialling(Network& network_, std::string owner_, Executor executor)
      : network(network_), owner(std::move(owner_)), woken(executor) {
    network.witness_.dialling(owner, 1);
  }
  ~Dialling() { finish(); }
  void finish() {
    if (std::exchange(finished, true) || network.dead_) return;
    network.witness_.dialling(owner, -1);
  }
  void give_up() {
    finish();
    woken.set();
  }

  Network& network;
  std::string owner;
  Event woken;
  bool finished = false;
};

const asio::io_context* Network::executor_of(const std::string& owner) const {
  for (const auto& [context, name] : owners_) {
    if (name == owner) return context;
  }
  return nullptr;
}

void Network::die() {
  dead_ = true;
  for (const auto& weak : links_) {
    const auto link = weak.lock();
    if (!link || !link->open) continue;
    link->open = false;
    link->wake();
    if (!link->black_hole) link->peer->leave(link);
  }
}

Task<Result<std::vector<net::Address>>> Network::resolve(const net::Endpoint& endpoint,
                                                         SteadyTime /*deadline*/) {
  std::vector<net::Address> addresses{{endpoint.host, endpoint.port}};
  co_return addresses;
}

Task<Result<std::unique_ptr<net::Stream>>> Network::dial(const net::Endpoint& endpoint,
                                                         const net::Keepalive& keepalive,
                                                         SteadyTime deadline,
                                                         net::StageObserver& stages) {
  return dial_cancellable(endpoint, keepalive, deadline, stages,
                          std::make_shared<net::DialCancel>());
}

Task<Result<int>> Network::look_up(Peer* peer, std::shared_ptr<Dialling> dialling,
                                   SteadyTime deadline) {
  const bool silent = peer->weather() == Weather::kNameServer;
  const SteadyTime answer = silent ? deadline : time_.now() + peer->latency();
  co_await dialling->woken.wait_until(timers_, answer);
  if (dialling->finished) co_return cancelled();
  // Nobody cancelled it: a hub that is being told to go down may still have begun it.
  if (dead_) co_return transient("unreachable", "The machine goes down.");
  if (silent) co_return transient("name_server_failed", "The name server does not answer.");
  if (peer->weather() == Weather::kNoName)
    co_return fail(ErrorClass::kName, "no_such_host", "There is no such host.");
  co_return peer->address();
}

Task<Result<std::unique_ptr<net::Stream>>> Network::dial_cancellable(
    net::Endpoint endpoint, net::Keepalive /*keepalive*/, SteadyTime deadline,
    net::StageObserver& stages, std::shared_ptr<net::DialCancel> cancel) {
  const Executor executor = co_await asio::this_coro::executor;
  if (dead_) co_return transient("unreachable", "The machine goes down.");
  if (cancel->cancelled()) co_return cancelled();
  const auto at = endpoint.host.find('@');
  const std::string owner = endpoint.host.substr(0, at);
  Peer* peer = peers_.at(endpoint.host.substr(at + 1));
  owners_[&executor.context()] = owner;
  witness_.packet(owner, "dial");
  auto dialling = std::make_shared<Dialling>(*this, owner, executor);
  const auto guard = cancel->on_cancel([weak = std::weak_ptr(dialling)] {
    if (const auto under_way = weak.lock()) under_way->give_up();
  });
  stages.begin("resolve");
  const Result<int> address = co_await look_up(peer, dialling, deadline);
  if (!address) co_return fail(address.error());
  stages.begin("tcp");
  const bool lost = peer->weather() == Weather::kDrop || *address != peer->address();
  const SteadyTime answer = lost ? deadline : time_.now() + peer->latency();
  co_await dialling->woken.wait_until(timers_, answer);
  if (dialling->finished || dead_) co_return cancelled();
  if (lost) co_return transient("connect_timeout", "The system does not answer.");
  if (peer->weather() == Weather::kRefuse)
    co_return transient("connection_refused", "Nobody listens there.");
  dialling->finish();
  auto link = std::make_shared<Link>();
  link->owner = owner;
  link->peer = peer;
  std::erase_if(links_, [](const auto& each) { return each.expired(); });
  links_.push_back(link);
  witness_.sockets(owner, 1);
  peer->accept(link);
  std::unique_ptr<net::Stream> stream = std::make_unique<SimulatedStream>(*this, link);
  co_return stream;
}

}  // namespace tributary::simulation
