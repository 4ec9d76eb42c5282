#include "connect/subscriptions/runner.hpp"

#include "connect/subscriptions/scan_grid.hpp"

namespace tributary::connect {

namespace {

// A poll waits for its turn behind reads and writes; if they leave it no room for so long, the scan
// is given up.
constexpr Duration kPollPatience{std::chrono::seconds{60}};
constexpr std::int64_t kDefaultIntervalMs = 1000;

ReportRule rule_of(const FunctionConfig& function) {
  return {get_string(function.settings, "reportOn", "change") != "always",
          get_double(function.settings, "deadband", 0.0)};
}

std::int64_t count_samples(const Batch& batch) {
  return static_cast<std::int64_t>(batch.size());
}

}  // namespace

Task<void> Runner::cancel(SteadyTime /*deadline*/) {
  stop();
  co_return;
}

Duration interval_of(const FunctionConfig& function) {
  return std::chrono::milliseconds{
      std::max<std::int64_t>(1, get_int(function.settings, "intervalMs", kDefaultIntervalMs))};
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
  CallRequest request;
  request.operation = parts_.operation;
  request.priority = Priority::kPoll;
  request.turn_deadline = parts_.timers.now() + kPollPatience;
  request.request_timeout = request_timeout_;
  Result<Batch> result = co_await parts_.live->call(std::move(request));
  if (stopped()) co_return;
  if (result) {
    co_await take(*std::move(result));
  } else if (result.error().error_class == ErrorClass::kFunction) {
    co_await take_failure(std::move(result.error()));
  } else {
    parts_.slot->stats->set_error(std::move(result.error()));
  }
}

Task<void> PolledRunner::take(Batch batch) {
  FunctionSlot& slot = *parts_.slot;
  slot.stats->set_error(std::nullopt);
  if (batch.is_scans()) {
    auto& scans = std::get<std::vector<Scan>>(batch.content);
    for (auto& scan : scans) slot.values.apply(scan, rule_, parts_.timers.now());
    std::erase_if(scans, [](const Scan& scan) { return scan.samples.empty(); });
    if (scans.empty()) co_return;
  } else {
    if (batch.records().empty()) co_return;
    const bool same = slot.last_records && !slot.last_records->is_scans() &&
                      slot.last_records->records() == batch.records();
    if (rule_.on_change && same) co_return;
  }
  slot.stats->samples += count_samples(batch);
  const bool keeps_records = !batch.is_scans();
  if (!keeps_records && !slot.feed->has_audience()) co_return;
  auto shared = std::make_shared<const Batch>(std::move(batch));
  if (keeps_records) slot.last_records = shared;
  Result<void> accepted = co_await slot.feed->deliver(shared);
  if (!accepted) slot.stats->set_error(std::move(accepted.error()));
}

Task<void> PolledRunner::take_failure(Error error) {
  FunctionSlot& slot = *parts_.slot;
  slot.stats->set_error(error);
  const auto why = std::make_shared<const Error>(std::move(error));
  Scan scan = slot.values.mark_all(kBad, why, parts_.clock.utc_now());
  if (scan.samples.empty()) co_return;
  auto batch = std::make_shared<const Batch>(Batch::of(std::move(scan)));
  co_await slot.feed->deliver(batch);
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
  if (batch.is_scans()) {
    // The peer decides what is worth sending; here only the last values are kept.
    const ReportRule everything{false, 0.0};
    for (auto& scan : std::get<std::vector<Scan>>(batch.content)) {
      slot.values.apply(scan, everything, parts_.timers.now());
    }
    if (!slot.feed->has_audience()) co_return Result<void>{};
  }
  auto shared = std::make_shared<const Batch>(std::move(batch));
  if (!shared->is_scans()) slot.last_records = shared;
  Result<void> accepted = co_await slot.feed->deliver(shared);
  if (!accepted) slot.stats->set_error(accepted.error());
  co_return accepted;
}

}  // namespace tributary::connect
