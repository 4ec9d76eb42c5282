// Nodes that decide which way records go: switch, filter, forEach, merge.
#include "nodes_support.hpp"

namespace tributary::orchestrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kCases =
    R"({"mode": "first", "cases": [{"name": "hot", "expression": "{{ $input.t > 80 }}"},
        {"expression": "{{ $input.t > 50 }}"}]})";

TEST(Switch, TheFirstCaseThatHoldsTakesTheRecord) {
  NodeWorld world;
  world.start_node("switch", kCases, {"hot", "case2", "default"});
  world.deliver(R"([{"t": 90}, {"t": 60}, {"t": 10}])");
  EXPECT_EQ(world.take("hot"), R"([{"t":90}])");
  EXPECT_EQ(world.take("case2"), R"([{"t":60}])");
  EXPECT_EQ(world.take("default"), R"([{"t":10}])");
}

TEST(Switch, InModeAllEveryCaseThatHoldsGetsACopy) {
  NodeWorld world;
  std::string all(kCases);
  all.replace(all.find("first"), 5, "all");
  world.start_node("switch", all, {"hot", "case2", "default"});
  world.deliver(R"([{"t": 90}, {"t": 10}])");
  EXPECT_EQ(world.take("hot"), R"([{"t":90}])");
  EXPECT_EQ(world.take("case2"), R"([{"t":90}])");
  EXPECT_EQ(world.take("default"), R"([{"t":10}])");
  const Snapshot now = world.snapshot();
  EXPECT_EQ(now.flow.copied, 1);
  EXPECT_EQ(now.flow.out, 3);
}

TEST(Switch, APortWithoutAnEdgeFilters) {
  NodeWorld world;
  world.start_node("switch", kCases, {"hot"});
  world.deliver(R"([{"t": 90}, {"t": 60}, {"t": 10}])");
  EXPECT_EQ(world.snapshot().flow.filtered, 2);
}

TEST(Switch, AFailedRecordThatContinuesGoesToDefault) {
  NodeWorld world;
  world.start_node("switch", R"({"cases": [{"expression": "{{ $input.a.b > 1 }}"}]})",
                   {"case1", "default"}, R"(, "onError": "continue")");
  world.deliver(R"([{"x": 1}])");
  EXPECT_EQ(world.take("case1"), "[]");
  EXPECT_EQ(world.take("default"), R"([{"x":1}])");
}

TEST(Switch, SaysWhatIsWrongWithItsSettings) {
  EXPECT_EQ(problem_of("switch", R"({"cases": []})"), "/nodes/1/settings/cases too_short");
  EXPECT_EQ(problem_of("switch", R"({"cases": [{"expression": "{{ 1 + }}"}]})"),
            "/nodes/1/settings/cases/0/expression invalid_expression");
  EXPECT_EQ(problem_of("switch", R"({"cases": [{"expression": "always"}]})"),
            "/nodes/1/settings/cases/0/expression invalid_expression");
  EXPECT_EQ(problem_of("switch", R"({"cases": [{"name": "case2", "expression": "{{ 1 }}"},
                                         {"expression": "{{ 1 }}"}]})"),
            "/nodes/1/settings/cases/1/name duplicate");
  EXPECT_EQ(problem_of("switch", R"({"cases": [{"name": "default", "expression": "{{ 1 }}"}]})"),
            "/nodes/1/settings/cases/0/name duplicate");
  EXPECT_EQ(problem_of("switch", R"({"cases": 5})"), "/nodes/1/settings/cases wrong_type");
}

TEST(Filter, EndsWhatIsFalse) {
  NodeWorld world;
  world.start_node("filter", R"({"expression": "{{ $input.on && $input.t > 5 }}"})");
  world.deliver(R"([{"on": true, "t": 6}, {"on": true, "t": 5}, {"on": false, "t": 9}])");
  EXPECT_EQ(world.take(), R"([{"on":true,"t":6}])");
  const Snapshot now = world.snapshot();
  EXPECT_EQ(now.flow.filtered, 2);
  EXPECT_EQ(world.node(now, "n").filtered, 2);
  EXPECT_EQ(problem_of("filter", R"({"expression": "yes"})"),
            "/nodes/1/settings/expression invalid_expression");
}

TEST(ForEach, MakesARecordOfEveryElement) {
  NodeWorld world;
  world.start_node("forEach", R"({"expression": "{{ $input.items }}"})");
  world.deliver(R"([{"line": 3, "items": [{"a": 1}, 7, "x"], "$meta": {"time": "T"}}])");
  EXPECT_EQ(world.take(), R"([{"a":1},{"value":7},{"value":"x"}])");
  EXPECT_EQ(get_string(world.last_meta, "time"), "T");
  const Snapshot now = world.snapshot();
  EXPECT_EQ(now.flow.copied, 2);
  EXPECT_EQ(now.flow.out, 3);
}

TEST(ForEach, KeepsOtherFieldsAndPutsTheElementIntoAField) {
  NodeWorld world;
  world.start_node("forEach",
                   R"({"expression": "{{ $input.items }}", "as": "part.n", "include": "all"})");
  world.deliver(R"([{"line": 3, "items": [1, 2]}])");
  EXPECT_EQ(world.take(),
            R"([{"line":3,"items":[1,2],"part":{"n":1}},{"line":3,"items":[1,2],"part":{"n":2}}])");
}

TEST(ForEach, BehindItItemIsTheElementAndIndexItsPlace) {
  NodeWorld world;
  world.start(R"({"name": "x", "nodes": [
    {"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "f", "type": "forEach", "settings": {"expression": "{{ $input.items }}", "as": "e"}},
    {"id": "s", "type": "set", "settings": {"include": "none", "fields":
       {"item": "{{ $item }}", "index": "{{ $index }}", "from": "{{ $trigger.line }}"}}},
    {"id": "d", "type": "function", "settings": {"functionId": "write", "parameters": {"port": "out"}}}],
    "edges": [{"from": "t", "to": "f"}, {"from": "f", "to": "s"}, {"from": "s", "to": "d"}]})");
  world.deliver(R"([{"line": 3, "items": ["a", "b"]}])");
  EXPECT_EQ(world.take(), R"([{"item":"a","index":0,"from":3},{"item":"b","index":1,"from":3}])");
}

TEST(ForEach, AnEmptyListFiltersAndSomethingElseFails) {
  NodeWorld world;
  world.start_node("forEach", R"({"expression": "{{ $input.items }}"})");
  world.deliver(R"([{"items": []}])");
  EXPECT_EQ(world.snapshot().flow.filtered, 1);
  world.deliver(R"([{"items": {"a": 1}}])");
  EXPECT_EQ(world.last_error(), "not_a_list: The expression gives an object, not a list.");
  world.deliver(R"([{"other": 1}])");
  EXPECT_EQ(world.last_error(), "not_a_list: The expression gives undefined, not a list.");
  EXPECT_EQ(world.snapshot().flow.errors, 2);
}

// Two branches that meet: a adds a field, b adds another.
std::string two_branches(std::string_view settings, std::string_view ports = R"(["out"])") {
  std::string document = fmt::format(R"({{"name": "x", "nodes": [
    {{"id": "t", "type": "trigger.function", "settings": {{"functionId": "sub"}}}},
    {{"id": "a", "type": "filter", "settings": {{"expression": "{{{{ $input.a }}}}"}}}},
    {{"id": "b", "type": "filter", "settings": {{"expression": "{{{{ $input.b }}}}"}}}},
    {{"id": "n", "type": "merge", "settings": {}}})",
                                     settings);
  std::string edges =
      R"({"from": "t", "to": "a"}, {"from": "t", "to": "b"}, {"from": "a", "to": "n"}, {"from": "b", "to": "n"})";
  const Json names = json(ports);
  for (const Json& port : names.array_range()) {
    document += fmt::format(
        R"(, {{"id": "to-{0}", "type": "function",
               "settings": {{"functionId": "write", "parameters": {{"port": "{0}"}}}}}})",
        port.as<std::string>());
    edges +=
        fmt::format(R"(, {{"from": "n", "port": "{0}", "to": "to-{0}"}})", port.as<std::string>());
  }
  return document + fmt::format(R"(], "edges": [{}]}})", edges);
}

TEST(Merge, TakesOneRecordOfEveryEdgeInTheirOrder) {
  NodeWorld world;
  world.start(two_branches(R"({"mode": "all"})"));
  world.deliver(R"([{"a": 1, "x": 1}, {"a": 2, "x": 2}, {"b": 1, "x": 3}])");
  EXPECT_EQ(world.take(), R"([{"a":1,"x":3,"b":1}])");
  EXPECT_EQ(world.held(), 1);
  world.deliver(R"([{"b": 2, "x": 4}])");
  EXPECT_EQ(world.take(), R"([{"a":2,"x":4,"b":2}])");
  EXPECT_EQ(world.held(), 0);
  world.settle_sums();
}

TEST(Merge, TheLaterEdgeWinsWhateverCameFirst) {
  NodeWorld world;
  world.start(two_branches(R"({"mode": "all"})"));
  world.deliver(R"([{"b": 1, "x": "of b"}])");
  world.deliver(R"([{"a": 1, "x": "of a"}])");
  EXPECT_EQ(world.take(), R"([{"a":1,"x":"of b","b":1}])");
}

TEST(Merge, CombinesByNode) {
  NodeWorld world;
  world.start(two_branches(R"({"combine": "nodes"})"));
  world.deliver(R"([{"a": 1, "$meta": {"time": "T"}}, {"b": 2, "$meta": {"time": "U"}}])");
  EXPECT_EQ(world.take(),
            R"([{"a":{"a":1,"$meta":{"time":"T"}},"b":{"b":2,"$meta":{"time":"U"}}}])");
  EXPECT_EQ(get_string(world.last_meta, "time"), "T");
}

TEST(Merge, ByKeyWaitsForTheSameValue) {
  NodeWorld world;
  world.start(two_branches(R"({"mode": "key", "key": "{{ $input.k }}"})"));
  world.deliver(R"([{"a": 1, "k": 1}, {"a": 2, "k": 2}, {"b": 2, "k": 2}, {"a": 3, "k": 2}])");
  EXPECT_EQ(world.take(), R"([{"a":2,"k":2,"b":2}])");
  world.deliver(R"([{"b": 3, "k": 2}, {"b": 1, "k": 1}])");
  EXPECT_EQ(world.take(), R"([{"a":3,"k":2,"b":3},{"a":1,"k":1,"b":1}])");
  EXPECT_EQ(world.held(), 0);
}

TEST(Merge, AnyLetsRecordsPassAsTheyCome) {
  NodeWorld world;
  world.start(two_branches(R"({"mode": "any"})"));
  world.deliver(R"([{"a": 1}, {"b": 2}])");
  EXPECT_EQ(world.take(), R"([{"a":1},{"b":2}])");
}

TEST(Merge, WhatIsIncompleteGoesOnWhenItsTimeIsOver) {
  NodeWorld world;
  world.start(two_branches(R"({"timeoutMs": 1000})"));
  world.deliver(R"([{"a": 1}])");
  world.advance(milliseconds(400));
  world.deliver(R"([{"a": 2}])");
  world.advance(milliseconds(599));
  EXPECT_EQ(world.take(), "[]");
  world.advance(milliseconds(1));
  EXPECT_EQ(world.take(), R"([{"a":1}])");
  world.advance(milliseconds(400));
  EXPECT_EQ(world.take(), R"([{"a":2}])");
  EXPECT_EQ(world.held(), 0);
  world.settle_sums();
}

TEST(Merge, WhatIsIncompleteEndsOrLeavesByThePort) {
  NodeWorld drops;
  drops.start(two_branches(R"({"timeoutMs": 1000, "onTimeout": "drop"})"));
  drops.deliver(R"([{"a": 1}])");
  drops.advance(seconds(1));
  EXPECT_EQ(drops.take(), "[]");
  EXPECT_EQ(drops.snapshot().flow.filtered, 2);  // by the other branch, and by the merge
  NodeWorld port;
  port.start(two_branches(R"({"timeoutMs": 1000, "onTimeout": "port"})", R"(["out", "timeout"])"));
  port.deliver(R"([{"a": 1}])");
  port.advance(seconds(1));
  EXPECT_EQ(port.take("out"), "[]");
  EXPECT_EQ(port.take("timeout"), R"([{"a":1}])");
}

TEST(Merge, IsBoundedByItsPolicy) {
  NodeWorld fails;
  fails.start(two_branches(R"({"maxHeld": 2})"));
  fails.deliver(R"([{"a": 1}, {"a": 2}, {"a": 3}])");
  EXPECT_EQ(fails.held(), 2);
  EXPECT_TRUE(fails.last_error().starts_with("merge_full"));
  NodeWorld lets_go;
  lets_go.start(two_branches(R"({"maxHeld": 2, "overflow": "oldest"})"));
  lets_go.deliver(R"([{"a": 1}, {"a": 2}, {"a": 3}])");
  EXPECT_EQ(lets_go.take(), R"([{"a":1}])");
  EXPECT_EQ(lets_go.held(), 2);
  lets_go.settle_sums();
}

TEST(Merge, TwoPortsOfOneNodeAreTwoEdges) {
  NodeWorld world;
  world.start(R"({"name": "x", "nodes": [
    {"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "c", "type": "condition", "settings": {"expression": "{{ $input.yes }}"}},
    {"id": "n", "type": "merge", "settings": {"combine": "nodes"}},
    {"id": "d", "type": "function", "settings": {"functionId": "write", "parameters": {"port": "out"}}}],
    "edges": [{"from": "t", "to": "c"}, {"from": "c", "port": "true", "to": "n"},
              {"from": "c", "port": "false", "to": "n"}, {"from": "n", "to": "d"}]})");
  world.deliver(R"([{"yes": true, "$meta": null}, {"yes": false, "$meta": null}])");
  EXPECT_EQ(world.take(),
            R"([{"c:true":{"yes":true,"$meta":null},"c:false":{"yes":false,"$meta":null}}])");
}

TEST(Merge, RecordsThatWaitedKeepTheirPast) {
  NodeWorld world;
  world.start(R"({"name": "x", "nodes": [
    {"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
    {"id": "a", "type": "filter", "settings": {"expression": "{{ $input.a }}"}},
    {"id": "b", "type": "filter", "settings": {"expression": "{{ $input.b }}"}},
    {"id": "n", "type": "merge", "settings": {}},
    {"id": "s", "type": "set", "settings": {"include": "none", "fields":
       {"a": "{{ $node(\"a\").a }}", "b": "{{ $node(\"b\").b }}", "t": "{{ $trigger.a }}"}}},
    {"id": "d", "type": "function", "settings": {"functionId": "write", "parameters": {"port": "out"}}}],
    "edges": [{"from": "t", "to": "a"}, {"from": "t", "to": "b"}, {"from": "a", "to": "n"},
              {"from": "b", "to": "n"}, {"from": "n", "to": "s"}, {"from": "s", "to": "d"}]})");
  world.deliver(R"([{"a": 1}])");
  world.deliver(R"([{"b": 2}])");
  EXPECT_EQ(world.take(), R"([{"a":1,"b":2,"t":1}])");
}

TEST(Merge, SaysWhatIsWrongWithItsSettings) {
  EXPECT_EQ(problem_of("merge", R"({"mode": "key"})"), "/nodes/1/settings/key required");
  EXPECT_EQ(problem_of("merge", R"({"mode": "all", "key": "{{ 1 }}"})"),
            "/nodes/1/settings/key invalid");
  EXPECT_EQ(problem_of("merge", R"({"mode": "sum"})"), "/nodes/1/settings/mode not_allowed");
}

TEST(Held, IsDroppedWhenThePipelineStops) {
  NodeWorld world;
  world.start(two_branches("{}"));
  world.deliver(R"([{"a": 1}, {"a": 2}])");
  EXPECT_EQ(world.held(), 2);
  world.stop();
  EXPECT_EQ(world.last.flow.held, 0);
  EXPECT_EQ(world.last.flow.dropped, 2);
}

}  // namespace
}  // namespace tributary::orchestrate
