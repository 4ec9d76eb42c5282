// trigger.schedule: intervals on a fixed grid of the monotonic clock, and times of the calendar.
#include "orchestrate/run/sources.hpp"

namespace tributary::orchestrate {
namespace {

Json with_meta(Json record, const std::string& trigger, const std::string& time) {
  Json meta = json_object();
  meta.insert_or_assign("trigger", trigger);
  meta.insert_or_assign("time", time);
  record.insert_or_assign("$meta", std::move(meta));
  return record;
}

class IntervalSource final : public Source {
 public:
  IntervalSource(SourceHost& host, std::size_t trigger) : host_(host), trigger_(trigger) {}

  void start() override {
    grid_ = host_.timers->now();
    arm();
  }
  void stop() override { timer_.reset(); }

 private:
  const PlanNode& node() const { return host_.plan->nodes[trigger_]; }

  void arm() {
    const SteadyTime when = grid_ + node().interval * (last_tick_ + 1);
    timer_ = host_.timers->at(*host_.executor, when, [this] { tick(); });
  }

  void tick() {
    const SteadyTime now = host_.timers->now();
    const std::int64_t current = (now - grid_) / node().interval;
    // Ticks that the clock jumped over, and this one when the last is still at work, are merged
    // into the next.
    std::int64_t missed = current - last_tick_ - 1;
    last_tick_ = current;
    Offer offer = Offer::kFull;
    if (!*outstanding_ || !host_.merges()) {
      const std::string time = format_utc(host_.clock->utc_now());
      Json record = json_object();
      record.insert_or_assign("tick", current);
      record.insert_or_assign("time", time);
      Start start;
      start.trigger = trigger_;
      start.records.push_back(with_meta(std::move(record), node().id, time));
      start.finished = [outstanding = outstanding_] { *outstanding = false; };
      offer = host_.offer(std::move(start));
      if (offer == Offer::kTaken) *outstanding_ = true;
    }
    if (offer == Offer::kFull) ++missed;
    if (missed > 0) host_.missed(missed);
    arm();
  }

  SourceHost& host_;
  std::size_t trigger_;
  SteadyTime grid_{};
  std::int64_t last_tick_ = 0;
  // The last tick is still queued or running; shared with its batch, which may outlive the source.
  std::shared_ptr<bool> outstanding_ = std::make_shared<bool>(false);
  std::unique_ptr<Timer> timer_;
};

// How often the clock on the wall is looked at while the next start is far away: it may be set.
constexpr Duration kLook{std::chrono::seconds{30}};
// A clock that is set by more was wrong before: the new time counts at once, in both directions.
// Smaller steps neither repeat a start nor lose one.
constexpr std::chrono::hours kCorrection{3};

class CronSource final : public Source {
 public:
  CronSource(SourceHost& host, std::size_t trigger, std::optional<Downtime> downtime)
      : host_(host),
        trigger_(trigger),
        rule_(*host.plan->nodes[trigger].settings->cron),
        downtime_(downtime) {}

  void start() override {
    seen_ = host_.clock->utc_now();
    next_ = rule_.cron.next(rule_.zone, seen_);
    if (rule_.catch_up && downtime_) catch_up(downtime_->from, downtime_->until);
    arm();
  }
  void stop() override { timer_.reset(); }

 private:
  const std::string& id() const { return host_.plan->nodes[trigger_].id; }

  // The last start that went by in a time; nullopt: there was none.
  std::optional<UtcTime> last_start(UtcTime from, UtcTime until) const {
    using std::chrono::hours;
    // From near to far: a schedule of every second is not stepped through from last year on.
    for (const Duration window :
         {Duration(std::chrono::minutes{1}), Duration(hours{1}), Duration(hours{24}),
          Duration(hours{24 * 32}), Duration(hours{24 * 366}), Duration(hours{24 * 366 * 13})}) {
      const UtcTime begin =
          std::max(from, until - std::chrono::duration_cast<UtcTime::duration>(window));
      std::optional<UtcTime> last;
      for (auto next = rule_.cron.next(rule_.zone, begin); next && *next <= until;
           next = rule_.cron.next(rule_.zone, *next)) {
        last = next;
      }
      if (last || begin == from) return last;
    }
    return std::nullopt;
  }

  // As last_start(); `missed` gets the number of those before it.
  std::optional<UtcTime> last_between(UtcTime from, UtcTime until, std::int64_t& missed) const {
    // More than this are not counted one by one.
    constexpr std::int64_t kMostCounted = 10'000;
    const auto last = last_start(from, until);
    if (!last) return last;
    for (auto next = rule_.cron.next(rule_.zone, from);
         next && *next < *last && missed < kMostCounted;
         next = rule_.cron.next(rule_.zone, *next)) {
      ++missed;
    }
    return last;
  }

  void catch_up(UtcTime from, UtcTime until) {
    std::int64_t missed = 0;
    if (const auto last = last_between(from, until, missed)) fire(*last, true);
    if (missed > 0) host_.missed(missed);
  }

  void arm() {
    if (!next_) return;
    const UtcTime now = host_.clock->utc_now();
    const Duration left = std::max<Duration>(*next_ - now, std::chrono::milliseconds{1});
    const SteadyTime when = host_.timers->now() + std::min(left, kLook);
    timer_ = host_.timers->at(*host_.executor, when, [this] { look(); });
  }

  void look() {
    const UtcTime now = host_.clock->utc_now();
    const UtcTime before = std::exchange(seen_, now);
    if (before - now > kCorrection) {
      next_ = rule_.cron.next(rule_.zone, now);
    } else if (now >= *next_) {
      come_due(now);
    }
    arm();
  }

  void come_due(UtcTime now) {
    std::int64_t missed = 0;
    const UtcTime first = *next_;
    // The one that is due, and those that the clock went past meanwhile: the last of them starts.
    const UtcTime due = last_between(first - std::chrono::seconds{1}, now, missed).value_or(first);
    const bool too_late = now - first > kCorrection && !rule_.catch_up;
    if (too_late) {
      ++missed;
    } else {
      fire(due, false);
    }
    if (missed > 0) host_.missed(missed);
    next_ = rule_.cron.next(rule_.zone, std::max(due, now));
  }

  void fire(UtcTime due, bool caught_up) {
    if (*outstanding_ && host_.merges()) {
      host_.missed(1);
      return;
    }
    Json record = json_object();
    record.insert_or_assign("tick", ++ticks_);
    record.insert_or_assign("time", format_utc(due));
    record.insert_or_assign("localTime", rule_.zone.format(due));
    if (caught_up) record.insert_or_assign("caughtUp", true);
    Start start;
    start.trigger = trigger_;
    start.records.push_back(with_meta(std::move(record), id(), format_utc(host_.clock->utc_now())));
    start.finished = [outstanding = outstanding_] { *outstanding = false; };
    const Offer offer = host_.offer(std::move(start));
    if (offer == Offer::kTaken) *outstanding_ = true;
    if (offer == Offer::kFull) host_.missed(1);
  }

  SourceHost& host_;
  std::size_t trigger_;
  const CronRule& rule_;
  std::optional<Downtime> downtime_;
  UtcTime seen_{};
  std::optional<UtcTime> next_;
  std::int64_t ticks_ = 0;
  std::shared_ptr<bool> outstanding_ = std::make_shared<bool>(false);
  std::unique_ptr<Timer> timer_;
};

}  // namespace

std::shared_ptr<Source> make_interval_source(SourceHost& host, std::size_t trigger) {
  return std::make_shared<IntervalSource>(host, trigger);
}
std::shared_ptr<Source> make_cron_source(SourceHost& host, std::size_t trigger,
                                         const std::optional<Downtime>& downtime) {
  return std::make_shared<CronSource>(host, trigger, downtime);
}

}  // namespace tributary::orchestrate
