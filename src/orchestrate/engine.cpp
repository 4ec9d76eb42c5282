#include "orchestrate/engine.hpp"

#include <fmt/format.h>

#include <array>
#include <future>

#include "base/id.hpp"
#include "orchestrate/engine_impl.hpp"
#include "orchestrate/hooks/secrets.hpp"
#include "store/health_rows.hpp"
#include "store/repositories.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::array<std::string_view, 4> kRowMembers = {"name", "description", "labels",
                                                         "enabled"};

std::unexpected<Error> no_such_pipeline() {
  return fail(ErrorClass::kFunction, "not_found", "This pipeline does not exist.");
}

template <typename T>
Outcome<T> refused(Error error) {
  return std::unexpected(std::variant<Error, connect::Invalid>(std::move(error)));
}

template <typename T>
Outcome<T> invalid(std::vector<schema::FieldError> errors) {
  return std::unexpected(
      std::variant<Error, connect::Invalid>(connect::Invalid{std::move(errors)}));
}

Result<std::vector<Record>> manual_records(Json input) {
  const auto wrong = [](std::string message) {
    return fail(ErrorClass::kFunction, "invalid_input", std::move(message), {}, "/input");
  };
  std::vector<Record> records;
  if (input.is_null()) {
    records.push_back(json_object());
  } else if (input.is_object()) {
    records.push_back(std::move(input));
  } else if (!input.is_array()) {
    return wrong("The input of a run is an object, an array of objects, or nothing.");
  } else if (input.empty() || input.size() > kMaxManualRecords) {
    return wrong(
        fmt::format("A run takes 1 to {} records, not {}.", kMaxManualRecords, input.size()));
  } else {
    for (Json& element : input.array_range()) {
      if (!element.is_object()) return wrong("Every element of the input must be an object.");
      records.push_back(std::move(element));
    }
  }
  return records;
}

// From the last sign of life of the run before this one until now.
std::optional<Downtime> time_without_hub(const std::vector<store::BootRow>& boots,
                                         const std::string& own, Clock& clock) {
  const UtcTime now = clock.utc_now();
  for (auto boot = boots.rbegin(); boot != boots.rend(); ++boot) {
    if (boot->boot_id != own && boot->at <= now) return Downtime{boot->at, now};
  }
  return std::nullopt;
}

}  // namespace

Json body_of(const store::PipelineRow& row) {
  Json body = json_object();
  body.insert_or_assign("name", row.name);
  body.insert_or_assign("description", row.description);
  body.insert_or_assign("labels", row.labels.is_object() ? row.labels : json_object());
  body.insert_or_assign("enabled", row.enabled);
  if (!row.document.is_object()) return body;
  for (const auto& member : row.document.object_range()) {
    body.insert_or_assign(member.key(), member.value());
  }
  return body;
}

void assign_body(store::PipelineRow& row, const Json& body) {
  row.name = get_string(body, "name");
  row.description = get_string(body, "description");
  row.labels = body.contains("labels") ? body.at("labels") : json_object();
  row.enabled = get_bool(body, "enabled", false);
  row.document = body;
  for (const std::string_view member : kRowMembers) row.document.erase(member);
}

Engine::Engine(Runtime& runtime, store::Store& store, connect::Manager& manager,
               const secrets::Vault* vault)
    : Engine(runtime, store, make_manager_port(manager), vault) {}

Engine::Engine(Runtime& runtime, store::Store& store, std::unique_ptr<FunctionPort> functions,
               const secrets::Vault* vault)
    : impl_(std::make_shared<Impl>(runtime, store, std::move(functions), vault)) {}

Engine::~Engine() = default;

Result<void> Engine::load() {
  std::vector<store::PipelineRow> rows;
  std::vector<store::SecretRow> secrets;
  std::vector<store::BootRow> boots;
  auto read = impl_->store.read_now([&](store::SessionRef sql) -> Result<void> {
    auto all = store::Pipelines::all(sql);
    if (!all) return fail(std::move(all.error()));
    auto sealed = store::Secrets::all(sql);
    if (!sealed) return fail(std::move(sealed.error()));
    auto known = store::Boots::all(sql);
    if (!known) return fail(std::move(known.error()));
    rows = std::move(*all);
    secrets = std::move(*sealed);
    boots = std::move(*known);
    return {};
  });
  if (!read) return read;
  std::promise<void> started;
  asio::post(impl_->runtime.control(), [impl = impl_, &rows, &secrets, &boots, &started] {
    for (store::PipelineRow& row : rows) {
      Impl::Entry& entry = impl->entries[row.id];
      entry.gate = std::make_shared<Gate>(impl->runtime.control());
      entry.row = std::move(row);
      std::ranges::copy_if(secrets, std::back_inserter(entry.secrets), [&](const auto& secret) {
        return secret.connection_id == entry.row.id;
      });
    }
    impl->downtime = time_without_hub(boots, impl->store.boot_id(), impl->runtime.clock());
    // When all are there: they may wait for each other.
    for (auto& [id, entry] : impl->entries) {
      if (entry.row.enabled) impl->start(entry);
    }
    impl->downtime.reset();
    impl->catalogue_watch = impl->functions->watch_catalogue([weak = std::weak_ptr(impl)] {
      auto locked = weak.lock();
      if (!locked || std::exchange(locked->recheck_posted, true)) return;
      asio::post(locked->runtime.control(), [weak] {
        auto again = weak.lock();
        if (!again) return;
        again->recheck_posted = false;
        if (!again->closed) again->recheck_functions();
      });
    });
    started.set_value();
  });
  started.get_future().wait();
  return {};
}

Task<void> Engine::shutdown(Duration limit) {
  auto impl = impl_;
  impl->closed = true;
  impl->catalogue_watch.reset();
  struct Countdown {
    explicit Countdown(const Executor& executor) : done(executor) {}
    std::size_t left = 0;
    Event done;
  };
  auto countdown = std::make_shared<Countdown>(impl->runtime.control());
  for (auto& [id, entry] : impl->entries) {
    auto runner = impl->detach(entry);
    if (!runner) continue;
    ++countdown->left;
    auto stop = [](std::shared_ptr<Runner> stopping,
                   std::shared_ptr<Countdown> count) -> Task<void> {
      co_await stopping->stop();
      if (--count->left == 0) count->done.set();
    };
    spawn(impl->runtime.control(), stop(std::move(runner), countdown));
  }
  if (countdown->left == 0) co_return;
  const SteadyTime deadline = impl->runtime.timers().now() + limit;
  co_await countdown->done.wait_until(impl->runtime.timers(), deadline);
}

std::vector<PipelineView> Engine::pipelines() const {
  std::vector<PipelineView> views;
  for (const auto& [id, entry] : impl_->entries) views.push_back(impl_->view(entry));
  return views;
}

std::optional<PipelineView> Engine::pipeline(const std::string& id) const {
  const auto found = impl_->entries.find(id);
  if (found == impl_->entries.end()) return std::nullopt;
  return impl_->view(found->second);
}

Task<Outcome<PipelineView>> Engine::create(Json body, Actor actor, bool dry_run) {
  auto impl = impl_;
  co_await impl->naming->enter();
  const Held naming(impl->naming);
  Impl::Entry entry;
  entry.gate = std::make_shared<Gate>(impl->runtime.control());
  const UtcTime now = impl->runtime.clock().utc_now();
  entry.row.id = make_id(now);
  auto problems = impl->adopt(entry, body, entry.row.id, {}, now);
  if (!problems.empty()) co_return invalid<PipelineView>(std::move(problems));
  entry.row.created_at = now;
  entry.row.updated_at = now;
  if (dry_run) co_return impl->view(entry);
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [row = entry.row, secrets = entry.secrets,
       name = actor.name](store::SessionRef sql) -> Result<bool> {
    TRIBUTARY_TRY(store::Pipelines::insert(sql, row, name));
    for (const auto& secret : secrets) TRIBUTARY_TRY(store::Secrets::put(sql, secret));
    return true;
  };
  auto stored = co_await impl->store.write<bool>(std::move(work));
  if (!stored) co_return refused<PipelineView>(std::move(stored.error()));
  const std::string id = entry.row.id;
  Impl::Entry& kept = impl->entries[id] = std::move(entry);
  if (kept.row.enabled && !impl->closed) impl->start(kept);
  co_return impl->view(kept);
}

Task<Outcome<PipelineView>> Engine::update(std::string id, Json patch,
                                           std::int64_t expected_version, Actor actor,
                                           bool dry_run) {
  auto impl = impl_;
  auto gate = co_await impl->enter(id);
  if (!gate) co_return refused<PipelineView>(no_such_pipeline().error());
  const Held held(gate);
  Impl::Entry& entry = impl->entries.at(id);  // stays while the gate is held
  if (expected_version != 0 && expected_version != entry.row.version) {
    co_return refused<PipelineView>(
        Error(ErrorClass::kFunction, "version_conflict",
              fmt::format("The pipeline is at version {}, not {}: somebody changed it.",
                          entry.row.version, expected_version),
              "Read it again and repeat the change."));
  }
  co_await impl->naming->enter();
  std::optional<Held> naming(std::in_place, impl->naming);
  Impl::Entry changed;
  changed.row = entry.row;
  Json body = merge_patch(body_of(entry.row), patch);
  const UtcTime now = impl->runtime.clock().utc_now();
  auto problems = impl->adopt(changed, std::move(body), id, entry.secrets, now);
  if (!problems.empty()) co_return invalid<PipelineView>(std::move(problems));
  store::PipelineRow row = std::move(changed.row);
  ++row.version;
  row.updated_at = now;
  if (dry_run) {
    PipelineView view = impl->view(entry);
    view.row = std::move(row);
    co_return view;
  }
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [row, before = entry.secrets, after = changed.secrets,
       name = actor.name](store::SessionRef sql) -> Result<bool> {
    TRIBUTARY_TRY(store::Pipelines::update(sql, row, name));
    for (const auto& secret : before)
      TRIBUTARY_TRY(store::Secrets::remove(sql, row.id, secret.field));
    for (const auto& secret : after) TRIBUTARY_TRY(store::Secrets::put(sql, secret));
    return true;
  };
  auto stored = co_await impl->store.write<bool>(std::move(work));
  if (!stored) co_return refused<PipelineView>(std::move(stored.error()));
  // What others are checked against; they need not wait for the stop.
  entry.row = std::move(row);
  naming.reset();
  if (auto runner = impl->detach(entry)) co_await runner->stop();
  entry.secrets = std::move(changed.secrets);
  entry.runner.reset();  // the counters belong to the old version
  if (!entry.row.enabled) impl->desk->close(id);
  if (entry.row.enabled && !impl->closed) impl->start(entry);
  co_return impl->view(entry);
}

Task<Result<void>> Engine::remove(std::string id, Actor) {
  auto impl = impl_;
  auto gate = co_await impl->enter(id);
  if (!gate) co_return no_such_pipeline();
  const Held held(gate);
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [id](store::SessionRef sql) -> Result<bool> {
    TRIBUTARY_TRY(store::Pipelines::remove(sql, id));
    return true;
  };
  auto stored = co_await impl->store.write<bool>(std::move(work));
  if (!stored) co_return fail(std::move(stored.error()));
  auto runner = impl->detach(impl->entries.at(id));
  impl->desk->forget(id);
  impl->entries.erase(id);
  impl->recheck_functions();  // others may have waited for its end
  if (runner) co_await runner->stop();
  co_return Result<void>{};
}

Task<Result<PipelineView>> Engine::set_enabled(std::string id, bool enabled, Actor) {
  auto impl = impl_;
  auto gate = co_await impl->enter(id);
  if (!gate) co_return no_such_pipeline();
  const Held held(gate);
  Impl::Entry& entry = impl->entries.at(id);  // stays while the gate is held
  if (entry.row.enabled == enabled) co_return impl->view(entry);
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [id, enabled](store::SessionRef sql) -> Result<bool> {
    TRIBUTARY_TRY(store::Pipelines::set_enabled(sql, id, enabled));
    return true;
  };
  auto stored = co_await impl->store.write<bool>(std::move(work));
  if (!stored) co_return fail(std::move(stored.error()));
  entry.row.enabled = enabled;
  if (!enabled) impl->desk->close(id);
  if (auto runner = impl->detach(entry)) co_await runner->stop();
  if (enabled && !impl->closed) impl->start(entry);
  co_return impl->view(entry);
}

Task<Result<std::vector<store::PipelineVersionRow>>> Engine::versions(std::string id) {
  using Rows = std::vector<store::PipelineVersionRow>;
  auto impl = impl_;
  if (!impl->entries.contains(id)) co_return no_such_pipeline();
  std::move_only_function<Result<Rows>(store::SessionRef)> work = [id](store::SessionRef sql) {
    return store::Pipelines::versions(sql, id);
  };
  co_return co_await impl->store.read<Rows>(std::move(work));
}

Task<Result<store::RunRow>> Engine::run(std::string id, Json input, Actor) {
  auto impl = impl_;
  const auto found = impl->entries.find(id);
  if (found == impl->entries.end()) co_return no_such_pipeline();
  const Impl::Entry& entry = found->second;
  if (!entry.row.enabled) {
    co_return fail(ErrorClass::kFunction, "pipeline_disabled",
                   fmt::format("The pipeline '{}' is disabled.", entry.row.name),
                   "Enable it first.");
  }
  if (!entry.running) {
    co_return fail(entry.error.value_or(Error(ErrorClass::kCancelled, "pipeline_stopped",
                                              "The pipeline is being changed.", "Try again.")));
  }
  const auto& nodes = entry.runner->plan().nodes;
  const auto trigger = std::find_if(nodes.begin(), nodes.end(), [](const PlanNode& node) {
    return node.trigger == TriggerKind::kManual;
  });
  if (trigger == nodes.end()) {
    co_return fail(ErrorClass::kFunction, "no_manual_trigger",
                   fmt::format("The pipeline '{}' has no trigger.manual.", entry.row.name),
                   "Add a node of the type trigger.manual to run it by hand.");
  }
  auto records = manual_records(std::move(input));
  if (!records) co_return fail(std::move(records.error()));
  auto runner = entry.runner;
  const auto index = static_cast<std::size_t>(trigger - nodes.begin());
  auto row = co_await runner->run(index, std::move(*records));
  if (!row) co_return row;
  if (runner->plan().history != History::kOff) {
    std::move_only_function<Result<bool>(store::SessionRef)> work =
        [copy = *row](store::SessionRef sql) -> Result<bool> {
      TRIBUTARY_TRY(store::Runs::put(sql, copy));
      TRIBUTARY_TRY(store::Runs::trim(sql, kKeptRuns));
      return true;
    };
    auto stored = co_await impl->store.write<bool>(std::move(work));
    if (!stored) co_return fail(std::move(stored.error()));
  }
  impl->tell(*row);
  co_return row;
}

Task<Result<std::vector<store::RunRow>>> Engine::runs(std::string id, std::string before,
                                                      std::size_t limit) {
  using Rows = std::vector<store::RunRow>;
  auto impl = impl_;
  std::move_only_function<Result<Rows>(store::SessionRef)> work = [id, before,
                                                                   limit](store::SessionRef sql) {
    return store::Runs::list(sql, id, before, limit);
  };
  co_return co_await impl->store.read<Rows>(std::move(work));
}

Task<Result<store::RunRow>> Engine::find_run(std::string id) {
  auto impl = impl_;
  std::move_only_function<Result<store::RunRow>(store::SessionRef)> work =
      [id](store::SessionRef sql) -> Result<store::RunRow> {
    auto row = store::Runs::find(sql, id);
    if (!row) return fail(std::move(row.error()));
    if (*row) return std::move(**row);
    return fail(ErrorClass::kFunction, "not_found", "This run does not exist, or not any more.");
  };
  co_return co_await impl->store.read<store::RunRow>(std::move(work));
}

std::shared_ptr<hooks::Desk> Engine::hooks() const {
  return impl_->desk;
}

connect::Registration Engine::watch_runs(std::function<void(const RunEvent&)> listener) {
  auto kept = std::make_shared<std::function<void(const RunEvent&)>>(std::move(listener));
  impl_->listeners.push_back(kept);
  return kept;
}

}  // namespace tributary::orchestrate
