#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "orchestrate/model/body_schema.hpp"
#include "orchestrate/model/find_text.hpp"
#include "orchestrate/model/graph.hpp"
#include "orchestrate/model/plan.hpp"
#include "runtime/log.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kErrorPortName = "error";

TriggerKind trigger_kind(std::string_view type) {
  if (type == "trigger.function") return TriggerKind::kFunction;
  if (type == "trigger.schedule") return TriggerKind::kSchedule;
  if (type == "trigger.manual") return TriggerKind::kManual;
  if (type == "trigger.connectionStatus") return TriggerKind::kConnectionStatus;
  if (type == "trigger.webhook") return TriggerKind::kWebhook;
  if (type == "trigger.poll") return TriggerKind::kPoll;
  if (type == "trigger.pipeline") return TriggerKind::kPipeline;
  if (type == "trigger.error") return TriggerKind::kError;
  return TriggerKind::kNone;
}

OnError on_error_of(const Json& node) {
  const std::string text = get_string(node, "onError", "stop");
  if (text == "continue") return OnError::kContinue;
  return text == "errorPort" ? OnError::kErrorPort : OnError::kStop;
}

History history_of(const Json& body) {
  const std::string text = get_string(body, "history", "standard");
  if (text == "off") return History::kOff;
  if (text == "minimal") return History::kMinimal;
  return text == "full" ? History::kFull : History::kStandard;
}

Priority priority_of(const Json& body) {
  const std::string text = get_string(body, "priority", "normal");
  if (text == "high") return Priority::kHigh;
  return text == "low" ? Priority::kLow : Priority::kNormal;
}

Delivery delivery_of(const Json& node) {
  Delivery delivery;
  const Json& given = get_member(node, "delivery");
  if (!given.is_object()) return delivery;
  delivery.durable = get_string(given, "mode") == "durable";
  const Json& retry = get_member(given, "retry");
  if (retry.is_object()) {
    delivery.max_attempts = static_cast<int>(get_int(retry, "maxAttempts", 0));
    delivery.initial_delay = std::chrono::milliseconds(get_int(retry, "initialDelayMs", 500));
    delivery.max_delay = std::chrono::milliseconds(get_int(retry, "maxDelayMs", 30'000));
  }
  delivery.give_up_after =
      parse_duration(get_string(given, "deadLetterAfter", "24h")).value_or(std::chrono::hours{24});
  delivery.repeat_unknown = get_bool(given, "repeatUnknown", false);
  delivery.bounds.max_bytes = get_int(given, "maxBytes", delivery.bounds.max_bytes);
  const std::string when_full = get_string(given, "whenFull", "block");
  if (when_full == "dropOldest") delivery.bounds.when_full = spool::WhenFull::kDropOldest;
  if (when_full == "dropNewest") delivery.bounds.when_full = spool::WhenFull::kDropNewest;
  delivery.max_records = static_cast<std::size_t>(get_int(given, "batchSize", 500));
  delivery.live_first = get_string(given, "order", "strict") == "liveFirst";
  delivery.backfill_per_second = get_int(given, "backfillPerSecond", 0);
  return delivery;
}

RetryPolicy retry_of(const Json& node) {
  RetryPolicy policy;
  const Json& given = get_member(node, "retry");
  if (!given.is_object()) return policy;
  policy.max_attempts = static_cast<int>(get_int(given, "maxAttempts", 3));
  policy.initial_delay = std::chrono::milliseconds(get_int(given, "initialDelayMs", 500));
  policy.max_delay = std::chrono::milliseconds(get_int(given, "maxDelayMs", 30'000));
  policy.multiplier = get_double(given, "multiplier", 2);
  return policy;
}

// What onError "continue" means for a node with several ports.
std::size_t continuing_port(const std::vector<std::string>& ports) {
  const auto found = std::find(ports.begin(), ports.end(), "default");
  return found == ports.end() ? 0 : static_cast<std::size_t>(found - ports.begin());
}

class Checker {
 public:
  Checker(const Json& body, const NodeCatalogue& catalogue, const FunctionPort& functions)
      : catalogue_(catalogue), functions_(functions), posted_(body) {}

  Checked run() {
    const schema::Schema schema = body_schema();
    problems_ = schema.validate(posted_);
    if (!problems_.empty()) return {std::move(problems_), {}, nullptr};
    body_ = schema.with_defaults(posted_);
    name_nodes();
    read_edges();
    check_shape();
    build_nodes();
    check_references();
    check_answers();
    check_overlap_policy();
    check_retention();
    if (!problems_.empty()) return {std::move(problems_), {}, nullptr};
    return {{}, std::move(scripts_), assemble()};
  }

 private:
  struct Node {
    const Json* document = nullptr;
    const NodeCatalogue::Entry* entry = nullptr;
    PlanNode plan;
    std::size_t own_ports = 0;            // without "error"
    std::vector<std::size_t> references;  // slots
  };

  void problem(std::string pointer, std::string code, std::string message) {
    problems_.push_back({std::move(pointer), std::move(code), std::move(message)});
  }
  static std::string pointer(std::string_view list, std::size_t index,
                             std::string_view member = {}) {
    return fmt::format("/{}/{}{}", list, index, member);
  }

  std::string known_types() const {
    std::string names;
    for (const auto& entry : catalogue_.entries()) {
      if (!names.empty()) names += ", ";
      names += entry.type.type;
    }
    return names;
  }

  void name_nodes() {
    const Json& list = body_.at("nodes");
    graph_.next.resize(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      Node node;
      node.document = &list[i];
      node.plan.id = get_string(list[i], "id");
      const std::string type = get_string(list[i], "type");
      node.entry = catalogue_.find(type);
      node.plan.trigger = trigger_kind(type);
      node.plan.on_error = on_error_of(list[i]);
      if (node.entry == nullptr) {
        problem(pointer("nodes", i, "/type"), "not_allowed",
                fmt::format("There is no node type '{}'; there are {}.", type, known_types()));
      } else {
        const NodeType& kind = node.entry->type;
        const Json& settings = get_member(list[i], "settings");
        node.plan.ports = kind.ports_of != nullptr ? kind.ports_of(settings) : kind.ports;
        node.own_ports = node.plan.ports.size();
        node.plan.chooses = node.own_ports > 1;
        node.plan.continues = continuing_port(node.plan.ports);
      }
      if (node.plan.on_error == OnError::kErrorPort) node.plan.ports.emplace_back(kErrorPortName);
      node.plan.targets.resize(node.plan.ports.size());
      if (!by_id_.emplace(node.plan.id, i).second) {
        problem(pointer("nodes", i, "/id"), "duplicate",
                fmt::format("Two nodes have the id '{}'.", node.plan.id));
      }
      check_pin(list[i], pointer("nodes", i, "/pin"));
      nodes_.push_back(std::move(node));
    }
  }

  // What a test uses in place of the node: records, or a list of records for each port.
  void check_pin(const Json& node, const std::string& at) {
    if (!node.contains("pin")) return;
    const Json& pin = node.at("pin");
    if (!pin.is_array() && !pin.is_object()) {
      problem(at, "wrong_type", "Pinned data is a list of records, or an object of such lists.");
    } else if (to_text(pin).size() > kMaxPinBytes) {
      problem(at, "too_long", fmt::format("Pinned data has at most {} KiB.", kMaxPinBytes / 1024));
    }
  }

  std::optional<std::size_t> end_of(std::size_t edge, std::string_view member) {
    const std::string id = get_string(body_.at("edges")[edge], member);
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) return found->second;
    problem(pointer("edges", edge, "/" + std::string(member)), "unknown_node",
            fmt::format("There is no node with the id '{}'.", id));
    return std::nullopt;
  }

  std::optional<std::size_t> port_of(std::size_t edge, const Node& node) {
    const Json& document = body_.at("edges")[edge];
    if (node.entry == nullptr) return std::nullopt;  // said already
    const auto& ports = node.plan.ports;
    const std::string all = fmt::format("{}", fmt::join(ports, ", "));
    if (!document.contains("port")) {
      if (node.own_ports == 1) return 0;
      problem(pointer("edges", edge, "/port"), "required",
              fmt::format("'{}' has the ports {}: say which.", node.plan.id, all));
      return std::nullopt;
    }
    const std::string name = get_string(document, "port");
    const auto found = std::find(ports.begin(), ports.end(), name);
    if (found != ports.end()) return static_cast<std::size_t>(found - ports.begin());
    const std::string hint = name == kErrorPortName ? " Set onError to errorPort to have it." : "";
    problem(pointer("edges", edge, "/port"), "unknown_port",
            fmt::format("'{}' has no port '{}'; it has {}.{}", node.plan.id, name, all, hint));
    return std::nullopt;
  }

  void read_edges() {
    const std::size_t count = body_.at("edges").size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto from = end_of(i, "from");
      const auto to = end_of(i, "to");
      if (to && nodes_[*to].plan.trigger != TriggerKind::kNone) {
        problem(pointer("edges", i, "/to"), "trigger_with_input",
                fmt::format("'{}' is a trigger: nothing can lead to it.", nodes_[*to].plan.id));
        continue;
      }
      if (!from || !to) continue;
      const auto port = port_of(i, nodes_[*from]);
      if (!port) continue;
      auto& targets = nodes_[*from].plan.targets[*port];
      if (std::find(targets.begin(), targets.end(), *to) != targets.end()) {
        problem(pointer("edges", i), "duplicate", "The same edge is there twice.");
        continue;
      }
      targets.push_back(*to);
      nodes_[*to].plan.inputs.push_back({*from, *port});
      graph_.next[*from].push_back(*to);
    }
  }

  void check_shape() {
    std::vector<std::size_t> triggers;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].plan.trigger != TriggerKind::kNone) triggers.push_back(i);
    }
    if (triggers.empty()) {
      problem("/nodes", "no_trigger",
              "A pipeline needs a trigger: a node whose type starts with 'trigger.'.");
    }
    if (const auto cycle = graph_.cycle(); !cycle.empty()) {
      std::string names;
      for (const std::size_t node : cycle) names += nodes_[node].plan.id + " → ";
      problem("/edges", "cycle",
              "The nodes go round in a circle: " + names + nodes_[cycle[0]].plan.id + ".");
    }
    const auto reached = graph_.reachable(triggers);
    for (std::size_t i = 0; i < nodes_.size() && !triggers.empty(); ++i) {
      if (!reached[i]) {
        problem(pointer("nodes", i), "unreachable",
                fmt::format("No trigger leads to '{}'.", nodes_[i].plan.id));
      }
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const bool open =
          nodes_[i].plan.on_error == OnError::kErrorPort && nodes_[i].plan.targets.back().empty();
      if (open) {
        problem(pointer("nodes", i, "/onError"), "invalid",
                fmt::format("The port 'error' of '{}' leads nowhere.", nodes_[i].plan.id));
      }
    }
  }

  void build_nodes() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].entry != nullptr) build_node(i);
    }
  }

  void build_node(std::size_t i) {
    Node& node = nodes_[i];
    const std::string at = pointer("nodes", i);
    const schema::Schema& schema = node.entry->schema;
    schema::ValidateOptions options;
    options.base_pointer = at + "/settings";
    auto wrong = schema.validate(node.document->at("settings"), options);
    if (!wrong.empty()) {
      std::move(wrong.begin(), wrong.end(), std::back_inserter(problems_));
      return;
    }
    const Json settings = schema.with_defaults(node.document->at("settings"));
    NodeBuild build{settings, at, functions_, names_, problems_, delivery_of(*node.document)};
    build.has_delivery = node.document->contains("delivery");
    build.repeat_unknown_set =
        build.has_delivery && node.document->at("delivery").contains("repeatUnknown");
    build.timeout = std::chrono::milliseconds(get_int(*node.document, "timeoutMs", 10'000));
    build.retry = retry_of(*node.document);
    check_delivery(*node.document, at);
    check_retry(*node.document, at);
    if (build.has_delivery && node.entry->type.type != "function") {
      problem(at + "/delivery", "invalid",
              "Delivery is for destinations: nodes of the type 'function'.");
    }
    if (node.plan.trigger != TriggerKind::kNone && node.plan.on_error != OnError::kStop) {
      problem(at + "/onError", "invalid", "A trigger has no onError.");
    }
    node.plan.logic = node.entry->type.build(build);
    node.references = names_.take_uses();
    node.plan.scripts = names_.take_scripts();
    node.plan.script_use = build.script_use;
    for (const script::Source& source : node.plan.scripts)
      scripts_.push_back({find_text(settings, source.text, at + "/settings"), source});
    node.plan.delivery = build.delivery;
    node.plan.destination = std::move(build.destination);
    durable_ = durable_ || build.delivery.durable;
    node.plan.function_id = get_string(settings, "functionId");
    node.plan.interval = std::chrono::milliseconds(get_int(settings, "intervalMs", 0));
    node.plan.timeout = build.timeout;
    if (node.plan.trigger != TriggerKind::kNone)
      node.plan.settings = read_trigger_settings(node.plan.trigger, settings);
    if (node.plan.trigger == TriggerKind::kPoll) name_origin(node.plan);
    if (node.plan.trigger == TriggerKind::kConnectionStatus) {
      node.plan.statuses = connect::read_status_filter(settings);
      node.plan.digest = connect::read_digest_rule(settings);
    }
  }

  // What a polled record says about where it comes from.
  void name_origin(PlanNode& node) const {
    const auto function = functions_.find(node.function_id);
    if (!function) return;
    node.function_name = function->name;
    node.function_connection = function->connection_name;
  }

  bool is_respond(std::size_t i) const {
    return nodes_[i].entry != nullptr && nodes_[i].entry->type.type == "respond";
  }

  // A webhook that leads to a respond node waits for its answer.
  void check_answers() {
    std::vector<bool> answered(nodes_.size(), false);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].plan.trigger != TriggerKind::kWebhook) continue;
      const auto reached = graph_.reachable({i});
      for (std::size_t k = 0; k < nodes_.size(); ++k) {
        if (!reached[k] || !is_respond(k)) continue;
        nodes_[i].plan.answers = true;
        answered[k] = true;
      }
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!is_respond(i) || answered[i]) continue;
      problem(
          pointer("nodes", i, "/type"), "no_webhook",
          fmt::format("'{}' answers nobody: no trigger.webhook leads to it.", nodes_[i].plan.id));
    }
  }

  void check_overlap_policy() {
    OverlapTraits traits;
    traits.durable = durable_;
    for (const Node& node : nodes_) {
      if (node.plan.trigger == TriggerKind::kFunction) traits.has_function_trigger = true;
      if (node.entry != nullptr && node.entry->type.keeps_state)
        traits.stateful.push_back(node.plan.id);
    }
    auto wrong = check_overlap(body_, traits);
    std::move(wrong.begin(), wrong.end(), std::back_inserter(problems_));
  }

  void check_delivery(const Json& node, const std::string& at) {
    const Json& delivery = get_member(node, "delivery");
    if (!delivery.is_object()) return;
    const std::string age = get_string(delivery, "deadLetterAfter", "24h");
    if (!parse_duration(age)) {
      problem(at + "/delivery/deadLetterAfter", "out_of_range",
              fmt::format("'{}' is more than 100 years.", age));
    }
    const Json& retry = get_member(delivery, "retry");
    if (retry.is_object() &&
        get_int(retry, "initialDelayMs", 0) > get_int(retry, "maxDelayMs", 0)) {
      problem(at + "/delivery/retry/initialDelayMs", "out_of_range",
              "The first delay is longer than the longest, maxDelayMs.");
    }
  }

  void check_retention() {
    const std::string age = get_string(body_, "keepRunsFor", "30d");
    if (!parse_duration(age)) {
      problem("/keepRunsFor", "out_of_range", fmt::format("'{}' is more than 100 years.", age));
    }
  }

  void check_retry(const Json& node, const std::string& at) {
    const Json& retry = get_member(node, "retry");
    if (!retry.is_object()) return;
    const std::string type = get_string(node, "type");
    if (type != "function" && type != "enrich") {
      problem(at + "/retry", "invalid",
              "Only nodes that call a function try again: 'function' and 'enrich'.");
    } else if (get_string(get_member(node, "delivery"), "mode") == "durable") {
      problem(at + "/retry", "invalid",
              "A durable delivery has retries of its own: write them into delivery.retry.");
    } else if (get_int(retry, "initialDelayMs", 0) > get_int(retry, "maxDelayMs", 0)) {
      problem(at + "/retry/initialDelayMs", "out_of_range",
              "The first delay is longer than the longest, maxDelayMs.");
    }
  }

  // $node("x") must have run before.
  void check_references() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (const std::size_t slot : nodes_[i].references) {
        const std::string& name = names_.names()[slot];
        const auto found = by_id_.find(name);
        if (found == by_id_.end()) {
          problem(pointer("nodes", i, "/settings"), "unknown_node",
                  fmt::format("$node(\"{}\"): there is no node with this id.", name));
        } else if (found->second == i || !graph_.reachable({found->second})[i]) {
          problem(pointer("nodes", i, "/settings"), "invalid_expression",
                  fmt::format("$node(\"{}\") does not come before '{}'.", name, nodes_[i].plan.id));
        }
      }
    }
  }

  using PortNames = std::vector<std::pair<std::string, std::vector<std::string>>>;

  // `ids`: id and ports of every node, in the order of the document.
  static void name_inputs(PlanNode& node, const PortNames& ids) {
    for (const Input& input : node.inputs) {
      const auto same = std::count_if(node.inputs.begin(), node.inputs.end(),
                                      [&](const Input& i) { return i.node == input.node; });
      const auto& [id, ports] = ids[input.node];
      node.input_names.push_back(same > 1 ? id + ":" + ports[input.port] : id);
    }
  }

  std::shared_ptr<Plan> assemble() {
    auto plan = std::make_shared<Plan>();
    plan->history = history_of(body_);
    plan->priority = priority_of(body_);
    plan->slots = names_.names().size();
    plan->slot_names = names_.names();
    plan->keeps_trigger = names_.uses_trigger();
    plan->durable = durable_;
    plan->overlap = read_overlap(body_);
    const auto order = graph_.order();
    std::vector<std::size_t> place(nodes_.size());
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    PortNames ids;
    for (const Node& node : nodes_) ids.emplace_back(node.plan.id, node.plan.ports);
    for (const std::size_t index : order) {
      PlanNode node = std::move(nodes_[index].plan);
      for (auto& targets : node.targets) {
        for (std::size_t& target : targets) target = place[target];
      }
      name_inputs(node, ids);
      for (Input& input : node.inputs) input.node = place[input.node];
      node.slot = names_.find(node.id);
      const auto& known = plan->functions;
      if (!node.function_id.empty() &&
          std::find(known.begin(), known.end(), node.function_id) == known.end()) {
        plan->functions.push_back(node.function_id);
      }
      plan->nodes.push_back(std::move(node));
    }
    return plan;
  }

  const NodeCatalogue& catalogue_;
  const FunctionPort& functions_;
  const Json& posted_;
  Json body_;
  std::vector<Node> nodes_;
  std::map<std::string, std::size_t> by_id_;
  Graph graph_;
  expression::NodeNames names_;
  std::vector<schema::FieldError> problems_;
  std::vector<Checked::Script> scripts_;
  bool durable_ = false;
};

}  // namespace

bool PlanNode::is_end() const {
  return std::all_of(targets.begin(), targets.end(), [](const auto& t) { return t.empty(); });
}

Retention retention_of(const Json& document) {
  Retention retention;
  retention.keep = static_cast<std::size_t>(
      get_int(document, "keepRuns", static_cast<std::int64_t>(retention.keep)));
  retention.age = parse_duration(get_string(document, "keepRunsFor")).value_or(retention.age);
  return retention;
}

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  if (read.ec != std::errc{}) return std::nullopt;
  const std::string_view unit(read.ptr,
                              static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  if (unit == "ms") return std::chrono::milliseconds(count);
  if (unit == "s") return std::chrono::seconds(count);
  // Up to 100 years fit into a Duration with room to spare.
  constexpr std::int64_t kMaxDays = 36'500;
  if (unit == "m" && count <= kMaxDays * 1440) return std::chrono::minutes(count);
  if (unit == "h" && count <= kMaxDays * 24) return std::chrono::hours(count);
  if (unit == "d" && count <= kMaxDays) return std::chrono::hours(24 * count);
  return std::nullopt;
}

Checked check_pipeline(const Json& body, const NodeCatalogue& catalogue,
                       const FunctionPort& functions) {
  return Checker(body, catalogue, functions).run();
}

}  // namespace tributary::orchestrate
