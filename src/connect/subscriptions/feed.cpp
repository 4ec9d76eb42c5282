#include "connect/subscriptions/feed.hpp"

namespace tributary::connect {

Task<Result<void>> Consumer::take(std::shared_ptr<const Batch> batch, const Origin& origin) {
  while (busy_) {
    if (!idle_) idle_ = std::make_shared<Event>(executor_);
    auto idle = idle_;
    co_await idle->wait();
  }
  if (dropped()) co_return Result<void>{};
  busy_ = true;
  const Origin from = origin;
  Result<void> result = co_await accept_(std::move(batch), from);
  busy_ = false;
  if (idle_) std::exchange(idle_, nullptr)->set();
  co_return result;
}

void Feed::forget_dropped() {
  std::erase_if(viewers_, [](const auto& viewer) { return viewer->dropped(); });
  std::erase_if(consumers_, [](const auto& consumer) { return consumer->dropped(); });
}

void Feed::show(const std::shared_ptr<const Batch>& batch) {
  for (const auto& viewer : viewers_) viewer->show(batch);
}

Task<Result<void>> Feed::deliver(std::shared_ptr<const Batch> batch) {
  forget_dropped();
  show(batch);
  if (consumers_.empty()) co_return Result<void>{};
  const auto self = shared_from_this();
  // Consumers may come and go while one of them is waited for.
  const auto consumers = consumers_;
  Result<void> outcome;
  for (const auto& consumer : consumers) {
    Result<void> accepted = co_await consumer->take(batch, origin_);
    if (!accepted && accepted.error().error_class != ErrorClass::kCancelled && outcome)
      outcome = std::move(accepted);
  }
  co_return outcome;
}

void Feed::announce(const std::shared_ptr<const Batch>& batch) {
  forget_dropped();
  show(batch);
  for (const auto& consumer : consumers_) {
    spawn(executor_,
          [](std::shared_ptr<Feed> self, std::shared_ptr<Consumer> to,
             std::shared_ptr<const Batch> what) -> Task<void> {
            co_await to->take(std::move(what), self->origin_);
          }(shared_from_this(), consumer, batch));
  }
}

}  // namespace tributary::connect
