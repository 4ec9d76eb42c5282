// A scripted world for pipelines: functions that answer what a test says, on one thread and virtual
// time.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>

#include "orchestrate/model/plan.hpp"
#include "orchestrate/run/runner.hpp"
#include "orchestrate/tests/memory_spool.hpp"
#include "runtime/manual_timers.hpp"

namespace tributary::orchestrate {

inline Json json(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? *parsed : Json::null();
}

struct Call {
  std::string function;
  Json parameters;
};

class FakePort final : public FunctionPort {
 public:
  using Answer = std::function<Result<Batch>(const Call& call)>;

  void add(const std::string& id, sdk::FunctionKind kind, sdk::Family family = sdk::Family::kBroker,
           bool batch = false) {
    FunctionInfo info;
    info.id = id;
    info.name = id;
    info.type = "fake." + std::string(sdk::to_string(kind));
    info.connection_id = "C-" + id;
    info.connection_name = "Line 3";
    info.kind = kind;
    info.family = family;
    info.batch = batch;
    functions[id] = info;
  }

  std::optional<FunctionInfo> find(const std::string& id) const override {
    const auto found = functions.find(id);
    if (found == functions.end()) return std::nullopt;
    return found->second;
  }
  std::vector<FunctionInfo> all_functions() const override {
    std::vector<FunctionInfo> all;
    for (const auto& [id, info] : functions) all.push_back(info);
    return all;
  }
  bool is_connected(const std::string&) const override { return connected; }
  bool has_connection(const std::string& id) const override { return connections.contains(id); }
  bool has_type(const std::string& type) const override { return type == "fake"; }
  connect::Registration watch_states(
      std::function<void(const ConnectionNews& news)> listener) override {
    auto kept = std::make_shared<std::function<void(const ConnectionNews&)>>(std::move(listener));
    state_listeners.push_back(kept);
    return kept;
  }

  Task<Result<Batch>> execute(std::string id, Json parameters, Duration) override {
    ++active;
    most_active = std::max(most_active, active);
    Call call{std::move(id), std::move(parameters)};
    const std::shared_ptr<Event> held = hold;
    if (held) co_await held->wait();
    if (takes > Duration{}) {
      const SteadyTime end = timers->now() + takes;
      co_await sleep_until(*timers, end);
    }
    while (closed) {
      const SteadyTime soon = timers->now() + std::chrono::milliseconds(2);
      co_await sleep_until(*timers, soon);
    }
    --active;
    calls.push_back(call);
    co_return answer ? answer(call) : Result<Batch>(Batch::of(std::vector<Record>{}));
  }

  Result<connect::Registration> consume(const std::string& id,
                                        connect::BatchConsumer consumer) override {
    if (!functions.contains(id))
      return fail(ErrorClass::kFunction, "not_found", "No such function.");
    auto kept = std::make_shared<connect::BatchConsumer>(std::move(consumer));
    consumers[id] = kept;
    return connect::Registration(kept);
  }
  connect::Registration watch_catalogue(std::function<void()> changed) override {
    catalogue_changed = std::move(changed);
    return std::make_shared<int>(0);
  }

  std::map<std::string, FunctionInfo> functions;
  std::map<std::string, std::weak_ptr<connect::BatchConsumer>> consumers;
  std::function<void()> catalogue_changed;
  std::set<std::string> connections{"C1"};
  std::vector<std::weak_ptr<std::function<void(const ConnectionNews&)>>> state_listeners;
  std::vector<Call> calls;
  Answer answer;
  std::shared_ptr<Event> hold;  // of the executor that calls
  // As hold, from any thread.
  std::atomic<bool> closed{false};
  Timers* timers = nullptr;  // of `closed` and `takes`
  Duration takes{};          // how long a call lasts
  std::size_t active = 0;
  std::size_t most_active = 0;
  bool connected = true;
};

// One runner on virtual time.
class RunnerWorld {
 public:
  RunnerWorld() : own_spool(std::make_unique<MemorySpool>(clock)), spool(*own_spool) {
    add_functions();
  }
  // On what another world has left.
  explicit RunnerWorld(MemorySpool& disk) : spool(disk) { add_functions(); }
  void add_functions() {
    port.add("sub", sdk::FunctionKind::kSubscribe);
    port.add("read", sdk::FunctionKind::kRead, sdk::Family::kFieldDevice);
    port.add("write", sdk::FunctionKind::kWrite);
    port.add("plc", sdk::FunctionKind::kWrite, sdk::Family::kFieldDevice);
    port.add("table", sdk::FunctionKind::kWrite, sdk::Family::kCloud, true);
    port.add("command", sdk::FunctionKind::kCommand);
  }
  ~RunnerWorld() { stop(); }

  void start(std::string_view body) {
    const Json document = json(body);
    Checked checked = check_pipeline(document, catalogue, port);
    for (const auto& problem : checked.problems) {
      ADD_FAILURE() << problem.pointer << " " << problem.code << " " << problem.message;
    }
    ASSERT_TRUE(checked.plan);
    checked.plan->pipeline_id = "P1";
    checked.plan->pipeline = json(R"({"id": "P1", "name": "test", "version": 1})");
    RunnerContext context{io.get_executor(),
                          clock,
                          timers,
                          port,
                          [this](store::RunRow row) { rows.push_back(std::move(row)); },
                          &spool};
    context.progress = [this](store::RunRow row, bool store) {
      progress.push_back({std::move(row), store});
    };
    context.failures = [this](std::vector<store::PipelineFailureRow> more) {
      failures.insert(failures.end(), more.begin(), more.end());
    };
    context.downtime = downtime;
    context.interest = interest;
    context.ended = [this](RunEnd end) { ends.push_back(std::move(end)); };
    runner = std::make_shared<Runner>(checked.plan, std::move(context));
    runner->start();
    timers.settle();
  }

  void stop() {
    if (!runner) return;
    bool stopped = false;
    spawn(io.get_executor(), stop_task(runner, stopped));
    timers.settle();
    if (port.hold) port.hold->set();
    timers.settle();
    EXPECT_TRUE(stopped);
    EXPECT_TRUE(snapshot().flow.adds_up());
    last = snapshot();
    runner.reset();
  }

  // Delivers records as the trigger function "sub" would; the result is filled when it is accepted.
  std::shared_ptr<std::optional<Result<void>>> deliver(std::vector<Record> records) {
    auto result = std::make_shared<std::optional<Result<void>>>();
    auto batch = std::make_shared<const Batch>(Batch::of(std::move(records)));
    spawn(io.get_executor(), deliver_task(runner, std::move(batch), result));
    timers.settle();
    return result;
  }
  std::shared_ptr<std::optional<Result<void>>> deliver(std::string_view records) {
    std::vector<Record> list;
    const Json parsed = json(records);
    for (const Json& record : parsed.array_range()) list.push_back(record);
    return deliver(std::move(list));
  }

  std::shared_ptr<std::optional<Result<store::RunRow>>> run(std::string_view records) {
    auto result = std::make_shared<std::optional<Result<store::RunRow>>>();
    std::vector<Record> list;
    const Json parsed = json(records);
    for (const Json& record : parsed.array_range()) list.push_back(record);
    spawn(io.get_executor(), run_task(runner, std::move(list), result));
    timers.settle();
    return result;
  }

  void advance(Duration by) { timers.advance(by); }
  Snapshot snapshot() const { return runner->snapshot(); }
  const NodeCounts& node(const Snapshot& now, std::string_view id) const {
    for (std::size_t i = 0; i < runner->plan().nodes.size(); ++i) {
      if (runner->plan().nodes[i].id == id) return now.nodes[i];
    }
    ADD_FAILURE() << "no node " << id;
    return now.nodes[0];
  }

  asio::io_context io;
  ManualClock clock;
  ManualTimers timers{clock, io};
  NodeCatalogue catalogue;
  FakePort port;
  std::unique_ptr<MemorySpool> own_spool;
  MemorySpool& spool;
  std::vector<store::RunRow> rows;
  struct Told {
    store::RunRow row;
    bool store = false;
  };
  std::vector<Told> progress;
  std::vector<store::PipelineFailureRow> failures;
  std::shared_ptr<Runner> runner;
  Snapshot last;
  std::optional<Downtime> downtime;
  std::shared_ptr<EndInterest> interest = std::make_shared<EndInterest>();
  std::vector<RunEnd> ends;

 private:
  static Task<void> stop_task(std::shared_ptr<Runner> stopping, bool& stopped) {
    co_await stopping->stop();
    stopped = true;
  }
  static Task<void> deliver_task(std::shared_ptr<Runner> to, std::shared_ptr<const Batch> batch,
                                 std::shared_ptr<std::optional<Result<void>>> result) {
    Origin origin{"Line 3", "Read filler"};
    const std::size_t trigger = trigger_of(*to, TriggerKind::kFunction);
    Result<void> accepted = co_await to->accept(trigger, std::move(batch), std::move(origin));
    result->emplace(std::move(accepted));
  }
  static Task<void> run_task(std::shared_ptr<Runner> on, std::vector<Record> records,
                             std::shared_ptr<std::optional<Result<store::RunRow>>> result) {
    const std::size_t trigger = trigger_of(*on, TriggerKind::kManual);
    auto row = co_await on->run(trigger, std::move(records));
    result->emplace(std::move(row));
  }
  static std::size_t trigger_of(const Runner& runner, TriggerKind kind) {
    const auto& nodes = runner.plan().nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].trigger == kind) return i;
    }
    ADD_FAILURE() << "no such trigger";
    return 0;
  }
};

}  // namespace tributary::orchestrate
