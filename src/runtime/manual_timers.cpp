#include "runtime/manual_timers.hpp"

namespace tributary {

class ManualTimers::Handle final : public Timer {
 public:
  Handle(std::weak_ptr<Queue> queue, std::shared_ptr<Entry> entry)
      : queue_(std::move(queue)), entry_(std::move(entry)) {}
  ~Handle() override {
    entry_->fire = nullptr;
    if (auto queue = queue_.lock()) {
      std::erase_if(*queue, [this](const auto& item) { return item.second == entry_; });
    }
  }

 private:
  std::weak_ptr<Queue> queue_;
  std::shared_ptr<Entry> entry_;
};

std::unique_ptr<Timer> ManualTimers::at(const Executor& executor, SteadyTime when,
                                        std::move_only_function<void()> fire) {
  auto entry = std::make_shared<Entry>(executor, std::move(fire));
  queue_->emplace(when, entry);
  return std::make_unique<Handle>(queue_, entry);
}

void ManualTimers::settle() {
  context_.restart();
  while (context_.poll() > 0) {
  }
}

std::optional<SteadyTime> ManualTimers::next() const {
  if (queue_->empty()) return std::nullopt;
  return queue_->begin()->first;
}

void ManualTimers::advance(Duration by) {
  SteadyTime target = clock_.steady_now() + by;
  settle();
  while (!queue_->empty() && queue_->begin()->first <= target) {
    auto first = queue_->begin();
    if (first->first > clock_.steady_now()) clock_.advance(first->first - clock_.steady_now());
    auto entry = first->second;
    queue_->erase(first);
    asio::post(entry->executor, [entry] {
      if (auto fire = std::exchange(entry->fire, nullptr)) fire();
    });
    settle();
  }
  if (target > clock_.steady_now()) clock_.advance(target - clock_.steady_now());
  settle();
}

}  // namespace tributary
