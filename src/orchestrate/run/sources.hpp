// Triggers at work. Each lives on the executor of its pipeline and gives it batches; what comes
// from elsewhere is posted there by the runner.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "connect/change_digest.hpp"
#include "orchestrate/model/plan.hpp"
#include "orchestrate/triggers/error_digest.hpp"
#include "orchestrate/triggers/news.hpp"

namespace tributary::orchestrate {

// News that finds the queue full is looked at again after this; what comes meanwhile is merged.
constexpr Duration kNewsRetry{std::chrono::milliseconds{100}};

enum class Offer : std::uint8_t {
  kTaken,    // it waits or is at work
  kFull,     // no room, or the pipeline stops
  kSkipped,  // refused by the policy of the pipeline, and counted
};

struct Start {
  std::size_t trigger = 0;
  std::vector<Record> records;
  bool from_error = false;
  std::function<void()> finished;  // called when the batch is over, whatever became of it
};

// The pipeline as its sources see it. On its executor.
class SourceHost {
 public:
  virtual ~SourceHost() = default;
  virtual Offer offer(Start start) = 0;
  // Waits for room.
  virtual Task<Offer> offer_patiently(Start start) = 0;
  virtual bool has_room() const = 0;
  virtual bool stopped() const = 0;
  // A source that finds its last batch still at work merges what it has into the next.
  virtual bool merges() const = 0;
  virtual void missed(std::int64_t ticks) = 0;
  // A source cannot get its data, or can again.
  virtual void source_failed(std::size_t trigger, const Error& error) = 0;
  virtual void source_recovered(std::size_t trigger) = 0;
  // Keeps the pipeline until it is dropped.
  virtual std::shared_ptr<void> hold() = 0;

  const Plan* plan = nullptr;
  const Executor* executor = nullptr;
  Clock* clock = nullptr;
  Timers* timers = nullptr;
  FunctionPort* functions = nullptr;
};

class Source {
 public:
  virtual ~Source() = default;
  // Begins to give batches.
  virtual void start() {}
  // Gives no more, and lets go of its timers.
  virtual void stop() = 0;
  virtual void status_changed(const ConnectionNews& /*news*/) {}
  virtual void run_ended(const RunEnd& /*end*/) {}
};

// What a schedule needs to know of the time before the hub was started.
struct Downtime {
  UtcTime from;  // when the hub was last seen alive
  UtcTime until;
};

// Null for triggers that others start: by hand, by a subscription, by a call.
std::shared_ptr<Source> make_source(SourceHost& host, std::size_t trigger,
                                    const std::optional<Downtime>& downtime);

// Pieces of make_source.
std::shared_ptr<Source> make_interval_source(SourceHost& host, std::size_t trigger);
std::shared_ptr<Source> make_cron_source(SourceHost& host, std::size_t trigger,
                                         const std::optional<Downtime>& downtime);
std::shared_ptr<Source> make_status_source(SourceHost& host, std::size_t trigger);
std::shared_ptr<Source> make_poll_source(SourceHost& host, std::size_t trigger);
std::shared_ptr<Source> make_pipeline_source(SourceHost& host, std::size_t trigger);
std::shared_ptr<Source> make_error_source(SourceHost& host, std::size_t trigger);

}  // namespace tributary::orchestrate
