// Random pipelines over random batches give what a simple interpreter gives that takes one record
// after the other, by recursion, and knows nothing of batches, ports as indices, compiled
// expressions, held records or time. Nodes whose result depends on the order in which records reach
// them are compared with an interpreter of their own, behind a trigger.
#include <fmt/format.h>

#include <set>

#include "nodes_support.hpp"

namespace tributary::orchestrate {
namespace {

struct Sample3 {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::optional<std::int64_t> z;  // in a nested object; missing in some records
  std::vector<std::int64_t> items;
  std::optional<std::int64_t> text;  // what the field "p" says, once a template wrote it

  friend auto operator<=>(const Sample3&, const Sample3&) = default;
};

// An expression over x, y and nested.z, as a tree, as text and as a value.
struct Expression {
  char op = 'c';  // c constant, x, y, z, or an operator
  std::int64_t constant = 0;
  std::vector<Expression> parts;

  std::string text() const {
    switch (op) {
      case 'c':
        return std::to_string(constant);
      case 'x':
        return "$input.x";
      case 'y':
        return "$input[\"y\"]";
      case 'z':
        return "$input.nested.z";
      case '?':
        return fmt::format("({} > {} ? {} : {})", parts[0].text(), constant, parts[1].text(),
                           parts[2].text());
      default:
        return fmt::format("({} {} {})", parts[0].text(), op, parts[1].text());
    }
  }

  // nullopt: JavaScript would throw.
  std::optional<std::int64_t> value(const Sample3& record) const {
    if (op == 'c') return constant;
    if (op == 'x') return record.x;
    if (op == 'y') return record.y;
    if (op == 'z') return record.z;
    const auto left = parts[0].value(record);
    if (!left) return std::nullopt;
    if (op == '?') return *left > constant ? parts[1].value(record) : parts[2].value(record);
    const auto right = parts[1].value(record);
    if (!right) return std::nullopt;
    if (op == '+') return *left + *right;
    return op == '-' ? *left - *right : *left * *right;
  }
};

struct TestNode {
  // s set, c condition, w write, f filter, h switch, d deduplicate, b buffer, z wait, e forEach,
  // a merge (any), v convert, t template, p parse
  char kind = 's';
  Expression expression;
  Expression second;  // of a switch: its second case
  bool all = false;   // of a switch: its mode
  bool sets_x = true;
  OnError on_error = OnError::kStop;
  std::map<std::string, std::vector<std::size_t>> targets;  // by port
};

constexpr std::int64_t kRefusedRemainder = 5;

// Writes of x that the destination refuses.
bool refuses(std::int64_t x) {
  return x % kRefusedRemainder == 0;
}

// x is valid for a convert node.
constexpr std::int64_t kMaxConverted = 20;

struct Outcome3 {
  std::multiset<std::string> written;
  std::map<std::size_t, std::set<Sample3>> passed;  // deduplicate nodes
  std::int64_t out = 0, errors = 0, handled = 0, filtered = 0, copied = 0;
};

struct TestPipeline {
  std::vector<TestNode> nodes;
  std::vector<std::size_t> first;  // targets of the trigger

  bool multiplies(std::size_t index) const {
    return nodes[index].kind == 'e' || (nodes[index].kind == 'h' && nodes[index].all);
  }

  void interpret(std::size_t index, Sample3 record, Outcome3& outcome) const {
    const TestNode& node = nodes[index];
    if (node.kind == 'w') {
      outcome.written.insert(fmt::format("n{}: {} {}", index, record.x, record.y));
      if (refuses(record.x)) return failed(index, record, outcome);
      return forward(index, "out", record, outcome);
    }
    if (std::string_view("sfch").find(node.kind) == std::string_view::npos) {
      return pass_without_expression(index, std::move(record), outcome);
    }
    if (node.kind == 'h') return switch_ports(index, record, outcome);
    const auto value = node.expression.value(record);
    if (!value) return failed(index, record, outcome);
    if (node.kind == 'f') {
      if (*value <= 0) return static_cast<void>(++outcome.filtered);
      return forward(index, "out", record, outcome);
    }
    if (node.kind == 'c') return forward(index, *value > 0 ? "true" : "false", record, outcome);
    (node.sets_x ? record.x : record.y) = *value;
    forward(index, "out", record, outcome);
  }

  void pass_without_expression(std::size_t index, Sample3 record, Outcome3& outcome) const {
    switch (nodes[index].kind) {
      case 'd':
        if (!outcome.passed[index].insert(record).second) {
          return static_cast<void>(++outcome.filtered);
        }
        break;
      case 'e':
        if (record.items.empty()) return static_cast<void>(++outcome.filtered);
        outcome.copied += static_cast<std::int64_t>(record.items.size()) - 1;
        for (const std::int64_t item : record.items) {
          Sample3 made = record;
          made.x = item;
          forward(index, "out", made, outcome);
        }
        return;
      case 'v':
        if (std::abs(record.x) > kMaxConverted) return failed(index, record, outcome);
        break;
      case 't':
        record.text = record.x;
        break;
      case 'p':
        if (!record.text) return failed(index, record, outcome);
        record.x = *record.text;
        break;
      default:
        break;  // buffer, wait, merge
    }
    forward(index, "out", record, outcome);
  }

  void switch_ports(std::size_t index, const Sample3& record, Outcome3& outcome) const {
    const TestNode& node = nodes[index];
    std::vector<std::string> ports;
    const auto first = node.expression.value(record);
    if (!first) return failed(index, record, outcome);
    if (*first > 0) ports.emplace_back("case1");
    if (ports.empty() || node.all) {
      const auto second = node.second.value(record);
      if (!second) return failed(index, record, outcome);
      if (*second > 0) ports.emplace_back("case2");
    }
    if (ports.empty()) ports.emplace_back("default");
    outcome.copied += static_cast<std::int64_t>(ports.size()) - 1;
    for (const std::string& port : ports) forward(index, port, record, outcome);
  }

  void failed(std::size_t index, const Sample3& record, Outcome3& outcome) const {
    const TestNode& node = nodes[index];
    if (node.on_error == OnError::kStop) {
      ++outcome.errors;
      return;
    }
    ++outcome.handled;
    if (node.on_error == OnError::kErrorPort) return forward(index, "error", record, outcome);
    const std::string port = node.kind == 'c' ? "true" : node.kind == 'h' ? "default" : "out";
    forward(index, port, record, outcome);
  }

  void forward(std::size_t index, const std::string& port, const Sample3& record,
               Outcome3& outcome) const {
    const TestNode& node = nodes[index];
    const auto found = node.targets.find(port);
    if (found == node.targets.end()) {
      const bool chooses = node.kind == 'c' || node.kind == 'h';
      const bool filtered = chooses && !node.targets.empty();
      ++(filtered ? outcome.filtered : outcome.out);
      return;
    }
    outcome.copied += static_cast<std::int64_t>(found->second.size()) - 1;
    for (const std::size_t target : found->second) interpret(target, record, outcome);
  }

  static std::string quoted(const Expression& expression, std::string_view behind) {
    return to_text(Json(fmt::format("{{{{ {}{} }}}}", expression.text(), behind)));
  }

  // Type and settings of a node.
  std::pair<std::string, std::string> describe(std::size_t i) const {
    const TestNode& node = nodes[i];
    switch (node.kind) {
      case 's':
        return {"set", fmt::format(R"({{"fields": {{"{}": {}}}}})", node.sets_x ? "x" : "y",
                                   quoted(node.expression, ""))};
      case 'c':
        return {"condition",
                fmt::format(R"({{"expression": {}}})", quoted(node.expression, " > 0"))};
      case 'f':
        return {"filter", fmt::format(R"({{"expression": {}}})", quoted(node.expression, " > 0"))};
      case 'h':
        return {"switch",
                fmt::format(
                    R"({{"mode": "{}", "cases": [{{"expression": {}}}, {{"expression": {}}}]}})",
                    node.all ? "all" : "first", quoted(node.expression, " > 0"),
                    quoted(node.second, " > 0"))};
      case 'd':
        return {
            "deduplicate",
            R"({"key": "{{ $input.x + '/' + $input.y + '/' + ($input.nested?.z ?? '-') + '/' + $input.items + '/' + ($input.p ?? '-') }}"})"};
      case 'b':
        return {"buffer", fmt::format(R"({{"maxCount": {}, "maxAgeMs": 1000}})", i + 2)};
      case 'z':
        return {"wait", fmt::format(R"({{"delayMs": {}}})", 700 * (i + 1))};
      case 'e':
        return {"forEach", R"({"expression": "{{ $input.items }}", "as": "x", "include": "all"})"};
      case 'a':
        return {"merge", R"({"mode": "any"})"};
      case 'v':
        return {
            "convert",
            fmt::format(
                R"({{"fields": [{{"field": "x", "type": "integer", "minimum": -{0}, "maximum": {0}}}]}})",
                kMaxConverted)};
      case 't':
        return {"template", R"({"format": "json", "document": "{{ $input.x }}", "into": "p"})"};
      case 'p':
        return {"parse",
                R"({"format": "json", "from": "{{ $input.p }}", "output": "field", "into": "x"})"};
      default:
        return {
            "function",
            fmt::format(
                R"({{"functionId": "write", "concurrency": {}, "parameters": {{"node": "n{}"}}}})",
                i % 3 + 1, i)};
    }
  }

  std::string document() const {
    std::string list =
        R"({"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}})";
    std::string edges;
    const auto edge = [&edges](const std::string& from, const std::string& port, std::size_t to) {
      edges += fmt::format(R"({}{{"from": "{}", "port": "{}", "to": "n{}"}})",
                           edges.empty() ? "" : ", ", from, port, to);
    };
    for (const std::size_t target : first) edge("t", "out", target);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const TestNode& node = nodes[i];
      constexpr std::array<std::string_view, 3> kModes = {"stop", "continue", "errorPort"};
      const auto [type, settings] = describe(i);
      list += fmt::format(R"(, {{"id": "n{}", "type": "{}", "onError": "{}", "settings": {}}})", i,
                          type, kModes[static_cast<std::size_t>(node.on_error)], settings);
      for (const auto& [port, targets] : node.targets) {
        for (const std::size_t target : targets) edge(fmt::format("n{}", i), port, target);
      }
    }
    return fmt::format(R"({{"name": "random", "nodes": [{}], "edges": [{}]}})", list, edges);
  }
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_.next() % bound; }

  Expression expression(int depth) {
    Expression made;
    const std::size_t choice = below(depth > 0 ? 9 : 4);
    made.constant = static_cast<std::int64_t>(below(7)) - 3;
    if (choice >= 4) {
      constexpr std::string_view kOperators = "+-*?+";
      made.op = kOperators[choice - 4];
      const std::size_t parts = made.op == '?' ? 3 : 2;
      for (std::size_t i = 0; i < parts; ++i) made.parts.push_back(expression(depth - 1));
    } else {
      constexpr std::string_view kLeaves = "cxyz";
      made.op = kLeaves[choice];
    }
    return made;
  }

  // Nodes only lead forward, and every node but the last few is led to.
  TestPipeline pipeline() {
    TestPipeline made;
    const std::size_t count = 1 + below(8);
    int lists = 0;  // each multiplies the records
    for (std::size_t i = 0; i < count; ++i) {
      TestNode node;
      constexpr std::string_view kKinds = "sscwfhdbzeavtp";
      node.kind = kKinds[below(kKinds.size())];
      if (node.kind == 'e' && ++lists > 2) node.kind = 's';
      node.expression = expression(2);
      node.second = expression(1);
      node.all = below(2) == 0;
      node.sets_x = below(2) == 0;
      node.on_error = static_cast<OnError>(below(3));
      if (i + 1 == count && node.on_error == OnError::kErrorPort) node.on_error = OnError::kStop;
      made.nodes.push_back(std::move(node));
      connect(made, i);
      if (below(4) == 0) connect(made, i);
    }
    // An error port must lead somewhere.
    for (std::size_t i = 0; i + 1 < count; ++i) {
      TestNode& node = made.nodes[i];
      if (node.on_error == OnError::kErrorPort && !node.targets.contains("error")) {
        node.targets["error"].push_back(i + 1);
      }
    }
    return made;
  }

  std::vector<Sample3> batch() {
    std::vector<Sample3> records(below(12) + 1);
    for (Sample3& record : records) {
      record.x = static_cast<std::int64_t>(below(21)) - 10;
      record.y = static_cast<std::int64_t>(below(21)) - 10;
      if (below(4) != 0) record.z = static_cast<std::int64_t>(below(5));
      for (std::size_t i = below(4); i > 0; --i) {
        record.items.push_back(static_cast<std::int64_t>(below(21)) - 10);
      }
    }
    return records;
  }

 private:
  void connect(TestPipeline& made, std::size_t to) {
    const std::size_t from = below(to + 1);  // `to` itself stands for the trigger
    std::vector<std::size_t>* targets = &made.first;
    if (from != to) {
      TestNode& node = made.nodes[from];
      std::string port = node.kind == 'c' ? (below(2) == 0 ? "true" : "false") : "out";
      constexpr std::array<std::string_view, 3> kCases = {"case1", "case2", "default"};
      if (node.kind == 'h') port = kCases[below(3)];
      if (node.on_error == OnError::kErrorPort && below(2) == 0) port = "error";
      targets = &node.targets[port];
    }
    if (std::find(targets->begin(), targets->end(), to) == targets->end()) targets->push_back(to);
  }

  SeededRandom random_;
};

Json record_of(const Sample3& sample) {
  Json record = json_object();
  record.insert_or_assign("x", sample.x);
  record.insert_or_assign("y", sample.y);
  if (sample.z) {
    Json nested = json_object();
    nested.insert_or_assign("z", *sample.z);
    record.insert_or_assign("nested", std::move(nested));
  }
  Json items = json_array();
  for (const std::int64_t item : sample.items) items.push_back(item);
  record.insert_or_assign("items", std::move(items));
  return record;
}

TEST(Property, RandomPipelinesAgreeWithTheReferenceInterpreter) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Generator generator(seed);
    const TestPipeline pipeline = generator.pipeline();
    SCOPED_TRACE(fmt::format("seed {}: {}", seed, pipeline.document()));
    RunnerWorld world;
    world.port.answer = [](const Call& call) -> Result<Batch> {
      const Json& payload = get_member(call.parameters, "payload");
      if (refuses(get_int(payload, "x", 0))) return fail(ErrorClass::kFunction, "refused", "No.");
      return Batch::of(std::vector<Record>{});
    };
    ASSERT_NO_FATAL_FAILURE(world.start(pipeline.document()));
    Outcome3 expected;
    std::int64_t offered = 0;
    for (int batch = 0; batch < 3; ++batch) {
      std::vector<Record> records;
      for (const Sample3& sample : generator.batch()) {
        ++offered;
        records.push_back(record_of(sample));
        if (pipeline.first.empty()) {
          ++expected.out;
          continue;
        }
        expected.copied += static_cast<std::int64_t>(pipeline.first.size()) - 1;
        for (const std::size_t target : pipeline.first)
          pipeline.interpret(target, sample, expected);
      }
      const auto accepted = world.deliver(std::move(records));
      ASSERT_TRUE(accepted->has_value());
      ASSERT_TRUE(world.snapshot().flow.adds_up());
    }
    // Whatever waits goes on.
    world.advance(std::chrono::hours(1));
    std::multiset<std::string> written;
    for (const Call& call : world.port.calls) {
      const Json& payload = get_member(call.parameters, "payload");
      written.insert(fmt::format("{}: {} {}", get_string(call.parameters, "node"),
                                 get_int(payload, "x", -999), get_int(payload, "y", -999)));
    }
    const Snapshot now = world.snapshot();
    ASSERT_EQ(written, expected.written);
    ASSERT_EQ(now.flow.in, offered);
    ASSERT_EQ(now.flow.out, expected.out);
    ASSERT_EQ(now.flow.errors, expected.errors);
    ASSERT_EQ(now.flow.handled, expected.handled);
    ASSERT_EQ(now.flow.filtered, expected.filtered);
    ASSERT_EQ(now.flow.copied, expected.copied);
    ASSERT_EQ(now.flow.held, 0);
    ASSERT_TRUE(now.flow.adds_up());
    for (std::size_t i = 0; i < now.nodes.size(); ++i) {
      const NodeCounts& node = now.nodes[i];
      const std::string& id = world.runner->plan().nodes[i].id;
      const bool multiplies = id != "t" && pipeline.multiplies(std::stoul(id.substr(1)));
      const std::int64_t left = node.out + node.errors + node.filtered + node.dropped;
      ASSERT_TRUE(multiplies ? left >= node.in : left == node.in) << id;
    }
  }
}

// ---- nodes that depend on order, one behind a trigger ----

struct Step {
  std::int64_t key = 0;
  std::int64_t value = 0;
};

std::vector<std::vector<Step>> random_batches(SeededRandom& random) {
  std::vector<std::vector<Step>> batches(1 + random.next() % 6);
  for (auto& batch : batches) {
    batch.resize(1 + random.next() % 8);
    for (Step& step : batch) {
      step.key = static_cast<std::int64_t>(random.next() % 3);
      step.value = static_cast<std::int64_t>(random.next() % 41) - 20;
    }
  }
  return batches;
}

// What the node lets go, as "key value" of its records, in order.
std::vector<std::string> run_node(std::string_view type, std::string_view settings,
                                  const std::vector<std::vector<Step>>& batches,
                                  std::string_view shown) {
  NodeWorld world;
  world.start_node(type, settings);
  for (const auto& batch : batches) {
    std::vector<Record> records;
    for (const Step& step : batch) {
      Json record = json_object();
      record.insert_or_assign("k", step.key);
      record.insert_or_assign("v", step.value);
      records.push_back(std::move(record));
    }
    world.deliver(std::move(records));
    EXPECT_TRUE(world.snapshot().flow.adds_up());
  }
  std::vector<std::string> out;
  const Json made = json(world.take());
  for (const Json& record : made.array_range()) out.push_back(to_text(record.at(shown)));
  return out;
}

TEST(Property, DeadbandAgreesWithItsDefinition) {
  SeededRandom random(7);
  for (int round = 0; round < 60; ++round) {
    const auto batches = random_batches(random);
    const auto band = static_cast<std::int64_t>(random.next() % 12);
    std::vector<std::string> expected;
    std::map<std::int64_t, std::int64_t> last;
    for (const auto& batch : batches) {
      for (const Step& step : batch) {
        const auto known = last.find(step.key);
        if (known != last.end() && std::abs(known->second - step.value) <= band) continue;
        last[step.key] = step.value;
        expected.push_back(std::to_string(step.value));
      }
    }
    const std::string settings = fmt::format(
        R"({{"key": "{{{{ $input.k }}}}", "fields": [{{"field": "v", "deadband": {}}}]}})", band);
    ASSERT_EQ(run_node("deadband", settings, batches, "v"), expected) << settings;
  }
}

TEST(Property, AggregateByCountAgreesWithItsDefinition) {
  SeededRandom random(11);
  for (int round = 0; round < 60; ++round) {
    const auto batches = random_batches(random);
    const std::size_t size = 1 + random.next() % 4;
    const std::size_t every = 1 + random.next() % 5;
    std::vector<std::string> expected;
    std::map<std::int64_t, std::vector<std::int64_t>> seen;
    for (const auto& batch : batches) {
      for (const Step& step : batch) {
        auto& values = seen[step.key];
        values.push_back(step.value);
        if (values.size() < size || (values.size() - size) % every != 0) continue;
        std::int64_t sum = 0;
        for (std::size_t i = values.size() - size; i < values.size(); ++i) sum += values[i];
        expected.push_back(std::to_string(sum));
      }
    }
    const std::string settings = fmt::format(
        R"({{"window": "count", "count": {}, "everyCount": {}, "key": "{{{{ $input.k }}}}",
            "fields": [{{"name": "sum", "function": "sum", "value": "{{{{ $input.v }}}}"}}]}})",
        size, every);
    ASSERT_EQ(run_node("aggregate", settings, batches, "sum"), expected) << settings;
  }
}

TEST(Property, BufferAgreesWithItsDefinition) {
  SeededRandom random(13);
  for (int round = 0; round < 60; ++round) {
    const auto batches = random_batches(random);
    const std::size_t count = 1 + random.next() % 4;
    std::vector<std::string> expected;
    std::map<std::int64_t, std::vector<std::int64_t>> waiting;
    for (const auto& batch : batches) {
      for (const Step& step : batch) {
        auto& values = waiting[step.key];
        values.push_back(step.value);
        if (values.size() < count) continue;
        for (const std::int64_t value : values) expected.push_back(std::to_string(value));
        values.clear();
      }
    }
    const std::string settings =
        fmt::format(R"({{"maxCount": {}, "maxAgeMs": 0, "key": "{{{{ $input.k }}}}"}})", count);
    ASSERT_EQ(run_node("buffer", settings, batches, "v"), expected) << settings;
  }
}

// Two edges: records with an even value come by one, those with an odd value by the other.
TEST(Property, MergeAgreesWithItsDefinition) {
  SeededRandom random(17);
  for (int round = 0; round < 60; ++round) {
    const bool keyed = random.next() % 2 == 0;
    const auto batches = random_batches(random);
    std::multiset<std::string> expected;
    std::map<std::int64_t, std::pair<std::deque<std::int64_t>, std::deque<std::int64_t>>> waiting;
    NodeWorld world;
    world.start(fmt::format(
        R"({{"name": "x", "nodes": [
          {{"id": "t", "type": "trigger.function", "settings": {{"functionId": "sub"}}}},
          {{"id": "c", "type": "condition", "settings": {{"expression": "{{{{ $input.even }}}}"}}}},
          {{"id": "n", "type": "merge", "settings": {}}},
          {{"id": "d", "type": "function", "settings": {{"functionId": "write", "parameters": {{"port": "out"}}}}}}],
          "edges": [{{"from": "t", "to": "c"}}, {{"from": "c", "port": "true", "to": "n"}},
                    {{"from": "c", "port": "false", "to": "n"}}, {{"from": "n", "to": "d"}}]}})",
        keyed ? R"({"mode": "key", "key": "{{ $input.k }}", "timeoutMs": 0})"
              : R"({"timeoutMs": 0})"));
    for (const auto& batch : batches) {
      std::vector<Record> records;
      for (const Step& step : batch) {
        const bool even = step.value % 2 == 0;
        Json record = json_object();
        record.insert_or_assign("k", step.key);
        record.insert_or_assign("even", even);
        record.insert_or_assign(even ? "a" : "b", step.value);
        records.push_back(std::move(record));
        auto& [evens, odds] = waiting[keyed ? step.key : 0];
        (even ? evens : odds).push_back(step.value);
        if (evens.empty() || odds.empty()) continue;
        expected.insert(fmt::format("{} {}", evens.front(), odds.front()));
        evens.pop_front();
        odds.pop_front();
      }
      world.deliver(std::move(records));
      ASSERT_TRUE(world.snapshot().flow.adds_up());
    }
    std::int64_t held = 0;
    for (const auto& [key, both] : waiting) {
      held += static_cast<std::int64_t>(both.first.size() + both.second.size());
    }
    std::multiset<std::string> made;
    const Json sent = json(world.take());
    for (const Json& record : sent.array_range()) {
      made.insert(fmt::format("{} {}", get_int(record, "a", 0), get_int(record, "b", 0)));
    }
    ASSERT_EQ(made, expected);
    ASSERT_EQ(world.held(), held);
  }
}

}  // namespace
}  // namespace tributary::orchestrate
