#include "connect/subscriptions/runner.hpp"

#include "connect/subscriptions/scan_grid.hpp"

namespace tributary::connect {

namespace {

// A poll waits for its turn behind reads and writes; if they leave it no room for so long, the scan
// is given up.
constexpr Duration kPollPatience{std::chrono::seconds{60}};

ReportRule rule_of(const FunctionConfig& function) {
  return {get_string(function.settings, "reportOn", "change") != "always",
          get_double(function.settings, "deadband", 0.0),
          get_string(function.settings, "deadbandType", "absolute") == "percent"};
}

std::int64_t count_samples(const Batch& batch) {
  return static_cast<std::int64_t>(batch.size());
}

// Whether a batch says anything about how things are now. A message that a broker had kept does
// not: nobody may have sent it for days (edge case 40).
bool says_something_new(const Batch& batch) {
  if (!batch.is_scans()) {
    return std::ranges::any_of(
        batch.records(), [](const Record& record) { return !get_bool(record, "retained", false); });
  }
  return std::ranges::any_of(batch.scans(), [](const Scan& scan) {
    return std::ranges::any_of(scan.samples,
                               [](const Sample& sample) { return !sample.quality.is_bad(); });
  });
}

void note_value(const RunnerParts& parts) {
  FunctionSlot& slot = *parts.slot;
  const bool first = !slot.freshness.restored();
  slot.freshness.value(parts.timers.now());
  slot.stats->last_value_us = to_micros(parts.clock.utc_now());
  const bool was_silent = slot.stats->state.load() == SubscriptionState::kSilent;
  if (!first && !was_silent) return;
  slot.stats->restored = true;
  if (parts.stirred) parts.stirred();
}

void keep_records(FunctionSlot& slot, const RunnerParts& parts,
                  const std::shared_ptr<const Batch>& batch) {
  slot.last_records = batch;
  slot.last_records_at = parts.timers.now();
  slot.last_records_utc = parts.clock.utc_now();
}

// Hands a batch to the consumers; the time they need is not the peer's silence.
Task<Result<void>> deliver_to_feed(std::shared_ptr<FunctionSlot> slot, Timers& timers,
                                   std::shared_ptr<const Batch> batch) {
  slot->freshness.hold();
  Result<void> accepted = co_await slot->feed->deliver(std::move(batch));
  slot->freshness.release(timers.now());
  co_return accepted;
}

}  // namespace

Task<void> Runner::cancel(SteadyTime /*deadline*/) {
  stop();
  co_return;
}

PolledRunner::PolledRunner(RunnerParts parts, Duration request_timeout)
    : parts_(std::move(parts)),
      request_timeout_(request_timeout),
      interval_(interval_of(*parts_.slot->config)),
      rule_(rule_of(*parts_.slot->config)),
      pause_(parts_.executor, parts_.timers) {}

void PolledRunner::start(Duration delay) {
  parts_.slot->values.report_all_next();
  parts_.slot->stats->state = SubscriptionState::kActive;
  spawn(parts_.executor, [](std::shared_ptr<PolledRunner> self, SteadyTime origin) -> Task<void> {
    co_await self->run(origin);
  }(shared_from_this(), parts_.timers.now() + delay));
}

void PolledRunner::stop() {
  stopped_ = true;
  pause_.wake();
}

Task<void> PolledRunner::run(SteadyTime origin) {
  ScanGrid grid(origin, interval_);
  while (true) {
    co_await pause_.until(grid.next());
    if (stopped()) co_return;
    co_await scan();
    if (stopped()) co_return;
    parts_.slot->stats->overruns += grid.advance(parts_.timers.now());
  }
}

Task<void> PolledRunner::scan() {
  FunctionSlot& slot = *parts_.slot;
  CallRequest request;
  request.operation = parts_.operation;
  request.priority = Priority::kPoll;
  request.turn_deadline = parts_.timers.now() + kPollPatience;
  request.request_timeout = request_timeout_;
  const auto requests = static_cast<Duration::rep>(parts_.operation->round_trips());
  auto permit =
      slot.breaker.ask(parts_.timers.now(), request.turn_deadline + requests * request_timeout_);
  if (!permit) {
    co_await skip();
    co_return;
  }
  Result<Batch> result = co_await parts_.live->call(std::move(request));
  const Judgement judgement = judge(result);
  report(*permit, judgement, parts_.timers.now());
  if (stopped()) co_return;
  if (result) {
    co_await take(*std::move(result), judgement);
  } else if (result.error().error_class == ErrorClass::kFunction) {
    slot.freshness.answered(parts_.timers.now());
    co_await take_failure(std::move(result.error()));
  } else {
    slot.stats->set_error(std::move(result.error()));
  }
}

Task<void> PolledRunner::skip() {
  FunctionSlot& slot = *parts_.slot;
  slot.freshness.answered(parts_.timers.now());
  const auto why = slot.breaker.last_failure();
  // The failure itself marked the points; only a new session has to be told.
  if (std::exchange(told_rest_, true) || !why) co_return;
  Error error = *why;
  co_await take_failure(std::move(error));
}

Task<void> PolledRunner::take(Batch batch, const Judgement& judgement) {
  FunctionSlot& slot = *parts_.slot;
  told_rest_ = judgement.failure != nullptr;
  slot.stats->set_error(told_rest_ ? std::optional<Error>(*judgement.failure) : std::nullopt);
  if (says_something_new(batch)) {
    note_value(parts_);
  } else {
    slot.freshness.answered(parts_.timers.now());
  }
  if (batch.is_scans()) {
    auto& scans = std::get<std::vector<Scan>>(batch.content);
    for (auto& scan : scans) slot.values.apply(scan, rule_, parts_.timers.now());
    std::erase_if(scans, [](const Scan& scan) { return scan.samples.empty(); });
    if (scans.empty()) co_return;
  } else {
    if (batch.records().empty()) co_return;
    const bool same = slot.last_records && !slot.last_records->is_scans() &&
                      slot.last_records->records() == batch.records();
    if (same) keep_records(slot, parts_, slot.last_records);
    if (rule_.on_change && same) co_return;
  }
  slot.stats->samples += count_samples(batch);
  const bool keeps_records = !batch.is_scans();
  if (!keeps_records && !slot.feed->has_audience()) co_return;
  auto shared = std::make_shared<const Batch>(std::move(batch));
  if (keeps_records) keep_records(slot, parts_, shared);
  Result<void> accepted = co_await deliver_to_feed(parts_.slot, parts_.timers, shared);
  if (!accepted) slot.stats->set_error(std::move(accepted.error()));
}

Task<void> PolledRunner::take_failure(Error error) {
  FunctionSlot& slot = *parts_.slot;
  told_rest_ = true;
  slot.stats->set_error(error);
  const auto why = std::make_shared<const Error>(std::move(error));
  Scan scan = slot.values.mark_all(kBad, why, parts_.clock.utc_now());
  if (scan.samples.empty()) co_return;
  auto batch = std::make_shared<const Batch>(Batch::of(std::move(scan)));
  co_await deliver_to_feed(parts_.slot, parts_.timers, batch);
}

PushedRunner::PushedRunner(RunnerParts parts)
    : parts_(std::move(parts)), live_(std::move(parts_.live)) {}

Task<Result<void>> PushedRunner::open(SteadyTime deadline) {
  const auto self = shared_from_this();
  const auto live = live_.lock();
  auto* subscriber = live ? dynamic_cast<sdk::Subscriber*>(&live->session()) : nullptr;
  if (!subscriber) {
    co_return fail(ErrorClass::kConfiguration, "not_a_subscriber",
                   "This system does not send data by itself.");
  }
  live->keep(self);
  // The connector may deliver before it confirms: the values belong to this session already.
  parts_.slot->values.report_all_next();
  auto subscribed = co_await subscriber->subscribe(*parts_.operation, *this, deadline);
  if (!subscribed) {
    stopped_ = true;
    live->release(this);
    co_return fail(std::move(subscribed.error()));
  }
  subscription_ = *std::move(subscribed);
  if (stopped_) {
    co_await cancel(deadline);
    co_return fail(ErrorClass::kCancelled, "cancelled",
                   "The subscription was stopped while it was being made.");
  }
  parts_.slot->stats->set_error(std::nullopt);
  parts_.slot->stats->state = SubscriptionState::kActive;
  co_return Result<void>{};
}

void PushedRunner::stop() {
  stopped_ = true;
}

Task<void> PushedRunner::cancel(SteadyTime deadline) {
  const auto self = shared_from_this();
  stopped_ = true;
  const auto live = live_.lock();
  if (!live || live->ended() || !subscription_) co_return;
  co_await subscription_->cancel(deadline);
  subscription_.reset();
  live->release(this);
}

Task<Result<void>> PushedRunner::deliver(Batch batch) {
  const auto self = shared_from_this();
  const auto live = live_.lock();
  if (stopped_ || !live || live->ended()) {
    co_return fail(ErrorClass::kCancelled, "cancelled", "Nobody wants more of this subscription.");
  }
  live->heard();
  FunctionSlot& slot = *parts_.slot;
  slot.stats->samples += count_samples(batch);
  if (says_something_new(batch)) note_value(parts_);
  if (batch.is_scans()) {
    // The peer decides what is worth sending; here only the last values are kept.
    const ReportRule everything{false, 0.0};
    for (auto& scan : std::get<std::vector<Scan>>(batch.content)) {
      slot.values.apply(scan, everything, parts_.timers.now());
    }
    if (!slot.feed->has_audience()) co_return Result<void>{};
  }
  auto shared = std::make_shared<const Batch>(std::move(batch));
  if (!shared->is_scans()) keep_records(slot, parts_, shared);
  Result<void> accepted = co_await deliver_to_feed(parts_.slot, parts_.timers, shared);
  if (!accepted) slot.stats->set_error(accepted.error());
  co_return accepted;
}

}  // namespace tributary::connect
