// The connector: sessions whose peer is a folder.
#include "sdk/connector.hpp"

#include <fmt/format.h>

#include "connectors/file/resources.hpp"
#include "connectors/file/settings.hpp"
#include "connectors/file/src/operation.hpp"
#include "connectors/file/src/path.hpp"
#include "connectors/file/src/work.hpp"
#include "runtime/event.hpp"
#include "runtime/lane.hpp"

namespace tributary::connectors::file {
namespace {

// Calls come one at a time; the health check beside them.
constexpr std::size_t kMaxWaitingJobs = 16;

Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "The session was ended by the hub"};
}

// Shared by the session and its running coroutines.
struct State {
  State(const sdk::SessionContext& context_, ConnectionSettings settings_)
      : context(context_),
        settings(std::move(settings_)),
        worker(std::make_shared<Worker>(settings.root, !settings.read_only)),
        lane(std::make_unique<Lane>("file", kMaxWaitingJobs)) {}

  void end() {
    ended = true;
    worker->stop();
  }
  // Why nothing can be done; nullopt while the session is open.
  std::optional<Error> over() const {
    if (ended) return cancelled();
    return lost;
  }

  sdk::SessionContext context;
  ConnectionSettings settings;
  std::shared_ptr<Worker> worker;
  std::unique_ptr<Lane> lane;
  std::optional<Error> lost;
  bool opened = false;
  bool ended = false;
};
using Shared = std::shared_ptr<State>;

// The outcome of a job, after which the session may have been ended.
template <typename T>
Result<T> settle(State& state, Result<T> result) {
  if (result) {
    if (state.ended) return fail(cancelled());
    return result;
  }
  Error error = std::move(result.error());
  if (state.ended) {
    Error ended = cancelled();
    ended.outcome_unknown = error.outcome_unknown;
    return fail(std::move(ended));
  }
  if (is_connection_error(error.error_class)) {
    state.lost = error;
    state.lost->outcome_unknown = false;
  }
  return fail(std::move(error));
}

// Runs a job on the lane until the deadline; what is late ends the session, and its answer is
// dropped. `unknown`: it may have happened then.
template <typename T>
Task<Result<T>> run(Shared state, std::move_only_function<Result<T>()> job, SteadyTime deadline,
                    bool unknown) {
  struct Answer {
    explicit Answer(Executor executor) : done(executor) {}
    Event done;
    std::optional<Result<T>> value;
  };
  const auto answer = std::make_shared<Answer>(state->context.executor);
  auto go = [](Shared owner, std::shared_ptr<Answer> to,
               std::move_only_function<Result<T>()> work) -> Task<void> {
    to->value = co_await owner->lane->run<T>(std::move(work));
    to->done.set();
  };
  spawn(state->context.executor, go(state, answer, std::move(job)));
  const bool in_time = co_await answer->done.wait_until(state->context.timers, deadline);
  if (in_time) co_return settle(*state, std::move(*answer->value));
  Error late(ErrorClass::kTransient, "timeout", "The disk did not answer in time",
             "Is it a network disk whose server is away, or is the disk overloaded?");
  late.outcome_unknown = unknown;
  co_return settle(*state, Result<T>(fail(std::move(late))));
}

Task<Result<sdk::PeerIdentity>> open_session(Shared state, SteadyTime deadline,
                                             net::StageObserver& stages) {
  if (state->ended) co_return fail(cancelled());
  stages.begin("protocol");
  std::move_only_function<Result<bool>()> job = [worker = state->worker]() -> Result<bool> {
    TRIBUTARY_TRY(worker->open());
    return true;
  };
  const Result<bool> opened = co_await run<bool>(state, std::move(job), deadline, false);
  if (!opened) co_return fail(opened.error());
  state->opened = true;
  sdk::PeerIdentity identity;
  identity.product = "Folder";
  identity.address = state->settings.root;
  co_return identity;
}

Task<Result<void>> check(Shared state, SteadyTime deadline) {
  if (auto over = state->over()) co_return fail(*std::move(over));
  std::move_only_function<Result<bool>()> job = [worker = state->worker]() -> Result<bool> {
    TRIBUTARY_TRY(worker->check());
    return true;
  };
  const Result<bool> checked = co_await run<bool>(state, std::move(job), deadline, false);
  if (!checked) co_return fail(checked.error());
  co_return Result<void>{};
}

// A batch is the parameter "records"; a call without one writes one record.
std::vector<const Json*> records_of(const Json& parameters) {
  std::vector<const Json*> records;
  const Json& list = get_member(parameters, "records");
  if (list.is_array()) {
    for (const Json& record : list.array_range()) records.push_back(&record);
    return records;
  }
  const Json& payload = get_member(parameters, "payload");
  records.push_back(payload.is_object() ? &payload : &parameters);
  return records;
}

Task<Result<Batch>> write(Shared state, const WriteOperation& operation, const Json& parameters,
                          SteadyTime deadline) {
  auto path = expand_path(operation.path, parameters, state->context.clock.utc_now());
  if (!path) co_return fail(std::move(path.error()));
  const auto records = records_of(parameters);
  auto lines = make_lines(operation, records);
  if (!lines) co_return fail(std::move(lines.error()));
  // The operation may be gone before a job that is late.
  const auto own = std::make_shared<const WriteOperation>(operation);
  std::move_only_function<Result<Worker::Written>()> job =
      [worker = state->worker, own, path = *std::move(path), lines = *std::move(lines)] {
        return worker->write(*own, path, lines);
      };
  const Result<Worker::Written> written =
      co_await run<Worker::Written>(state, std::move(job), deadline, true);
  if (!written) co_return fail(written.error());
  Json answer = json_object();
  answer.insert_or_assign("path", written->path);
  answer.insert_or_assign("records", records.size());
  answer.insert_or_assign("bytes", written->bytes);
  if (written->repaired > 0) answer.insert_or_assign("repairedBytes", written->repaired);
  co_return Batch::of(std::vector<Record>{std::move(answer)});
}

Task<Result<Batch>> read(Shared state, const ReadOperation& operation, const Json& parameters,
                         SteadyTime deadline) {
  auto path = expand_path(operation.path, parameters, state->context.clock.utc_now());
  if (!path) co_return fail(std::move(path.error()));
  const auto own = std::make_shared<const ReadOperation>(operation);
  std::move_only_function<Result<std::vector<Record>>()> job =
      [worker = state->worker, own, path = *std::move(path)] { return worker->read(*own, path); };
  Result<std::vector<Record>> records =
      co_await run<std::vector<Record>>(state, std::move(job), deadline, false);
  if (!records) co_return fail(std::move(records.error()));
  co_return Batch::of(std::move(*records));
}

Task<Result<Batch>> run_call(Shared state, const sdk::Operation& operation, const Json& parameters,
                             SteadyTime deadline) {
  if (auto over = state->over()) co_return fail(*std::move(over));
  if (!state->opened) co_return fail(ErrorClass::kInternal, "not_open", "The session is not open.");
  if (const auto* writing = dynamic_cast<const WriteOperation*>(&operation))
    co_return co_await write(state, *writing, parameters, deadline);
  const auto& reading = dynamic_cast<const ReadOperation&>(operation);
  co_return co_await read(state, reading, parameters, deadline);
}

class FileSession final : public sdk::Session {
 public:
  explicit FileSession(Shared state) : state_(std::move(state)) {}
  ~FileSession() override { state_->end(); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override {
    return open_session(state_, deadline, stages);
  }
  Task<Result<void>> check_health(SteadyTime deadline) override { return check(state_, deadline); }
  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& parameters,
                           SteadyTime deadline) override {
    return run_call(state_, operation, parameters, deadline);
  }
  Task<void> close(SteadyTime) override {
    state_->end();
    co_return;
  }
  void abort() noexcept override { state_->end(); }

 private:
  Shared state_;
};

class FileConnector final : public sdk::Connector {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile& profile, const sdk::FunctionSpec& function) const override {
    return prepare_operation(ConnectionSettings::from_json(profile.settings), function);
  }
  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    return std::make_unique<FileSession>(
        std::make_shared<State>(context, ConnectionSettings::from_json(profile.settings)));
  }
};

}  // namespace

std::unique_ptr<sdk::Connector> make_connector() {
  return std::make_unique<FileConnector>();
}

}  // namespace tributary::connectors::file
