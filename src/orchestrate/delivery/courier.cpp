#include "orchestrate/delivery/courier.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "orchestrate/delivery/state_keys.hpp"
#include "orchestrate/jitter.hpp"

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

// Records of one send under the bound, which is kept in steps.
std::size_t throttled_size(std::int64_t per_second) {
  constexpr std::int64_t kSteps = std::chrono::seconds{1} / kThrottleStep;
  return static_cast<std::size_t>(std::max<std::int64_t>(1, per_second / kSteps));
}

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
      pace_(most_records()),
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
  const std::int64_t expected = (warm_.empty() ? std::max(passed(), taken_) : warm_.back().seq) + 1;
  if (result.accepted > 0) last_seq_ = std::max(last_seq_, result.first_seq + result.accepted - 1);
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
  Ready made{entry.seq, entry.at, entry.released_at, entry.payload.size(), {}, std::nullopt};
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
    Page page = co_await next_page(self);
    if (self->stopping_) break;
    if (page.entries.empty()) {
      co_await rest(self);
    } else {
      co_await deliver(self, std::move(page));
    }
  }
  self->finished_.set();
}

Task<void> Courier::rest(Self self) {
  self->forget_warm();
  if (self->stale_ || !self->warm_.empty()) co_return;
  const bool idle = self->view().queue.waiting == 0;
  const SteadyTime until = self->backlog_after_;
  if (!idle && (self->backlog_end_ == 0 || self->context_.timers.now() >= until)) co_return;
  auto news = std::make_shared<Event>(self->context_.executor);
  self->news_ = news;
  if (idle) {
    co_await news->wait();
  } else {
    co_await news->wait_until(self->context_.timers, until);
  }
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
  self->last_seq_ = std::max(self->last_seq_, stats->last_seq);
  if (stats->waiting == 0) self->settled_ = std::max(self->settled_, stats->last_seq);
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
  self->note(std::move(read.error()), 0, kStoreRetry);
  co_await pause(self, kStoreRetry);
}

Task<Courier::Page> Courier::next_page(Self self) {
  Page page;
  if (self->backlog_end_ == 0) {
    page.entries = co_await in_order(self, self->settled_);
    const bool passes =
        self->delivery_.live_first && !page.entries.empty() && self->is_old(page.entries.front());
    if (!passes) co_return page;
    self->backlog_end_ = std::max(self->last_seq_, page.entries.back().seq);
    self->pace_.restart();
  } else if (self->last_seq_ > self->backlog_end_ && !self->backlog_has_its_turn()) {
    page.part = Part::kLive;
    page.entries = co_await in_order(self, self->backlog_end_);
    if (!page.entries.empty() && !self->is_old(page.entries.front())) co_return page;
    if (!page.entries.empty())
      self->backlog_end_ = std::max(self->last_seq_, page.entries.back().seq);
  }
  page.part = Part::kBacklog;
  page.entries = co_await backlog(self);
  co_return page;
}

bool Courier::backlog_has_its_turn() const {
  return pace_.is_due() && context_.timers.now() >= backlog_after_;
}

void Courier::forget_warm() {
  while (!warm_.empty() && warm_.front().seq <= passed()) {
    warm_bytes_ -= warm_.front().bytes;
    warm_.pop_front();
  }
}

Task<std::vector<Courier::Ready>> Courier::in_order(Self self, std::int64_t after) {
  self->forget_warm();
  auto& warm = self->warm_;
  std::vector<Ready> entries;
  if (!warm.empty() && warm.front().seq == after + 1) {
    std::size_t bytes = 0;
    while (!warm.empty() && entries.size() < kPageEntries && bytes < kPageBytes) {
      bytes += warm.front().bytes;
      self->warm_bytes_ -= warm.front().bytes;
      entries.push_back(std::move(warm.front()));
      warm.pop_front();
    }
  } else if (self->view().queue.waiting > 0) {
    auto found = co_await read(self, after, kPageEntries);
    if (found) entries = std::move(*found);
  }
  if (entries.empty()) co_return entries;
  self->taken_ = entries.back().seq;
  if (self->backlog_end_ > 0) co_return entries;
  // Before the first settlement `settled_` is 0, and the oldest entry has any number.
  self->settled_ = entries.front().seq - 1;
  const std::lock_guard lock(self->mutex_);
  self->view_.queue.oldest_at = entries.front().at;
  co_return entries;
}

Task<std::vector<Courier::Ready>> Courier::backlog(Self self) {
  std::vector<Ready> entries;
  if (self->context_.timers.now() < self->backlog_after_) co_return entries;
  std::size_t most = self->pace_.size();
  if (self->delivery_.backfill_per_second > 0)
    most = std::min(most, throttled_size(self->delivery_.backfill_per_second));
  auto found = co_await read(self, self->settled_, most);
  if (!found) co_return entries;
  entries = std::move(*found);
  const std::int64_t end = self->backlog_end_;
  std::erase_if(entries, [end](const Ready& entry) { return entry.seq > end; });
  if (entries.empty()) {
    self->settled_ = std::exchange(self->backlog_end_, 0);
    co_return entries;
  }
  self->settled_ = entries.front().seq - 1;
  const std::lock_guard lock(self->mutex_);
  self->view_.queue.oldest_at = entries.front().at;
  co_return entries;
}

Task<std::optional<std::vector<Courier::Ready>>> Courier::read(Self self, std::int64_t after,
                                                               std::size_t max_entries) {
  spool::QueueId queue = self->queue_;
  auto entries =
      co_await self->context_.spool.read(std::move(queue), after, max_entries, kPageBytes);
  if (!entries) {
    self->note(std::move(entries.error()), 0, kMaxStoreRetry);
    co_await pause(self, kMaxStoreRetry);
    self->stale_ = true;
    co_return std::nullopt;
  }
  if (entries->empty()) self->stale_ = true;
  std::vector<Ready> page;
  page.reserve(entries->size());
  for (spool::Entry& entry : *entries) page.push_back(ready(std::move(entry)));
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
  // Whoever released it wants it, however old it is: it has the same time once more.
  const auto age = context_.clock.utc_now() - entry.released_at.value_or(entry.at);
  if (age >= delivery_.give_up_after) {
    return Error(
        ErrorClass::kFunction, "too_old",
        fmt::format("It waited for longer than {:.0f} s.", to_seconds(delivery_.give_up_after)),
        "Release it when it is still wanted, or make deadLetterAfter longer.");
  }
  return std::nullopt;
}

bool Courier::is_old(const Ready& entry) const {
  return context_.clock.utc_now() - entry.at > kBackfillAge;
}

std::size_t Courier::most_records() const {
  return destination_.function.batch ? destination_.max_records : kSingleCalls;
}

std::size_t Courier::sendable(const Page& page, std::size_t from) const {
  std::size_t limit = most_records();
  if (refused_in_a_row_ >= kPatientRefusals) limit = std::min(limit, kCautiousRecords);
  const Ready& first = page.entries[from];
  if (is_throttled(page.part, first))
    limit = std::min(limit, throttled_size(delivery_.backfill_per_second));
  const bool backfill = is_backfill(page.part, first);
  std::size_t count = 0;
  while (from + count < page.entries.size() && count < limit &&
         !unsendable(page.entries[from + count]) &&
         is_backfill(page.part, page.entries[from + count]) == backfill) {
    ++count;
  }
  return count;
}

Courier::Tries& Courier::tries_of(const Page& page, std::size_t from) {
  Tries& tries = tries_[page.part == Part::kLive ? 0 : 1];
  const std::int64_t seq = page.entries[from].seq;
  if (tries.seq != seq) tries = {seq, 0};
  return tries;
}

Task<void> Courier::deliver(Self self, Page page) {
  std::size_t from = 0;
  while (from < page.entries.size() && !self->stopping_) {
    spool::Settlement given_up;
    std::size_t end = from;
    for (; end < page.entries.size(); ++end) {
      auto reason = self->unsendable(page.entries[end]);
      if (!reason) break;
      const std::int64_t attempts = self->tries_of(page, end).count;
      given_up.dead.push_back({page.entries[end].seq, attempts, std::move(*reason)});
    }
    if (end > from) {
      const bool settled = co_await settle(self, page, from, end - from, std::move(given_up));
      if (!settled) co_return;
      from = end;
      continue;
    }
    const bool throttled = self->is_throttled(page.part, page.entries[from]);
    const std::size_t count = self->sendable(page, from);
    const std::size_t ended = co_await send_some(self, page, from, count);
    from += ended;
    if (ended < count) co_return;
    if (page.part == Part::kBacklog) {
      const Duration wait = throttled ? kThrottleStep : self->pace_.pause();
      self->backlog_after_ = self->context_.timers.now() + wait;
    } else if (throttled) {
      co_await pause(self, kThrottleStep);
    }
  }
}

Task<std::size_t> Courier::send_some(Self self, Page& page, std::size_t from, std::size_t count) {
  if (!self->destination_.repeat_unknown) {
    const bool announced = co_await announce(self, page.entries[from + count - 1].seq);
    if (!announced) co_return 0;
  }
  std::vector<Outgoing> items;
  items.reserve(count);
  const bool backfill = self->is_backfill(page.part, page.entries[from]);
  for (std::size_t i = from; i < from + count; ++i) {
    items.push_back(std::move(page.entries[i].outgoing));
    if (backfill) mark_backfill(items.back());
  }
  std::function<bool()> stopped = [self] { return self->stopping_; };
  const std::span<const Outgoing> span(items);
  const SteadyTime begin = self->context_.timers.now();
  SendReport report =
      co_await send(self->context_.functions, self->destination_, span, std::move(stopped));
  const std::optional<Error> obstacle = report.obstacle;
  Tries& tries = self->tries_of(page, from);
  spool::Settlement settlement = self->settlement_of(page, from, report);
  const std::size_t ended = report.done;
  if (ended > 0) {
    const bool all_refused = settlement.dead.size() == ended;
    self->refused_in_a_row_ =
        all_refused ? self->refused_in_a_row_ + static_cast<std::int64_t>(ended) : 0;
    const bool settled = co_await settle(self, page, from, ended, std::move(settlement));
    if (!settled) co_return 0;
    const Duration took = self->context_.timers.now() - begin;
    tries = {};
    self->delay_ = self->delivery_.initial_delay;
    if (page.part == Part::kBacklog) {
      self->pace_.backlog_sent(ended, took);
    } else {
      self->pace_.live_sent(ended, took);
    }
  }
  if (obstacle && !self->stopping_) {
    if (ended < count) ++tries.count;
    const Duration wait = self->backoff(obstacle);
    self->note(obstacle, tries.count, wait);
    co_await pause(self, wait);
  } else if (self->refused_in_a_row_ >= kPatientRefusals && !self->stopping_) {
    const std::int64_t rounds = std::min<std::int64_t>(self->refused_in_a_row_ / 10, 10);
    co_await pause(self, std::min<Duration>(kRefusalPause * rounds, kMaxRefusalPause));
  } else if (!obstacle) {
    self->note(std::nullopt);
  }
  co_return ended;
}

spool::Settlement Courier::settlement_of(const Page& page, std::size_t from, SendReport& report) {
  spool::Settlement settlement;
  const std::int64_t attempts = tries_of(page, from).count + 1;
  for (auto& [place, error] : report.refused) {
    settlement.dead.push_back({page.entries[from + place].seq, attempts, std::move(error)});
  }
  const bool exhausted = report.obstacle && delivery_.max_attempts > 0 && report.done == 0 &&
                         attempts >= delivery_.max_attempts;
  if (exhausted) {
    Error reason = *report.obstacle;
    reason.message += fmt::format(" Given up after {} attempts.", attempts);
    for (std::size_t i = 0; i < report.tried; ++i) {
      settlement.dead.push_back({page.entries[from + i].seq, attempts, reason});
    }
    report.done = report.tried;
  }
  return settlement;
}

Task<bool> Courier::settle(Self self, const Page& page, std::size_t from, std::size_t count,
                           spool::Settlement settlement) {
  settlement.up_to = page.entries[from + count - 1].seq;
  if (page.part == Part::kLive) settlement.from = page.entries[from].seq;
  Duration wait = kStoreRetry;
  while (true) {
    spool::QueueId queue = self->queue_;
    spool::Settlement copy = settlement;
    auto done = co_await self->context_.spool.settle(std::move(queue), std::move(copy));
    if (done) break;
    if (self->stopping_) co_return false;
    self->note(std::move(done.error()), 0, wait);
    co_await pause(self, wait);
    wait = std::min(wait * 2, kMaxStoreRetry);
  }
  self->settled(page, from, count, settlement);
  co_return true;
}

void Courier::settled(const Page& page, std::size_t from, std::size_t count,
                      const spool::Settlement& settlement) {
  (page.part == Part::kLive ? backlog_end_ : settled_) = settlement.up_to;
  std::size_t bytes = 0;
  for (std::size_t i = from; i < from + count; ++i) bytes += page.entries[i].bytes;
  const auto ended = static_cast<std::int64_t>(count);
  const auto dead = static_cast<std::int64_t>(settlement.dead.size());
  const std::lock_guard lock(mutex_);
  view_.queue.delivered += ended - dead;
  view_.queue.dead += dead;
  view_.queue.dead_letters += dead;
  view_.queue.waiting = std::max<std::int64_t>(0, view_.queue.waiting - ended);
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
  self->note(std::move(written.error()), 0, kMaxStoreRetry);
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
  Duration wait = jittered(delay_, random_);
  delay_ = std::min(delay_ * 2, delivery_.max_delay);
  if (error && error->retry_after_ms)
    wait = std::max<Duration>(wait, std::chrono::milliseconds(*error->retry_after_ms));
  return std::min(wait, delivery_.max_delay);
}

void Courier::note(std::optional<Error> error, std::int64_t attempts, Duration retry_in) {
  const UtcTime now = context_.clock.utc_now();
  const std::lock_guard lock(mutex_);
  view_.attempts = attempts;
  view_.next_attempt_at.reset();
  if (error) {
    view_.next_attempt_at = now + std::chrono::duration_cast<std::chrono::microseconds>(retry_in);
  }
  view_.last_error = std::move(error);
}

}  // namespace tributary::orchestrate
