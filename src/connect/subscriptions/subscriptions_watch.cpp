// Connected but silent: which subscriptions should have brought something by now, and what is done
// about it.
#include "connect/subscriptions/subscriptions.hpp"
#include "runtime/log.hpp"

namespace tributary::connect {

namespace {

// A subscription whose pace is not known yet is looked at this often.
constexpr Duration kLearningLook{std::chrono::seconds{10}};

std::string seconds_text(Duration duration) {
  return fmt::format("{:.0f} s", to_seconds(duration));
}

Error silent_error(const FunctionConfig& function, Duration silence) {
  return {ErrorClass::kTransient, "silent",
          fmt::format("{} brought nothing for {} although the system answers; the session is made "
                      "anew.",
                      function.name, seconds_text(silence)),
          "Does the source behind it still send? What is expected is the function's freshness."};
}

}  // namespace

void Subscriptions::watch() {
  if (!live_ || live_->ended() || !started_) return;
  const SteadyTime now = timers_.now();
  for (auto& entry : entries_) {
    if (entry.runner) judge_silence(entry, now);
  }
  tell_note();
  if (rebuild_when_due(now)) return;
  const auto next = next_watch(now);
  if (!next) {
    watch_timer_.reset();
    return;
  }
  watch_timer_ = timers_.at(executor_, *next, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->watch();
  });
}

void Subscriptions::judge_silence(Entry& entry, SteadyTime now) {
  FunctionSlot& slot = *entry.slot;
  const auto expected = slot.freshness.expected();
  slot.stats->expected_ms =
      expected ? std::chrono::ceil<std::chrono::milliseconds>(*expected).count() : 0;
  const auto since = slot.freshness.silent_since(now);
  if (!since) {
    entry.silent_since.reset();
    slot.stats->state = SubscriptionState::kActive;
    // A function that answers is back only when it brings something again.
    if (slot.freshness.restored()) clear_silence(slot.config->id);
    return;
  }
  if (entry.silent_since) return;
  entry.silent_since =
      clock_.utc_now() - std::chrono::duration_cast<std::chrono::microseconds>(now - *since);
  slot.stats->state = SubscriptionState::kSilent;
  if (!silent_.insert(slot.config->id).second) return;
  const auto message =
      fmt::format("{} of {} is silent since {}: nothing for {}, expected every {}.",
                  slot.config->name, config_->name, format_utc(*entry.silent_since),
                  seconds_text(now - *since), seconds_text(*expected));
  log::warning("connect", "A subscription is silent.",
               {{"connection", config_->name}, {"function", slot.config->name}});
  news_.silent(slot.config->id, message);
}

void Subscriptions::clear_silence(const std::string& function_id) {
  if (silent_.erase(function_id) > 0) news_.silent(function_id, std::nullopt);
}

void Subscriptions::forget_silence() {
  for (const auto& id : std::exchange(silent_, {})) news_.silent(id, std::nullopt);
}

void Subscriptions::set_config(std::shared_ptr<const ConnectionConfig> config) {
  config_ = std::move(config);
  watch();
}

bool Subscriptions::rebuild_when_due(SteadyTime now) {
  const auto setting = config_->policy.rebuild_silent_after;
  const FunctionSlot* worst = nullptr;
  for (auto& entry : entries_) {
    if (!entry.runner || !entry.silent_since) continue;
    const auto due = entry.slot->freshness.rebuild_at(setting);
    if (!due || *due > now) continue;
    // The next session gets twice as long: a source that is gone must not keep the rest from
    // working.
    entry.slot->freshness.rebuilt();
    if (!worst) worst = entry.slot.get();
  }
  if (!worst) return false;
  const auto since = worst->freshness.silent_since(now);
  const Duration silence = since ? now - *since : Duration{};
  live_->report_loss(silent_error(*worst->config, silence));
  return true;
}

std::optional<SteadyTime> Subscriptions::next_watch(SteadyTime now) const {
  std::optional<SteadyTime> next;
  const auto take = [&](std::optional<SteadyTime> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const auto& entry : entries_) {
    if (!entry.runner) continue;
    const Freshness& freshness = entry.slot->freshness;
    if (entry.silent_since) {
      take(freshness.rebuild_at(config_->policy.rebuild_silent_after));
    } else if (freshness.expected()) {
      take(freshness.silent_at(now));
    } else if (freshness.restored()) {
      take(now + kLearningLook);
    }
  }
  return next;
}

std::optional<std::string> Subscriptions::silence_note() const {
  std::size_t count = 0;
  std::optional<UtcTime> first;
  for (const auto& entry : entries_) {
    if (!entry.silent_since) continue;
    ++count;
    if (!first || *entry.silent_since < *first) first = entry.silent_since;
  }
  if (!first) return std::nullopt;
  return fmt::format("silent since {}: {} of {} subscriptions", format_utc(*first), count,
                     entries_.size());
}

}  // namespace tributary::connect
