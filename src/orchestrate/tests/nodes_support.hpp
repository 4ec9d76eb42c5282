// One node between a trigger and a destination for each of its ports.
#pragma once

#include <fmt/format.h>

#include "orchestrate_support.hpp"

namespace tributary::orchestrate {

class NodeWorld : public RunnerWorld {
 public:
  // `more`: members of the node besides id, type and settings, with a comma in front.
  void start_node(std::string_view type, std::string_view settings,
                  const std::vector<std::string>& ports = {"out"}, std::string_view more = "") {
    start(document(type, settings, ports, more));
  }

  static std::string document(std::string_view type, std::string_view settings,
                              const std::vector<std::string>& ports, std::string_view more) {
    std::string nodes = fmt::format(
        R"({{"id": "t", "type": "trigger.function", "settings": {{"functionId": "sub"}}}},
           {{"id": "n", "type": "{}", "settings": {}{}}})",
        type, settings, more);
    std::string edges = R"({"from": "t", "to": "n"})";
    for (const std::string& port : ports) {
      nodes += fmt::format(
          R"(, {{"id": "to-{0}", "type": "function",
                "settings": {{"functionId": "write", "parameters": {{"port": "{0}"}}}}}})",
          port);
      edges += fmt::format(R"(, {{"from": "n", "port": "{0}", "to": "to-{0}"}})", port);
    }
    return fmt::format(R"({{"name": "x", "nodes": [{}], "edges": [{}]}})", nodes, edges);
  }

  // What left by a port since the last call, without $meta, as a list.
  std::string take(std::string_view name = "out") {
    Json records = json_array();
    std::vector<Call> others;
    for (const Call& call : port.calls) {
      if (get_string(call.parameters, "port") != name) {
        others.push_back(call);
        continue;
      }
      Json record = call.parameters.at("payload");
      last_meta = get_member(record, "$meta");
      if (record.is_object()) record.erase("$meta");
      records.push_back(std::move(record));
    }
    port.calls = others;
    return to_text(records);
  }

  std::string last_error(std::string_view id = "n") {
    const Snapshot now = snapshot();
    const NodeCounts& counts = node(now, id);
    return counts.last_error ? counts.last_error->code + ": " + counts.last_error->message : "";
  }
  std::int64_t held() { return snapshot().flow.held; }
  void settle_sums() { EXPECT_TRUE(snapshot().flow.adds_up()); }

  Json last_meta;
};

// Pointer, code and message of the first problem of a node's settings.
inline std::string problem_of(std::string_view type, std::string_view settings,
                              std::string_view more = "") {
  RunnerWorld world;
  const Json body = json(NodeWorld::document(type, settings, {}, more));
  const Checked checked = check_pipeline(body, world.catalogue, world.port);
  if (checked.problems.empty()) return "";
  const auto& first = checked.problems.front();
  EXPECT_FALSE(first.message.empty());
  return first.pointer + " " + first.code;
}

}  // namespace tributary::orchestrate
