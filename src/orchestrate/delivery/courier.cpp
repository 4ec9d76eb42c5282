#include "orchestrate/delivery/courier.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "orchestrate/delivery/state_keys.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::size_t kPageEntries = 500;
constexpr std::size_t kPageBytes = 1U << 20;
// Entries between two settlements when each is a call of its own.
constexpr std::size_t kSingleCalls = 50;
constexpr Duration kStoreRetry{std::chrono::milliseconds{100}};
constexpr Duration kMaxStoreRetry{std::chrono::seconds{2}};
// A destination that refuses everything is asked less and less often.
constexpr std::int64_t kPatientRefusals = 20;
constexpr std::size_t kCautiousRecords = 4;
constexpr Duration kRefusalPause{std::chrono::milliseconds{200}};
constexpr Duration kMaxRefusalPause{std::chrono::seconds{2}};
constexpr Duration kThrottleStep{std::chrono::milliseconds{100}};

void wake(std::shared_ptr<Event>& slot) {
  if (slot) std::exchange(slot, nullptr)->set();
}

}  // namespace

Courier::Courier(spool::QueueId queue, Destination destination, Delivery delivery,
                 CourierContext context)
    : queue_(std::move(queue)),
      destination_(std::move(destination)),
      delivery_(std::move(delivery)),
      context_(std::move(context)),
      random_(random_seed()),
      delay_(delivery_.initial_delay),
      finished_(context_.executor) {}

void Courier::start(std::int64_t in_doubt) {
  in_doubt_ = in_doubt;
  announced_ = in_doubt;
  started_ = true;
  spawn(context_.executor, work(shared_from_this()));
}

Task<void> Courier::stop() {
  stopping_ = true;
  wake(news_);
  wake(poke_);
  if (!started_) co_return;
  const auto self = shared_from_this();
  const SteadyTime until = context_.timers.now() + kStopPatience;
  co_await finished_.wait_until(context_.timers, until);
}

void Courier::appended(const spool::Appended& result, std::vector<spool::Entry> entries) {
  const bool fits = warm_.size() + entries.size() <= kMaxWarmEntries;
  const std::int64_t expected = warm_.empty() ? settled_ + 1 : warm_.back().seq + 1;
  std::int64_t bytes = 0;
  for (const spool::Entry& entry : entries)
    bytes += static_cast<std::int64_t>(entry.payload.size());
  // Counters that are being read may be from before. What was dropped only the spool knows.
  const bool dropped = result.dropped_oldest > 0 || result.dropped_newest > 0;
  if (dropped || refreshing_) stale_ = true;
  if (dropped) {
    if (!refreshing_ && context_.timers.now() >= count_after_)
      spawn(context_.executor, count(shared_from_this()));
  } else {
    const std::lock_guard lock(mutex_);
    view_.queue.accepted += result.accepted;
    view_.queue.waiting += result.accepted;
    view_.queue.bytes += bytes;
    if (!view_.queue.oldest_at && !entries.empty()) view_.queue.oldest_at = entries.front().at;
  }
  const bool whole = result.accepted == static_cast<std::int64_t>(entries.size());
  if (fits && whole && !stale_ && expected == result.first_seq && warm_bytes_ < kMaxWarmBytes) {
    std::int64_t seq = result.first_seq;
    for (spool::Entry& entry : entries) {
      entry.seq = seq++;
      warm_bytes_ += entry.payload.size();
      warm_.push_back(ready(std::move(entry)));
    }
  }
  wake(news_);
}

void Courier::poke() {
  stale_ = true;
  wake(news_);
  wake(poke_);
}

DeliveryView Courier::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

Courier::Ready Courier::ready(spool::Entry entry) {
  Ready made{entry.seq, entry.at, entry.payload.size(), {}, std::nullopt};
  auto outgoing = from_payload(entry.payload);
  if (outgoing) {
    made.outgoing = std::move(*outgoing);
  } else {
    made.damage = std::move(outgoing.error());
  }
  return made;
}

Task<void> Courier::work(Self self) {
  while (!self->stopping_) {
    if (self->stale_) co_await refresh(self);
    std::vector<Ready> page = co_await next_page(self);
    if (self->stopping_) break;
    if (page.empty()) {
      auto news = std::make_shared<Event>(self->context_.executor);
      self->news_ = news;
      if (!self->stale_ && self->warm_.empty()) co_await news->wait();
      continue;
    }
    co_await deliver(self, std::move(page));
  }
  self->finished_.set();
}

Task<Result<void>> Courier::read_counters(Self self) {
  self->stale_ = false;
  self->refreshing_ = true;
  spool::QueueId queue = self->queue_;
  auto stats = co_await self->context_.spool.stats(std::move(queue));
  self->refreshing_ = false;
  self->count_after_ = self->context_.timers.now() + kCountInterval;
  if (!stats) {
    self->stale_ = true;
    co_return fail(std::move(stats.error()));
  }
  // Every entry that was ever accepted has the next number.
  if (stats->waiting == 0) self->settled_ = std::max(self->settled_, stats->accepted);
  const std::lock_guard lock(self->mutex_);
  self->view_.queue = *stats;
  co_return Result<void>{};
}

Task<void> Courier::count(Self self) {
  co_await read_counters(self);
  // The work goes on as it was: it reads them again when it needs them.
  self->stale_ = true;
}

Task<void> Courier::refresh(Self self) {
  auto read = co_await read_counters(self);
  if (read) co_return;
  self->note(std::move(read.error()), kStoreRetry);
  co_await pause(self, kStoreRetry);
}

Task<std::vector<Courier::Ready>> Courier::next_page(Self self) {
  auto& warm = self->warm_;
  while (!warm.empty() && warm.front().seq <= self->settled_) {
    self->warm_bytes_ -= warm.front().bytes;
    warm.pop_front();
  }
  std::vector<Ready> page;
  if (!warm.empty() && warm.front().seq == self->settled_ + 1) {
    std::size_t bytes = 0;
    while (!warm.empty() && page.size() < kPageEntries && bytes < kPageBytes) {
      bytes += warm.front().bytes;
      self->warm_bytes_ -= warm.front().bytes;
      page.push_back(std::move(warm.front()));
      warm.pop_front();
    }
    co_return page;
  }
  // Before the first settlement `settled_` is 0, and the oldest entry has any number.
  if (self->view().queue.waiting == 0) co_return page;
  spool::QueueId queue = self->queue_;
  auto entries = co_await self->context_.spool.read(std::move(queue), self->settled_, kPageEntries,
                                                    kPageBytes);
  if (!entries) {
    self->note(std::move(entries.error()), kMaxStoreRetry);
    co_await pause(self, kMaxStoreRetry);
    self->stale_ = true;
    co_return page;
  }
  if (entries->empty()) self->stale_ = true;
  for (spool::Entry& entry : *entries) page.push_back(ready(std::move(entry)));
  if (!page.empty()) {
    self->settled_ = page.front().seq - 1;
    const std::lock_guard lock(self->mutex_);
    self->view_.queue.oldest_at = page.front().at;
  }
  co_return page;
}

std::optional<Error> Courier::unsendable(const Ready& entry) const {
  if (entry.damage) return entry.damage;
  if (entry.seq <= in_doubt_ && !destination_.repeat_unknown) {
    Error error(ErrorClass::kFunction, "outcome_unknown",
                "The hub ended while this was being written: it may have reached the target.",
                "Look at the target, then release or delete it.");
    error.outcome_unknown = true;
    return error;
  }
  const auto age = context_.clock.utc_now() - entry.at;
  if (age >= delivery_.give_up_after) {
    return Error(
        ErrorClass::kFunction, "too_old",
        fmt::format("It waited for longer than {:.0f} s.", to_seconds(delivery_.give_up_after)),
        "Release it when it is still wanted, or make deadLetterAfter longer.");
  }
  return std::nullopt;
}

bool Courier::is_backfill(const Ready& entry) const {
  return context_.clock.utc_now() - entry.at > kBackfillAge;
}

std::size_t Courier::sendable(const std::vector<Ready>& page, std::size_t from) const {
  std::size_t limit = destination_.function.batch ? destination_.max_records : kSingleCalls;
  if (refused_in_a_row_ >= kPatientRefusals) limit = std::min(limit, kCautiousRecords);
  const bool backfill = is_backfill(page[from]);
  if (backfill && delivery_.backfill_per_second > 0) {
    const auto steps = std::chrono::seconds{1} / kThrottleStep;
    limit = std::min<std::size_t>(
        limit, static_cast<std::size_t>(std::max<std::int64_t>(
                   1, delivery_.backfill_per_second / static_cast<std::int64_t>(steps))));
  }
  std::size_t count = 0;
  while (from + count < page.size() && count < limit && !unsendable(page[from + count]) &&
         is_backfill(page[from + count]) == backfill) {
    ++count;
  }
  return count;
}

Task<bool> Courier::deliver(Self self, std::vector<Ready> page) {
  std::size_t from = 0;
  while (from < page.size() && !self->stopping_) {
    spool::Settlement given_up;
    std::size_t bytes = 0;
    while (from < page.size()) {
      auto reason = self->unsendable(page[from]);
      if (!reason) break;
      given_up.up_to = page[from].seq;
      given_up.dead.push_back({page[from].seq, self->attempts_, std::move(*reason)});
      bytes += page[from].bytes;
      ++from;
    }
    if (given_up.up_to > 0) {
      const bool settled = co_await settle(self, std::move(given_up), bytes);
      if (!settled) co_return false;
      continue;
    }
    const std::size_t count = self->sendable(page, from);
    const bool throttled = self->delivery_.backfill_per_second > 0 && self->is_backfill(page[from]);
    const std::size_t ended = co_await send_some(self, page, from, count);
    from += ended;
    if (ended < count) co_return false;
    if (throttled) co_await pause(self, kThrottleStep);
  }
  co_return from == page.size();
}

Task<std::size_t> Courier::send_some(Self self, std::vector<Ready>& page, std::size_t from,
                                     std::size_t count) {
  if (!self->destination_.repeat_unknown) {
    const bool announced = co_await announce(self, page[from + count - 1].seq);
    if (!announced) co_return 0;
  }
  std::vector<Outgoing> items;
  items.reserve(count);
  const bool backfill = self->is_backfill(page[from]);
  for (std::size_t i = from; i < from + count; ++i) {
    items.push_back(std::move(page[i].outgoing));
    if (backfill) mark_backfill(items.back());
  }
  std::function<bool()> stopped = [self] { return self->stopping_; };
  const std::span<const Outgoing> span(items);
  SendReport report =
      co_await send(self->context_.functions, self->destination_, span, std::move(stopped));
  const std::optional<Error> obstacle = report.obstacle;
  spool::Settlement settlement = self->settlement_of(page, from, report);
  const std::size_t ended = report.done;
  if (ended > 0) {
    if (settlement.dead.size() == ended) {
      self->refused_in_a_row_ += static_cast<std::int64_t>(ended);
    } else {
      self->refused_in_a_row_ = 0;
    }
    std::size_t bytes = 0;
    for (std::size_t i = from; i < from + ended; ++i) bytes += page[i].bytes;
    const bool settled = co_await settle(self, std::move(settlement), bytes);
    if (!settled) co_return 0;
    self->attempts_ = 0;
    self->delay_ = self->delivery_.initial_delay;
  }
  if (obstacle && !self->stopping_) {
    if (ended < count) ++self->attempts_;
    const Duration wait = self->backoff(obstacle);
    self->note(obstacle, wait);
    co_await pause(self, wait);
  } else if (self->refused_in_a_row_ >= kPatientRefusals && !self->stopping_) {
    const std::int64_t rounds = std::min<std::int64_t>(self->refused_in_a_row_ / 10, 10);
    co_await pause(self, std::min<Duration>(kRefusalPause * rounds, kMaxRefusalPause));
  } else if (!obstacle) {
    self->note(std::nullopt);
  }
  co_return ended;
}

spool::Settlement Courier::settlement_of(const std::vector<Ready>& page, std::size_t from,
                                         SendReport& report) {
  spool::Settlement settlement;
  for (auto& [place, error] : report.refused) {
    settlement.dead.push_back({page[from + place].seq, attempts_ + 1, std::move(error)});
  }
  const bool exhausted = report.obstacle && delivery_.max_attempts > 0 && report.done == 0 &&
                         attempts_ + 1 >= delivery_.max_attempts;
  if (exhausted) {
    Error reason = *report.obstacle;
    reason.message += fmt::format(" Given up after {} attempts.", attempts_ + 1);
    for (std::size_t i = 0; i < report.tried; ++i) {
      settlement.dead.push_back({page[from + i].seq, attempts_ + 1, reason});
    }
    report.done = report.tried;
  }
  if (report.done > 0) settlement.up_to = page[from + report.done - 1].seq;
  return settlement;
}

Task<bool> Courier::settle(Self self, spool::Settlement settlement, std::size_t bytes) {
  Duration wait = kStoreRetry;
  while (true) {
    spool::QueueId queue = self->queue_;
    spool::Settlement copy = settlement;
    auto done = co_await self->context_.spool.settle(std::move(queue), std::move(copy));
    if (done) break;
    if (self->stopping_) co_return false;
    self->note(std::move(done.error()), wait);
    co_await pause(self, wait);
    wait = std::min(wait * 2, kMaxStoreRetry);
  }
  self->settled(settlement, bytes);
  co_return true;
}

void Courier::settled(const spool::Settlement& settlement, std::size_t bytes) {
  const std::int64_t count = settlement.up_to - settled_;
  const auto dead = static_cast<std::int64_t>(settlement.dead.size());
  settled_ = settlement.up_to;
  const std::lock_guard lock(mutex_);
  view_.queue.delivered += count - dead;
  view_.queue.dead += dead;
  view_.queue.dead_letters += dead;
  view_.queue.waiting = std::max<std::int64_t>(0, view_.queue.waiting - count);
  view_.queue.bytes =
      std::max<std::int64_t>(0, view_.queue.bytes - static_cast<std::int64_t>(bytes));
  if (view_.queue.waiting == 0) view_.queue.oldest_at.reset();
}

Task<bool> Courier::announce(Self self, std::int64_t up_to) {
  if (self->announced_ >= up_to) co_return true;
  spool::Commit commit;
  commit.pipeline = self->queue_.pipeline;
  commit.states.push_back({self->queue_.node, std::string(kSendingKey), std::to_string(up_to)});
  auto written = co_await self->context_.spool.commit(std::move(commit));
  if (written) {
    self->announced_ = up_to;
    co_return true;
  }
  self->note(std::move(written.error()), kMaxStoreRetry);
  co_await pause(self, kMaxStoreRetry);
  co_return false;
}

Task<void> Courier::pause(Self self, Duration delay) {
  if (self->stopping_) co_return;
  auto poke = std::make_shared<Event>(self->context_.executor);
  self->poke_ = poke;
  const SteadyTime until = self->context_.timers.now() + delay;
  co_await poke->wait_until(self->context_.timers, until);
}

Duration Courier::backoff(const std::optional<Error>& error) {
  constexpr std::uint64_t kSteps = 1 << 20;
  const auto part = static_cast<std::int64_t>(random_.next() % kSteps);
  Duration wait = delay_ / 2 + delay_ / 2 * part / static_cast<std::int64_t>(kSteps);
  delay_ = std::min(delay_ * 2, delivery_.max_delay);
  if (error && error->retry_after_ms)
    wait = std::max<Duration>(wait, std::chrono::milliseconds(*error->retry_after_ms));
  return std::min(wait, delivery_.max_delay);
}

void Courier::note(std::optional<Error> error, Duration retry_in) {
  const UtcTime now = context_.clock.utc_now();
  const std::lock_guard lock(mutex_);
  view_.attempts = attempts_;
  view_.next_attempt_at.reset();
  if (error) {
    view_.next_attempt_at = now + std::chrono::duration_cast<std::chrono::microseconds>(retry_in);
  }
  view_.last_error = std::move(error);
}

}  // namespace tributary::orchestrate
