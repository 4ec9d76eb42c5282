// How pipelines start, stop and follow their functions.
#include <fmt/format.h>

#include "orchestrate/engine_impl.hpp"
#include "runtime/log.hpp"
#include "store/repositories.hpp"

namespace tributary::orchestrate {

Engine::Impl::Impl(Runtime& runtime_, store::Store& store_,
                   std::unique_ptr<FunctionPort> functions_, spool::Spool* spool_,
                   EngineOptions options_)
    : runtime(runtime_),
      store(store_),
      functions(std::move(functions_)),
      spool(spool_),
      options(std::move(options_)),
      desk(std::make_shared<hooks::Desk>(options.vault, runtime_.clock(), runtime_.timers())),
      naming(std::make_shared<Gate>(runtime_.control())) {}

std::map<std::string, std::optional<FunctionInfo>> Engine::Impl::functions_of(
    const store::PipelineRow& row) const {
  std::map<std::string, std::optional<FunctionInfo>> found;
  const Json& nodes = get_member(row.document, "nodes");
  if (!nodes.is_array()) return found;
  for (const Json& node : nodes.array_range()) {
    const Json& settings = get_member(node, "settings");
    if (!settings.is_object()) continue;
    const std::string id = get_string(settings, "functionId");
    if (!id.empty()) found.emplace(id, functions->find(id));
  }
  return found;
}

std::map<std::string, bool> Engine::Impl::connections_of(const store::PipelineRow& row) const {
  std::map<std::string, bool> found;
  const Json& nodes = get_member(row.document, "nodes");
  if (!nodes.is_array()) return found;
  for (const Json& node : nodes.array_range()) {
    const Json& settings = get_member(node, "settings");
    if (!settings.is_object()) continue;
    const Json& ids = get_member(settings, "connectionIds");
    for (std::size_t i = 0; ids.is_array() && i < ids.size(); ++i) {
      const auto id = ids[i].as<std::string>();
      found.emplace(id, functions->has_connection(id));
    }
  }
  return found;
}

bool Engine::Impl::is_current(const Entry& entry) const {
  return functions_of(entry.row) == entry.functions &&
         connections_of(entry.row) == entry.connections &&
         pipelines_of(entry.row) == entry.pipelines;
}

Checked Engine::Impl::check(const store::PipelineRow& row) const {
  Checked checked = check_pipeline(body_of(row), catalogue, *functions);
  if (!checked.problems.empty()) return checked;
  checked.problems = check_against_others(row);
  if (!checked.problems.empty()) checked.plan.reset();
  return checked;
}

Task<Checked> Engine::Impl::check_all(Json body) {
  auto self = shared_from_this();
  Checked checked = check_pipeline(body, catalogue, *functions);
  if (!checked.problems.empty()) co_return checked;
  for (const Checked::Script& script : checked.scripts) {
    if (options.scripts == nullptr) {
      checked.problems.push_back({script.pointer, "script_unavailable",
                                  "This hub runs without script workers, so there is no "
                                  "JavaScript."});
      continue;
    }
    script::Source source = script.source;
    auto valid = co_await options.scripts->check(std::move(source));
    if (valid) continue;
    checked.problems.push_back({script.pointer, valid.error().code, valid.error().message});
  }
  co_return checked;
}

void Engine::Impl::start(Entry& entry) {
  entry.error.reset();
  entry.functions = functions_of(entry.row);
  entry.connections = connections_of(entry.row);
  entry.pipelines = pipelines_of(entry.row);
  entry.next_runs.clear();
  desk->close(entry.row.id);
  Checked checked = check(entry.row);
  if (!checked.problems.empty()) {
    const schema::FieldError& first = checked.problems.front();
    entry.error = Error(ErrorClass::kConfiguration, first.code, first.message,
                        "Correct the pipeline, or make what it needs again.", first.pointer);
    log::warning(
        "orchestrate", "An enabled pipeline cannot run.",
        {{"pipeline", entry.row.name}, {"pointer", first.pointer}, {"reason", first.message}});
    return;
  }
  Plan& plan = *checked.plan;
  if (plan.durable && spool == nullptr) {
    entry.error = Error(ErrorClass::kInternal, "spool_unavailable",
                        "There is no place on disk for what a durable destination is promised.");
    return;
  }
  plan.pipeline_id = entry.row.id;
  plan.pipeline = json_object();
  plan.pipeline.insert_or_assign("id", entry.row.id);
  plan.pipeline.insert_or_assign("name", entry.row.name);
  plan.pipeline.insert_or_assign("version", entry.row.version);
  plan.env = options.env;
  auto runner = std::make_shared<Runner>(checked.plan, context_of(entry));
  runner->start();
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    if (plan.nodes[i].trigger == TriggerKind::kConnectionStatus) {
      entry.subscriptions.push_back(functions->watch_states(
          [runner, i](const ConnectionNews& news) { runner->status_changed(i, news); }));
    }
    if (plan.nodes[i].trigger != TriggerKind::kFunction) continue;
    auto subscription =
        functions->consume(plan.nodes[i].function_id,
                           [runner, i](std::shared_ptr<const Batch> batch, const Origin& origin) {
                             return runner->accept(i, std::move(batch), origin);
                           });
    if (subscription) {
      entry.subscriptions.push_back(std::move(*subscription));
    } else {
      entry.error = std::move(subscription.error());
    }
  }
  entry.runner = std::move(runner);
  entry.running = true;
  open_triggers(entry);
}

RunnerContext Engine::Impl::context_of(Entry& entry) {
  const Retention retention = retention_of(entry.row.document);
  const bool keeps = get_string(entry.row.document, "history") != "off";
  auto publish_row = [weak = weak_from_this(), retention](store::RunRow row) {
    if (auto impl = weak.lock()) impl->publish(std::move(row), retention);
  };
  RunnerContext context{runtime.next_worker(),  runtime.clock(), runtime.timers(), *functions,
                        std::move(publish_row), spool,           options.scripts};
  context.progress = [weak = weak_from_this(), keeps](store::RunRow row, bool store) {
    auto impl = weak.lock();
    if (!impl) return;
    if (store && keeps) {
      impl->store.post_write([row](store::SessionRef sql) { return store::Runs::put(sql, row); },
                             [](Result<void>) {});
    }
    impl->tell(std::move(row));
  };
  context.failures = [weak = weak_from_this()](std::vector<store::PipelineFailureRow> rows) {
    if (auto impl = weak.lock()) impl->keep_failures(std::move(rows));
  };
  auto& shared = turns[&context.executor.context()];
  if (!shared) shared = std::make_shared<Turns>(context.executor);
  context.turns = shared;
  context.downtime = downtime;
  listen_to_ends(entry, context);
  return context;
}

void Engine::Impl::read_rows(std::vector<store::PipelineDraftRow> drafts,
                             std::vector<store::PipelineFailureRow> failures) {
  for (store::PipelineDraftRow& draft : drafts) {
    const auto found = entries.find(draft.pipeline_id);
    if (found != entries.end()) found->second.draft = std::move(draft);
  }
  for (store::PipelineFailureRow& failure : failures) {
    const auto found = entries.find(failure.pipeline_id);
    if (found == entries.end()) continue;
    const std::string node = failure.node_id;
    found->second.failures[node] = std::move(failure);
  }
}

std::shared_ptr<Runner> Engine::Impl::detach(Entry& entry) {
  entry.subscriptions.clear();
  entry.error.reset();
  close_triggers(entry);
  if (!std::exchange(entry.running, false)) return nullptr;
  return entry.runner;
}

Task<std::shared_ptr<Gate>> Engine::Impl::enter(std::string id) {
  const auto found = entries.find(id);
  if (found == entries.end()) co_return nullptr;
  auto gate = found->second.gate;
  co_await gate->enter();
  if (entries.contains(id)) co_return gate;
  gate->leave();
  co_return nullptr;
}

Task<void> Engine::Impl::restart(std::string id) {
  auto self = shared_from_this();
  auto gate = co_await enter(id);
  if (!gate) co_return;
  const Held held(gate);
  Entry& entry = entries.at(id);  // stays while the gate is held
  if (!entry.row.enabled || closed || is_current(entry)) co_return;
  if (auto runner = detach(entry)) co_await runner->stop();
  if (!closed) start(entry);
}

void Engine::Impl::recheck_functions() {
  for (auto& [id, entry] : entries) {
    if (entry.row.enabled && !is_current(entry)) {
      spawn(runtime.control(), restart(id));
    }
  }
}

}  // namespace tributary::orchestrate
