// Random pipelines over random batches give what a simple interpreter gives that takes one record
// after the other, by recursion, and knows nothing of batches, ports as indices or compiled
// expressions.
#include <fmt/format.h>

#include <set>

#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

struct Sample3 {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::optional<std::int64_t> z;  // in a nested object; missing in some records
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
  char kind = 's';  // s set, c condition, w write
  Expression expression;
  bool sets_x = true;
  OnError on_error = OnError::kStop;
  std::map<std::string, std::vector<std::size_t>> targets;  // by port
};

constexpr std::int64_t kRefusedRemainder = 5;

// Writes of x that the destination refuses.
bool refuses(std::int64_t x) {
  return x % kRefusedRemainder == 0;
}

struct Outcome3 {
  std::multiset<std::string> written;
  std::int64_t out = 0, errors = 0, handled = 0, filtered = 0, copied = 0;
};

struct TestPipeline {
  std::vector<TestNode> nodes;
  std::vector<std::size_t> first;  // targets of the trigger

  void interpret(std::size_t index, Sample3 record, Outcome3& outcome) const {
    const TestNode& node = nodes[index];
    if (node.kind == 'w') {
      outcome.written.insert(fmt::format("n{}: {} {}", index, record.x, record.y));
      if (refuses(record.x)) return failed(index, record, outcome);
      return forward(index, "out", record, outcome);
    }
    const auto value = node.expression.value(record);
    if (!value) return failed(index, record, outcome);
    if (node.kind == 'c') return forward(index, *value > 0 ? "true" : "false", record, outcome);
    (node.sets_x ? record.x : record.y) = *value;
    forward(index, "out", record, outcome);
  }

  void failed(std::size_t index, const Sample3& record, Outcome3& outcome) const {
    const TestNode& node = nodes[index];
    if (node.on_error == OnError::kStop) {
      ++outcome.errors;
      return;
    }
    ++outcome.handled;
    if (node.on_error == OnError::kErrorPort) return forward(index, "error", record, outcome);
    forward(index, node.kind == 'c' ? "true" : "out", record, outcome);
  }

  void forward(std::size_t index, const std::string& port, const Sample3& record,
               Outcome3& outcome) const {
    const TestNode& node = nodes[index];
    const auto found = node.targets.find(port);
    if (found == node.targets.end()) {
      const bool filtered = node.kind == 'c' && !node.targets.empty();
      ++(filtered ? outcome.filtered : outcome.out);
      return;
    }
    outcome.copied += static_cast<std::int64_t>(found->second.size()) - 1;
    for (const std::size_t target : found->second) interpret(target, record, outcome);
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
      const std::string text =
          to_text(Json("{{ " + node.expression.text() + (node.kind == 'c' ? " > 0" : "") + " }}"));
      std::string settings =
          fmt::format(R"({{"fields": {{"{}": {}}}}})", node.sets_x ? "x" : "y", text);
      if (node.kind == 'c') settings = fmt::format(R"({{"expression": {}}})", text);
      if (node.kind == 'w')
        settings = fmt::format(
            R"({{"functionId": "write", "concurrency": {}, "parameters": {{"node": "n{}"}}}})",
            i % 3 + 1, i);
      constexpr std::array<std::string_view, 3> kTypes = {"set", "condition", "function"};
      const std::size_t type = node.kind == 's' ? 0 : node.kind == 'c' ? 1 : 2;
      list += fmt::format(R"(, {{"id": "n{}", "type": "{}", "onError": "{}", "settings": {}}})", i,
                          kTypes[type], kModes[static_cast<std::size_t>(node.on_error)], settings);
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
    const std::size_t count = 1 + below(7);
    for (std::size_t i = 0; i < count; ++i) {
      TestNode node;
      constexpr std::string_view kKinds = "sscw";
      node.kind = kKinds[below(4)];
      node.expression = expression(2);
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
    }
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
    ASSERT_TRUE(now.flow.adds_up());
    for (const NodeCounts& node : now.nodes)
      ASSERT_EQ(node.in, node.out + node.errors + node.filtered + node.dropped);
  }
}

}  // namespace
}  // namespace tributary::orchestrate
