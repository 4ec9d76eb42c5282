// deadband: report by exception. State: "k:KEY" is what passed last, "u:TIME:KEY" the order in
// which keys are forgotten, "h:KEY" a change that came too soon, "d:TIME:KEY" when it may go.
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Deadband",
  "description": "Lets a record pass when a value or a quality changed since the last one that passed; the others end here.",
  "type": "object",
  "properties": {
    "fields": {"type": "array", "title": "Fields", "description": "Which fields are looked at, and how. Without them: every field of the record but $meta, by the settings below.", "maxItems": 1000, "default": [], "x-widget": "points", "x-key": "field", "items": {
      "type": "object",
      "required": ["field"],
      "properties": {
        "field": {"type": "string", "title": "Field", "description": "A dot goes one level down.", "minLength": 1, "maxLength": 256},
        "type": {"type": "string", "title": "Kind", "description": "How the deadband is meant.", "enum": ["absolute", "percentOfLast", "percentOfSpan"], "default": "absolute", "x-enumTitles": {"absolute": "Absolute", "percentOfLast": "% of last value", "percentOfSpan": "% of span"}},
        "deadband": {"type": "number", "title": "Deadband", "description": "A number has changed when it is further away than this.", "minimum": 0, "default": 0},
        "low": {"type": "number", "title": "Low end", "description": "Of the span.", "x-showWhen": {"property": "type", "in": ["percentOfSpan"]}},
        "high": {"type": "number", "title": "High end", "description": "Of the span.", "x-showWhen": {"property": "type", "in": ["percentOfSpan"]}}
      }
    }},
    "type": {"type": "string", "title": "Kind", "description": "How the deadband of fields that are not listed is meant.", "enum": ["absolute", "percentOfLast"], "default": "absolute", "x-enumTitles": {"absolute": "Absolute", "percentOfLast": "% of last value"}},
    "deadband": {"type": "number", "title": "Deadband", "description": "A number has changed when it is further away than this. Other values change when they differ.", "minimum": 0, "default": 0},
    "key": {"type": "string", "title": "Key", "description": "An {{ expression }}; every value of it is compared by itself.", "minLength": 1, "x-placeholder": "{{ $input.tag }}"},
    "minIntervalMs": {"type": "integer", "title": "Shortest interval", "description": "A change that comes sooner after the last record is held back; the newest of them goes when the interval is over, unless the value has come back.", "minimum": 0, "maximum": 86400000, "default": 0, "x-unit": "ms"},
    "maxIntervalMs": {"type": "integer", "title": "Longest interval", "description": "A record that comes this long after the last one passes without a change; 0: never.", "minimum": 0, "maximum": 2592000000, "default": 0, "x-unit": "ms"},
    "output": {"type": "string", "title": "Result", "description": "Record: the whole record. Changes: without the compared fields that did not change.", "enum": ["record", "changes"], "default": "record", "x-enumTitles": {"record": "Whole record", "changes": "Changes"}},
    "maxKeys": {"type": "integer", "title": "Keys", "description": "So many are remembered; beyond it the one that passed longest ago is forgotten, and its next record passes.", "minimum": 1, "maximum": 1000000, "default": 10000}
  }
})";

using std::chrono::microseconds;

constexpr std::string_view kMeta = "$meta";
constexpr std::string_view kKey = "k:";
constexpr std::string_view kUsed = "u:";
constexpr std::string_view kHeld = "h:";
constexpr std::string_view kSoon = "d:";

enum class Kind : std::uint8_t { kAbsolute, kOfLast, kOfSpan };

struct Band {
  Kind kind = Kind::kAbsolute;
  double size = 0;
  double span = 0;
};

struct Field {
  std::string name;
  FieldPath path;
  Band band;
};

bool is_plain_number(const Json& json) {
  switch (json.type()) {
    case jsoncons::json_type::int64_value:
    case jsoncons::json_type::uint64_value:
    case jsoncons::json_type::half_value:
    case jsoncons::json_type::double_value:
      return true;
    default:
      return false;
  }
}

bool is_whole(const Json& json) {
  return json.type() == jsoncons::json_type::int64_value ||
         json.type() == jsoncons::json_type::uint64_value;
}

__int128 whole(const Json& json) {
  if (json.type() == jsoncons::json_type::uint64_value) return json.as<std::uint64_t>();
  return json.as<std::int64_t>();
}

// How far two numbers are apart. Whole numbers are subtracted as such, doubles in a wider type: the
// distance of any two finite ones is finite, and is zero only when they are equal (edge case 38).
long double distance_of(const Json& a, const Json& b) {
  if (is_whole(a) && is_whole(b)) {
    const __int128 difference = whole(a) - whole(b);
    return static_cast<long double>(difference < 0 ? -difference : difference);
  }
  const auto wide = [](const Json& json) -> long double {
    return is_whole(json) ? static_cast<long double>(whole(json)) : json.as<double>();
  };
  const long double x = wide(a);
  const long double y = wide(b);
  if (x == y || (std::isnan(x) && std::isnan(y))) return 0;
  const long double difference = std::abs(x - y);
  return std::isnan(difference) ? std::numeric_limits<long double>::infinity() : difference;
}

bool differs(const Json& last, const Json& now, const Band& band) {
  if (!is_plain_number(last) || !is_plain_number(now)) return last != now;
  const long double distance = distance_of(last, now);
  if (band.kind == Kind::kAbsolute) return distance > band.size;
  if (band.kind == Kind::kOfSpan) return distance > band.size / 100 * band.span;
  // Of a last value that is no number of finite size every other value differs.
  const long double size = std::abs(static_cast<long double>(last.as<double>()));
  return distance > (std::isfinite(size) ? size * band.size / 100 : 0);
}

// What $meta says of a point's quality; "" for good.
std::string quality_of(const Json& record, const std::string& name) {
  const Json& note = get_member(get_member(get_member(record, kMeta), "points"), name);
  const std::string quality = get_string(note, "quality");
  return quality.empty() ? quality : quality + "/" + get_string(note, "code");
}

// How a record differs from what passed last.
struct Difference {
  bool first = false;
  bool quality = false;
  std::set<std::string> fields;  // that changed, also in quality
};

class DeadbandLogic final : public NodeLogic {
 public:
  std::vector<Field> fields;
  Band others;
  std::optional<expression::Template> key;
  microseconds min_interval{};
  microseconds max_interval{};
  bool only_changes = false;
  std::size_t max_keys = 0;

  std::optional<Due> due(const NodeState& state) const override {
    const auto soon = first_time(state, kSoon);
    return soon ? std::optional(Due{*soon}) : std::nullopt;
  }

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      auto value = key_of(key, run.scope(item));
      if (value) {
        take(run, std::move(item), *value);
      } else {
        run.fail(std::move(item), std::move(value.error()));
      }
    }
    co_return;
  }

  Task<void> on_time(NodeRun& run) const override {
    NodeState& state = run.state();
    while (const auto soon = first_time(state, kSoon)) {
      if (*soon > run.now()) break;
      const std::string value = rest_of(state.first(kSoon)->first, kSoon);
      Item item = run.thaw(take_held(state, value));
      const Difference difference = compare(last_of(state, value), item.record);
      note(run, item.record, value, difference);
      run.release(0, std::move(item));
    }
    co_return;
  }

 private:
  static std::string name(std::string_view prefix, const std::string& value) {
    return fmt::format("{}{}", prefix, value);
  }
  static const Json* last_of(const NodeState& state, const std::string& value) {
    return state.find(name(kKey, value));
  }

  void take(NodeRun& run, Item item, const std::string& value) const {
    NodeState& state = run.state();
    const Json* last = last_of(state, value);
    Difference difference = compare(last, item.record);
    const UtcTime at = last == nullptr ? UtcTime{} : from_micros(get_int(*last, "at", 0));
    // After the longest interval a record is told as if it were the first.
    const bool overdue = max_interval.count() > 0 && run.now() >= at + max_interval;
    difference.first = difference.first || overdue;
    // What was held back is older than this one.
    if (state.find(name(kHeld, value)) != nullptr) {
      take_held(state, value);
      run.release_filtered();
    }
    if (!difference.first && difference.fields.empty()) return run.filter();
    const bool soon = !difference.first && !difference.quality && run.now() < at + min_interval;
    if (soon) return hold(run, std::move(item), value, at + min_interval);
    note(run, item.record, value, difference);
    run.pass(0, std::move(item));
  }

  static void hold(NodeRun& run, Item item, const std::string& value, UtcTime until) {
    NodeState& state = run.state();
    const std::int64_t bytes = approximate_bytes(item.record);
    Json held = run.freeze(std::move(item));
    held.insert_or_assign("due", to_micros(until));
    held.insert_or_assign("bytes", bytes);
    state.put(name(kHeld, value), std::move(held));
    state.put(time_key(kSoon, until, value), Json::null());
    state.held_bytes += bytes;
    run.hold();
  }

  static Json take_held(NodeState& state, const std::string& value) {
    Json held = state.take(name(kHeld, value));
    state.erase(time_key(kSoon, from_micros(get_int(held, "due", 0)), value));
    state.held_bytes -= get_int(held, "bytes", 0);
    return held;
  }

  template <typename F>
  void each_field(const Json& record, F call) const {
    for (const Field& field : fields) {
      if (const Json* value = find_path(record, field.path)) call(field.name, *value, field.band);
    }
    if (!fields.empty() || !record.is_object()) return;
    for (const auto& member : record.object_range()) {
      if (member.key() != kMeta) call(member.key(), member.value(), others);
    }
  }

  Difference compare(const Json* last, const Json& record) const {
    Difference difference;
    difference.first = last == nullptr;
    const Json nothing = Json::null();
    const Json& values = last == nullptr ? nothing : last->at("values");
    const Json& qualities = last == nullptr ? nothing : last->at("quality");
    each_field(record, [&](const std::string& field, const Json& value, const Band& band) {
      const bool known = values.is_object() && values.contains(field);
      if (!known || differs(values.at(field), value, band)) difference.fields.insert(field);
      if (last != nullptr && get_string(qualities, field) != quality_of(record, field)) {
        difference.quality = true;
        difference.fields.insert(field);
      }
    });
    return difference;
  }

  // Remembers what passes, and takes out of the record what is not to be told.
  void note(NodeRun& run, Json& record, const std::string& value,
            const Difference& difference) const {
    NodeState& state = run.state();
    const std::string entry = name(kKey, value);
    if (const Json* last = state.find(entry)) {
      state.erase(time_key(kUsed, from_micros(get_int(*last, "at", 0)), value));
    } else {
      forget_oldest(run);
      Json fresh = json_object();
      fresh.insert_or_assign("values", json_object());
      fresh.insert_or_assign("quality", json_object());
      state.put(entry, std::move(fresh));
    }
    Json& last = *state.edit(entry);
    last.insert_or_assign("at", to_micros(run.now()));
    state.put(time_key(kUsed, run.now(), value), Json::null());
    std::vector<std::string> untold;
    each_field(record, [&](const std::string& field, const Json& now, const Band&) {
      if (only_changes && !difference.first && !difference.fields.contains(field)) {
        untold.push_back(field);
        return;
      }
      last.at("values").insert_or_assign(field, now);
      const std::string quality = quality_of(record, field);
      if (quality.empty()) {
        last.at("quality").erase(field);
      } else {
        last.at("quality").insert_or_assign(field, quality);
      }
    });
    for (const std::string& field : untold) {
      assign(record, fields.empty() ? FieldPath{field} : *parse_path(field), std::nullopt);
    }
  }

  void forget_oldest(NodeRun& run) const {
    NodeState& state = run.state();
    const Json* count = state.find("n");
    const auto known = count == nullptr ? 0 : count->as<std::size_t>();
    if (known < max_keys) return state.put("n", Json(known + 1));
    const std::string oldest = state.first(kUsed)->first;
    const std::string value = rest_of(oldest, kUsed);
    if (state.find(name(kHeld, value)) != nullptr) {
      // Nobody remembers what it was compared with: it is told.
      Item item = run.thaw(take_held(state, value));
      run.release(0, std::move(item));
    }
    state.erase(name(kKey, value));
    state.erase(oldest);
  }
};

Kind kind_of(const Json& settings) {
  const std::string text = get_string(settings, "type");
  if (text == "percentOfLast") return Kind::kOfLast;
  return text == "percentOfSpan" ? Kind::kOfSpan : Kind::kAbsolute;
}

std::unique_ptr<NodeLogic> build_deadband(NodeBuild& build) {
  auto logic = std::make_unique<DeadbandLogic>();
  logic->others = {kind_of(build.settings), get_double(build.settings, "deadband", 0), 0};
  std::set<std::string> names;
  const Json& list = get_member(build.settings, "fields");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string below = fmt::format("/settings/fields/{}", i);
    Field field;
    field.name = get_string(list[i], "field");
    field.path = read_path(build, below + "/field", field.name);
    field.band = {kind_of(list[i]), get_double(list[i], "deadband", 0), 0};
    if (field.band.kind == Kind::kOfSpan) {
      field.band.span = get_double(list[i], "high", 0) - get_double(list[i], "low", 0);
      const bool given = list[i].contains("low") && list[i].contains("high");
      if (!given || !(field.band.span > 0) || !std::isfinite(field.band.span)) {
        build.error(below + "/high", given ? "out_of_range" : "required",
                    "A percentage of the span needs low and high, and high above low.");
      }
    }
    if (!names.insert(field.name).second) {
      build.error(below + "/field", "duplicate",
                  fmt::format("The field '{}' is there twice.", field.name));
    }
    logic->fields.push_back(std::move(field));
  }
  logic->key = read_expression(build, build.settings, "key");
  logic->min_interval = std::chrono::milliseconds(get_int(build.settings, "minIntervalMs", 0));
  logic->max_interval = std::chrono::milliseconds(get_int(build.settings, "maxIntervalMs", 0));
  if (logic->max_interval.count() > 0 && logic->max_interval < logic->min_interval) {
    build.error("/settings/maxIntervalMs", "out_of_range",
                "The longest interval is shorter than the shortest, minIntervalMs.");
  }
  logic->only_changes = get_string(build.settings, "output") == "changes";
  logic->max_keys = static_cast<std::size_t>(get_int(build.settings, "maxKeys", 0));
  return logic;
}

}  // namespace

NodeType deadband_type() {
  return {"deadband", false, kSchema, {"out"}, &build_deadband, nullptr, true};
}

}  // namespace tributary::orchestrate
