// aggregate: one record for every window of records. State, for each key: "k:KEY" how far its time
// has come, "h:KEY\x1fSTART" its open windows, "a:TIME:KEY" when the next of them ends.
//
// The time of a key is that of its newest record, and goes on by the pipeline's clock from there.
// So windows of old records (a backfill) end as well as those of new ones, and a window ends when
// nothing comes any more. A window ends when that time reaches its end and the allowed lateness.
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "orchestrate/nodes/support.hpp"
#include "orchestrate/nodes/window.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Aggregate",
  "description": "One record for every window of records: smallest, largest, mean value and others.",
  "type": "object",
  "required": ["fields"],
  "properties": {
    "window": {"type": "string", "title": "Window", "description": "By time, or by number of records.", "enum": ["time", "count"], "default": "time", "x-enumTitles": {"time": "Time", "count": "Count"}},
    "sizeMs": {"type": "integer", "title": "Length", "description": "Of a window, from its start (included) to its end (excluded). Windows start at whole multiples of everyMs since 1970.", "minimum": 1, "maximum": 31536000000, "x-unit": "ms", "x-showWhen": {"property": "window", "in": ["time"]}},
    "everyMs": {"type": "integer", "title": "Every", "description": "From the start of one window to the start of the next; the length when it is not given. Shorter: windows overlap. Longer: there are gaps.", "minimum": 1, "maximum": 31536000000, "x-unit": "ms", "x-showWhen": {"property": "window", "in": ["time"]}},
    "count": {"type": "integer", "title": "Records", "description": "In a window.", "minimum": 1, "maximum": 1000000, "x-showWhen": {"property": "window", "in": ["count"]}},
    "everyCount": {"type": "integer", "title": "Every", "description": "Records from the start of one window to the start of the next; count when it is not given.", "minimum": 1, "maximum": 1000000, "x-showWhen": {"property": "window", "in": ["count"]}},
    "time": {"type": "string", "title": "Time of a record", "description": "Record: $meta.time. Arrival: when it came here.", "enum": ["record", "arrival"], "default": "record", "x-enumTitles": {"record": "Of the record", "arrival": "Of its arrival"}},
    "latenessMs": {"type": "integer", "title": "Lateness", "description": "How long a window stays open behind its end for records that come late (time of records only).", "minimum": 0, "maximum": 86400000, "default": 1000, "x-unit": "ms"},
    "late": {"type": "string", "title": "Later than that", "description": "What becomes of a record whose windows have ended: it ends here, or leaves by the port late.", "enum": ["drop", "port"], "default": "drop", "x-enumTitles": {"drop": "Ends here", "port": "Port late"}},
    "key": {"type": "string", "title": "Key", "description": "An {{ expression }}; every value of it has windows of its own, and is the field key of the result.", "minLength": 1, "x-placeholder": "{{ $input.line }}"},
    "fields": {"type": "array", "title": "Fields", "description": "Of the result.", "minItems": 1, "maxItems": 100, "x-widget": "points", "x-key": "name", "items": {
      "type": "object",
      "required": ["name", "function"],
      "properties": {
        "name": {"type": "string", "title": "Name", "description": "Of the field in the result; a dot goes one level down.", "minLength": 1, "maxLength": 256},
        "function": {"type": "string", "title": "Function", "description": "What is made of the values.", "enum": ["count", "sum", "mean", "min", "max", "range", "first", "last", "stddev", "median", "timeWeightedMean"]},
        "value": {"type": "string", "title": "Value", "description": "An {{ expression }}. Null and undefined do not count. Without it count counts records.", "minLength": 1, "x-placeholder": "{{ $input.temperature }}"}
      }
    }},
    "maxKeys": {"type": "integer", "title": "Keys", "description": "At most so many; beyond it keys without an open window are forgotten, and if there are none the record fails.", "minimum": 1, "maximum": 100000, "default": 10000}
  }
})";

constexpr std::string_view kMeta = "$meta";
constexpr std::string_view kKey = "k:";
constexpr std::string_view kHeld = "h:";
constexpr std::string_view kEnds = "a:";
constexpr std::string_view kKeys = "n";
constexpr char kEnd = '\x1f';
// Windows of one key that are open at the same time.
constexpr std::int64_t kMaxOpenWindows = 1000;
// A record from further ahead of the wall clock has a wrong time, and would end all windows.
constexpr std::chrono::microseconds kMaxAhead = std::chrono::hours{24};

struct Field {
  FieldPath path;
  Aggregate function = Aggregate::kCount;
  std::optional<expression::Template> value;
};

std::string name(std::string_view prefix, const std::string& key) {
  return fmt::format("{}{}", prefix, key);
}
std::string windows_of(const std::string& key) {
  return fmt::format("{}{}{}", kHeld, key, kEnd);
}

class AggregateLogic final : public NodeLogic {
 public:
  bool by_count = false;
  bool by_arrival = false;
  bool late_port = false;
  std::int64_t size = 0;   // microseconds, or records
  std::int64_t every = 0;  // the same
  std::int64_t lateness = 0;
  std::int64_t max_keys = 0;
  std::optional<expression::Template> key;
  std::vector<Field> fields;

  std::optional<Due> due(const NodeState& state) const override {
    const auto ends = first_time(state, kEnds);
    return ends ? std::optional(Due{*ends}) : std::nullopt;
  }

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) take(run, std::move(item));
    co_return;
  }

  Task<void> on_time(NodeRun& run) const override {
    NodeState& state = run.state();
    while (const auto ends = first_time(state, kEnds)) {
      if (*ends > run.now()) break;
      const std::string entry = state.first(kEnds)->first;
      const std::string value = rest_of(entry, kEnds);
      state.erase(entry);
      Json& known = *state.edit(name(kKey, value));
      known.erase("due");
      close(run, value, reached(known, run.now()) - lateness);
      plan_end(run, value);
    }
    co_return;
  }

 private:
  using Values = std::vector<std::optional<Json>>;

  void take(NodeRun& run, Item item) const {
    auto value = key_of(key, run.scope(item));
    if (!value) return run.fail(std::move(item), std::move(value.error()));
    auto values = evaluate(run.scope(item));
    if (!values) return run.fail(std::move(item), std::move(values.error()));
    auto at = time_of_record(run, item.record);
    if (!at) return run.fail(std::move(item), std::move(at.error()));
    auto known = key_entry(run, *value, *at);
    if (!known) return run.fail(std::move(item), std::move(known.error()));
    const std::int64_t place = by_count ? get_int(**known, "n", 0) : *at;
    std::int64_t over = place;  // windows that end here or before have ended
    if (!by_count) {
      advance(**known, *at, to_micros(run.now()));
      over = reached(**known, run.now()) - lateness;
      close(run, *value, over);
    }
    const auto starts = open_windows(place, over);
    if (starts.empty()) {
      if (by_count) (*known)->insert_or_assign("n", place + 1);
      return end_late(run, std::move(item), place);
    }
    for (const std::int64_t start : starts) {
      if (window_is_full(run.state(), *value, start)) {
        return run.fail(std::move(item), window_full());
      }
    }
    const Json meta = get_member(item.record, kMeta);
    for (const std::int64_t start : starts) fold(run, *value, start, *values, *at, meta);
    // It is held by the window that ends last.
    Json& last = *run.state().edit(ordered_key(windows_of(*value), to_unsigned(starts.back())));
    last.insert_or_assign("held", get_int(last, "held", 0) + 1);
    run.hold();
    if (by_count) {
      run.state().edit(name(kKey, *value))->insert_or_assign("n", place + 1);
      close(run, *value, place + 1);
    } else {
      plan_end(run, *value);
    }
  }

  static std::uint64_t to_unsigned(std::int64_t number) {
    return static_cast<std::uint64_t>(number);
  }

  // A record without a window: between two of them, or too late.
  void end_late(NodeRun& run, Item item, std::int64_t place) const {
    const bool in_gap = place % every >= size;
    if (late_port && !in_gap) return run.pass(1, std::move(item));
    run.filter();
  }

  // Starts of the windows that a place belongs to and that are not over, the earliest first.
  std::vector<std::int64_t> open_windows(std::int64_t place, std::int64_t over) const {
    std::vector<std::int64_t> starts;
    for (std::int64_t start = place / every * every; start >= 0 && start + size > place;
         start -= every) {
      if (start + size > over) starts.push_back(start);
    }
    std::reverse(starts.begin(), starts.end());
    return starts;
  }

  Result<Values> evaluate(const expression::Scope& scope) const {
    Values values;
    for (const Field& field : fields) {
      if (!field.value) {
        values.emplace_back(Json(true));  // counts records
        continue;
      }
      auto value = field.value->evaluate_json(scope);
      if (!value) return tributary::fail(std::move(value.error()));
      if (*value && (*value)->is_null()) value->reset();
      if (*value && needs_numbers(field.function) && !is_finite_number(**value)) {
        return tributary::fail(
            ErrorClass::kFunction, "not_a_number",
            fmt::format("Field '{}': {} is not a number.", fmt::join(field.path, "."),
                        to_text(**value).substr(0, 40)));
      }
      values.push_back(std::move(*value));
    }
    return values;
  }

  static bool is_finite_number(const Json& json) {
    if (json.is_double()) return std::isfinite(json.as_double());
    return json.type() == jsoncons::json_type::int64_value ||
           json.type() == jsoncons::json_type::uint64_value;
  }

  Result<std::int64_t> time_of_record(NodeRun& run, const Json& record) const {
    if (by_arrival) return to_micros(run.now());
    const std::string text = get_string(get_member(record, kMeta), "time");
    auto time = parse_utc(text);
    if (!time || to_micros(*time) < 0) {
      if (by_count) return to_micros(run.now());
      return tributary::fail(
          ErrorClass::kFunction, "no_time",
          text.empty() ? "The record has no $meta.time."
                       : fmt::format("'{}' in $meta.time is no time.", text.substr(0, 40)),
          "Set time to arrival, or give the record a time.");
    }
    if (!by_count && *time > run.clock().utc_now() + kMaxAhead) {
      return tributary::fail(ErrorClass::kFunction, "time_ahead",
                             fmt::format("{} is more than a day ahead of this hub's clock.", text),
                             "Correct the clock of the source or of this hub.");
    }
    return to_micros(*time);
  }

  // ---- time of a key ----

  Result<Json*> key_entry(NodeRun& run, const std::string& value, std::int64_t at) const {
    NodeState& state = run.state();
    if (Json* known = state.edit(name(kKey, value))) return known;
    const Json* counted = state.find(kKeys);
    std::int64_t keys = counted == nullptr ? 0 : counted->as<std::int64_t>();
    if (keys >= max_keys) keys -= forget_idle(state);
    if (keys >= max_keys) {
      return tributary::fail(ErrorClass::kFunction, "too_many_keys",
                             fmt::format("{} keys have open windows already.", keys),
                             "Raise maxKeys, or choose a key with fewer values.");
    }
    Json fresh = json_object();
    fresh.insert_or_assign("time", at);
    fresh.insert_or_assign("at", to_micros(run.now()));
    state.put(name(kKey, value), std::move(fresh));
    state.put(std::string(kKeys), Json(keys + 1));
    return state.edit(name(kKey, value));
  }

  static std::int64_t forget_idle(NodeState& state) {
    std::vector<std::string> idle;
    for (auto at = state.entries().lower_bound(kKey);
         at != state.entries().end() && at->first.starts_with(kKey); ++at) {
      const std::string value = at->first.substr(kKey.size());
      if (state.first(windows_of(value)) == nullptr) idle.push_back(at->first);
    }
    for (const std::string& entry : idle) {
      const std::int64_t due = get_int(*state.find(entry), "due", -1);
      if (due >= 0) state.erase(time_key(kEnds, from_micros(due), entry.substr(kKey.size())));
      state.erase(entry);
    }
    return static_cast<std::int64_t>(idle.size());
  }

  static std::int64_t reached(const Json& known, UtcTime now) {
    return get_int(known, "time", 0) +
           std::max<std::int64_t>(to_micros(now) - get_int(known, "at", 0), 0);
  }

  static void advance(Json& known, std::int64_t at, std::int64_t now) {
    if (at < reached(known, from_micros(now))) return;
    known.insert_or_assign("time", at);
    known.insert_or_assign("at", now);
  }

  // Remembers when the first open window of a key ends, unless an earlier look is planned.
  void plan_end(NodeRun& run, const std::string& value) const {
    NodeState& state = run.state();
    const std::string prefix = windows_of(value);
    const auto* first = state.first(prefix);
    Json& known = *state.edit(name(kKey, value));
    if (first == nullptr) return;
    const auto start = static_cast<std::int64_t>(number_of(first->first, prefix));
    const std::int64_t end = start + size + lateness;
    const std::int64_t due = get_int(known, "at", 0) + end - get_int(known, "time", 0);
    const std::int64_t planned = get_int(known, "due", -1);
    if (planned >= 0 && planned <= due) return;
    if (planned >= 0) state.erase(time_key(kEnds, from_micros(planned), value));
    known.insert_or_assign("due", due);
    state.put(time_key(kEnds, from_micros(due), value), Json::null());
  }

  // ---- windows ----

  static Error window_full() {
    return Error(ErrorClass::kFunction, "window_full",
                 fmt::format("The window holds {} values already.", kMaxWindowValues),
                 "median and timeWeightedMean keep every value: choose shorter windows.");
  }

  bool window_is_full(const NodeState& state, const std::string& value, std::int64_t start) const {
    const Json* window = state.find(ordered_key(windows_of(value), to_unsigned(start)));
    if (window == nullptr) return false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (is_full(fields[i].function, window->at("fields")[i])) return true;
    }
    return false;
  }

  void fold(NodeRun& run, const std::string& value, std::int64_t start, const Values& values,
            std::int64_t at, const Json& meta) const {
    NodeState& state = run.state();
    const std::string entry = ordered_key(windows_of(value), to_unsigned(start));
    Json* window = state.edit(entry);
    if (window == nullptr) {
      Json fresh = json_object();
      Json accumulators = json_array();
      for (const Field& field : fields) accumulators.push_back(empty_accumulator(field.function));
      fresh.insert_or_assign("held", 0);
      fresh.insert_or_assign("count", 0);
      fresh.insert_or_assign("from", at);
      fresh.insert_or_assign("to", at);
      fresh.insert_or_assign("fields", std::move(accumulators));
      state.put(entry, std::move(fresh));
      window = state.edit(entry);
    }
    window->insert_or_assign("count", get_int(*window, "count", 0) + 1);
    window->insert_or_assign("from", std::min(at, get_int(*window, "from", at)));
    window->insert_or_assign("to", std::max(at, get_int(*window, "to", at)));
    if (meta.is_object()) window->insert_or_assign("meta", meta);
    Json& accumulators = window->at("fields");
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (values[i]) accumulate(fields[i].function, accumulators[i], *values[i], at);
    }
  }

  // Ends the windows of a key that end at `over` or before.
  void close(NodeRun& run, const std::string& value, std::int64_t over) const {
    NodeState& state = run.state();
    const std::string prefix = windows_of(value);
    while (const auto* first = state.first(prefix)) {
      const auto start = static_cast<std::int64_t>(number_of(first->first, prefix));
      if (start + size > over) break;
      const std::string entry = first->first;
      const Json window = state.take(entry);
      Item item = run.make(result(*state.edit(name(kKey, value)), value, start, window));
      const std::int64_t held = get_int(window, "held", 0);
      for (std::int64_t i = 1; i < held; ++i) run.release_filtered();
      if (held > 0) {
        run.release(0, std::move(item));
      } else {
        run.emit(0, std::move(item));
      }
    }
  }

  Json result(Json& known, const std::string& value, std::int64_t start, const Json& window) const {
    const std::int64_t from = by_count ? get_int(window, "from", 0) : start;
    const std::int64_t to = by_count ? get_int(window, "to", 0) : start + size;
    Json record = json_object();
    if (key) record.insert_or_assign("key", value_of_key(value));
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const Json& accumulator = window.at("fields")[i];
      const std::string carry = fmt::format("carry{}", i);
      const bool carries = fields[i].function == Aggregate::kTimeWeightedMean && size == every;
      const Span span{from, to, carries ? &get_member(known, carry) : nullptr};
      assign(record, fields[i].path, result_of(fields[i].function, accumulator, span));
      if (!carries) continue;
      if (Json last = carried_on(accumulator); !last.is_null()) {
        known.insert_or_assign(carry, std::move(last));
      }
    }
    Json meta = json_object();
    const Json& last = get_member(window, "meta");
    for (const std::string_view member : {"connection", "function"}) {
      if (last.is_object() && last.contains(member)) {
        meta.insert_or_assign(member, last.at(member));
      }
    }
    Json about = json_object();
    about.insert_or_assign("from", format_utc(from_micros(from)));
    about.insert_or_assign("to", format_utc(from_micros(to)));
    about.insert_or_assign("count", get_int(window, "count", 0));
    meta.insert_or_assign("time", format_utc(from_micros(to)));
    meta.insert_or_assign("window", std::move(about));
    record.insert_or_assign(kMeta, std::move(meta));
    return record;
  }
};

void read_window(NodeBuild& build, AggregateLogic& logic) {
  logic.by_count = get_string(build.settings, "window") == "count";
  logic.by_arrival = get_string(build.settings, "time") == "arrival";
  const std::string_view size = logic.by_count ? "count" : "sizeMs";
  const std::string_view every = logic.by_count ? "everyCount" : "everyMs";
  for (const std::string_view other : {"count", "everyCount", "sizeMs", "everyMs"}) {
    if (other == size || other == every || !build.settings.contains(other)) continue;
    build.error(fmt::format("/settings/{}", other), "invalid",
                fmt::format("This belongs to the other kind of window; here there are {} and {}.",
                            size, every));
  }
  if (!build.settings.contains(size)) {
    build.error(fmt::format("/settings/{}", size), "required", "How large is a window?");
    return;
  }
  const std::int64_t unit = logic.by_count ? 1 : 1000;
  logic.size = get_int(build.settings, size, 0) * unit;
  logic.every =
      build.settings.contains(every) ? get_int(build.settings, every, 0) * unit : logic.size;
  if (!logic.by_count && !logic.by_arrival) {
    logic.lateness = get_int(build.settings, "latenessMs", 0) * unit;
  }
  if ((logic.size + logic.lateness) / logic.every >= kMaxOpenWindows) {
    build.error(fmt::format("/settings/{}", every), "out_of_range",
                fmt::format("More than {} windows of one key would be open at the same time.",
                            kMaxOpenWindows));
  }
}

std::unique_ptr<NodeLogic> build_aggregate(NodeBuild& build) {
  auto logic = std::make_unique<AggregateLogic>();
  read_window(build, *logic);
  logic->late_port = get_string(build.settings, "late") == "port";
  logic->max_keys = get_int(build.settings, "maxKeys", 0);
  logic->key = read_expression(build, build.settings, "key");
  std::set<std::string> names;
  const Json& list = build.settings.at("fields");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string below = fmt::format("/settings/fields/{}", i);
    const std::string field_name = get_string(list[i], "name");
    Field field;
    field.path = read_path(build, below + "/name", field_name);
    field.function = aggregate_of(get_string(list[i], "function")).value_or(Aggregate::kCount);
    field.value = read_expression(build, list[i], "value", below);
    if (!list[i].contains("value") && field.function != Aggregate::kCount) {
      build.error(
          below + "/value", "required",
          fmt::format("'{}' is made of values: say of which.", get_string(list[i], "function")));
    }
    if (!names.insert(field_name).second) {
      build.error(below + "/name", "duplicate",
                  fmt::format("The field '{}' is there twice.", field_name));
    }
    logic->fields.push_back(std::move(field));
  }
  return logic;
}

std::vector<std::string> ports_of(const Json& settings) {
  if (get_string(settings, "late") == "port") return {"out", "late"};
  return {"out"};
}

}  // namespace

NodeType aggregate_type() {
  return {"aggregate", false, kSchema, {}, &build_aggregate, &ports_of, true};
}

}  // namespace tributary::orchestrate
