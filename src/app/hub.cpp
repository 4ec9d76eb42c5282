#include "app/hub.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/use_future.hpp>
#include <future>

#include "api/metrics.hpp"
#include "api/services.hpp"
#include "api/stream_hub.hpp"
#include "app/command.hpp"
#include "app/connectors.hpp"
#include "app/openapi.hpp"
#include "app/own_listeners.hpp"
#include "auth/auth.hpp"
#include "connect/certificates/certificates.hpp"
#include "connect/manager.hpp"
#include "http/client.hpp"
#include "net/stream.hpp"
#include "notices/notices.hpp"
#include "orchestrate/engine.hpp"
#include "runtime/log.hpp"
#include "runtime/runtime.hpp"
#include "script/script.hpp"
#include "secrets/vault.hpp"
#include "spool/spool.hpp"
#include "store/repositories.hpp"
#include "store/store.hpp"

namespace tributary::app {
namespace {

// Parts of the stop's time: the front door, the pipelines, the connections. The store commits with
// what is left.
constexpr auto kServerStop = std::chrono::seconds{1};
constexpr auto kEngineStop = std::chrono::seconds{2};
constexpr auto kManagerStop = std::chrono::milliseconds{5500};

// A new master key is made only while nothing is sealed that it could not open.
Result<bool> holds_no_secrets(store::Store& store) {
  bool empty = false;
  auto read = store.read_now([&empty](soci::session& sql) -> Result<void> {
    auto rows = store::Secrets::all(sql);
    TRIBUTARY_TRY(rows);
    empty = rows->empty();
    return {};
  });
  TRIBUTARY_TRY(read);
  return empty;
}

// While it lives the workers do nothing; what is posted to them waits, in its order.
class Standstill {
 public:
  explicit Standstill(Runtime& runtime) {
    const std::shared_future<void> go_on = go_on_.get_future().share();
    for (std::size_t i = 0; i < runtime.workers(); ++i)
      asio::post(runtime.worker(i), [go_on] { go_on.wait(); });
  }
  ~Standstill() { go_on_.set_value(); }
  Standstill(const Standstill&) = delete;
  Standstill& operator=(const Standstill&) = delete;

 private:
  std::promise<void> go_on_;
};

}  // namespace

// Members are destroyed from the last to the first; the runtime, whose loops hold what still hangs,
// goes after its users.
struct Hub::Impl {
  SystemClock clock;
  std::unique_ptr<Timers> timers = make_system_timers();
  std::unique_ptr<net::Network> network = net::make_system_network(*timers);
  std::unique_ptr<store::Store> store;
  std::unique_ptr<spool::Spool> spool;
  std::unique_ptr<secrets::Vault> vault;
  sdk::Registry registry;
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<auth::Auth> auth;
  std::unique_ptr<http::Client> http;
  std::unique_ptr<connect::Manager> manager;
  std::unique_ptr<script::Scripts> scripts;
  std::unique_ptr<orchestrate::Engine> engine;
  std::unique_ptr<notices::Notices> notices;
  std::unique_ptr<api::Metrics> metrics;
  std::unique_ptr<api::StreamHub> streams;
  std::unique_ptr<api::Services> services;
  std::unique_ptr<api::Server> server;
  std::string setup_code;
  std::atomic<bool> stopping{false};

  Result<void> make(HubOptions options);
  Result<void> load();
  Result<void> load_manager();
  Task<void> shut_down();
};

Result<void> Hub::Impl::make(HubOptions options) {
  auto opened = store::Store::open(options.data_dir, clock);
  TRIBUTARY_TRY(opened);
  store = std::move(*opened);
  auto spooled = spool::Spool::open(options.data_dir, clock);
  TRIBUTARY_TRY(spooled);
  spool = std::move(*spooled);
  auto fresh = holds_no_secrets(*store);
  TRIBUTARY_TRY(fresh);
  auto unlocked = secrets::Vault::open(options.data_dir, *fresh);
  TRIBUTARY_TRY(unlocked);
  vault = std::move(*unlocked);
  TRIBUTARY_TRY(add_connectors(registry));

  runtime = std::make_unique<Runtime>(options.workers, clock, *timers);
  auth = std::make_unique<auth::Auth>(*store, clock, runtime->control());
  // The guard asks where the hub listens when somebody wants to send: the server is there by then.
  auto own = [this] {
    return server ? own_listeners(server->address(), server->port()) : std::vector<net::Address>{};
  };
  http = std::make_unique<http::Client>(
      clock, *network, http::EgressGuard(std::move(options.allow_egress), std::move(own)));
  connect::ManagerOptions manager_options;
  manager_options.history_days = options.history_days;
  manager_options.http = http.get();
  manager = std::make_unique<connect::Manager>(*runtime, *network, *store, *vault, registry,
                                               manager_options);
  // Two for scripts that burn their time and two for the others, or what the machine has.
  scripts = std::make_unique<script::Scripts>(*runtime, "/proc/self/exe",
                                              std::max<std::size_t>(options.workers, 4));
  orchestrate::EngineOptions engine_options;
  engine_options.scripts = scripts.get();
  engine_options.vault = vault.get();
  engine_options.alarms = &manager->alarms();
  engine_options.env = std::move(options.env);
  engine = std::make_unique<orchestrate::Engine>(*runtime, *store, *manager, spool.get(),
                                                 std::move(engine_options));
  notices = std::make_unique<notices::Notices>(*runtime, *store, *vault, *manager, *http);
  metrics = std::make_unique<api::Metrics>(version());
  streams = std::make_unique<api::StreamHub>(*runtime, *auth, *manager, *engine, *metrics);
  services = std::make_unique<api::Services>(
      api::Services{*runtime, *store, *vault, *auth, *manager, *engine, *notices, *metrics,
                    *streams, std::string(version()), clock.utc_now(), clock.steady_now(),
                    embedded::openapi(), [this] { return stopping.load(); }});
  // The address first: nothing shall start connecting when the hub cannot be reached anyway.
  auto bound = api::Server::make(*services, std::move(options.server), web_assets());
  TRIBUTARY_TRY(bound);
  server = std::move(*bound);
  return {};
}

Result<void> Hub::Impl::load() {
  TRIBUTARY_TRY(auth->load());
  {
    // A connection that came up before the pipelines were there would acknowledge messages that
    // nobody takes.
    const Standstill standstill(*runtime);
    TRIBUTARY_TRY(load_manager());
    TRIBUTARY_TRY(engine->load());
  }
  if (auth->needs_setup()) setup_code = auth->make_setup_code();
  std::promise<void> started;
  asio::post(runtime->control(), [this, &started] {
    manager->certificates().set_own(server->certificate_file());
    streams->start();
    server->start();
    started.set_value();
  });
  started.get_future().wait();
  return {};
}

// Loading fills what belongs to the control executor, from this thread: the executor stands still
// meanwhile, so that the first news of the connections waits its turn.
Result<void> Hub::Impl::load_manager() {
  std::promise<void> standing;
  std::promise<void> loaded;
  asio::post(runtime->control(), [&standing, go_on = loaded.get_future()]() mutable {
    standing.set_value();
    go_on.wait();
  });
  standing.get_future().wait();
  Result<void> result = notices->load();
  if (result) result = manager->load();
  loaded.set_value();
  return result;
}

Task<void> Hub::Impl::shut_down() {
  stopping = true;
  streams->stop();
  notices->stop();
  const Duration server_limit = kServerStop;
  const Duration engine_limit = kEngineStop;
  const Duration manager_limit = kManagerStop;
  co_await server->shutdown(server_limit);
  co_await engine->shutdown(engine_limit);
  co_await manager->shutdown(manager_limit);
}

Hub::Hub(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// Loops first: what is destroyed next is then used by nobody. The store goes before the loops'
// memory, because commits that are still queued answer there.
Hub::~Hub() {
  if (impl_->runtime) impl_->runtime->stop();
  impl_->server.reset();
  impl_->services.reset();
  impl_->streams.reset();
  impl_->metrics.reset();
  impl_->engine.reset();
  impl_->scripts.reset();
  impl_->notices.reset();
  impl_->manager.reset();
  impl_->http.reset();
  impl_->auth.reset();
  impl_->spool.reset();
  impl_->store.reset();
  impl_->runtime.reset();
}

Result<std::unique_ptr<Hub>> Hub::start(HubOptions options) {
  std::unique_ptr<Hub> hub(new Hub(std::make_unique<Impl>()));
  TRIBUTARY_TRY(hub->impl_->make(std::move(options)));
  TRIBUTARY_TRY(hub->impl_->load());
  log::info("hub", "The hub runs.",
            {{"address", hub->impl_->server->url()}, {"version", std::string(version())}});
  return hub;
}

bool Hub::stop(std::chrono::milliseconds limit) {
  std::future<void> done =
      asio::co_spawn(impl_->runtime->control(), impl_->shut_down(), asio::use_future);
  if (done.wait_for(limit) != std::future_status::ready) return false;
  log::info("hub", "The hub has stopped.");
  return true;
}

const api::Server& Hub::server() const {
  return *impl_->server;
}

const std::string& Hub::setup_code() const {
  return impl_->setup_code;
}

}  // namespace tributary::app
