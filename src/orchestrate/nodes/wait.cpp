// wait: delays every record. Records leave in the order in which they came.
#include <fmt/format.h>

#include <cmath>

#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Wait",
  "description": "Delays records by a time, or until a time. Their order is kept. Exactly one of the first three settings says how long.",
  "type": "object",
  "properties": {
    "delayMs": {"type": "integer", "title": "Delay", "description": "Every record waits this long.", "minimum": 1, "maximum": 2592000000, "x-unit": "ms"},
    "delay": {"type": "string", "title": "Delay of each record", "description": "An {{ expression }} that gives milliseconds, up to 30 days.", "minLength": 1, "x-placeholder": "{{ $input.delayMs }}"},
    "until": {"type": "string", "title": "Until", "description": "An {{ expression }} that gives a time: text such as 2026-11-22T10:00:00Z, or milliseconds since 1970. At most 30 days ahead.", "minLength": 1, "x-placeholder": "{{ $input.notBefore }}"},
    "maxHeld": {"type": "integer", "title": "Records at once", "description": "At most so many wait.", "minimum": 1, "maximum": 100000, "default": 10000},
    "overflow": {"type": "string", "title": "When it is full", "description": "Error: the new record fails. Oldest: the one that waits longest goes on early.", "enum": ["error", "oldest"], "default": "error", "x-enumTitles": {"error": "Error", "oldest": "Let the oldest go"}}
  }
})";

using std::chrono::microseconds;

constexpr std::string_view kHeld = "h:";
constexpr double kMaxDelayMs = 30.0 * 24 * 3600 * 1000;

class WaitLogic final : public NodeLogic {
 public:
  std::optional<Duration> delay;
  std::optional<expression::Template> delay_of;
  std::optional<expression::Template> until;
  std::int64_t max_held = 0;
  bool oldest_goes = false;

  std::optional<Due> due(const NodeState& state) const override {
    const auto* first = state.first(kHeld);
    if (first == nullptr) return std::nullopt;
    return Due{from_micros(get_int(first->second, "due", 0)), until.has_value()};
  }

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) take(run, std::move(item));
    co_return;
  }

  Task<void> on_time(NodeRun& run) const override {
    const UtcTime now = time(run);
    while (const auto* first = run.state().first(kHeld)) {
      if (from_micros(get_int(first->second, "due", 0)) > now) break;
      let_go(run, first->first);
    }
    co_return;
  }

 private:
  UtcTime time(NodeRun& run) const { return until ? run.clock().utc_now() : run.now(); }

  void take(NodeRun& run, Item item) const {
    auto when = due_of(run, item);
    if (!when) return run.fail(std::move(item), std::move(when.error()));
    NodeState& state = run.state();
    const auto* first = state.first(kHeld);
    if (first == nullptr && *when <= time(run)) return run.pass(0, std::move(item));
    const std::int64_t bytes = approximate_bytes(item.record);
    while (state.held > 0 && (state.held >= max_held || state.held_bytes + bytes > kMaxHeldBytes)) {
      if (!oldest_goes) return run.fail(std::move(item), full(state.held));
      let_go(run, std::string(state.first(kHeld)->first));
    }
    hold(run, std::move(item), *when, bytes);
  }

  void hold(NodeRun& run, Item item, UtcTime when, std::int64_t bytes) const {
    NodeState& state = run.state();
    std::uint64_t number = 0;
    std::int64_t due = to_micros(when);
    if (state.held > 0) {
      // Nobody overtakes: not before the one in front.
      const auto& last = *std::prev(state.entries().end());
      number = number_of(last.first, kHeld) + 1;
      due = std::max(due, get_int(last.second, "due", 0));
    }
    Json held = run.freeze(std::move(item));
    held.insert_or_assign("due", due);
    held.insert_or_assign("bytes", bytes);
    state.put(ordered_key(kHeld, number), std::move(held));
    state.held_bytes += bytes;
    run.hold();
  }

  void let_go(NodeRun& run, std::string key) const {
    Json held = run.state().take(key);
    run.state().held_bytes -= get_int(held, "bytes", 0);
    run.release(0, run.thaw(std::move(held)));
  }

  static Error full(std::int64_t held) {
    return Error(ErrorClass::kFunction, "wait_full", fmt::format("{} records wait already.", held),
                 "Raise maxHeld, or set overflow to oldest.");
  }

  static std::unexpected<Error> not_a_delay(const expression::JsValue& value) {
    return tributary::fail(
        ErrorClass::kFunction, "invalid_delay",
        fmt::format("The delay is {}, not a number of milliseconds from 0 to {}.",
                    expression::describe(value), kMaxDelayMs));
  }

  Result<UtcTime> due_of(NodeRun& run, const Item& item) const {
    if (delay) return run.now() + std::chrono::floor<microseconds>(*delay);
    const expression::Scope scope = run.scope(item);
    auto value = (until ? *until : *delay_of).evaluate(scope);
    if (!value) return tributary::fail(std::move(value.error()));
    if (until) return end_of(run, *value);
    const auto number = milliseconds_of(*value);
    if (!number || *number < 0 || *number > kMaxDelayMs) return not_a_delay(*value);
    return run.now() + microseconds(static_cast<std::int64_t>(*number * 1000));
  }

  static Result<UtcTime> end_of(NodeRun& run, const expression::JsValue& value) {
    const UtcTime latest =
        run.clock().utc_now() + microseconds(static_cast<std::int64_t>(kMaxDelayMs * 1000));
    Result<UtcTime> time = UtcTime{};
    if (const auto text = expression::as_string(value)) {
      time = parse_utc(*text);
    } else if (const auto number = milliseconds_of(value); number && std::abs(*number) < 1e15) {
      time = from_micros(static_cast<std::int64_t>(*number * 1000));
    } else {
      return tributary::fail(
          ErrorClass::kFunction, "invalid_time",
          fmt::format("The end of the wait is {}, not a time.", expression::describe(value)));
    }
    if (time && *time > latest) {
      return tributary::fail(ErrorClass::kFunction, "invalid_time",
                             fmt::format("{} is more than 30 days ahead.", format_utc(*time)));
    }
    return time;
  }

  static std::optional<double> milliseconds_of(const expression::JsValue& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    if (const auto* natural = std::get_if<std::uint64_t>(&value)) {
      return static_cast<double>(*natural);
    }
    const auto* real = std::get_if<double>(&value);
    if (real == nullptr || !std::isfinite(*real)) return std::nullopt;
    return *real;
  }
};

std::unique_ptr<NodeLogic> build_wait(NodeBuild& build) {
  auto logic = std::make_unique<WaitLogic>();
  int ways = 0;
  for (const std::string_view member : {"delayMs", "delay", "until"}) {
    ways += build.settings.contains(member) ? 1 : 0;
  }
  if (ways != 1) {
    build.error("/settings", "invalid",
                "Exactly one of delayMs, delay and until says how long a record waits.");
    return nullptr;
  }
  if (build.settings.contains("delayMs")) {
    logic->delay = std::chrono::milliseconds(get_int(build.settings, "delayMs", 0));
  }
  logic->delay_of = read_expression(build, build.settings, "delay");
  logic->until = read_expression(build, build.settings, "until");
  logic->max_held = get_int(build.settings, "maxHeld", 0);
  logic->oldest_goes = get_string(build.settings, "overflow") == "oldest";
  return logic;
}

}  // namespace

NodeType wait_type() {
  return {"wait", false, kSchema, {"out"}, &build_wait, nullptr, true};
}

}  // namespace tributary::orchestrate
