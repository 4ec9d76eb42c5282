// Dead letters, and what the front desk knows of queues.
#include "orchestrate/engine_impl.hpp"

namespace tributary::orchestrate {
namespace {

// Does something to dead letters of a pipeline, and tells its couriers: more waits, or counters
// have changed.
constexpr auto command_letters =
    [](auto impl, auto command, std::string id,
       std::vector<std::string> letters) -> Task<Result<std::int64_t>> {
  auto spool = impl->spool_of(id);
  if (!spool) co_return fail(std::move(spool.error()));
  std::string pipeline = id;
  auto done = co_await ((*spool)->*command)(std::move(pipeline), std::move(letters));
  const auto entry = impl->entries.find(id);
  if (entry != impl->entries.end() && entry->second.runner)
    entry->second.runner->dead_letters_released();
  co_return done;
};

}  // namespace

Result<spool::Spool*> Engine::Impl::spool_of(const std::string& id) const {
  if (!entries.contains(id))
    return fail(ErrorClass::kFunction, "not_found", "This pipeline does not exist.");
  if (spool == nullptr)
    return fail(ErrorClass::kInternal, "spool_unavailable", "Nothing is kept on disk here.");
  return spool;
}

Task<void> Engine::Impl::read_queues(std::shared_ptr<Impl> self, std::string id) {
  std::string pipeline = id;
  auto queues = co_await self->spool->queues(std::move(pipeline));
  if (!queues) co_return;
  for (const spool::QueueId& queue : *queues) {
    spool::QueueId name = queue;
    auto stats = co_await self->spool->stats(std::move(name));
    const auto entry = self->entries.find(id);
    if (stats && entry != self->entries.end()) entry->second.queues[queue.node] = *stats;
  }
}

void Engine::Impl::watch_connections() {
  state_watch = functions->watch_states([this](const ConnectionNews& news) {
    if (news.removed || news.state.status != connect::Status::kConnected) return;
    for (auto& [id, entry] : entries) {
      if (entry.running) entry.runner->connection_is_back(news.connection_id);
    }
  });
}

std::vector<QueueRoom> Engine::Impl::queue_rooms() const {
  std::vector<QueueRoom> rooms;
  for (const auto& [id, entry] : entries) {
    const Desk* desk = entry.running ? entry.runner->desk() : nullptr;
    if (desk == nullptr) continue;
    const auto& nodes = entry.runner->plan().nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Courier* courier = desk->courier(i);
      if (courier == nullptr) continue;
      rooms.push_back({courier->queue(), entry.row.name, courier->connection_id(),
                       courier->view().queue.bytes, nodes[i].delivery.bounds});
    }
  }
  return rooms;
}

void Engine::Impl::watch_room() {
  if (spool == nullptr || options.alarms == nullptr) return;
  if (!room_watch) room_watch.emplace(*options.alarms);
  room_watch->look_at(queue_rooms());
  room_watch->look_at(spool->room());
  room_timer = runtime.timers().at(runtime.control(), runtime.timers().now() + kRoomInterval,
                                   [this] { watch_room(); });
}

Task<Result<std::vector<spool::DeadLetter>>> Engine::dead_letters(std::string id,
                                                                  std::string before,
                                                                  std::size_t limit) {
  auto impl = impl_;
  auto spool = impl->spool_of(id);
  if (!spool) co_return fail(std::move(spool.error()));
  co_return co_await (*spool)->dead_letters(std::move(id), std::move(before), limit);
}

Task<Result<spool::DeadLetter>> Engine::dead_letter(std::string id, std::string letter) {
  auto impl = impl_;
  auto spool = impl->spool_of(id);
  if (!spool) co_return fail(std::move(spool.error()));
  co_return co_await (*spool)->dead_letter(std::move(id), std::move(letter));
}

Task<Result<std::int64_t>> Engine::release_dead_letters(std::string id,
                                                        std::vector<std::string> letters) {
  return command_letters(impl_, &spool::Spool::release, std::move(id), std::move(letters));
}

Task<Result<std::int64_t>> Engine::delete_dead_letters(std::string id,
                                                       std::vector<std::string> letters) {
  return command_letters(impl_, &spool::Spool::remove, std::move(id), std::move(letters));
}

}  // namespace tributary::orchestrate
