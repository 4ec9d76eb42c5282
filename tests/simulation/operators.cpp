// The people: they press every button at any time, and remember what they were told.
#include "tests/simulation/ask.hpp"

namespace tributary::simulation {

namespace {

using connect::Status;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kMostConnections = 9;  // created in one run
constexpr std::size_t kMostSubscriptions = 3;
// A value that is shown as good may be that old: lifecycle, G17, and what the peer and the wire
// took.
constexpr Duration kFresh{seconds{5}};
constexpr Duration kOnTheWay{seconds{4}};
const connect::Actor kAnna{"anna"};

std::int64_t in_ms(Duration duration) {
  return duration / milliseconds{1};
}

}  // namespace

// ---- commands ----

struct World::Command {
  std::string subject;
  std::uint64_t number = 0;
  bool alone = false;
  std::uint64_t asked_to_talk = 0;
  bool was_silent = false;
};

World::Command World::begin(Subject& subject, std::string_view what) {
  trace_.note("{}: people ask for {}", subject.name, what);
  Command command{subject.id, ++subject.last_command, subject.commands == 0, subject.asked_to_talk,
                  subject.silent};
  ++subject.commands;
  subject.intent.reset();
  return command;
}

// `intent` is what the command leads to when it succeeds; empty: it does not change it.
void World::end(const Command& command, const Result<connect::ConnectionView>& result,
                std::string_view intent) {
  Subject* subject = ledger_.find(command.subject);
  if (!subject) return;
  --subject->commands;
  trace_.note("{}: answered {}", subject->name,
              result ? connect::to_string(result->state.status) : result.error().code);
  const bool undisturbed = command.alone && command.number == subject->last_command;
  const bool untold = command.asked_to_talk == subject->asked_to_talk;
  if (result && undisturbed && !intent.empty()) subject->intent = intent;
  if (!result && undisturbed && command.was_silent && untold) subject->silent = true;
  const bool rests = intent == "stopped" || intent == "suspended";
  if (result && rests && untold) subject->silent = true;
  if (result && undisturbed && intent == "suspended" && result->state.status != Status::kSuspended)
    trace_.violation("{}: suspend succeeded and left it {}", subject->name,
                     connect::to_string(result->state.status));
}

void World::start(Subject& subject) {
  ledger_.asks_to_talk(subject);
  Command command = begin(subject, "start");
  command.asked_to_talk = subject.asked_to_talk;
  ask([id = subject.id](Manager& manager) { return manager.start(id, kAnna); },
      [this, command](Result<connect::ConnectionView> result) { end(command, result, "running"); });
}

void World::stop(Subject& subject) {
  const Command command = begin(subject, "stop");
  ask([id = subject.id](Manager& manager) { return manager.stop(id, kAnna); },
      [this, command](Result<connect::ConnectionView> result) {
        // Stopping what is suspended changes nothing.
        const bool suspended = result && result->state.status == Status::kSuspended;
        end(command, result, suspended ? "suspended" : "stopped");
      });
}

void World::restart(Subject& subject) {
  ledger_.asks_to_talk(subject);
  subject.oracle.blur();
  Command command = begin(subject, "restart");
  command.asked_to_talk = subject.asked_to_talk;
  ask([id = subject.id](Manager& manager) { return manager.restart(id, kAnna); },
      [this, command](Result<connect::ConnectionView> result) {
        if (Subject* subject = ledger_.find(command.subject)) subject->oracle.blur();
        end(command, result, "running");
      });
}

void World::suspend(Subject& subject) {
  const Command command = begin(subject, "suspend");
  const bool fair = subject.view && subject.view->status == Status::kConnected &&
                    subject.peer->fair_since() < subject.logged_in_at;
  const int goodbyes = subject.goodbyes;
  const std::int64_t session = subject.session;
  ask(
      [id = subject.id](Manager& manager) {
        return manager.suspend(id, "valve replacement", std::nullopt, kAnna);
      },
      [this, command, fair, goodbyes, session](connect::Outcome<connect::ConnectionView> outcome) {
        Result<connect::ConnectionView> result =
            outcome ? Result<connect::ConnectionView>(*std::move(outcome))
                    : fail(ErrorClass::kFunction, "refused", "It was refused.");
        end(command, result, "suspended");
        Subject* subject = ledger_.find(command.subject);
        const bool direct = subject && !subject->rows.empty() && result &&
                            subject->rows.back().from == "Connected" &&
                            subject->rows.back().to == "Suspended" && subject->session == session;
        if (!direct || !fair || subject->behind) return;
        // What was said is heard a moment later.
        time_.after(seconds{2}, [this, id = subject->id, goodbyes, session] {
          Subject* silent = ledger_.find(id);
          const bool comparable = silent && silent->session == session &&
                                  silent->peer->fair_since() < silent->logged_in_at;
          if (comparable && silent->goodbyes == goodbyes)
            trace_.violation("{} was suspended without a polite goodbye", silent->name);
        });
      });
}

void World::resume(Subject& subject, bool and_start) {
  if (and_start) ledger_.asks_to_talk(subject);
  Command command = begin(subject, and_start ? "resume and start" : "resume");
  command.asked_to_talk = subject.asked_to_talk;
  ask([id = subject.id,
       and_start](Manager& manager) { return manager.resume(id, and_start, kAnna); },
      [this, command, and_start](Result<connect::ConnectionView> result) {
        Subject* subject = ledger_.find(command.subject);
        const bool resumed = subject && result && !subject->rows.empty() &&
                             subject->rows.back().note == "resume" && command.alone &&
                             command.number == subject->last_command;
        const bool rests = result && result->state.status == Status::kIdle;
        end(command, result, and_start ? "running" : rests ? "stopped" : "");
        if (!resumed || and_start) return;
        const auto& state = result->state;
        if (state.attempt != 0 || state.breaker.consecutive_failures != 0)
          trace_.violation("T24: {} was resumed with {} attempts and {} failures counted",
                           subject->name, state.attempt, state.breaker.consecutive_failures);
      });
}

// ---- the catalogue ----

Json World::reconnect_of(const Patience& patience) const {
  Json json = json_object();
  json["initialDelayMs"] = in_ms(patience.initial);
  json["maxDelayMs"] = in_ms(patience.longest);
  json["multiplier"] = patience.multiplier;
  json["failuresToOpen"] = patience.failures_to_open;
  json["cooldownMs"] = in_ms(patience.cooldown);
  json["maxCooldownMs"] = in_ms(patience.longest_cooldown);
  json["automaticReset"] = patience.automatic_reset;
  json["stableMs"] = in_ms(patience.stable);
  return json;
}

void World::create() {
  if (created_ >= kMostConnections) return;
  Patience patience;
  patience.initial = milliseconds{100 + below(1900)};
  patience.longest = patience.initial * static_cast<int>(1 + below(16));
  patience.failures_to_open = 1 + static_cast<int>(below(5));
  patience.cooldown = milliseconds{500 + below(10'000)};
  patience.longest_cooldown = patience.cooldown * static_cast<int>(1 + below(4));
  patience.automatic_reset = below(8) != 0;
  patience.stable = milliseconds{1000 + below(30'000)};
  patience.connect_timeout = milliseconds{1000 + below(4000)};
  patience.request_timeout = milliseconds{500 + below(2000)};
  const int number = ++created_;
  const std::string name = fmt::format("c{}", number);
  planned_.insert_or_assign(name, patience);
  Json body = json_object();
  body["name"] = name;
  body["type"] = "simulated";
  body["autostart"] = below(3) == 0;
  body["reconnect"] = reconnect_of(patience);
  Json settings = json_object();
  settings["host"] = peers_[static_cast<std::size_t>(number) % peers_.size()]->host();
  settings["connectTimeoutMs"] = in_ms(patience.connect_timeout);
  settings["requestTimeoutMs"] = in_ms(patience.request_timeout);
  body["settings"] = std::move(settings);
  Json secrets = json_object();
  secrets["password"] = "first";
  body["secrets"] = std::move(secrets);
  trace_.note("people ask for {}", name);
  ask([body](Manager& manager) { return manager.create(body, kAnna, false); },
      [this, name](connect::Outcome<connect::ConnectionView> outcome) {
        trace_.note("{} {}", name, outcome ? "was created" : "could not be created");
        Subject* subject = outcome ? look_for(outcome->row.id) : nullptr;
        if (!subject) return;
        if (below(4) != 0) add_function(*subject);
        if (below(3) != 0) add_function(*subject);
      });
}

// What runs is restarted with the new settings; what rests stays at rest.
void World::begin_edit(Subject& subject) {
  const bool was_silent = subject.silent;
  ledger_.asks_to_talk(subject);
  subject.silent = was_silent;
  subject.oracle.blur();
  ++subject.commands;
  ++subject.last_command;
}

void World::edit(Subject& subject) {
  begin_edit(subject);
  const bool settings = below(2) == 0;
  Json patch = json_object();
  if (settings) {
    patch["settings"] = json_object();
    patch["settings"]["note"] = fmt::format("edit {}", below(1000));
  } else {
    patch["description"] = fmt::format("edit {}", below(1000));
  }
  trace_.note("{}: people edit {}", subject.name, settings ? "a setting" : "the description");
  ask([id = subject.id,
       patch](Manager& manager) { return manager.update(id, patch, 0, kAnna, false); },
      [this, id = subject.id](connect::Outcome<connect::ConnectionView> outcome) {
        Subject* edited = ledger_.find(id);
        if (!edited) return;
        --edited->commands;
        edited->oracle.blur();
        trace_.note("{}: edit {}", edited->name, outcome ? "stored" : "refused");
        if (outcome) edited->version = std::max(edited->version, outcome->row.version);
      });
}

void World::change_secret(Subject& subject) {
  begin_edit(subject);
  const std::string password = fmt::format("secret{}", below(1'000'000));
  Json patch = json_object();
  patch["secrets"] = json_object();
  patch["secrets"]["password"] = password;
  trace_.note("{}: people change the secret", subject.name);
  ask([id = subject.id,
       patch](Manager& manager) { return manager.update(id, patch, 0, kAnna, false); },
      [this, id = subject.id, password](connect::Outcome<connect::ConnectionView> outcome) {
        Subject* edited = ledger_.find(id);
        if (!edited) return;
        --edited->commands;
        edited->oracle.blur();
        if (!outcome) return;
        edited->password = password;
        edited->version = std::max(edited->version, outcome->row.version);
      });
}

void World::remove(Subject& subject) {
  const bool force = below(2) == 0;
  subject.deleting = true;
  const Command command = begin(subject, force ? "forced deletion" : "deletion");
  ask([id = subject.id, force](Manager& manager) { return manager.remove(id, force, kAnna); },
      [this, command](Result<void> result) {
        Subject* removed = ledger_.find(command.subject);
        if (!removed) return;
        --removed->commands;
        trace_.note("{}: {}", removed->name, result ? "deleted" : result.error().code);
        if (result) {
          removed->gone = true;
          removed->functions.clear();
        } else if (result.error().error_class == ErrorClass::kFunction) {
          removed->deleting = false;
        } else {
          // Its actor is done for, its row is still there: it runs again after a start of the hub.
          crash_due_ = true;
        }
      });
}

// ---- functions ----

void World::add_function(Subject& subject) {
  const bool subscription = subject.functions.size() < kMostSubscriptions && below(2) == 0;
  const bool polled = below(3) != 0;
  const Duration interval = seconds{1 + below(5)};
  Json body = json_object();
  body["name"] = fmt::format("f{}", below(1'000'000));
  Json settings = json_object();
  if (subscription && polled) {
    body["type"] = "simulated.poll";
    settings["intervalMs"] = in_ms(interval);
    if (below(2) == 0) settings["reportOn"] = "always";
    if (below(6) == 0) settings["address"] = "nowhere";
  } else if (subscription) {
    body["type"] = "simulated.listen";
    settings["topic"] = below(6) == 0 ? std::string("nowhere") : fmt::format("t{}", below(1000));
  } else if (subject.read_function.empty()) {
    body["type"] = "simulated.read";
  } else {
    body["type"] = "simulated.write";
    settings["token"] = "((token))";
  }
  body["settings"] = settings;
  ask([id = subject.id,
       body](Manager& manager) { return manager.create_function(id, body, kAnna, false); },
      [this, id = subject.id](connect::Outcome<connect::FunctionView> made) {
        Subject* owner = ledger_.find(id);
        if (!owner || !made) return;
        trace_.note("{}: has {}", owner->name, made->row.type);
        if (made->row.type == "simulated.read") owner->read_function = made->row.id;
        if (made->row.type == "simulated.write") owner->write_function = made->row.id;
        watch(*owner, made->row);
      });
}

// Does nothing for what is not a subscription.
void World::watch(Subject& subject, const store::FunctionRow& row) {
  const bool polled = row.type == "simulated.poll";
  if (!polled && row.type != "simulated.listen") return;
  Watched& watched = subject.functions[row.id];
  watched.polled = polled;
  watched.nowhere = get_string(row.settings, "address") == "nowhere" ||
                    get_string(row.settings, "topic") == "nowhere";
  watched.interval = milliseconds{get_int(row.settings, "intervalMs", 1000)};
  auto registered = hub_->manager().watch_values(
      row.id, [this, id = subject.id, function = row.id, life = life_](const auto& batch) {
        Subject* owner = life == life_ ? ledger_.find(id) : nullptr;
        if (!owner) return;
        const auto found = owner->functions.find(function);
        if (found != owner->functions.end()) ledger_.shown(*owner, found->second, *batch);
      });
  if (registered) watched.registration = *std::move(registered);
}

void World::remove_function(Subject& subject) {
  if (subject.functions.empty()) return;
  const std::string function = subject.functions.begin()->first;
  subject.functions.erase(function);
  ask([function](Manager& manager) { return manager.remove_function(function, kAnna); },
      [](const Result<void>&) {});
}

void World::edit_function(Subject& subject) {
  if (subject.functions.empty()) return;
  auto& [function, watched] = *subject.functions.begin();
  Json patch = json_object();
  if (watched.polled) {
    watched.interval = seconds{1 + below(5)};
    patch["settings"] = json_object();
    patch["settings"]["intervalMs"] = in_ms(watched.interval);
  } else {
    patch["enabled"] = below(2) == 0;
  }
  ask([function = function, patch](
          Manager& manager) { return manager.update_function(function, patch, 0, kAnna, false); },
      [](const connect::Outcome<connect::FunctionView>&) {});
}

// ---- calls ----

void World::read(Subject& subject, std::function<void(const Result<Batch>&)> then) {
  if (subject.read_function.empty()) return;
  ++subject.calls;
  ask([id = subject.read_function](
          Manager& manager) { return manager.execute(id, json_object(), {}); },
      [this, id = subject.id, then = std::move(then)](const connect::ExecuteResult& answer) {
        if (Subject* owner = ledger_.find(id)) --owner->calls;
        if (then) then(answer.result);
      });
}

void World::write(Subject& subject) {
  if (subject.write_function.empty()) return;
  const std::int64_t token = ledger_.new_write();
  Json parameters = json_object();
  parameters["token"] = fmt::format("{}", token);
  ++subject.calls;
  trace_.note("{}: people write {}", subject.name, token);
  ask([id = subject.write_function,
       parameters](Manager& manager) { return manager.execute(id, parameters, {}); },
      [this, id = subject.id, token](const connect::ExecuteResult& answer) {
        if (Subject* owner = ledger_.find(id)) --owner->calls;
        trace_.note("write {}: {}", token, answer.result ? "done" : answer.result.error().code);
        ledger_.write_ended(token, answer.result);
      });
}

// Somebody asks for the last values: G17.
void World::look(Subject& subject) {
  if (subject.functions.empty()) return;
  const auto& [function, watched] = *subject.functions.begin();
  const Duration oldest = std::max(2 * watched.interval, kFresh) + kOnTheWay;
  ask([function = function](Manager& manager) { return manager.last_values(function); },
      [this, id = subject.id, polled = watched.polled, oldest,
       rows = subject.rows.size()](const Result<Batch>& batch) {
        Subject* owner = ledger_.find(id);
        if (!owner || !batch || !batch->is_scans() || owner->rows.size() != rows) return;
        for (const auto& scan : batch->scans()) {
          for (const auto& sample : scan.samples) {
            const auto* value = std::get_if<std::int64_t>(&sample.value);
            if (!sample.quality.is_good() || !value || owner->behind) continue;
            if (owner->view && owner->view->status != Status::kConnected &&
                owner->rows.size() == rows &&
                owner->rows.back().to == connect::to_string(owner->view->status))
              trace_.violation("G17: {} is {} and a value is said to be good", owner->name,
                               connect::to_string(owner->view->status));
            const bool is_clock = sample.point == 0;
            if (is_clock && polled && stamp(time_.now() - oldest) > *value)
              trace_.violation("G17: {} says a value of {} ms ago is good", owner->name,
                               stamp(time_.now()) - *value);
          }
        }
      });
}

// ---- what they do next ----

void World::operate() {
  std::vector<Subject*> there;
  for (auto& [id, subject] : ledger_.subjects()) {
    if (!subject->gone) there.push_back(subject.get());
  }
  if (there.empty()) return create();
  Subject& subject = *there[below(there.size())];
  if (options_.calls && one_in(2)) {
    if (one_in(3)) return look(subject);
    return one_in(2) ? read(subject) : write(subject);
  }
  if (options_.edits && one_in(3)) {
    switch (below(8)) {
      case 0:
        return create();
      case 1:
        return one_in(2) ? remove(subject) : create();
      case 2:
        return add_function(subject);
      case 3:
        return remove_function(subject);
      case 4:
        return edit_function(subject);
      case 5:
        return change_secret(subject);
      default:
        return edit(subject);
    }
  }
  switch (below(12)) {
    case 0:
    case 1:
      return stop(subject);
    case 2:
      return restart(subject);
    case 3:
    case 4:
      return suspend(subject);
    case 5:
    case 6:
      return resume(subject, false);
    case 7:
      return resume(subject, true);
    default:
      return start(subject);
  }
}

}  // namespace tributary::simulation
