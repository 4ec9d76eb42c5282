#include "orchestrate/delivery/desk.hpp"

#include <algorithm>
#include <charconv>

#include "orchestrate/delivery/state_keys.hpp"
#include "orchestrate/stopped.hpp"
#include "runtime/log.hpp"

namespace tributary::orchestrate {
namespace {

constexpr Duration kFirstRetry{std::chrono::milliseconds{50}};
constexpr Duration kLongestRetry{std::chrono::seconds{1}};
constexpr std::size_t kOrphanPage = 200;
constexpr std::size_t kOrphanBytes = 4U << 20;

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Desk::Desk(const Plan& plan, CourierContext context, Event& stopping)
    : plan_(plan),
      context_(std::move(context)),
      stopping_(stopping),
      couriers_(plan.nodes.size()),
      kept_held_(plan.nodes.size()) {
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    const PlanNode& node = plan_.nodes[i];
    if (!node.destination) continue;
    couriers_[i] = std::make_shared<Courier>(spool::QueueId{plan_.pipeline_id, node.id},
                                             *node.destination, node.delivery, context_);
  }
}

Desk::~Desk() = default;

Task<void> Desk::open(std::vector<NodeState>& states) {
  std::vector<spool::StateChange> kept;
  Duration wait = kFirstRetry;
  while (!stopping_.is_set()) {
    std::string pipeline = plan_.pipeline_id;
    auto read = co_await context_.spool.states(std::move(pipeline));
    if (read) {
      kept = std::move(*read);
      break;
    }
    set_trouble(std::move(read.error()));
    const SteadyTime until = context_.timers.now() + wait;
    co_await stopping_.wait_until(context_.timers, until);
    wait = std::min(wait * 2, kLongestRetry);
  }
  set_trouble(std::nullopt);
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) places[plan_.nodes[i].id] = i;
  std::vector<std::int64_t> in_doubt(plan_.nodes.size());
  for (spool::StateChange& change : kept) {
    const auto place = places.find(change.node);
    if (place == places.end() || !change.value) continue;
    if (change.key == kSendingKey) {
      in_doubt[place->second] = number_of(*change.value);
    } else if (change.key == kHeldKey) {
      states[place->second].held = number_of(*change.value);
      kept_held_[place->second] = states[place->second].held;
    } else if (auto value = parse_json(*change.value)) {
      states[place->second].restore(std::move(change.key), std::move(*value));
    }
  }
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    if (couriers_[i]) couriers_[i]->start(in_doubt[i]);
  }
  co_await bury_orphans();
}

Task<void> Desk::bury_orphans() {
  std::string pipeline = plan_.pipeline_id;
  auto queues = co_await context_.spool.queues(std::move(pipeline));
  if (!queues) co_return;
  for (const spool::QueueId& queue : *queues) {
    const bool wanted = std::ranges::any_of(plan_.nodes, [&queue](const PlanNode& node) {
      return node.destination && node.id == queue.node;
    });
    if (wanted) continue;
    spool::QueueId orphan = queue;
    co_await bury(std::move(orphan));
  }
}

Task<void> Desk::bury(spool::QueueId queue) {
  const Error reason(ErrorClass::kFunction, "destination_removed",
                     "The pipeline has no durable destination of this name any more.",
                     "Release it when there is one again, or delete it.");
  while (!stopping_.is_set()) {
    spool::QueueId name = queue;
    auto page = co_await context_.spool.read(std::move(name), 0, kOrphanPage, kOrphanBytes);
    if (!page || page->empty()) co_return;
    spool::Settlement settlement;
    settlement.up_to = page->back().seq;
    for (const spool::Entry& entry : *page) settlement.dead.push_back({entry.seq, 0, reason});
    name = queue;
    auto settled = co_await context_.spool.settle(std::move(name), std::move(settlement));
    if (settled) continue;
    log::warning(
        "orchestrate", "What waits for a removed destination could not be set aside.",
        {{"pipeline", queue.pipeline}, {"node", queue.node}, {"reason", settled.error().message}});
    co_return;
  }
}

Task<Result<void>> Desk::keep(std::vector<Outbox> outboxes, std::vector<NodeState>& states,
                              bool patient) {
  spool::Commit commit;
  commit.pipeline = plan_.pipeline_id;
  for (const Outbox& outbox : outboxes) {
    const PlanNode& node = plan_.nodes[outbox.node];
    commit.appends.push_back({{plan_.pipeline_id, node.id}, node.delivery.bounds, outbox.entries});
  }
  std::vector<std::int64_t> held(states.size());
  std::vector<std::set<std::string>> changes(states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    const std::string& node = plan_.nodes[i].id;
    changes[i] = states[i].take_changes();
    for (const std::string& key : changes[i]) {
      const Json* value = states[i].find(key);
      commit.states.push_back(
          {node, key, value == nullptr ? std::nullopt : std::optional(to_text(*value))});
    }
    held[i] = states[i].held;
    if (held[i] != kept_held_[i])
      commit.states.push_back({node, std::string(kHeldKey), std::to_string(held[i])});
  }
  if (commit.appends.empty() && commit.states.empty()) co_return Result<void>{};
  auto appended = co_await this->commit(commit, patient);
  if (!appended) {
    for (std::size_t i = 0; i < states.size(); ++i) states[i].add_changes(std::move(changes[i]));
    co_return fail(std::move(appended.error()));
  }
  kept_held_ = std::move(held);
  for (std::size_t i = 0; i < outboxes.size(); ++i) {
    const auto& courier = couriers_[outboxes[i].node];
    courier->appended((*appended)[i], std::move(outboxes[i].entries));
  }
  co_return Result<void>{};
}

Task<Result<std::vector<spool::Appended>>> Desk::commit(const spool::Commit& commit, bool patient) {
  Duration wait = kFirstRetry;
  while (true) {
    spool::Commit copy = commit;
    auto appended = co_await context_.spool.commit(std::move(copy));
    if (appended) {
      set_trouble(std::nullopt);
      co_return appended;
    }
    set_trouble(appended.error());
    if (!patient || appended.error().error_class == ErrorClass::kFunction) co_return appended;
    const SteadyTime until = context_.timers.now() + wait;
    const bool stopped = co_await stopping_.wait_until(context_.timers, until);
    if (stopped) co_return fail(pipeline_stopped());
    wait = std::min(wait * 2, kLongestRetry);
  }
}

Task<void> Desk::close() {
  // One after the other would add up their patience.
  struct Countdown {
    explicit Countdown(const Executor& executor) : done(executor) {}
    std::size_t left = 1;
    Event done;
  };
  auto countdown = std::make_shared<Countdown>(context_.executor);
  const auto stop = [](std::shared_ptr<Courier> courier,
                       std::shared_ptr<Countdown> count) -> Task<void> {
    co_await courier->stop();
    if (--count->left == 0) count->done.set();
  };
  for (const auto& courier : couriers_) {
    if (!courier) continue;
    ++countdown->left;
    spawn(context_.executor, stop(courier, countdown));
  }
  if (--countdown->left > 0) co_await countdown->done.wait();
}

void Desk::connected(const std::string& connection_id) {
  for (const auto& courier : couriers_) {
    if (courier && courier->connection_id() == connection_id) courier->poke();
  }
}

void Desk::released() {
  for (const auto& courier : couriers_) {
    if (courier) courier->poke();
  }
}

std::optional<Error> Desk::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

const Courier* Desk::courier(std::size_t node) const {
  return couriers_[node].get();
}

void Desk::set_trouble(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(error);
}

}  // namespace tributary::orchestrate
