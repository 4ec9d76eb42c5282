// function: calls a function of a connection for every record. A destination is a node of this type
// with a write function.
#include <fmt/format.h>

#include <algorithm>

#include "orchestrate/nodes/node.hpp"

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

// Errors that the connection's actor will get over: a durable delivery waits for it.
bool will_pass(const Error& error) {
  constexpr std::array<std::string_view, 4> kAbsent = {"not_running", "connection_disconnected",
                                                       "connection_failed", "connection_suspended"};
  return is_connection_error(error.error_class) ||
         std::find(kAbsent.begin(), kAbsent.end(), error.code) != kAbsent.end();
}

// The first point of a write that was refused; the others were written.
std::optional<Error> refused_point(const Batch& batch) {
  if (!batch.is_scans()) return std::nullopt;
  for (const Scan& scan : batch.scans()) {
    for (const Sample& sample : scan.samples) {
      if (!sample.error) continue;
      Error error = *sample.error;
      error.message = fmt::format("{}: {}", scan.name_of(sample), error.message);
      return error;
    }
  }
  return std::nullopt;
}

class FunctionLogic final : public NodeLogic {
 public:
  FunctionInfo function;
  std::optional<expression::Document> parameters;
  bool meta = true;
  std::size_t concurrency = 1;
  Duration timeout{};
  Delivery delivery;

  Task<void> process(NodeRun& run, Items items) const override {
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

  Task<void> handle(NodeRun& run, Item item) const {
    if (run.cancelled()) {
      Error error(ErrorClass::kCancelled, "cancelled", "The batch was cancelled before this call.");
      run.drop(std::move(item), std::move(error));
      co_return;
    }
    auto arguments = arguments_for(run.scope(item));
    if (!arguments) {
      run.fail(std::move(item), std::move(arguments.error()));
      co_return;
    }
    const SteadyTime started = run.timers().now();
    Duration delay = delivery.initial_delay;
    for (int attempt = 1;; ++attempt) {
      Json copy = *arguments;
      auto answer = co_await run.functions().execute(function.id, std::move(copy), timeout);
      if (answer) {
        accept(run, std::move(item), std::move(*answer));
        co_return;
      }
      Error error = std::move(answer.error());
      if (!try_again(run, error, attempt, started)) {
        run.fail(std::move(item), std::move(error));
        co_return;
      }
      run.waiting(error);
      Duration wait = run.jittered(delay);
      if (error.retry_after_ms) {
        wait = std::max<Duration>(wait, std::chrono::milliseconds(*error.retry_after_ms));
      }
      wait = std::min(wait, delivery.max_delay);
      delay = std::min(delay * 2, delivery.max_delay);
      const SteadyTime until = run.timers().now() + wait;
      const bool stopped = co_await run.stopping().wait_until(run.timers(), until);
      if (stopped) {
        run.drop(std::move(item), std::move(error));
        co_return;
      }
    }
  }

  // Completes the message when the answer is no.
  bool try_again(NodeRun& run, Error& error, int attempt, SteadyTime started) const {
    if (!delivery.durable || !will_pass(error)) return false;
    if (error.outcome_unknown && !delivery.repeat_unknown) {
      error.message += " The write may have reached the target and is not repeated.";
      return false;
    }
    if (delivery.max_attempts > 0 && attempt >= delivery.max_attempts) {
      error.message += fmt::format(" Given up after {} attempts.", attempt);
      return false;
    }
    if (run.timers().now() - started >= delivery.give_up_after) {
      error.message += fmt::format(" Given up after {:.0f} s.", to_seconds(delivery.give_up_after));
      return false;
    }
    return true;
  }

  void accept(NodeRun& run, Item item, Batch answer) const {
    if (function.kind == sdk::FunctionKind::kWrite) {
      if (auto error = refused_point(answer)) {
        run.fail(std::move(item), std::move(*error));
      } else {
        run.pass(0, std::move(item));
      }
      return;
    }
    const Origin origin{function.connection_name, function.name};
    auto records = to_records(std::move(answer), origin, run.clock().utc_now());
    if (records.empty() && function.kind == sdk::FunctionKind::kCommand) {
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

  Result<Json> arguments_for(const expression::Scope& scope) const {
    const bool writes = function.kind == sdk::FunctionKind::kWrite;
    Json arguments = json_object();
    if (parameters) {
      auto evaluated = parameters->evaluate(scope);
      if (!evaluated) return evaluated;
      arguments = std::move(*evaluated);
    } else if (writes && scope.input->is_object()) {
      arguments = written_record(*scope.input);
    }
    // A destination without a template writes the record. Field devices write points, not
    // documents.
    const bool given = parameters && arguments.contains(kPayload);
    if (writes && function.family != sdk::Family::kFieldDevice && !given) {
      arguments.insert_or_assign(kPayload, written_record(*scope.input));
    }
    return arguments;
  }
};

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
  logic->function = *function;
  logic->meta = get_bool(build.settings, "meta", true);
  logic->concurrency = static_cast<std::size_t>(get_int(build.settings, "concurrency", 1));
  logic->timeout = build.timeout;
  logic->delivery = build.delivery;
  if (!build.repeat_unknown_set) logic->delivery.repeat_unknown = function->idempotent;
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
