#include "script/pool.hpp"

#include <algorithm>
#include <csignal>

namespace tributary::script {
namespace {

constexpr std::size_t kMaxSuspects = 1000;

Error closed_error() {
  return Error(ErrorClass::kInternal, "script_unavailable", "Scripts have been shut down.");
}

}  // namespace

Pool::Pool(Runtime& runtime, std::string program, std::size_t workers)
    : runtime_(runtime),
      program_(std::move(program)),
      size_(std::max<std::size_t>(workers, 2)),
      lane_("script", kMaxLaneJobs) {}

bool Pool::is_suspect(const std::string& key, SteadyTime now) {
  const auto found = suspects_.find(key);
  if (found == suspects_.end()) return false;
  if (found->second > now) return true;
  suspects_.erase(found);
  return false;
}

void Pool::suspect(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = runtime_.timers().now();
  if (suspects_.size() >= kMaxSuspects) {
    std::erase_if(suspects_, [now](const auto& entry) { return entry.second <= now; });
  }
  if (suspects_.size() < kMaxSuspects) suspects_[key] = now + kSuspicion;
}

bool Pool::may_start(bool suspect) const {
  return busy_count_ < size_ && (!suspect || busy_suspects_ < size_ / 2);
}

Worker Pool::begin(bool suspect) {
  Worker worker;
  if (!idle_.empty()) {
    worker = std::move(idle_.back());
    idle_.pop_back();
    busy_.insert(worker.process->pid());
  }
  worker.suspect = suspect;
  ++busy_count_;
  if (suspect) ++busy_suspects_;
  return worker;
}

void Pool::leave(const Worker& worker) {
  if (worker.process) busy_.erase(worker.process->pid());
  --busy_count_;
  if (worker.suspect) --busy_suspects_;
}

Task<Result<Worker>> Pool::start(Worker worker) {
  if (worker.process) co_return worker;
  std::move_only_function<Result<std::unique_ptr<Process>>()> work = [program = program_] {
    return Process::start(program);
  };
  auto process = co_await lane_.run<std::unique_ptr<Process>>(std::move(work));
  const std::lock_guard lock(mutex_);
  if (!process || closed_) {
    leave(worker);
    co_return fail(process ? closed_error() : std::move(process.error()));
  }
  worker.process = std::move(*process);
  busy_.insert(worker.process->pid());
  co_return worker;
}

Task<Result<Worker>> Pool::take(std::string key) {
  const Executor executor = co_await asio::this_coro::executor;
  std::shared_ptr<Waiting> waiting;
  std::optional<Result<Worker>> place;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) co_return fail(closed_error());
    const bool suspect = is_suspect(key, runtime_.timers().now());
    if (may_start(suspect)) {
      place = begin(suspect);
    } else if (waiting_.size() >= kMaxWaiting) {
      co_return fail(ErrorClass::kBusy, "script_unavailable",
                     "Too many pipelines wait for a script worker.");
    } else {
      waiting = std::make_shared<Waiting>(executor);
      waiting->suspect = suspect;
      waiting_.push_back(waiting);
    }
  }
  if (waiting) {
    co_await waiting->event.wait();
    place = std::move(waiting->given);
  }
  if (!*place) co_return fail(std::move(place->error()));
  Worker worker = std::move(**place);
  co_return co_await start(std::move(worker));
}

void Pool::hand_over(const std::shared_ptr<Waiting>& waiting, Result<Worker> worker) {
  waiting->given = std::move(worker);
  asio::post(waiting->executor, [waiting] { waiting->event.set(); });
}

void Pool::serve_waiting() {
  for (auto at = waiting_.begin(); at != waiting_.end() && busy_count_ < size_;) {
    if (!may_start((*at)->suspect)) {
      ++at;
      continue;
    }
    hand_over(*at, begin((*at)->suspect));
    at = waiting_.erase(at);
  }
}

void Pool::give_back(Worker worker) {
  const std::lock_guard lock(mutex_);
  leave(worker);
  if (closed_) {
    bury(std::move(worker.process));
    return;
  }
  worker.idle_since = runtime_.timers().now();
  idle_.push_back(std::move(worker));
  serve_waiting();
  arm();
}

void Pool::end(Worker worker) {
  const std::lock_guard lock(mutex_);
  leave(worker);
  bury(std::move(worker.process));
  if (!closed_) serve_waiting();
}

// Waiting for its end may take the kernel a moment.
void Pool::bury(std::unique_ptr<Process> process) {
  process->kill();
  lane_.post([gone = std::move(process)](bool) mutable { gone.reset(); });
}

// The one used last is at the end: the first are those that nobody needs.
void Pool::end_idle() {
  const std::lock_guard lock(mutex_);
  armed_ = false;
  const SteadyTime now = runtime_.timers().now();
  while (!idle_.empty() && idle_.front().idle_since + kIdleWorker <= now) {
    bury(std::move(idle_.front().process));
    idle_.erase(idle_.begin());
  }
  if (!idle_.empty()) arm();
}

void Pool::arm() {
  if (armed_ || closed_) return;
  armed_ = true;
  const SteadyTime when = idle_.front().idle_since + kIdleWorker;
  auto wait = [](std::shared_ptr<Pool> pool, SteadyTime until) -> Task<void> {
    std::weak_ptr<Pool> weak = pool;
    Timers& timers = pool->runtime_.timers();
    pool.reset();
    co_await sleep_until(timers, until);
    if (auto again = weak.lock()) again->end_idle();
  };
  spawn(runtime_.control(), wait(shared_from_this(), when));
}

void Pool::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (Worker& worker : idle_) bury(std::move(worker.process));
  idle_.clear();
  for (const pid_t pid : busy_) ::kill(pid, SIGKILL);
  for (const auto& waiting : waiting_) hand_over(waiting, fail(closed_error()));
  waiting_.clear();
}

std::vector<int> Pool::pids() const {
  const std::lock_guard lock(mutex_);
  std::vector<int> pids(busy_.begin(), busy_.end());
  for (const Worker& worker : idle_) pids.push_back(worker.process->pid());
  return pids;
}

}  // namespace tributary::script
