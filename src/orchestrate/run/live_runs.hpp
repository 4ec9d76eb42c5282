// The runs of one pipeline that are at work: what they have done so far, and how to call one off.
// Lives on the pipeline's executor.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "orchestrate/model/plan.hpp"
#include "orchestrate/run/observer.hpp"
#include "runtime/event.hpp"
#include "store/rows.hpp"

namespace tributary::orchestrate {

// Progress is told at most this often.
constexpr Duration kProgressInterval{std::chrono::milliseconds{200}};
// A batch that is at work longer than this is shown, and gets a row of its own; a run by hand is
// shown at the first progress. A shown run is written to the store after the same time.
constexpr Duration kShowAfter{std::chrono::seconds{1}};

class LiveRun final : public BatchObserver {
 public:
  LiveRun(const Executor& executor, std::size_t nodes, bool alone, SteadyTime begun)
      : stopping(executor), begun_(begun), alone_(alone), counts_(nodes) {}

  void entered(std::size_t node, const Items& items) override;
  void left(std::size_t node, std::size_t port, const Record& record) override;
  void failed(std::size_t node, const Record& record, const Error& error) override;
  void done(std::size_t node, const NodeCounts& counts, Duration took) override;
  bool cancelled() const override { return cancelled_; }
  bool is_watching() const override { return alone_; }

  // It was told about as a run that is at work: its end must be told under the same id.
  bool shown() const { return shown_; }

  // Set when the pipeline stops or the run is called off: what waits in a node gives up.
  Event stopping;

 private:
  friend class LiveRuns;
  struct Progress {
    std::int64_t in = 0, out = 0, errors = 0;
    bool entered = false, done = false;
  };

  SteadyTime begun_;
  bool alone_;
  bool shown_ = false;
  bool stored_ = false;
  bool changed_ = true;
  bool cancelled_ = false;
  std::string id_;
  std::string trigger_;
  UtcTime started_at_;
  std::vector<Progress> counts_;
};

class LiveRuns {
 public:
  // `tell` gets rows of the status "running"; `store` whether it is to be written down, too.
  LiveRuns(const Plan& plan, const Executor& executor, Timers& timers,
           std::function<void(store::RunRow, bool store)> tell);

  // A run begins; `alone`: it has a row of its own in any case.
  std::shared_ptr<LiveRun> begin(bool alone);
  // What a begun run is called.
  void name(LiveRun& run, std::string id, std::string trigger, UtcTime started_at);
  void end(const std::shared_ptr<LiveRun>& run);
  // False: there is no such run, or not any more.
  bool cancel(const std::string& id);
  // The pipeline stops: every run, and every one that begins from now on, is told to hurry.
  void stop();
  // Lets go of the timer.
  void close() { timer_.reset(); }

 private:
  void arm();
  void tick();
  void tell(LiveRun& run);
  store::RunRow row_of(const LiveRun& run) const;

  const Plan& plan_;
  Executor executor_;
  Timers& timers_;
  std::function<void(store::RunRow, bool)> tell_;
  std::list<std::shared_ptr<LiveRun>> runs_;
  std::unique_ptr<Timer> timer_;
  bool stopping_ = false;
};

}  // namespace tributary::orchestrate
