// One session with a folder: what its coroutines share, and how they get the disk to do something.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "connectors/file/settings.hpp"
#include "connectors/file/src/work.hpp"
#include "runtime/event.hpp"
#include "runtime/lane.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::file {

// Calls come one at a time; beside them the health check and a job of each function that watches.
constexpr std::size_t kMaxWaitingJobs = 1024;

inline Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "The session was ended by the hub"};
}

struct Watcher;

// Shared by the session and its running coroutines.
struct State {
  State(const sdk::SessionContext& context_, ConnectionSettings settings_)
      : context(context_),
        settings(std::move(settings_)),
        worker(std::make_shared<Worker>(settings.root, !settings.read_only)),
        lane(std::make_unique<Lane>("file", kMaxWaitingJobs)) {}

  // With everything that watches.
  void end() noexcept;
  // Why nothing can be done; nullopt while the session is open.
  std::optional<Error> over() const {
    if (ended) return cancelled();
    return lost;
  }

  sdk::SessionContext context;
  ConnectionSettings settings;
  std::shared_ptr<Worker> worker;
  std::unique_ptr<Lane> lane;
  std::vector<std::shared_ptr<Watcher>> watchers;
  std::optional<Error> lost;
  bool told = false;  // the owner, of a loss that it did not ask for
  bool opened = false;
  bool ended = false;
};
using Shared = std::shared_ptr<State>;

// The outcome of a job, after which the session may have been ended.
template <typename T>
Result<T> settle(State& state, Result<T> result) {
  if (result) {
    if (state.ended) return fail(cancelled());
    return result;
  }
  Error error = std::move(result.error());
  if (state.ended) {
    Error ended = cancelled();
    ended.outcome_unknown = error.outcome_unknown;
    return fail(std::move(ended));
  }
  if (is_connection_error(error.error_class)) {
    state.lost = error;
    state.lost->outcome_unknown = false;
  }
  return fail(std::move(error));
}

// Runs a job on the lane until the deadline; what is late ends the session, and its answer is
// dropped. `unknown`: it may have happened then.
template <typename T>
Task<Result<T>> run(Shared state, std::move_only_function<Result<T>()> job, SteadyTime deadline,
                    bool unknown) {
  struct Answer {
    explicit Answer(Executor executor) : done(executor) {}
    Event done;
    std::optional<Result<T>> value;
  };
  const auto answer = std::make_shared<Answer>(state->context.executor);
  auto go = [](Shared owner, std::shared_ptr<Answer> to,
               std::move_only_function<Result<T>()> work) -> Task<void> {
    to->value = co_await owner->lane->run<T>(std::move(work));
    to->done.set();
  };
  spawn(state->context.executor, go(state, answer, std::move(job)));
  const bool in_time = co_await answer->done.wait_until(state->context.timers, deadline);
  if (in_time) co_return settle(*state, std::move(*answer->value));
  Error late(ErrorClass::kTransient, "timeout", "The disk did not answer in time",
             "Is it a network disk whose server is away, or is the disk overloaded?");
  late.outcome_unknown = unknown;
  co_return settle(*state, Result<T>(fail(std::move(late))));
}

}  // namespace tributary::connectors::file
