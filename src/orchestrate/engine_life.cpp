// How pipelines start, stop and follow their functions.
#include <fmt/format.h>

#include "orchestrate/engine_impl.hpp"
#include "runtime/log.hpp"
#include "store/repositories.hpp"

namespace tributary::orchestrate {

Engine::Impl::Impl(Runtime& runtime_, store::Store& store_,
                   std::unique_ptr<FunctionPort> functions_, const secrets::Vault* vault_)
    : runtime(runtime_),
      store(store_),
      functions(std::move(functions_)),
      vault(vault_),
      desk(std::make_shared<hooks::Desk>(vault_, runtime_.clock(), runtime_.timers())),
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
  plan.pipeline_id = entry.row.id;
  plan.pipeline = json_object();
  plan.pipeline.insert_or_assign("id", entry.row.id);
  plan.pipeline.insert_or_assign("name", entry.row.name);
  plan.pipeline.insert_or_assign("version", entry.row.version);
  auto publish_row = [weak = weak_from_this()](store::RunRow row) {
    if (auto impl = weak.lock()) impl->publish(std::move(row));
  };
  RunnerContext context{runtime.next_worker(), runtime.clock(), runtime.timers(), *functions,
                        std::move(publish_row)};
  context.downtime = downtime;
  listen_to_ends(entry, context);
  auto runner = std::make_shared<Runner>(checked.plan, std::move(context));
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

void Engine::Impl::publish(store::RunRow row) {
  const bool trim = rows_since_trim.fetch_add(1) % 20 == 19;
  store.post_write(
      [row, trim](store::SessionRef sql) -> Result<void> {
        TRIBUTARY_TRY(store::Runs::put(sql, row));
        return trim ? store::Runs::trim(sql, kKeptRuns) : Result<void>{};
      },
      [weak = weak_from_this(), row](Result<void> done) {
        if (!done) {
          log::warning("orchestrate", "A run could not be written down.",
                       {{"pipeline", row.pipeline_id}, {"reason", done.error().message}});
        }
        if (auto impl = weak.lock()) impl->tell(row);
      });
}

void Engine::Impl::tell(store::RunRow row) {
  asio::post(runtime.control(), [weak = weak_from_this(), row = std::move(row)] {
    auto impl = weak.lock();
    if (!impl || impl->closed) return;
    const RunEvent event{row};
    for (auto at = impl->listeners.begin(); at != impl->listeners.end();) {
      if (auto listener = at->lock()) {
        (*listener)(event);
        ++at;
      } else {
        at = impl->listeners.erase(at);
      }
    }
  });
}

}  // namespace tributary::orchestrate
