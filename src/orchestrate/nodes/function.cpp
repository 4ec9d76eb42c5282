// function: calls a function of a connection for every record. A destination is a node of this type
// with a write function.
#include <fmt/format.h>

#include <algorithm>

#include "orchestrate/nodes/calling.hpp"
#include "orchestrate/nodes/node.hpp"
#include "orchestrate/stopped.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Function",
  "description": "Calls a read, write or command function for every record.",
  "type": "object",
  "required": ["functionId"],
  "properties": {
    "functionId": {"type": "string", "title": "Function", "description": "What to call.", "minLength": 1, "x-widget": "function"},
    "parameters": {"type": "object", "title": "Parameters", "description": "Values for the function's ((placeholders)), with {{ expressions }}. Without them the fields of the record are the parameters.", "additionalProperties": true, "x-widget": "json"},
    "meta": {"type": "boolean", "title": "Write $meta", "description": "Whether a record that is written whole keeps its $meta.", "default": true},
    "concurrency": {"type": "integer", "title": "Calls at once", "description": "More than one gives up the order of the records.", "minimum": 1, "maximum": 64, "default": 1}
  }
})";

constexpr std::string_view kMeta = "$meta";
constexpr std::string_view kPayload = "payload";

class FunctionLogic final : public NodeLogic {
 public:
  Destination destination;
  std::optional<expression::Document> parameters;
  bool meta = true;
  std::size_t concurrency = 1;
  RetryPolicy retry;  // without durable delivery
  bool durable = false;

  Task<void> process(NodeRun& run, Items items) const override {
    if (durable && run.promises()) {
      for (Item& item : items) promise(run, std::move(item));
      co_return;
    }
    // In order, and with one way to the connection and back for many.
    const bool together = function().batch || (concurrency == 1 && !run.is_watched());
    if (function().kind == sdk::FunctionKind::kWrite && together) {
      co_await write_together(run, std::move(items));
      co_return;
    }
    if (concurrency == 1 || items.size() == 1) {
      for (Item& item : items) co_await handle(run, std::move(item));
      co_return;
    }
    auto work = std::make_shared<Work>(std::move(items), run.executor());
    work->active = std::min(concurrency, work->items.size());
    const std::size_t workers = work->active;
    for (std::size_t i = 0; i < workers; ++i) spawn(run.executor(), take_turns(run, work));
    co_await work->done.wait();
  }

 private:
  const FunctionInfo& function() const { return destination.function; }

  struct Work {
    Work(Items all, const Executor& executor) : items(std::move(all)), done(executor) {}
    Items items;
    std::size_t next = 0;
    std::size_t active = 0;
    Event done;
  };

  // One of several callers that share a batch. `run` and this outlive it: process() waits for all
  // of them.
  Task<void> take_turns(NodeRun& run, std::shared_ptr<Work> work) const {
    while (work->next < work->items.size()) {
      Item item = std::move(work->items[work->next++]);
      co_await handle(run, std::move(item));
    }
    if (--work->active == 0) work->done.set();
  }

  void promise(NodeRun& run, Item item) const {
    auto outgoing = outgoing_for(run.scope(item));
    if (!outgoing) {
      run.fail(std::move(item), std::move(outgoing.error()));
      return;
    }
    if (!fits_payload(*outgoing)) {
      run.fail(std::move(item),
               Error(ErrorClass::kFunction, "record_too_deep",
                     fmt::format("The record is nested deeper than {}.", kMaxJsonDepth - 1),
                     "Leave out what the destination does not need."));
      return;
    }
    std::string payload = to_payload(*outgoing);
    if (payload.size() > spool::kMaxEntryBytes) {
      run.fail(std::move(item), too_large(payload.size()));
      return;
    }
    run.promise(std::move(item), std::move(payload));
  }

  // Best effort, many records together.
  Task<void> write_together(NodeRun& run, Items items) const {
    Items sent;
    std::vector<Outgoing> outgoing;
    for (Item& item : items) {
      auto made = outgoing_for(run.scope(item));
      if (!made) {
        run.fail(std::move(item), std::move(made.error()));
        continue;
      }
      outgoing.push_back(std::move(*made));
      sent.push_back(std::move(item));
    }
    std::size_t ended = 0;
    Duration delay = retry.initial_delay;
    for (int attempt = 1; ended < sent.size(); ++attempt) {
      // What was accepted is finished; a run that is called off has its calls refused.
      std::function<bool()> stopped = [] { return false; };
      const auto rest = std::span<const Outgoing>(outgoing).subspan(ended);
      SendReport report = co_await send(run.functions(), destination, rest, std::move(stopped));
      settle(run, sent, ended, report);
      ended += report.done;
      if (report.done > 0) attempt = 1;
      if (!report.obstacle) continue;
      Error error = *report.obstacle;
      bool again = attempt < retry.max_attempts && will_pass(error) &&
                   (!error.outcome_unknown || destination.repeat_unknown);
      if (again && ended < sent.size()) {
        run.waiting(error);
        const SteadyTime until = run.timers().now() + next_pause(run, error, retry, delay);
        const bool stop = co_await run.stopping().wait_until(run.timers(), until);
        if (stop) error = pipeline_stopped();
        again = !stop;
      }
      if (again || ended == sent.size()) continue;
      // Only those that the obstacle was met with: it may be theirs alone.
      const bool stopped_now = error.error_class == ErrorClass::kCancelled;
      const std::size_t lost =
          stopped_now ? sent.size() - ended : std::min(report.tried, sent.size() - ended);
      for (std::size_t i = 0; i < lost; ++i, ++ended) give_up(run, std::move(sent[ended]), error);
      attempt = 0;
      delay = retry.initial_delay;
    }
  }

  // The records from `begin` on that a call ended: taken, or refused.
  static void settle(NodeRun& run, Items& sent, std::size_t begin, SendReport& report) {
    auto refused = report.refused.begin();
    for (std::size_t i = 0; i < report.done; ++i) {
      if (refused != report.refused.end() && refused->first == i) {
        run.fail(std::move(sent[begin + i]), std::move(refused->second));
        ++refused;
      } else {
        run.pass(0, std::move(sent[begin + i]));
      }
    }
  }

  static void give_up(NodeRun& run, Item item, Error error) {
    if (error.error_class == ErrorClass::kCancelled) {
      run.drop(std::move(item), std::move(error));
    } else {
      run.fail(std::move(item), std::move(error));
    }
  }

  Task<void> handle(NodeRun& run, Item item) const {
    auto outgoing = outgoing_for(run.scope(item));
    if (!outgoing) {
      run.fail(std::move(item), std::move(outgoing.error()));
      co_return;
    }
    RepeatedCall call{function().id, destination.timeout, retry, destination.repeat_unknown};
    Json arguments = arguments_of(function(), *outgoing);
    Result<Batch> answer = co_await call_again(run, std::move(call), std::move(arguments));
    if (answer) {
      accept(run, std::move(item), std::move(*answer));
    } else {
      give_up(run, std::move(item), std::move(answer.error()));
    }
  }

  void accept(NodeRun& run, Item item, Batch answer) const {
    if (function().kind == sdk::FunctionKind::kWrite) {
      if (auto error = refused_point(answer)) {
        run.fail(std::move(item), std::move(*error));
      } else {
        run.pass(0, std::move(item));
      }
      return;
    }
    const Origin origin{function().connection_name, function().name};
    auto records = to_records(std::move(answer), origin, run.clock().utc_now());
    if (records.empty() && function().kind == sdk::FunctionKind::kCommand) {
      run.pass(0, std::move(item));  // a command without an answer
      return;
    }
    run.replace(0, item, std::move(records));
  }

  Json written_record(const Json& record) const {
    Json copy = record;
    if (!meta && copy.is_object()) copy.erase(kMeta);
    return copy;
  }

  static Error too_large(std::size_t bytes) {
    return Error(ErrorClass::kFunction, "record_too_large",
                 fmt::format("{} bytes are more than the {} that can be kept for delivery.", bytes,
                             spool::kMaxEntryBytes),
                 "Split the record, or leave out what the destination does not need.");
  }

  Result<Outgoing> outgoing_for(const expression::Scope& scope) const {
    const bool writes = function().kind == sdk::FunctionKind::kWrite;
    Outgoing outgoing;
    if (parameters) {
      auto evaluated = parameters->evaluate(scope);
      if (!evaluated) return fail(std::move(evaluated.error()));
      outgoing.parameters = std::move(*evaluated);
    }
    // What is written is the record, unless the parameters say what to write.
    const bool payload_given = parameters && outgoing.parameters.contains(kPayload);
    const bool points_given = parameters && function().family == sdk::Family::kFieldDevice;
    if (writes && !payload_given && !points_given) outgoing.record = written_record(*scope.input);
    return outgoing;
  }
};

// Where the newest value counts, or where nothing may be done twice, nothing may pass anything.
void check_order(const NodeBuild& build, const Destination& destination) {
  if (!build.delivery.live_first) return;
  if (destination.function.family == sdk::Family::kFieldDevice) {
    build.error("/delivery/order", "invalid",
                "A field device is written in order: an older value would overwrite a newer one.");
  } else if (!destination.repeat_unknown) {
    build.error("/delivery/order", "invalid",
                "liveFirst needs repeatUnknown: which of the records were being sent when the hub "
                "ended is not kept for two ends of a queue.");
  }
}

std::unique_ptr<NodeLogic> build_function(NodeBuild& build) {
  const std::string id = get_string(build.settings, "functionId");
  const auto function = build.functions.find(id);
  if (!function) {
    build.error("/settings/functionId", "unknown_function",
                fmt::format("There is no function with the id '{}'.", id));
    return nullptr;
  }
  const bool writes =
      function->kind == sdk::FunctionKind::kWrite || function->kind == sdk::FunctionKind::kCommand;
  if (!writes && function->kind != sdk::FunctionKind::kRead) {
    build.error(
        "/settings/functionId", "wrong_function_kind",
        fmt::format("'{}' is a {} function; a node needs a read, write or command function.",
                    function->name, sdk::to_string(function->kind)));
    return nullptr;
  }
  if (build.has_delivery && !writes) {
    build.error(
        "/delivery", "invalid",
        fmt::format("'{}' is a read function; delivery is for destinations.", function->name));
    return nullptr;
  }
  auto logic = std::make_unique<FunctionLogic>();
  Destination& destination = logic->destination;
  destination.function = *function;
  destination.timeout = build.timeout;
  destination.max_records = build.delivery.max_records;
  // Durable means at least once. Of a machine nobody wants that.
  destination.repeat_unknown =
      build.repeat_unknown_set
          ? build.delivery.repeat_unknown
          : function->idempotent ||
                (build.delivery.durable && function->family != sdk::Family::kFieldDevice);
  check_order(build, destination);
  logic->meta = get_bool(build.settings, "meta", true);
  logic->concurrency = static_cast<std::size_t>(get_int(build.settings, "concurrency", 1));
  logic->durable = build.delivery.durable;
  logic->retry = build.retry;
  if (logic->durable) build.destination = destination;
  if (build.settings.contains("parameters")) {
    logic->parameters = expression::Document::compile(build.settings.at("parameters"),
                                                      build.pointer + "/settings/parameters",
                                                      build.names, build.errors);
  }
  return logic;
}

}  // namespace

NodeType function_type() {
  return {"function", false, kSchema, {"out"}, &build_function};
}

}  // namespace tributary::orchestrate
