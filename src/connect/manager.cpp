// Start, stop, heartbeat and news. The other members: manager_connections.cpp,
// manager_commands.cpp, manager_functions.cpp, manager_values.cpp.
#include "connect/manager.hpp"

#include "connect/manager_impl.hpp"
#include "runtime/log.hpp"

namespace tributary::connect {

namespace {

constexpr Duration kHeartbeat{std::chrono::seconds{5}};

Suspension suspension_of(const store::ConnectionRow& row) {
  return {row.suspend_reason, row.suspended_by, row.suspended_at.value_or(row.updated_at),
          row.suspended_until};
}

// Everything that load() needs, read in one transaction.
struct Snapshot {
  std::vector<store::ConnectionRow> connections;
  std::vector<store::SecretRow> secrets;
  std::vector<store::FunctionRow> functions;
  std::vector<store::HistoryRow> last_rows;
  std::optional<UtcTime> heartbeat;
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
    return take(store::History::last_heartbeat(sql, store.boot_id()), snapshot.heartbeat);
  });
  if (!read) return fail(std::move(read.error()));
  return snapshot;
}

std::unique_ptr<HistoryLog> make_log(store::Store& store, const ManagerOptions& options) {
  std::unique_ptr<HistoryLog> log = std::make_unique<StoreHistoryLog>(store);
  if (options.seams && options.seams->wrap_log) log = options.seams->wrap_log(std::move(log));
  return log;
}

}  // namespace

Manager::Impl::Impl(Runtime& runtime_, net::Network& network_, store::Store& store_,
                    secrets::Vault& vault_, const sdk::Registry& registry_, ManagerOptions options_)
    : runtime(runtime_),
      network(network_),
      store(store_),
      vault(vault_),
      registry(registry_),
      options(options_),
      shared(std::make_shared<Shared>(
          make_log(store_, options_),
          LimiterOptions{options_.attempts_per_second, options_.attempts_burst,
                         options_.attempts_per_target})),
      random(random_seed()),
      alarms(runtime_, store_),
      mutations(runtime_.control()),
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
      shared};
  if (options.seams) services.reduce = options.seams->reduce;
  auto config = make_config(entry.row, *entry.type, entry.secrets);
  return std::make_shared<ConnectionActor>(std::move(services), std::move(config), last_seq,
                                           random.next());
}

void Manager::Impl::adopt(store::ConnectionRow row, std::vector<store::SecretRow> secrets,
                          const store::HistoryRow* last, std::optional<UtcTime> heartbeat_at) {
  ConnectionEntry& entry = connections[row.id];
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
    const UtcTime ended = std::max(heartbeat_at.value_or(last->at), last->at);
    booted.last = lifecycle::LastRun{parse_status(last->to).value_or(Status::kUnknown), ended};
  }
  entry.actor = make_actor(entry, last ? last->seq : 0);
  entry.state.status = booted.suspension ? Status::kSuspended : Status::kIdle;
  entry.state.suspension = booted.suspension;
  entry.state.since = runtime.clock().utc_now();
  entry.actor->post(std::move(booted));
}

Result<void> Manager::Impl::load() {
  TRIBUTARY_TRY(alarms.load());
  auto snapshot = read_snapshot(store);
  if (!snapshot) return fail(std::move(snapshot.error()));
  TRIBUTARY_TRY(store.write_now([&](soci::session& sql) {
    return store::History::heartbeat(sql, store.boot_id(), runtime.clock().utc_now(),
                                     runtime.clock().steady_now().time_since_epoch().count());
  }));
  for (auto& row : snapshot->connections) {
    std::vector<store::SecretRow> secrets;
    std::ranges::copy_if(snapshot->secrets, std::back_inserter(secrets),
                         [&](const auto& secret) { return secret.connection_id == row.id; });
    const auto last =
        std::ranges::find(snapshot->last_rows, row.id, &store::HistoryRow::connection_id);
    adopt(std::move(row), std::move(secrets), last == snapshot->last_rows.end() ? nullptr : &*last,
          snapshot->heartbeat);
  }
  for (auto& row : snapshot->functions) {
    auto* connection = find(row.connection_id);
    if (!connection) continue;
    FunctionEntry& entry = functions[row.id];
    entry.row = std::move(row);
    install(entry, *connection);
  }
  start_at_boot();
  asio::post(runtime.control(), [impl = alive] {
    if (*impl) (*impl)->arm_heartbeat();
  });
  return {};
}

void Manager::Impl::start_at_boot() {
  const auto spread =
      static_cast<std::uint64_t>(std::max<Duration::rep>(1, options.start_spread.count()));
  for (auto& [id, entry] : connections) {
    if (!entry.actor || entry.row.intent != "running") continue;
    entry.actor->post(
        lifecycle::Start{{}, Duration{static_cast<Duration::rep>(random.next() % spread)}, true});
  }
}

void Manager::Impl::arm_heartbeat() {
  if (closing) return;
  heartbeat =
      runtime.timers().at(runtime.control(), runtime.clock().steady_now() + kHeartbeat, [this] {
        beat();
        resume_what_is_due();
        arm_heartbeat();
      });
}

void Manager::Impl::beat() {
  const UtcTime at = runtime.clock().utc_now();
  const std::int64_t monotonic = runtime.clock().steady_now().time_since_epoch().count();
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

void Manager::Impl::resume_what_is_due() {
  const UtcTime now = runtime.clock().utc_now();
  for (const auto& [id, entry] : connections) {
    const auto& suspension = entry.state.suspension;
    if (entry.state.status != Status::kSuspended || !suspension || !suspension->until ||
        *suspension->until > now)
      continue;
    spawn(runtime.control(), [](std::shared_ptr<Impl*> impl, std::string connection) -> Task<void> {
      if (*impl) co_await (*impl)->resume_by_itself(std::move(connection));
    }(alive, id));
  }
}

Task<void> Manager::Impl::resume_by_itself(std::string id) {
  // The person who gave the end of the suspension asked for this: the connection goes on as it did
  // before.
  lifecycle::Event resume = lifecycle::Resume{};
  auto resumed = co_await command(id, std::move(resume));
  if (!resumed) {
    log::warning("connect", "A suspension could not be ended.",
                 {{"connection", id}, {"error", resumed.error().message}});
    co_return;
  }
  lifecycle::Event start = lifecycle::Start{{}, Duration::zero(), true};
  auto started = co_await command(id, std::move(start));
  if (!started) {
    log::warning("connect", "A connection could not be started after its suspension.",
                 {{"connection", id}, {"error", started.error().message}});
  }
}

Task<void> Manager::Impl::shutdown(Duration limit) {
  closing = true;
  heartbeat.reset();
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
    const SteadyTime deadline = runtime.clock().steady_now() + limit;
    const bool all = co_await rest->done.wait_until(runtime.timers(), deadline);
    if (!all)
      log::warning("connect", "Not every connection ended in time.",
                   {{"left", std::to_string(rest->left)}});
  }
  beat();
}

void Manager::Impl::on_change(const StateChange& change) {
  auto* entry = find(change.connection_id);
  if (entry && !change.removed) entry->state = change.state;
  std::erase_if(state_listeners, [](const auto& listener) { return listener.expired(); });
  // A listener may register or drop others.
  const auto listeners = state_listeners;
  for (const auto& weak : listeners) {
    if (const auto listener = weak.lock()) (*listener)(change);
  }
}

void Manager::Impl::catalogue_changed() {
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

const sdk::Registry& Manager::registry() const {
  return impl_->registry;
}

}  // namespace tributary::connect
