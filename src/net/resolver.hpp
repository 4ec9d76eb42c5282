// Host names to addresses, with a deadline that holds even when the operating system's resolver
// hangs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/stream.hpp"

namespace tributary::net {

// Looks a name up, blocking as long as it likes. Addresses as text, in order of preference.
using Lookup =
    std::move_only_function<Result<std::vector<std::string>>(const std::string& host) const>;
// getaddrinfo, both families, interleaved (RFC 8305, section 4), each address once.
Result<std::vector<std::string>> lookup_host(const std::string& host);

// Runs look-ups on a few threads of its own, made when needed and gone when idle, so that one dead
// name server does not stop the other names. Any thread; results come back on the caller's
// executor.
class Resolver {
 public:
  Resolver(Timers& timers, Lookup lookup);
  // Does not wait for look-ups that hang: their threads end by themselves and their answers are
  // dropped.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // As Network::resolve. A literal address passes through without a thread; "[2001:db8::1]" is
  // accepted. `cancel` may be null.
  Task<Result<std::vector<Address>>> resolve(Endpoint endpoint, SteadyTime deadline,
                                             std::shared_ptr<DialCancel> cancel);

 private:
  class Pool;
  Timers& timers_;
  std::shared_ptr<Pool> pool_;
};

}  // namespace tributary::net
