// Breadth-first: every state that can be reached, times every event that can happen in it.
#include <gtest/gtest.h>

#include <deque>
#include <iostream>

#include "lifecycle_world.hpp"

namespace tributary::connect::lifecycle {
namespace {

struct Node {
  LifecycleState state;
  World world;
};

constexpr std::uint64_t kBase = 100;  // every explored state is renumbered to this epoch

// Time stands still, so counters and flags are all that tells states apart.
std::string key_of(const Node& node) {
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

void renumber(Node& node) {
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

std::vector<Event> all_events() {
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
                               Delete{{}, true}};
  for (std::uint64_t epoch : {kBase, kBase - 1}) {
    events.push_back(AttemptStarted{epoch});
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
bool can_happen(Node& node, const Event& event) {
  const auto* fired = std::get_if<TimerFired>(&event);
  if (!fired || fired->epoch != kBase) return true;
  return node.world.timers.erase(fired->kind) > 0;
}

class Explore : public testing::TestWithParam<bool> {};

TEST_P(Explore, only_listed_transitions_occur_and_the_invariants_hold) {
  Policy policy;
  policy.reconnect.failures_to_open = 2;
  policy.reconnect.automatic_reset = GetParam();
  const auto events = all_events();
  std::deque<Node> frontier;
  std::set<std::string> seen;
  std::set<std::string> transitions;
  Node start;
  start.state.epoch = kBase;
  seen.insert(key_of(start));
  frontier.push_back(start);
  std::size_t steps = 0;
  while (!frontier.empty()) {
    const Node node = std::move(frontier.front());
    frontier.pop_front();
    for (const auto& event : events) {
      Node next = node;
      if (!can_happen(next, event)) continue;
      ++steps;
      const Step step = reduce(node.state, event, policy, inputs_at());
      next.state = step.next;
      next.world.apply(event, step);
      if (!next.state.gone) next.world.check(next.state, policy);
      check_rows(node.state, event, step, next.world.problems);
      ASSERT_TRUE(next.world.problems.empty())
          << key_of(node) << " + " << describe(event) << ": " << next.world.problems.front();
      for (auto& row : rows_of(step)) transitions.insert(std::move(row));
      renumber(next);
      if (seen.insert(key_of(next)).second) frontier.push_back(std::move(next));
    }
    ASSERT_LT(seen.size(), 200'000U) << "the abstraction does not close";
  }
  std::cout << "explored " << seen.size() << " states, " << steps << " steps, "
            << transitions.size() << " kinds of transition\n";
  // The exploration is worth something only if it went everywhere.
  for (const auto* expected : {"Idle>Connecting",
                               "Connecting>Connected",
                               "Connecting>Disconnected",
                               "Connecting>Failed",
                               "Connecting>Idle",
                               "Connecting>Suspended",
                               "Connected>Disconnected",
                               "Connected>Failed",
                               "Connected>Idle",
                               "Connected>Suspended",
                               "Connected>Connecting",
                               "Disconnected>Reconnecting",
                               "Disconnected>Failed",
                               "Disconnected>Connecting",
                               "Disconnected>Idle",
                               "Disconnected>Suspended",
                               "Reconnecting>Connected",
                               "Reconnecting>Disconnected",
                               "Reconnecting>Failed",
                               "Reconnecting>Idle",
                               "Reconnecting>Suspended",
                               "Failed>Connecting",
                               "Failed>Idle",
                               "Failed>Suspended",
                               "Suspended>Idle"}) {
    EXPECT_TRUE(transitions.contains(expected)) << expected;
  }
  EXPECT_EQ(transitions.contains("Failed>Reconnecting"), GetParam());
}

INSTANTIATE_TEST_SUITE_P(AutomaticReset, Explore, testing::Bool());

}  // namespace
}  // namespace tributary::connect::lifecycle
