// The network as one session sees it: of a host with several addresses, the one whose turn it is
// comes first. A cluster's name leads to its active and to its standby members alike; who answered
// as standby is not asked first again (lifecycle §4, Standby).
#pragma once

#include "net/stream.hpp"

namespace tributary::connect {

class NextAddress final : public net::Network {
 public:
  NextAddress(net::Network& network, std::size_t first) : network_(network), first_(first) {}

  Task<Result<std::vector<net::Address>>> resolve(const net::Endpoint& endpoint,
                                                  SteadyTime deadline) override {
    const net::Endpoint turned = turn(endpoint);
    co_return co_await network_.resolve(turned, deadline);
  }
  Task<Result<std::unique_ptr<net::Stream>>> dial(const net::Endpoint& endpoint,
                                                  const net::Keepalive& keepalive,
                                                  SteadyTime deadline,
                                                  net::StageObserver& stages) override {
    const net::Endpoint turned = turn(endpoint);
    co_return co_await network_.dial(turned, keepalive, deadline, stages);
  }
  Task<Result<std::vector<net::Address>>> resolve_cancellable(
      net::Endpoint endpoint, SteadyTime deadline,
      std::shared_ptr<net::DialCancel> cancel) override {
    return network_.resolve_cancellable(turn(std::move(endpoint)), deadline, std::move(cancel));
  }
  Task<Result<std::unique_ptr<net::Stream>>> dial_cancellable(
      net::Endpoint endpoint, net::Keepalive keepalive, SteadyTime deadline,
      net::StageObserver& stages, std::shared_ptr<net::DialCancel> cancel) override {
    return network_.dial_cancellable(turn(std::move(endpoint)), keepalive, deadline, stages,
                                     std::move(cancel));
  }

 private:
  net::Endpoint turn(net::Endpoint endpoint) const {
    endpoint.first += first_;
    return endpoint;
  }

  net::Network& network_;
  std::size_t first_;
};

}  // namespace tributary::connect
