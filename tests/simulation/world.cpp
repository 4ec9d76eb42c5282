// Time, and the lives of the hub.
#include "tests/simulation/world.hpp"

#include <sodium.h>

#include "tests/simulation/ask.hpp"

namespace tributary::simulation {

namespace {

using connect::Status;
using std::chrono::milliseconds;
using std::chrono::seconds;

// More handlers than this at one moment: something goes round in circles.
constexpr int kHandlersAtOnce = 20'000;
constexpr Duration kShutdown{milliseconds{5500}};
// A session that died without a word is noticed within this: health check, its deadline, the close.
constexpr Duration kNoticed{seconds{15}};
// The longest that a command takes: what the disk still has to do, and a polite close.
constexpr Duration kAnswered{seconds{45}};
constexpr Duration kPatience{seconds{150}};
// A function rests for 30 s, and is asked at the next scan after that.
constexpr Duration kFunctionRest{seconds{45}};
constexpr Duration kPush{milliseconds{1500}};
// Ids, seeds and nonces of a life come from here instead of the system, so that a run repeats.
SeededRandom* entropy = nullptr;

const char* entropy_name() {
  return "simulation";
}
std::uint32_t entropy_next() {
  return static_cast<std::uint32_t>(entropy->next());
}
void entropy_fill(void* into, size_t size) {
  auto* bytes = static_cast<unsigned char*>(into);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(entropy->next());
}

void give_entropy(SeededRandom& chance) {
  static randombytes_implementation implementation{entropy_name, entropy_next, nullptr,
                                                   nullptr,      entropy_fill, nullptr};
  entropy = &chance;
  randombytes_set_implementation(&implementation);
}

}  // namespace

World::World(Common& common, Options options, std::shared_ptr<const connect::Seams> seams,
             bool aloud)
    : common_(common),
      options_(options),
      seams_(std::move(seams)),
      chance_(options.seed),
      trace_(time_, aloud),
      ledger_(time_, trace_),
      image_(common.empty_store) {
  give_entropy(chance_);
  for (int i = 0; i < options_.peers; ++i) {
    peers_.push_back(std::make_unique<Peer>(fmt::format("peer{}", i), time_, chance_, ledger_));
    peers_.back()->set_pieces(options_.pieces);
  }
  ledger_.on_unknown([this](const std::string& id) { return look_for(id); });
}

World::~World() {
  ++life_;
  news_.reset();
  ledger_.hub_died();
  if (hub_) hub_->die();
}

Outcome World::run() {
  const SteadyTime begin = time_.now();
  boot();
  for (int i = 0; i < options_.connections; ++i) create();
  run_for(milliseconds{500});
  for (int i = 0; i < options_.actions && trace_.ok(); ++i) act();
  if (trace_.ok()) heal();
  if (trace_.ok()) restart_politely();
  if (trace_.ok()) ledger_.check_at_the_end();
  handlers_ += hub_ ? hub_->handlers() : 0;
  return {trace_.violation(), trace_.hash(), handlers_, time_.now() - begin, trace_.last()};
}

void World::act() {
  if (one_in(3)) {
    misfortune();
  } else {
    operate();
  }
  if (options_.patient && one_in(6)) return run_for(kPatience);
  // Often at the same moment as the next one, sometimes long before it.
  if (one_in(4)) return;
  const auto most = static_cast<std::uint64_t>(2 * options_.pace.count());
  run_for(Duration{static_cast<Duration::rep>(one_in(10) ? 10 * below(most) : below(most))});
}

// ---- lives ----

void World::boot() {
  ++life_;
  Hub::Parts parts{common_,
                   time_,
                   clock_,
                   chance_,
                   ledger_,
                   peers_,
                   seams_,
                   options_.attempts_per_target,
                   [this] { return disk_time(); }};
  hub_ = std::make_unique<Hub>(std::move(parts), image_, unclean_);
  disk_broken_ = disk_full_ = false;
  Result<void> started = hub_->start();
  Result<void> loaded = started ? hub_->manager().load() : started;
  if (!loaded) {
    trace_.violation("the hub does not start: {}", loaded.error().message);
    return;
  }
  hub_->on_commit([this] { commit_seen(); });
  check_what_was_kept();
  watch_news();
  push(life_);
}

// Peers send to all who subscribed, for as long as this life lasts.
void World::push(std::uint64_t life) {
  if (life != life_) return;
  for (const auto& peer : peers_) peer->push();
  time_.after(kPush, [this, life] { push(life); });
}

// What was acknowledged is there: every row that was seen on the disk, every version, every intent.
void World::check_what_was_kept() {
  std::map<std::string, std::size_t> compared;
  for (const auto& row : hub_->history().fresh()) {
    Subject* subject = ledger_.find(row.connection);
    if (!subject) continue;
    const std::size_t index = compared[row.connection]++;
    if (index >= subject->rows.size()) {
      ledger_.stored(row);  // committed in the last moment
    } else if (!(subject->rows[index] == row)) {
      trace_.violation("invariant 5: {} had {} on the disk, now {}", subject->name,
                       describe(subject->rows[index]), describe(row));
    }
  }
  for (auto& [id, subject] : ledger_.subjects()) {
    if (compared[id] < subject->rows.size())
      trace_.violation("invariant 5: {} lost {} rows of history", subject->name,
                       subject->rows.size() - compared[id]);
    subject->shown_rows = subject->rows.size();
    const auto view = hub_->manager().connection(id);
    if (!view && subject->deleting) subject->gone = true;
    if (subject->gone) {
      if (view) trace_.violation("{} is there again after it was deleted", subject->name);
      continue;
    }
    subject->deleting = false;
    if (!view || view->row.version < subject->version) {
      trace_.violation("{} lost what was stored of it", subject->name);
      continue;
    }
    subject->version = view->row.version;
    if (subject->intent && view->row.intent != *subject->intent)
      trace_.violation("{} was {} and is {} after the start", subject->name, *subject->intent,
                       view->row.intent);
    if (view->row.intent == "running") ledger_.asks_to_talk(*subject);
    for (const auto& function : hub_->manager().functions(id)) {
      watch(*subject, function.row);
    }
  }
}

Subject* World::look_for(const std::string& id) {
  const auto known = ledger_.subjects().find(id);
  if (known != ledger_.subjects().end()) return known->second.get();
  const auto view = hub_ ? hub_->manager().connection(id) : std::nullopt;
  if (!view) return nullptr;
  const auto planned = planned_.find(view->row.name);
  if (planned == planned_.end()) return nullptr;
  Subject& subject = ledger_.add(id, view->row.name, planned->second);
  const std::string host = get_string(view->row.settings, "host");
  for (const auto& peer : peers_) {
    if (peer->host() == host) subject.peer = peer.get();
  }
  for (auto& [other_id, other] : ledger_.subjects()) {
    if (other.get() == &subject || other->peer != subject.peer) continue;
    other->shares_target = subject.shares_target = true;
  }
  subject.password = "first";
  return &subject;
}

void World::watch_news() {
  news_ = hub_->manager().watch_states(
      [this](const connect::StateChange& change) { ledger_.news(change); });
}

void World::commit_seen() {
  if (!hub_->disk().powered()) return;
  for (const auto& row : hub_->history().fresh()) ledger_.stored(row);
}

void World::crash() {
  trace_.note("the hub ends: {}", power_fails_ ? "power" : "kill");
  ++life_;
  handlers_to_crash_.reset();
  crash_due_ = false;
  const auto survival = static_cast<Survival>(below(3));
  // A broken disk is exchanged, or the machine restarted: what was not flushed is gone.
  image_ = power_fails_ || disk_broken_ ? hub_->disk().after_power_cut(survival)
                                        : hub_->disk().after_kill();
  unclean_ = true;
  news_.reset();
  // What was refused because of a failed flush may be there all the same.
  if (disk_broken_) {
    for (auto& [id, subject] : ledger_.subjects()) subject->intent.reset();
  }
  ledger_.hub_died();
  handlers_ += hub_->handlers();
  hub_->die();
  hub_.reset();
  disk_stalls_until_ = {};
  run_for(milliseconds{below(3000)});
  boot();
}

void World::restart_politely() {
  trace_.note("the hub is asked to stop");
  bool stopped = false;
  for (auto& [id, subject] : ledger_.subjects()) ++subject->commands;
  ask([](Manager& manager) { return manager.shutdown(kShutdown); }, [&stopped] { stopped = true; });
  const std::uint64_t life = life_;
  const bool in_time = run_until(kShutdown + seconds{1}, [&] { return stopped || life != life_; });
  if (life != life_) return;  // the power went first
  if (!in_time) trace_.violation("the hub did not stop in time");
  ++life_;
  handlers_to_crash_.reset();
  crash_due_ = false;
  unclean_ = disk_broken_;
  news_.reset();
  ledger_.hub_died();
  handlers_ += hub_->handlers();
  hub_->close();
  image_ = hub_->disk().after_kill();
  hub_.reset();
  disk_stalls_until_ = {};
  boot();
}

// ---- time ----

// Everything that is ready now, then on to the next moment at which something is due.
bool World::advance() {
  for (int i = 0; hub_ && hub_->run_one(); ++i) {
    if (!trace_.ok()) return false;
    if (handlers_to_crash_ && --*handlers_to_crash_ <= 0) crash_due_ = true;
    if (crash_due_) {
      crash();
      return true;
    }
    if (i > kHandlersAtOnce) trace_.violation("something goes round in circles");
  }
  if (hub_ && hub_->disk_idle()) {
    if (time_.now() >= disk_stalls_until_ && !disk_broken_ && !disk_full_)
      ledger_.disk_has_caught_up();
    ledger_.check_quiet(hub_->network(), hub_->timers());
  }
  const auto outside = time_.next();
  const auto inside = hub_ ? hub_->timers().next() : std::nullopt;
  if (!outside && !inside) return false;
  if (outside && (!inside || *outside <= *inside)) {
    time_.move_to(*outside);
    time_.happen();
  } else {
    time_.move_to(*inside);
    hub_->timers().fire();
  }
  if (hub_ && (crash_due_ || !hub_->disk().powered())) crash();
  return trace_.ok();
}

// The smallest thing that can happen.
void World::step() {
  if (!hub_->run_one()) advance();
}

void World::run_for(Duration time) {
  run_until(time, [] { return false; });
}

bool World::run_until(Duration limit, const std::function<bool()>& done) {
  const SteadyTime end = time_.now() + limit;
  const auto reached = std::make_shared<bool>(false);
  time_.at(end, [reached] { *reached = true; });
  while (!*reached && trace_.ok()) {
    if (done()) break;
    advance();
  }
  return done();
}

// ---- healing ----

// No more misfortunes, and people want everything to run: invariant 12.
void World::heal() {
  trace_.note("from now on all goes well");
  handlers_to_crash_.reset();
  for (const auto& peer : peers_) peer->set_weather(Weather::kFair, 0);
  hub_->disk().keep_power();
  if (disk_broken_) crash();
  if (disk_full_) hub_->disk().set_full(false);
  disk_full_ = false;
  disk_stalls_until_ = {};
  const auto all_answered = [this] {
    return std::ranges::all_of(ledger_.subjects(),
                               [](const auto& item) { return item.second->commands == 0; });
  };
  if (!run_until(kAnswered, all_answered)) trace_.violation("a command is not answered");
  run_for(seconds{3});
  get_everything_going();
  // Who died without a word is noticed only now; somebody may have to help once more.
  run_until(kNoticed + seconds{5}, [this] { return all_connected(); });
  get_everything_going();
  wait_for_recovery();
  wait_for_functions();
  if (trace_.ok()) read_everywhere();
}

// As people would: what rests is started, what waits for a person gets one.
void World::get_everything_going() {
  std::vector<Subject*> there;
  for (auto& [id, subject] : ledger_.subjects()) {
    if (!subject->gone) there.push_back(subject.get());
  }
  for (Subject* subject : there) {
    const auto rest = subject->oracle.longest_rest();
    const auto status = subject->view ? subject->view->status : Status::kIdle;
    if (status == Status::kSuspended) {
      resume(*subject, true);
      // The row that says how long it rests may be one that the disk refused.
    } else if (status == Status::kFailed && subject->behind && !subject->view->next_attempt_at) {
      restart(*subject);
    } else if (status == Status::kFailed && (!rest || (*rest > seconds{60} && !one_in(4)))) {
      restart(*subject);
    } else if (status == Status::kIdle) {
      start(*subject);
    }
  }
  run_for(seconds{1});
}

bool World::all_connected() {
  return std::ranges::all_of(ledger_.subjects(), [](const auto& item) {
    const Subject& subject = *item.second;
    return subject.gone || (subject.view && subject.view->status == Status::kConnected &&
                            subject.peer->serves(subject.id));
  });
}

void World::wait_for_recovery() {
  Duration limit{};
  for (auto& [id, subject] : ledger_.subjects()) {
    if (subject->gone) continue;
    const auto& patience = subject->oracle.patience();
    limit = std::max(
        limit, subject->oracle.longest_rest().value_or(Duration{}) + patience.connect_timeout);
  }
  limit += kNoticed + seconds{10};
  if (run_until(limit, [this] { return all_connected(); })) return;
  for (auto& [id, subject] : ledger_.subjects()) {
    if (subject->gone || !subject->view) continue;
    if (subject->view->status != Status::kConnected)
      trace_.violation("invariant 12: {} is {} {} s after everything was well again", subject->name,
                       connect::to_string(subject->view->status), limit / seconds{1});
  }
}

// A function whose calls timed out while its peer was slow rests, by its own breaker, beyond the
// recovery of its connection; the first call after that closes it.
void World::wait_for_functions() {
  run_until(kFunctionRest, [this] {
    return std::ranges::all_of(ledger_.subjects(), [this](const auto& item) {
      return std::ranges::all_of(hub_->manager().functions(item.first), [](const auto& function) {
        return function.breaker.state == "closed" || function.subscription.empty();
      });
    });
  });
}

// Connected is worth something only if requests are answered and subscriptions deliver.
void World::read_everywhere() {
  const SteadyTime begin = time_.now();
  std::map<std::string, bool> answered;
  for (auto& [id, subject] : ledger_.subjects()) {
    if (subject->gone || subject->read_function.empty()) continue;
    answered[id] = false;
    read(*subject, [this, id = id, &answered](const Result<Batch>& result) {
      answered[id] = result.has_value();
      if (!result)
        trace_.violation("{} is Connected and a read fails: {}", ledger_.find(id)->name,
                         result.error().message);
    });
  }
  run_for(seconds{9});
  for (const auto& [id, done] : answered) {
    if (!done && trace_.ok())
      trace_.violation("{} is Connected and a read is not answered", ledger_.find(id)->name);
  }
  for (auto& [id, subject] : ledger_.subjects()) {
    for (const auto& [function, watched] : subject->functions) {
      const auto view = hub_->manager().function(function);
      const bool delivers = view && view->subscription == "active" && !watched.nowhere;
      if (!trace_.ok() || subject->gone || !delivers) continue;
      if (watched.good_at <= begin)
        trace_.violation("{} is Connected and a subscription is silent", subject->name);
    }
  }
}

}  // namespace tributary::simulation
