// What the actor does about the reducer's effects: timers, attempts, sessions, marks, news.
#include "connect/actor.hpp"
#include "runtime/log.hpp"

namespace tributary::connect {

namespace {

// A health check is a small request: a peer that does not answer it within this is gone (G12).
constexpr Duration kHealthDeadline{std::chrono::seconds{5}};

template <typename T>
const T* as(const lifecycle::Effect& effect) {
  return std::get_if<T>(&effect);
}

std::string describe_peer(const sdk::PeerIdentity& peer) {
  std::string text;
  for (const auto* part : {&peer.vendor, &peer.product, &peer.version}) {
    if (part->empty()) continue;
    if (!text.empty()) text += ' ';
    text += *part;
  }
  if (!peer.address.empty()) text += text.empty() ? peer.address : " at " + peer.address;
  if (peer.session_present) text += text.empty() ? "session present" : ", session present";
  return text;
}

}  // namespace

Task<void> ConnectionActor::act(const lifecycle::Effect& effect, Item& item) {
  if (const auto* timer = as<lifecycle::ArmTimer>(effect)) {
    arm(*timer);
  } else if (as<lifecycle::CancelTimers>(effect)) {
    for (auto& timing : timers_) timing = {};
  } else if (const auto* open = as<lifecycle::OpenSession>(effect)) {
    begin_attempt(*open, item);
  } else if (const auto* close = as<lifecycle::CloseSession>(effect)) {
    co_await close_session(close->graceful);
  } else if (as<lifecycle::RejectCalls>(effect) || as<lifecycle::FlushCalls>(effect)) {
    wake_callers();
  } else if (const auto* mark = as<lifecycle::MarkBad>(effect)) {
    mark_bad(mark->quality);
  } else if (as<lifecycle::Retire>(effect)) {
    subscriptions_.reset();
    slots_.clear();
  } else if (as<lifecycle::Publish>(effect)) {
    publish(published_);
  }
  // A discarded session was closed by the attempt that made it (open_session).
}

void ConnectionActor::arm(const lifecycle::ArmTimer& timer) {
  const auto kind = timer.kind;
  timers_[static_cast<std::size_t>(kind)].timer =
      services_.timers.at(services_.executor, timer.at,
                          [this, kind, epoch = timer.epoch] { timer_elapsed(kind, epoch); });
}

void ConnectionActor::timer_elapsed(lifecycle::TimerKind kind, std::uint64_t epoch) {
  const bool makes_attempt =
      kind == lifecycle::TimerKind::kBackoff || kind == lifecycle::TimerKind::kCooldown;
  auto& timing = timers_[static_cast<std::size_t>(kind)];
  if (!makes_attempt) {
    Item item;
    item.event = lifecycle::TimerFired{kind, epoch};
    enqueue(std::move(item));
    return;
  }
  // T13: until the node's rate and the target have a place, the backoff is not over.
  timing.ticket = services_.limiter.request(
      config_->target, Haste::kAutomatic, services_.timers, services_.executor,
      [weak = weak_from_this(), kind, epoch](AttemptLimiter::Turn turn) {
        const auto self = weak.lock();
        if (!self) return;
        Item item;
        item.event = lifecycle::TimerFired{kind, epoch};
        item.turn = std::move(turn);
        self->enqueue(std::move(item));
      });
}

void ConnectionActor::begin_attempt(const lifecycle::OpenSession& open, Item& item) {
  attempt_ = std::make_unique<Attempt>();
  attempt_->epoch = open.epoch;
  attempt_->turn = std::move(item.turn);
  if (open.delay <= Duration::zero()) {
    wait_for_turn(open);
    return;
  }
  attempt_->delay = services_.timers.at(services_.executor, services_.timers.now() + open.delay,
                                        [this, open] { wait_for_turn(open); });
}

void ConnectionActor::wait_for_turn(const lifecycle::OpenSession& open) {
  if (attempt_->turn) {
    open_now(open.epoch, open.timeout);
    return;
  }
  // What is automatic and has no turn yet is a start of the hub: another attempt waited for it in
  // timer_elapsed.
  const Haste haste = open.automatic ? Haste::kSpread : Haste::kPerson;
  attempt_->ticket =
      services_.limiter.request(config_->target, haste, services_.timers, services_.executor,
                                [weak = weak_from_this(), open](AttemptLimiter::Turn turn) {
                                  const auto self = weak.lock();
                                  if (!self) return;
                                  Item item;
                                  item.turn = std::move(turn);
                                  item.granted = open;
                                  self->enqueue(std::move(item));
                                });
}

void ConnectionActor::take_turn(Item item) {
  if (!attempt_ || attempt_->epoch != item.granted->epoch) return;
  attempt_->turn = std::move(item.turn);
  open_now(item.granted->epoch, item.granted->timeout);
}

void ConnectionActor::open_now(std::uint64_t epoch, Duration timeout) {
  const auto& capabilities = config_->type->manifest.capabilities;
  const bool write_lane = std::ranges::find(capabilities, "writeLane") != capabilities.end();
  const LiveSession::Services services{services_.executor, services_.clock, services_.timers,
                                       services_.network,  next_address_,   services_.http,
                                       write_lane};
  auto live =
      std::make_shared<LiveSession>(epoch, services, config_->type->manifest.max_concurrent_calls,
                                    [weak = weak_from_this()](std::uint64_t of, Error error) {
                                      if (const auto self = weak.lock())
                                        self->session_lost(of, std::move(error));
                                    });
  // Secrets are opened by version on each attempt, so that a changed one is used at once (edge
  // cases 16, 17).
  auto profile = open_profile(*config_, services_.vault);
  if (profile) attempt_->first_used = credentials_.note(*config_, *profile);
  if (services_.credentials && has_references(*config_, services_.vault)) {
    services_.credentials(profile ? credentials_.fingerprint() : std::string());
  }
  Item started;
  started.event = lifecycle::AttemptStarted{epoch, !attempt_->first_used.empty()};
  enqueue(std::move(started));
  if (services_.certificate) live->on_certificate(services_.certificate);
  Result<void> made;
  if (profile) {
    made = live->make(*config_->type->connector, *profile);
  } else {
    made = fail(std::move(profile.error()));
  }
  if (!made) {
    Item failed;
    failed.event = lifecycle::OpenFailed{epoch, std::move(made.error())};
    enqueue(std::move(failed));
    return;
  }
  attempt_->live = live;
  const SteadyTime deadline = services_.timers.now() + timeout;
  spawn(services_.executor,
        [](std::shared_ptr<ConnectionActor> self, std::shared_ptr<LiveSession> session,
           SteadyTime until) -> Task<void> {
          co_await self->open_session(std::move(session), until);
        }(shared_from_this(), live, deadline));
}

Task<Result<std::optional<std::string>>> ConnectionActor::establish(
    std::shared_ptr<LiveSession> live, SteadyTime deadline, std::string& identity) {
  net::StageObserver nobody;
  Result<sdk::PeerIdentity> peer = co_await live->session().open(deadline, nobody);
  if (!peer) co_return fail(std::move(peer.error()));
  identity = describe_peer(*peer);
  if (live->ended())
    co_return fail(ErrorClass::kCancelled, "cancelled", "The attempt was given up.");
  if (!subscriptions_) {
    subscriptions_ = std::make_shared<Subscriptions>(services_.executor, services_.clock,
                                                     services_.timers, subscription_news());
  }
  auto subscriptions = subscriptions_;
  auto slots = slots_;
  auto config = config_;
  Result<std::optional<std::string>> degraded =
      co_await subscriptions->open(live, std::move(config), std::move(slots), deadline);
  if (!degraded) co_return degraded;
  Result<void> healthy = co_await live->check_health(deadline);
  if (!healthy) co_return fail(std::move(healthy.error()));
  co_return degraded;
}

Subscriptions::News ConnectionActor::subscription_news() {
  Subscriptions::News news;
  news.degraded = [weak = weak_from_this()](std::uint64_t epoch, std::optional<std::string> note) {
    const auto self = weak.lock();
    if (!self) return;
    Item item;
    item.event = lifecycle::DegradedChanged{epoch, std::move(note)};
    self->enqueue(std::move(item));
  };
  news.silent = [weak = weak_from_this()](const std::string& function_id,
                                          std::optional<std::string> message) {
    if (const auto self = weak.lock())
      self->services_.alarm({self->config_->id, "silent", function_id}, std::move(message));
  };
  return news;
}

Task<void> ConnectionActor::open_session(std::shared_ptr<LiveSession> live, SteadyTime deadline) {
  std::string identity;
  Result<std::optional<std::string>> established = co_await establish(live, deadline, identity);
  // Whatever came of a given-up attempt is closed here and never adopted; the event is only
  // counted.
  const bool given_up = live->ended() || !established;
  if (given_up) live->abort();
  const bool current = attempt_ && attempt_->epoch == live->epoch();
  const std::string first_used = current ? attempt_->first_used : std::string();
  Item item;
  if (established) {
    if (!first_used.empty()) identity += fmt::format(", first use of the new {}", first_used);
    item.event = lifecycle::Opened{live->epoch(), std::move(identity), *std::move(established)};
  } else {
    Error error = std::move(established.error());
    if (!first_used.empty() && error.error_class == ErrorClass::kIdentity) {
      error.message += fmt::format(". This was the first try with the new {}", first_used);
    }
    item.event = lifecycle::OpenFailed{live->epoch(), std::move(error)};
  }
  enqueue(std::move(item));
}

void ConnectionActor::adopt(const lifecycle::Opened& event) {
  const bool current = state_.status == Status::kConnected && event.epoch == state_.epoch &&
                       attempt_ && attempt_->epoch == event.epoch;
  if (!current) return;
  live_ = std::move(attempt_->live);
  attempt_.reset();
  subscriptions_->start();
  arm_health_check();
}

void ConnectionActor::session_lost(std::uint64_t epoch, Error error) {
  Item item;
  // Before it is adopted, a session that breaks is a failed attempt.
  const bool attempting = attempt_ && attempt_->epoch == epoch;
  if (attempting) {
    item.event = lifecycle::OpenFailed{epoch, std::move(error)};
  } else {
    item.event = lifecycle::Lost{epoch, std::move(error)};
  }
  enqueue(std::move(item));
}

Task<void> ConnectionActor::close_session(bool graceful) {
  const auto attempt = std::exchange(attempt_, nullptr);
  const auto live = std::exchange(live_, nullptr);
  health_timer_.reset();
  if (subscriptions_) subscriptions_->stop();
  if (attempt && attempt->live) attempt->live->abort();
  if (!live) co_return;
  if (graceful) {
    const SteadyTime deadline = services_.timers.now() + lifecycle::kGracefulClose;
    co_await live->close(deadline);
  }
  live->abort();
}

void ConnectionActor::arm_health_check() {
  if (!live_) return;
  const SteadyTime due =
      std::max(live_->last_heard(), services_.timers.now() - config_->policy.health_interval) +
      config_->policy.health_interval;
  const SteadyTime at = std::max(due, services_.timers.now() + std::chrono::milliseconds{100});
  health_timer_ = services_.timers.at(services_.executor, at, [this] {
    const auto live = live_;
    if (!live) return;
    const bool quiet =
        live->last_heard() + config_->policy.health_interval <= services_.timers.now();
    if (!quiet || live->calls_inside() > 0) {
      arm_health_check();
      return;
    }
    spawn(services_.executor,
          [](std::shared_ptr<ConnectionActor> self,
             std::shared_ptr<LiveSession> session) -> Task<void> {
            co_await self->check_health(std::move(session));
          }(shared_from_this(), live));
  });
}

Task<void> ConnectionActor::check_health(std::shared_ptr<LiveSession> live) {
  const SteadyTime deadline =
      services_.timers.now() + std::min(config_->policy.request_timeout, kHealthDeadline);
  Result<void> healthy = co_await live->check_health(deadline);
  if (live_ != live) co_return;
  if (healthy) {
    arm_health_check();
  } else if (healthy.error().error_class != ErrorClass::kCancelled) {
    live->report_loss(std::move(healthy.error()));
  }
}

void ConnectionActor::mark_bad(Quality quality) {
  // First the runners: nothing good may follow the bad mark.
  if (subscriptions_) subscriptions_->stop();
  std::shared_ptr<const Error> why;
  if (state_.cause) why = std::make_shared<const Error>(state_.cause->error);
  for (const auto& slot : slots_) {
    if (!slot->feed) continue;
    Scan scan = slot->values.mark_all(quality, why, services_.clock.utc_now());
    if (scan.samples.empty()) continue;
    slot->feed->announce(std::make_shared<const Batch>(Batch::of(std::move(scan))));
  }
}

void ConnectionActor::publish(Status before) {
  StateChange change;
  change.connection_id = config_->id;
  change.connection_name = config_->name;
  change.from = before;
  change.state = view();
  change.removed = state_.gone;
  published_ = state_.status;
  const bool at_rest = state_.status == Status::kIdle || state_.status == Status::kSuspended;
  if (at_rest && subscriptions_) subscriptions_->forget_silence();
  services_.publish(change);
}

}  // namespace tributary::connect
