// One session with a target, from its making to its end: what the actor, the calls and the
// subscriptions share.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "connect/call_gate.hpp"
#include "connect/next_address.hpp"
#include "connect/profile.hpp"
#include "sdk/connector.hpp"

namespace tributary::connect {

// One call of an operation.
struct CallRequest {
  std::shared_ptr<const sdk::Operation> operation;
  Json parameters;
  Priority priority = Priority::kRead;
  bool writes = false;       // cut off in the middle, its outcome is unknown (T8)
  SteadyTime turn_deadline;  // for getting its turn
  SteadyTime call_deadline;  // for the answer; never below the request timeout once it has its turn
  // The caller goes at this time, whatever the session still waits for. The request itself keeps
  // its time: an impatient caller must not cost the session.
  std::optional<SteadyTime> answer_by;
  Duration request_timeout{};
  // What the session made of the call, also after the caller has gone; never called when the call
  // did not reach it.
  std::move_only_function<void(const Result<Batch>& result)> ended;
};

// Something a session points to: it lives as long as the session does.
class SessionGuest {
 public:
  virtual ~SessionGuest() = default;
  // The session is about to be destroyed: let go of everything that belongs to it.
  virtual void session_ends() noexcept = 0;
};

// Lives on the connection's executor. Held by whoever uses it, so that an operation that ends late
// finds it alive.
class LiveSession final : public sdk::SessionEvents,
                          public std::enable_shared_from_this<LiveSession> {
 public:
  struct Services {
    Executor executor;
    Clock& clock;
    Timers& timers;
    net::Network& network;
    std::size_t first_address = 0;  // of the host's addresses: net::Endpoint::first
    http::Client* http = nullptr;
    bool write_lane = false;  // of the gate: capability "writeLane"
  };
  // The session is of no use any more: its epoch and why. Called at most once, never after abort().
  using LossHandler = std::function<void(std::uint64_t epoch, Error error)>;

  LiveSession(std::uint64_t epoch, const Services& services, std::size_t max_concurrent_calls,
              LossHandler on_loss);
  ~LiveSession() override;

  // Error: kConfiguration, from the connector.
  Result<void> make(sdk::Connector& connector, const sdk::Profile& profile);
  sdk::Session& session() { return *session_; }
  std::uint64_t epoch() const { return epoch_; }

  // Errors: those of the connector; kBusy "call_queue_timeout"; kTransient "connection_lost" when
  // the session ended first, "call_timeout" when the caller's own time did, both with
  // outcome_unknown for a write that was under way. A connection-class error of the session reports
  // the loss.
  Task<Result<Batch>> call(CallRequest request);
  // Does nothing while calls are under way: each has a deadline of its own and will tell.
  Task<Result<void>> check_health(SteadyTime deadline);

  // Someone who pushes was heard.
  void heard() { last_heard_ = timers_.now(); }
  SteadyTime last_heard() const { return last_heard_; }
  bool ended() const { return ended_; }
  std::size_t calls_inside() const { return gate_.inside(); }

  // Who is told of the certificate that the peer shows.
  void on_certificate(std::function<void(const net::ShownCertificate& shown)> told) {
    on_certificate_ = std::move(told);
  }

  void keep(std::shared_ptr<SessionGuest> guest) { guests_.push_back(std::move(guest)); }
  void release(const SessionGuest* guest) {
    std::erase_if(guests_, [guest](const auto& kept) { return kept.get() == guest; });
  }

  // No new calls; those under way may finish; then the goodbye. Done at `deadline` at the latest,
  // and no byte after.
  Task<void> close(SteadyTime deadline);
  // At once. Calls under way end by themselves.
  void abort() noexcept;
  void report_loss(Error error);

  // sdk::SessionEvents
  void lost(Error error) override { report_loss(std::move(error)); }
  void certificate_shown(const net::ShownCertificate& shown) override {
    if (on_certificate_ && !ended_) on_certificate_(shown);
  }

 private:
  // The turn is taken; leaves the gate.
  Task<Result<Batch>> perform(CallRequest request, SteadyTime deadline);
  Task<Result<Batch>> answer_in_time(CallRequest request, SteadyTime deadline);
  void after_call(const Result<Batch>& result);

  std::uint64_t epoch_;
  Timers& timers_;
  NextAddress network_;
  sdk::SessionContext context_;
  LossHandler on_loss_;
  std::function<void(const net::ShownCertificate&)> on_certificate_;
  CallGate gate_;
  std::vector<std::shared_ptr<SessionGuest>> guests_;
  std::unique_ptr<sdk::Session> session_;
  SteadyTime last_heard_;
  bool ended_ = false;  // aborted, or about to be
};

}  // namespace tributary::connect
