// A TCP server that answers each client's requests one after the other: what simulated devices are
// made of. Any number of clients, one executor, no threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"
#include "runtime/task.hpp"

namespace tributary::net {

// What the server says to one client. Never called after AnsweringServer::stop().
class Conversation {
 public:
  struct Taken {
    std::size_t used = 0;    // bytes of the request; 0: it is not whole yet
    std::size_t answer = 0;  // bytes of the answer in `out`
    bool over = false;       // hang up
  };
  virtual ~Conversation() = default;
  // Takes the first whole request from the front of `bytes` and puts its answer into `out`.
  virtual Taken take(std::span<const std::byte> bytes, std::span<std::byte> out) = 0;
};

class AnsweringServer {
 public:
  struct Options {
    std::size_t max_request_bytes;
    std::size_t max_answer_bytes;
    std::size_t max_clients;  // beyond it a client is turned away
  };
  using Greet = std::function<std::unique_ptr<Conversation>()>;

  // `greet` is called for every client.
  AnsweringServer(Executor executor, Options options, Greet greet);
  // stop()s. On the executor's thread, or when nothing runs it any more.
  ~AnsweringServer();
  AnsweringServer(const AnsweringServer&) = delete;
  AnsweringServer& operator=(const AnsweringServer&) = delete;

  // Listens at `host` (an address) and gives the port, which matters when 0 was asked for. Error:
  // kConfiguration "cannot_listen" with pointer "/host" or "/port".
  Result<std::uint16_t> start(const std::string& host, std::uint16_t port);
  // Closes the listener and all clients. Idempotent.
  void stop();
  std::size_t clients() const;
  // Most that there were at a time.
  std::size_t most_clients() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tributary::net
