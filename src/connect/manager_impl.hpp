// The inside of the manager. Everything on the control executor unless it says otherwise.
#pragma once

#include <list>

#include "connect/alarms.hpp"
#include "connect/async_mutex.hpp"
#include "connect/catalogue.hpp"
#include "connect/manager.hpp"
#include "connect/validation.hpp"

namespace tributary::connect {

struct Manager::Impl {
  // What actors refer to: kept until the last of them is gone.
  struct Shared {
    Shared(std::unique_ptr<HistoryLog> log_, LimiterOptions options)
        : log(std::move(log_)), limiter(options) {}
    std::unique_ptr<HistoryLog> log;
    AttemptLimiter limiter;
  };

  Impl(Runtime& runtime, net::Network& network, store::Store& store, secrets::Vault& vault,
       const sdk::Registry& registry, ManagerOptions options);
  ~Impl();

  // ---- start, stop (manager.cpp) ----
  Result<void> load();
  void adopt(store::ConnectionRow row, std::vector<store::SecretRow> secrets,
             const store::HistoryRow* last, std::optional<UtcTime> heartbeat);
  void start_at_boot();
  std::shared_ptr<ConnectionActor> make_actor(const ConnectionEntry& entry, std::int64_t last_seq);
  Task<void> shutdown(Duration limit);
  void arm_heartbeat();
  void beat();
  void resume_what_is_due();
  Task<void> resume_by_itself(std::string id);

  // ---- news (manager.cpp) ----
  void on_change(const StateChange& change);
  void catalogue_changed();

  // ---- look-ups ----
  ConnectionEntry* find(const std::string& id);
  // Error: kFunction "not_found", kConfiguration "unknown_type" when this build lacks the
  // connector.
  Result<ConnectionEntry*> find_usable(const std::string& id);

  // ---- connections (manager_connections.cpp) ----
  Task<Outcome<ConnectionView>> create(Json body, Actor actor, bool dry_run);
  Task<Outcome<ConnectionView>> update(std::string id, Json patch, std::int64_t expected_version,
                                       Actor actor, bool dry_run);
  Task<Result<void>> remove(std::string id, bool force, Actor actor);
  std::optional<Error> name_taken(const std::string& name, const std::string& except_id) const;
  std::vector<store::SecretRow> seal_secrets(const std::string& id,
                                             const std::vector<store::SecretRow>& present,
                                             const Json& patch);
  // The connector's own opinion of settings and secrets: makes a session and throws it away. No
  // I/O.
  FieldErrors dry_check(const ConnectionConfig& config);

  // ---- commands (manager_commands.cpp) ----
  Task<Result<ConnectionView>> command(std::string id, lifecycle::Event event);
  Task<Outcome<Diagnosis>> diagnose_row(store::ConnectionRow row,
                                        std::vector<store::SecretRow> secrets,
                                        const sdk::Entry& type);

  // ---- functions (manager_functions.cpp) ----
  Task<Outcome<FunctionView>> create_function(std::string connection_id, Json body, Actor actor,
                                              bool dry_run);
  Task<Outcome<FunctionView>> update_function(std::string id, Json patch,
                                              std::int64_t expected_version, Actor actor,
                                              bool dry_run);
  Task<Result<void>> remove_function(std::string id, Actor actor);
  FieldErrors check_function(const ConnectionEntry& connection, const Json& body);
  bool function_name_taken(const store::FunctionRow& row) const;
  void install(FunctionEntry& entry, const ConnectionEntry& connection);

  Runtime& runtime;
  net::Network& network;
  store::Store& store;
  secrets::Vault& vault;
  const sdk::Registry& registry;
  ManagerOptions options;
  std::shared_ptr<Shared> shared;
  SeededRandom random;
  Alarms alarms;
  // Changes of the catalogue happen one at a time; reading needs no lock.
  AsyncMutex mutations;

  std::map<std::string, ConnectionEntry> connections;  // by id
  std::map<std::string, FunctionEntry> functions;      // by id
  Routes routes;

  std::list<std::weak_ptr<StateListener>> state_listeners;
  std::list<std::weak_ptr<std::function<void()>>> catalogue_listeners;
  std::unique_ptr<Timer> heartbeat;
  bool closing = false;
  // What is posted to the control executor looks here whether the manager is still there.
  std::shared_ptr<Impl*> alive;
};

}  // namespace tributary::connect
