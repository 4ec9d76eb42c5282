#include "runtime/timers.hpp"

#include <boost/asio/steady_timer.hpp>

#include "runtime/event.hpp"

namespace tributary {
namespace {

using AsioTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, Executor>;

// The callback is shared with the pending wait: dropping the timer empties it, so a wait that was
// already queued when it was cancelled finds nothing to call.
class SystemTimer final : public Timer {
 public:
  SystemTimer(const Executor& executor, SteadyTime when, std::move_only_function<void()> fire)
      : timer_(executor),
        fire_(std::make_shared<std::move_only_function<void()>>(std::move(fire))) {
    timer_.expires_at(when);
    timer_.async_wait([shared = fire_](const boost::system::error_code& error) {
      if (!error && *shared) {
        // It may drop this very timer: keep what is running alive.
        auto call = std::exchange(*shared, nullptr);
        call();
      }
    });
  }
  ~SystemTimer() override { *fire_ = nullptr; }

 private:
  AsioTimer timer_;
  std::shared_ptr<std::move_only_function<void()>> fire_;
};

class SystemTimers final : public Timers {
 public:
  SteadyTime now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  std::unique_ptr<Timer> at(const Executor& executor, SteadyTime when,
                            std::move_only_function<void()> fire) override {
    return std::make_unique<SystemTimer>(executor, when, std::move(fire));
  }
};

}  // namespace

std::unique_ptr<Timers> make_system_timers() {
  return std::make_unique<SystemTimers>();
}

Task<void> sleep_until(Timers& timers, SteadyTime when) {
  Event due(co_await asio::this_coro::executor);
  auto timer = timers.at(co_await asio::this_coro::executor, when, [&due] { due.set(); });
  co_await due.wait();
}

}  // namespace tributary
