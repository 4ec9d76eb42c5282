// A random life: a target that comes and goes, people who press buttons, callbacks that come late.
// Thousands of seeds, each repeatable by its number.
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "connect/lifecycle/backoff.hpp"
#include "lifecycle_world.hpp"

namespace tributary::connect::lifecycle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Something that will happen at a time, unless it is overtaken.
struct Pending {
  Duration at{};
  Event event;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) {
    policy_.reconnect.failures_to_open = 1 + static_cast<int>(below(5));
    policy_.reconnect.automatic_reset = below(8) != 0;
    policy_.reconnect.initial_delay = milliseconds{100 + static_cast<long>(below(2000))};
    apply(Created{});
  }

  void run(int events) {
    for (int i = 0; i < events && ok(); ++i) {
      if (below(6) == 0) {
        apply(command());
      } else if (below(12) == 0) {
        apply(late_event());
      } else {
        advance();
      }
    }
  }

  // Faults off, intent Running: invariant 12.
  void heal() {
    if (!ok() || state_.gone) return;
    faults_ = false;
    // What the target would still have answered is lost with the fault; an attempt under way runs
    // into its deadline.
    pending_.clear();
    while (ok() && state_.attempting()) advance();
    if (state_.status == Status::kSuspended) apply(Resume{});
    const bool waits_for_a_person = state_.status == Status::kFailed && !state_.due;
    if (state_.status == Status::kIdle || waits_for_a_person) apply(Start{});
    const Duration rest = std::max({longest_backoff(policy_.reconnect, worst_),
                                    policy_.reconnect.max_cooldown, kTrustRecheck});
    const Duration limit = clock_ + rest + policy_.connect_timeout + seconds{10};
    while (ok() && state_.status != Status::kConnected && clock_ <= limit) advance();
    if (state_.status != Status::kConnected) world_.violation("invariant 12: does not recover");
  }

  bool ok() const { return world_.problems.empty(); }
  const World& world() const { return world_; }
  std::size_t steps() const { return steps_; }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

  void apply(const Event& event) {
    const LifecycleState before = state_;
    const Step step = reduce(state_, event, policy_, inputs_at(clock_, random_.next()));
    ++steps_;
    state_ = step.next;
    world_.apply(event, step);
    world_.check(state_.gone ? before_gone() : state_, policy_);
    check_rows(before, event, step, world_.problems);
    check_counters(before, event);
    check_delays(step);
    for (const auto& open : effects_of<OpenSession>(step)) answer_attempt(open);
    if (!ok())
      world_.problems.front() +=
          fmt::format(" (in {} on {})", to_string(before.status), describe(event));
  }

  // A deleted connection holds nothing: looked at as if it were Idle.
  LifecycleState before_gone() const {
    LifecycleState state = state_;
    state.status = Status::kIdle;
    state.intent = Intent::kStopped;
    return state;
  }

  // Invariant 9: counters go back only by T22, T24 and a stable connection; and a half-open probe
  // that is replaced.
  void check_counters(const LifecycleState& before, const Event& event) {
    if (state_.breaker.failures >= before.breaker.failures) return;
    const auto* fired = std::get_if<TimerFired>(&event);
    const bool stable = fired && fired->kind == TimerKind::kStable;
    const bool renewed =
        before.status == Status::kFailed || before.breaker.state == BreakerState::kHalfOpen;
    const bool resumed = std::holds_alternative<Resume>(event);
    if (!stable && !renewed && !resumed) world_.violation("invariant 9: counters were reset");
  }

  // Invariant 7.
  void check_delays(const Step& step) {
    for (const auto& timer : effects_of<ArmTimer>(step)) {
      const Duration wait = timer.at - (kNow + clock_);
      if (wait <= Duration::zero()) world_.violation("invariant 7: a delay of zero or less");
      if (timer.kind == TimerKind::kBackoff &&
          wait > longest_backoff(policy_.reconnect, state_.cause->error)) {
        world_.violation("invariant 7: a backoff above its cap");
      }
      const Duration longest_rest =
          std::max({policy_.reconnect.max_cooldown, kTrustRecheck, kMaxRetryAfter});
      if (timer.kind == TimerKind::kCooldown && wait > longest_rest) {
        world_.violation("invariant 7: a cool-down above its cap");
      }
    }
  }

  // The target's answer to an attempt: success, an error of any class, or silence.
  void answer_attempt(const OpenSession& open) {
    const Duration start =
        clock_ + open.delay + (faults_ ? milliseconds{below(3000)} : milliseconds{0});
    pending_.push_back({start, AttemptStarted{open.epoch}});
    const auto luck = faults_ ? below(10) : 0;
    const Duration end = start + milliseconds{1 + static_cast<long>(below(4000))};
    if (luck < 4) {
      pending_.push_back({end, Opened{open.epoch, {}, {}}});
      if (faults_)
        pending_.push_back(
            {end + seconds{1 + static_cast<long>(below(60))}, Lost{open.epoch, any_error()}});
    } else if (luck < 9) {
      pending_.push_back({end, OpenFailed{open.epoch, any_error()}});
    }
  }

  Error any_error() {
    // Permanent classes are rarer, as in life; otherwise every run would spend its time in Failed.
    const auto last = static_cast<std::uint64_t>(ErrorClass::kInternal);
    const auto error_class =
        below(3) != 0 ? ErrorClass::kTransient : static_cast<ErrorClass>(below(last + 1));
    Error error = error_of(error_class);
    if (error_class == ErrorClass::kBusy && below(2) == 0) {
      error.retry_after_ms = static_cast<std::int64_t>(below(100'000));
      if (error.retry_after_ms > worst_.retry_after_ms.value_or(0)) worst_ = error;
    }
    return error;
  }

  Event command() {
    switch (below(12)) {
      case 0:
        return Stop{};
      case 1:
        return Suspend{Suspension{"reason", "someone", kUtc, std::nullopt}};
      case 2:
      case 3:
        return Resume{};
      case 4:
        return Restart{};
      case 5:
        return ConfigChanged{{}, below(2) == 0};
      case 6:
        return below(20) == 0 ? Event(Delete{{}, below(2) == 0}) : Event(Shutdown{});
      default:
        return Start{{}, milliseconds{below(2000)}, below(2) == 0};
    }
  }

  // A callback of something that is over.
  Event late_event() {
    const std::uint64_t epoch = state_.epoch - 1 - below(3);
    switch (below(4)) {
      case 0:
        return Opened{epoch, {}, {}};
      case 1:
        return OpenFailed{epoch, any_error()};
      case 2:
        return Lost{epoch, any_error()};
      default:
        return TimerFired{static_cast<TimerKind>(below(4)), epoch};
    }
  }

  // To the next thing that is due: a timer of the connection, or an answer of the target.
  void advance() {
    auto next = std::ranges::min_element(pending_, {}, &Pending::at);
    auto timer = std::ranges::min_element(world_.timers, {},
                                          [](const auto& item) { return item.second.at; });
    const bool has_timer = timer != world_.timers.end();
    if (next == pending_.end() && !has_timer) {
      clock_ += seconds{1};
      return;
    }
    if (has_timer && (next == pending_.end() || timer->second.at - kNow <= next->at)) {
      const TimerFired fired{timer->first, timer->second.epoch};
      clock_ = std::max(clock_, timer->second.at - kNow);
      world_.timers.erase(timer);
      apply(fired);
      return;
    }
    const Pending due = *next;
    pending_.erase(next);
    clock_ = std::max(clock_, due.at);
    apply(due.event);
  }

  SeededRandom random_;
  Policy policy_;
  LifecycleState state_;
  World world_;
  std::vector<Pending> pending_;
  Error worst_ = error_of(ErrorClass::kIdentity);
  Duration clock_{};
  bool faults_ = true;
  std::size_t steps_ = 0;
};

// In parts, so that they can run beside each other.
class LifecycleSimulation : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LifecycleSimulation, invariants_hold_for_thousands_of_lives) {
  constexpr std::uint64_t kSeeds = 2'500;
  std::size_t steps = 0;
  for (std::uint64_t seed = GetParam() * kSeeds + 1; seed <= (GetParam() + 1) * kSeeds; ++seed) {
    Simulation simulation(seed);
    simulation.run(150);
    simulation.heal();
    steps += simulation.steps();
    ASSERT_TRUE(simulation.ok()) << "seed " << seed << ": " << simulation.world().problems.front();
  }
  EXPECT_GT(steps, kSeeds * 50);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LifecycleSimulation, testing::Range<std::uint64_t>(0, 4));

}  // namespace
}  // namespace tributary::connect::lifecycle
