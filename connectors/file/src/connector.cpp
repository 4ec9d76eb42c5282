// The connector: sessions whose peer is a folder.
#include "sdk/connector.hpp"

#include <fmt/format.h>

#include "connectors/file/resources.hpp"
#include "connectors/file/settings.hpp"
#include "connectors/file/src/operation.hpp"
#include "connectors/file/src/path.hpp"
#include "connectors/file/src/session.hpp"
#include "connectors/file/src/watching.hpp"

namespace tributary::connectors::file {
namespace {

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

Task<Result<std::unique_ptr<sdk::Subscription>>> run_watch(Shared state,
                                                           const WatchOperation& operation,
                                                           sdk::Sink& sink) {
  if (auto over = state->over()) co_return fail(*std::move(over));
  if (!state->opened) co_return fail(ErrorClass::kInternal, "not_open", "The session is not open.");
  co_return start_watching(state, operation, sink);
}

// Jobs of the lane that are under way come back to the loop: what watches is waited for.
Task<void> hang_up(Shared state, SteadyTime deadline) {
  const auto watchers = state->watchers;
  state->end();
  for (const auto& watcher : watchers)
    co_await watcher->finished->wait_until(state->context.timers, deadline);
}

class FileSession final : public sdk::Session, public sdk::Subscriber {
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
  Task<Result<std::unique_ptr<sdk::Subscription>>> subscribe(const sdk::Operation& operation,
                                                             sdk::Sink& sink, SteadyTime) override {
    return run_watch(state_, dynamic_cast<const WatchOperation&>(operation), sink);
  }
  Task<void> close(SteadyTime deadline) override { return hang_up(state_, deadline); }
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
