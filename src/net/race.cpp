#include <fmt/format.h>
#include <fmt/ranges.h>

#include "net/dial.hpp"
#include "net/options.hpp"
#include "runtime/event.hpp"

namespace tributary::net {
namespace {

constexpr std::chrono::milliseconds kStagger{250};
constexpr std::size_t kMaxFailuresNamed = 4;
constexpr std::string_view kPointer = "/settings/host";

// One race: shared with its attempts, which may resume after it is over.
struct Race {
  void wake() {
    if (changed) changed->set();
  }
  std::vector<Error> failures;
  std::optional<std::size_t> winner;
  std::shared_ptr<Event> changed;  // set when an attempt ended or the race was cancelled
  std::size_t started = 0;
  std::size_t pending = 0;
  bool over = false;
};

// Ends the attempts that lost, whichever way the race ends.
struct Finish {
  std::shared_ptr<Race> race;
  std::vector<std::shared_ptr<Attempt>> attempts;
  ~Finish() {
    race->over = true;
    for (std::size_t i = 0; i < race->started; ++i) {
      if (race->winner != i) attempts[i]->abort();
    }
  }
};

Task<void> run_attempt(std::shared_ptr<Race> race, std::shared_ptr<Attempt> attempt,
                       std::size_t index) {
  Result<void> connected = co_await attempt->connect();
  if (race->over) co_return;
  if (!connected) {
    race->failures.push_back(std::move(connected.error()));
  } else if (!race->winner) {
    race->winner = index;
  }
  --race->pending;
  race->wake();
}

// Returns when there is a winner, when every address has failed, at the deadline, or when
// cancelled.
Task<void> run_race(std::shared_ptr<Race> race, std::vector<std::shared_ptr<Attempt>> attempts,
                    Timers& timers, SteadyTime deadline, std::shared_ptr<DialCancel> cancel) {
  const Executor executor = co_await asio::this_coro::executor;
  SteadyTime next_start = timers.now();
  while (!race->winner && !cancel->cancelled()) {
    const SteadyTime now = timers.now();
    if (now >= deadline) co_return;
    const bool more = race->started < attempts.size();
    if (more && (race->pending == 0 || now >= next_start)) {
      const std::size_t index = race->started++;
      ++race->pending;
      next_start = now + kStagger;
      spawn(executor, run_attempt(race, attempts[index], index));
      continue;
    }
    if (!more && race->pending == 0) co_return;
    const auto changed = std::make_shared<Event>(executor);
    race->changed = changed;
    const SteadyTime until = more ? std::min(next_start, deadline) : deadline;
    co_await changed->wait_until(timers, until);
  }
}

Error no_answer(const Endpoint& endpoint, std::span<const Address> tried, Duration waited) {
  std::vector<std::string> texts;
  for (const Address& address : tried) texts.push_back(to_text(address));
  const std::string all = fmt::format("{}", fmt::join(texts, ", "));
  const bool literal = tried.size() == 1 && tried.front().ip == endpoint.host;
  return {
      ErrorClass::kTransient, "connect_timeout",
      fmt::format("{} did not answer within {:.1f} s",
                  literal ? all : fmt::format("{} ({})", endpoint.host, all), to_seconds(waited)),
      "Is it switched on, is the address right, and does a firewall drop the connection?",
      std::string(kPointer)};
}

// Why nothing answered: what the hub lacks first, then the first address's reason; the message
// names the others too.
Error all_failed(const std::vector<Error>& failures) {
  for (const Error& failure : failures) {
    if (failure.error_class == ErrorClass::kInternal) return failure;
  }
  Error error = failures.front();
  // A host that is up but refuses says more than an address family without a route.
  for (const Error& failure : failures) {
    if (error.code == "unreachable" && failure.code != "unreachable") error = failure;
  }
  std::vector<std::string> messages{error.message};
  for (const Error& failure : failures) {
    if (failure.message != error.message && messages.size() < kMaxFailuresNamed) {
      messages.push_back(failure.message);
    }
  }
  error.message = fmt::format("{}", fmt::join(messages, "; "));
  error.pointer = kPointer;
  return error;
}

}  // namespace

std::string to_text(const Address& address) {
  const bool v6 = address.ip.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", address.ip, address.port)
            : fmt::format("{}:{}", address.ip, address.port);
}

std::string label(const Endpoint& endpoint, const Address& address) {
  return endpoint.host == address.ip ? to_text(address)
                                     : fmt::format("{} ({})", endpoint.host, to_text(address));
}

Task<Result<std::size_t>> race_attempts(Timers& timers, Endpoint endpoint,
                                        std::vector<Address> addresses,
                                        std::vector<std::shared_ptr<Attempt>> attempts,
                                        SteadyTime deadline, std::shared_ptr<DialCancel> cancel) {
  const auto race = std::make_shared<Race>();
  const Finish finish{race, attempts};
  const std::shared_ptr<void> guard = cancel->on_cancel([race] { race->wake(); });
  const SteadyTime started = timers.now();
  co_await run_race(race, attempts, timers, deadline, cancel);

  if (cancel->cancelled()) {
    race->winner.reset();
    co_return fail(ErrorClass::kCancelled, "cancelled", "Connecting was ended by the hub");
  }
  if (race->winner) co_return *race->winner;
  if (race->pending == 0 && !race->failures.empty()) co_return fail(all_failed(race->failures));
  const std::span<const Address> tried(addresses.data(), race->started);
  co_return fail(no_answer(endpoint, tried, timers.now() - started));
}

}  // namespace tributary::net
