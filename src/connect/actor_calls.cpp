// Functions of a connection: who may call when, and what callers are told otherwise.
#include "connect/actor.hpp"
#include "sdk/node_reader.hpp"

namespace tributary::connect {

namespace {

// Calls that wait for a connection to come up; more are turned away at once.
constexpr std::size_t kMaxWaitingCalls = 64;
constexpr std::int64_t kWaitingRetryMs = 1000;
constexpr Duration kStaleAfter{std::chrono::seconds{5}};

std::string cause_text(const lifecycle::LifecycleState& state) {
  return state.cause ? state.cause->error.message : std::string("no cause was recorded");
}

Priority priority_of(const FunctionConfig& function) {
  return function.writes() ? Priority::kWrite : Priority::kRead;
}

BreakerView to_breaker_view(const FunctionBreaker::View& view, const Clock& clock) {
  BreakerView shown{std::string(to_string(view.state)), view.consecutive_failures, {}};
  if (view.open_until) {
    shown.open_until = clock.utc_now() + std::chrono::duration_cast<std::chrono::microseconds>(
                                             *view.open_until - clock.steady_now());
  }
  return shown;
}

Error too_many_waiting() {
  Error error(ErrorClass::kBusy, "call_queue_full",
              "Too many calls are waiting for the connection to come up.");
  error.retry_after_ms = kWaitingRetryMs;
  return error;
}

// A write that may or may not have happened has one name, whatever cut it off: callers match on it
// (edge case 39).
Result<Batch> with_named_outcome(Result<Batch> result, const FunctionConfig& function) {
  if (!result && result.error().outcome_unknown && function.writes())
    result.error().code = "outcome_unknown";
  return result;
}

// What a record that is read later says about itself (api-examples, "What travels"): its age, and
// its quality where that is not good.
Record aged(Record record, const Origin& origin, UtcTime received, Duration age, Quality quality) {
  if (!record.is_object()) return record;
  // A message that the broker had kept: when it was sent, nobody knows (edge case 40).
  if (quality.is_good() && get_bool(record, "retained", false)) quality = kUncertainLastUsableValue;
  Json meta = record.contains("$meta") ? record.at("$meta") : json_object();
  meta.insert_or_assign("connection", origin.connection);
  meta.insert_or_assign("function", origin.function);
  meta.insert_or_assign("time", format_utc(received));
  meta.insert_or_assign("ageMs", std::chrono::floor<std::chrono::milliseconds>(age).count());
  if (!quality.is_good()) {
    meta.insert_or_assign("quality", quality.name());
    meta.insert_or_assign("code", quality.code_name());
  }
  record.insert_or_assign("$meta", std::move(meta));
  return record;
}

}  // namespace

Error rejection(const lifecycle::LifecycleState& state, SteadyTime now) {
  Error error(ErrorClass::kTransient, "not_running", "The connection is not running.",
              "Start it first.");
  switch (state.status) {
    case Status::kSuspended:
      error.code = "connection_suspended";
      error.message = fmt::format("The connection is suspended: {}",
                                  state.suspension ? state.suspension->reason : "");
      error.hint = "Resume it when the reason is gone.";
      break;
    case Status::kFailed:
      error.code = "connection_failed";
      error.message = fmt::format("The connection has failed: {}", cause_text(state));
      error.hint = "Remove the cause, then restart the connection.";
      break;
    case Status::kDisconnected:
    case Status::kReconnecting:
      error.code = "connection_disconnected";
      error.message = fmt::format("The connection is down: {}", cause_text(state));
      error.hint = "It reconnects by itself.";
      error.retry_after_ms = 1000;
      break;
    case Status::kConnecting:
      error.code = "connection_disconnected";
      error.message = "The connection did not come up before the deadline of the call.";
      error.retry_after_ms = 1000;
      break;
    default:
      break;
  }
  if (state.due && *state.due > now) {
    error.retry_after_ms =
        std::max<std::int64_t>(1, (*state.due - now) / std::chrono::milliseconds{1});
  }
  return error;
}

std::shared_ptr<FunctionSlot> ConnectionActor::find(const std::string& function_id) const {
  const auto found = std::ranges::find_if(
      slots_, [&](const auto& slot) { return slot->config->id == function_id; });
  return found == slots_.end() ? nullptr : *found;
}

void ConnectionActor::wake_callers() {
  for (const auto& caller : std::exchange(callers_, {})) caller->set();
}

Task<Result<std::shared_ptr<LiveSession>>> ConnectionActor::admit(SteadyTime deadline) {
  while (state_.status == Status::kConnecting) {
    if (callers_.size() >= kMaxWaitingCalls) {
      co_return fail(too_many_waiting());
    }
    auto ready = std::make_shared<Event>(services_.executor);
    callers_.push_back(ready);
    const bool woken = co_await ready->wait_until(services_.timers, deadline);
    if (!woken) {
      std::erase(callers_, ready);
      break;
    }
  }
  if (state_.status != Status::kConnected || !live_)
    co_return fail(rejection(state_, services_.timers.now()));
  co_return live_;
}

Task<Result<Batch>> ConnectionActor::run(std::string function_id, Json parameters,
                                         Duration timeout) {
  const auto slot = find(function_id);
  if (!slot) co_return fail(ErrorClass::kFunction, "not_found", "There is no such function.");
  const auto& function = *slot->config;
  if (function.is_subscription() && !function.type->polled) {
    co_return fail(ErrorClass::kFunction, "not_executable",
                   fmt::format("{} is a subscription: it sends by itself and cannot be executed.",
                               function.name));
  }
  // What is wrong with the call is said before anybody waits for the connection.
  auto operation = slot->operation_for(*config_, parameters);
  if (!operation) co_return fail(blame_parameter(function, std::move(operation.error())));
  const SteadyTime now = services_.timers.now();
  const bool bounded = timeout > Duration::zero();
  const Duration request_timeout = config_->policy.request_timeout;
  const Duration patience = bounded ? timeout : request_timeout;
  const SteadyTime admit_deadline =
      now + (bounded ? timeout : std::max(patience, config_->policy.connect_timeout));
  Result<std::shared_ptr<LiveSession>> live = co_await admit(admit_deadline);
  if (!live) co_return fail(std::move(live.error()));
  CallRequest request;
  request.operation = *std::move(operation);
  request.parameters = std::move(parameters);
  request.priority = priority_of(function);
  request.writes = function.writes();
  request.turn_deadline =
      bounded ? admit_deadline : std::max(admit_deadline, services_.timers.now() + request_timeout);
  request.call_deadline = now + patience;
  if (bounded) request.answer_by = request.call_deadline;
  request.request_timeout = request_timeout;
  const auto requests = static_cast<Duration::rep>(request.operation->round_trips());
  auto permit = slot->breaker.ask(
      services_.timers.now(),
      std::max(request.turn_deadline, request.call_deadline) + requests * request_timeout);
  if (!permit) co_return fail(std::move(permit.error()));
  request.ended = [permit = *std::move(permit), config = slot->config,
                   &timers = services_.timers](const Result<Batch>& result) mutable {
    const Judgement judgement =
        result ? judge(result) : judge(fail(blame_parameter(*config, result.error())));
    report(permit, judgement, timers.now());
  };
  Result<Batch> result = co_await (*live)->call(std::move(request));
  if (!result) result = fail(blame_parameter(function, std::move(result.error())));
  co_return with_named_outcome(std::move(result), function);
}

Task<ExecuteResult> ConnectionActor::execute(std::string function_id, Json parameters,
                                             Duration timeout) {
  const auto self = shared_from_this();
  const SteadyTime begun = services_.timers.now();
  Result<Batch> result = co_await run(std::move(function_id), std::move(parameters), timeout);
  ExecuteResult answer{std::move(result), services_.timers.now() - begun,
                       services_.clock.utc_now()};
  co_return answer;
}

// Calls of one function that are shared out among several who make them.
struct ConnectionActor::CallList {
  CallList(std::vector<Json> all, const Executor& executor)
      : parameters(std::move(all)),
        results(parameters.size(), fail(ErrorClass::kCancelled, "not_tried",
                                        "A call before this one met an obstacle.")),
        done(executor) {}
  std::vector<Json> parameters;
  std::vector<Result<Batch>> results;
  std::size_t next = 0;
  std::size_t callers = 1;
  bool stopped = false;
  Event done;
};

Task<void> ConnectionActor::take_calls(std::shared_ptr<ConnectionActor> self,
                                       std::string function_id, Duration timeout, bool careful,
                                       std::shared_ptr<CallList> list) {
  while (list->next < list->parameters.size() && !list->stopped) {
    const std::size_t index = list->next++;
    Json parameters = std::move(list->parameters[index]);
    Result<Batch> result = co_await self->run(function_id, std::move(parameters), timeout);
    const bool obstacle = !result && result.error().error_class != ErrorClass::kFunction;
    list->stopped = list->stopped || (careful && obstacle);
    list->results[index] = std::move(result);
  }
  if (--list->callers == 0) list->done.set();
}

Task<std::vector<Result<Batch>>> ConnectionActor::execute_all(std::string function_id,
                                                              std::vector<Json> parameters,
                                                              Duration timeout, Calls calls) {
  const auto self = shared_from_this();
  auto list = std::make_shared<CallList>(std::move(parameters), services_.executor);
  list->callers = std::max<std::size_t>(1, std::min(calls.at_once, list->parameters.size()));
  const std::size_t others = list->callers - 1;
  for (std::size_t i = 0; i < others; ++i)
    spawn(services_.executor, take_calls(self, function_id, timeout, calls.stop_at_obstacle, list));
  co_await take_calls(self, function_id, timeout, calls.stop_at_obstacle, list);
  if (list->callers > 0) co_await list->done.wait();
  co_return std::move(list->results);
}

// What a person asks the peer beside the functions: `ask(session, deadline)`.
template <typename T, typename Ask>
Task<Result<T>> ConnectionActor::ask_session(Ask ask) {
  const auto self = shared_from_this();
  const SteadyTime deadline = services_.timers.now() + config_->policy.connect_timeout;
  Result<std::shared_ptr<LiveSession>> live = co_await admit(deadline);
  if (!live) co_return fail(std::move(live.error()));
  const SteadyTime answer_by = services_.timers.now() + config_->policy.request_timeout;
  Result<T> answer = co_await ask((*live)->session(), answer_by);
  if (!answer && is_connection_error(answer.error().error_class))
    (*live)->report_loss(answer.error());
  co_return answer;
}

Task<Result<sdk::BrowsePage>> ConnectionActor::browse(std::string node, std::string cursor) {
  auto ask = [node = std::move(node), cursor = std::move(cursor)](
                 sdk::Session& session, SteadyTime deadline) -> Task<Result<sdk::BrowsePage>> {
    auto* browser = dynamic_cast<sdk::Browser*>(&session);
    if (!browser) {
      co_return fail(ErrorClass::kFunction, "not_browsable",
                     "This kind of system has no address space to browse.");
    }
    co_return co_await browser->browse(node, cursor, deadline);
  };
  return ask_session<sdk::BrowsePage>(std::move(ask));
}

Task<Result<Batch>> ConnectionActor::read_nodes(std::vector<std::string> nodes) {
  auto ask = [nodes = std::move(nodes)](sdk::Session& session,
                                        SteadyTime deadline) mutable -> Task<Result<Batch>> {
    auto* reader = dynamic_cast<sdk::NodeReader*>(&session);
    if (!reader) {
      co_return fail(ErrorClass::kFunction, "not_readable",
                     "Nodes of this kind of system are read by functions only.");
    }
    co_return co_await reader->read_nodes(std::move(nodes), deadline);
  };
  return ask_session<Batch>(std::move(ask));
}

void ConnectionActor::put_function(std::shared_ptr<const FunctionConfig> function,
                                   std::shared_ptr<FunctionStats> stats) {
  auto slot = std::make_shared<FunctionSlot>();
  slot->config = std::move(function);
  slot->stats = std::move(stats);
  const auto old = find(slot->config->id);
  if (slot->config->is_subscription()) {
    const Origin origin{config_->name, slot->config->name};
    slot->feed = old && old->feed ? old->feed : std::make_shared<Feed>(services_.executor, origin);
    slot->feed->set_origin(origin);
  }
  // A breaker and an expectation of its own: an edit is a new beginning.
  slot->breaker = FunctionBreaker(
      config_->policy.function_breaker,
      [stats = slot->stats, &clock = services_.clock](const FunctionBreaker::View& view) {
        stats->set_breaker(to_breaker_view(view, clock));
      });
  slot->stats->set_breaker({});
  slot->freshness = Freshness(freshness_of(*slot->config));
  if (old) {
    std::ranges::replace(slots_, old, slot);
  } else {
    slots_.push_back(slot);
  }
  if (!subscriptions_ || !slot->feed) return;
  spawn(services_.executor,
        [](std::shared_ptr<Subscriptions> subscriptions,
           std::shared_ptr<FunctionSlot> changed) -> Task<void> {
          co_await subscriptions->replace(std::move(changed));
        }(subscriptions_, slot));
}

void ConnectionActor::remove_function(const std::string& id) {
  const auto slot = find(id);
  if (!slot) return;
  std::erase(slots_, slot);
  if (!subscriptions_ || !slot->feed) return;
  spawn(services_.executor,
        [](std::shared_ptr<Subscriptions> subscriptions, std::string gone) -> Task<void> {
          co_await subscriptions->remove(std::move(gone));
        }(subscriptions_, id));
}

Result<Batch> ConnectionActor::last_values(const std::string& function_id) {
  const auto slot = find(function_id);
  if (!slot) return fail(ErrorClass::kFunction, "not_found", "There is no such function.");
  if (!slot->feed) {
    return fail(ErrorClass::kFunction, "not_a_subscription",
                fmt::format("{} is not a subscription.", slot->config->name));
  }
  if (slot->last_records) return last_records(*slot);
  if (!slot->operation && !slot->config->needs_filling) {
    // Never connected yet: the names are known all the same.
    const Json no_parameters = json_object();
    if (auto prepared = slot->operation_for(*config_, no_parameters); !prepared)
      return fail(std::move(prepared.error()));
  }
  if (!slot->values.points()) return Batch::of(std::vector<Record>{});
  std::vector<Scan> scans = slot->values.snapshot(services_.timers.now(), max_age_of(*slot));
  if (const auto bad = quality_of_rest()) {
    for (auto& scan : scans) {
      for (auto& sample : scan.samples) {
        if (sample.quality.is_bad() && scan.age) continue;
        sample.quality = *bad;
        sample.value = std::monostate{};
      }
    }
  }
  return Batch::of(std::move(scans));
}

std::optional<Duration> ConnectionActor::max_age_of(const FunctionSlot& slot) const {
  if (slot.config->type->polled) return std::max(2 * interval_of(*slot.config), kStaleAfter);
  // What a silent subscription said last is not known to be so any more.
  if (slot.stats->state == SubscriptionState::kSilent) return Duration::zero();
  return std::nullopt;
}

std::optional<Quality> ConnectionActor::quality_of_rest() const {
  if (state_.status == Status::kConnected) return std::nullopt;
  const bool at_rest = state_.status == Status::kIdle || state_.status == Status::kSuspended;
  return at_rest ? kBadOutOfService : kBadNotConnected;
}

Batch ConnectionActor::last_records(const FunctionSlot& slot) const {
  const Duration age = services_.timers.now() - slot.last_records_at;
  const auto max_age = max_age_of(slot);
  Quality quality = max_age && age > *max_age ? kUncertainLastUsableValue : kGood;
  // Kept from an earlier session, and nothing has confirmed it in this one.
  if (!slot.stats->restored) quality = kUncertainLastUsableValue;
  if (const auto bad = quality_of_rest()) quality = *bad;
  const Origin origin{config_->name, slot.config->name};
  std::vector<Record> records = slot.last_records->records();
  for (auto& record : records)
    record = aged(std::move(record), origin, slot.last_records_utc, age, quality);
  return Batch::of(std::move(records));
}

void ConnectionActor::add_viewer(const std::string& function_id, std::shared_ptr<Viewer> viewer) {
  if (const auto slot = find(function_id); slot && slot->feed) slot->feed->add(std::move(viewer));
}

void ConnectionActor::add_consumer(const std::string& function_id,
                                   std::shared_ptr<Consumer> consumer) {
  if (const auto slot = find(function_id); slot && slot->feed) slot->feed->add(std::move(consumer));
}

}  // namespace tributary::connect
