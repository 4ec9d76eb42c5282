#include "notices/lane.hpp"

#include <algorithm>
#include <array>

namespace tributary::notices {

Duration retry_delay(int failures, const Error& error, Random& random) {
  Duration whole = kFirstRetry;
  for (int i = 1; i < failures && whole < kLongestRetry; ++i) whole *= 2;
  whole = std::min(whole, kLongestRetry);
  const Duration half = whole / 2;
  const Duration wait = half + Duration{static_cast<Duration::rep>(
                                   random.next() % static_cast<std::uint64_t>(half.count() + 1))};
  if (!error.retry_after_ms) return wait;
  const Duration asked = std::chrono::milliseconds(*error.retry_after_ms);
  return std::max(wait, std::min(asked, kLongestRetryAfter));
}

bool is_refusal_of_the_message(const Error& error) {
  return error.code == "message_refused";
}

Lane::Lane(Services services) : services_(std::move(services)) {}

void Lane::start(bool active) {
  active_ = active;
  spawn(services_.executor, run(shared_from_this()));
}

void Lane::stop() {
  stopped_ = true;
  poke();
}

void Lane::push(store::OutboxRow row) {
  // Durations come from the monotonic clock; only what an earlier run left behind is measured by
  // the other one.
  const Duration age = std::clamp<Duration>(services_.clock.utc_now() - row.created_at,
                                            Duration::zero(), kGiveUpAfter);
  entries_.push_back({std::move(row), services_.timers.now() + kGiveUpAfter - age});
  poke();
}

std::optional<store::OutboxRow> Lane::drop_oldest() {
  const std::size_t index = under_way_ ? 1 : 0;
  if (entries_.size() <= index) return std::nullopt;
  const auto at = entries_.begin() + static_cast<std::ptrdiff_t>(index);
  store::OutboxRow row = std::move(at->row);
  entries_.erase(at);
  return row;
}

void Lane::set_active(bool active) {
  active_ = active;
  poke();
}

void Lane::retry_now() {
  not_before_.reset();
  poke();
}

void Lane::poke() {
  if (changed_) std::exchange(changed_, nullptr)->set();
}

Task<void> Lane::pause(std::optional<SteadyTime> until) {
  if (!changed_) changed_ = std::make_shared<Event>(services_.executor);
  const std::shared_ptr<Event> event = changed_;
  if (until) {
    co_await event->wait_until(services_.timers, *until);
  } else {
    co_await event->wait();
  }
}

Task<void> Lane::run(std::shared_ptr<Lane> self) {
  while (!self->stopped_) {
    if (self->entries_.empty() || !self->active_) {
      co_await self->pause(std::nullopt);
    } else if (self->entries_.front().expires <= self->services_.timers.now()) {
      self->finish(Ending::kGivenUp);
    } else if (self->not_before_ && *self->not_before_ > self->services_.timers.now()) {
      co_await self->pause(std::min(*self->not_before_, self->entries_.front().expires));
    } else {
      co_await self->attempt();
    }
  }
}

Task<void> Lane::attempt() {
  under_way_ = true;
  store::OutboxRow row = entries_.front().row;
  Task<Result<void>> sending = services_.send(std::move(row));
  const Result<void> sent = co_await std::move(sending);
  under_way_ = false;
  if (stopped_ || (!sent && sent.error().error_class == ErrorClass::kCancelled)) {
    stopped_ = true;  // the hub ends
    co_return;
  }
  not_before_.reset();
  if (sent) {
    failures_ = 0;
    services_.attempted(std::nullopt, 0);
    finish(Ending::kDelivered);
    co_return;
  }
  ++failures_;
  services_.attempted(sent.error(), failures_);
  if (is_refusal_of_the_message(sent.error())) {
    finish(Ending::kGivenUp);
    co_return;
  }
  not_before_ = services_.timers.now() + retry_delay(failures_, sent.error(), services_.random);
}

void Lane::finish(Ending ending) {
  const store::OutboxRow row = std::move(entries_.front().row);
  entries_.pop_front();
  services_.ended(row, ending);
}

}  // namespace tributary::notices
