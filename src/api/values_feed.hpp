// Live values of one subscription, for all clients that look at it: the newest sample of each
// point, five times a second at most. What comes faster replaces what waits, so memory is bounded
// by the number of points.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "connect/manager.hpp"
#include "runtime/timers.hpp"

namespace tributary::api {

inline constexpr auto kValuesInterval = std::chrono::milliseconds{200};
inline constexpr std::size_t kMaxWaitingRecords = 100;

class ValuesFeed : public std::enable_shared_from_this<ValuesFeed> {
 public:
  struct Update {
    std::vector<Scan> scans;
    std::vector<Record> records;
    bool lost_records = false;  // more than kMaxWaitingRecords came between two updates
  };
  using Listener = std::function<void(const Update& update)>;

  // `listener` is called on the control executor. Errors: those of Manager::watch_values.
  static Result<std::shared_ptr<ValuesFeed>> open(connect::Manager& manager,
                                                  const std::string& function_id, Executor control,
                                                  Timers& timers, Listener listener);

 private:
  ValuesFeed(Executor control, Timers& timers, Listener listener);
  void take(const Batch& batch);  // on the connection's executor
  void wake();                    // on the control executor
  void flush();

  Executor control_;
  Timers& timers_;
  Listener listener_;
  SteadyTime last_flush_{};
  std::unique_ptr<Timer> timer_;
  connect::Registration registration_;

  std::mutex mutex_;  // between the connection's executor and ours; guards what follows
  std::unordered_map<std::string, Scan> latest_;
  std::deque<Record> records_;
  bool lost_records_ = false;
  bool woken_ = false;
};

}  // namespace tributary::api
