#include "http/client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "http/submit.hpp"

namespace tributary::http {

std::string_view Answer::header(std::string_view name) const {
  const auto found =
      std::ranges::find(headers, name, [](const auto& header) { return header.first; });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string canonical(const std::string& ip) {
  in6_addr six{};
  if (::inet_pton(AF_INET6, ip.c_str(), &six) != 1) return ip;
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET6, &six, text, sizeof text);
  return text;
}

Task<Result<Answer>> submit(std::shared_ptr<Loop> loop, std::unique_ptr<Transfer> transfer) {
  const Executor executor = co_await asio::this_coro::executor;
  auto start = [executor, loop](auto handler, std::unique_ptr<Transfer> ready) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    ready->done = [executor, shared](Result<Answer> result) {
      asio::post(executor,
                 [shared, result = std::move(result)]() mutable { (*shared)(std::move(result)); });
    };
    loop->submit(std::move(ready));
  };
  co_return co_await asio::async_initiate<decltype(use_task), void(Result<Answer>)>(
      std::move(start), use_task, std::move(transfer));
}

Client::Client(Clock& clock, net::Network& network, EgressGuard guard)
    : clock_(clock),
      network_(network),
      guard_(std::make_shared<const EgressGuard>(std::move(guard))),
      loop_(std::make_shared<Loop>(clock)) {}

// Coroutines that wait for an answer hold the loop, too: its end must not depend on them.
Client::~Client() {
  loop_->stop();
}

const EgressGuard& Client::guard() const {
  return *guard_;
}

Task<Result<Answer>> Client::send(Request request, SteadyTime deadline) {
  auto target = guard_->check_url(request.url);
  TRIBUTARY_CO_TRY(target);
  const net::Endpoint endpoint{target->host, target->port};
  auto addresses = co_await network_.resolve(endpoint, deadline);
  if (!addresses) {
    addresses.error().pointer = "/url";
    co_return fail(std::move(addresses.error()));
  }
  auto transfer = std::make_unique<Transfer>();
  for (const net::Address& address : *addresses) {
    TRIBUTARY_CO_TRY(guard_->check_address(*target, address.ip));
    transfer->addresses.push_back(canonical(address.ip));
  }
  transfer->request = std::move(request);
  transfer->target = std::move(*target);
  transfer->url = transfer->target.url();
  transfer->deadline = deadline;
  transfer->utc = clock_.utc_now();
  auto sending = submit(loop_, std::move(transfer));
  co_return co_await std::move(sending);
}

Result<void> check_status(const Answer& answer) {
  const int status = answer.status;
  if (status >= 200 && status < 300) return {};
  const std::string said = fmt::format("The receiver answered with status {}.", status);
  if (status >= 300 && status < 400) {
    return fail(ErrorClass::kConfiguration, "redirect_not_followed", said,
                "Redirects are not followed: enter the final address.", "/url");
  }
  if (status == 401 || status == 403 || status == 407) {
    return fail(ErrorClass::kIdentity, "not_authorized", said,
                "Check the secrets that the receiver expects.");
  }
  if (status == 429 || status == 503) {
    Error error(ErrorClass::kBusy, "receiver_busy", said, "It is tried again later.");
    error.retry_after_ms = answer.retry_after_ms;
    return fail(std::move(error));
  }
  if (status == 408 || status >= 500) {
    return fail(ErrorClass::kTransient, "receiver_failed", said,
                "Its own log should say why; it is tried again.");
  }
  return fail(ErrorClass::kConfiguration, "receiver_refused", said,
              "Does the address belong to a receiver of notices?", "/url");
}

}  // namespace tributary::http
