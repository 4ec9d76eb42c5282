// What the reducer does, told as a table: compared with the specification, and printed into
// docs/lifecycle-transitions.md. TRIBUTARY_WRITE_DOCS=1 writes the page anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>

#include "lifecycle_exploration.hpp"

namespace tributary::connect::lifecycle {
namespace {

using Pair = std::pair<std::string, std::string>;

const std::filesystem::path kRoot = TRIBUTARY_SOURCE_DIR;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// "T6" → Connecting, Idle. Some numbers have two pairs.
struct Listed {
  std::string number;
  Pair pair;
  friend auto operator<=>(const Listed&, const Listed&) = default;
};

std::vector<Listed> listed_transitions() {
  std::vector<Listed> rows;
  std::istringstream text(read_file(kRoot / "src/connect/tests/lifecycle_specification.txt"));
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    Listed row;
    words >> row.number >> row.pair.first >> row.pair.second;
    rows.push_back(row);
  }
  return rows;
}

std::string_view name_of(const Effect& effect) {
  struct Name {
    std::string_view operator()(const RecordHistory&) const { return "row of history"; }
    std::string_view operator()(const ArmTimer& timer) const {
      switch (timer.kind) {
        case TimerKind::kBackoff:
          return "backoff armed";
        case TimerKind::kCooldown:
          return "cool-down armed";
        case TimerKind::kDeadline:
          return "deadline armed";
        case TimerKind::kStable:
          return "stability timer armed";
      }
      return "";
    }
    std::string_view operator()(const CancelTimers&) const { return "timers cancelled"; }
    std::string_view operator()(const OpenSession& open) const {
      return open.automatic ? "attempt, when its turn comes" : "attempt at once";
    }
    std::string_view operator()(const CloseSession& close) const {
      return close.graceful ? "polite goodbye" : "hard close";
    }
    std::string_view operator()(const DiscardSession&) const { return "late session closed"; }
    std::string_view operator()(const RejectCalls&) const { return "waiting calls refused"; }
    std::string_view operator()(const FlushCalls&) const { return "waiting calls run"; }
    std::string_view operator()(const MarkBad&) const { return "values marked bad"; }
    std::string_view operator()(const Retire&) const { return "everything dropped"; }
    std::string_view operator()(const Publish&) const { return "shown"; }
  };
  return std::visit(Name{}, effect);
}

// Everything that brought a pair about, and everything that was then done.
struct Observed {
  std::set<std::string> events;
  std::vector<std::string> effects;  // in the order of the reducer
  bool epoch_raised = true;
};

void add(std::map<Pair, Observed>& all, const LifecycleState& before, const Event& event,
         const Step& step) {
  for (const auto& row : effects_of<RecordHistory>(step)) {
    auto& observed =
        all[{row.from ? std::string(to_string(*row.from)) : "-", std::string(to_string(row.to))}];
    observed.events.insert(describe(event));
    observed.epoch_raised = observed.epoch_raised && step.next.epoch > before.epoch;
    for (const auto& effect : step.effects) {
      std::string name(name_of(effect));
      if (std::ranges::find(observed.effects, name) == observed.effects.end())
        observed.effects.push_back(std::move(name));
    }
  }
}

// Made once: it is the whole state space.
const std::map<Pair, Observed>& observed_transitions() {
  static const std::map<Pair, Observed> kObserved = [] {
    std::map<Pair, Observed> all;
    for (const bool automatic_reset : {true, false}) {
      Policy policy;
      policy.reconnect.failures_to_open = 2;
      policy.reconnect.automatic_reset = automatic_reset;
      explore(policy, [&](const Node& before, const Event& event, const Step& step, Node&) {
        add(all, before.state, event, step);
        return true;
      });
    }
    const LifecycleState nothing;
    add(all, nothing, Created{}, reduce(nothing, Created{}, {}, inputs_at()));
    return all;
  }();
  return kObserved;
}

std::string joined(const auto& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ", ") + std::string(part);
  return text;
}

std::string render(const std::map<Pair, Observed>& all) {
  std::string page =
      "# The transitions, as the program makes them\n\n"
      "Made from the reducer (`src/connect/lifecycle`) by trying every event in every state that "
      "can be reached; a test\ncompares it with the specification and with this page. What the "
      "states mean: [lifecycle.md](lifecycle.md).\nNothing else happens: every pair that is not "
      "here is illegal.\n\n"
      "| # | From | To | Brought about by | What is done, in this order |\n|---|---|---|---|---|\n";
  for (const auto& row : listed_transitions()) {
    const auto& seen = all.at(row.pair);
    auto effects = seen.effects;
    if (seen.epoch_raised) effects.insert(effects.begin(), "epoch raised");
    page += fmt::format("| {} | {} | {} | {} | {} |\n", row.number,
                        row.pair.first == "-" ? "–" : row.pair.first, row.pair.second,
                        joined(seen.events), joined(effects));
  }
  page +=
      "\nT25: events of an older epoch and commands that change nothing have no row and no effect; "
      "they are counted.\nT26: a deleted connection ends with \"everything dropped\"; its history "
      "stays. T27: at a start of the hub the last run is closed\nwith a row to Unknown at its last "
      "heartbeat, then one from Unknown to Idle or Suspended.\n";
  return page;
}

TEST(LifecycleTransitions, the_reducer_makes_the_listed_ones_and_no_others) {
  std::set<Pair> listed;
  for (const auto& row : listed_transitions()) listed.insert(row.pair);
  std::set<Pair> made;
  for (const auto& [pair, observed] : observed_transitions()) made.insert(pair);
  EXPECT_EQ(made, listed);
}

TEST(LifecycleTransitions, the_history_check_allows_the_listed_ones_and_boots_only) {
  std::set<Pair> listed;
  for (const auto& row : listed_transitions()) listed.insert(row.pair);
  for (int from = 0; from <= static_cast<int>(Status::kSuspended); ++from) {
    for (int to = 0; to <= static_cast<int>(Status::kSuspended); ++to) {
      const auto a = static_cast<Status>(from);
      const auto b = static_cast<Status>(to);
      EXPECT_EQ(is_legal(a, b),
                listed.contains({std::string(to_string(a)), std::string(to_string(b))}))
          << to_string(a) << " to " << to_string(b);
    }
  }
}

// The specification is not part of the repository; where it lies beside it, our copy must agree.
TEST(LifecycleTransitions, our_list_is_that_of_the_specification) {
  const auto page = kRoot.parent_path() / "shared" / "connection-lifecycle.md";
  if (!std::filesystem::exists(page)) GTEST_SKIP() << "the specification is not beside the sources";
  std::set<Listed> specified;
  const std::regex row(R"(\| (T\d+) \| (\S+) → ([^|]+) \|.*)");
  std::istringstream text(read_file(page));
  for (std::string line; std::getline(text, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    std::string from = match[2];
    if (from == "any") continue;  // T25, T26
    if (from == "–") from = "-";
    std::istringstream targets(match[3]);
    for (std::string to; targets >> to;) {
      if (to != "/") specified.insert({match[1], {from, to}});
    }
  }
  const auto ours = listed_transitions();
  EXPECT_EQ(std::set<Listed>(ours.begin(), ours.end()), specified);
}

TEST(LifecycleTransitions, the_page_in_the_docs_is_what_the_reducer_does) {
  const auto path = kRoot / "docs/lifecycle-transitions.md";
  const std::string page = render(observed_transitions());
  if (std::getenv("TRIBUTARY_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
  EXPECT_EQ(read_file(path), page)
      << "Run this test once with TRIBUTARY_WRITE_DOCS=1 and look at what changed.";
}

}  // namespace
}  // namespace tributary::connect::lifecycle
