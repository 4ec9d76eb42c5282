#include "orchestrate/nodes/calling.hpp"

#include "orchestrate/stopped.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tributary::orchestrate {

Duration next_pause(NodeRun& run, const Error& error, const RetryPolicy& policy, Duration& delay) {
  Duration pause = run.jittered(delay);
  if (error.retry_after_ms) {
    pause = std::max<Duration>(pause, std::chrono::milliseconds(*error.retry_after_ms));
  }
  const auto longer = std::chrono::duration<double, std::nano>(delay) * policy.multiplier;
  delay =
      longer < policy.max_delay ? std::chrono::duration_cast<Duration>(longer) : policy.max_delay;
  return std::min(pause, policy.max_delay);
}

Task<Result<Batch>> call_again(NodeRun& run, RepeatedCall call, Json arguments) {
  Duration delay = call.retry.initial_delay;
  for (int attempt = 1;; ++attempt) {
    Json copy = call.retry.max_attempts > 1 ? arguments : std::move(arguments);
    Result<Batch> answer =
        co_await run.functions().execute(call.function_id, std::move(copy), call.timeout);
    if (answer) co_return answer;
    Error& error = answer.error();
    const bool unknown = error.outcome_unknown && !call.repeat_unknown;
    if (unknown || !will_pass(error) || call.retry.max_attempts == 1) co_return answer;
    if (attempt >= call.retry.max_attempts) {
      error.message += fmt::format(" Given up after {} attempts.", attempt);
      co_return answer;
    }
    run.waiting(error);
    const Duration pause = next_pause(run, error, call.retry, delay);
    const SteadyTime until = run.timers().now() + pause;
    const bool stopped = co_await run.stopping().wait_until(run.timers(), until);
    if (stopped) co_return tributary::fail(pipeline_stopped());
  }
}

}  // namespace tributary::orchestrate
