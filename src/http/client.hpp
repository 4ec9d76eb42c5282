// Outgoing HTTP: requests that the hub makes by itself. libcurl's multi interface on one thread of
// its own; the rest of the hub sees a coroutine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "http/egress.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

namespace tributary::http {

struct Request {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct Answer {
  int status = 0;
  std::string body;  // at most kMaxAnswer
  Duration duration{};
  std::optional<std::int64_t> retry_after_ms;  // of a Retry-After in seconds
};

constexpr std::size_t kMaxAnswer = std::size_t{256} * 1024;
constexpr std::size_t kMaxRequests = 512;  // queued and under way

// Any thread; answers come back on the caller's executor. Bodies, headers and URLs are never
// logged.
class Client {
 public:
  // The guard decides about every request, whoever makes it.
  Client(Clock& clock, net::Network& network, EgressGuard guard);
  // Ends what is under way; those who wait get kCancelled "cancelled".
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const EgressGuard& guard() const;

  // Any status is an answer, redirects too: they are not followed. The host is resolved once, every
  // address is checked, and only these addresses are connected to.
  // Errors: those of EgressGuard and of Network::resolve; kTransient "connection_refused",
  // "unreachable", "timeout", "connection_closed", "tls_failed"; kTrust "certificate_not_trusted";
  // kFunction "answer_too_large"; kBusy "too_many_requests"; kCancelled "cancelled". What was cut
  // off after the request had been sent is marked `outcome_unknown`.
  Task<Result<Answer>> send(Request request, SteadyTime deadline);

 private:
  class Loop;
  Clock& clock_;
  net::Network& network_;
  EgressGuard guard_;
  std::shared_ptr<Loop> loop_;
};

// What a status says about the request (lifecycle §4): 2xx nothing; 3xx kConfiguration
// "redirect_not_followed"; 401, 403, 407 kIdentity "not_authorized"; 408 and 5xx kTransient
// "receiver_failed"; 429 and 503 kBusy "receiver_busy" with its Retry-After; the others
// kConfiguration "receiver_refused".
Result<void> check_status(const Answer& answer);

}  // namespace tributary::http
