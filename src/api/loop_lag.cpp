#include "api/loop_lag.hpp"

#include <fmt/format.h>

#include "runtime/event.hpp"

namespace tributary::api {
namespace {

// On the control executor; a loop that is too late still finds its place.
struct Answers {
  Answers(const Executor& control, std::size_t loops)
      : lags(loops), missing(loops), complete(control) {}
  std::vector<std::optional<Duration>> lags;
  std::size_t missing;
  Event complete;
};

}  // namespace

Task<std::vector<LoopLag>> measure_loop_lag(Runtime& runtime, Duration limit) {
  const Executor control = runtime.control();
  const std::size_t loops = runtime.workers() + 1;
  const auto answers = std::make_shared<Answers>(control, loops);
  const SteadyTime begin = runtime.clock().steady_now();
  for (std::size_t i = 0; i < loops; ++i) {
    const Executor loop = i == 0 ? control : runtime.worker(i - 1);
    asio::post(loop, [answers, control, begin, i, &clock = runtime.clock()] {
      const Duration lag = clock.steady_now() - begin;
      asio::post(control, [answers, lag, i] {
        answers->lags[i] = lag;
        if (--answers->missing == 0) answers->complete.set();
      });
    });
  }
  const SteadyTime deadline = begin + limit;
  static_cast<void>(co_await answers->complete.wait_until(runtime.timers(), deadline));
  std::vector<LoopLag> measured;
  for (std::size_t i = 0; i < loops; ++i) {
    measured.push_back({i == 0 ? "control" : fmt::format("worker-{}", i - 1), answers->lags[i]});
  }
  co_return measured;
}

}  // namespace tributary::api
