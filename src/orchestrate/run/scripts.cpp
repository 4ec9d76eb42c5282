#include "orchestrate/run/scripts.hpp"

#include "orchestrate/run/recorder.hpp"

namespace tributary::orchestrate {
namespace {

script::Names names_of(const ScriptWork& work, const Item& item) {
  script::Names names;
  names.input = &item.record;
  names.item = item.element ? item.element.get() : &item.record;
  names.trigger = item.trigger.get();
  names.run = &work.run;
  names.pipeline = &work.plan.pipeline;
  names.env = &work.plan.env;
  for (std::size_t i = 0; i < item.seen.size() && i < work.plan.slot_names.size(); ++i) {
    if (item.seen[i]) names.nodes.emplace_back(work.plan.slot_names[i], item.seen[i].get());
  }
  names.index = item.index;
  names.now = work.now;
  return names;
}

void take_log(std::vector<std::string>& log, std::vector<std::string> more) {
  for (std::string& line : more) {
    if (log.size() < kMaxLogLines) log.push_back(std::move(line));
  }
}

void fill(Item& item, std::vector<Result<script::Outcome>> outcomes,
          std::vector<std::string>& log) {
  item.scripts.clear();
  item.scripts.reserve(outcomes.size());
  for (auto& outcome : outcomes) {
    if (!outcome) {
      item.scripts.emplace_back(fail(std::move(outcome.error())));
      continue;
    }
    take_log(log, std::move(outcome->log));
    item.scripts.emplace_back(std::move(outcome->value));
  }
}

}  // namespace

Task<std::vector<std::string>> compute_scripts(ScriptWork work, const PlanNode& node,
                                               Items& items) {
  std::vector<std::string> log;
  Json all = json_array();
  std::vector<script::Names> records;
  if (node.script_use.whole_batch) {
    for (const Item& item : items) all.push_back(item.record);
    script::Names names = names_of(work, items.front());
    names.input = names.item = nullptr;
    names.items = &all;
    records.push_back(std::move(names));
  } else {
    records.reserve(items.size());
    for (const Item& item : items) records.push_back(names_of(work, item));
  }
  auto results = Result<script::Scripts::Results>(
      fail(ErrorClass::kInternal, "script_unavailable",
           "This hub runs without script workers, so JavaScript cannot be evaluated."));
  if (work.scripts != nullptr) {
    std::vector<script::Source> sources = node.scripts;
    std::function<bool()> stop = [&work] { return work.stopping.is_set(); };
    results = co_await work.scripts->run(std::move(sources), std::move(records),
                                         node.script_use.limits, std::move(stop));
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!results) {
      items[i].scripts.assign(node.scripts.size(), fail(results.error()));
    } else if (i < results->size()) {
      fill(items[i], std::move((*results)[i]), log);
    } else if (!items.front().scripts.front()) {
      items[i].scripts = items.front().scripts;  // a whole batch fails as one
    }
  }
  co_return log;
}

const Error* stopped_before(const Item& item) {
  for (const expression::Computed& value : item.scripts) {
    if (!value && value.error().code == "script_stopped") return &value.error();
  }
  return nullptr;
}

}  // namespace tributary::orchestrate
