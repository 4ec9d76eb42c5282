// A running subscription: one function, one session. Polled by us or pushed by the peer.
#pragma once

#include <memory>

#include "connect/live_session.hpp"
#include "connect/subscriptions/function_slot.hpp"
#include "connect/subscriptions/pause.hpp"

namespace tributary::connect {

class Runner {
 public:
  virtual ~Runner() = default;
  // Nothing is delivered after it returned, except what consumers are already busy with.
  virtual void stop() = 0;
  // As stop(), and tells the peer (pushed subscriptions of a session that goes on).
  virtual Task<void> cancel(SteadyTime deadline);
};

struct RunnerParts {
  std::shared_ptr<FunctionSlot> slot;
  std::shared_ptr<LiveSession> live;
  std::shared_ptr<const sdk::Operation> operation;
  Executor executor;
  Clock& clock;
  Timers& timers;
  // A value came after a silence, or as the first of the session.
  std::function<void()> stirred;
};

// Calls the operation on a fixed grid of settings.intervalMs, one call outstanding. Missed grid
// points are merged and counted as overruns. Passes on what changed, or everything with reportOn
// "always".
class PolledRunner final : public Runner, public std::enable_shared_from_this<PolledRunner> {
 public:
  PolledRunner(RunnerParts parts, Duration request_timeout);
  // The first scan is `delay` from now.
  void start(Duration delay);
  void stop() override;

 private:
  Task<void> run(SteadyTime origin);
  Task<void> scan();
  Task<void> take(Batch batch, const Judgement& judgement);
  // The function's breaker is open: it is left alone for this time.
  Task<void> skip();
  Task<void> take_failure(Error error);
  bool stopped() const { return stopped_ || parts_.live->ended(); }

  RunnerParts parts_;
  Duration request_timeout_;
  Duration interval_;
  ReportRule rule_;
  Pause pause_;
  bool stopped_ = false;
  bool told_rest_ = false;  // the points of this session say that the function rests
};

// The peer sends when it has something. Its acknowledgement waits for the consumers.
class PushedRunner final : public Runner,
                           public sdk::Sink,
                           public SessionGuest,
                           public std::enable_shared_from_this<PushedRunner> {
 public:
  explicit PushedRunner(RunnerParts parts);
  // Confirmed by the peer when it returns. Errors: those of sdk::Subscriber; kConfiguration
  // "not_a_subscriber".
  Task<Result<void>> open(SteadyTime deadline);
  void stop() override;
  Task<void> cancel(SteadyTime deadline) override;

  // sdk::Sink
  Task<Result<void>> deliver(Batch batch) override;
  // SessionGuest
  void session_ends() noexcept override { subscription_.reset(); }

 private:
  RunnerParts parts_;  // without the session: it holds us
  std::weak_ptr<LiveSession> live_;
  std::unique_ptr<sdk::Subscription> subscription_;
  bool stopped_ = false;
};

}  // namespace tributary::connect
