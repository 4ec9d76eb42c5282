// The front desk of the module: connections and functions, by id, for the API, the pipelines and
// the command line. Thread-safe in this sense: call every member from the control executor; the
// manager hops to a connection's own executor itself and comes back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "connect/order.hpp"
#include "connect/status.hpp"
#include "model/batch.hpp"
#include "runtime/runtime.hpp"
#include "schema/schema.hpp"
#include "sdk/registry.hpp"
#include "secrets/vault.hpp"
#include "store/repositories.hpp"
#include "store/store.hpp"

namespace tributary::connect {

// Settings that are not valid: what 422 answers carry.
struct Invalid {
  std::vector<schema::FieldError> errors;
};
// A mutation fails with an Error ("not_found", "name_taken", "version_conflict", "connection_busy"
// …) or because the body is invalid.
template <typename T>
using Outcome = std::expected<T, std::variant<Error, Invalid>>;
inline std::unexpected<std::variant<Error, Invalid>> refused(Error error) {
  return std::unexpected(std::variant<Error, Invalid>(std::move(error)));
}
inline std::unexpected<std::variant<Error, Invalid>> invalid(
    std::vector<schema::FieldError> errors) {
  return std::unexpected(std::variant<Error, Invalid>(Invalid{std::move(errors)}));
}

struct SecretView {
  bool set = false;
  std::optional<UtcTime> changed_at;
};

struct ConnectionView {
  store::ConnectionRow row;
  std::vector<std::pair<std::string, SecretView>> secrets;  // every secret the type knows
  StateView state;
};

struct FunctionView {
  store::FunctionRow row;
  std::vector<std::string> parameters;  // names of ((placeholders))
  bool idempotent = false;              // a call whose outcome is unknown may be repeated
  // Of subscriptions: "active", "waiting", "silent", "failed"; counters since start.
  std::string subscription;
  std::int64_t samples = 0;
  std::int64_t overruns = 0;
  std::optional<Error> error;
  // A value arrived since the connection came up last: only then is the subscription back.
  bool restored = false;
  std::optional<UtcTime> last_value_at;
  // A value is expected this often; absent while nothing is known about its pace.
  std::optional<Duration> expected_every;
  BreakerView breaker;
};

// What a list chooses by: a function without its settings, which may hold ten thousand points.
struct FunctionHead {
  std::string id;
  std::string name;
  std::string type;
};

struct ExecuteResult {
  Result<Batch> result;
  Duration duration{};
  UtcTime at;
};

// How many calls of one function are made.
struct Calls {
  std::size_t at_once = 1;
  // Nothing more is tried after a call that failed for another reason than the call itself (not
  // kFunction): the rest fails with kCancelled "not_tried".
  bool stop_at_obstacle = false;
};

struct StageResult {
  std::string stage;
  bool ok = false;
  Duration duration{};
  std::optional<Error>
      error;  // code is one of the stable diagnosis keys (cannot_connect, invalid_auth, timeout …)
};
struct Diagnosis {
  bool success = false;
  std::vector<StageResult> stages;
  // The server's certificate, accepted or not; absent when the test did not come so far.
  std::optional<net::ShownCertificate> shown = std::nullopt;
};

struct StateChange {
  std::string connection_id;
  std::string connection_name;
  Status from = Status::kIdle;
  StateView state;
  bool removed = false;  // the connection was deleted
};

// Who asked, for history and audit rows. Empty name: the hub itself.
struct Actor {
  std::string name;
};

// Values of one function as they come. Called on the connection's executor; copy and post away,
// never block.
using ValuesListener = std::function<void(const std::shared_ptr<const Batch>& batch)>;
using StateListener = std::function<void(const StateChange& change)>;  // on the control executor
// Keeps a listener registered; dropping it (on the control executor) removes it.
using Registration = std::shared_ptr<void>;

// A consumer that takes part in back-pressure and acknowledgement (a pipeline's trigger). Resumes
// when accepted.
using BatchConsumer =
    std::function<Task<Result<void>>(std::shared_ptr<const Batch> batch, const Origin& origin)>;

struct Seams;  // seams.hpp

struct ManagerOptions {
  // Boot starts are spread over this (T2: 0–2 s).
  Duration start_spread{std::chrono::seconds{2}};
  int attempts_per_second = 20;
  int attempts_burst = 50;
  int attempts_per_target = 2;
  // How long transitions, past alarms and the like are kept; the figures of health stay.
  int history_days = 400;
  std::shared_ptr<const Seams> seams = nullptr;  // for simulations
  http::Client* http = nullptr;                  // what sessions get; outlives the manager
};

class Alarms;              // alarms.hpp
class Certificates;        // certificates/certificates.hpp
class HealthDesk;          // health_desk.hpp
class MaintenanceWindows;  // maintenance/windows.hpp

// Make in this order: network, runtime, store and vault, manager; end in the reverse one. The
// store's last answers are posted to the runtime, so the runtime must outlive the store; stop it
// (Runtime::stop) after the manager is gone.
class Manager {
 public:
  Manager(Runtime& runtime, net::Network& network, store::Store& store, secrets::Vault& vault,
          const sdk::Registry& registry, ManagerOptions options = {});
  ~Manager();

  // Reads the store, closes the open intervals of the last run with Unknown (T27), starts what is
  // to run. Blocking part first; connections come up afterwards.
  Result<void> load();
  // Stops everything politely within `limit`; intents stay as they are. History gets its "shutdown"
  // rows.
  Task<void> shutdown(Duration limit);

  // ---- connections ----
  std::vector<ConnectionView> connections() const;
  std::optional<ConnectionView> connection(const std::string& id) const;
  // `body` as POST /connections. dry_run validates and answers what would be, storing nothing.
  Task<Outcome<ConnectionView>> create(Json body, Actor actor, bool dry_run);
  // `patch` is a JSON merge patch over the stored body; `expected_version` 0 means any (If-Match:
  // *).
  Task<Outcome<ConnectionView>> update(std::string id, Json patch, std::int64_t expected_version,
                                       Actor actor, bool dry_run);
  // Error kFunction "connection_running" unless Idle, Suspended, Failed or forced.
  Task<Result<void>> remove(std::string id, bool force, Actor actor);

  // Commands answer with the state after the command; a command that changes nothing succeeds
  // ("already so").
  Task<Result<ConnectionView>> start(std::string id, Actor actor);
  // Returns when no byte is sent any more.
  Task<Result<ConnectionView>> stop(std::string id, Actor actor);
  Task<Result<ConnectionView>> restart(std::string id, Actor actor);
  // Empty reason: Invalid with pointer "/reason". A suspended connection takes the new reason and
  // end.
  Task<Outcome<ConnectionView>> suspend(std::string id, std::string reason,
                                        std::optional<UtcTime> until, Actor actor,
                                        AfterSuspension then = AfterSuspension::kResumeAndStart);
  Task<Result<ConnectionView>> resume(std::string id, bool start, Actor actor);
  // Any of the above. dry_run answers the state that would be, or why it would be refused.
  Task<Outcome<ConnectionView>> carry_out(std::string id, Order order, Actor actor, bool dry_run);

  // Staged; of a stored profile, or of an unsaved body. A certificate that is refused waits in
  // certificates() for a decision. What is decided about it there holds for the next tests that the
  // same actor makes of the same target, and for the connection that the actor saves of it.
  Task<Outcome<Diagnosis>> test(std::string id);
  Task<Outcome<Diagnosis>> test_unsaved(Json body, Actor actor);
  Task<Result<sdk::BrowsePage>> browse(std::string id, std::string node, std::string cursor);
  // As sdk::NodeReader. Error "not_readable" for systems that are none.
  Task<Result<Batch>> read_nodes(std::string id, std::vector<std::string> nodes);

  // ---- history ----
  Task<Result<std::vector<store::HistoryRow>>> events(std::string id, UtcTime from, UtcTime to,
                                                      std::int64_t after, std::size_t limit);
  HealthDesk& health_desk();

  // ---- functions ----
  std::vector<FunctionView> functions(const std::string& connection_id) const;
  // Of this connection, or with an empty id of all.
  std::vector<FunctionHead> function_heads(const std::string& connection_id = {}) const;
  std::optional<FunctionView> function(const std::string& id) const;
  Task<Outcome<FunctionView>> create_function(std::string connection_id, Json body, Actor actor,
                                              bool dry_run);
  Task<Outcome<FunctionView>> update_function(std::string id, Json patch,
                                              std::int64_t expected_version, Actor actor,
                                              bool dry_run);
  Task<Result<void>> remove_function(std::string id, Actor actor);
  // Runs a function now. `timeout` is for the whole of it, waiting for its turn included; zero: the
  // connection's own timeouts. Errors: "not_running", "connection_disconnected" (retry_after_ms),
  // "connection_failed", "connection_suspended" with the reason, "missing_parameter",
  // "function_breaker_open" (retry_after_ms), "call_timeout", "outcome_unknown" (a write that may
  // or may not have happened: repeat it only when the function is idempotent), and what the
  // connector says. May be called on any executor.
  Task<ExecuteResult> execute(std::string id, Json parameters, Duration timeout);
  // Many calls of one function, begun in this order, with one way there and back. One result for
  // each.
  Task<std::vector<Result<Batch>>> execute_all(std::string id, std::vector<Json> parameters,
                                               Duration timeout, Calls calls);

  // ---- live data ----
  // The last value of every point of a subscription: what a new viewer sees first. Quality is bad
  // when the connection is not Connected, and stale values are never good. Records: the last batch.
  Task<Result<Batch>> last_values(std::string function_id);
  // Errors: "not_found", "not_a_subscription".
  Result<Registration> watch_values(const std::string& function_id, ValuesListener listener);
  Result<Registration> consume(const std::string& function_id, BatchConsumer consumer);
  Registration watch_states(StateListener listener);
  // Functions and connections came, changed or went. On the control executor.
  Registration watch_catalogue(std::function<void()> changed);

  const sdk::Registry& registry() const;
  Alarms& alarms();
  Certificates& certificates();
  // As Certificates::trust and remove; the connections concerned try again at once.
  Task<Result<void>> trust_certificate(std::string sha256, Actor actor);
  Task<Result<void>> remove_certificate(std::string sha256, Actor actor);
  MaintenanceWindows& maintenance();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::connect
