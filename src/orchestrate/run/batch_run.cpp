#include "orchestrate/run/batch_run.hpp"

#include "base/id.hpp"
#include "orchestrate/jitter.hpp"
#include "orchestrate/run/scripts.hpp"
#include "orchestrate/stopped.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kErrorField = "$error";

Json error_field(const Error& error, const std::string& node) {
  Json json = json_object();
  json.insert_or_assign("node", node);
  json.insert_or_assign("class", to_string(error.error_class));
  json.insert_or_assign("code", error.code);
  json.insert_or_assign("message", error.message);
  return json;
}

}  // namespace

// A batch in one node.
class BatchRun::Visit final : public NodeRun {
 public:
  Visit(BatchRun& batch, std::size_t node)
      : batch_(batch), index_(node), node_(batch.plan_.nodes[node]) {}

  expression::Scope scope(const Item& item) const override { return batch_.scope(item); }

  void pass(std::size_t port, Item item) override {
    ++counts.out;
    batch_.observer_.left(index_, port, item.record);
    if (first_output.is_null() && keeps_samples()) first_output = item.record;
    batch_.forward(index_, port, std::move(item));
  }

  void replace(std::size_t port, const Item& item, std::vector<Record> records) override {
    if (records.empty()) {
      filter();
      return;
    }
    batch_.report_.flow.copied += static_cast<std::int64_t>(records.size()) - 1;
    for (Record& record : records) {
      // All but the record, which is replaced.
      Item made;
      made.record = std::move(record);
      made.index = item.index;
      made.trigger = item.trigger;
      made.seen = item.seen;
      made.element = item.element;
      pass(port, std::move(made));
    }
  }

  void filter() override {
    ++counts.filtered;
    ++batch_.report_.flow.filtered;
  }

  void hold() override { change_held(1); }
  void release(std::size_t port, Item item) override {
    change_held(-1);
    pass(port, std::move(item));
  }
  void release_filtered() override {
    change_held(-1);
    filter();
  }
  void emit(std::size_t port, Item item) override {
    ++batch_.report_.flow.copied;
    pass(port, std::move(item));
  }

  bool is_watched() const override { return batch_.observer_.is_watching(); }
  bool promises() const override { return batch_.services_.desk != nullptr; }
  void promise(Item item, std::string payload) override {
    if (batch_.outboxes_.empty() || batch_.outboxes_.back().node != index_)
      batch_.outboxes_.push_back({index_, {}});
    batch_.outboxes_.back().entries.push_back({0, batch_.now_, std::move(payload)});
    if (node_.is_end()) ++batch_.promised_ends_;
    pass(0, std::move(item));
  }

  void fail(Item item, Error error) override {
    if (batch_.observer_.cancelled()) return drop(std::move(item), std::move(error));
    ++counts.errors;
    batch_.observer_.failed(index_, item.record, error);
    note(item, error);
    if (node_.on_error == OnError::kStop) {
      ++batch_.report_.flow.errors;
      return;
    }
    ++batch_.report_.flow.handled;
    if (node_.on_error == OnError::kContinue) {
      batch_.forward(index_, node_.continues, std::move(item));
      return;
    }
    if (!item.record.is_object()) {
      Json wrapped = json_object();
      wrapped.insert_or_assign("value", std::move(item.record));
      item.record = std::move(wrapped);
    }
    item.record.insert_or_assign(kErrorField, error_field(error, node_.id));
    batch_.forward(index_, node_.ports.size() - 1, std::move(item));
  }

  void drop(Item item, Error error) override {
    ++counts.dropped;
    ++batch_.report_.flow.dropped;
    batch_.report_.cancelled = true;
    note(item, error);
  }

  void waiting(const Error& error) override {
    batch_.services_.statistics.set_waiting(index_, error, clock().utc_now());
  }

  std::span<const std::string> inputs() const override { return node_.input_names; }
  std::size_t input_of(const Item& item) const override {
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      const Input& input = node_.inputs[i];
      if (input.node == item.source && input.port == item.source_port) return i;
    }
    return 0;
  }
  Json freeze(Item item) const override;
  Item thaw(Json frozen) const override;
  Item make(Record record) const override {
    Item item;
    item.record = std::move(record);
    item.seen.resize(batch_.plan_.slots);
    return item;
  }
  UtcTime now() const override { return batch_.services_.time.now(); }

  NodeState& state() override { return batch_.services_.states[index_]; }
  FunctionPort& functions() override { return batch_.calls_; }
  const Executor& executor() const override { return batch_.services_.executor; }
  Timers& timers() override { return batch_.services_.timers; }
  Clock& clock() override { return batch_.services_.clock; }
  Event& stopping() override { return batch_.services_.stopping; }
  void respond(hooks::Answer answer) override {
    if (batch_.services_.respond) batch_.services_.respond(std::move(answer));
  }
  Duration jittered(Duration delay) override {
    return orchestrate::jittered(delay, batch_.services_.random);
  }

  bool keeps_samples() const { return batch_.plan_.history == History::kFull; }

  NodeCounts counts;
  Json first_output = Json::null();
  std::vector<std::string> log;

 private:
  void change_held(std::int64_t by) {
    state().held += by;
    counts.held += by;
    batch_.report_.flow.held += by;
  }

  void note(const Item& item, const Error& error) {
    counts.last_error = error;
    counts.last_error_at = clock().utc_now();
    counts.last_failed_input = bounded_copy(item.record);
  }

  BatchRun& batch_;
  std::size_t index_;
  const PlanNode& node_;
};

Task<std::vector<Result<Batch>>> BatchRun::Calls::refuse_all(std::size_t count) {
  std::vector<Result<Batch>> refused(
      count, fail(ErrorClass::kCancelled, "run_cancelled", "The run was cancelled."));
  co_return refused;
}

Task<Result<Batch>> BatchRun::Calls::refuse() {
  co_return fail(ErrorClass::kCancelled, "run_cancelled", "The run was cancelled.");
}

Json BatchRun::Visit::freeze(Item item) const {
  Json frozen = json_object();
  frozen.insert_or_assign("record", std::move(item.record));
  if (item.index != 0) frozen.insert_or_assign("index", item.index);
  if (item.trigger) frozen.insert_or_assign("trigger", *item.trigger);
  if (item.element) frozen.insert_or_assign("element", *item.element);
  Json seen = json_object();
  for (std::size_t slot = 0; slot < item.seen.size(); ++slot) {
    if (item.seen[slot]) {
      seen.insert_or_assign(batch_.plan_.slot_names[slot], *item.seen[slot]);
    }
  }
  if (!seen.empty()) frozen.insert_or_assign("seen", std::move(seen));
  return frozen;
}

Item BatchRun::Visit::thaw(Json frozen) const {
  const auto share = [](const Json& json) -> std::shared_ptr<const Json> {
    return json.is_null() ? nullptr : std::make_shared<const Json>(json);
  };
  Item item = make(std::move(frozen.at("record")));
  item.index = get_int(frozen, "index", 0);
  item.trigger = share(get_member(frozen, "trigger"));
  item.element = share(get_member(frozen, "element"));
  const Json& seen = get_member(frozen, "seen");
  for (std::size_t slot = 0; slot < item.seen.size(); ++slot) {
    item.seen[slot] = share(get_member(seen, batch_.plan_.slot_names[slot]));
  }
  return item;
}

BatchRun::BatchRun(const Plan& plan, std::size_t trigger, Services services, std::string run_id)
    : plan_(plan),
      trigger_(trigger),
      services_(std::move(services)),
      observer_(services_.observer != nullptr ? *services_.observer : nobody_),
      calls_(services_.functions, observer_),
      inbox_(plan.nodes.size()) {
  now_ = services_.clock.utc_now();
  report_.run_id = run_id.empty() ? make_id(now_) : std::move(run_id);
  report_.trigger = plan.nodes[trigger].id;
  report_.started_at = now_;
  run_ = json_object();
  run_.insert_or_assign("id", report_.run_id);
  run_.insert_or_assign("trigger", report_.trigger);
  run_.insert_or_assign("startedAt", format_utc(now_));
}

expression::Scope BatchRun::scope(const Item& item) const {
  expression::Scope scope;
  scope.input = &item.record;
  scope.item = item.element ? item.element.get() : &item.record;
  scope.trigger = item.trigger.get();
  scope.run = &run_;
  scope.pipeline = &plan_.pipeline;
  scope.index = item.index;
  scope.now = now_;
  scope.env = &plan_.env;
  scope.nodes = item.seen;
  scope.scripts = item.scripts;
  return scope;
}

Items BatchRun::start(std::vector<Record> records) const {
  Items items;
  items.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    Item item;
    item.index = static_cast<std::int64_t>(i);
    item.seen.resize(plan_.slots);
    if (plan_.keeps_trigger) item.trigger = std::make_shared<const Json>(records[i]);
    item.record = std::move(records[i]);
    items.push_back(std::move(item));
  }
  return items;
}

void BatchRun::forward(std::size_t index, std::size_t port, Item item) {
  const PlanNode& node = plan_.nodes[index];
  const auto& targets = node.targets[port];
  if (targets.empty()) {
    // A way that a condition offers and nobody takes filters; the last node of a path is where
    // records go out.
    const bool filtered = node.chooses && !node.is_end();
    ++(filtered ? report_.flow.filtered : report_.flow.out);
    if (!filtered && keeps_output_) came_out(item);
    return;
  }
  item.scripts.clear();
  if (node.slot) item.seen[*node.slot] = std::make_shared<const Json>(item.record);
  item.source = static_cast<std::uint32_t>(index);
  item.source_port = static_cast<std::uint32_t>(port);
  report_.flow.copied += static_cast<std::int64_t>(targets.size()) - 1;
  for (std::size_t i = 0; i + 1 < targets.size(); ++i) inbox_[targets[i]].push_back(item);
  inbox_[targets.back()].push_back(std::move(item));
}

void BatchRun::came_out(const Item& item) {
  if (output_.size() == kMaxToldOutputs) output_.pop_front();
  output_.push_back(bounded_copy(item.record));
}

Task<void> BatchRun::compute(const PlanNode& node, Visit& visit, Items& items) {
  const ScriptWork work{services_.scripts, plan_, run_, now_, services_.stopping};
  visit.log = co_await compute_scripts(work, node, items);
  Items kept;
  kept.reserve(items.size());
  for (Item& item : items) {
    const Error* stopped = stopped_before(item);
    if (stopped == nullptr) {
      kept.push_back(std::move(item));
    } else {
      Error error = *stopped;
      visit.drop(std::move(item), std::move(error));
    }
  }
  items = std::move(kept);
}

Task<void> BatchRun::keep() {
  Result<void> kept;
  if (report_.cancelled) {
    // The source gives all of it again.
    kept = tributary::fail(pipeline_stopped());
  } else {
    kept = co_await services_.desk->keep(std::move(outboxes_), services_.states, services_.patient);
  }
  if (kept) co_return;
  not_kept_ = std::move(kept.error());
  const bool stopped = not_kept_->error_class == ErrorClass::kCancelled;
  report_.flow.out -= promised_ends_;
  (stopped ? report_.flow.dropped : report_.flow.errors) += promised_ends_;
  if (stopped) report_.cancelled = true;
}

void BatchRun::enter(std::vector<Record> records) {
  const auto count = static_cast<std::int64_t>(records.size());
  report_.flow.in += count;
  NodeTrace trace;
  trace.node = trigger_;
  trace.counts.in = count;
  trace.counts.out = count;
  if (plan_.history == History::kFull && !records.empty()) trace.first_output = records.front();
  services_.statistics.add_node(trigger_, trace.counts);
  for (const std::size_t target : plan_.nodes[trigger_].targets[0])
    inbox_[target].reserve(records.size());
  Items items = start(std::move(records));
  observer_.entered(trigger_, items);
  for (Item& item : items) {
    observer_.left(trigger_, 0, item.record);
    forward(trigger_, 0, std::move(item));
  }
  observer_.done(trigger_, trace.counts, Duration{});
  report_.nodes.push_back(std::move(trace));
}

Task<void> BatchRun::execute(std::vector<Record> records) {
  begun_ = services_.timers.now();
  enter(std::move(records));
  return pass_nodes(false);
}

Task<void> BatchRun::on_time() {
  begun_ = services_.timers.now();
  return pass_nodes(true);
}

Task<void> BatchRun::pass_nodes(bool time) {
  for (std::size_t i = 0; i < plan_.nodes.size() && !observer_.cancelled(); ++i) {
    const bool due = time && services_.time.is_due(i);
    if (due || !inbox_[i].empty()) co_await visit(i, due);
  }
  if (observer_.cancelled()) drop_rest();
  if (services_.desk != nullptr) co_await keep();
  report_.took = services_.timers.now() - begun_;
  report_.ended_at = services_.clock.utc_now();
  services_.statistics.finish_batch(report_.flow, report_.ended_at);
}

void BatchRun::feed(std::size_t node, std::int64_t index) {
  Item item;
  item.record = json_object();
  item.index = index;
  item.seen.resize(plan_.slots);
  inbox_[node].push_back(std::move(item));
  ++report_.flow.in;
}

void BatchRun::drop_rest() {
  report_.cancelled = true;
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    if (inbox_[i].empty()) continue;
    NodeTrace trace;
    trace.node = i;
    trace.counts.in = static_cast<std::int64_t>(inbox_[i].size());
    trace.counts.dropped = trace.counts.in;
    report_.flow.dropped += trace.counts.dropped;
    inbox_[i].clear();
    services_.statistics.add_node(i, trace.counts);
    report_.nodes.push_back(std::move(trace));
  }
}

Task<void> BatchRun::visit(std::size_t node, bool time) {
  Items items = std::move(inbox_[node]);
  inbox_[node].clear();
  const SteadyTime entered = services_.timers.now();
  NodeTrace trace;
  trace.node = node;
  Visit visit(*this, node);
  visit.counts.in = static_cast<std::int64_t>(items.size());
  if (visit.keeps_samples() && !items.empty()) trace.first_input = items.front().record;
  observer_.entered(node, items);
  const NodeLogic& logic = *plan_.nodes[node].logic;
  if (!items.empty() && !plan_.nodes[node].scripts.empty())
    co_await compute(plan_.nodes[node], visit, items);
  if (!items.empty()) co_await logic.process(visit, std::move(items));
  if (time) co_await logic.on_time(visit);
  trace.counts = std::move(visit.counts);
  trace.first_output = std::move(visit.first_output);
  trace.log = std::move(visit.log);
  trace.took = services_.timers.now() - entered;
  observer_.done(node, trace.counts, trace.took);
  services_.statistics.add_node(node, trace.counts);
  report_.nodes.push_back(std::move(trace));
}

}  // namespace tributary::orchestrate
