// enrich: looks something up for every record. State: "c:KEY" are answers, "a:TIME:KEY" when they
// are too old.
#include <fmt/format.h>

#include <map>
#include <set>

#include "orchestrate/nodes/calling.hpp"
#include "orchestrate/nodes/support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Enrich",
  "description": "Looks something up with a read or command function and puts it into the record. Answers are remembered; one call serves all records of a batch with the same key.",
  "type": "object",
  "required": ["functionId", "into"],
  "properties": {
    "functionId": {"type": "string", "title": "Function", "description": "A read or command function.", "minLength": 1, "x-widget": "function"},
    "parameters": {"type": "object", "title": "Parameters", "description": "Values for the function's ((placeholders)), with {{ expressions }}.", "additionalProperties": true, "default": {}, "x-widget": "json"},
    "key": {"type": "string", "title": "Key", "description": "An {{ expression }}: records with the same value get the same answer. The parameters when it is not given.", "minLength": 1, "x-placeholder": "{{ $input.article }}"},
    "into": {"type": "string", "title": "Field", "description": "Takes the answer; a dot goes one level down.", "minLength": 1, "maxLength": 256},
    "as": {"type": "string", "title": "Answer", "description": "The first record of the answer, or all of them as a list.", "enum": ["first", "list"], "default": "first", "x-enumTitles": {"first": "First record", "list": "List"}},
    "onMissing": {"type": "string", "title": "Nothing found", "description": "What becomes of a record for which the answer is empty: the field is null, or the record fails.", "enum": ["null", "error"], "default": "null", "x-enumTitles": {"null": "Null", "error": "Error"}},
    "ttlMs": {"type": "integer", "title": "Remember", "description": "How long an answer is used again; 0: only within a batch.", "minimum": 0, "maximum": 2592000000, "default": 60000, "x-unit": "ms"},
    "negativeTtlMs": {"type": "integer", "title": "Remember nothing", "description": "How long it is remembered that there was nothing. Failed calls are not remembered.", "minimum": 0, "maximum": 2592000000, "default": 5000, "x-unit": "ms"},
    "maxEntries": {"type": "integer", "title": "Answers", "description": "So many are remembered; beyond it the one that would end first is forgotten.", "minimum": 1, "maximum": 100000, "default": 1000},
    "concurrency": {"type": "integer", "title": "Calls at once", "description": "The order of the records is kept.", "minimum": 1, "maximum": 64, "default": 1}
  }
})";

using std::chrono::microseconds;

constexpr std::string_view kMeta = "$meta";
constexpr std::string_view kCached = "c:";
constexpr std::string_view kEnds = "a:";
// Larger answers are not remembered.
constexpr std::int64_t kMaxCachedBytes = 64 * 1024;

// One lookup that a batch needs.
struct Lookup {
  std::string key;
  Json arguments;
  Result<Json> answer = Json::null();  // null: nothing found
};

class EnrichLogic final : public NodeLogic {
 public:
  FunctionInfo function;
  RepeatedCall call;
  expression::Document parameters;
  std::optional<expression::Template> key;
  FieldPath into;
  bool as_list = false;
  bool missing_fails = false;
  microseconds ttl{};
  microseconds negative_ttl{};
  std::size_t max_entries = 0;
  std::size_t concurrency = 1;

  Task<void> process(NodeRun& run, Items items) const override {
    forget_old(run.state(), run.now());
    auto work = std::make_shared<Work>(run.executor());
    std::vector<Result<std::string>> keys;
    for (const Item& item : items) keys.push_back(find(run, item, *work));
    work->active = std::min(concurrency, work->lookups.size());
    const std::size_t callers = work->active;
    for (std::size_t i = 0; i < callers; ++i) spawn(run.executor(), take_turns(run, work));
    if (callers > 0) co_await work->done.wait();
    for (const Lookup& lookup : work->lookups) {
      if (lookup.answer) work->answers.insert_or_assign(lookup.key, lookup.answer);
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (keys[i]) {
        finish(run, std::move(items[i]), work->answers.at(*keys[i]));
      } else {
        run.fail(std::move(items[i]), std::move(keys[i].error()));
      }
    }
    for (const Lookup& lookup : work->lookups) remember(run, lookup);
  }

 private:
  struct Work {
    explicit Work(const Executor& executor) : done(executor) {}
    std::map<std::string, Result<Json>> answers;
    std::vector<Lookup> lookups;
    std::size_t next = 0;
    std::size_t active = 0;
    Event done;
  };

  // The key of an item; what nobody knows yet is put on the list.
  Result<std::string> find(NodeRun& run, const Item& item, Work& work) const {
    const expression::Scope scope = run.scope(item);
    auto arguments = parameters.evaluate(scope);
    if (!arguments) return tributary::fail(std::move(arguments.error()));
    Result<std::string> value = key ? key_of(key, scope) : to_text(*arguments);
    if (!value || work.answers.contains(*value)) return value;
    if (const Json* known = run.state().find(fmt::format("{}{}", kCached, *value))) {
      work.answers.emplace(*value, known->at("answer"));
      return value;
    }
    work.answers.emplace(*value, Json::null());
    work.lookups.push_back({*value, std::move(*arguments)});
    return value;
  }

  // `run` and this outlive it: process() waits for all of them.
  Task<void> take_turns(NodeRun& run, std::shared_ptr<Work> work) const {
    while (work->next < work->lookups.size()) {
      Lookup& lookup = work->lookups[work->next++];
      Json arguments = std::move(lookup.arguments);
      RepeatedCall copy = call;
      Result<Batch> batch = co_await call_again(run, std::move(copy), std::move(arguments));
      if (batch) {
        lookup.answer = answer_of(run, std::move(*batch));
      } else {
        work->answers.insert_or_assign(lookup.key, tributary::fail(batch.error()));
        lookup.answer = tributary::fail(std::move(batch.error()));
      }
    }
    if (--work->active == 0) work->done.set();
  }

  Json answer_of(NodeRun& run, Batch batch) const {
    const Origin origin{function.connection_name, function.name};
    auto records = to_records(std::move(batch), origin, run.clock().utc_now());
    // Where it came from is the node's business; the record keeps its own.
    for (Record& record : records) {
      if (record.is_object()) record.erase(kMeta);
    }
    if (records.empty()) return Json::null();
    if (!as_list) return std::move(records.front());
    Json list = json_array();
    for (Record& record : records) list.push_back(std::move(record));
    return list;
  }

  void finish(NodeRun& run, Item item, const Result<Json>& answer) const {
    if (!answer) {
      Error error = answer.error();
      if (error.error_class == ErrorClass::kCancelled) {
        return run.drop(std::move(item), std::move(error));
      }
      return run.fail(std::move(item), std::move(error));
    }
    if (answer->is_null() && missing_fails) {
      return run.fail(std::move(item), Error(ErrorClass::kFunction, "nothing_found",
                                             fmt::format("'{}' found nothing.", function.name)));
    }
    make_object(item.record);
    const bool empty_list = as_list && answer->is_null();
    assign(item.record, into, empty_list ? json_array() : *answer);
    run.pass(0, std::move(item));
  }

  // ---- what is remembered: two documents for each answer ----

  static std::size_t entries(const NodeState& state) { return state.entries().size() / 2; }

  static void forget_first(NodeState& state) {
    const std::string first = state.first(kEnds)->first;
    state.erase(fmt::format("{}{}", kCached, rest_of(first, kEnds)));
    state.erase(first);
  }
  static void forget_old(NodeState& state, UtcTime now) {
    while (const auto ends = first_time(state, kEnds)) {
      if (*ends > now) break;
      forget_first(state);
    }
  }

  void remember(NodeRun& run, const Lookup& lookup) const {
    if (!lookup.answer) return;
    const microseconds keep = lookup.answer->is_null() ? negative_ttl : ttl;
    const bool too_large =
        lookup.key.size() > kMaxKeyBytes || approximate_bytes(*lookup.answer) > kMaxCachedBytes;
    if (keep.count() == 0 || too_large) return;
    NodeState& state = run.state();
    if (entries(state) >= max_entries) forget_first(state);
    const UtcTime ends = run.now() + keep;
    Json entry = json_object();
    entry.insert_or_assign("answer", *lookup.answer);
    state.put(fmt::format("{}{}", kCached, lookup.key), std::move(entry));
    state.put(time_key(kEnds, ends, lookup.key), Json::null());
  }
};

std::unique_ptr<NodeLogic> build_enrich(NodeBuild& build) {
  const std::string id = get_string(build.settings, "functionId");
  const auto function = build.functions.find(id);
  if (!function) {
    build.error("/settings/functionId", "unknown_function",
                fmt::format("There is no function with the id '{}'.", id));
    return nullptr;
  }
  if (function->kind != sdk::FunctionKind::kRead && function->kind != sdk::FunctionKind::kCommand) {
    build.error("/settings/functionId", "wrong_function_kind",
                fmt::format("'{}' is a {} function; a lookup needs a read or command function.",
                            function->name, sdk::to_string(function->kind)));
    return nullptr;
  }
  auto logic = std::make_unique<EnrichLogic>();
  logic->function = *function;
  logic->call = {id, build.timeout, build.retry, function->idempotent};
  logic->parameters = expression::Document::compile(build.settings.at("parameters"),
                                                    build.pointer + "/settings/parameters",
                                                    build.names, build.errors);
  logic->key = read_expression(build, build.settings, "key");
  logic->into = read_path(build, "/settings/into", get_string(build.settings, "into"));
  logic->as_list = get_string(build.settings, "as") == "list";
  logic->missing_fails = get_string(build.settings, "onMissing") == "error";
  logic->ttl = std::chrono::milliseconds(get_int(build.settings, "ttlMs", 0));
  logic->negative_ttl = std::chrono::milliseconds(get_int(build.settings, "negativeTtlMs", 0));
  logic->max_entries = static_cast<std::size_t>(get_int(build.settings, "maxEntries", 0));
  logic->concurrency = static_cast<std::size_t>(get_int(build.settings, "concurrency", 1));
  return logic;
}

}  // namespace

NodeType enrich_type() {
  return {"enrich", false, kSchema, {"out"}, &build_enrich, nullptr, true};
}

}  // namespace tributary::orchestrate
