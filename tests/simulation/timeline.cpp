#include "tests/simulation/timeline.hpp"

namespace tributary::simulation {

class HubTimers::Handle final : public Timer {
 public:
  Handle(std::weak_ptr<Queue> queue, Queue::iterator place, std::shared_ptr<Entry> entry)
      : queue_(std::move(queue)), place_(place), entry_(std::move(entry)) {}
  ~Handle() override {
    // Fired already: its place in the queue is gone.
    if (!std::exchange(entry_->fire, nullptr)) return;
    if (!entry_->queued) return;
    if (const auto queue = queue_.lock()) queue->erase(place_);
  }

 private:
  std::weak_ptr<Queue> queue_;
  Queue::iterator place_;
  std::shared_ptr<Entry> entry_;
};

std::unique_ptr<Timer> HubTimers::at(const Executor& executor, SteadyTime when,
                                     std::move_only_function<void()> fire) {
  auto entry = std::make_shared<Entry>(executor, std::move(fire));
  const auto place = queue_->emplace(std::max(when, now()), entry);
  return std::make_unique<Handle>(queue_, place, std::move(entry));
}

std::optional<SteadyTime> HubTimers::next() const {
  if (queue_->empty()) return std::nullopt;
  return queue_->begin()->first;
}

void HubTimers::fire() {
  auto entry = std::move(queue_->begin()->second);
  queue_->erase(queue_->begin());
  entry->queued = false;
  const Executor executor = entry->executor;
  asio::post(executor, [entry = std::move(entry)] {
    if (auto call = std::exchange(entry->fire, nullptr)) call();
  });
}

std::map<const asio::io_context*, std::size_t> HubTimers::armed() const {
  std::map<const asio::io_context*, std::size_t> counts;
  for (const auto& [when, entry] : *queue_) ++counts[&entry->executor.context()];
  return counts;
}

bool HubTimers::fire_past_the_end() {
  if (queue_->empty()) return false;
  past_the_end_ = std::max(past_the_end_, queue_->begin()->first);
  fire();
  return true;
}

}  // namespace tributary::simulation
