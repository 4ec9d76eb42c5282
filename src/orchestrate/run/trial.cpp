#include "orchestrate/run/trial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "orchestrate/run/batch_run.hpp"
#include "orchestrate/run/trial_document.hpp"
#include "orchestrate/run/trial_time.hpp"

namespace tributary::orchestrate {
namespace {

// A pinned node is not run: it gives what was pinned, once.
class PinnedLogic final : public NodeLogic {
 public:
  PinnedLogic(std::vector<std::vector<Record>> by_port, std::size_t slots)
      : by_port_(std::move(by_port)), slots_(slots) {}

  Task<void> process(NodeRun& run, Items items) const override {
    for (std::size_t i = 0; i < items.size(); ++i) run.filter();
    std::int64_t index = 0;
    for (std::size_t port = 0; port < by_port_.size(); ++port) {
      for (const Record& record : by_port_[port]) {
        Item item;
        item.record = record;
        item.index = index++;
        item.seen.resize(slots_);
        item.trigger = items.front().trigger;
        run.emit(port, std::move(item));
      }
    }
    co_return;
  }

 private:
  std::vector<std::vector<Record>> by_port_;
  std::size_t slots_;
};

Json error_json(const Error& error) {
  Json json = json_object();
  json.insert_or_assign("class", std::string(to_string(error.error_class)));
  json.insert_or_assign("code", error.code);
  json.insert_or_assign("message", error.message);
  return json;
}

double milliseconds(Duration duration) {
  return to_seconds(duration) * 1000;
}

}  // namespace

class Trial final : public BatchObserver {
 public:
  // Stands between the nodes and the functions: says what would have been sent instead of sending.
  class Stubs final : public PortDecorator {
   public:
    Stubs(Trial& trial, FunctionPort& inner) : PortDecorator(inner), trial_(trial) {}

    std::optional<FunctionInfo> find(const std::string& id) const override {
      auto found = PortDecorator::find(id);
      if (found) known_[id] = *found;
      return found;
    }
    Task<Result<Batch>> execute(std::string id, Json parameters, Duration timeout) override {
      const auto found = known_.find(id);
      const bool reads = found != known_.end() && found->second.kind == sdk::FunctionKind::kRead;
      const bool calls = reads ? trial_.options_.call_reads : trial_.options_.call_destinations;
      if (calls) return PortDecorator::execute(std::move(id), std::move(parameters), timeout);
      return answer(found == known_.end() ? FunctionInfo{} : found->second, std::move(parameters));
    }
    Task<std::vector<Result<Batch>>> execute_all(std::string id, std::vector<Json> parameters,
                                                 Duration timeout, connect::Calls calls) override {
      return FunctionPort::execute_all(std::move(id), std::move(parameters), timeout, calls);
    }

   private:
    Task<Result<Batch>> answer(FunctionInfo function, Json parameters) {
      if (function.kind != sdk::FunctionKind::kRead) {
        trial_.sent(function, std::move(parameters));
        co_return Batch::of(std::vector<Record>{});
      }
      Json record = json_object();
      record.insert_or_assign("stub", true);
      record.insert_or_assign("function", function.name);
      record.insert_or_assign("parameters", std::move(parameters));
      std::vector<Record> records;
      records.push_back(std::move(record));
      co_return Batch::of(std::move(records));
    }

    Trial& trial_;
    // What was looked up while the document was checked; calls come from another thread, later.
    mutable std::map<std::string, FunctionInfo> known_;
  };

  Trial(TrialOptions options, TrialContext context)
      : options_(std::move(options)),
        context_(std::move(context)),
        clock_(context_.clock, options_.now),
        timers_(context_.timers, clock_),
        stubs_(*this, context_.functions) {}

  std::vector<schema::FieldError> prepare(const Json& body, const Json& pipeline);
  static Task<Json> perform(std::shared_ptr<Trial> self, Executor executor);

  void entered(std::size_t node, const Items& items) override {
    Seen& seen = seen_[node];
    seen.visited = true;
    current_ = node;
    for (const Item& item : items) {
      if (item.index != kFed) keep(seen.in, item.record);
    }
  }
  void left(std::size_t node, std::size_t port, const Record& record) override {
    const PlanNode& planned = plan_->nodes[node];
    keep(seen_[node].out[port], record);
    const bool ends = planned.targets[port].empty() && (!planned.chooses || planned.is_end());
    if (!ends) return;
    Json end = json_object();
    end.insert_or_assign("nodeId", planned.id);
    end.insert_or_assign("port", planned.ports[port]);
    end.insert_or_assign("record", record);
    keep(output_, std::move(end));
  }
  void failed(std::size_t node, const Record& record, const Error& error) override {
    Json json = error_json(error);
    json.insert_or_assign("input", record);
    keep(seen_[node].errors, std::move(json));
  }
  void done(std::size_t node, const NodeCounts&, Duration took) override {
    seen_[node].took += took;
  }
  bool cancelled() const override { return cancelled_; }

 private:
  static constexpr std::int64_t kFed = -1;  // index of what makes a pinned node give

  struct Seen {
    bool visited = false;
    Json in = json_array();
    std::vector<Json> out;  // by port
    Json errors = json_array();
    Json sent = json_array();
    Duration took{};
  };

  static Task<void> work(std::shared_ptr<Trial> self);
  BatchRun::Services services();
  Task<void> let_time_pass();
  void pin_nodes();
  void sent(const FunctionInfo& function, Json parameters);
  void keep(Json& list, Json element);
  Json report(Duration took) const;
  Json node_report(std::size_t node) const;

  TrialOptions options_;
  TrialContext context_;
  TrialClock clock_;
  TrialTimers timers_;
  Stubs stubs_;
  std::shared_ptr<Plan> plan_;
  std::map<std::string, std::string> types_;  // of nodes
  std::vector<std::string> order_;            // of nodes, as in the document
  std::map<std::string, Json> pins_;
  std::size_t trigger_ = 0;

  std::optional<Executor> executor_;
  std::unique_ptr<Event> stopping_;
  std::unique_ptr<Event> done_;
  std::unique_ptr<Statistics> statistics_;
  std::vector<NodeState> states_;
  std::unique_ptr<TimeKeeper> time_;
  SeededRandom random_{1};
  std::vector<Seen> seen_;  // by place in the plan
  std::size_t current_ = 0;
  Json output_ = json_array();
  Json all_sent_ = json_array();
  std::size_t bytes_ = 0;
  bool truncated_ = false;
  bool cancelled_ = false;
};

std::vector<schema::FieldError> Trial::prepare(const Json& body, const Json& pipeline) {
  std::vector<schema::FieldError> problems;
  TrialDocument document(body, options_, problems);
  if (!problems.empty()) return problems;
  Checked checked = check_pipeline(document.body(), context_.catalogue, stubs_);
  if (!checked.problems.empty()) {
    for (schema::FieldError& problem : checked.problems)
      problem.pointer = document.original(problem.pointer);
    return std::move(checked.problems);
  }
  plan_ = std::move(checked.plan);
  plan_->pipeline = pipeline;
  plan_->pipeline_id = get_string(pipeline, "id");
  for (const Json& node : document.body().at("nodes").array_range()) {
    order_.push_back(get_string(node, "id"));
    types_[order_.back()] = get_string(node, "type");
  }
  pins_ = document.pins();
  for (std::size_t i = 0; i < plan_->nodes.size(); ++i) {
    if (plan_->nodes[i].id == document.trigger()) trigger_ = i;
  }
  if (!options_.has_input) {
    const auto pinned = pins_.find(document.trigger());
    if (pinned != pins_.end()) {
      options_.input = pinned_records(pinned->second, plan_->nodes[trigger_].ports).front();
    } else {
      options_.input.push_back(json_object());
    }
  }
  pin_nodes();
  return {};
}

void Trial::pin_nodes() {
  for (PlanNode& node : plan_->nodes) {
    const auto pinned = pins_.find(node.id);
    if (pinned == pins_.end() || node.trigger != TriggerKind::kNone) continue;
    node.logic =
        std::make_unique<PinnedLogic>(pinned_records(pinned->second, node.ports), plan_->slots);
  }
}

Task<Json> Trial::perform(std::shared_ptr<Trial> self, Executor executor) {
  self->executor_ = executor;
  self->stopping_ = std::make_unique<Event>(executor);
  self->done_ = std::make_unique<Event>(executor);
  self->statistics_ = std::make_unique<Statistics>(self->plan_->nodes.size());
  self->states_.resize(self->plan_->nodes.size());
  self->time_ = std::make_unique<TimeKeeper>(*self->plan_, self->states_, executor, self->clock_,
                                             self->timers_);
  self->seen_.resize(self->plan_->nodes.size());
  for (std::size_t i = 0; i < self->seen_.size(); ++i)
    self->seen_[i].out.resize(self->plan_->nodes[i].ports.size(), json_array());
  const SteadyTime begun = self->context_.timers.now();
  spawn(executor, work(self));
  const SteadyTime deadline = begun + kTrialLimit;
  const bool in_time = co_await self->done_->wait_until(self->context_.timers, deadline);
  if (!in_time) {
    // What still hangs in a call comes back to a trial that nobody looks at any more.
    self->cancelled_ = true;
    self->stopping_->set();
  }
  co_return self->report(self->context_.timers.now() - begun);
}

BatchRun::Services Trial::services() {
  BatchRun::Services services{*executor_, clock_,       timers_, stubs_, random_,
                              *stopping_, *statistics_, states_, *time_};
  services.observer = this;
  services.scripts = context_.scripts;
  return services;
}

Task<void> Trial::work(std::shared_ptr<Trial> self) {
  BatchRun batch(*self->plan_, self->trigger_, self->services());
  for (std::size_t i = 0; i < self->plan_->nodes.size(); ++i) {
    const PlanNode& node = self->plan_->nodes[i];
    if (node.trigger == TriggerKind::kNone && self->pins_.contains(node.id)) batch.feed(i, kFed);
  }
  std::vector<Record> input = std::move(self->options_.input);
  co_await batch.execute(std::move(input));
  co_await self->let_time_pass();
  self->done_->set();
}

void Trial::sent(const FunctionInfo& function, Json parameters) {
  Json entry = json_object();
  entry.insert_or_assign("functionId", function.id);
  entry.insert_or_assign("function", function.name);
  entry.insert_or_assign("connection", function.connection_name);
  entry.insert_or_assign("type", function.type);
  entry.insert_or_assign("parameters", std::move(parameters));
  keep(seen_[current_].sent, entry);
  entry.insert_or_assign("nodeId", plan_->nodes[current_].id);
  keep(all_sent_, std::move(entry));
}

void Trial::keep(Json& list, Json element) {
  const std::size_t size = to_text(element).size();
  if (list.size() >= kMaxTrialKept || bytes_ + size > kMaxTrialBytes) {
    truncated_ = true;
    return;
  }
  bytes_ += size;
  list.push_back(std::move(element));
}

Json Trial::report(Duration took) const {
  const FlowCounts flow = statistics_->snapshot().flow;
  Json counts = json_object();
  counts.insert_or_assign("recordsIn", flow.in);
  counts.insert_or_assign("recordsOut", flow.out);
  counts.insert_or_assign("errors", flow.errors);
  counts.insert_or_assign("handledErrors", flow.handled);
  counts.insert_or_assign("filtered", flow.filtered);
  counts.insert_or_assign("dropped", flow.dropped);
  counts.insert_or_assign("held", flow.held);
  Json nodes = json_array();
  for (const std::string& id : order_) {
    for (std::size_t i = 0; i < plan_->nodes.size(); ++i) {
      if (plan_->nodes[i].id == id) nodes.push_back(node_report(i));
    }
  }
  Json json = json_object();
  json.insert_or_assign("success", !cancelled_ && flow.errors == 0);
  json.insert_or_assign("timedOut", cancelled_);
  json.insert_or_assign("truncated", truncated_);
  json.insert_or_assign("trigger", plan_->nodes[trigger_].id);
  json.insert_or_assign("durationMs", milliseconds(took));
  json.insert_or_assign("counts", std::move(counts));
  json.insert_or_assign("nodes", std::move(nodes));
  json.insert_or_assign("output", output_);
  json.insert_or_assign("wouldHaveSent", all_sent_);
  return json;
}

Json Trial::node_report(std::size_t index) const {
  const PlanNode& node = plan_->nodes[index];
  const Seen& seen = seen_[index];
  Json out = json_object();
  for (std::size_t port = 0; port < seen.out.size(); ++port)
    out.insert_or_assign(node.ports[port], seen.out[port]);
  Json json = json_object();
  json.insert_or_assign("nodeId", node.id);
  json.insert_or_assign("type", types_.at(node.id));
  json.insert_or_assign("in", seen.in);
  json.insert_or_assign("out", std::move(out));
  json.insert_or_assign("errors", seen.errors);
  json.insert_or_assign("wouldHaveSent", seen.sent);
  json.insert_or_assign("tookMs", milliseconds(seen.took));
  json.insert_or_assign("pinned", pins_.contains(node.id));
  json.insert_or_assign("visited", seen.visited);
  return json;
}

// What waits for a time does not wait: the clock is put forward to it.
Task<void> Trial::let_time_pass() {
  for (std::size_t step = 0; step < kMaxTrialSteps && !cancelled_; ++step) {
    const auto wait = time_->until_next();
    if (!wait) co_return;
    clock_.go_ahead(*wait);
    BatchRun batch(*plan_, trigger_, services());
    co_await batch.on_time();
  }
}

std::expected<std::shared_ptr<Trial>, connect::Invalid> prepare_trial(const Json& body,
                                                                      const Json& pipeline,
                                                                      TrialOptions options,
                                                                      TrialContext context) {
  auto trial = std::make_shared<Trial>(std::move(options), std::move(context));
  auto problems = trial->prepare(body, pipeline);
  if (!problems.empty()) return std::unexpected(connect::Invalid{std::move(problems)});
  return trial;
}

Task<Json> run_trial(std::shared_ptr<Trial> trial, Executor executor) {
  auto work = [trial, executor] { return Trial::perform(trial, executor); };
  co_return co_await run_on(executor, work);
}

}  // namespace tributary::orchestrate
