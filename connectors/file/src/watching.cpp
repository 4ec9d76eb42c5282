#include "connectors/file/src/watching.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <boost/asio/redirect_error.hpp>

namespace tributary::connectors::file {
namespace {

using SharedWatcher = std::shared_ptr<Watcher>;

// A folder where something happens all the time is not looked through all the time.
constexpr Duration kShortestPause = std::chrono::milliseconds(50);
constexpr int kPausesForLook = 9;
// Paths of which trouble was told once.
constexpr std::size_t kMaxTold = 1000;

enum class Outcome : std::uint8_t {
  kDone,
  kLater,  // refused, or the disk could not: the file is tried again
  kOver,   // nobody wants more, or the session is lost
};

SteadyTime deadline_of(const Watcher& watcher) {
  return watcher.state->context.timers.now() +
         std::chrono::milliseconds(watcher.state->settings.request_timeout_ms);
}

// What an error of a job means. A lost session is told once, whoever finds out.
Outcome judge(Watcher& watcher, const Error& error) {
  if (watcher.over() && error.error_class == ErrorClass::kCancelled) return Outcome::kOver;
  if (!is_connection_error(error.error_class)) return Outcome::kLater;
  if (!watcher.ended && !std::exchange(watcher.state->told, true))
    watcher.state->context.events.lost(error);
  return Outcome::kOver;
}

Task<Outcome> hand_over(SharedWatcher watcher, std::vector<Record> records) {
  if (records.empty()) co_return Outcome::kDone;
  Batch batch = Batch::of(std::move(records));
  const Result<void> accepted = co_await watcher->sink.deliver(std::move(batch));
  if (watcher->over()) co_return Outcome::kOver;
  if (accepted) co_return Outcome::kDone;
  co_return accepted.error().error_class == ErrorClass::kCancelled ? Outcome::kOver
                                                                   : Outcome::kLater;
}

using Step = Result<std::vector<Record>> (Worker::*)(FileReading&);

Task<Result<std::vector<Record>>> step(SharedWatcher watcher, std::shared_ptr<FileReading> reading,
                                       Step what) {
  std::move_only_function<Result<std::vector<Record>>()> job =
      [worker = watcher->state->worker, reading, what] { return ((*worker).*what)(*reading); };
  const SteadyTime deadline = deadline_of(*watcher);
  co_return co_await run<std::vector<Record>>(watcher->state, std::move(job), deadline, false);
}

// At least once: only what was accepted whole counts as read.
Task<Outcome> read_file(SharedWatcher watcher, FoundFile file) {
  const auto reading = std::make_shared<FileReading>(watcher->operation, std::move(file));
  while (true) {
    auto records = co_await step(watcher, reading, &Worker::next);
    if (!records) co_return judge(*watcher, records.error());
    if (records->empty()) break;
    std::vector<Record> taken = *std::move(records);
    const Outcome outcome = co_await hand_over(watcher, std::move(taken));
    if (outcome != Outcome::kDone) co_return outcome;
  }
  auto records = co_await step(watcher, reading, &Worker::finish);
  if (!records) co_return judge(*watcher, records.error());
  std::vector<Record> taken = *std::move(records);
  co_return co_await hand_over(watcher, std::move(taken));
}

Task<Outcome> tell_trouble(SharedWatcher watcher, Look& look) {
  std::vector<Record> records;
  for (auto& [path, error] : look.trouble) {
    if (watcher->told.size() >= kMaxTold || !watcher->told.insert(path + " " + error.code).second)
      continue;
    records.push_back(file_record({std::move(path), {}}, Json::null(), error_note(error), 0, true));
  }
  co_return co_await hand_over(watcher, std::move(records));
}

// When each of the files may be read: those that are as they were keep their time.
void note_waiting(Watcher& watcher, const Look& look, SteadyTime now) {
  const std::chrono::milliseconds stable(watcher.operation->settings.stable_for_ms);
  std::map<std::string, Watcher::Waiting> waiting;
  for (const FoundFile& file : look.files) {
    const auto known = watcher.waiting.find(file.path);
    const bool same = known != watcher.waiting.end() && known->second.state == file.state;
    waiting[file.path] = {file.state, same ? known->second.due : now + stable};
  }
  watcher.waiting = std::move(waiting);
}

// Looks once and reads what is ready; when to look again at the latest, or nothing when it is over.
Task<std::optional<SteadyTime>> look_and_read(SharedWatcher watcher) {
  Timers& timers = watcher->state->context.timers;
  const std::chrono::milliseconds interval(watcher->operation->settings.poll_interval_ms);
  std::move_only_function<Result<Look>()> job =
      [worker = watcher->state->worker, operation = watcher->operation, events = watcher->events] {
        return worker->look(*operation, events->get());
      };
  const SteadyTime deadline = deadline_of(*watcher);
  Result<Look> look = co_await run<Look>(watcher->state, std::move(job), deadline, false);
  SteadyTime next = timers.now() + interval;
  if (!look) {
    if (judge(*watcher, look.error()) == Outcome::kOver) co_return std::nullopt;
    co_return next;
  }
  Outcome outcome = co_await tell_trouble(watcher, *look);
  if (outcome == Outcome::kOver) co_return std::nullopt;
  note_waiting(*watcher, *look, timers.now());
  for (const FoundFile& file : look->files) {
    if (watcher->over()) co_return std::nullopt;
    const SteadyTime due = watcher->waiting[file.path].due;
    if (due > timers.now()) {
      next = std::min(next, due);
      continue;
    }
    outcome = co_await read_file(watcher, file);
    if (outcome == Outcome::kOver) co_return std::nullopt;
    if (outcome == Outcome::kLater) {
      watcher->waiting[file.path].due = timers.now() + interval;
    } else if (look->more) {
      next = timers.now();
    }
  }
  co_return next;
}

Task<void> watch(SharedWatcher watcher) {
  Timers& timers = watcher->state->context.timers;
  while (!watcher->over()) {
    const auto stirred = std::make_shared<Event>(watcher->state->context.executor);
    watcher->stirred = stirred;
    const SteadyTime begun = timers.now();
    const auto next = co_await look_and_read(watcher);
    if (!next) break;
    const SteadyTime now = timers.now();
    const SteadyTime rested =
        now + std::max<Duration>(kShortestPause, std::min<Duration>(kPausesForLook * (now - begun),
                                                                    std::chrono::seconds(5)));
    co_await watcher->ending->wait_until(timers, rested);
    if (!watcher->over()) co_await stirred->wait_until(timers, *next);
  }
  watcher->end();
  std::erase(watcher->state->watchers, watcher);
  watcher->finished->set();
}

Task<void> hear(SharedWatcher watcher) {
  std::array<char, 16U << 10U> buffer{};
  while (!watcher->ended) {
    boost::system::error_code error;
    co_await watcher->listening.async_wait(asio::posix::descriptor_base::wait_read,
                                           asio::redirect_error(use_task, error));
    if (error || watcher->ended) co_return;
    // What it says, and whether it says that it lost some, is all the same: the folders are looked
    // through.
    while (::read(watcher->events->get(), buffer.data(), buffer.size()) > 0) {
    }
    watcher->stir();
  }
}

class Watching final : public sdk::Subscription {
 public:
  explicit Watching(SharedWatcher watcher) : watcher_(std::move(watcher)) {}
  ~Watching() override { watcher_->end(); }
  Task<void> cancel(SteadyTime deadline) override { return cancel(watcher_, deadline); }

 private:
  static Task<void> cancel(SharedWatcher watcher, SteadyTime deadline) {
    watcher->end();
    co_await watcher->finished->wait_until(watcher->state->context.timers, deadline);
  }
  SharedWatcher watcher_;
};

}  // namespace

Watcher::Watcher(Shared state_, std::shared_ptr<const WatchOperation> operation_, sdk::Sink& sink_)
    : state(std::move(state_)),
      operation(std::move(operation_)),
      sink(sink_),
      events(std::make_shared<const Handle>(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC))),
      listening(state->context.executor),
      stirred(std::make_shared<Event>(state->context.executor)),
      ending(std::make_shared<Event>(state->context.executor)),
      finished(std::make_shared<Event>(state->context.executor)) {
  // Without events (a limit of the system), looking at intervals is what is left.
  const int own = events->valid() ? ::fcntl(events->get(), F_DUPFD_CLOEXEC, 0) : -1;
  if (own >= 0) listening.assign(own);
}

void Watcher::stir() {
  stirred->set();
}

void Watcher::end() noexcept {
  if (std::exchange(ended, true)) return;
  // Not close(): the loop's epoll would go on telling of it, because `events` is the same file.
  if (listening.is_open()) ::close(listening.release());
  ending->set();
  stirred->set();
}

void State::end() noexcept {
  ended = true;
  worker->stop();
  for (const SharedWatcher& watcher : std::exchange(watchers, {})) watcher->end();
}

std::unique_ptr<sdk::Subscription> start_watching(Shared state, const WatchOperation& operation,
                                                  sdk::Sink& sink) {
  auto own = std::make_shared<const WatchOperation>(operation);
  const auto watcher = std::make_shared<Watcher>(state, std::move(own), sink);
  state->watchers.push_back(watcher);
  if (watcher->listening.is_open()) spawn(state->context.executor, hear(watcher));
  spawn(state->context.executor, watch(watcher));
  return std::make_unique<Watching>(watcher);
}

}  // namespace tributary::connectors::file
