// What a node type implements. Adding one: a file in this folder with its schema and its logic, and
// one line in catalogue.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrate/delivery/delivery.hpp"
#include "orchestrate/delivery/send.hpp"
#include "orchestrate/expression/template.hpp"
#include "orchestrate/hooks/message.hpp"
#include "orchestrate/nodes/node_state.hpp"
#include "orchestrate/ports.hpp"
#include "runtime/event.hpp"
#include "runtime/timers.hpp"
#include "schema/schema.hpp"

namespace tributary::orchestrate {

// A record on its way, with what expressions may ask for about its past.
struct Item {
  Record record;
  std::int64_t index = 0;                         // $index
  std::shared_ptr<const Json> trigger;            // $trigger; null when no expression mentions it
  std::vector<std::shared_ptr<const Json>> seen;  // $node(…), by slot; empty when none is mentioned
  // What the JavaScript of the node that it is in gave for it, by slot.
  std::vector<expression::Computed> scripts;
  std::shared_ptr<const Json> element;  // $item behind a forEach; null: the record itself
  // The node and the port it left last: the edge by which it came.
  std::uint32_t source = 0;
  std::uint32_t source_port = 0;
};
using Items = std::vector<Item>;

// How the JavaScript of a node is evaluated.
struct ScriptUse {
  script::Limits limits;
  // Once for all items of a batch, which it sees as $items; the first item has the value.
  bool whole_batch = false;
};

// Calls that failed and may work later are made again (nodes without durable delivery).
struct RetryPolicy {
  int max_attempts = 1;
  Duration initial_delay{std::chrono::milliseconds{500}};
  Duration max_delay{std::chrono::seconds{30}};
  double multiplier = 2;
};

// When a node wants to be called by the clock. `wall`: the time of day, which may step; otherwise
// the pipeline's own time (NodeRun::now), which does not.
struct Due {
  UtcTime at;
  bool wall = false;
};

// One batch in one node: where the node's records go. Every item that comes in must leave by
// exactly one of pass, replace, filter, hold, fail and drop: the counters add up.
class NodeRun {
 public:
  virtual ~NodeRun() = default;
  // Valid until the item is moved.
  virtual expression::Scope scope(const Item& item) const = 0;
  // The item leaves by a port (an index into NodeType::ports).
  virtual void pass(std::size_t port, Item item) = 0;
  // The item is replaced by records, none of which stops it.
  virtual void replace(std::size_t port, const Item& item, std::vector<Record> records) = 0;
  // The item ends here without a fault.
  virtual void filter() = 0;
  // The item stays in the node: state() has what is needed to let it go later.
  virtual void hold() = 0;
  // An item that was held goes on, or ends here without a fault.
  virtual void release(std::size_t port, Item item) = 0;
  virtual void release_filtered() = 0;
  // A record that the node made by itself (the end of a window).
  virtual void emit(std::size_t port, Item item) = 0;
  // The item goes on, and what it asks of the node's destination is kept on disk until it was done:
  // in one commit with everything else that the batch leaves.
  virtual void promise(Item item, std::string payload) = 0;
  // Whether promise() may be used: false where nothing is kept, in a trial run.
  virtual bool promises() const = 0;
  // Somebody looks at every record as it goes: calls are made one by one.
  virtual bool is_watched() const = 0;
  // The item failed; the node's onError decides where it goes.
  virtual void fail(Item item, Error error) = 0;
  // The pipeline stops before the item could be delivered.
  virtual void drop(Item item, Error error) = 0;
  virtual NodeState& state() = 0;
  // A call waits to be repeated: shown as the node's last error.
  virtual void waiting(const Error& error) = 0;

  // The edges that lead here, in the order of the document, by name: the id of the node they come
  // from, with ":port" where two come from one node.
  virtual std::span<const std::string> inputs() const = 0;
  virtual std::size_t input_of(const Item& item) const = 0;
  // An item as a document, and back: for what is held in state().
  virtual Json freeze(Item item) const = 0;
  virtual Item thaw(Json frozen) const = 0;
  // An item without a past, for records that the node makes by itself.
  virtual Item make(Record record) const = 0;
  // UTC that goes on evenly while the pipeline runs: no step of the wall clock moves it.
  virtual UtcTime now() const = 0;

  virtual FunctionPort& functions() = 0;
  virtual const Executor& executor() const = 0;
  virtual Timers& timers() = 0;
  virtual Clock& clock() = 0;
  // Equal jitter: between half and all of it.
  virtual Duration jittered(Duration delay) = 0;
  // Set when the pipeline stops, or when this batch is cancelled.
  virtual Event& stopping() = 0;
  // Answers the call of the webhook that started the batch; the first answer counts. Nothing
  // happens when nobody waits for one.
  virtual void respond(hooks::Answer /*answer*/) {}
};

class NodeLogic {
 public:
  virtual ~NodeLogic() = default;
  // On the pipeline's executor. Both outlive the task.
  virtual Task<void> process(NodeRun& run, Items items) const = 0;

  // When on_time() is wanted next; nullopt: never. Asked after every batch and after on_time().
  virtual std::optional<Due> due(const NodeState& /*state*/) const { return std::nullopt; }
  // The time that due() named has come: windows end, waits are over. On the pipeline's executor,
  // between two batches.
  virtual Task<void> on_time(NodeRun& /*run*/) const { co_return; }
};

// What a node is made from when its pipeline is saved.
struct NodeBuild {
  const Json& settings;  // validated, with defaults
  std::string pointer;   // "/nodes/2": of the node
  const FunctionPort& functions;
  expression::NodeNames& names;
  std::vector<schema::FieldError>& errors;
  Delivery delivery;
  bool has_delivery = false;
  bool repeat_unknown_set = false;
  Duration timeout{};
  RetryPolicy retry{};
  // Set by a node whose delivery is durable: where its courier brings what was promised.
  std::optional<Destination> destination{};
  ScriptUse script_use{};  // set by a node that wants another than the usual

  void error(std::string_view below, std::string code, std::string message) const {
    errors.push_back({pointer + std::string(below), std::move(code), std::move(message)});
  }
};

struct NodeType {
  std::string_view type;
  bool trigger = false;
  std::string_view settings_schema;
  std::vector<std::string> ports;
  // Checks what the schema cannot and makes the logic; null for triggers, or when there were
  // errors.
  std::unique_ptr<NodeLogic> (*build)(NodeBuild& build) = nullptr;
  // Where the settings decide about the ports: from settings as they were posted, which may be
  // wrong in any way. build() says what is wrong with them.
  std::vector<std::string> (*ports_of)(const Json& settings) = nullptr;
  // It uses NodeRun::state(): batches must pass it one after the other.
  bool keeps_state = false;
};

// The node types of this build, with their schemas compiled.
class NodeCatalogue {
 public:
  NodeCatalogue();
  struct Entry {
    NodeType type;
    schema::Schema schema;
  };
  const Entry* find(std::string_view type) const;
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

NodeType trigger_function_type();
NodeType trigger_schedule_type();
NodeType trigger_manual_type();
NodeType trigger_connection_status_type();
NodeType trigger_webhook_type();
NodeType trigger_poll_type();
NodeType trigger_pipeline_type();
NodeType trigger_error_type();
NodeType respond_type();
NodeType set_type();
NodeType condition_type();
NodeType function_type();
NodeType script_type();
NodeType switch_type();
NodeType merge_type();
NodeType for_each_type();
NodeType filter_type();
NodeType deadband_type();
NodeType aggregate_type();
NodeType buffer_type();
NodeType wait_type();
NodeType deduplicate_type();
NodeType enrich_type();
NodeType template_type();
NodeType parse_type();
NodeType convert_type();

}  // namespace tributary::orchestrate
