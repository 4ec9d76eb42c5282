// Where the values of one function go: viewers, who are told and forgotten, and consumers, who are
// waited for.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "connect/manager.hpp"
#include "runtime/event.hpp"

namespace tributary::connect {

// A viewer. May be dropped on another thread than the one it is called on: after drop() it is not
// called any more.
class Viewer {
 public:
  explicit Viewer(ValuesListener listener) : listener_(std::move(listener)) {}
  void show(const std::shared_ptr<const Batch>& batch) {
    const std::lock_guard lock(mutex_);
    if (listener_) listener_(batch);
  }
  void drop() {
    const std::lock_guard lock(mutex_);
    listener_ = nullptr;
  }
  bool dropped() const {
    const std::lock_guard lock(mutex_);
    return !listener_;
  }

 private:
  mutable std::mutex mutex_;
  ValuesListener listener_;
};

// A consumer: one batch at a time, in order.
class Consumer {
 public:
  Consumer(Executor executor, BatchConsumer accept)
      : executor_(executor), accept_(std::move(accept)) {}
  Task<Result<void>> take(std::shared_ptr<const Batch> batch, const Origin& origin);
  void drop() { dropped_.store(true); }
  bool dropped() const { return dropped_.load(); }

 private:
  Executor executor_;
  BatchConsumer accept_;
  std::atomic<bool> dropped_ = false;
  bool busy_ = false;
  std::shared_ptr<Event> idle_;
};

// Lives on the connection's executor.
class Feed : public std::enable_shared_from_this<Feed> {
 public:
  Feed(Executor executor, Origin origin) : executor_(executor), origin_(std::move(origin)) {}

  void set_origin(Origin origin) { origin_ = std::move(origin); }
  void add(std::shared_ptr<Viewer> viewer) { viewers_.push_back(std::move(viewer)); }
  void add(std::shared_ptr<Consumer> consumer) { consumers_.push_back(std::move(consumer)); }
  bool has_audience() const { return !viewers_.empty() || !consumers_.empty(); }

  // Resumes when every consumer has accepted: the acknowledgement, and the back-pressure. Error:
  // the first one that a consumer gave; the others got the batch all the same.
  Task<Result<void>> deliver(std::shared_ptr<const Batch> batch);
  // Without waiting: for what must be told at once (values turned bad). Consumers get it after what
  // they are busy with.
  void announce(const std::shared_ptr<const Batch>& batch);

 private:
  void show(const std::shared_ptr<const Batch>& batch);
  void forget_dropped();

  Executor executor_;
  Origin origin_;
  std::vector<std::shared_ptr<Viewer>> viewers_;
  std::vector<std::shared_ptr<Consumer>> consumers_;
};

}  // namespace tributary::connect
