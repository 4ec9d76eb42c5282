// The workers of a hub: who has one, who waits for one. Locked, since callers come from every
// executor. Processes are started and waited for on a lane of their own: nothing here blocks an
// executor.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/event.hpp"
#include "runtime/lane.hpp"
#include "runtime/runtime.hpp"
#include "script/process.hpp"

namespace tributary::script {

constexpr Duration kIdleWorker{std::chrono::seconds{60}};  // without work, then it ends
// Whose scripts use up their time shares half of the workers with others like it, for so long.
constexpr Duration kSuspicion{std::chrono::seconds{30}};
constexpr std::size_t kMaxWaiting = 10'000;
constexpr std::size_t kMaxLaneJobs = 1'000;

struct Worker {
  std::unique_ptr<Process> process;
  bool ready = false;  // said so: its sandbox is closed
  bool suspect = false;
  SteadyTime idle_since;
};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(Runtime& runtime, std::string program, std::size_t workers);

  // Waits for a free worker, or starts one. `key`: whose work it is. Errors: kInternal
  // "script_unavailable"; kBusy "script_unavailable" when too many wait.
  Task<Result<Worker>> take(std::string key);
  // Back, healthy.
  void give_back(Worker worker);
  // It ended, or has to: killed.
  void end(Worker worker);
  // Its scripts need a lot of time.
  void suspect(const std::string& key);

  // Kills all workers that somebody has; whoever waits gets an error.
  void close();
  std::vector<int> pids() const;

 private:
  struct Waiting {
    explicit Waiting(const Executor& executor_) : executor(executor_), event(executor_) {}
    Executor executor;
    Event event;
    bool suspect = false;
    std::optional<Result<Worker>> given;
  };

  bool is_suspect(const std::string& key, SteadyTime now);
  // Whether one more may run, of this kind.
  bool may_start(bool suspect) const;
  // Takes a place; the worker has a process when one was idle.
  Worker begin(bool suspect);
  void leave(const Worker& worker);
  Task<Result<Worker>> start(Worker worker);
  void serve_waiting();
  void end_idle();
  void bury(std::unique_ptr<Process> process);
  void arm();
  static void hand_over(const std::shared_ptr<Waiting>& waiting, Result<Worker> worker);

  Runtime& runtime_;
  std::string program_;
  std::size_t size_;
  mutable std::mutex mutex_;
  std::vector<Worker> idle_;
  std::set<pid_t> busy_;
  std::size_t busy_count_ = 0;
  std::size_t busy_suspects_ = 0;
  std::deque<std::shared_ptr<Waiting>> waiting_;
  std::map<std::string, SteadyTime> suspects_;  // until when
  bool closed_ = false;
  bool armed_ = false;
  Lane lane_;
};

}  // namespace tributary::script
