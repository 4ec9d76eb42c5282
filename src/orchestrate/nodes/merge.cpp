// merge: puts records from several edges together. State: "h:KEY\x1fNUMBER" is a group that is not
// complete, "a:TIME:KEY\x1fNUMBER" says when it began. The records of one edge fill the groups of a
// key in their order, so the open groups of a key have numbers without gaps, and those that have a
// record of a given edge come first.
#include <fmt/format.h>

#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Merge",
  "description": "Puts records from several edges together.",
  "type": "object",
  "properties": {
    "mode": {"type": "string", "title": "Mode", "description": "All: the first record of every edge, then the second of every edge. Key: records of every edge that have the same key. Any: records pass as they come.", "enum": ["all", "any", "key"], "default": "all", "x-enumTitles": {"all": "One of every edge", "any": "Any", "key": "Same key"}},
    "key": {"type": "string", "title": "Key", "description": "An {{ expression }} whose value records have in common.", "minLength": 1, "x-placeholder": "{{ $input.order }}", "x-showWhen": {"property": "mode", "in": ["key"]}},
    "combine": {"type": "string", "title": "Combine", "description": "Fields: all fields in one record; of two with one name the later edge's stays. Nodes: each record in a field with the id of the node it came from.", "enum": ["fields", "nodes"], "default": "fields", "x-enumTitles": {"fields": "Fields", "nodes": "By node"}},
    "timeoutMs": {"type": "integer", "title": "Time-out", "description": "How long the first record waits for the others; 0 waits for ever.", "minimum": 0, "maximum": 2592000000, "default": 60000, "x-unit": "ms"},
    "onTimeout": {"type": "string", "title": "Incomplete", "description": "What becomes of records whose time is over: they go on as they are, end here, or leave by the port timeout.", "enum": ["emit", "drop", "port"], "default": "emit", "x-enumTitles": {"emit": "Go on", "drop": "End here", "port": "Port timeout"}},
    "maxHeld": {"type": "integer", "title": "Records at once", "description": "At most so many wait.", "minimum": 1, "maximum": 100000, "default": 10000},
    "overflow": {"type": "string", "title": "When it is full", "description": "Error: the new record fails. Oldest: for the records that wait longest the time is over early.", "enum": ["error", "oldest"], "default": "error", "x-enumTitles": {"error": "Error", "oldest": "End the oldest wait"}}
  }
})";

constexpr std::string_view kMeta = "$meta";
constexpr std::string_view kHeld = "h:";
constexpr std::string_view kBegan = "a:";
// Separates a key from a number; JSON text does not contain it.
constexpr char kEnd = '\x1f';

enum class Mode : std::uint8_t { kAll, kAny, kKey };
enum class Incomplete : std::uint8_t { kEmit, kDrop, kPort };

bool has_part(const Json& group, std::string_view input) {
  for (const Json& part : group.at("parts").array_range()) {
    if (part.at("input").as_string_view() == input) return true;
  }
  return false;
}

class MergeLogic final : public NodeLogic {
 public:
  Mode mode = Mode::kAll;
  std::optional<expression::Template> key;
  bool by_node = false;
  std::chrono::microseconds timeout{};
  Incomplete incomplete = Incomplete::kEmit;
  std::int64_t max_held = 0;
  bool oldest_goes = false;

  std::optional<Due> due(const NodeState& state) const override {
    const auto began = first_time(state, kBegan);
    if (!began || timeout.count() == 0) return std::nullopt;
    return Due{*began + timeout};
  }

  Task<void> process(NodeRun& run, Items items) const override {
    for (Item& item : items) {
      if (mode == Mode::kAny) {
        run.pass(0, std::move(item));
      } else {
        take(run, std::move(item));
      }
    }
    co_return;
  }

  Task<void> on_time(NodeRun& run) const override {
    while (const auto began = first_time(run.state(), kBegan)) {
      if (*began + timeout > run.now()) break;
      give_up_oldest(run);
    }
    co_return;
  }

 private:
  void take(NodeRun& run, Item item) const {
    auto value = key_of(key, run.scope(item));
    if (!value) return run.fail(std::move(item), std::move(value.error()));
    NodeState& state = run.state();
    const std::int64_t bytes = approximate_bytes(item.record);
    while (state.held > 0 && (state.held >= max_held || state.held_bytes + bytes > kMaxHeldBytes)) {
      if (!oldest_goes) {
        return run.fail(std::move(item),
                        Error(ErrorClass::kFunction, "merge_full",
                              fmt::format("{} records wait for others already.", state.held),
                              "Raise maxHeld, or set overflow to oldest."));
      }
      give_up_oldest(run);
    }
    const std::string& input = run.inputs()[run.input_of(item)];
    const std::string name = group_for(run, *value, input);
    Json part = json_object();
    part.insert_or_assign("input", input);
    part.insert_or_assign("item", run.freeze(std::move(item)));
    Json& group = *state.edit(name);
    group.at("parts").push_back(std::move(part));
    group.at("held") = group.at("parts").size();
    group.at("bytes") = get_int(group, "bytes", 0) + bytes;
    state.held_bytes += bytes;
    run.hold();
    if (complete(run, group)) release(run, close(state, name), 0);
  }

  static bool complete(NodeRun& run, const Json& group) {
    for (const std::string& input : run.inputs()) {
      if (!has_part(group, input)) return false;
    }
    return true;
  }

  // The first group of a key that has no record of this edge; a new one when there is none.
  static std::string group_for(NodeRun& run, const std::string& key, const std::string& input) {
    NodeState& state = run.state();
    const std::string prefix = fmt::format("{}{}{}", kHeld, key, kEnd);
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    if (const auto* first = state.first(prefix)) {
      const std::string behind = fmt::format("{}{}{}", kHeld, key, static_cast<char>(kEnd + 1));
      low = number_of(first->first, prefix);
      high = number_of(std::prev(state.entries().lower_bound(behind))->first, prefix) + 1;
    }
    const std::uint64_t end = high;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (has_part(*state.find(ordered_key(prefix, middle)), input)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    std::string name = ordered_key(prefix, low);
    if (low == end) {
      Json group = json_object();
      group.insert_or_assign("held", 0);
      group.insert_or_assign("bytes", 0);
      group.insert_or_assign("at", to_micros(run.now()));
      group.insert_or_assign("parts", json_array());
      state.put(name, std::move(group));
      state.put(time_key(kBegan, run.now(), name), Json::null());
    }
    return name;
  }

  static Json close(NodeState& state, const std::string& name) {
    Json group = state.take(name);
    state.erase(time_key(kBegan, from_micros(get_int(group, "at", 0)), name));
    state.held_bytes -= get_int(group, "bytes", 0);
    return group;
  }

  void give_up_oldest(NodeRun& run) const {
    NodeState& state = run.state();
    const std::string name = rest_of(state.first(kBegan)->first, kBegan);
    Json group = close(state, name);
    if (incomplete != Incomplete::kDrop) {
      return release(run, std::move(group), incomplete == Incomplete::kPort ? 1 : 0);
    }
    for (std::size_t i = 0; i < group.at("parts").size(); ++i) run.release_filtered();
  }

  // One record of all parts, in the order of the edges.
  void release(NodeRun& run, Json group, std::size_t port) const {
    std::optional<Item> made;
    Json combined = json_object();
    for (const std::string& input : run.inputs()) {
      for (Json& part : group.at("parts").array_range()) {
        if (part.at("input").as_string_view() != input) continue;
        Item item = run.thaw(std::move(part.at("item")));
        add(combined, input, item.record);
        if (!made) {
          made = std::move(item);
        } else {
          remember(*made, item);
        }
      }
    }
    const std::size_t parts = group.at("parts").size();
    for (std::size_t i = 1; i < parts; ++i) run.release_filtered();
    // Parts of edges that are not there any more.
    if (!made) return run.release_filtered();
    made->record = std::move(combined);
    run.release(port, std::move(*made));
  }

  void add(Json& combined, const std::string& input, Json& record) const {
    if (by_node) {
      const Json& meta = get_member(record, kMeta);
      if (!meta.is_null() && !combined.contains(kMeta)) combined.insert_or_assign(kMeta, meta);
      combined.insert_or_assign(input, std::move(record));
      return;
    }
    make_object(record);
    for (auto& member : record.object_range()) {
      combined.insert_or_assign(member.key(), std::move(member.value()));
    }
  }

  // What expressions may ask for about the past of either.
  static void remember(Item& made, const Item& other) {
    if (!made.trigger) made.trigger = other.trigger;
    for (std::size_t i = 0; i < made.seen.size(); ++i) {
      if (!made.seen[i]) made.seen[i] = other.seen[i];
    }
  }
};

std::unique_ptr<NodeLogic> build_merge(NodeBuild& build) {
  auto logic = std::make_unique<MergeLogic>();
  const std::string mode = get_string(build.settings, "mode");
  if (mode == "any") logic->mode = Mode::kAny;
  if (mode == "key") logic->mode = Mode::kKey;
  const bool has_key = build.settings.contains("key");
  if (has_key != (logic->mode == Mode::kKey)) {
    build.error("/settings/key", has_key ? "invalid" : "required",
                "A key belongs to the mode 'key', and to no other.");
    return nullptr;
  }
  logic->key = read_expression(build, build.settings, "key");
  logic->by_node = get_string(build.settings, "combine") == "nodes";
  logic->timeout = std::chrono::milliseconds(get_int(build.settings, "timeoutMs", 0));
  const std::string incomplete = get_string(build.settings, "onTimeout");
  if (incomplete == "drop") logic->incomplete = Incomplete::kDrop;
  if (incomplete == "port") logic->incomplete = Incomplete::kPort;
  logic->max_held = get_int(build.settings, "maxHeld", 0);
  logic->oldest_goes = get_string(build.settings, "overflow") == "oldest";
  return logic;
}

std::vector<std::string> ports_of(const Json& settings) {
  if (get_string(settings, "onTimeout") == "port") return {"out", "timeout"};
  return {"out"};
}

}  // namespace

NodeType merge_type() {
  return {"merge", false, kSchema, {}, &build_merge, &ports_of, true};
}

}  // namespace tributary::orchestrate
