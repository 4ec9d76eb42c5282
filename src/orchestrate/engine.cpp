#include "orchestrate/engine.hpp"

#include <fmt/format.h>

#include <array>
#include <future>

#include "base/id.hpp"
#include "orchestrate/engine_impl.hpp"
#include "orchestrate/hooks/secrets.hpp"
#include "runtime/log.hpp"
#include "store/health_rows.hpp"
#include "store/repositories.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::array<std::string_view, 4> kRowMembers = {"name", "description", "labels",
                                                         "enabled"};

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

std::unexpected<Error> no_such_pipeline() {
  return fail(ErrorClass::kFunction, "not_found", "This pipeline does not exist.");
}

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
               spool::Spool* spool, EngineOptions options)
    : Engine(runtime, store, make_manager_port(manager), spool, std::move(options)) {}

Engine::Engine(Runtime& runtime, store::Store& store, std::unique_ptr<FunctionPort> functions,
               spool::Spool* spool, EngineOptions options)
    : impl_(std::make_shared<Impl>(runtime, store, std::move(functions), spool,
                                   std::move(options))) {}

Engine::~Engine() = default;

Result<void> Engine::load() {
  std::vector<store::PipelineRow> rows;
  std::vector<store::SecretRow> secrets;
  std::vector<store::BootRow> boots;
  std::vector<store::PipelineDraftRow> drafts;
  std::vector<store::PipelineFailureRow> failures;
  auto read = impl_->store.read_now([&](store::SessionRef sql) -> Result<void> {
    auto all = store::Pipelines::all(sql);
    TRIBUTARY_TRY(all);
    rows = std::move(*all);
    auto sealed = store::Secrets::all(sql);
    TRIBUTARY_TRY(sealed);
    secrets = std::move(*sealed);
    auto known = store::Boots::all(sql);
    TRIBUTARY_TRY(known);
    boots = std::move(*known);
    auto all_drafts = store::PipelineDrafts::all(sql);
    TRIBUTARY_TRY(all_drafts);
    drafts = std::move(*all_drafts);
    auto all_failures = store::PipelineFailures::all(sql);
    TRIBUTARY_TRY(all_failures);
    failures = std::move(*all_failures);
    return {};
  });
  TRIBUTARY_TRY(read);
  TRIBUTARY_TRY(
      impl_->store.write_now([now = impl_->runtime.clock().utc_now()](store::SessionRef sql) {
        return store::Runs::end_running(sql, now);
      }));
  std::promise<void> started;
  asio::post(impl_->runtime.control(), [impl = impl_, &rows, &secrets, &boots, &drafts, &failures,
                                        &started] {
    for (store::PipelineRow& row : rows) {
      Impl::Entry& entry = impl->entries[row.id];
      entry.gate = std::make_shared<Gate>(impl->runtime.control());
      entry.row = std::move(row);
      std::ranges::copy_if(secrets, std::back_inserter(entry.secrets), [&](const auto& secret) {
        return secret.connection_id == entry.row.id;
      });
    }
    impl->read_rows(std::move(drafts), std::move(failures));
    impl->downtime = time_without_hub(boots, impl->store.boot_id(), impl->runtime.clock());
    for (auto& [id, entry] : impl->entries) {
      if (entry.row.enabled) {
        impl->start(entry);
      } else if (impl->spool != nullptr) {
        spawn(impl->runtime.control(), Impl::read_queues(impl, id));
      }
    }
    impl->downtime.reset();
    impl->watch_connections();
    impl->trim_runs();
    impl->watch_room();
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
  impl->trim_timer.reset();
  impl->room_timer.reset();
  impl->state_watch.reset();
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
  auto adopting = impl->adopt(entry, std::move(body), entry.row.id, {});
  Checked checked = co_await std::move(adopting);
  if (!checked.problems.empty()) co_return invalid(std::move(checked.problems));
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
  if (!stored) co_return refused(std::move(stored.error()));
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
  if (!gate) co_return refused(no_such_pipeline().error());
  const Held held(gate);
  Impl::Entry& entry = impl->entries.at(id);  // stays while the gate is held
  if (expected_version != 0 && expected_version != entry.row.version) {
    co_return refused(
        Error(ErrorClass::kFunction, "version_conflict",
              fmt::format("The pipeline is at version {}, not {}: somebody changed it.",
                          entry.row.version, expected_version),
              "Read it again and repeat the change."));
  }
  Json body = merge_patch(body_of(entry.row), patch);
  co_return co_await impl->replace(id, std::move(body), actor.name, dry_run, false);
}

Task<Outcome<PipelineView>> Engine::Impl::replace(std::string id, Json body, std::string actor,
                                                  bool dry_run, bool deploys) {
  auto self = shared_from_this();
  Entry& entry = entries.at(id);  // stays while the gate is held
  co_await naming->enter();
  std::optional<Held> named(std::in_place, naming);
  Entry changed;
  changed.row = entry.row;
  auto adopting = adopt(changed, std::move(body), id, entry.secrets);
  Checked checked = co_await std::move(adopting);
  if (!checked.problems.empty()) co_return invalid(std::move(checked.problems));
  store::PipelineRow row = std::move(changed.row);
  ++row.version;
  row.updated_at = runtime.clock().utc_now();
  if (dry_run) {
    PipelineView shown = view(entry);
    shown.row = std::move(row);
    co_return shown;
  }
  std::vector<std::string> gone;  // nodes with a failure that are no more
  for (const auto& [node, failure] : entry.failures) {
    const bool there = std::any_of(checked.plan->nodes.begin(), checked.plan->nodes.end(),
                                   [&](const PlanNode& planned) { return planned.id == node; });
    if (!there) gone.push_back(node);
  }
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [row, actor, gone, deploys, before = entry.secrets,
       after = changed.secrets](store::SessionRef sql) -> Result<bool> {
    TRIBUTARY_TRY(store::Pipelines::update(sql, row, actor));
    for (const auto& secret : before)
      TRIBUTARY_TRY(store::Secrets::remove(sql, row.id, secret.field));
    for (const auto& secret : after) TRIBUTARY_TRY(store::Secrets::put(sql, secret));
    if (deploys) TRIBUTARY_TRY(store::PipelineDrafts::clear(sql, row.id));
    for (const std::string& node : gone)
      TRIBUTARY_TRY(store::PipelineFailures::remove(sql, row.id, node));
    return true;
  };
  auto stored = co_await store.write<bool>(std::move(work));
  if (!stored) co_return refused(std::move(stored.error()));
  for (const std::string& node : gone) entry.failures.erase(node);
  if (deploys) entry.draft.document = Json::null();
  // What others are checked against; they need not wait for the stop.
  entry.row = std::move(row);
  named.reset();
  if (auto runner = detach(entry)) co_await runner->stop();
  entry.secrets = std::move(changed.secrets);
  entry.runner.reset();  // the counters belong to the old version
  if (!entry.row.enabled) desk->close(id);
  if (entry.row.enabled && !closed) start(entry);
  co_return view(entry);
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
  if (impl->spool != nullptr) {
    auto forgotten = co_await impl->spool->forget_pipeline(std::move(id));
    if (!forgotten) {
      log::warning("orchestrate", "What was kept for a deleted pipeline could not be removed.",
                   {{"reason", forgotten.error().message}});
    }
  }
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
  auto runner = impl->runner_of(id);
  if (!runner) co_return fail(std::move(runner.error()));
  const auto& nodes = (*runner)->plan().nodes;
  const auto trigger = std::find_if(nodes.begin(), nodes.end(), [](const PlanNode& node) {
    return node.trigger == TriggerKind::kManual;
  });
  if (trigger == nodes.end()) {
    co_return fail(
        ErrorClass::kFunction, "no_manual_trigger",
        fmt::format("The pipeline '{}' has no trigger.manual.", impl->entries.at(id).row.name),
        "Add a node of the type trigger.manual to run it by hand.");
  }
  auto records = manual_records(std::move(input));
  if (!records) co_return fail(std::move(records.error()));
  const auto index = static_cast<std::size_t>(trigger - nodes.begin());
  const std::string not_again;
  co_return co_await impl->run_alone(*runner, index, std::move(*records), not_again);
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
