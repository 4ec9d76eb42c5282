// What goes wrong outside the hub.
#include "tests/simulation/world.hpp"

namespace tributary::simulation {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A decision does not wait longer than this for the disk (actor.cpp, kEventPatience), with a
// margin.
constexpr Duration kNoticeable{milliseconds{400}};

}  // namespace

void World::misfortune() {
  std::vector<void (World::*)()> known;
  const auto may = [&](bool on, void (World::*what)(), int weight = 1) {
    for (int i = 0; on && i < weight; ++i) known.push_back(what);
  };
  may(options_.weather, &World::change_weather, 8);
  may(options_.slow_disk || options_.broken_disk, &World::trouble_the_disk, 2);
  may(options_.crashes, &World::plan_crash, 1);
  may(options_.restarts, &World::restart_politely, 1);
  may(options_.clock, &World::step_clock, 1);
  may(options_.host_suspend, &World::suspend_host, 1);
  if (known.empty()) return operate();
  (this->*known[below(known.size())])();
}

void World::change_weather() {
  Peer& peer = *peers_[below(peers_.size())];
  if (peer.weather() != Weather::kFair && one_in(2)) {
    trace_.note("{} is fair again", peer.host());
    peer.set_weather(Weather::kFair, 0);
    return;
  }
  auto weather = static_cast<Weather>(1 + below(kWeathers - 1));
  // What only a person ends is rarer, as in life: a world of such peers does little.
  const bool lasting = weather == Weather::kTrust || weather == Weather::kConfiguration;
  if (lasting && !one_in(3)) weather = Weather::kRefuse;
  const std::uint64_t severity = below(10'000);
  trace_.note("{} turns to {} ({})", peer.host(), to_string(weather), severity);
  peer.set_weather(weather, severity);
}

Duration World::disk_time() {
  Duration time = std::chrono::microseconds{300 + below(4000)};
  if (time_.now() < disk_stalls_until_) time += disk_stalls_until_ - time_.now();
  if (time > kNoticeable) ledger_.disk_is_behind();
  return time;
}

void World::trouble_the_disk() {
  const bool broken = options_.broken_disk && (!options_.slow_disk || one_in(2));
  if (!broken) {
    const Duration stall = milliseconds{10 << below(11)};
    trace_.note("the disk stalls for {} ms", stall / milliseconds{1});
    disk_stalls_until_ = time_.now() + stall;
    if (stall > kNoticeable) ledger_.disk_is_behind();
    return;
  }
  ledger_.disk_is_behind();
  if (one_in(2)) {
    trace_.note("the next flush of the disk fails");
    disk_broken_ = true;
    hub_->disk().fail_next_flush();
    // The store says so and asks for a restart; somebody does it.
    time_.after(seconds{1 + below(10)}, [this, life = life_] {
      if (life == life_) crash_due_ = true;
    });
    return;
  }
  trace_.note("the disk is full");
  disk_full_ = true;
  hub_->disk().set_full(true);
  time_.after(seconds{1 + below(10)}, [this, life = life_] {
    if (life != life_) return;
    trace_.note("the disk has room again");
    disk_full_ = false;
    hub_->disk().set_full(false);
  });
}

void World::plan_crash() {
  power_fails_ = one_in(2);
  if (one_in(2)) {
    const auto operations = below(12);
    trace_.note("the power goes with the {}th operation of the disk from now", operations);
    power_fails_ = true;
    hub_->disk().cut_power_after(operations);
  } else {
    handlers_to_crash_ = static_cast<int>(below(400));
    trace_.note("{} in {} handlers", power_fails_ ? "the power goes" : "the hub is killed",
                *handlers_to_crash_);
  }
}

void World::step_clock() {
  switch (below(6)) {
    case 0:
      trace_.note("the clock is set back an hour");
      clock_.step(-hours{1});
      break;
    case 1:
      trace_.note("the clock is set on an hour");
      clock_.step(hours{1});
      break;
    case 2:
      trace_.note("the clock is set back a day");
      clock_.step(-hours{24});
      break;
    case 3:
      trace_.note("the clock is set on a day");
      clock_.step(hours{24});
      break;
    case 4:
      trace_.note("the clock is set to 1970");
      clock_.set(UtcTime{seconds{1}});
      break;
    default:
      trace_.note("the clock is set right");
      clock_.set(UtcTime{seconds{1'800'003'600}});
      break;
  }
}

// The machine stands still for eight hours; then everything that is overdue is due at once.
void World::suspend_host() {
  trace_.note("the machine sleeps for eight hours");
  std::map<std::string, int> reads;
  for (auto& [id, subject] : ledger_.subjects()) {
    reads[id] = subject->reads;
    subject->oracle.forgive_times();
    subject->half_open_since.reset();
  }
  ledger_.disk_is_behind();  // what it was busy with took hours
  time_.move_to(time_.now() + hours{8});
  while (hub_->timers().next() && *hub_->timers().next() <= time_.now()) hub_->timers().fire();
  // Invariant 7: what was missed is not made up for.
  time_.after(seconds{1}, [this, reads, life = life_] {
    if (life != life_) return;
    for (const auto& [id, before] : reads) {
      const Subject* subject = ledger_.find(id);
      const int most = 8 + static_cast<int>(subject->functions.size()) * 3;
      if (subject->reads - before > most)
        trace_.violation("invariant 7: {} read {} times in the second after a sleep", subject->name,
                         subject->reads - before);
    }
  });
}

}  // namespace tributary::simulation
