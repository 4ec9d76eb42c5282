// Virtual time: one line of moments for the world outside and the timers of the hub.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/time.hpp"
#include "runtime/timers.hpp"

namespace tributary::simulation {

// The world's time. Stands still until the next thing that is due.
class Timeline {
 public:
  SteadyTime now() const { return now_; }
  void move_to(SteadyTime time) { now_ = std::max(now_, time); }

  // Something outside the hub happens. In order of time, then of planning.
  void at(SteadyTime when, std::move_only_function<void()> happen) {
    events_.emplace(std::max(when, now_), std::move(happen));
  }
  void after(Duration wait, std::move_only_function<void()> happen) {
    at(now_ + wait, std::move(happen));
  }
  std::optional<SteadyTime> next() const {
    return events_.empty() ? std::nullopt : std::optional(events_.begin()->first);
  }
  // The first event, which must be due.
  void happen() {
    auto event = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    event();
  }

 private:
  SteadyTime now_{std::chrono::hours{1}};
  std::multimap<SteadyTime, std::move_only_function<void()>> events_;
};

// The hub's clocks. Its wall clock can be set.
class HubClock final : public Clock {
 public:
  explicit HubClock(const Timeline& time) : time_(time) {}
  SteadyTime steady_now() const override { return time_.now(); }
  UtcTime utc_now() const override {
    return utc_ +
           std::chrono::duration_cast<std::chrono::microseconds>(time_.now().time_since_epoch());
  }
  void step(Duration by) { utc_ += std::chrono::duration_cast<std::chrono::microseconds>(by); }
  void set(UtcTime to) {
    utc_ = UtcTime{};
    utc_ += to - utc_now();
  }

 private:
  const Timeline& time_;
  UtcTime utc_{std::chrono::seconds{1'800'000'000}};
};

// The timers of one life of the hub, counted by the executor they belong to.
class HubTimers final : public Timers {
 public:
  explicit HubTimers(const Timeline& time) : time_(time) {}

  SteadyTime now() const override { return std::max(time_.now(), past_the_end_); }
  std::unique_ptr<Timer> at(const Executor& executor, SteadyTime when,
                            std::move_only_function<void()> fire) override;

  std::optional<SteadyTime> next() const;
  // Posts the first timer, which must be due.
  void fire();
  // How many timers each executor has.
  std::map<const asio::io_context*, std::size_t> armed() const;
  // The hub is dead: what still waits for a moment gets it, however far away it is. False when
  // nothing waits.
  bool fire_past_the_end();

 private:
  struct Entry {
    Entry(Executor executor_, std::move_only_function<void()> fire_)
        : executor(executor_), fire(std::move(fire_)) {}
    Executor executor;
    std::move_only_function<void()> fire;
    bool queued = true;
  };
  using Queue = std::multimap<SteadyTime, std::shared_ptr<Entry>>;
  class Handle;

  const Timeline& time_;
  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
  SteadyTime past_the_end_{};
};

}  // namespace tributary::simulation
