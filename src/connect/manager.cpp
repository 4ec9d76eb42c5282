// Start, stop, heartbeat and news. The other members: manager_connections.cpp,
// manager_commands.cpp, manager_suspensions.cpp, manager_functions.cpp, manager_values.cpp.
#include "connect/manager.hpp"

#include "connect/manager_impl.hpp"
#include "connect/start_spread.hpp"
#include "connect/suspension.hpp"
#include "runtime/log.hpp"
#include "store/node_identity.hpp"

namespace tributary::connect {

namespace {

// The devices see the starts spread over at least the promised time, though the first may reach
// them late.
constexpr int kSpreadReserve = 20;
constexpr Duration kHeartbeat{std::chrono::seconds{5}};
// Longer than it takes to store a suspension.
constexpr Duration kHeldBack{std::chrono::seconds{30}};

// The last thing that happened was a refusal, and nobody has edited anything since.
bool were_credentials_refused(const store::HistoryRow& last, const ConnectionEntry& entry) {
  const bool had_failed = parse_status(last.to) == Status::kFailed || last.note == "shutdown";
  if (!had_failed || last.cause_class != to_string(ErrorClass::kIdentity)) return false;
  const auto edited_since = [&](UtcTime at) { return at > last.at; };
  return !edited_since(entry.row.updated_at) &&
         std::ranges::none_of(entry.secrets, edited_since, &store::SecretRow::changed_at);
}

// Everything that load() needs, read in one transaction.
struct Snapshot {
  std::vector<store::ConnectionRow> connections;
  std::vector<store::SecretRow> secrets;
  std::vector<store::FunctionRow> functions;
  std::vector<store::HistoryRow> last_rows;
  std::vector<store::BootRow> boots;  // in the order they came, this one not yet
};

template <typename T>
Result<void> take(Result<T> from, T& into) {
  if (!from) return fail(std::move(from.error()));
  into = *std::move(from);
  return {};
}

Result<Snapshot> read_snapshot(store::Store& store) {
  Snapshot snapshot;
  auto read = store.read_now([&](soci::session& sql) -> Result<void> {
    TRIBUTARY_TRY(take(store::Connections::all(sql), snapshot.connections));
    TRIBUTARY_TRY(take(store::Secrets::all(sql), snapshot.secrets));
    TRIBUTARY_TRY(take(store::Functions::all(sql), snapshot.functions));
    TRIBUTARY_TRY(take(store::History::last_rows(sql), snapshot.last_rows));
    return take(store::Boots::all(sql), snapshot.boots);
  });
  if (!read) return fail(std::move(read.error()));
  return snapshot;
}

// How the run that wrote `last` ended: at its last heartbeat, or with the row itself. When that
// run's heartbeat is not kept any more, the row is the last that is known.
lifecycle::LastRun last_run(const store::HistoryRow& last,
                            const std::vector<store::BootRow>& boots) {
  lifecycle::LastRun run;
  run.status = parse_status(last.to).value_or(Status::kUnknown);
  run.ended = last.at;
  run.boot_id = last.boot_id;
  run.epoch = static_cast<std::uint64_t>(last.epoch);
  run.monotonic_ns = last.monotonic_ns;
  const auto boot = std::ranges::find(boots, last.boot_id, &store::BootRow::boot_id);
  if (boot == boots.end()) return run;
  run.ended = std::max(boot->at, last.at);
  run.monotonic_ns = std::max(boot->monotonic_ns, last.monotonic_ns);
  return run;
}

std::unique_ptr<HistoryLog> make_log(store::Store& store, std::shared_ptr<health::Rollup> rollup,
                                     const ManagerOptions& options) {
  std::unique_ptr<HistoryLog> log = std::make_unique<StoreHistoryLog>(store, std::move(rollup));
  if (options.seams && options.seams->wrap_log) log = options.seams->wrap_log(std::move(log));
  return log;
}

}  // namespace

Manager::Impl::Shared::Shared(store::Store& store, const ManagerOptions& options)
    : log(make_log(store, rollup, options)),
      limiter(LimiterOptions{options.attempts_per_second, options.attempts_burst,
                             options.attempts_per_target}) {}

Manager::Impl::Impl(Runtime& runtime_, net::Network& network_, store::Store& store_,
                    secrets::Vault& vault_, const sdk::Registry& registry_, ManagerOptions options_)
    : runtime(runtime_),
      network(network_),
      store(store_),
      vault(vault_),
      registry(registry_),
      options(options_),
      shared(std::make_shared<Shared>(store_, options_)),
      random(random_seed()),
      alarms(runtime_, store_),
      certificates(
          runtime_.control(), runtime_.clock(), runtime_.timers(), store_, alarms,
          [this] { return profile_certificates(); },
          [this](const std::string& id) {
            const auto* entry = find(id);
            return entry ? entry->row.name : std::string();
          }),
      maintenance(runtime_.control(), runtime_.clock(), runtime_.timers(), store_, window_host()),
      flaps(alarms),
      mutations(runtime_.control()),
      health_desk(runtime_, store_, shared->rollup, connections),
      keeper(std::make_shared<HistoryKeeper>(runtime_, store_, options_.history_days)),
      alive(std::make_shared<Impl*>(this)) {}

Manager::Impl::~Impl() {
  // Posted news must not find us; actors go on their own executors.
  *alive = nullptr;
  routes.clear();
  for (auto& [id, entry] : connections) {
    if (!entry.actor) continue;
    const Executor executor = entry.actor->executor();
    asio::post(executor, [actor = std::move(entry.actor)] {});
  }
}

std::shared_ptr<ConnectionActor> Manager::Impl::make_actor(const ConnectionEntry& entry,
                                                           std::int64_t last_seq) {
  const Executor control = runtime.control();
  ActorServices services{
      runtime.next_worker(),
      runtime.clock(),
      runtime.timers(),
      network,
      *shared->log,
      shared->limiter,
      vault,
      [control, impl = alive](const StateChange& change) {
        asio::post(control, [impl, change] {
          if (*impl) (*impl)->on_change(change);
        });
      },
      [control, impl = alive](const AlarmKey& key, std::optional<std::string> message) {
        asio::post(control, [impl, key, message = std::move(message)] {
          if (!*impl) return;
          if (message) {
            (*impl)->alarms.raise(key, Severity::kWarning, *message);
          } else {
            (*impl)->alarms.clear(key);
          }
        });
      },
      shared,
      [control, impl = alive, id = entry.row.id](const net::ShownCertificate& shown) {
        asio::post(control, [impl, id, shown] {
          if (*impl) (*impl)->certificates.shown(id, shown);
        });
      },
      [control, impl = alive, id = entry.row.id](const std::string& fingerprint) {
        asio::post(control, [impl, id, fingerprint] {
          if (*impl && (*impl)->find(id)) (*impl)->used_credentials[id] = fingerprint;
        });
      }};
  services.http = options.http;
  if (options.seams) services.reduce = options.seams->reduce;
  auto config = config_of(entry);
  return std::make_shared<ConnectionActor>(std::move(services), std::move(config), last_seq,
                                           random.next());
}

void Manager::Impl::adopt(store::ConnectionRow row, std::vector<store::SecretRow> secrets,
                          const store::HistoryRow* last, const std::vector<store::BootRow>& boots) {
  ConnectionEntry& entry = connections[row.id];
  connection_names[row.name] = row.id;
  entry.row = std::move(row);
  entry.secrets = std::move(secrets);
  entry.type = registry.find(entry.row.type);
  if (!entry.type) {
    log::error("connect",
               "This build has no such connector; the connection is kept but cannot run.",
               {{"connection", entry.row.name}, {"type", entry.row.type}});
    return;
  }
  lifecycle::Booted booted;
  booted.intent = lifecycle::parse_intent(entry.row.intent).value_or(lifecycle::Intent::kStopped);
  if (booted.intent == lifecycle::Intent::kSuspended) booted.suspension = suspension_of(entry.row);
  if (last) {
    booted.last = last_run(*last, boots);
    booted.last->credentials_refused = were_credentials_refused(*last, entry);
  }
  entry.actor = make_actor(entry, last ? last->seq : 0);
  entry.state.status = booted.suspension ? Status::kSuspended : Status::kIdle;
  entry.state.suspension = booted.suspension;
  entry.state.since = runtime.clock().utc_now();
  entry.actor->post(std::move(booted));
}

Result<void> Manager::Impl::load_application() {
  const auto shown = [](const auto& type) { return shows_application(type->connection); };
  if (std::ranges::none_of(registry.entries(), shown)) return {};
  auto own = own_application(store.data_dir(), node_id, runtime.clock().utc_now());
  TRIBUTARY_TRY(own);
  application = *std::move(own);
  return {};
}

Result<void> Manager::Impl::load() {
  TRIBUTARY_TRY(alarms.load());
  TRIBUTARY_TRY(certificates.load());
  // A simulation's store has no folder, and its hub needs no name among others.
  if (!store.data_dir().empty()) {
    auto node = store::node_id(store.data_dir(), runtime.clock().utc_now());
    TRIBUTARY_TRY(node);
    node_id = *std::move(node);
    TRIBUTARY_TRY(load_application());
  }
  TRIBUTARY_TRY(maintenance.load());
  auto snapshot = read_snapshot(store);
  if (!snapshot) return fail(std::move(snapshot.error()));
  const UtcTime now = runtime.clock().utc_now();
  const SteadyTime steady = runtime.clock().steady_now();
  TRIBUTARY_TRY(store.write_now([&](soci::session& sql) {
    return store::History::heartbeat(sql, store.boot_id(), now, steady.time_since_epoch().count());
  }));
  watch_clock(now, steady);
  if (!snapshot->boots.empty() && snapshot->boots.back().at - now > health::kClockStep) {
    store_clock_step(snapshot->boots.back().at, now - snapshot->boots.back().at);
  }
  // Both are in order of connection.
  for (auto& row : snapshot->connections) {
    const auto secrets =
        std::ranges::equal_range(snapshot->secrets, row.id, {}, &store::SecretRow::connection_id);
    const auto last = std::ranges::equal_range(snapshot->last_rows, row.id, {},
                                               &store::HistoryRow::connection_id);
    adopt(std::move(row), {secrets.begin(), secrets.end()}, last.empty() ? nullptr : &last.front(),
          snapshot->boots);
  }
  for (auto& row : snapshot->functions) {
    auto* connection = find(row.connection_id);
    if (!connection) continue;
    FunctionEntry entry;
    entry.row = std::move(row);
    install(keep_function(std::move(entry)), *connection);
  }
  start_at_boot();
  asio::post(runtime.control(), [impl = alive] {
    // The hub may go down before it was quite up.
    if (!*impl || (*impl)->closing) return;
    (*impl)->arm_heartbeat();
    (*impl)->arm_credential_watch();
    (*impl)->certificates.start();
    for (const auto& [id, entry] : (*impl)->connections) (*impl)->check_unique_settings(id);
    (*impl)->end_what_is_due();
    (*impl)->maintenance.check();
    (*impl)->keeper->start();
  });
  return {};
}

void Manager::Impl::start_at_boot() {
  std::vector<const ConnectionEntry*> starting;
  for (const auto& [id, entry] : connections) {
    if (entry.actor && entry.row.intent == "running") starting.push_back(&entry);
  }
  const auto delays = spread_starts(
      starting.size(), options.start_spread + options.start_spread / kSpreadReserve, random);
  for (std::size_t i = 0; i < starting.size(); ++i) {
    // Not a byte before the maintenance window that began while the hub was down.
    const Duration delay = maintenance.about_to_hold(starting[i]->row) ? kHeldBack : delays[i];
    starting[i]->actor->post(lifecycle::Start{{}, delay, true});
  }
}

void Manager::Impl::arm_heartbeat() {
  if (closing) return;
  heartbeat =
      runtime.timers().at(runtime.control(), runtime.clock().steady_now() + kHeartbeat, [this] {
        beat();
        flaps.tick(runtime.clock().steady_now());
        // The wall clock may have been set meanwhile.
        end_what_is_due();
        maintenance.check();
        arm_heartbeat();
      });
}

void Manager::Impl::beat() {
  const UtcTime at = runtime.clock().utc_now();
  const SteadyTime steady = runtime.clock().steady_now();
  watch_clock(at, steady);
  const std::int64_t monotonic = steady.time_since_epoch().count();
  store.post_write(
      [boot = store.boot_id(), at, monotonic](soci::session& sql) {
        return store::History::heartbeat(sql, boot, at, monotonic);
      },
      [](Result<void> written) {
        if (!written)
          log::warning("connect", "The heartbeat could not be stored.",
                       {{"error", written.error().message}});
      });
}

void Manager::Impl::watch_clock(UtcTime utc, SteadyTime steady) {
  if (const auto step = clock_watch.beat(utc, steady)) store_clock_step(step->at, step->by);
}

void Manager::Impl::store_clock_step(UtcTime at, std::chrono::microseconds by) {
  log::warning("connect", "The wall clock was set: times around it are uncertain.",
               {{"seconds", fmt::format("{:.3f}", static_cast<double>(by.count()) / 1e6)}});
  store.post_write([row = store::ClockStepRow{at, by.count(), store.boot_id()}](
                       soci::session& sql) { return store::ClockSteps::append(sql, row); },
                   [](Result<void> written) {
                     if (!written)
                       log::warning("connect", "A step of the clock could not be noted.",
                                    {{"error", written.error().message}});
                   });
}

// What is being stored is known to those who are told to stop; what still waits for its turn is
// refused.
Task<void> Manager::Impl::edits_ended(SteadyTime deadline) {
  auto ended = std::make_shared<Event>(runtime.control());
  spawn(runtime.control(), [](AsyncMutex& edits, std::shared_ptr<Event> done) -> Task<void> {
    const auto lock = co_await edits.lock();
    done->set();
  }(mutations, ended));
  co_await ended->wait_until(runtime.timers(), deadline);
}

Task<void> Manager::Impl::shutdown(Duration limit) {
  closing = true;
  heartbeat.reset();
  credential_watch.reset();
  next_end.reset();
  maintenance.close();
  certificates.close();
  keeper.reset();
  const SteadyTime deadline = runtime.clock().steady_now() + limit;
  co_await edits_ended(deadline);
  struct Rest {
    explicit Rest(Executor executor) : done(executor) {}
    std::size_t left = 0;
    Event done;
  };
  auto rest = std::make_shared<Rest>(runtime.control());
  for (auto& [id, entry] : connections) {
    if (!entry.actor) continue;
    ++rest->left;
    spawn(runtime.control(),
          [](std::shared_ptr<ConnectionActor> actor, std::shared_ptr<Rest> counter) -> Task<void> {
            auto stop = [actor] { return actor->command(lifecycle::Shutdown{}); };
            co_await run_on(actor->executor(), std::move(stop));
            if (--counter->left == 0) counter->done.set();
          }(entry.actor, rest));
  }
  if (rest->left > 0) {
    const bool all = co_await rest->done.wait_until(runtime.timers(), deadline);
    if (!all)
      log::warning("connect", "Not every connection ended in time.",
                   {{"left", std::to_string(rest->left)}});
  }
  beat();
}

void Manager::Impl::on_change(const StateChange& change) {
  auto* entry = find(change.connection_id);
  if (entry && !change.removed) {
    entry->state = change.state;
    if (change.state.suspension) look_for_ends();
  }
  flaps.on_change(change, runtime.clock().steady_now());
  std::erase_if(state_listeners, [](const auto& listener) { return listener.expired(); });
  // A listener may register or drop others.
  const auto listeners = state_listeners;
  for (const auto& weak : listeners) {
    if (const auto listener = weak.lock()) (*listener)(change);
  }
}

void Manager::Impl::catalogue_changed() {
  certificates.changed();
  std::erase_if(catalogue_listeners, [](const auto& listener) { return listener.expired(); });
  const auto listeners = catalogue_listeners;
  for (const auto& weak : listeners) {
    if (const auto listener = weak.lock()) (*listener)();
  }
}

ConnectionEntry* Manager::Impl::find(const std::string& id) {
  const auto found = connections.find(id);
  return found == connections.end() ? nullptr : &found->second;
}

Result<ConnectionEntry*> Manager::Impl::find_usable(const std::string& id) {
  auto* entry = find(id);
  if (!entry) return fail(ErrorClass::kFunction, "not_found", "There is no such connection.");
  if (!entry->actor) {
    return fail(ErrorClass::kConfiguration, "unknown_type",
                fmt::format("This build has no connector \"{}\".", entry->row.type));
  }
  return entry;
}

Manager::Manager(Runtime& runtime, net::Network& network, store::Store& store,
                 secrets::Vault& vault, const sdk::Registry& registry, ManagerOptions options)
    : impl_(std::make_unique<Impl>(runtime, network, store, vault, registry, options)) {}

Manager::~Manager() = default;

Result<void> Manager::load() {
  return impl_->load();
}
Task<void> Manager::shutdown(Duration limit) {
  return impl_->shutdown(limit);
}

std::vector<ConnectionView> Manager::connections() const {
  std::vector<ConnectionView> views;
  views.reserve(impl_->connections.size());
  for (const auto& [id, entry] : impl_->connections) views.push_back(to_view(entry));
  return views;
}

std::optional<ConnectionView> Manager::connection(const std::string& id) const {
  const auto* entry = impl_->find(id);
  if (!entry) return std::nullopt;
  return to_view(*entry);
}

Registration Manager::watch_states(StateListener listener) {
  auto kept = std::make_shared<StateListener>(std::move(listener));
  impl_->state_listeners.push_back(kept);
  return kept;
}

Registration Manager::watch_catalogue(std::function<void()> changed) {
  auto kept = std::make_shared<std::function<void()>>(std::move(changed));
  impl_->catalogue_listeners.push_back(kept);
  return kept;
}

Alarms& Manager::alarms() {
  return impl_->alarms;
}

MaintenanceWindows& Manager::maintenance() {
  return impl_->maintenance;
}

HealthDesk& Manager::health_desk() {
  return impl_->health_desk;
}

const sdk::Registry& Manager::registry() const {
  return impl_->registry;
}

}  // namespace tributary::connect
