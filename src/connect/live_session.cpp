#include "connect/live_session.hpp"

namespace tributary::connect {

namespace {

// Of the time for a polite close, this part is left to the protocol's goodbye.
constexpr Duration kGoodbye{std::chrono::seconds{1}};
// A caller's time that ends less than this part of a request's time-out before it.
constexpr int kNearPart = 20;
// Other calls are in the way: they are over before long.
constexpr std::int64_t kQueueRetryMs = 1000;

// Says so when it was a write that may have reached the peer.
Error cut_off(Error error, bool writes) {
  if (!writes) return error;
  error.outcome_unknown = true;
  error.message += " The write may or may not have happened.";
  error.hint = "Read the value back before writing again.";
  return error;
}

Error ended_error() {
  return {ErrorClass::kTransient, "connection_lost",
          "The connection ended before the answer came."};
}

Error queue_timeout() {
  Error error(ErrorClass::kBusy, "call_queue_timeout",
              "Other calls kept the connection busy until the deadline.",
              "Poll less often, or allow the call more time.");
  error.retry_after_ms = kQueueRetryMs;
  return error;
}

}  // namespace

LiveSession::LiveSession(std::uint64_t epoch, const Services& services,
                         std::size_t max_concurrent_calls, LossHandler on_loss)
    : epoch_(epoch),
      timers_(services.timers),
      network_(services.network, services.first_address),
      context_{services.executor, services.clock, services.timers, network_, *this, services.http},
      on_loss_(std::move(on_loss)),
      gate_(services.executor, max_concurrent_calls, services.write_lane),
      last_heard_(services.timers.now()) {}

LiveSession::~LiveSession() {
  abort();
  for (const auto& guest : guests_) guest->session_ends();
}

Result<void> LiveSession::make(sdk::Connector& connector, const sdk::Profile& profile) {
  auto session = connector.make_session(context_, profile);
  if (!session) return fail(std::move(session.error()));
  session_ = *std::move(session);
  return {};
}

void LiveSession::after_call(const Result<Batch>& result) {
  if (result || result.error().error_class == ErrorClass::kFunction) {
    heard();
  } else if (is_connection_error(result.error().error_class)) {
    report_loss(result.error());
  }
}

Task<Result<Batch>> LiveSession::call(CallRequest request) {
  const auto self = shared_from_this();
  if (ended_) co_return fail(ended_error());
  if (!gate_.try_enter(request.priority)) {
    const bool entered = co_await gate_.enter(request.priority, timers_, request.turn_deadline);
    if (!entered && gate_.closed()) co_return fail(ended_error());
    if (!entered) co_return fail(queue_timeout());
  }
  if (ended_) {
    gate_.leave(request.priority);
    co_return fail(ended_error());
  }
  // The request timeout is that of one request; an operation may be made of several.
  const auto requests = static_cast<Duration::rep>(request.operation->round_trips());
  SteadyTime deadline =
      std::max(request.call_deadline, timers_.now() + requests * request.request_timeout);
  if (request.answer_by && deadline > *request.answer_by) {
    // Nearly the same: then one deadline is enough for both, and a call costs less.
    const bool near = deadline - *request.answer_by < request.request_timeout / kNearPart;
    if (!near) co_return co_await answer_in_time(std::move(request), deadline);
    deadline = *request.answer_by;
  }
  co_return co_await perform(std::move(request), deadline);
}

Task<Result<Batch>> LiveSession::perform(CallRequest request, SteadyTime deadline) {
  const auto self = shared_from_this();
  Result<Batch> result = co_await session_->call(*request.operation, request.parameters, deadline);
  gate_.leave(request.priority);
  if (ended_ && !result && result.error().error_class == ErrorClass::kCancelled)
    result = fail(cut_off(ended_error(), request.writes));
  after_call(result);
  if (request.ended) request.ended(result);
  co_return result;
}

Task<Result<Batch>> LiveSession::answer_in_time(CallRequest request, SteadyTime deadline) {
  struct Pending {
    explicit Pending(Executor executor) : done(executor) {}
    Event done;
    std::optional<Result<Batch>> result;
  };
  const SteadyTime answer_by = *request.answer_by;
  const bool writes = request.writes;
  auto pending = std::make_shared<Pending>(context_.executor);
  spawn(context_.executor,
        [](std::shared_ptr<LiveSession> live, CallRequest what, SteadyTime until,
           std::shared_ptr<Pending> into) -> Task<void> {
          Result<Batch> result = co_await live->perform(std::move(what), until);
          into->result = std::move(result);
          into->done.set();
        }(shared_from_this(), std::move(request), deadline, pending));
  co_await pending->done.wait_until(timers_, answer_by);
  if (pending->result) co_return *std::move(pending->result);
  Error late(ErrorClass::kTransient, "call_timeout",
             "The time of this call was over before the answer came.",
             "Allow the call more time (timeoutMs), or ask for less at once.");
  co_return fail(cut_off(std::move(late), writes));
}

Task<Result<void>> LiveSession::check_health(SteadyTime deadline) {
  const auto self = shared_from_this();
  if (ended_ || !gate_.try_enter()) co_return Result<void>{};
  Result<void> result = co_await session_->check_health(deadline);
  gate_.leave();
  if (result) heard();
  co_return result;
}

Task<void> LiveSession::close(SteadyTime deadline) {
  const auto self = shared_from_this();
  if (ended_) co_return;
  gate_.close();
  co_await gate_.drained(timers_, deadline - kGoodbye);
  if (ended_) co_return;
  // The connector promises to be bounded; this does not depend on it.
  auto said = std::make_shared<Event>(context_.executor);
  spawn(context_.executor,
        [](std::shared_ptr<LiveSession> live, std::shared_ptr<Event> done,
           SteadyTime until) -> Task<void> {
          co_await live->session_->close(until);
          done->set();
        }(self, said, deadline));
  co_await said->wait_until(timers_, deadline);
  abort();
}

void LiveSession::abort() noexcept {
  if (std::exchange(ended_, true)) return;
  on_loss_ = nullptr;
  gate_.close();
  if (session_) session_->abort();
}

void LiveSession::report_loss(Error error) {
  if (ended_) return;
  if (auto handler = std::exchange(on_loss_, nullptr)) handler(epoch_, std::move(error));
}

}  // namespace tributary::connect
