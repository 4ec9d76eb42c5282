// The inside of the manager. Everything on the control executor unless it says otherwise.
#pragma once

#include <list>
#include <set>

#include "connect/alarms.hpp"
#include "connect/async_mutex.hpp"
#include "connect/catalogue.hpp"
#include "connect/certificates/certificates.hpp"
#include "connect/flap_watch.hpp"
#include "connect/health/clock_watch.hpp"
#include "connect/health_desk.hpp"
#include "connect/history_keeper.hpp"
#include "connect/maintenance/windows.hpp"
#include "connect/manager.hpp"
#include "connect/validation.hpp"

namespace tributary::connect {

struct Manager::Impl {
  // What actors refer to: kept until the last of them is gone.
  struct Shared {
    Shared(store::Store& store, const ManagerOptions& options);
    std::shared_ptr<health::Rollup> rollup = std::make_shared<health::Rollup>();
    std::unique_ptr<HistoryLog> log;
    AttemptLimiter limiter;
  };

  Impl(Runtime& runtime, net::Network& network, store::Store& store, secrets::Vault& vault,
       const sdk::Registry& registry, ManagerOptions options);
  ~Impl();

  // ---- start, stop (manager.cpp) ----
  Result<void> load();
  // Makes or reads the hub's application certificate, when there is a connector that shows one.
  Result<void> load_application();
  void adopt(store::ConnectionRow row, std::vector<store::SecretRow> secrets,
             const store::HistoryRow* last, const std::vector<store::BootRow>& boots);
  void start_at_boot();
  std::shared_ptr<ConnectionActor> make_actor(const ConnectionEntry& entry, std::int64_t last_seq);
  Task<void> edits_ended(SteadyTime deadline);
  Task<void> shutdown(Duration limit);
  void arm_heartbeat();
  void beat();
  void watch_clock(UtcTime utc, SteadyTime steady);
  void store_clock_step(UtcTime at, std::chrono::microseconds by);

  // ---- ends of suspensions (manager_suspensions.cpp) ----
  // Ends the suspensions whose time is over and sets the timer for the next end.
  void end_what_is_due();
  // The same, once, after the news that are under way.
  void look_for_ends();
  Task<Result<void>> end_suspension(std::string id, Suspension suspension, Duration start_delay);
  WindowHost window_host();

  // ---- news (manager.cpp) ----
  void on_change(const StateChange& change);
  void catalogue_changed();

  // ---- look-ups ----
  ConnectionEntry* find(const std::string& id);
  // Error: kFunction "not_found", kConfiguration "unknown_type" when this build lacks the
  // connector.
  Result<ConnectionEntry*> find_usable(const std::string& id);

  // ---- certificates and credentials (manager_certificates.cpp) ----
  std::shared_ptr<const ConnectionConfig> config_of(const ConnectionEntry& entry) const;
  // What was decided about the server while the profile was a draft is the connection's. True when
  // there was such a decision.
  Task<bool> adopt_draft(std::shared_ptr<const ConnectionConfig> saved, Actor actor);
  std::vector<ProfileCertificates> profile_certificates() const;
  // Connections that have their unique settings in common get an alarm, each. Call it when one
  // came, changed or went.
  void check_unique_settings(const std::string& id);
  void mark_duplicates(const std::string& key);
  // Trust was given or taken away: the connections try again at once.
  Task<void> trust_changed(std::vector<std::string> connection_ids, Actor actor);
  void arm_credential_watch();
  // Failed connections whose credentials stand behind a reference try again when it has changed.
  void watch_credentials();
  Task<void> credentials_changed(std::string id);

  // ---- connections (manager_connections.cpp) ----
  Task<Outcome<ConnectionView>> create(Json body, Actor actor, bool dry_run);
  Task<Outcome<ConnectionView>> update(std::string id, Json patch, std::int64_t expected_version,
                                       Actor actor, bool dry_run);
  Task<Result<void>> remove(std::string id, bool force, Actor actor);
  // The disk refused it: the connection is at rest and can be used again.
  Task<void> take_back_deletion(std::string id);
  // Out of memory, with its functions and what is known about it.
  void forget(const std::string& id);
  // Error: kInternal "hub_stopping".
  Result<void> may_change() const;
  std::optional<Error> name_taken(const std::string& name, const std::string& except_id) const;
  // The connector's own opinion of settings and secrets: makes a session and throws it away. No
  // I/O.
  FieldErrors dry_check(const ConnectionConfig& config);

  // ---- commands (manager_commands.cpp) ----
  Task<Result<ConnectionView>> command(std::string id, lifecycle::Event event);
  // A command whose answer is nobody's business but whether it was carried out.
  Task<Result<void>> give(std::string id, lifecycle::Event event);
  Task<Result<ConnectionView>> preview(std::string id, lifecycle::Event event);
  // `known_as`: as what the server's certificate is remembered.
  Task<Outcome<Diagnosis>> diagnose_row(store::ConnectionRow row,
                                        std::vector<store::SecretRow> secrets,
                                        const sdk::Entry& type, std::string known_as);

  // ---- functions (manager_functions.cpp) ----
  Task<Outcome<FunctionView>> create_function(std::string connection_id, Json body, Actor actor,
                                              bool dry_run);
  Task<Outcome<FunctionView>> update_function(std::string id, Json patch,
                                              std::int64_t expected_version, Actor actor,
                                              bool dry_run);
  Task<Result<void>> remove_function(std::string id, Actor actor);
  FieldErrors check_function(const ConnectionEntry& connection, const Json& body);
  bool function_name_taken(const store::FunctionRow& row) const;
  FunctionEntry& keep_function(FunctionEntry entry);
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
  Certificates certificates;
  std::string node_id;
  std::shared_ptr<const Application> application;  // when a connector shows one
  std::map<std::string, std::string> unique_keys;  // by connection
  std::map<std::string, std::set<std::string>> unique_groups;
  // Fingerprints of what the last attempts used, by connection; of those with references.
  std::map<std::string, std::string> used_credentials;
  std::unique_ptr<Timer> credential_watch;
  MaintenanceWindows maintenance;
  FlapWatch flaps;
  health::ClockWatch clock_watch;

  // Of the changes of the catalogue, creations share this and are committed together; whatever
  // changes or ends what is there has it alone. Reading needs no lock.
  AsyncMutex mutations;
  // What creations are storing is taken already.
  std::set<std::string> arriving_names;

  std::map<std::string, ConnectionEntry> connections;  // by id
  std::map<std::string, FunctionEntry> functions;      // by id
  // Ids by name.
  std::map<std::string, std::string> connection_names;
  // By connection, ids by name.
  std::map<std::string, std::map<std::string, std::string>> function_names;
  HealthDesk health_desk;
  std::shared_ptr<HistoryKeeper> keeper;
  Routes routes;

  std::list<std::weak_ptr<StateListener>> state_listeners;
  std::list<std::weak_ptr<std::function<void()>>> catalogue_listeners;
  std::unique_ptr<Timer> heartbeat;
  std::unique_ptr<Timer> next_end;
  bool ends_posted = false;
  bool closing = false;
  // What is posted to the control executor looks here whether the manager is still there.
  std::shared_ptr<Impl*> alive;
};

}  // namespace tributary::connect
