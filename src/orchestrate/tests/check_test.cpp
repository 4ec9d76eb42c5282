#include "orchestrate/model/graph.hpp"
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

struct Rule {
  std::string_view name;
  std::string_view body;
  std::string_view expected;  // "pointer code" of every problem, separated by " | "
};

void PrintTo(const Rule& rule, std::ostream* out) {
  *out << rule.name;
}

class PipelineRule : public testing::TestWithParam<Rule> {};

std::string problems_of(std::string_view body, std::string* messages = nullptr) {
  RunnerWorld world;
  const Json document = json(body);
  const Checked checked = check_pipeline(document, world.catalogue, world.port);
  EXPECT_EQ(checked.plan == nullptr, !checked.problems.empty());
  std::string all;
  for (const auto& problem : checked.problems) {
    if (!all.empty()) all += " | ";
    all += problem.pointer + " " + problem.code;
    if (messages != nullptr) *messages += problem.message + "\n";
    EXPECT_FALSE(problem.message.empty());
  }
  return all;
}

TEST_P(PipelineRule, AnswersWithPointers) {
  std::string messages;
  EXPECT_EQ(problems_of(GetParam().body, &messages), GetParam().expected) << messages;
}

#define MANUAL R"({"id": "t", "type": "trigger.manual"})"

constexpr Rule kRules[] = {
    {"The example of the API", R"({
      "name": "filler to broker", "enabled": true, "history": "standard", "labels": {"site": "izmir"},
      "nodes": [ {"id": "t1", "type": "trigger.function", "settings": {"functionId": "sub"}},
                 {"id": "n1", "type": "set", "settings": {"fields": {"line": 3, "celsius": "{{ ($input.temperature - 32) / 1.8 }}"}, "include": "all"}},
                 {"id": "n2", "type": "condition", "settings": {"expression": "{{ $input.running }}"}},
                 {"id": "d1", "type": "function", "settings": {"functionId": "write", "parameters": {"topic": "plant/{{ $input.line }}/filler"}},
                  "delivery": {"mode": "durable", "retry": {"maxAttempts": 0}, "deadLetterAfter": "24h"}} ],
      "edges": [ {"from": "t1", "to": "n1"}, {"from": "n1", "to": "n2"}, {"from": "n2", "port": "true", "to": "d1"} ] })",
     ""},
    {"A trigger alone", R"({"name": "x", "nodes": [)" MANUAL R"(]})", ""},
    {"No name", R"({"nodes": [)" MANUAL R"(]})", "/name required"},
    {"No nodes", R"({"name": "x", "nodes": []})", "/nodes too_short"},
    {"Unknown top-level key", R"({"name": "x", "colour": "red", "nodes": [)" MANUAL R"(]})",
     "/colour unknown_property"},
    {"Unknown key of a node",
     R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.manual", "x": 1}]})",
     "/nodes/0/x unknown_property"},
    {"History", R"({"name": "x", "history": "some", "nodes": [)" MANUAL R"(]})",
     "/history not_allowed"},
    {"Node id", R"({"name": "x", "nodes": [{"id": "a b", "type": "trigger.manual"}]})",
     "/nodes/0/id pattern"},
    {"Duplicate id", R"({"name": "x", "nodes": [)" MANUAL "," MANUAL R"(]})",
     "/nodes/1/id duplicate"},
    {"Unknown type",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "sett"}], "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/type not_allowed"},
    {"Edge from nowhere",
     R"({"name": "x", "nodes": [)" MANUAL R"(], "edges": [{"from": "a", "to": "t"}]})",
     "/edges/0/from unknown_node | /edges/0/to trigger_with_input"},
    {"Edge to nowhere",
     R"({"name": "x", "nodes": [)" MANUAL R"(], "edges": [{"from": "t", "to": "b"}]})",
     "/edges/0/to unknown_node"},
    {"Unknown port",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {}}}],
      "edges": [{"from": "t", "port": "true", "to": "n"}]})",
     "/edges/0/port unknown_port | /nodes/1 unreachable"},
    {"A condition needs a port", R"({"name": "x", "nodes": [)" MANUAL R"(,
      {"id": "c", "type": "condition", "settings": {"expression": "{{ true }}"}}, {"id": "n", "type": "set", "settings": {"fields": {}}}],
      "edges": [{"from": "t", "to": "c"}, {"from": "c", "to": "n"}]})",
     "/edges/1/port required | /nodes/2 unreachable"},
    {"The same edge twice",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {}}}],
      "edges": [{"from": "t", "to": "n"}, {"from": "t", "port": "out", "to": "n"}]})",
     "/edges/1 duplicate"},
    {"Trigger with input",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "u", "type": "trigger.manual"}], "edges": [{"from": "t", "to": "u"}]})",
     "/edges/0/to trigger_with_input"},
    {"No trigger",
     R"({"name": "x", "nodes": [{"id": "n", "type": "set", "settings": {"fields": {}}}]})",
     "/nodes no_trigger"},
    {"Unreachable",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {}}}]})",
     "/nodes/1 unreachable"},
    {"Cycle",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "a", "type": "set", "settings": {"fields": {}}}, {"id": "b", "type": "set", "settings": {"fields": {}}}],
      "edges": [{"from": "t", "to": "a"}, {"from": "a", "to": "b"}, {"from": "b", "to": "a"}]})",
     "/edges cycle"},
    {"A node that leads to itself",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "a", "type": "set", "settings": {"fields": {}}}],
      "edges": [{"from": "t", "to": "a"}, {"from": "a", "to": "a"}]})",
     "/edges cycle"},
    {"Trigger function that does not exist",
     R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "gone"}}]})",
     "/nodes/0/settings/functionId unknown_function"},
    {"Trigger function of the wrong kind",
     R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "read"}}]})",
     "/nodes/0/settings/functionId wrong_function_kind"},
    {"Trigger without function",
     R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.function"}]})",
     "/nodes/0/settings/functionId required"},
    {"Node function that does not exist",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "function", "settings": {"functionId": "gone"}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/settings/functionId unknown_function"},
    {"Node function of the wrong kind",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "function", "settings": {"functionId": "sub"}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/settings/functionId wrong_function_kind"},
    {"Interval below the bound",
     R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.schedule", "settings": {"intervalMs": 9}}]})",
     "/nodes/0/settings/intervalMs out_of_range"},
    {"Interval above the bound",
     R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.schedule", "settings": {"intervalMs": 86400001}}]})",
     "/nodes/0/settings/intervalMs out_of_range"},
    {"Unknown setting",
     R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.schedule", "settings": {"intervalMs": 100, "crown": "* * * * *"}}]})",
     "/nodes/0/settings/crown unknown_property"},
    {"Expression in a field",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {"a": 1, "b": {"c": "{{ 1 + }}"}}}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/settings/fields/b/c invalid_expression"},
    {"Field name",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {"a..b": 1}}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/settings/fields/a..b invalid"},
    {"Expression of a condition",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "condition", "settings": {"expression": "{{ eval(1) }}"}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/settings/expression invalid_expression"},
    {"A condition without braces",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "condition", "settings": {"expression": "$input.running"}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/settings/expression invalid_expression"},
    {"Expression in parameters",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "function", "settings": {"functionId": "write", "parameters": {"topic": "a/{{ $inptu.x }}"}}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/settings/parameters/topic invalid_expression"},
    {"$node that does not exist",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {"a": "{{ $node('m').x }}"}}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/settings unknown_node"},
    {"$node that comes later",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {"a": "{{ $node('m').x }}"}}},
      {"id": "m", "type": "set", "settings": {"fields": {}}}], "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "m"}]})",
     "/nodes/1/settings invalid_expression"},
    {"$node of itself",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {"a": "{{ $node('n').x }}"}}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/settings invalid_expression"},
    {"Delivery mode",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "sure"}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/delivery/mode not_allowed"},
    {"Delivery age",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "durable", "deadLetterAfter": "soon"}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/delivery/deadLetterAfter pattern"},
    {"Delivery age of centuries",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "durable", "deadLetterAfter": "999999d"}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/delivery/deadLetterAfter out_of_range"},
    {"Delivery of a set node",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {}}, "delivery": {"mode": "durable"}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/delivery invalid"},
    {"Delivery of a read function",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "function", "settings": {"functionId": "read"}, "delivery": {"mode": "durable"}}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/delivery invalid"},
    {"onError",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {}}, "onError": "ignore"}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/onError not_allowed"},
    {"An error port that leads nowhere",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {}}, "onError": "errorPort"}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/onError invalid"},
    {"An error port that the node does not have",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "set", "settings": {"fields": {}}}, {"id": "m", "type": "set", "settings": {"fields": {}}}],
      "edges": [{"from": "t", "to": "n"}, {"from": "n", "port": "error", "to": "m"}]})",
     "/edges/1/port unknown_port | /nodes/2 unreachable"},
    {"Timeout",
     R"({"name": "x", "nodes": [)" MANUAL
     R"(, {"id": "n", "type": "function", "settings": {"functionId": "write"}, "timeoutMs": 0}],
      "edges": [{"from": "t", "to": "n"}]})",
     "/nodes/1/timeoutMs out_of_range"},
};
INSTANTIATE_TEST_SUITE_P(All, PipelineRule, testing::ValuesIn(kRules));

TEST(PipelineCheck, ACycleIsNamed) {
  std::string messages;
  problems_of(R"({"name": "x", "nodes": [)" MANUAL
              R"(, {"id": "a", "type": "set", "settings": {"fields": {}}},
    {"id": "b", "type": "set", "settings": {"fields": {}}}, {"id": "c", "type": "set", "settings": {"fields": {}}}],
    "edges": [{"from": "t", "to": "a"}, {"from": "a", "to": "b"}, {"from": "b", "to": "c"}, {"from": "c", "to": "b"}]})",
              &messages);
  const bool named = messages.find("b → c → b") != std::string::npos ||
                     messages.find("c → b → c") != std::string::npos;
  EXPECT_TRUE(named) << messages;
}

TEST(PipelineCheck, EveryProblemIsReportedAtOnce) {
  EXPECT_EQ(
      problems_of(R"({"name": "x", "nodes": [
      {"id": "t", "type": "trigger.schedule", "settings": {"intervalMs": 1}},
      {"id": "n", "type": "set", "settings": {"fields": {"a": "{{ 1 + }}"}}},
      {"id": "d", "type": "function", "settings": {"functionId": "gone"}}],
      "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "d"}]})"),
      "/nodes/0/settings/intervalMs out_of_range | /nodes/1/settings/fields/a invalid_expression | "
      "/nodes/2/settings/functionId unknown_function");
}

TEST(Graph, OrderPutsEveryNodeBehindItsSources) {
  const Graph graph{{{2}, {}, {1, 3}, {1}}};
  const auto order = graph.order();
  ASSERT_EQ(order.size(), 4u);
  std::vector<std::size_t> place(4);
  for (std::size_t i = 0; i < 4; ++i) place[order[i]] = i;
  EXPECT_LT(place[0], place[2]);
  EXPECT_LT(place[2], place[3]);
  EXPECT_LT(place[3], place[1]);
  EXPECT_TRUE(graph.cycle().empty());
}

TEST(Duration, IsReadWithItsUnit) {
  EXPECT_EQ(parse_duration("24h"), Duration(std::chrono::hours(24)));
  EXPECT_EQ(parse_duration("250ms"), Duration(std::chrono::milliseconds(250)));
  EXPECT_EQ(parse_duration("7d"), Duration(std::chrono::hours(168)));
  EXPECT_EQ(parse_duration("7"), std::nullopt);
  EXPECT_EQ(parse_duration("99999999999999999999h"), std::nullopt);
}

}  // namespace
}  // namespace tributary::orchestrate
