// Runs: started by hand or again, called off, found, kept and forgotten.
#include <fmt/format.h>

#include <algorithm>

#include "orchestrate/engine_impl.hpp"
#include "runtime/log.hpp"
#include "store/repositories.hpp"

namespace tributary::orchestrate {
namespace {

bool takes(const store::RunFilter& filter, const store::RunRow& row) {
  const std::string triggers = ", " + row.trigger + ",";
  return (filter.status.empty() || row.status == filter.status) &&
         (filter.trigger.empty() || triggers.find(", " + filter.trigger + ",") != triggers.npos) &&
         (!filter.from || row.started_at >= *filter.from) &&
         (!filter.to || row.started_at < *filter.to);
}

// Puts runs that are at work among the rows of the store, which may know some of them from earlier.
void add_live(std::vector<store::RunRow>& rows, std::vector<store::RunRow> live,
              std::size_t limit) {
  // A page that is full goes down to its last row; what is older belongs to the next one.
  const std::string down_to = rows.size() < limit || rows.empty() ? std::string() : rows.back().id;
  for (store::RunRow& row : live) {
    std::erase_if(rows, [&](const store::RunRow& known) { return known.id == row.id; });
    if (row.id < down_to) continue;
    const auto at =
        std::ranges::find_if(rows, [&](const store::RunRow& other) { return other.id < row.id; });
    rows.insert(at, std::move(row));
  }
  if (rows.size() > limit) rows.resize(limit);
}

std::unexpected<Error> input_not_kept(const store::RunRow& row) {
  const bool too_long = get_bool(row.detail, "inputTooLong", false);
  return fail(ErrorClass::kFunction, "input_not_kept",
              too_long
                  ? fmt::format("The input of this run was longer than {} KiB and was not kept.",
                                kMaxRunInputBytes / 1024)
                  : std::string("The input of this run was not kept."),
              "The input is kept of runs by hand and of runs that failed, as long as the run is.");
}

}  // namespace

Result<std::shared_ptr<Runner>> Engine::Impl::runner_of(const std::string& pipeline_id) const {
  const auto found = entries.find(pipeline_id);
  if (found == entries.end()) return no_such_pipeline();
  const Entry& entry = found->second;
  if (!entry.row.enabled) {
    return fail(ErrorClass::kFunction, "pipeline_disabled",
                fmt::format("The pipeline '{}' is disabled.", entry.row.name), "Enable it first.");
  }
  if (!entry.running) {
    return fail(entry.error.value_or(Error(ErrorClass::kCancelled, "pipeline_stopped",
                                           "The pipeline is being changed.", "Try again.")));
  }
  return entry.runner;
}

Task<Result<store::RunRow>> Engine::Impl::run_alone(std::shared_ptr<Runner> runner,
                                                    std::size_t trigger,
                                                    std::vector<Record> records,
                                                    std::string rerun_of) {
  auto self = shared_from_this();
  auto row = co_await runner->run(trigger, std::move(records));
  if (!row) co_return row;
  if (!rerun_of.empty()) row->detail.insert_or_assign("rerunOf", rerun_of);
  if (runner->plan().history != History::kOff) {
    const auto found = entries.find(row->pipeline_id);
    const Retention retention =
        found == entries.end() ? Retention{} : retention_of(found->second.row.document);
    const UtcTime oldest = runtime.clock().utc_now() -
                           std::chrono::duration_cast<std::chrono::microseconds>(retention.age);
    std::move_only_function<Result<bool>(store::SessionRef)> work =
        [copy = *row, retention, oldest](store::SessionRef sql) -> Result<bool> {
      TRIBUTARY_TRY(store::Runs::put(sql, copy));
      TRIBUTARY_TRY(store::Runs::trim(sql, copy.pipeline_id, retention.keep, oldest));
      return true;
    };
    auto stored = co_await store.write<bool>(std::move(work));
    if (!stored) {
      live.erase(row->id);
      co_return fail(std::move(stored.error()));
    }
  }
  tell(*row);
  co_return row;
}

void Engine::Impl::publish(store::RunRow row, const Retention& retention) {
  const bool trim = rows_since_trim.fetch_add(1) % 20 == 19;
  const UtcTime oldest = runtime.clock().utc_now() -
                         std::chrono::duration_cast<std::chrono::microseconds>(retention.age);
  store.post_write(
      [row, trim, retention, oldest](store::SessionRef sql) -> Result<void> {
        TRIBUTARY_TRY(store::Runs::put(sql, row));
        return trim ? store::Runs::trim(sql, row.pipeline_id, retention.keep, oldest)
                    : Result<void>{};
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
    if (row.status == "running") {
      impl->live.insert_or_assign(row.id, row);
    } else {
      impl->live.erase(row.id);
    }
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

void Engine::Impl::keep_failures(std::vector<store::PipelineFailureRow> rows) {
  store.post_write(
      [rows](store::SessionRef sql) -> Result<void> {
        for (const auto& row : rows) TRIBUTARY_TRY(store::PipelineFailures::put(sql, row));
        return {};
      },
      [](Result<void> done) {
        if (done) return;
        log::warning("orchestrate", "A failed record could not be written down.",
                     {{"reason", done.error().message}});
      });
  asio::post(runtime.control(), [weak = weak_from_this(), rows = std::move(rows)] {
    auto impl = weak.lock();
    if (!impl) return;
    for (const auto& row : rows) {
      const auto found = impl->entries.find(row.pipeline_id);
      if (found != impl->entries.end()) found->second.failures[row.node_id] = row;
    }
  });
}

void Engine::Impl::trim_runs() {
  if (closed) return;
  const UtcTime now = runtime.clock().utc_now();
  for (const auto& [id, entry] : entries) {
    const Retention retention = retention_of(entry.row.document);
    const UtcTime oldest =
        now - std::chrono::duration_cast<std::chrono::microseconds>(retention.age);
    store.post_write(
        [id, keep = retention.keep, oldest](store::SessionRef sql) {
          return store::Runs::trim(sql, id, keep, oldest);
        },
        [](Result<void>) {});
  }
  trim_timer = runtime.timers().at(runtime.control(), runtime.timers().now() + kTrimInterval,
                                   [this] { trim_runs(); });
}

Task<Outcome<Json>> Engine::try_out(Json body, Json pipeline, TrialOptions options) {
  auto impl = impl_;
  if (impl->trials >= kMaxTrials) {
    co_return refused(Error(ErrorClass::kBusy, "too_many_tests",
                            fmt::format("{} tests are at work already.", kMaxTrials),
                            "Wait for their end."));
  }
  TrialContext context{impl->catalogue,        *impl->functions,      impl->runtime.clock(),
                       impl->runtime.timers(), impl->options.scripts, impl};
  auto trial = prepare_trial(body, pipeline, std::move(options), std::move(context));
  if (!trial) co_return invalid(std::move(trial.error().errors));
  ++impl->trials;
  const Executor worker = impl->runtime.next_worker();
  Json report = co_await run_trial(std::move(*trial), worker);
  --impl->trials;
  co_return report;
}

Task<Result<store::RunRow>> Engine::rerun(std::string run_id, Actor) {
  auto impl = impl_;
  auto row = co_await find_run(run_id);
  if (!row) co_return row;
  if (row->status == "running") {
    co_return fail(ErrorClass::kFunction, "run_active", "This run is still at work.",
                   "Wait for its end, or cancel it.");
  }
  auto input = co_await run_input(run_id);
  if (!input) co_return fail(std::move(input.error()));
  if (input->is_null()) co_return input_not_kept(*row);
  auto runner = impl->runner_of(row->pipeline_id);
  if (!runner) co_return fail(std::move(runner.error()));
  const std::string trigger = get_string(*input, "trigger");
  const auto& nodes = (*runner)->plan().nodes;
  const auto found = std::ranges::find_if(nodes, [&](const PlanNode& node) {
    return node.trigger != TriggerKind::kNone && node.id == trigger;
  });
  if (found == nodes.end()) {
    co_return fail(ErrorClass::kFunction, "trigger_gone",
                   fmt::format("The pipeline has no trigger '{}' any more.", trigger));
  }
  std::vector<Record> records;
  for (const Json& record : input->at("records").array_range()) records.push_back(record);
  const auto index = static_cast<std::size_t>(found - nodes.begin());
  co_return co_await impl->run_alone(*runner, index, std::move(records), run_id);
}

Task<Result<store::RunRow>> Engine::cancel_run(std::string run_id, Actor) {
  auto impl = impl_;
  auto row = co_await find_run(run_id);
  if (!row) co_return row;
  const auto found = impl->entries.find(row->pipeline_id);
  const auto runner = found == impl->entries.end() ? nullptr : found->second.runner;
  bool cancelled = false;
  if (row->status == "running" && runner) cancelled = co_await runner->cancel(run_id);
  if (!cancelled) {
    co_return fail(ErrorClass::kFunction, "run_finished", "This run is over already.");
  }
  co_return row;
}

Task<Result<std::vector<store::RunRow>>> Engine::runs(std::string id, std::string before,
                                                      std::size_t limit, store::RunFilter filter) {
  using Rows = std::vector<store::RunRow>;
  auto impl = impl_;
  std::move_only_function<Result<Rows>(store::SessionRef)> work = [id, before, limit,
                                                                   filter](store::SessionRef sql) {
    return store::Runs::list(sql, id, before, limit, filter);
  };
  auto rows = co_await impl->store.read<Rows>(std::move(work));
  if (!rows) co_return rows;
  Rows live;
  for (const auto& [run_id, row] : impl->live) {
    const bool on_page = before.empty() || run_id < before;
    if (row.pipeline_id == id && on_page && takes(filter, row)) live.push_back(row);
  }
  add_live(*rows, std::move(live), limit);
  co_return rows;
}

Task<Result<store::RunRow>> Engine::find_run(std::string id) {
  auto impl = impl_;
  if (const auto live = impl->live.find(id); live != impl->live.end()) co_return live->second;
  std::move_only_function<Result<store::RunRow>(store::SessionRef)> work =
      [id](store::SessionRef sql) -> Result<store::RunRow> {
    auto row = store::Runs::find(sql, id);
    if (!row) return fail(std::move(row.error()));
    if (*row) return std::move(**row);
    return fail(ErrorClass::kFunction, "not_found", "This run does not exist, or not any more.");
  };
  co_return co_await impl->store.read<store::RunRow>(std::move(work));
}

Task<Result<Json>> Engine::run_input(std::string id) {
  auto impl = impl_;
  std::move_only_function<Result<Json>(store::SessionRef)> work = [id](store::SessionRef sql) {
    return store::Runs::input(sql, id);
  };
  co_return co_await impl->store.read<Json>(std::move(work));
}

}  // namespace tributary::orchestrate
