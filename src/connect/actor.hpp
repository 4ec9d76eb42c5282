// The actor of one connection: applies events one at a time, makes their rows of history durable,
// then acts, then publishes (lifecycle §1). Everything here runs on the actor's executor unless it
// says otherwise.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.hpp"
#include "connect/alarms.hpp"
#include "connect/credentials.hpp"
#include "connect/history_log.hpp"
#include "connect/lifecycle/reduce.hpp"
#include "connect/limiter.hpp"
#include "connect/live_session.hpp"
#include "connect/seams.hpp"
#include "connect/subscriptions/subscriptions.hpp"

namespace tributary::connect {

// What an actor gets to work with. Outlives it.
struct ActorServices {
  Executor executor;
  Clock& clock;
  Timers& timers;
  net::Network& network;
  HistoryLog& log;
  AttemptLimiter& limiter;
  const secrets::Vault& vault;
  // Called on the actor's executor after each change.
  std::function<void(const StateChange& change)> publish;
  // A condition of this connection that a person should see begins (a message) or ends (none). Any
  // executor.
  std::function<void(const AlarmKey& key, std::optional<std::string> message)> alarm;
  // Keeps alive what the references above point to.
  std::shared_ptr<void> keep;
  // The peer of this connection showed its certificate. May be absent; on the actor's executor.
  std::function<void(const net::ShownCertificate& shown)> certificate = nullptr;
  // An attempt begins with these credentials, some of which are references (credential_fingerprint;
  // empty: they cannot be read). May be absent; on the actor's executor.
  std::function<void(const std::string& fingerprint)> credentials = nullptr;
  http::Client* http = nullptr;
  ReduceFunction reduce = &lifecycle::reduce;
};

class ConnectionActor : public std::enable_shared_from_this<ConnectionActor> {
 public:
  ConnectionActor(ActorServices services, std::shared_ptr<const ConnectionConfig> config,
                  std::int64_t last_seq, std::uint64_t seed);
  // Ends what is under way without a word: for a hub that goes down.
  ~ConnectionActor();
  ConnectionActor(const ConnectionActor&) = delete;
  ConnectionActor& operator=(const ConnectionActor&) = delete;

  const Executor& executor() const { return services_.executor; }  // any thread

  // ---- life ----
  // Queues an event and goes on. Any thread.
  void post(lifecycle::Event event);
  // Applies a command after everything queued before it; answers the state after its effects, or
  // why it was refused.
  Task<Result<StateView>> command(lifecycle::Event event);
  // What a command would come to, without doing it: the state after it, or why it would be refused.
  Result<StateView> preview(const lifecycle::Event& event);
  // A new configuration; what runs is restarted with it when `restart`.
  Task<Result<StateView>> configure(std::shared_ptr<const ConnectionConfig> config, bool restart,
                                    bool credentials, std::string by);
  StateView view() const { return lifecycle::to_view(state_); }
  std::uint64_t stale_events() const { return state_.stale_events; }

  // ---- functions ----
  void put_function(std::shared_ptr<const FunctionConfig> function,
                    std::shared_ptr<FunctionStats> stats);
  void remove_function(const std::string& id);
  Task<ExecuteResult> execute(std::string function_id, Json parameters, Duration timeout);
  Task<std::vector<Result<Batch>>> execute_all(std::string function_id,
                                               std::vector<Json> parameters, Duration timeout,
                                               Calls calls);
  Task<Result<sdk::BrowsePage>> browse(std::string node, std::string cursor);
  Task<Result<Batch>> read_nodes(std::vector<std::string> nodes);

  // ---- values ----
  Result<Batch> last_values(const std::string& function_id);
  void add_viewer(const std::string& function_id, std::shared_ptr<Viewer> viewer);
  void add_consumer(const std::string& function_id, std::shared_ptr<Consumer> consumer);

 private:
  struct CallList;
  struct Reply {
    explicit Reply(Executor executor) : done(executor) {}
    Event done;
    std::optional<Result<StateView>> result;
  };
  struct Item {
    lifecycle::Event event;
    std::shared_ptr<Reply> reply;
    std::shared_ptr<const ConnectionConfig> config;  // of configure()
    AttemptLimiter::Turn turn;  // of an elapsed backoff or cool-down, or of `granted`
    // Instead of an event: an attempt that waited has its turn. It takes its place among the events
    // because the one under way may be about to end the attempt.
    std::optional<lifecycle::OpenSession> granted;
  };
  // An attempt under way, or waiting for its time and turn.
  struct Attempt {
    std::uint64_t epoch = 0;
    std::unique_ptr<Timer> delay;
    AttemptLimiter::Ticket ticket;
    AttemptLimiter::Turn turn;
    std::shared_ptr<LiveSession> live;
    // Credentials that were used for the first time: "password, tls/ca".
    std::string first_used;
  };
  struct Timing {
    std::unique_ptr<Timer> timer;
    AttemptLimiter::Ticket ticket;  // elapsed, and waiting for its turn
  };

  // actor.cpp: events
  void enqueue(Item item);
  Task<void> drain();
  Task<void> apply(Item item);
  // "Resume and start": puts the start before everything that waits, with the reply. True when
  // there is one to come.
  bool follow(const lifecycle::Step& step, Item& item);
  Task<Result<void>> record(const lifecycle::Step& step, bool is_command);
  store::HistoryRow to_row(const lifecycle::RecordHistory& record) const;
  std::optional<store::ConnectionRow> intent_row(const lifecycle::LifecycleState& next) const;
  Task<Result<StateView>> wait_for(Item item);
  lifecycle::Inputs inputs();
  void choose_address(const lifecycle::Event& event);

  // actor_effects.cpp
  Task<void> act(const lifecycle::Effect& effect, Item& item);
  void arm(const lifecycle::ArmTimer& timer);
  void timer_elapsed(lifecycle::TimerKind kind, std::uint64_t epoch);
  void begin_attempt(const lifecycle::OpenSession& open, Item& item);
  void wait_for_turn(const lifecycle::OpenSession& open);
  void take_turn(Item item);
  void open_now(std::uint64_t epoch, Duration timeout);
  Task<void> open_session(std::shared_ptr<LiveSession> live, SteadyTime deadline);
  Task<Result<std::optional<std::string>>> establish(std::shared_ptr<LiveSession> live,
                                                     SteadyTime deadline, std::string& identity);
  void adopt(const lifecycle::Opened& event);
  Task<void> close_session(bool graceful);
  void arm_health_check();
  Task<void> check_health(std::shared_ptr<LiveSession> live);
  void mark_bad(Quality quality);
  void publish(Status before);
  void session_lost(std::uint64_t epoch, Error error);
  Subscriptions::News subscription_news();

  // actor_calls.cpp
  Task<Result<std::shared_ptr<LiveSession>>> admit(SteadyTime deadline);
  template <typename T, typename Ask>
  Task<Result<T>> ask_session(Ask ask);
  Task<Result<Batch>> run(std::string function_id, Json parameters, Duration timeout);
  // Makes calls of a list, one after the other, until none is left.
  static Task<void> take_calls(std::shared_ptr<ConnectionActor> self, std::string function_id,
                               Duration timeout, bool careful, std::shared_ptr<CallList> list);
  void wake_callers();
  std::shared_ptr<FunctionSlot> find(const std::string& function_id) const;
  // What values are worth while the connection is not Connected; nullopt while it is.
  std::optional<Quality> quality_of_rest() const;
  std::optional<Duration> max_age_of(const FunctionSlot& slot) const;
  Batch last_records(const FunctionSlot& slot) const;

  ActorServices services_;
  std::shared_ptr<const ConnectionConfig> config_;
  std::shared_ptr<Recorder> recorder_;
  CredentialVersions credentials_;
  SeededRandom random_;
  lifecycle::LifecycleState state_;
  Status published_ = Status::kIdle;

  std::deque<Item> inbox_;
  bool draining_ = false;

  std::array<Timing, 4> timers_;  // by TimerKind
  std::size_t next_address_ = 0;  // of a host with several: moves on from a standby
  std::unique_ptr<Timer> health_timer_;
  std::unique_ptr<Attempt> attempt_;
  std::shared_ptr<LiveSession> live_;

  std::vector<std::shared_ptr<FunctionSlot>> slots_;
  std::shared_ptr<Subscriptions> subscriptions_;
  std::vector<std::shared_ptr<Event>> callers_;  // waiting for Connecting to end
};

// The error of a call that the present status does not allow: "not_running",
// "connection_disconnected" with retry_after_ms, "connection_failed", "connection_suspended" with
// the reason.
Error rejection(const lifecycle::LifecycleState& state, SteadyTime now);

}  // namespace tributary::connect
