#include "connect/limiter.hpp"

#include <deque>

namespace tributary::connect {

namespace {

struct Waiter {
  Executor executor;
  std::move_only_function<void(AttemptLimiter::Turn)> granted;
  bool withdrawn = false;  // touched on `executor` only
};

}  // namespace

struct AttemptLimiter::State : std::enable_shared_from_this<AttemptLimiter::State> {
  struct Target {
    int active = 0;
    std::deque<std::shared_ptr<Waiter>> waiting;
  };

  explicit State(LimiterOptions options_) : options(options_) {}

  // With the mutex held and `active` already counted.
  Turn make_turn(const std::string& target) {
    return {this, [state = shared_from_this(), target](void*) { state->release(target); }};
  }

  static void grant(const std::shared_ptr<Waiter>& waiter, Turn turn) {
    asio::post(waiter->executor, [waiter, turn = std::move(turn)]() mutable {
      if (!waiter->withdrawn) waiter->granted(std::move(turn));
    });
  }

  void release(const std::string& name) {
    std::shared_ptr<Waiter> next;
    Turn turn;
    {
      const std::lock_guard lock(mutex);
      const auto found = targets.find(name);
      if (found == targets.end()) return;
      Target& target = found->second;
      --target.active;
      if (!target.waiting.empty() && target.active < options.per_target) {
        next = std::move(target.waiting.front());
        target.waiting.pop_front();
        ++target.active;
        turn = make_turn(name);
      } else if (target.active == 0 && target.waiting.empty()) {
        targets.erase(found);
      }
    }
    if (next) grant(next, std::move(turn));
  }

  LimiterOptions options;
  std::mutex mutex;
  std::unordered_map<std::string, Target> targets;
  SteadyTime theoretical_arrival{};  // of the next attempt if all came evenly (generic cell rate
                                     // algorithm)
};

AttemptLimiter::AttemptLimiter(LimiterOptions options) : state_(std::make_shared<State>(options)) {}
AttemptLimiter::~AttemptLimiter() = default;

SteadyTime AttemptLimiter::reserve(SteadyTime now) {
  const std::lock_guard lock(state_->mutex);
  const Duration interval =
      Duration{std::chrono::seconds{1}} / std::max(1, state_->options.attempts_per_second);
  const Duration tolerance = interval * (std::max(1, state_->options.burst) - 1);
  const SteadyTime arrival = std::max(state_->theoretical_arrival, now);
  state_->theoretical_arrival = arrival + interval;
  return std::max(now, arrival - tolerance);
}

AttemptLimiter::Ticket AttemptLimiter::request(const std::string& target, Executor executor,
                                               std::move_only_function<void(Turn)> granted) {
  auto waiter = std::make_shared<Waiter>(executor, std::move(granted));
  Turn turn;
  {
    const std::lock_guard lock(state_->mutex);
    auto& entry = state_->targets[target];
    if (entry.active < state_->options.per_target) {
      ++entry.active;
      turn = state_->make_turn(target);
    } else {
      entry.waiting.push_back(waiter);
    }
  }
  if (turn) State::grant(waiter, std::move(turn));
  return {waiter.get(), [waiter](void*) { waiter->withdrawn = true; }};
}

AttemptLimiter::Turn AttemptLimiter::take(const std::string& target) {
  const std::lock_guard lock(state_->mutex);
  ++state_->targets[target].active;
  return state_->make_turn(target);
}

}  // namespace tributary::connect
