// Outgoing HTTP: requests that the hub makes by itself. libcurl's multi interface on one thread of
// its own; the rest of the hub sees a coroutine. What one connection profile sends goes through a
// Channel (channel.hpp), which keeps its connections.
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

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "POST";
  std::string url;
  Headers headers;
  std::string body;
};

struct Answer {
  int status = 0;
  std::string body;
  Duration duration{};
  // Of a Retry-After, in seconds or as a date.
  std::optional<std::int64_t> retry_after_ms;
  Headers headers{};   // names in lower case, in the order of the answer
  std::string peer{};  // "192.0.2.10:443"

  // The first with this name (lower case); empty when there is none.
  std::string_view header(std::string_view name) const;
};

constexpr std::size_t kMaxAnswer = std::size_t{256} * 1024;  // of Client::send
constexpr std::size_t kMaxRequests = 512;                    // queued and under way

class Channel;
struct ChannelOptions;
class Loop;

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
  // address is checked, and only these addresses are connected to. The connection is made for this
  // request and closed with it.
  // Errors: those of EgressGuard and of Network::resolve; kTransient "connection_refused",
  // "unreachable", "timeout", "connection_closed", "tls_failed"; kTrust "certificate_not_trusted";
  // kFunction "answer_too_large"; kBusy "too_many_requests"; kCancelled "cancelled". What was cut
  // off after the request had been sent is marked `outcome_unknown`.
  Task<Result<Answer>> send(Request request, SteadyTime deadline);

  // `network` resolves the channel's names and outlives it.
  std::unique_ptr<Channel> open_channel(net::Network& network, ChannelOptions options);

 private:
  Clock& clock_;
  net::Network& network_;
  std::shared_ptr<const EgressGuard> guard_;
  std::shared_ptr<Loop> loop_;
};

// What a status says about the request (lifecycle §4): 2xx nothing; 3xx kConfiguration
// "redirect_not_followed"; 401, 403, 407 kIdentity "not_authorized"; 408 and 5xx kTransient
// "receiver_failed"; 429 and 503 kBusy "receiver_busy" with its Retry-After; the others
// kConfiguration "receiver_refused".
Result<void> check_status(const Answer& answer);

}  // namespace tributary::http
