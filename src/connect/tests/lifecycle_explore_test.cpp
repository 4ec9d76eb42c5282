// Breadth-first: every state that can be reached, times every event that can happen in it.
#include <gtest/gtest.h>

#include <iostream>

#include "lifecycle_exploration.hpp"

namespace tributary::connect::lifecycle {
namespace {

class Explore : public testing::TestWithParam<bool> {};

TEST_P(Explore, only_listed_transitions_occur_and_the_invariants_hold) {
  Policy policy;
  policy.reconnect.failures_to_open = 2;
  policy.reconnect.automatic_reset = GetParam();
  std::set<std::string> transitions;
  std::string problem;
  const Explored explored =
      explore(policy, [&](const Node& before, const Event& event, const Step& step, Node& after) {
        if (!after.state.gone) after.world.check(after.state, policy);
        check_rows(before.state, event, step, after.world.problems);
        if (!after.world.problems.empty()) {
          problem = fmt::format("{} + {}: {}", key_of(before), describe(event),
                                after.world.problems.front());
          return false;
        }
        for (auto& row : rows_of(step)) transitions.insert(std::move(row));
        return true;
      });
  ASSERT_EQ(problem, "");
  ASSERT_LT(explored.states, kTooManyStates) << "the abstraction does not close";
  std::cout << "explored " << explored.states << " states, " << explored.steps << " steps, "
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
