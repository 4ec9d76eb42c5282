#include "orchestrate/triggers/references.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace tributary::orchestrate {
namespace {

// Calls with the place and the settings of each node of a type.
void for_each_node(const Json& document, std::string_view type,
                   const std::function<void(std::size_t, const Json&)>& look) {
  const Json& nodes = get_member(document, "nodes");
  if (!nodes.is_array()) return;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (get_string(nodes[i], "type") != type) continue;
    const Json& settings = get_member(nodes[i], "settings");
    if (settings.is_object()) look(i, settings);
  }
}

std::vector<std::string> awaited_pipelines(const Json& document) {
  std::vector<std::string> ids;
  for_each_node(document, "trigger.pipeline", [&ids](std::size_t, const Json& settings) {
    ids.push_back(get_string(settings, "pipelineId"));
  });
  return ids;
}

class Check {
 public:
  Check(const std::string& id, const std::string& name, const PipelineDocuments& others)
      : id_(id), name_(name), others_(others) {}

  void awaited(std::size_t node, const Json& settings) {
    const std::string pointer = fmt::format("/nodes/{}/settings/pipelineId", node);
    const std::string wanted = get_string(settings, "pipelineId");
    if (!id_.empty() && wanted == id_) {
      problem(pointer, "pipeline_circle", "A pipeline cannot wait for its own end.");
      return;
    }
    if (!others_.contains(wanted)) {
      unknown(pointer, wanted);
      return;
    }
    std::vector<std::string> way;
    std::set<std::string> seen;
    if (!id_.empty() && leads_back(wanted, way, seen)) {
      std::string names = name_;
      for (const std::string& step : way) names = others_.at(step).name + " → " + names;
      problem(
          pointer, "pipeline_circle",
          fmt::format("The pipelines would start each other in a circle: {} → {}.", name_, names));
    }
  }

  void watched(std::size_t node, const Json& settings) {
    const Json& ids = get_member(settings, "pipelineIds");
    for (std::size_t i = 0; ids.is_array() && i < ids.size(); ++i) {
      const auto wanted = ids[i].as<std::string>();
      const std::string pointer = fmt::format("/nodes/{}/settings/pipelineIds/{}", node, i);
      if (!id_.empty() && wanted == id_) {
        problem(pointer, "invalid", "A pipeline's own errors do not start it.");
      } else if (!others_.contains(wanted)) {
        unknown(pointer, wanted);
      }
    }
  }

  void address(std::size_t node, const Json& settings) {
    const std::string path = get_string(settings, "path");
    for (const std::string& method : methods_of(settings)) {
      const std::string address = method + " " + path;
      const auto taken = taken_.find(address);
      if (taken != taken_.end()) {
        problem(fmt::format("/nodes/{}/settings/path", node), "path_taken",
                fmt::format("{} /hooks/{} belongs to {} already.", method, path, taken->second));
        return;
      }
    }
    for (const std::string& method : methods_of(settings))
      taken_[method + " " + path] = "another trigger of this pipeline";
  }

  void take_addresses() {
    for (const auto& [id, other] : others_) {
      for_each_node(*other.document, "trigger.webhook", [&](std::size_t, const Json& settings) {
        for (const std::string& method : methods_of(settings)) {
          taken_[method + " " + get_string(settings, "path")] =
              fmt::format("the pipeline '{}'", other.name);
        }
      });
    }
  }

  std::vector<schema::FieldError> problems;

 private:
  void problem(std::string pointer, std::string code, std::string message) {
    problems.push_back({std::move(pointer), std::move(code), std::move(message)});
  }
  void unknown(const std::string& pointer, const std::string& id) {
    problem(pointer, "unknown_pipeline", fmt::format("There is no pipeline with the id '{}'.", id));
  }

  static std::vector<std::string> methods_of(const Json& settings) {
    std::vector<std::string> methods;
    const Json& given = get_member(settings, "methods");
    if (!given.is_array()) return {"POST"};
    for (const Json& method : given.array_range()) methods.push_back(method.as<std::string>());
    return methods;
  }

  // Whether `from` waits for this pipeline, perhaps by way of others; `way` gets them all.
  bool leads_back(const std::string& from, std::vector<std::string>& way,
                  std::set<std::string>& seen) const {
    const auto found = others_.find(from);
    if (found == others_.end() || !seen.insert(from).second) return false;
    way.push_back(from);
    for (const std::string& next : awaited_pipelines(*found->second.document)) {
      if (next == id_ || leads_back(next, way, seen)) return true;
    }
    way.pop_back();
    return false;
  }

  const std::string& id_;
  const std::string& name_;
  const PipelineDocuments& others_;
  std::map<std::string, std::string> taken_;  // by method and path: who has it
};

}  // namespace

std::vector<std::string> named_pipelines(const Json& document) {
  std::vector<std::string> ids = awaited_pipelines(document);
  for_each_node(document, "trigger.error", [&ids](std::size_t, const Json& settings) {
    const Json& listed = get_member(settings, "pipelineIds");
    for (std::size_t i = 0; listed.is_array() && i < listed.size(); ++i)
      ids.push_back(listed[i].as<std::string>());
  });
  return ids;
}

std::vector<schema::FieldError> check_against_others(const std::string& id, const std::string& name,
                                                     const Json& document,
                                                     const PipelineDocuments& others) {
  Check check(id, name, others);
  for_each_node(document, "trigger.pipeline",
                [&](std::size_t node, const Json& settings) { check.awaited(node, settings); });
  for_each_node(document, "trigger.error",
                [&](std::size_t node, const Json& settings) { check.watched(node, settings); });
  check.take_addresses();
  for_each_node(document, "trigger.webhook",
                [&](std::size_t node, const Json& settings) { check.address(node, settings); });
  return std::move(check.problems);
}

}  // namespace tributary::orchestrate
