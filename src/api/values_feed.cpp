#include "api/values_feed.hpp"

namespace tributary::api {

ValuesFeed::ValuesFeed(Executor control, Timers& timers, Listener listener)
    : control_(control), timers_(timers), listener_(std::move(listener)) {}

Result<std::shared_ptr<ValuesFeed>> ValuesFeed::open(connect::Manager& manager,
                                                     const std::string& function_id,
                                                     Executor control, Timers& timers,
                                                     Listener listener) {
  std::shared_ptr<ValuesFeed> feed(new ValuesFeed(control, timers, std::move(listener)));
  auto registration = manager.watch_values(
      function_id, [weak = std::weak_ptr(feed)](const std::shared_ptr<const Batch>& batch) {
        if (auto self = weak.lock()) self->take(*batch);
      });
  if (!registration) return fail(std::move(registration.error()));
  feed->registration_ = std::move(*registration);
  return feed;
}

void ValuesFeed::take(const Batch& batch) {
  std::lock_guard lock(mutex_);
  if (batch.is_scans()) {
    for (const Scan& scan : batch.scans()) {
      for (const Sample& sample : scan.samples) {
        latest_.insert_or_assign(scan.name_of(sample),
                                 Scan{scan.points, scan.receive_time, {sample}});
      }
    }
  } else {
    for (const Record& record : batch.records()) {
      if (records_.size() == kMaxWaitingRecords) {
        records_.pop_front();
        lost_records_ = true;
      }
      records_.push_back(record);
    }
  }
  if (std::exchange(woken_, true)) return;
  asio::post(control_, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->wake();
  });
}

void ValuesFeed::wake() {
  const SteadyTime due = last_flush_ + kValuesInterval;
  if (timers_.now() >= due) {
    flush();
    return;
  }
  timer_ = timers_.at(control_, due, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->flush();
  });
}

void ValuesFeed::flush() {
  last_flush_ = timers_.now();
  Update update;
  {
    std::lock_guard lock(mutex_);
    update.scans.reserve(latest_.size());
    for (auto& [name, scan] : latest_) update.scans.push_back(std::move(scan));
    latest_.clear();
    update.records.assign(std::make_move_iterator(records_.begin()),
                          std::make_move_iterator(records_.end()));
    records_.clear();
    update.lost_records = std::exchange(lost_records_, false);
    woken_ = false;
  }
  // The last owner may let go of this feed inside.
  auto self = shared_from_this();
  listener_(update);
}

}  // namespace tributary::api
