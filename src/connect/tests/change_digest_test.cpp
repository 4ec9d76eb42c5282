// What a flapping link tells and what it does not: the rules one by one, then random flapping.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "connect/status_filter.hpp"

namespace tributary::connect {
namespace {

using std::chrono::seconds;
using enum Status;

constexpr SteadyTime kStart{std::chrono::hours{1}};

// A digest of statuses, driven second by second; what it tells is written down.
struct Watched {
  Watched(DigestRule rule, StatusFilter filter = {}, Status start = kConnected)
      : filter_(std::move(filter)), status_(start), digest_(rule, digest_state(start)) {}

  void enter(Status status) {
    digest_.change(now_, digest_state(status), filter_.takes(status_, status), status);
    status_ = status;
    hear();
  }
  void wait(Duration duration) {
    const SteadyTime end = now_ + duration;
    while (const auto due = digest_.due()) {
      if (*due > end) break;
      now_ = std::max(now_, *due);
      hear();
    }
    now_ = end;
  }
  // "Disconnected+2 at 10": told at second 10, two held back.
  void hear() {
    if (auto told = digest_.take(now_)) {
      tellings.push_back(fmt::format("{}+{} at {}", to_string(told->news), told->suppressed,
                                     (now_ - kStart) / seconds{1}));
    }
  }

  std::vector<std::string> tellings;

 private:
  StatusFilter filter_;
  Status status_;
  SteadyTime now_ = kStart;
  ChangeDigest<Status> digest_;
};

using Tellings = std::vector<std::string>;

TEST(ChangeDigest, TheFirstChangeIsToldAtOnce) {
  Watched link({{}, seconds{10}});
  link.enter(kDisconnected);
  EXPECT_EQ(link.tellings, Tellings{"Disconnected+0 at 0"});
}

TEST(ChangeDigest, WhatComesWithinTheDebounceTimeIsToldAtItsEndWithWhatWasHeldBack) {
  Watched link({{}, seconds{10}});
  link.enter(kDisconnected);
  link.wait(seconds{1});
  link.enter(kConnected);
  link.wait(seconds{1});
  link.enter(kDisconnected);
  link.wait(seconds{1});
  link.enter(kConnected);
  link.wait(seconds{60});
  EXPECT_EQ(link.tellings, (Tellings{"Disconnected+0 at 0", "Connected+2 at 10"}));
}

TEST(ChangeDigest, WhatIsNoLongerTrueIsNotToldButCounted) {
  Watched link({{}, seconds{10}}, {{}, {}, {kDisconnected}});
  link.enter(kDisconnected);
  link.wait(seconds{1});
  link.enter(kConnected);
  link.enter(kDisconnected);
  link.enter(kConnected);
  link.wait(seconds{60});
  EXPECT_EQ(link.tellings, Tellings{"Disconnected+0 at 0"});
  link.enter(kDisconnected);
  EXPECT_EQ(link.tellings.back(), "Disconnected+1 at 61");
}

TEST(ChangeDigest, AStateThatDoesNotHoldIsNotToldAndNeitherIsTheReturn) {
  Watched link({seconds{60}, {}});
  link.enter(kDisconnected);
  link.wait(seconds{59});
  link.enter(kConnected);
  link.wait(seconds{600});
  EXPECT_EQ(link.tellings, Tellings{});
}

TEST(ChangeDigest, AnOutageHoldsThroughItsAttemptsAndTellsEachStateOnce) {
  Watched link({seconds{70}, {}}, {{}, {}, {kDisconnected, kReconnecting}});
  for (int attempt = 0; attempt < 10; ++attempt) {
    link.enter(kDisconnected);
    link.wait(seconds{25});
    link.enter(kReconnecting);
    link.wait(seconds{5});
  }
  EXPECT_EQ(link.tellings, (Tellings{"Disconnected+4 at 70", "Reconnecting+0 at 85"}));
}

TEST(ChangeDigest, AfterAnOutageThatWasToldTheRecoveryIsTold) {
  Watched link({seconds{60}, {}}, {{}, {}, {kDisconnected, kConnected}});
  link.enter(kDisconnected);
  link.wait(seconds{100});
  link.enter(kConnected);
  link.wait(seconds{100});
  EXPECT_EQ(link.tellings, (Tellings{"Disconnected+0 at 60", "Connected+0 at 160"}));
}

TEST(ChangeDigest, TheNextOutageIsNewsAgainAlthoughTheRecoveryWasNotWanted) {
  Watched link({seconds{60}, {}}, {{}, {}, {kDisconnected}});
  link.enter(kDisconnected);
  link.wait(seconds{100});
  link.enter(kConnected);
  link.wait(seconds{100});
  link.enter(kDisconnected);
  link.wait(seconds{100});
  EXPECT_EQ(link.tellings, (Tellings{"Disconnected+0 at 60", "Disconnected+0 at 260"}));
}

TEST(ChangeDigest, FailedAfterALongOutageIsToldAtOnce) {
  Watched link({seconds{60}, {}}, {{}, {}, {kDisconnected, kFailed}});
  link.enter(kDisconnected);
  link.wait(seconds{100});
  link.enter(kFailed);
  EXPECT_EQ(link.tellings, (Tellings{"Disconnected+0 at 60", "Failed+0 at 100"}));
}

TEST(StatusFilter, NamesWhereAChangeComesFromAndWhereItLeads) {
  const StatusFilter filter = {{}, {kConnected}, {kDisconnected, kFailed}};
  EXPECT_TRUE(filter.takes(kConnected, kFailed));
  EXPECT_FALSE(filter.takes(kReconnecting, kFailed));
  EXPECT_FALSE(filter.takes(kConnected, kIdle));
}

TEST(StatusFilter, TakesConnectionsByIdTypeAndEveryLabel) {
  Json labels = json_object();
  labels["site"] = "izmir";
  labels["line"] = "3";
  EXPECT_TRUE(
      (ConnectionFilter{{"A", "B"}, {{"line", "3"}}, "modbus"}.takes("B", "modbus", labels)));
  EXPECT_FALSE((ConnectionFilter{{"A"}, {}, ""}.takes("B", "modbus", labels)));
  EXPECT_FALSE((ConnectionFilter{{}, {}, "mqtt"}.takes("B", "modbus", labels)));
  EXPECT_FALSE(
      (ConnectionFilter{{}, {{"line", "3"}, {"site", "x"}}, ""}.takes("B", "modbus", labels)));
}

TEST(DigestSet, TellsInTheOrderInWhichThingsAreDue) {
  DigestSet<int> set({seconds{5}, {}});
  set.change(kStart, "b", {0, 0}, {1, 1}, true, 2);
  set.change(kStart + seconds{1}, "a", {0, 0}, {1, 1}, true, 1);
  EXPECT_EQ(set.due(), kStart + seconds{5});
  EXPECT_FALSE(set.take(kStart + seconds{4}));
  EXPECT_EQ(set.take(kStart + seconds{9})->news, 2);
  EXPECT_EQ(set.take(kStart + seconds{9})->news, 1);
  EXPECT_FALSE(set.take(kStart + seconds{9}));
  EXPECT_FALSE(set.due());
}

TEST(DigestSet, WhatIsForgottenIsNotTold) {
  DigestSet<int> set({seconds{5}, {}});
  set.change(kStart, "a", {0, 0}, {1, 1}, true, 1);
  set.forget("a");
  EXPECT_FALSE(set.due());
  EXPECT_EQ(set.size(), 0u);
}

TEST(DigestSet, PruningKeepsWhatIsStillOfUse) {
  DigestSet<int> set({{}, seconds{10}});
  set.change(kStart, "rested", {0, 0}, {1, 1}, true, 1);
  ASSERT_TRUE(set.take(kStart));
  set.change(kStart + seconds{5}, "recent", {0, 0}, {1, 1}, true, 2);
  ASSERT_TRUE(set.take(kStart + seconds{5}));
  set.change(kStart + seconds{5}, "rested", {1, 1}, {0, 0}, false, 3);
  set.prune(kStart + seconds{12});
  EXPECT_EQ(set.size(), 1u) << "only the one that was told of less than ten seconds ago";
}

// One random flapping link of some minutes, and what must hold of what was told.
struct Flapping {
  Flapping(std::uint64_t seed, bool with_hold, std::vector<Status> to)
      : random(seed),
        rule{with_hold ? seconds{1 + below(30)} : seconds{0}, seconds{1 + below(20)}},
        filter{{}, {}, std::move(to)},
        digest(rule, digest_state(kConnected)) {}

  std::int64_t below(std::uint64_t bound) {
    return static_cast<std::int64_t>(random.next() % bound);
  }

  void run() {
    for (int change = 0; change < 60; ++change) {
      constexpr Status kAll[] = {kConnected, kDisconnected, kReconnecting, kFailed, kSuspended};
      const Status next = kAll[below(5)];
      if (next == status) continue;
      if (digest_state(next).condition != digest_state(status).condition) since = now;
      const bool wanted = filter.takes(status, next);
      digest.change(now, digest_state(next), wanted, next);
      status = next;
      matched += wanted ? 1 : 0;
      listen(std::chrono::milliseconds{below(below(4) == 0 ? 40'000 : 2'000)});
    }
    listen(std::chrono::minutes{5});
  }
  void listen(Duration until) {
    const SteadyTime end = now + until;
    for (;;) {
      if (auto told = digest.take(now)) check(*told);
      const auto due = digest.due();
      if (!due || *due > end) break;
      now = std::max(now, *due);
    }
    now = end;
  }
  void check(const ChangeDigest<Status>::Told& told) {
    if (last_at) {
      EXPECT_GE(now - *last_at, rule.debounce) << "flood";
    }
    EXPECT_GE(now - since, rule.hold) << "told before it held";
    EXPECT_EQ(digest_state(told.news).condition, digest_state(status).condition) << "lie";
    last_at = now;
    last = told.news;
    counted += told.suppressed + 1;
  }

  SeededRandom random;
  DigestRule rule;
  StatusFilter filter;
  ChangeDigest<Status> digest;
  SteadyTime now = kStart;
  SteadyTime since = kStart;
  Status status = kConnected;
  Status last = kConnected;  // the last that was told; at first everybody knows that it runs
  std::optional<SteadyTime> last_at;
  std::int64_t matched = 0;
  std::int64_t counted = 0;
};

TEST(ChangeDigest, RandomFlappingNeverExceedsTheRateAndTheLastStateIsAlwaysTold) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Flapping link(seed, false, {});
    link.run();
    EXPECT_EQ(link.last, link.status);
    EXPECT_EQ(link.counted, link.matched) << "something was neither told nor counted";
    if (HasFailure()) return;
  }
}

TEST(ChangeDigest, RandomFlappingWithAHoldTellsTheConditionThatRemains) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Flapping link(seed, true, {});
    link.run();
    EXPECT_EQ(digest_state(link.last).condition, digest_state(link.status).condition);
    EXPECT_LE(link.counted, link.matched);
    if (HasFailure()) return;
  }
}

TEST(ChangeDigest, RandomFlappingWithAFilterTellsTheLastStateThatIsWanted) {
  int ended_down = 0;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Flapping link(seed, false, {kDisconnected, kFailed});
    link.run();
    if (link.status == kFailed || link.status == kDisconnected) {
      ++ended_down;
      EXPECT_EQ(link.last, link.status);
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(ended_down, 100);
}

}  // namespace
}  // namespace tributary::connect
