#include "net/system_network.hpp"

#include "net/dial.hpp"

namespace tributary::net {

void DialCancel::cancel() {
  if (std::exchange(cancelled_, true)) return;
  if (const auto wake = wake_.lock()) (*wake)();
}

std::shared_ptr<void> DialCancel::on_cancel(std::function<void()> wake) {
  auto guard = std::make_shared<std::function<void()>>(std::move(wake));
  wake_ = guard;
  return guard;
}

Task<Result<std::vector<Address>>> Network::resolve_cancellable(
    Endpoint endpoint, SteadyTime deadline, std::shared_ptr<DialCancel> cancel) {
  if (cancel->cancelled()) co_return fail(ErrorClass::kCancelled, "cancelled", "Ended by the hub");
  auto addresses = co_await resolve(endpoint, deadline);
  if (cancel->cancelled()) co_return fail(ErrorClass::kCancelled, "cancelled", "Ended by the hub");
  co_return addresses;
}

Task<Result<std::unique_ptr<Stream>>> Network::dial_cancellable(
    Endpoint endpoint, Keepalive keepalive, SteadyTime deadline, StageObserver& stages,
    std::shared_ptr<DialCancel> cancel) {
  if (cancel->cancelled()) co_return fail(ErrorClass::kCancelled, "cancelled", "Ended by the hub");
  auto stream = co_await dial(endpoint, keepalive, deadline, stages);
  if (cancel->cancelled()) co_return fail(ErrorClass::kCancelled, "cancelled", "Ended by the hub");
  co_return stream;
}

namespace {

class SystemNetwork final : public Network {
 public:
  SystemNetwork(Timers& timers, Lookup lookup)
      : timers_(timers), resolver_(timers, std::move(lookup)) {}

  Task<Result<std::vector<Address>>> resolve(const Endpoint& endpoint,
                                             SteadyTime deadline) override {
    return look_up(endpoint, deadline, nullptr);
  }
  Task<Result<std::vector<Address>>> resolve_cancellable(
      Endpoint endpoint, SteadyTime deadline, std::shared_ptr<DialCancel> cancel) override {
    return look_up(std::move(endpoint), deadline, std::move(cancel));
  }
  Task<Result<std::unique_ptr<Stream>>> dial(const Endpoint& endpoint, const Keepalive& keepalive,
                                             SteadyTime deadline, StageObserver& stages) override {
    return dial_cancellable(endpoint, keepalive, deadline, stages, std::make_shared<DialCancel>());
  }
  Task<Result<std::unique_ptr<Stream>>> dial_cancellable(
      Endpoint endpoint, Keepalive keepalive, SteadyTime deadline, StageObserver& stages,
      std::shared_ptr<DialCancel> cancel) override {
    stages.begin("resolve");
    auto addresses = co_await look_up(endpoint, deadline, cancel);
    if (!addresses) co_return fail(std::move(addresses.error()));
    stages.begin("tcp");
    co_return co_await dial_addresses(timers_, std::move(endpoint), std::move(*addresses),
                                      keepalive, deadline, std::move(cancel));
  }

 private:
  Task<Result<std::vector<Address>>> look_up(Endpoint endpoint, SteadyTime deadline,
                                             std::shared_ptr<DialCancel> cancel) {
    const std::size_t first = endpoint.first;
    auto addresses = co_await resolver_.resolve(std::move(endpoint), deadline, std::move(cancel));
    if (addresses) addresses = begin_with(*std::move(addresses), first);
    co_return addresses;
  }

  Timers& timers_;
  Resolver resolver_;
};

}  // namespace

std::unique_ptr<Network> make_network(Timers& timers, Lookup lookup) {
  return std::make_unique<SystemNetwork>(timers, std::move(lookup));
}

std::unique_ptr<Network> make_system_network(Timers& timers) {
  return make_network(timers, &lookup_host);
}

}  // namespace tributary::net
