// Breadth-first over the reducer: every state that can be reached, times every event that can
// happen in it. Time stands still, so counters and flags are all that tells states apart.
#pragma once

#include <deque>

#include "lifecycle_world.hpp"
#include "sdk/connector.hpp"

namespace tributary::connect::lifecycle {

struct Node {
  LifecycleState state;
  World world;
};

inline constexpr std::uint64_t kBase = 100;  // every explored state is renumbered to this epoch

inline std::string key_of(const Node& node) {
  const auto& s = node.state;
  std::string timers;
  for (const auto& [kind, timer] : node.world.timers) timers += to_string(kind);
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", static_cast<int>(s.status),
                     static_cast<int>(s.intent), static_cast<int>(s.breaker.state),
                     s.breaker.failures, s.identity_refusals, s.takeovers[0].has_value(),
                     s.takeovers[1].has_value(), s.unexplained[0].has_value(),
                     s.unexplained[1].has_value(), s.opening, s.gone, timers,
                     node.world.attempt.has_value(), node.world.session.has_value(),
                     s.cause ? static_cast<int>(s.cause->error.error_class) : -1);
}

inline void renumber(Node& node) {
  const auto shift = [&](std::uint64_t epoch) {
    return epoch == node.state.epoch ? kBase : kBase - 1;
  };
  for (auto& [kind, timer] : node.world.timers) timer.epoch = shift(timer.epoch);
  if (node.world.attempt) node.world.attempt = shift(*node.world.attempt);
  if (node.world.session) node.world.session = shift(*node.world.session);
  if (node.state.breaker.probe != 0) node.state.breaker.probe = shift(node.state.breaker.probe);
  node.state.epoch = kBase;
  node.state.attempt = std::min(node.state.attempt, 1);
  node.state.backoff_step = std::min(node.state.backoff_step, 3);
  node.state.breaker.openings = std::min(node.state.breaker.openings, 3);
  node.state.breaker.failures = std::min(node.state.breaker.failures, 3);
  node.state.identity_refusals = std::min(node.state.identity_refusals, 3);
}

inline std::vector<Event> all_events() {
  std::vector<Event> events = {Shutdown{},
                               Start{},
                               Start{{}, std::chrono::seconds{1}, true},
                               Stop{},
                               Restart{},
                               Suspend{Suspension{"reason", "someone", kUtc, std::nullopt}},
                               Resume{},
                               ConfigChanged{{}, false},
                               ConfigChanged{{}, true},
                               Delete{{}, false},
                               Delete{{}, true},
                               Undeleted{}};
  for (std::uint64_t epoch : {kBase, kBase - 1}) {
    events.push_back(AttemptStarted{epoch});
    events.push_back(AttemptStarted{epoch, true});
    events.push_back(Lost{epoch,
                          {ErrorClass::kTransient, std::string(sdk::kClosedWithoutReason),
                           "The peer closed the session."}});
    events.push_back(Opened{epoch, {}, {}});
    events.push_back(DegradedChanged{epoch, "note"});
    for (int error_class = 0; error_class <= static_cast<int>(ErrorClass::kInternal);
         ++error_class) {
      const Error error = error_of(static_cast<ErrorClass>(error_class));
      events.push_back(OpenFailed{epoch, error});
      events.push_back(Lost{epoch, error});
    }
    for (auto kind :
         {TimerKind::kBackoff, TimerKind::kCooldown, TimerKind::kDeadline, TimerKind::kStable}) {
      events.push_back(TimerFired{kind, epoch});
    }
  }
  return events;
}

// Timers fire only when armed, and are then no longer armed.
inline bool can_happen(Node& node, const Event& event) {
  const auto* fired = std::get_if<TimerFired>(&event);
  if (!fired || fired->epoch != kBase) return true;
  return node.world.timers.erase(fired->kind) > 0;
}

struct Explored {
  std::size_t states = 0;
  std::size_t steps = 0;
};

inline constexpr std::size_t kTooManyStates = 200'000;  // beyond it the abstraction does not close

// Calls `look(before, event, step, after)` for every step; ends early when it answers false.
template <typename Look>
Explored explore(const Policy& policy, Look look) {
  const auto events = all_events();
  std::deque<Node> frontier;
  std::set<std::string> seen;
  Node start;
  start.state.epoch = kBase;
  seen.insert(key_of(start));
  frontier.push_back(start);
  Explored explored;
  while (!frontier.empty() && seen.size() < kTooManyStates) {
    const Node node = std::move(frontier.front());
    frontier.pop_front();
    for (const auto& event : events) {
      Node next = node;
      if (!can_happen(next, event)) continue;
      ++explored.steps;
      const Step step = reduce(node.state, event, policy, inputs_at());
      next.state = step.next;
      next.world.apply(event, step);
      if (!look(node, event, step, next)) return explored;
      renumber(next);
      if (seen.insert(key_of(next)).second) frontier.push_back(std::move(next));
    }
  }
  explored.states = seen.size();
  return explored;
}

}  // namespace tributary::connect::lifecycle
