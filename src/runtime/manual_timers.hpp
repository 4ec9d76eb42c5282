// Virtual time for tests: the clock stands still until it is advanced, and what is due then fires
// in order of time.
#pragma once

#include <map>
#include <memory>

#include "base/time.hpp"
#include "runtime/timers.hpp"

namespace tributary {

// Drive it together with one io_context: advance() polls it before, between and after the timers it
// fires. Everything runs on the thread that calls advance().
class ManualTimers final : public Timers {
 public:
  ManualTimers(ManualClock& clock, asio::io_context& context) : clock_(clock), context_(context) {}

  SteadyTime now() const override { return clock_.steady_now(); }
  std::unique_ptr<Timer> at(const Executor& executor, SteadyTime when,
                            std::move_only_function<void()> fire) override;

  // Runs everything that is ready, without moving time.
  void settle();
  // Moves time on by `by`, stopping at each timer on the way.
  void advance(Duration by);
  // How many timers are armed: for invariants such as "Suspended has none".
  std::size_t armed() const { return queue_->size(); }
  // When the next one is due.
  std::optional<SteadyTime> next() const;

 private:
  struct Entry {
    Executor executor;
    std::move_only_function<void()> fire;
  };
  using Queue = std::multimap<SteadyTime, std::shared_ptr<Entry>>;
  class Handle;

  ManualClock& clock_;
  asio::io_context& context_;
  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
};

}  // namespace tributary
