#include "app/expectation.hpp"

#include <fmt/format.h>

namespace tributary::app {
namespace {

constexpr std::size_t kMaxShown = 400;  // of a value in a difference

std::string shown(const Json& value) {
  std::string text = to_text(value);
  if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "…";
  return text;
}

class Comparison {
 public:
  explicit Comparison(bool exact) : exact_(exact) {}

  void compare(const std::string& place, const Json& expected, const Json& got) {
    if (expected.is_array() && got.is_array()) {
      compare_lists(place, expected, got);
    } else if (expected.is_object() && got.is_object()) {
      compare_objects(place, expected, got);
    } else if (expected != got) {
      differences_.push_back({place, shown(expected), shown(got)});
    }
  }

  void missing(const std::string& place, const Json& expected) {
    differences_.push_back({place, shown(expected), "nothing"});
  }

  std::vector<Difference> take() { return std::move(differences_); }

 private:
  void compare_lists(const std::string& place, const Json& expected, const Json& got) {
    for (std::size_t i = 0; i < std::max(expected.size(), got.size()); ++i) {
      const std::string at = fmt::format("{}[{}]", place, i);
      if (i >= got.size()) {
        missing(at, expected[i]);
      } else if (i >= expected.size()) {
        differences_.push_back({at, "nothing", shown(got[i])});
      } else {
        compare(at, expected[i], got[i]);
      }
    }
  }

  void compare_objects(const std::string& place, const Json& expected, const Json& got) {
    for (const auto& member : expected.object_range()) {
      const std::string at = fmt::format("{}.{}", place, member.key());
      if (got.contains(member.key())) {
        compare(at, member.value(), got.at(member.key()));
      } else {
        missing(at, member.value());
      }
    }
    if (!exact_) return;
    for (const auto& member : got.object_range()) {
      if (expected.contains(member.key())) continue;
      differences_.push_back(
          {fmt::format("{}.{}", place, member.key()), "nothing", shown(member.value())});
    }
  }

  bool exact_;
  std::vector<Difference> differences_;
};

Json output_of(const Json& report) {
  Json records = json_array();
  const Json& output = get_member(report, "output");
  for (std::size_t i = 0; output.is_array() && i < output.size(); ++i)
    records.push_back(get_member(output[i], "record"));
  return records;
}

const Json* node_of(const Json& report, const std::string& id) {
  const Json& nodes = get_member(report, "nodes");
  for (std::size_t i = 0; nodes.is_array() && i < nodes.size(); ++i) {
    if (get_string(nodes[i], "nodeId") == id) return &nodes[i];
  }
  return nullptr;
}

Error invalid(std::string message) {
  return Error(ErrorClass::kFunction, "invalid_document",
               "The expectation cannot be used: " + std::move(message));
}

Result<void> compare_node(Comparison& comparison, const std::string& id, const Json& expected,
                          const Json& report) {
  const std::string place = "nodes." + id;
  const Json* node = node_of(report, id);
  if (node == nullptr) {
    comparison.missing(place, expected);
    return {};
  }
  if (!expected.is_object()) return fail(invalid(fmt::format("{} must be an object.", place)));
  for (const auto& member : expected.object_range()) {
    const std::string name(member.key());
    if (name != "in" && name != "out" && name != "errors" && name != "wouldHaveSent")
      return fail(invalid(fmt::format("{} has no member \"{}\".", place, name)));
    const Json& got = get_member(*node, name);
    // A list is what the one port gives.
    const bool one_port = name == "out" && member.value().is_array() && got.size() == 1;
    comparison.compare(place + "." + name, member.value(),
                       one_port ? got.object_range().begin()->value() : got);
  }
  return {};
}

}  // namespace

Result<std::vector<Difference>> compare_report(const Json& report, const Json& expected,
                                               bool exact) {
  Comparison comparison(exact);
  if (expected.is_array()) {
    comparison.compare("output", expected, output_of(report));
    return comparison.take();
  }
  if (!expected.is_object()) return fail(invalid("it is a list of records, or an object."));
  for (const auto& member : expected.object_range()) {
    const std::string name(member.key());
    if (name == "output") {
      comparison.compare(name, member.value(), output_of(report));
    } else if (name == "wouldHaveSent" || name == "success") {
      comparison.compare(name, member.value(), get_member(report, name));
    } else if (name == "nodes" && member.value().is_object()) {
      for (const auto& node : member.value().object_range())
        TRIBUTARY_TRY(compare_node(comparison, std::string(node.key()), node.value(), report));
    } else {
      return fail(invalid(fmt::format(
          "there is no member \"{}\"; it has output, wouldHaveSent, nodes and success.", name)));
    }
  }
  return comparison.take();
}

}  // namespace tributary::app
