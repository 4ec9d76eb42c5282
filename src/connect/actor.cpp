#include "connect/actor.hpp"

#include "connect/suspension.hpp"
#include "runtime/log.hpp"

namespace tributary::connect {

namespace {

// How long a decision waits for the disk: a loss must be visible within a second even when the disk
// hangs; a command has no effect before it is stored, however long that takes.
constexpr Duration kEventPatience{std::chrono::milliseconds{500}};
constexpr Duration kCommandPatience{std::chrono::hours{1}};

}  // namespace

ConnectionActor::ConnectionActor(ActorServices services,
                                 std::shared_ptr<const ConnectionConfig> config,
                                 std::int64_t last_seq, std::uint64_t seed)
    : services_(std::move(services)),
      config_(std::move(config)),
      recorder_(
          std::make_shared<Recorder>(services_.log, services_.executor, config_->id, last_seq)),
      random_(seed) {}

ConnectionActor::~ConnectionActor() {
  if (subscriptions_) subscriptions_->stop();
  if (attempt_ && attempt_->live) attempt_->live->abort();
  if (live_) live_->abort();
}

lifecycle::Inputs ConnectionActor::inputs() {
  return {services_.timers.now(), services_.clock.utc_now(), random_.next()};
}

void ConnectionActor::post(lifecycle::Event event) {
  asio::post(services_.executor, [self = shared_from_this(), event = std::move(event)]() mutable {
    Item item;
    item.event = std::move(event);
    self->enqueue(std::move(item));
  });
}

void ConnectionActor::enqueue(Item item) {
  inbox_.push_back(std::move(item));
  if (std::exchange(draining_, true)) return;
  spawn(services_.executor, [](std::shared_ptr<ConnectionActor> self) -> Task<void> {
    co_await self->drain();
  }(shared_from_this()));
}

Task<void> ConnectionActor::drain() {
  while (!inbox_.empty()) {
    Item item = std::move(inbox_.front());
    inbox_.pop_front();
    co_await apply(std::move(item));
  }
  draining_ = false;
}

Task<Result<StateView>> ConnectionActor::wait_for(Item item) {
  const auto self = shared_from_this();
  auto reply = std::make_shared<Reply>(services_.executor);
  item.reply = reply;
  enqueue(std::move(item));
  co_await reply->done.wait();
  if (!reply->result)
    co_return fail(ErrorClass::kInternal, "command_dropped", "The command was not carried out.");
  co_return std::move(*reply->result);
}

Task<Result<StateView>> ConnectionActor::command(lifecycle::Event event) {
  Item item;
  item.event = std::move(event);
  co_return co_await wait_for(std::move(item));
}

Task<Result<StateView>> ConnectionActor::configure(std::shared_ptr<const ConnectionConfig> config,
                                                   bool restart, bool credentials, std::string by) {
  if (!restart) {
    config_ = std::move(config);
    if (subscriptions_) subscriptions_->set_config(config_);
    for (const auto& slot : slots_) {
      slot->breaker.set_policy(config_->policy.function_breaker);
      if (slot->feed) slot->feed->set_origin({config_->name, slot->config->name});
    }
    co_return view();
  }
  Item item;
  item.event = lifecycle::ConfigChanged{std::move(by), credentials};
  item.config = std::move(config);
  co_return co_await wait_for(std::move(item));
}

store::HistoryRow ConnectionActor::to_row(const lifecycle::RecordHistory& record) const {
  store::HistoryRow row;
  row.epoch = static_cast<std::int64_t>(record.epoch);
  if (record.from) row.from = to_string(*record.from);
  row.to = to_string(record.to);
  if (record.cause) {
    row.cause_class = to_string(record.cause->error.error_class);
    row.cause_code = record.cause->error.code;
    row.cause_message = record.cause->error.message;
  }
  row.note = record.note;
  row.actor = record.actor;
  row.at = record.at;
  // The row that closes the last run belongs to that run's clock.
  row.boot_id = record.boot_id;
  row.monotonic_ns = record.to == Status::kUnknown
                         ? record.monotonic_ns
                         : services_.timers.now().time_since_epoch().count();
  return row;
}

std::optional<store::ConnectionRow> ConnectionActor::intent_row(
    const lifecycle::LifecycleState& next) const {
  const bool changed = next.intent != state_.intent || next.suspension != state_.suspension;
  if (!changed || next.gone) return std::nullopt;
  store::ConnectionRow row;
  row.id = config_->id;
  row.intent = lifecycle::to_string(next.intent);
  put_suspension(row, next.suspension);
  return row;
}

Task<Result<void>> ConnectionActor::record(const lifecycle::Step& step, bool is_command) {
  std::vector<store::HistoryRow> rows;
  for (const auto& effect : step.effects) {
    const auto* row = std::get_if<lifecycle::RecordHistory>(&effect);
    if (!row) break;  // rows come first
    rows.push_back(to_row(*row));
  }
  auto intent = is_command ? intent_row(step.next) : std::nullopt;
  if (rows.empty() && !intent) co_return Result<void>{};
  const Duration patience = is_command ? kCommandPatience : kEventPatience;
  co_return co_await recorder_->record(std::move(rows), std::move(intent), services_.timers,
                                       patience);
}

void ConnectionActor::choose_address(const lifecycle::Event& event) {
  const auto* failed = std::get_if<lifecycle::OpenFailed>(&event);
  if (failed && failed->epoch == state_.epoch) {
    const bool standby = failed->error.error_class == ErrorClass::kStandby;
    // Once away from the first address, one that does not answer either is left, too.
    if (standby || next_address_ > 0) ++next_address_;
  }
  const auto* lost = std::get_if<lifecycle::Lost>(&event);
  if (lost && lost->epoch == state_.epoch && lost->error.error_class == ErrorClass::kStandby)
    ++next_address_;
}

bool ConnectionActor::follow(const lifecycle::Step& step, Item& item) {
  const auto* resume = std::get_if<lifecycle::Resume>(&item.event);
  if (!resume || !resume->then) return false;
  // The end of a suspension that is over already must not start anything.
  if (resume->only_of && step.answer != lifecycle::Answer::kDone) return false;
  Item start;
  start.event = *resume->then;
  start.reply = std::move(item.reply);
  inbox_.push_front(std::move(start));
  return true;
}

Result<StateView> ConnectionActor::preview(const lifecycle::Event& event) {
  const lifecycle::Inputs now{services_.timers.now(), services_.clock.utc_now(), 0};
  lifecycle::Step step = lifecycle::reduce(state_, event, config_->policy, now);
  const auto* resume = std::get_if<lifecycle::Resume>(&event);
  if (resume && resume->then)
    step = lifecycle::reduce(step.next, *resume->then, config_->policy, now);
  if (step.answer == lifecycle::Answer::kRefused) return fail(std::move(*step.refusal));
  return lifecycle::to_view(step.next);
}

Task<void> ConnectionActor::apply(Item item) {
  const auto self = shared_from_this();
  if (item.granted) {
    take_turn(std::move(item));
    co_return;
  }
  choose_address(item.event);
  if (item.config) {
    config_ = item.config;
    next_address_ = 0;
    for (const auto& slot : slots_) {
      slot->operation.reset();  // planned for the old settings
      slot->breaker.set_policy(config_->policy.function_breaker);
      slot->breaker.reset();
      if (slot->feed) slot->feed->set_origin({config_->name, slot->config->name});
    }
  }
  lifecycle::Step step = services_.reduce(state_, item.event, config_->policy, inputs());
  // Booting repeats what is stored already; only people change the intent.
  const bool is_command = step.answer == lifecycle::Answer::kDone;
  Result<void> stored;
  if (step.answer != lifecycle::Answer::kRefused) stored = co_await record(step, is_command);
  if (!stored && is_command && intent_row(step.next)) {
    step.answer = lifecycle::Answer::kRefused;
    step.refusal = std::move(stored.error());
  }
  if (step.answer == lifecycle::Answer::kRefused) {
    if (item.reply) {
      item.reply->result = fail(*step.refusal);
      item.reply->done.set();
    }
    co_return;
  }
  state_ = step.next;
  if (const auto* opened = std::get_if<lifecycle::Opened>(&item.event)) adopt(*opened);
  for (const auto& effect : step.effects) co_await act(effect, item);
  if (follow(step, item)) co_return;
  if (item.reply) {
    item.reply->result = view();
    item.reply->done.set();
  }
}

}  // namespace tributary::connect
