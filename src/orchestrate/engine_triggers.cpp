// Triggers as the front desk sees them: who waits for whose runs, what can be called, what comes
// next.
#include <algorithm>

#include "orchestrate/engine_impl.hpp"
#include "orchestrate/hooks/secrets.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::size_t kShownRuns = 5;

// `listener`: an Engine::Impl::Listener, here and below.
bool is_error_trigger(const auto& listener) {
  return listener.settings().error.has_value();
}

// Whether a listener wants to hear of the runs of a pipeline.
bool listens_to(const auto& listener, const std::string& pipeline_id) {
  if (listener.owner == pipeline_id) return false;
  if (!is_error_trigger(listener)) return listener.settings().pipeline->pipeline_id == pipeline_id;
  const auto& ids = listener.settings().error->pipeline_ids;
  return ids.empty() || std::ranges::find(ids, pipeline_id) != ids.end();
}

bool is_listening(const PlanNode& node) {
  return node.trigger == TriggerKind::kPipeline || node.trigger == TriggerKind::kError;
}

}  // namespace

std::map<std::string, bool> Engine::Impl::pipelines_of(const store::PipelineRow& row) const {
  std::map<std::string, bool> found;
  for (const std::string& id : named_pipelines(row.document)) found[id] = entries.contains(id);
  return found;
}

std::vector<schema::FieldError> Engine::Impl::check_against_others(
    const store::PipelineRow& row) const {
  PipelineDocuments others;
  for (const auto& [id, entry] : entries) {
    if (id != row.id) others[id] = {entry.row.name, &entry.row.document};
  }
  return orchestrate::check_against_others(row.id, row.name, row.document, others);
}

Task<Checked> Engine::Impl::adopt(Entry& entry, Json body, std::string id,
                                  std::vector<store::SecretRow> present) {
  std::vector<schema::FieldError> problems;
  const UtcTime now = runtime.clock().utc_now();
  entry.secrets = hooks::take_secrets(body, id, present, options.vault, now, problems);
  Json copy = body;
  Checked checked = co_await check_all(std::move(copy));
  std::ranges::move(problems, std::back_inserter(checked.problems));
  if (!checked.problems.empty()) co_return checked;
  assign_body(entry.row, body);
  checked.problems = check_against_others(entry.row);
  co_return checked;
}

void Engine::Impl::listen_to_ends(Entry& entry, RunnerContext& context) {
  entry.feed = std::make_shared<EndFeed>();
  context.interest = std::shared_ptr<const EndInterest>(entry.feed, &entry.feed->interest);
  context.ended = [weak = weak_from_this(), feed = entry.feed](RunEnd end) {
    if (!feed->add(std::move(end))) return;
    auto impl = weak.lock();
    if (!impl) return;
    asio::post(impl->runtime.control(), [weak, feed] {
      if (auto locked = weak.lock()) locked->pass_on(feed);
    });
  };
}

void Engine::Impl::pass_on(const std::shared_ptr<EndFeed>& feed) {
  if (closed) return;
  EndFeed::Taken taken = feed->take();
  for (auto* end : {&taken.failed, &taken.succeeded}) {
    if (!*end) continue;
    const auto shared = std::make_shared<const RunEnd>(std::move(**end));
    for (const Listener& listener : ends) {
      if (!listens_to(listener, shared->pipeline_id)) continue;
      if (is_error_trigger(listener) && (shared->from_error || shared->failures.empty())) continue;
      listener.runner->run_ended(listener.trigger, shared);
    }
  }
}

void Engine::Impl::refresh_interest(const Entry& entry) const {
  if (!entry.feed) return;
  bool any = false;
  bool output = false;
  for (const Listener& listener : ends) {
    if (!listens_to(listener, entry.row.id)) continue;
    any = true;
    const auto& pipeline = listener.settings().pipeline;
    output = output || (pipeline && pipeline->output);
  }
  entry.feed->interest.output = output;
  entry.feed->interest.ends = any;
}

void Engine::Impl::open_triggers(Entry& entry) {
  std::vector<hooks::Route> routes;
  bool listening = false;
  const auto& nodes = entry.runner->plan().nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (is_listening(nodes[i])) {
      ends.push_back({entry.row.id, i, entry.runner});
      listening = true;
    }
    if (nodes[i].trigger != TriggerKind::kWebhook) continue;
    hooks::Route route{entry.row.id, nodes[i].id, i, entry.runner, std::nullopt};
    const auto secret = std::ranges::find(entry.secrets, hooks::secret_field(nodes[i].id),
                                          &store::SecretRow::field);
    if (secret != entry.secrets.end()) route.secret = *secret;
    routes.push_back(std::move(route));
  }
  desk->open(entry.row.id, std::move(routes));
  if (!listening) {
    refresh_interest(entry);
    return;
  }
  for (const auto& [id, other] : entries) refresh_interest(other);
}

// Webhooks stay: while a pipeline is changed its callers are told to come again.
void Engine::Impl::close_triggers(const Entry& entry) {
  const auto gone =
      std::erase_if(ends, [&](const Listener& listener) { return listener.owner == entry.row.id; });
  if (gone == 0) return;
  for (const auto& [id, other] : entries) refresh_interest(other);
}

std::vector<TriggerView> Engine::Impl::triggers_of(const Entry& entry) const {
  std::vector<TriggerView> views;
  if (!entry.runner || !entry.running) return views;
  const UtcTime now = runtime.clock().utc_now();
  for (const PlanNode& node : entry.runner->plan().nodes) {
    if (node.trigger == TriggerKind::kNone) continue;
    TriggerView view;
    view.node_id = node.id;
    if (node.settings->hook) {
      view.path = std::string(hooks::kPrefix) + node.settings->hook->path;
      view.methods = node.settings->hook->methods;
    }
    if (const auto& rule = node.settings->cron) {
      std::vector<UtcTime>& next = entry.next_runs[node.id];
      if (next.empty() || next.front() <= now)
        next = rule->cron.next_n(rule->zone, now, kShownRuns);
      view.next_runs = next;
      view.time_zone = rule->zone.name();
    }
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace tributary::orchestrate
