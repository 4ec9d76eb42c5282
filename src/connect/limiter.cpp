#include "connect/limiter.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tributary::connect {

namespace {

constexpr std::size_t kHastes = 3;

std::size_t index_of(Haste haste) {
  return static_cast<std::size_t>(haste);
}

struct Waiter {
  Timers& timers;
  Executor executor;
  std::move_only_function<void(AttemptLimiter::Turn)> granted;
  std::string target;
  Haste haste = Haste::kAutomatic;
  std::uint64_t number = 0;      // place in the order of serving; unique
  bool over = false;             // granted or withdrawn; touched on `executor` only
  std::unique_ptr<Timer> alarm;  // wakes the queue when the rate allows the next; likewise
};
using WaiterPtr = std::shared_ptr<Waiter>;

// In the order in which they are served, for each haste.
using Queues = std::array<std::map<std::uint64_t, WaiterPtr>, kHastes>;

struct Target {
  int active = 0;
  Queues waiting;
  std::array<std::optional<std::uint64_t>, kHastes> ready;  // its waiters in State::ready
};

}  // namespace

struct AttemptLimiter::State : std::enable_shared_from_this<AttemptLimiter::State> {
  // What was decided under the lock and is done after it.
  struct Decided {
    std::vector<std::pair<WaiterPtr, Turn>> grants;
    WaiterPtr next;  // to be woken at `due`, when the rate allows one more
    SteadyTime due;
  };

  explicit State(LimiterOptions options_) : options(options_) {}

  // ---- with the mutex held ----

  // The first waiter of each target that has a place is ready.
  void refresh(Target& target) {
    for (std::size_t haste = 0; haste < kHastes; ++haste) {
      if (const auto number = std::exchange(target.ready[haste], std::nullopt))
        ready[haste].erase(*number);
      const auto& waiting = target.waiting[haste];
      if (waiting.empty() || target.active >= options.per_target) continue;
      const auto& [number, first] = *waiting.begin();
      ready[haste].emplace(number, first);
      target.ready[haste] = number;
    }
  }

  // After a change at a target: who is ready, and is it needed any longer?
  void update(std::unordered_map<std::string, Target>::iterator found) {
    Target& target = found->second;
    refresh(target);
    const bool awaited =
        std::ranges::any_of(target.waiting, [](const auto& queue) { return !queue.empty(); });
    if (target.active == 0 && !awaited) targets.erase(found);
  }

  void remove(const Waiter& waiter) {
    if (armed == &waiter) armed = nullptr;
    const auto found = targets.find(waiter.target);
    if (found == targets.end()) return;
    found->second.waiting[index_of(waiter.haste)].erase(waiter.number);
    update(found);
  }

  void grant(const WaiterPtr& waiter, Decided& decided) {
    Target& target = targets[waiter->target];
    ++target.active;
    remove(*waiter);
    decided.grants.emplace_back(
        waiter, Turn(this, [state = shared_from_this(), name = waiter->target](void*) {
          state->release(name);
        }));
  }

  WaiterPtr first(Haste haste) const {
    const auto& queue = ready[index_of(haste)];
    return queue.empty() ? nullptr : queue.begin()->second;
  }

  Decided decide() {
    Decided decided;
    while (const WaiterPtr waiter = first(Haste::kSpread)) grant(waiter, decided);
    const Duration interval =
        Duration{std::chrono::seconds{1}} / std::max(1, options.attempts_per_second);
    const Duration tolerance = interval * (std::max(1, options.burst) - 1);
    while (true) {
      WaiterPtr waiter = first(Haste::kPerson);
      if (!waiter) waiter = first(Haste::kAutomatic);
      if (!waiter) {
        backlog = false;
        return decided;
      }
      const SteadyTime now = waiter->timers.now();
      // While somebody waits for the rate, an alarm that comes late saves nothing up: otherwise the
      // next ones would come at once, and a second would see more than its number.
      if (backlog) theoretical_arrival = std::max(theoretical_arrival, now + tolerance);
      const SteadyTime arrival = std::max(theoretical_arrival, now);
      if (arrival - tolerance > now) {
        backlog = true;
        if (armed == waiter.get()) return decided;
        armed = waiter.get();
        decided.next = std::move(waiter);
        decided.due = arrival - tolerance;
        return decided;
      }
      theoretical_arrival = arrival + interval;
      grant(waiter, decided);
    }
  }

  // ---- without it ----

  void carry_out(Decided decided) {
    for (auto& [waiter, turn] : decided.grants) {
      asio::post(waiter->executor, [waiter, turn = std::move(turn)]() mutable {
        waiter->alarm.reset();
        if (!std::exchange(waiter->over, true)) waiter->granted(std::move(turn));
      });
    }
    if (!decided.next) return;
    asio::post(decided.next->executor,
               [state = weak_from_this(), waiter = decided.next, due = decided.due] {
                 if (waiter->over) return;
                 waiter->alarm = waiter->timers.at(waiter->executor, due,
                                                   [state, weak = std::weak_ptr(waiter)] {
                                                     const auto limiter = state.lock();
                                                     const auto woken = weak.lock();
                                                     if (limiter && woken) limiter->wake(*woken);
                                                   });
               });
  }

  void enter(const WaiterPtr& waiter) {
    Decided decided;
    {
      const std::lock_guard lock(mutex);
      ++arrivals;
      // The last person is served first.
      waiter->number = waiter->haste == Haste::kPerson
                           ? std::numeric_limits<std::uint64_t>::max() - arrivals
                           : arrivals;
      Target& target = targets[waiter->target];
      target.waiting[index_of(waiter->haste)].emplace(waiter->number, waiter);
      refresh(target);
      decided = decide();
    }
    carry_out(std::move(decided));
  }

  void leave(const WaiterPtr& waiter) {
    Decided decided;
    {
      const std::lock_guard lock(mutex);
      remove(*waiter);
      decided = decide();
    }
    carry_out(std::move(decided));
  }

  void wake(const Waiter& waiter) {
    Decided decided;
    {
      const std::lock_guard lock(mutex);
      if (armed == &waiter) armed = nullptr;
      decided = decide();
    }
    carry_out(std::move(decided));
  }

  void release(const std::string& name) {
    Decided decided;
    {
      const std::lock_guard lock(mutex);
      const auto found = targets.find(name);
      if (found == targets.end()) return;
      --found->second.active;
      update(found);
      decided = decide();
    }
    carry_out(std::move(decided));
  }

  LimiterOptions options;
  std::mutex mutex;
  std::unordered_map<std::string, Target> targets;
  Queues ready;
  const Waiter* armed = nullptr;  // has, or is about to get, the alarm for the next grant
  bool backlog = false;           // somebody ready waits for the rate
  std::uint64_t arrivals = 0;
  SteadyTime theoretical_arrival{};  // of the next attempt if all came evenly (generic cell rate
                                     // algorithm)
};

AttemptLimiter::AttemptLimiter(LimiterOptions options) : state_(std::make_shared<State>(options)) {}
AttemptLimiter::~AttemptLimiter() = default;

AttemptLimiter::Ticket AttemptLimiter::request(const std::string& target, Haste haste,
                                               Timers& timers, Executor executor,
                                               std::move_only_function<void(Turn)> granted) {
  auto waiter =
      std::make_shared<Waiter>(timers, std::move(executor), std::move(granted), target, haste);
  state_->enter(waiter);
  return {waiter.get(), [state = state_, waiter](void*) {
            waiter->alarm.reset();
            if (!std::exchange(waiter->over, true)) state->leave(waiter);
          }};
}

}  // namespace tributary::connect
