// The simulation, tested: it repeats itself, it finds what is wrong, and its disk forgets as a disk
// does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/log.hpp"
#include "tests/simulation/mutations.hpp"
#include "tests/simulation/world.hpp"

namespace tributary::simulation {
namespace {

// SQLite and the log are set up before the first test, the shared parts made once.
class Setup final : public testing::Environment {
 public:
  void SetUp() override {
    prepare_sqlite();
    log::start(log::Level::kError, "/dev/null");
    common_ = std::make_unique<Common>();
  }
  void TearDown() override { common_.reset(); }
  static Common& common() { return *common_; }

 private:
  static inline std::unique_ptr<Common> common_;
};
const auto* const setup = testing::AddGlobalTestEnvironment(new Setup);

Outcome run(std::uint64_t seed, std::shared_ptr<const connect::Seams> seams = nullptr) {
  return World(Setup::common(), options_of(seed), std::move(seams), false).run();
}

TEST(Simulation, the_same_seed_gives_the_same_run) {
  for (const std::uint64_t seed : {3U, 14U, 15U, 92U, 65U}) {
    const Outcome first = run(seed);
    const Outcome second = run(seed);
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.handlers, second.handlers) << "seed " << seed;
    EXPECT_EQ(first.violation, "") << "seed " << seed;
  }
}

TEST(Simulation, another_seed_gives_another_run) {
  EXPECT_NE(run(1).hash, run(2).hash);
}

// ---- mutations ----

constexpr std::uint64_t kSeedsPerMutation = 400;

// The number of the world that finds it, 0 when none does.
std::uint64_t found_by(const std::shared_ptr<const connect::Seams>& seams, std::uint64_t seeds,
                       std::string& how) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    how = run(seed, seams).violation;
    if (!how.empty()) return seed;
  }
  return 0;
}

class Mutations : public testing::TestWithParam<std::size_t> {};

TEST_P(Mutations, is_found) {
  const Mutation& mutation = mutations()[GetParam()];
  std::string how;
  const std::uint64_t seed = found_by(mutation.make(), kSeedsPerMutation, how);
  ASSERT_NE(seed, 0U) << mutation.name << " (" << mutation.what << ") was not found in "
                      << kSeedsPerMutation << " worlds";
  fmt::print("{}: found by seed {}: {}\n", mutation.name, seed, how);
  // It is the defect that was found, not something that is there anyway.
  EXPECT_EQ(run(seed).violation, "");
}

INSTANTIATE_TEST_SUITE_P(All, Mutations, testing::Range<std::size_t>(0, mutations().size()),
                         [](const auto& info) {
                           std::string name(mutations()[info.param].name);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Simulation, there_are_at_least_fifteen_mutations) {
  EXPECT_GE(mutations().size(), 15U);
}

// ---- edge cases ----

// One connection to one peer, and no chance but latencies.
class Scripted : public World {
 public:
  explicit Scripted(std::uint64_t seed) : World(Setup::common(), options(seed), nullptr, false) {
    boot();
    create();
    run_for(std::chrono::milliseconds{500});
    // Whether it starts by itself is a matter of chance.
    stop(subject());
    run_for(std::chrono::seconds{6});
  }

  Subject& subject() { return *ledger_.subjects().begin()->second; }
  std::string status() {
    return subject().view ? std::string(connect::to_string(subject().view->status)) : "";
  }
  void weather(Weather weather) { peers_[0]->set_weather(weather, 700); }
  void steps(int count) {
    for (int i = 0; i < count && trace_.ok(); ++i) step();
  }
  bool wait_for(const std::string& wanted, Duration limit) {
    return run_until(limit, [&] { return status() == wanted; });
  }
  const std::string& violation() const { return trace_.violation(); }
  using World::restart;
  using World::run_for;
  using World::start;
  using World::stop;

 private:
  static Options options(std::uint64_t seed) {
    Options options;
    options.seed = seed;
    options.connections = options.peers = 1;
    return options;
  }
};

constexpr Weather kWeathersOfAnAttempt[] = {Weather::kFair, Weather::kRefuse,     Weather::kDrop,
                                            Weather::kMute, Weather::kAcceptDrop, Weather::kSlow,
                                            Weather::kCut,  Weather::kNameServer, Weather::kDenied};

class Edge12 : public testing::TestWithParam<Weather> {};

// Row 12: stop at each of the internal steps of an attempt, and of the wait after it. The ledger
// holds that nothing is sent, armed or open after the answer (invariants 1 to 3).
TEST_P(Edge12, edge_12_stop_at_each_internal_step_leaves_nothing_behind) {
  constexpr int kSteps = 60;
  for (int step = 0; step < kSteps; ++step) {
    Scripted world(12);
    world.weather(GetParam());
    world.start(world.subject());
    world.steps(step);
    world.stop(world.subject());
    world.run_for(std::chrono::minutes{5});
    ASSERT_EQ(world.violation(), "") << "step " << step;
    EXPECT_EQ(world.status(), "Idle") << "step " << step;
    EXPECT_TRUE(world.subject().silent) << "step " << step;
    EXPECT_EQ(world.subject().sockets + world.subject().dials, 0) << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Weathers, Edge12, testing::ValuesIn(kWeathersOfAnAttempt),
                         [](const auto& info) {
                           std::string name(to_string(info.param));
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

class Edge23 : public testing::TestWithParam<Weather> {};

// Row 23: whatever becomes of a probe, half-open ends. The ledger holds the time limit (invariant
// 6); afterwards the connection comes back by itself, or as soon as a person asks for it.
TEST_P(Edge23, edge_23_a_probe_that_is_cut_short_does_not_wedge_the_breaker) {
  constexpr int kSteps = 24;
  for (int step = 0; step < kSteps; ++step) {
    Scripted world(23);
    world.weather(Weather::kRefuse);
    world.start(world.subject());
    ASSERT_TRUE(world.wait_for("Failed", std::chrono::minutes{10})) << world.violation();
    world.weather(GetParam());
    ASSERT_TRUE(world.wait_for("Reconnecting", std::chrono::minutes{10})) << world.violation();
    world.steps(step);
    if (step % 3 == 0) world.stop(world.subject());
    if (step % 3 == 1) world.restart(world.subject());
    world.run_for(std::chrono::seconds{20});
    world.weather(Weather::kFair);
    world.start(world.subject());
    EXPECT_TRUE(world.wait_for("Connected", std::chrono::minutes{3})) << "step " << step;
    ASSERT_EQ(world.violation(), "") << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Weathers, Edge23, testing::ValuesIn(kWeathersOfAnAttempt),
                         [](const auto& info) {
                           std::string name(to_string(info.param));
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace tributary::simulation
