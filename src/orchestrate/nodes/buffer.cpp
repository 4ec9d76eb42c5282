// buffer: holds records and lets them go together. State: "g:KEY" says how many records of how many
// bytes a key holds, "h:KEY\x1fNUMBER" are the records, "a:TIME:KEY" when the first of them came.
#include <fmt/format.h>

#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Buffer",
  "description": "Holds records until there are enough of them, by number, size or time, whichever comes first, and lets them go together.",
  "type": "object",
  "properties": {
    "maxCount": {"type": "integer", "title": "Records", "description": "So many go together at most.", "minimum": 1, "maximum": 100000, "default": 1000},
    "maxBytes": {"type": "integer", "title": "Bytes", "description": "About so many bytes go together at most; a larger record goes alone.", "minimum": 1, "maximum": 67108864, "default": 1048576, "x-unit": "bytes"},
    "maxAgeMs": {"type": "integer", "title": "Time", "description": "The first record waits at most this long; 0 waits for ever.", "minimum": 0, "maximum": 2592000000, "default": 1000, "x-unit": "ms"},
    "key": {"type": "string", "title": "Key", "description": "An {{ expression }}; every value of it is buffered by itself.", "minLength": 1, "x-placeholder": "{{ $input.line }}"},
    "as": {"type": "string", "title": "Result", "description": "Batch: the records themselves. List: one record with items, count and, with a key, key.", "enum": ["batch", "list"], "default": "batch", "x-enumTitles": {"batch": "Batch", "list": "List"}},
    "maxKeys": {"type": "integer", "title": "Keys", "description": "At most so many; beyond it the key that waits longest lets go early.", "minimum": 1, "maximum": 100000, "default": 10000}
  }
})";

constexpr std::string_view kMeta = "$meta";
constexpr std::string_view kGroup = "g:";
constexpr std::string_view kHeld = "h:";
constexpr std::string_view kBegan = "a:";
constexpr std::string_view kKeys = "n";  // how many keys hold something
constexpr char kEnd = '\x1f';
// Of all keys; beyond it the key that waits longest lets go early, as beyond kMaxHeldBytes.
constexpr std::int64_t kMaxBufferedRecords = 200'000;

class BufferLogic final : public NodeLogic {
 public:
  std::int64_t max_count = 0;
  std::int64_t max_bytes = 0;
  std::chrono::microseconds max_age{};
  std::int64_t max_keys = 0;
  std::optional<expression::Template> key;
  bool as_list = false;

  std::optional<Due> due(const NodeState& state) const override {
    const auto began = first_time(state, kBegan);
    if (!began || max_age.count() == 0) return std::nullopt;
    return Due{*began + max_age};
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
    while (const auto began = first_time(run.state(), kBegan)) {
      if (*began + max_age > run.now()) break;
      let_go_oldest(run);
    }
    co_return;
  }

 private:
  void take(NodeRun& run, Item item, const std::string& value) const {
    NodeState& state = run.state();
    const std::int64_t bytes = approximate_bytes(item.record);
    const Json* group = state.find(group_name(value));
    if (group != nullptr && get_int(*group, "bytes", 0) + bytes > max_bytes) {
      let_go(run, value);
      group = nullptr;
    }
    make_room(run, bytes, group == nullptr);
    Json& open = group_of(run, value);
    const std::int64_t number = get_int(open, "count", 0);
    const std::int64_t sum = get_int(open, "bytes", 0) + bytes;
    open.insert_or_assign("count", number + 1);
    open.insert_or_assign("bytes", sum);
    Json held = run.freeze(std::move(item));
    held.insert_or_assign("bytes", bytes);
    state.put(ordered_key(records_of(value), static_cast<std::uint64_t>(number)), std::move(held));
    state.held_bytes += bytes;
    run.hold();
    if (number + 1 >= max_count || sum >= max_bytes) let_go(run, value);
  }

  void make_room(NodeRun& run, std::int64_t bytes, bool new_key) const {
    NodeState& state = run.state();
    const auto full = [&] {
      return state.held >= kMaxBufferedRecords || state.held_bytes + bytes > kMaxHeldBytes ||
             (new_key && keys(state) >= max_keys);
    };
    while (state.first(kBegan) != nullptr && full()) let_go_oldest(run);
  }

  static std::int64_t keys(const NodeState& state) {
    const Json* count = state.find(kKeys);
    return count == nullptr ? 0 : count->as<std::int64_t>();
  }
  static std::string group_name(const std::string& value) {
    return fmt::format("{}{}", kGroup, value);
  }
  static std::string records_of(const std::string& value) {
    return fmt::format("{}{}{}", kHeld, value, kEnd);
  }

  // The group of a key, made when there is none (any more).
  static Json& group_of(NodeRun& run, const std::string& value) {
    NodeState& state = run.state();
    const std::string name = group_name(value);
    if (Json* open = state.edit(name)) return *open;
    Json group = json_object();
    group.insert_or_assign("count", 0);
    group.insert_or_assign("bytes", 0);
    group.insert_or_assign("at", to_micros(run.now()));
    state.put(name, std::move(group));
    state.put(time_key(kBegan, run.now(), value), Json::null());
    state.put(std::string(kKeys), Json(keys(state) + 1));
    return *state.edit(name);
  }

  void let_go_oldest(NodeRun& run) const {
    let_go(run, rest_of(run.state().first(kBegan)->first, kBegan));
  }

  void let_go(NodeRun& run, std::string value) const {
    NodeState& state = run.state();
    const Json group = state.take(group_name(value));
    state.erase(time_key(kBegan, from_micros(get_int(group, "at", 0)), value));
    state.put(std::string(kKeys), Json(keys(state) - 1));
    state.held_bytes -= get_int(group, "bytes", 0);
    const std::string prefix = records_of(value);
    Items items;
    while (const auto* first = state.first(prefix)) {
      const std::string name = first->first;
      items.push_back(run.thaw(state.take(name)));
    }
    if (as_list) return release_list(run, std::move(items), value);
    for (Item& item : items) run.release(0, std::move(item));
  }

  void release_list(NodeRun& run, Items items, const std::string& value) const {
    if (items.empty()) return;
    Json record = json_object();
    Json list = json_array();
    const Json meta = get_member(items.front().record, kMeta);
    for (Item& item : items) list.push_back(std::move(item.record));
    for (std::size_t i = 1; i < items.size(); ++i) run.release_filtered();
    record.insert_or_assign("items", std::move(list));
    record.insert_or_assign("count", items.size());
    if (key) record.insert_or_assign("key", value_of_key(value));
    if (!meta.is_null()) record.insert_or_assign(kMeta, meta);
    Item made = std::move(items.front());
    made.record = std::move(record);
    run.release(0, std::move(made));
  }
};

std::unique_ptr<NodeLogic> build_buffer(NodeBuild& build) {
  auto logic = std::make_unique<BufferLogic>();
  logic->max_count = get_int(build.settings, "maxCount", 0);
  logic->max_bytes = get_int(build.settings, "maxBytes", 0);
  logic->max_age = std::chrono::milliseconds(get_int(build.settings, "maxAgeMs", 0));
  logic->max_keys = get_int(build.settings, "maxKeys", 0);
  logic->key = read_expression(build, build.settings, "key");
  logic->as_list = get_string(build.settings, "as") == "list";
  return logic;
}

}  // namespace

NodeType buffer_type() {
  return {"buffer", false, kSchema, {"out"}, &build_buffer, nullptr, true};
}

}  // namespace tributary::orchestrate
