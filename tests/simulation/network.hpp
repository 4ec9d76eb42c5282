// The network between one life of the hub and its peers.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "net/stream.hpp"
#include "tests/simulation/peer.hpp"

namespace tributary::simulation {

// What the outside sees of the hub on the wire, by connection.
class WireWitness {
 public:
  virtual ~WireWitness() = default;
  // A name is asked for, or a packet of any kind leaves.
  virtual void packet(const std::string& owner, std::string_view what) = 0;
  virtual void dialling(const std::string& owner, int change) = 0;  // +1, -1
  virtual void sockets(const std::string& owner, int change) = 0;
};

class Network final : public net::Network {
 public:
  Network(Timeline& time, Timers& timers, Random& chance, WireWitness& witness)
      : time_(time), timers_(timers), chance_(chance), witness_(witness) {}

  void add(Peer& peer) { peers_[peer.host()] = &peer; }
  // What to dial, so that the wire knows whose packets those are: the framework wraps the network.
  static std::string host_for(const std::string& owner, const std::string& host) {
    return owner + '@' + host;
  }
  // Of the executors that opened something so far; null when none did for this owner.
  const asio::io_context* executor_of(const std::string& owner) const;
  // The process is gone: its sockets are closed by the system and nobody is told any more.
  void die();
  bool dead() const { return dead_; }

  Task<Result<std::vector<net::Address>>> resolve(const net::Endpoint& endpoint,
                                                  SteadyTime deadline) override;
  Task<Result<std::unique_ptr<net::Stream>>> dial(const net::Endpoint& endpoint,
                                                  const net::Keepalive& keepalive,
                                                  SteadyTime deadline,
                                                  net::StageObserver& stages) override;
  Task<Result<std::unique_ptr<net::Stream>>> dial_cancellable(
      net::Endpoint endpoint, net::Keepalive keepalive, SteadyTime deadline,
      net::StageObserver& stages, std::shared_ptr<net::DialCancel> cancel) override;

 private:
  friend class SimulatedStream;
  struct Dialling;
  Task<Result<int>> look_up(Peer* peer, std::shared_ptr<Dialling> dialling, SteadyTime deadline);

  Timeline& time_;
  Timers& timers_;
  Random& chance_;
  WireWitness& witness_;
  std::map<std::string, Peer*> peers_;
  std::map<const asio::io_context*, std::string> owners_;
  std::vector<std::weak_ptr<Link>> links_;
  bool dead_ = false;
};

}  // namespace tributary::simulation
