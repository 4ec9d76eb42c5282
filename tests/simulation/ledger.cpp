#include "tests/simulation/ledger.hpp"

namespace tributary::simulation {

namespace {

using connect::Status;
using std::chrono::milliseconds;
using std::chrono::seconds;

// More tries with a refused credential than this lock accounts (invariant 10).
constexpr int kTries = 2;
// What the probe may take beyond its connect timeout.
constexpr Duration kProbeSlack{seconds{3}};

bool may_dial(const std::string& status) {
  return status == "Connecting" || status == "Reconnecting";
}

}  // namespace

Subject& Ledger::add(std::string id, std::string name, Patience patience) {
  auto subject = std::make_unique<Subject>(id, std::move(name), patience);
  subject->behind = disk_behind_;
  return *subjects_.emplace(std::move(id), std::move(subject)).first->second;
}

Subject* Ledger::find(const std::string& id) {
  const auto found = subjects_.find(id);
  if (found != subjects_.end()) return found->second.get();
  return look_ ? look_(id) : nullptr;
}

// ---- the disk ----

void Ledger::stored(const Row& row) {
  Subject* subject = find(row.connection);
  if (!subject) return;
  trace_.note("{} stored {}", subject->name, describe(row));
  if (disk_behind_ || subject->behind) subject->oracle.forgive_times();
  const std::string wrong = subject->oracle.take(row);
  if (!wrong.empty()) trace_.violation("{}: {}: {}", subject->name, wrong, describe(row));
  subject->rows.push_back(row);
}

void Ledger::disk_is_behind() {
  disk_behind_ = true;
  for (auto& [id, subject] : subjects_) {
    subject->behind = true;
    subject->oracle.forgive_times();
  }
}

// ---- news ----

void Ledger::news(const connect::StateChange& change) {
  Subject* subject = find(change.connection_id);
  if (!subject || change.removed) return;
  const std::string status(connect::to_string(change.state.status));
  trace_.note("{} is {} epoch {}", subject->name, status, change.state.epoch);
  const bool changed = !subject->view || subject->view->status != change.state.status;
  subject->view = change.state;
  // Decide, append to history, then act: no news before its row is on the disk.
  if (changed && !subject->behind) {
    std::size_t row = subject->shown_rows;
    while (row < subject->rows.size() && subject->rows[row].to != status) ++row;
    if (row == subject->rows.size()) {
      trace_.violation("invariant 5: {} was shown {} before history had it", subject->name, status);
    } else {
      subject->shown_rows = row + 1;
    }
  }
  const bool half_open = change.state.breaker.state == "half-open";
  if (!half_open) subject->half_open_since.reset();
  if (half_open && !subject->half_open_since) subject->half_open_since = time_.now();
  if (half_open && change.state.status != Status::kReconnecting)
    trace_.violation("invariant 6: {} is half-open and {}", subject->name, status);
}

void Ledger::shown(Subject& subject, Watched& watched, const Batch& batch) {
  for (const auto& scan : batch.scans()) {
    for (const auto& sample : scan.samples) {
      watched.shown[sample.point] = sample.quality;
      if (!sample.quality.is_good()) continue;
      watched.good_at = time_.now();
      if (sample.point != 1) continue;
      const auto* session = std::get_if<std::int64_t>(&sample.value);
      watched.session = session ? *session : 0;
      if (watched.session != subject.session)
        trace_.violation("invariant 4: {} shows a good value of session {}, the present one is {}",
                         subject.name, watched.session, subject.session);
    }
  }
}

// ---- what people asked for ----

void Ledger::asks_to_talk(Subject& subject) {
  ++subject.asked_to_talk;
  subject.silent = false;
  ++subject.pardons[subject.password];
}

std::int64_t Ledger::new_write() {
  writes_[++last_token_];
  return last_token_;
}

void Ledger::write_ended(std::int64_t token, const Result<Batch>& result) {
  Write& write = writes_[token];
  if (result) {
    write.end = Write::End::kDone;
    if (write.executed != 1) trace_.violation("write {} is said to be done and is not", token);
    return;
  }
  write.end = result.error().outcome_unknown ? Write::End::kUnknown : Write::End::kNotDone;
  if (write.end == Write::End::kNotDone && write.executed > 0)
    trace_.violation("write {} was done and is said not to be: {}", token, result.error().code);
}

void Ledger::hub_died() {
  for (auto& [id, subject] : subjects_) {
    subject->sockets = subject->dials = 0;
    subject->commands = subject->calls = 0;
    subject->denials.clear();
    subject->pardons.clear();
    subject->last_denial.clear();
    subject->view.reset();
    subject->half_open_since.reset();
    subject->functions.clear();
    subject->behind = false;
    subject->oracle.blur();
  }
  for (auto& [token, write] : writes_) {
    if (write.end == Write::End::kOpen) write.end = Write::End::kUnknown;
  }
  disk_behind_ = false;
}

// ---- between two events ----

void Ledger::check_quiet(const Network& network, const HubTimers& timers) {
  auto timers_of = timers.armed();
  for (auto& [id, subject] : subjects_) {
    if (!subject->view || subject->commands > 0 || subject->calls > 0 || subject->gone) continue;
    check_half_open(*subject);
    check_values(*subject);
    const auto* context = network.executor_of(id);
    // Who never opened anything in this life is not known by its executor yet.
    const auto armed = context ? std::optional(timers_of[context]) : std::optional<std::size_t>();
    const auto status = subject->view->status;
    const bool settled = !subject->rows.empty() &&
                         subject->rows.back().to == connect::to_string(status) &&
                         (!subject->behind || subject->rows.back().epoch == subject->view->epoch);
    if (settled && !disk_behind_) subject->behind = false;
    if (!settled && !subject->behind) {
      trace_.violation("{} is shown {}, history ends with {}", subject->name,
                       connect::to_string(status),
                       subject->rows.empty() ? "nothing" : subject->rows.back().to);
    }
    if (subject->behind) continue;
    if (status == Status::kIdle || status == Status::kSuspended) {
      check_rest(*subject, armed);
    } else {
      check_active(*subject, armed);
    }
  }
}

// Invariant 2, first half.
void Ledger::check_rest(Subject& subject, std::optional<std::size_t> timers) {
  if (subject.sockets + subject.dials > 0)
    trace_.violation("invariant 2: {} rests with a socket", subject.name);
  if (timers.value_or(0) > 0)
    trace_.violation("invariant 2: {} rests with {} timers armed", subject.name, *timers);
  const bool suspended = subject.view->status == Status::kSuspended;
  if (subject.intent && (*subject.intent == "suspended") != suspended)
    trace_.violation("{} is {} although people want it {}", subject.name,
                     connect::to_string(subject.view->status), *subject.intent);
}

void Ledger::check_active(Subject& subject, std::optional<std::size_t> timers) {
  const auto status = subject.view->status;
  const std::string name(connect::to_string(status));
  if (subject.intent && *subject.intent != "running")
    trace_.violation("{} is {} although people want it {}", subject.name, name, *subject.intent);
  if (subject.oracle.should_be_failed() && status == Status::kDisconnected)
    trace_.violation("breaker: {} is Disconnected after too many failures", subject.name);
  const bool connected = status == Status::kConnected;
  const bool attempting = status == Status::kConnecting || status == Status::kReconnecting;
  const bool waits = status == Status::kDisconnected || status == Status::kFailed;
  if (connected && subject.sockets != 1)
    trace_.violation("invariant 1: {} is Connected with {} sockets", subject.name, subject.sockets);
  if (connected && subject.dials != 0)
    trace_.violation("invariant 1: {} dials while it is Connected", subject.name);
  if (attempting && timers == 0U)
    trace_.violation("{} is {} without a deadline", subject.name, name);
  if (!waits) return;
  if (subject.sockets + subject.dials > 0)
    trace_.violation("invariant 1: {} is {} with a socket", subject.name, name);
  const bool by_itself = status == Status::kDisconnected || subject.oracle.longest_rest();
  const std::size_t most = by_itself ? 1 : 0;
  // Elapsed, it may wait for its turn at the target, without a timer.
  const std::size_t least = subject.shares_target ? 0 : most;
  if (timers && (*timers < least || *timers > most))
    trace_.violation("invariant 2: {} is {} with {} timers armed", subject.name, name, *timers);
}

// Invariant 6 and G18.
void Ledger::check_half_open(Subject& subject) {
  if (!subject.half_open_since || subject.behind) return;
  const Duration limit = subject.oracle.patience().connect_timeout + kProbeSlack;
  if (time_.now() - *subject.half_open_since > limit)
    trace_.violation("invariant 6: {} has been half-open for {} ms", subject.name,
                     (time_.now() - *subject.half_open_since) / milliseconds{1});
}

// Invariant 4: who looked at the values last must not believe in them.
void Ledger::check_values(Subject& subject) {
  // A peer that pushes sends its first values while the session is being completed.
  const auto status = subject.view->status;
  if (status == Status::kConnected || status == Status::kConnecting ||
      status == Status::kReconnecting)
    return;
  for (const auto& [id, watched] : subject.functions) {
    for (const auto& [point, quality] : watched.shown) {
      if (quality.is_good())
        trace_.violation("invariant 4: {} is {} and its values are shown as good", subject.name,
                         connect::to_string(subject.view->status));
    }
  }
}

void Ledger::check_at_the_end() {
  for (const auto& [token, write] : writes_) {
    if (write.executed > 1) trace_.violation("write {} was done {} times", token, write.executed);
    if (write.end == Write::End::kNotDone && write.executed > 0)
      trace_.violation("write {} was done and is said not to be", token);
  }
}

// ---- what reaches the peers ----

void Ledger::logged_in(const std::string& owner, std::int64_t session) {
  Subject* subject = find(owner);
  if (!subject) return;
  subject->session = session;
  subject->logged_in_at = time_.now();
  subject->denials.clear();
}

void Ledger::denied(const std::string& owner, const std::string& password) {
  Subject* subject = find(owner);
  if (!subject) return;
  const int tries = ++subject->denials[password];
  trace_.note("{} was denied, {} times so far", subject->name, tries);
  if (tries > kTries + subject->pardons[password])
    trace_.violation("invariant 10: {} tried a refused password {} times, people asked for {}",
                     subject->name, tries, subject->pardons[password]);
}

void Ledger::written(std::int64_t token) {
  Write& write = writes_[token];
  trace_.note("write {} reached the peer", token);
  if (++write.executed > 1) trace_.violation("write {} was done twice", token);
  if (write.end == Write::End::kNotDone)
    trace_.violation("write {} was done after it was said not to be", token);
}

void Ledger::read(const std::string& owner) {
  if (Subject* subject = find(owner)) ++subject->reads;
}

void Ledger::goodbye(const std::string& owner) {
  if (Subject* subject = find(owner)) ++subject->goodbyes;
}

void Ledger::packet(const std::string& owner, std::string_view what) {
  Subject* subject = find(owner);
  if (!subject) return;
  ++subject->packets;
  trace_.note("{} sends {}", subject->name, what);
  if (subject->silent)
    trace_.violation("invariant 3: {} sends {} after it was stopped", subject->name, what);
  if (subject->gone) trace_.violation("{} sends {} after it was deleted", subject->name, what);
  if (what != "dial" || subject->behind) return;
  if (subject->rows.empty() || !may_dial(subject->rows.back().to))
    trace_.violation("{} dials before history says so", subject->name);
}

void Ledger::dialling(const std::string& owner, int change) {
  Subject* subject = find(owner);
  if (!subject) return;
  subject->dials += change;
  check_one_at_a_time(*subject);
}

void Ledger::sockets(const std::string& owner, int change) {
  Subject* subject = find(owner);
  if (!subject) return;
  subject->sockets += change;
  check_one_at_a_time(*subject);
}

// Invariant 1.
void Ledger::check_one_at_a_time(const Subject& subject) {
  if (subject.sockets + subject.dials > 1)
    trace_.violation("invariant 1: {} has {} sockets and {} attempts", subject.name,
                     subject.sockets, subject.dials);
}

}  // namespace tributary::simulation
