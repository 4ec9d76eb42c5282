#include "connect/subscriptions/subscriptions.hpp"

#include "connect/subscriptions/scan_grid.hpp"
#include "runtime/log.hpp"

namespace tributary::connect {

namespace {

constexpr Duration kFirstRetry{std::chrono::seconds{5}};
constexpr Duration kLongestRetry{std::chrono::seconds{60}};

bool wanted(const FunctionSlot& slot) {
  return slot.config->enabled && slot.config->is_subscription();
}

}  // namespace

Subscriptions::Subscriptions(Executor executor, Clock& clock, Timers& timers, News news)
    : executor_(executor), clock_(clock), timers_(timers), news_(std::move(news)) {}

Subscriptions::Entry* Subscriptions::find(const std::string& function_id) {
  const auto found = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return entry.slot->config->id == function_id; });
  return found == entries_.end() ? nullptr : &*found;
}

Task<Result<std::optional<std::string>>> Subscriptions::open(
    std::shared_ptr<LiveSession> live, std::shared_ptr<const ConnectionConfig> config,
    std::vector<std::shared_ptr<FunctionSlot>> slots, SteadyTime deadline) {
  const auto self = shared_from_this();
  stop();
  live_ = live;
  config_ = std::move(config);
  for (auto& slot : slots) {
    if (!wanted(*slot)) continue;
    Entry entry;
    entry.slot = slot;
    entries_.push_back(std::move(entry));
    const std::string id = slot->config->id;
    Result<void> made = co_await make(id, deadline);
    if (live_ != live)
      co_return fail(ErrorClass::kCancelled, "cancelled", "The attempt was given up.");
    if (!made) co_return fail(std::move(made.error()));
  }
  told_ = note();
  co_return told_;
}

Task<Result<void>> Subscriptions::make(std::string function_id, SteadyTime deadline) {
  Entry* entry = find(function_id);
  const auto live = live_;
  if (!entry || !live) co_return Result<void>{};
  const auto slot = entry->slot;
  const Json no_parameters = json_object();
  auto operation = slot->operation_for(*config_, no_parameters);
  if (!operation) {
    refuse(*entry, std::move(operation.error()));
    co_return Result<void>{};
  }
  slot->freshness.begin(timers_.now());
  auto stirred = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->watch();
  };
  RunnerParts parts{slot, live, *operation, executor_, clock_, timers_, std::move(stirred)};
  if (slot->config->type->polled) {
    entry->polled =
        std::make_shared<PolledRunner>(std::move(parts), config_->policy.request_timeout);
    entry->runner = entry->polled;
    co_return Result<void>{};
  }
  auto pushed = std::make_shared<PushedRunner>(std::move(parts));
  Result<void> opened = co_await pushed->open(deadline);
  entry = find(function_id);  // the list may have changed meanwhile
  if (live_ != live || !entry || entry->slot != slot) {
    co_await pushed->cancel(deadline);
    co_return Result<void>{};
  }
  if (opened) {
    entry->runner = pushed;
    entry->refusals = 0;
    co_return Result<void>{};
  }
  if (is_connection_error(opened.error().error_class) &&
      opened.error().error_class != ErrorClass::kConfiguration) {
    co_return opened;
  }
  refuse(*entry, std::move(opened.error()));
  co_return Result<void>{};
}

void Subscriptions::refuse(Entry& entry, Error error) {
  log::warning("connect", "A subscription was refused.",
               {{"connection", config_->name},
                {"function", entry.slot->config->name},
                {"error", error.message}});
  entry.slot->stats->state = SubscriptionState::kFailed;
  entry.slot->stats->set_error(std::move(error));
  entry.runner.reset();
  entry.polled.reset();
  ++entry.refusals;
  if (started_) arm_retry(entry);
}

void Subscriptions::arm_retry(Entry& entry) {
  const int doublings = std::min(entry.refusals - 1, 10);
  const Duration wait = std::min(kFirstRetry * (1 << doublings), kLongestRetry);
  entry.retry =
      timers_.at(executor_, timers_.now() + wait,
                 [weak = weak_from_this(), id = entry.slot->config->id, epoch = live_->epoch()] {
                   const auto self = weak.lock();
                   if (!self) return;
                   spawn(self->executor_,
                         [](std::shared_ptr<Subscriptions> subscriptions, std::string function,
                            std::uint64_t of) -> Task<void> {
                           co_await subscriptions->retry(std::move(function), of);
                         }(self, id, epoch));
                 });
}

Task<void> Subscriptions::retry(std::string function_id, std::uint64_t epoch) {
  if (!live_ || live_->epoch() != epoch) co_return;
  const auto live = live_;
  const SteadyTime deadline = timers_.now() + config_->policy.request_timeout;
  Result<void> made = co_await make(function_id, deadline);
  if (live_ != live) co_return;
  if (!made) {
    live->report_loss(std::move(made.error()));
    co_return;
  }
  if (Entry* entry = find(function_id); entry && entry->polled) start_polling(*entry, 0, 1);
  tell_note();
  watch();
}

void Subscriptions::start_polling(Entry& entry, std::size_t index, std::size_t count) {
  entry.refusals = 0;
  entry.slot->stats->set_error(std::nullopt);
  entry.polled->start(stagger(interval_of(*entry.slot->config), index, count));
}

void Subscriptions::start() {
  started_ = true;
  const auto polled = static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const Entry& entry) { return entry.polled != nullptr; }));
  std::size_t index = 0;
  for (auto& entry : entries_) {
    if (entry.polled) {
      start_polling(entry, index++, polled);
    } else if (!entry.runner) {
      arm_retry(entry);
    }
  }
  watch();
  for (auto& slot : std::exchange(late_, {})) {
    spawn(executor_,
          [](std::shared_ptr<Subscriptions> subscriptions,
             std::shared_ptr<FunctionSlot> late) -> Task<void> {
            co_await subscriptions->replace(std::move(late));
          }(shared_from_this(), std::move(slot)));
  }
}

void Subscriptions::stop() {
  late_.clear();
  for (auto& entry : entries_) {
    if (entry.runner) entry.runner->stop();
    if (entry.slot->stats->state != SubscriptionState::kFailed)
      entry.slot->stats->state = SubscriptionState::kWaiting;
    entry.slot->stats->restored = false;
  }
  watch_timer_.reset();
  entries_.clear();
  live_.reset();
  told_.reset();
  started_ = false;
}

std::optional<std::string> Subscriptions::note() const {
  const auto refused =
      std::ranges::count_if(entries_, [](const Entry& entry) { return entry.runner == nullptr; });
  auto silence = silence_note();
  if (refused == 0) return silence;
  auto text = fmt::format("{} of {} subscriptions refused", refused, entries_.size());
  return silence ? text + "; " + *silence : text;
}

void Subscriptions::tell_note() {
  if (!live_ || !started_) return;
  auto now = note();
  if (now == told_) return;
  told_ = now;
  news_.degraded(live_->epoch(), std::move(now));
}

Task<void> Subscriptions::remove(std::string function_id) {
  const auto self = shared_from_this();
  std::erase_if(late_, [&](const auto& slot) { return slot->config->id == function_id; });
  clear_silence(function_id);
  Entry* entry = find(function_id);
  if (!entry) co_return;
  const auto runner = entry->runner;
  const auto slot = entry->slot;
  slot->stats->state = SubscriptionState::kWaiting;
  slot->stats->restored = false;
  std::erase_if(entries_,
                [&](const Entry& other) { return other.slot->config->id == function_id; });
  if (runner) runner->stop();
  // Nobody refreshes these values any more: whoever still looks at them must not take them for
  // good.
  Scan scan = slot->values.mark_all(kBadOutOfService, nullptr, clock_.utc_now());
  if (!scan.samples.empty())
    slot->feed->announce(std::make_shared<const Batch>(Batch::of(std::move(scan))));
  if (runner) {
    const SteadyTime deadline = timers_.now() + config_->policy.request_timeout;
    co_await runner->cancel(deadline);
  }
  tell_note();
}

Task<void> Subscriptions::replace(std::shared_ptr<FunctionSlot> slot) {
  const auto self = shared_from_this();
  const std::string id = slot->config->id;
  if (live_ && !started_) {
    late_.push_back(std::move(slot));
    co_return;
  }
  co_await remove(id);
  if (!live_ || !started_ || !wanted(*slot)) co_return;
  Entry entry;
  entry.slot = std::move(slot);
  entries_.push_back(std::move(entry));
  co_await retry(id, live_->epoch());
}

}  // namespace tributary::connect
